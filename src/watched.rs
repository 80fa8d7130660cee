//! Owns what AWS cannot watch of a budget's scope, and what it watches beyond it, in dollars of one month.
//!
//! **Invariant:** an amount that was not delivered makes its sum unknown, never smaller.

use std::collections::BTreeMap;

use crate::arn::DomainId;
use crate::budget::{Budget, Scope};
use crate::charge::{Cause, Charge, Charges};
use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::owner::Owner;
use crate::period::Month;
use crate::plan::Stake;
use crate::reach::Reach;
use crate::whose;

/// How the words begin of what a rule takes and AWS watches.
const TAKEN: &str = "watched beyond it: what is taken by the pool ";

/// The words of what lies outside the scope, which no filter finds together with it.
const OUTSIDE: &str = "not watched: tax and support";

/// A sum that is unknown as soon as a part of it is.
type Sum = Option<Money>;

/// What a month's charges come to by owner and record type, summed once for all budgets that are not of teams.
pub struct Billed {
    /// By the owner's place and the record type's number; SageMaker's share of tax and support apart.
    sums: BTreeMap<(usize, u32), Amounts>,
    outside: Amounts,
    by_domain: BTreeMap<DomainId, Vec<usize>>,
}

impl Billed {
    /// Sums a month.
    pub fn new(charges: &Charges<'_>, month: Month) -> Billed {
        let mut billed =
            Billed { sums: BTreeMap::new(), outside: Amounts::ZERO, by_domain: BTreeMap::new() };
        for charge in charges.of_month(month) {
            let place = (charge.bearer, charge.record_type);
            match charge.cause {
                Cause::Billed { .. } => {
                    billed.sums.entry(place).or_insert(Amounts::ZERO).add(&charge.amounts);
                }
                Cause::Outside { .. } => billed.outside.add(&charge.amounts),
                Cause::In { .. } | Cause::Out { .. } => {}
            }
        }
        for (place, bearer) in charges.bearers.iter().enumerate() {
            if let Some(domain) = bearer.owner.domain() {
                billed.by_domain.entry(domain.id.clone()).or_default().push(place);
            }
        }
        billed
    }

    /// Returns the places of owners that a scope or its filter may have to do with.
    fn places(&self, scope: &Scope) -> &[usize] {
        let of = |id: &DomainId| self.by_domain.get(id).map(Vec::as_slice).unwrap_or_default();
        match scope {
            Scope::Domain(id) | Scope::UserProfile(id, _) | Scope::Space(id, _) => of(id),
            Scope::All | Scope::Team(_) | Scope::Foreign(_) => &[],
        }
    }
}

/// Returns what a filter misses of a budget's scope, and what it counts beyond it, in the order of their words.
///
/// What a team is charged is compared for a team, and what was billed for all else; excluded record types are in neither.
pub fn stakes(
    name: &str,
    budget: &Budget,
    reach: &Reach,
    (charges, billed): (&Charges<'_>, &Billed),
    (month, metric): (Month, Metric),
) -> Vec<Stake> {
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    let mut put = |words: String, amounts: &Amounts| {
        // What a rule takes is watched all the same, where it is watched at all.
        let is_taken = words.starts_with(TAKEN);
        let money = amounts.get(metric).map(|it| if is_taken { -it } else { it });
        let sum = sums.entry(words).or_insert(Some(Money::ZERO));
        *sum = sum.zip(money).map(|(sum, money)| sum + money);
    };
    match &budget.scope {
        Scope::Team(team) => {
            for charge in charges.of_month(month) {
                if budget.excludes(charges.ledger.names.text(charge.record_type)) {
                    continue;
                }
                let is_theirs = charges.team(&charge) == Some(team);
                if let Some(words) = of_team(charges, reach, &charge, is_theirs) {
                    put(words, &charge.amounts);
                }
            }
        }
        Scope::All => put(OUTSIDE.to_owned(), &billed.outside),
        scope => {
            for place in billed.places(scope) {
                let of_owner = billed.sums.range((*place, 0)..=(*place, u32::MAX));
                for ((place, record_type), amounts) in of_owner {
                    let record_type = charges.ledger.names.text(*record_type);
                    let words = of_bill(charges, reach, *place, scope);
                    if let Some(words) = words.filter(|_| !budget.excludes(record_type)) {
                        put(words, amounts);
                    }
                }
            }
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

fn of_bill(charges: &Charges<'_>, reach: &Reach, place: usize, scope: &Scope) -> Option<String> {
    let bearer = &charges.bearers[place];
    match (whose::holds(scope, bearer), reach.owners.contains(&bearer.owner)) {
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
        Cause::Outside { .. } => Some(OUTSIDE.to_owned()),
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
