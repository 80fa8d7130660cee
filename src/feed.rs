//! Owns what a pool's balance is made of: lines, shares of what lies outside the scope, and what earlier rules gave.
//!
//! **Invariant:** what a balance is made of sums to it exactly, in every metric.

use std::collections::{BTreeMap, BTreeSet};

use crate::allocate::{Balance, Spread};
use crate::charge::Charges;
use crate::explanation::Step;
use crate::metric::{Amounts, Metric};
use crate::outside::Outside;
use crate::pool::{self, Pool};
use crate::selection::Selector;
use crate::split::Weights;

/// What a balance is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    /// Lines, by their places in the ledger.
    pub lines: Vec<usize>,
    /// Shares of what lies outside the scope, by their places in the allocation.
    pub outside: Vec<usize>,
    /// What earlier rules gave.
    pub fed: Vec<Fed>,
}

/// What an earlier rule gave to the owner of a balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fed {
    /// The places of the earlier spread and of its balance.
    pub place: (usize, usize),
    /// The target's place in the earlier spread.
    pub target: usize,
    /// What it got.
    pub amounts: Amounts,
}

/// Traces balances, named by the places of their spread and of themselves, to all that fed them, and on to the end.
pub fn trace(
    charges: &Charges<'_>,
    mut open: BTreeSet<(usize, usize)>,
) -> BTreeMap<(usize, usize), Feed> {
    let pools = charges.pools.iter();
    let pools: Vec<(&Pool, Selector)> =
        pools.map(|pool| (pool, Selector::new(&pool.only, charges.ledger))).collect();
    let mut feeds = BTreeMap::new();
    while let Some(place) = open.pop_last() {
        let feed = of_balance(charges, &pools, place);
        // Only earlier spreads feed one, so this comes to an end.
        open.extend(feed.fed.iter().map(|fed| fed.place));
        feeds.insert(place, feed);
    }
    feeds
}

/// Returns what one balance is made of.
fn of_balance(charges: &Charges<'_>, pools: &[(&Pool, Selector)], place: (usize, usize)) -> Feed {
    let spreads = &charges.allocation.spreads;
    let spread = &spreads[place.0];
    let balance = &spread.balances[place.1];
    let mut feed = Feed { lines: lines(charges, pools, spread, balance), ..Feed::default() };
    let outside = charges.allocation.outside.iter().enumerate();
    feed.outside = outside
        .filter(|(_, share)| {
            share.month == spread.month && share.pool == spread.pool && is_in(share, balance)
        })
        .map(|(index, _)| index)
        .collect();
    for (at, earlier) in spreads[..place.0].iter().enumerate() {
        // Only a pool that flows on as a whole feeds another; what a split gives is nobody's pool.
        let into = charges.pools[earlier.pool].into.as_deref();
        let is_fed = into == Some(&charges.pools[spread.pool].name);
        let target = earlier.targets.iter().position(|target| target.bearer == balance.from);
        let Some(target) = target.filter(|_| is_fed && earlier.month == spread.month) else {
            continue;
        };
        for (index, given) in earlier.balances.iter().enumerate() {
            if is_alike(given, balance) {
                let amounts = part(charges, (at, index), target);
                feed.fed.push(Fed { place: (at, index), target, amounts });
            }
        }
    }
    let lines = feed.lines.iter().map(|line| &charges.ledger.lines[*line].amounts);
    let outside = feed.outside.iter().map(|index| &charges.allocation.outside[*index].amounts);
    let given = feed.fed.iter().map(|fed| &fed.amounts);
    let total: Amounts = lines.chain(outside).chain(given).sum();
    assert!(total == balance.amounts, "a balance is the sum of what it is made of");
    feed
}

/// The lines of a balance: those of its owner that its pool takes, and that are summed in it.
fn lines(
    charges: &Charges<'_>,
    pools: &[(&Pool, Selector)],
    spread: &Spread,
    balance: &Balance,
) -> Vec<usize> {
    let all = &charges.ledger.lines;
    if let Some(line) = balance.line {
        return vec![line];
    }
    let key = (spread.month, balance.from);
    let start = all.partition_point(|line| (line.month, line.bearer) < key);
    let end = all.partition_point(|line| (line.month, line.bearer) <= key);
    let taken = (start..end).filter(|index| {
        let line = &all[*index];
        line.service == balance.service
            && line.component == balance.component
            && line.record_type == balance.record_type
            && line.billed_account == balance.billed_account
            && line.reason == balance.reason
            && pool::of_line(pools, charges.ledger, line) == Some(spread.pool)
    });
    taken.collect()
}

fn is_in(share: &Outside, balance: &Balance) -> bool {
    share.bearer == balance.from
        && share.service == balance.service
        && share.record_type == balance.record_type
        && share.component == balance.component
        && balance.billed_account.is_none()
        && balance.reason.is_none()
}

/// Whether what was given of an earlier balance is summed in a later one.
fn is_alike(given: &Balance, balance: &Balance) -> bool {
    given.service == balance.service
        && given.component == balance.component
        && given.record_type == balance.record_type
        && given.billed_account == balance.billed_account
        && balance.reason.is_none()
        && balance.line.is_none()
}

/// Returns what a target got of a balance, which is named by the places of its spread and of itself.
pub fn part(charges: &Charges<'_>, (spread, balance): (usize, usize), target: usize) -> Amounts {
    let spread = &charges.allocation.spreads[spread];
    let weights = Weights::new(spread.targets.iter().map(|target| target.weight));
    let weights = weights.expect("a spread has weight");
    let part = spread.balances[balance].amounts.parts(&weights).nth(target);
    part.expect("a target's place is one of the spread's")
}

/// Returns the step from the whole of what lies outside the scope to SageMaker's share of it.
pub fn outside_step(share: &Outside, metric: Metric) -> Step {
    let [scope, rest] = share.weights;
    let by = format!(
        "the scope's control of the bill without tax and support, by {}",
        share.metric.title()
    );
    Step::new(by, [&share.whole, &share.amounts], scope, scope + rest, metric)
}
