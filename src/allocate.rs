//! Owns allocation: pools' balances, their targets and weights; the parts are a function of these.
//!
//! **Invariant:** in every metric, month and record type, what leaves pools is what their targets get.

use std::collections::BTreeMap;

use crate::basis::{Billed, Field};
use crate::bearer::{Bearer, Existence};
use crate::daily::Daily;
use crate::ledger::{Ledger, Line, Reason};
use crate::membership::Membership;
use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::note::Note;
use crate::outside;
pub use crate::outside::Outside;
use crate::owner::Owner;
use crate::period::Month;
use crate::pool::{self, Over, Pool, WithoutWeight};
use crate::remark::{self, Stuck};
use crate::rule;
use crate::selection::Selector;
use crate::snapshot::Manifest;
use crate::usage::Component;

/// What all pools of all months become.
#[derive(Clone, Debug, Default)]
pub struct Allocation {
    /// Owners beyond the ledger's: teams as wholes and pools; their places follow the ledger's.
    pub bearers: Vec<Bearer>,
    /// What is charged beside the scope: SageMaker's share of tax and support, on their pools.
    pub outside: Vec<Outside>,
    /// The moves, in the order in which they happen.
    pub spreads: Vec<Spread>,
    /// What the reader must know of every month.
    pub notes: Vec<Note>,
    /// What the reader must know of one month.
    pub month_notes: BTreeMap<Month, Vec<Note>>,
}

/// Balances of one pool in one month, and the targets that all of them are split over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The pool's place in the configuration.
    pub pool: usize,
    /// The month.
    pub month: Month,
    /// Who gets a part, in the order of owners.
    pub targets: Vec<Target>,
    /// What is split.
    pub balances: Vec<Balance>,
}

/// Who gets a part of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The owner, by its place.
    pub bearer: usize,
    /// Its weight, above zero.
    pub weight: Money,
}

/// What is split as one amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The owner whom it leaves, by its place.
    pub from: usize,
    /// The service.
    pub service: u32,
    /// The component.
    pub component: Component,
    /// The record type.
    pub record_type: u32,
    /// The account that was billed, where it is known.
    pub billed_account: Option<u32>,
    /// Why it had no owner, or no closer one.
    pub reason: Option<Reason>,
    /// The line that it is alone, by its place in the ledger, where its owner's lines must not be added up.
    pub line: Option<usize>,
    /// The amounts, all split by the same weights.
    pub amounts: Amounts,
    /// Whether AWS called them estimated.
    pub estimated: bool,
}

/// What makes amounts one balance: all but the amounts, and the line where they must not be added up.
type Key = (usize, u32, Component, u32, Option<u32>, Option<Reason>, Option<usize>);
/// The balances of a pool that is being filled.
type Held = BTreeMap<Key, Balance>;

/// What stays the same from month to month.
struct Setting<'a> {
    ledger: &'a Ledger,
    manifest: &'a Manifest,
    membership: &'a Membership,
    pools: Vec<(&'a Pool, Selector)>,
    by: Vec<Selector>,
    order: Vec<usize>,
    metric: Metric,
    added: Vec<Bearer>,
}

/// Moves every pool of every month; weights are taken in `metric` where a pool names no other.
///
/// The pools were checked by [`rule::check`].
pub fn allocate(
    ledger: &Ledger,
    manifest: &Manifest,
    membership: &Membership,
    daily: &Daily,
    pools: &[Pool],
    metric: Metric,
) -> Allocation {
    if pools.is_empty() {
        return Allocation::default();
    }
    let setting = Setting {
        ledger,
        manifest,
        membership,
        pools: pools.iter().map(|it| (it, Selector::new(&it.only, ledger))).collect(),
        by: pools.iter().map(|pool| Selector::new(&pool.by, ledger)).collect(),
        order: rule::in_order(pools),
        metric,
        added: added(ledger, membership, pools),
    };
    let is_over_teams = pools.iter().any(|it| it.is_split() && it.over() == Over::Teams);
    let teams = membership.teams.iter().filter(|_| is_over_teams);
    let team_places = teams.map(|name| setting.place(&Owner::Team(name.clone()))).collect();
    let field = Field::new(ledger, membership, daily, team_places);
    let mut allocation = Allocation::default();
    let mut is_used = vec![false; pools.len()];
    for month in manifest.months() {
        setting.month(month, &field, &mut allocation, &mut is_used);
    }
    allocation.notes = remark::of_all(pools, &is_used);
    allocation.bearers = setting.added;
    allocation
}

