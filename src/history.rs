//! Owns histories: what each of many cost, month by month and day by day, so far as it can be compared.
//!
//! **Invariant:** a month that is read by day is the sum of its days here; what its days lack stands on its first day, as a fee would.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::bearer::{Bearer, Register};
use crate::budget::Scope;
use crate::charge::Charges;
use crate::course::last_complete;
use crate::facts::Facts;
use crate::metric::Metric;
use crate::money::Money;
use crate::notes;
use crate::owner::Owner;
use crate::period::Month;
use crate::rhythm::{History, Spend};
use crate::snapshot::Snapshot;
use crate::team::TeamName;
use crate::usage::is_run;

/// The sort of those who get a history each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Domains: what was billed for them, their users and spaces.
    Domain,
    /// Teams: what they are charged.
    Team,
    /// User profiles: what was billed for them and their private spaces.
    UserProfile,
}

/// The months that a history is drawn from at least, where the coverage of tags has changed since.
const COMPARABLE_COUNT_MIN: usize = 3;

/// What is summed while the snapshot is read.
#[derive(Default)]
struct Sums {
    months: BTreeMap<Month, Option<Money>>,
    days: BTreeMap<(Date, bool), Option<Money>>,
}

/// Returns the history of everybody of a sort who cost anything.
pub fn histories(
    by: By,
    snapshot: &Snapshot,
    charges: &Charges<'_>,
    metric: Metric,
) -> BTreeMap<Scope, History> {
    let manifest = &snapshot.manifest;
    let complete = last_complete(manifest.taken_at);
    let mut sums: BTreeMap<Scope, Sums> = BTreeMap::new();
    let add = |sum: &mut Option<Money>, money: Option<Money>| {
        *sum = sum.zip(money).map(|(sum, money)| sum + money);
    };
    for month in manifest.months() {
        for charge in charges.of_month(month) {
            let scope = match by {
                By::Team => charges.team(&charge).cloned().map(Scope::Team),
                _ if charge.cause.is_billed() => of_bearer(by, charges.bearer(&charge)),
                _ => None,
            };
            let Some(scope) = scope else { continue };
            let months = &mut sums.entry(scope).or_default().months;
            add(months.entry(month).or_insert(Some(Money::ZERO)), charge.amounts.get(metric));
        }
    }
    let register = Register::new(&snapshot.inventory, manifest.taken_at, &manifest.space_users);
    let index = charges.membership.index(&snapshot.inventory);
    let mut known: BTreeMap<(String, String), (Bearer, Option<Facts>)> = BTreeMap::new();
    for record in snapshot.days.iter() {
        let (bearer, facts) = known.entry((record.slice, record.value)).or_insert_with_key(|it| {
            let bearer = register.resolve(&it.0, &it.1).0;
            let facts = index.of(&bearer);
            (bearer, facts)
        });
        let scope = match by {
            By::Team => team_of(charges, facts.as_ref(), record.start).map(Scope::Team),
            _ => of_bearer(by, bearer),
        };
        let Some(scope) = scope else { continue };
        let days = &mut sums.entry(scope).or_default().days;
        let place = (record.start, is_run(&record.record_type));
        add(days.entry(place).or_insert(Some(Money::ZERO)), record.amounts.get(metric));
    }
    let months = comparable(snapshot, complete);
    let read = manifest.daily_months();
    let histories =
        sums.into_iter().map(|(scope, sums)| (scope, sums.history(&months, &read, complete)));
    histories.collect()
}

fn of_bearer(by: By, bearer: &Bearer) -> Option<Scope> {
    let domain = bearer.owner.domain()?;
    match by {
        By::Domain => Some(Scope::Domain(domain.id.clone())),
        By::UserProfile => {
            Some(Scope::UserProfile(domain.id.clone(), bearer.user_profile.clone()?))
        }
        By::Team => None,
    }
}

fn team_of(charges: &Charges<'_>, facts: Option<&Facts>, day: Date) -> Option<TeamName> {
    charges.membership.team_on(day, facts?)
}

/// Returns the full months that compare with one another: those since the last change of the tags' coverage.
fn comparable(snapshot: &Snapshot, complete: Date) -> BTreeSet<Month> {
    let manifest = &snapshot.manifest;
    let full: Vec<Month> =
        manifest.months().into_iter().filter(|month| month.period().last() <= complete).collect();
    let changes = notes::coverage_changes(manifest);
    let since = changes.keys().next_back();
    let comparable: BTreeSet<Month> =
        full.iter().copied().filter(|month| since.is_none_or(|since| month > since)).collect();
    if comparable.len() < COMPARABLE_COUNT_MIN { full.into_iter().collect() } else { comparable }
}

impl Sums {
    /// Makes a history of what is known in the metric; a month in which something was not delivered is no month of it.
    fn history(self, months: &BTreeSet<Month>, read: &BTreeSet<Month>, complete: Date) -> History {
        let is_delivered = |month: &Month| {
            let mut days = self.days.iter().filter(|((day, _), _)| Month::of(*day) == *month);
            days.all(|(_, money)| money.is_some())
        };
        let read: BTreeSet<Month> = read.iter().copied().filter(is_delivered).collect();
        let mut spends: Vec<Spend> = Vec::new();
        let mut by_days: BTreeMap<Month, Money> = BTreeMap::new();
        for ((day, is_run), money) in &self.days {
            let Some(amount) = *money else { continue };
            *by_days.entry(Month::of(*day)).or_default() += amount;
            spends.push(Spend { day: *day, amount, is_run: *is_run });
        }
        let totals = months.iter().filter_map(|month| {
            let sum = self.months.get(month).copied().unwrap_or(Some(Money::ZERO))?;
            Some((*month, sum))
        });
        let totals: BTreeMap<Month, Money> = totals.collect();
        for (month, total) in &totals {
            let amount = *total - by_days.get(month).copied().unwrap_or_default();
            if read.contains(month) && !amount.is_zero() {
                spends.push(Spend { day: month.start(), amount, is_run: false });
            }
        }
        History::new(totals, spends, read, complete)
    }
}

/// Tells whose a history is, in a few words that name one alone.
pub fn title(scope: &Scope, charges: &Charges<'_>) -> String {
    let domain = |id: &str| {
        let bearers = charges.bearers.iter();
        let named = bearers.filter(|it| it.owner.domain().is_some_and(|key| key.id.as_str() == id));
        let name = named
            .filter(|it| !matches!(it.owner, Owner::Team(_)))
            .find_map(|it| it.domain_name.clone());
        name.map_or_else(|| id.to_owned(), |name| format!("{name} {id}"))
    };
    match scope {
        Scope::Domain(id) => domain(id.as_str()),
        Scope::UserProfile(id, name) => format!("{name} in {id}"),
        Scope::Team(team) => team.to_string(),
        other => other.to_string(),
    }
}
