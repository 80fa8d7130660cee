//! Owns what AWS cannot watch of a budget's scope, and what it watches beyond it, in dollars of one month.
//!
//! **Invariant:** an amount that was not delivered makes its sum unknown, never smaller.

use std::collections::BTreeMap;

use crate::budget::{Budget, Scope};
use crate::charge::{Cause, Charge, Charges};
use crate::metric::Metric;
use crate::money::Money;
use crate::owner::Owner;
use crate::period::Month;
use crate::plan::Stake;
use crate::reach::Reach;
use crate::whose;

/// How the words begin of what a rule takes and AWS watches.
const TAKEN: &str = "watched beyond it: what is taken by the pool ";

/// A sum that is unknown as soon as a part of it is.
type Sum = Option<Money>;

/// Returns what a filter misses of a budget's scope, and what it counts beyond it, in the order of their words.
///
/// What a team is charged is compared for a team, and what was billed for all else; excluded record types are in neither.
pub fn stakes(
    name: &str,
    budget: &Budget,
    reach: &Reach,
    charges: &Charges<'_>,
    (month, metric): (Month, Metric),
) -> Vec<Stake> {
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for charge in charges.of_month(month) {
        let record_type = charges.ledger.names.text(charge.record_type);
        if budget.excludes(record_type) {
            continue;
        }
        let words = match &budget.scope {
            Scope::Team(team) => {
                let is_theirs = charges.team(&charge) == Some(team);
                of_team(charges, reach, &charge, is_theirs)
            }
            scope => of_bill(charges, reach, &charge, scope),
        };
        if let Some(words) = words {
            // What a rule takes is watched all the same, where it is watched at all.
            let is_taken = words.starts_with(TAKEN);
            let money = charge.amounts.get(metric).map(|it| if is_taken { -it } else { it });
            let sum = sums.entry(words).or_insert(Some(Money::ZERO));
            *sum = sum.zip(money).map(|(sum, money)| sum + money);
        }
    }
    let text = format!("{} of {month}", metric.title());
    let told = sums.into_iter().filter(|(_, sum)| *sum != Some(Money::ZERO));
    told.map(|(words, amount)| Stake {
        what: format!("{name}: {words}"),
        amount,
        text: text.clone(),
    })
    .collect()
}

fn of_bill(charges: &Charges<'_>, reach: &Reach, charge: &Charge, scope: &Scope) -> Option<String> {
    if !matches!(charge.cause, Cause::Billed { .. }) {
        return None;
    }
    let bearer = charges.bearer(charge);
    let is_found = *scope == Scope::All || reach.owners.contains(&bearer.owner);
    match (whose::holds(scope, bearer), is_found) {
        (true, false) => Some(format!("not watched: {}", owners(&bearer.owner))),
        (false, true) => Some(format!("watched beyond it: {}", owners(&bearer.owner))),
        _ => None,
    }
}

fn of_team(
    charges: &Charges<'_>,
    reach: &Reach,
    charge: &Charge,
    is_theirs: bool,
) -> Option<String> {
    let bearer = charges.bearer(charge);
    let is_found = reach.owners.contains(&bearer.owner);
    let pool = |spread: usize| {
        let pool = &charges.pools[charges.allocation.spreads[spread].pool];
        format!("what it gets of the pool `{}`", pool.name)
    };
    match charge.cause {
        Cause::Billed { .. } => match (is_theirs, is_found) {
            (true, false) => Some(format!("not watched: {}", owners(&bearer.owner))),
            (false, true) => Some(format!(
                "watched beyond it: {} charged to others or to nobody",
                owners(&bearer.owner)
            )),
            _ => None,
        },
        _ if !is_theirs => None,
        Cause::Outside { .. } => Some("not watched: tax and support".to_owned()),
        Cause::In { spread, .. } => Some(format!("not watched: {}", pool(spread))),
        // What is not watched is not missed where a rule takes it.
        Cause::Out { .. } if !is_found => Some(format!("not watched: {}", owners(&bearer.owner))),
        Cause::Out { spread, .. } => {
            let name = &charges.pools[charges.allocation.spreads[spread].pool].name;
            Some(format!("{TAKEN}`{name}`"))
        }
    }
}

/// Tells a sort of owners in words.
fn owners(owner: &Owner) -> &'static str {
    match owner {
        Owner::Space(..) => "spaces that went, or were not of it all month",
        Owner::UserProfile(..) => "users who went, or were not of it all month",
        Owner::Domain(_) => "cost that only a domain is known of",
        Owner::Tag { .. } => "cost that a configured tag key claims",
        Owner::Team(_) => "cost of the team as a whole",
        Owner::Pool(_) => "Savings Plans, tax and support",
        Owner::Unattributed => "cost without an owner",
    }
}