/// Returns the owners that rules add to those of the ledger, in order.
fn added(ledger: &Ledger, membership: &Membership, pools: &[Pool]) -> Vec<Bearer> {
    let is_over_teams = pools.iter().any(|it| it.is_split() && it.over() == Over::Teams);
    let teams = membership.teams.iter().filter(|_| is_over_teams).cloned().map(Owner::Team);
    let fed = pools.iter().filter(|it| pools.iter().any(|by| by.into.as_ref() == Some(&it.name)));
    let outside = pools.iter().filter_map(|pool| outside::owner(pool.of));
    let mut owners: Vec<Owner> = teams.chain(fed.map(Pool::owner)).chain(outside).collect();
    let is_new = |owner: &Owner| find(&ledger.bearers, owner).is_none();
    owners.retain(is_new);
    owners.sort();
    owners.dedup();
    let bearer = |owner| Bearer {
        owner,
        domain_name: None,
        user_profile: None,
        shared: None,
        existence: Existence::Unknown,
    };
    owners.into_iter().map(bearer).collect()
}

/// Returns the place of an owner among those that stand in order.
fn find(bearers: &[Bearer], owner: &Owner) -> Option<usize> {
    bearers.binary_search_by(|bearer| bearer.owner.cmp(owner)).ok()
}

impl Setting<'_> {
    /// Returns the place of an owner that is of the ledger or added.
    fn place(&self, owner: &Owner) -> usize {
        let added = || find(&self.added, owner).map(|place| place + self.ledger.bearers.len());
        find(&self.ledger.bearers, owner).or_else(added).expect("who gets a part is an owner")
    }

    fn bearer(&self, place: usize) -> &Bearer {
        let count = self.ledger.bearers.len();
        self.ledger.bearers.get(place).unwrap_or_else(|| &self.added[place - count])
    }

    /// Fills the pools of a month and moves them, each after all that flow into it.
    fn month(
        &self,
        month: Month,
        field: &Field<'_>,
        allocation: &mut Allocation,
        is_used: &mut [bool],
    ) {
        let mut held: Vec<Held> = self.pools.iter().map(|_| Held::new()).collect();
        let mut beside = Vec::new();
        let mut whole = Amounts::ZERO;
        let first = self.ledger.lines.partition_point(|line| line.month < month);
        for (index, line) in self.ledger.of_month(month).iter().enumerate() {
            let Some(pool) = pool::of_line(&self.pools, self.ledger, line) else {
                beside.push(line);
                continue;
            };
            // Parts of a sum are not the sums of parts, so what is split over teams already is moved line by line.
            let is_apart = self.membership.of(month, line.bearer).len() > 1;
            let apart = is_apart.then_some(first + index);
            put(&mut held[pool], Balance { line: apart, ..of_line(line) });
            whole.add(&line.amounts);
        }
        let place = |owner: &Owner| self.place(owner);
        let (outside, mut notes) =
            outside::of_month(self.ledger, self.manifest, &self.pools, month, self.metric, place);
        for share in &outside {
            put(&mut held[share.pool], of_outside(share));
            whole.add(&share.amounts);
        }
        allocation.outside.extend(outside);
        let billed = field.billed(month, beside);
        let mut moved = Amounts::ZERO;
        for pool in self.order.iter().copied() {
            let balances = self.balances(std::mem::take(&mut held[pool]));
            let sum: Amounts = balances.iter().map(|balance| &balance.amounts).sum();
            if balances.is_empty() {
                continue;
            }
            is_used[pool] = true;
            moved.add(&sum);
            if let Some(name) = &self.pools[pool].0.into {
                let into = self.pools.iter().position(|(pool, _)| pool.name == *name);
                let into = into.expect("what a pool flows into is a pool");
                let bearer = self.place(&self.pools[into].0.owner());
                for balance in &balances {
                    let flow =
                        Balance { from: bearer, reason: None, line: None, ..balance.clone() };
                    put(&mut held[into], flow);
                }
                moved.subtract(&sum);
                let targets = vec![Target { bearer, weight: Money::from_cents(100) }];
                allocation.spreads.push(Spread { pool, month, targets, balances });
            } else if self.pools[pool].0.is_split() {
                notes.extend(self.split(pool, &billed, field, balances, month, allocation));
            }
        }
        assert!(moved == whole, "pools hold in {month} what lines and what lies outside put in");
        if !notes.is_empty() {
            allocation.month_notes.insert(month, notes);
        }
    }

    /// Returns what a pool holds, in an order that no number of a name decides.
    fn balances(&self, held: Held) -> Vec<Balance> {
        // Nothing in what was delivered is not nothing where a metric is absent: that must reach the sums.
        let mut balances: Vec<Balance> =
            held.into_values().filter(|balance| balance.amounts != Amounts::ZERO).collect();
        let text = |number: u32| self.ledger.names.text(number);
        balances.sort_by(|left, right| {
            let key = |it: &Balance| (it.component, it.reason);
            left.from
                .cmp(&right.from)
                .then_with(|| text(left.service).cmp(text(right.service)))
                .then_with(|| text(left.record_type).cmp(text(right.record_type)))
                .then_with(|| left.billed_account.map(text).cmp(&right.billed_account.map(text)))
                .then_with(|| key(left).cmp(&key(right)))
        });
        balances
    }

    /// Splits a pool's balances: over users each domain's by themselves, else all of them at once.
    fn split(
        &self,
        pool: usize,
        billed: &Billed<'_>,
        field: &Field<'_>,
        balances: Vec<Balance>,
        month: Month,
        allocation: &mut Allocation,
    ) -> Vec<Note> {
        let table = self.pools[pool].0;
        let basis = field.weigh(billed, table, &self.by[pool], self.metric);
        let domain = |place: usize| {
            let domain = self.bearer(place).owner.domain();
            domain.filter(|_| table.over() == Over::Users)
        };
        let mut groups: BTreeMap<_, (Vec<Balance>, Vec<Target>)> = BTreeMap::new();
        for balance in balances {
            groups.entry(domain(balance.from)).or_default().0.push(balance);
        }
        for (bearer, weight) in &basis.weights {
            if let Some((_, targets)) = groups.get_mut(&domain(*bearer)) {
                targets.push(Target { bearer: *bearer, weight: *weight });
            }
        }
        let (mut kept, mut evened) = (Vec::new(), Vec::new());
        for (balances, mut targets) in groups.into_values() {
            if targets.iter().all(|target| target.weight.is_zero()) {
                if table.without_weight == WithoutWeight::Keep || targets.is_empty() {
                    kept.extend(balances);
                    continue;
                }
                for target in &mut targets {
                    target.weight = Money::from_cents(100);
                }
                evened.extend(balances.iter().cloned());
            }
            targets.retain(|target| !target.weight.is_zero());
            allocation.spreads.push(Spread { pool, month, targets, balances });
        }
        let sum = |balances: &[Balance]| balances.iter().map(|balance| &balance.amounts).sum();
        let from = |balances: &[Balance]| balances.iter().map(|balance| balance.from).collect();
        let stuck = [
            Stuck { from: from(&kept), amounts: sum(&kept), outcome: "it stays where it is" },
            Stuck { from: from(&evened), amounts: sum(&evened), outcome: "it is split evenly" },
        ];
        let name = |place: usize| self.bearer(place).owner.to_string();
        remark::of_split(table, month, &basis, &stuck, self.metric, name)
    }
}

/// Adds to the balance that is alike, or makes one.
fn put(held: &mut Held, balance: Balance) {
    let Balance { from, service, component, record_type, billed_account, reason, line, .. } =
        balance;
    let key = (from, service, component, record_type, billed_account, reason, line);
    match held.get_mut(&key) {
        Some(sum) => {
            sum.amounts.add(&balance.amounts);
            sum.estimated |= balance.estimated;
        }
        None => {
            held.insert(key, balance);
        }
    }
}

fn of_line(line: &Line) -> Balance {
    Balance {
        from: line.bearer,
        service: line.service,
        component: line.component,
        record_type: line.record_type,
        billed_account: line.billed_account,
        reason: line.reason,
        line: None,
        amounts: line.amounts,
        estimated: line.estimated,
    }
}

fn of_outside(share: &Outside) -> Balance {
    Balance {
        from: share.bearer,
        service: share.service,
        component: share.component,
        record_type: share.record_type,
        billed_account: None,
        reason: None,
        line: None,
        amounts: share.amounts,
        estimated: share.estimated,
    }
}
