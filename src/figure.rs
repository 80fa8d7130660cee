//! Owns figures: what statements print of a month's charges, in cents that add up at every level.
//!
//! **Invariant:** cents are handed out once, from month to team, owner, component and source; all else printed is their sum.

use std::collections::BTreeMap;

use crate::cents;
use crate::charge::{Cause, Charge};
use crate::control::TAX;
use crate::money::Money;
use crate::period::Month;
use crate::pool::Kind;
use crate::report::Report;
use crate::usage::{self, Component};

/// One printed figure: what an owner of a team is charged for a component from one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The team, by its place in the membership; absent without one.
    pub team: Option<usize>,
    /// The owner, by its place in the charges.
    pub bearer: usize,
    /// The component.
    pub component: Component,
    /// What kind of charge it is.
    pub class: Class,
    /// Where it comes from.
    pub source: Source,
    /// The amount.
    pub amount: Amount,
}

/// An exact amount and the cents that are printed of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// The amount.
    pub exact: Money,
    /// What is printed, in whole cents, less than a cent from the exact amount where it is one figure or branch.
    pub cents: i128,
}

/// What kind of charge a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Cost.
    Cost,
    /// A credit or refund.
    Credit,
    /// SageMaker's share of tax.
    Tax,
    /// SageMaker's share of support.
    Support,
}

/// Where a figure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// AWS billed it, or SageMaker's share of something outside the scope.
    Billed,
    /// A rule took it, by the spread's place.
    Out(usize),
    /// A rule gave it, by the spread's place.
    In(usize),
}

impl Class {
    /// Returns the words for people.
    pub fn title(self) -> &'static str {
        match self {
            Class::Cost => "cost",
            Class::Credit => "credit or refund",
            Class::Tax => "tax",
            Class::Support => "support",
        }
    }
}

impl Amount {
    /// Returns the printed amount as money.
    pub fn printed(self) -> Money {
        Money::from_cents(self.cents)
    }
}

impl std::ops::AddAssign for Amount {
    fn add_assign(&mut self, other: Amount) {
        self.exact += other.exact;
        self.cents += other.cents;
    }
}

impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Amount>>(amounts: I) -> Amount {
        amounts.fold(Amount::default(), |mut sum, amount| {
            sum += amount;
            sum
        })
    }
}

/// Returns the figures of the report's month, teams in order and what has no team last; those of nothing are left out.
///
/// Returns `None` where the report's metric was not delivered for every charge.
pub fn of(report: &Report<'_>) -> Option<Vec<Figure>> {
    type Key = (bool, Option<usize>, usize, Component, Class, Source);
    let mut sums: BTreeMap<Key, Money> = BTreeMap::new();
    for charge in report.charges.of_month(report.month) {
        let money = charge.amounts.get(report.metric)?;
        let (class, source) = (class(report, &charge), source(&charge));
        let team = charge.team;
        let key = (team.is_none(), team, charge.bearer, charge.component, class, source);
        *sums.entry(key).or_default() += money;
    }
    sums.retain(|_, money| !money.is_zero());
    let leaves: Vec<(Key, Money)> = sums.into_iter().collect();
    let cents = cents::foot_tree(
        &leaves,
        3,
        |leaf| leaf.1,
        |(one, _), (other, _), level| match level {
            0 => (one.0, one.1).cmp(&(other.0, other.1)),
            1 => one.2.cmp(&other.2),
            _ => one.3.cmp(&other.3),
        },
    );
    let figures = leaves.into_iter().zip(cents).map(|((key, exact), cents)| {
        let (_, team, bearer, component, class, source) = key;
        Figure { team, bearer, component, class, source, amount: Amount { exact, cents } }
    });
    Some(figures.collect())
}

/// Returns what each team is charged in a month, in the order of teams, and last what has no team.
///
/// The cents are those that the teams' figures of that month sum to.
/// Returns `None` where the report's metric was not delivered for every charge.
pub fn by_team(report: &Report<'_>, month: Month) -> Option<Vec<Amount>> {
    let count = report.charges.membership.teams.len();
    let mut sums = vec![Money::ZERO; count + 1];
    for charge in report.charges.of_month(month) {
        sums[charge.team.unwrap_or(count)] += charge.amounts.get(report.metric)?;
    }
    let whole: Money = sums.iter().copied().sum();
    let cents = cents::foot(whole.cents(), &sums);
    Some(sums.into_iter().zip(cents).map(|(exact, cents)| Amount { exact, cents }).collect())
}

fn source(charge: &Charge) -> Source {
    match charge.cause {
        Cause::Billed { .. } | Cause::Outside { .. } => Source::Billed,
        Cause::Out { spread, .. } => Source::Out(spread),
        Cause::In { spread, .. } => Source::In(spread),
    }
}

fn class(report: &Report<'_>, charge: &Charge) -> Class {
    let name = |number: u32| report.ledger.names.text(number);
    let (service, record_type) = (name(charge.service), name(charge.record_type));
    if let Cause::Outside { index } = charge.cause {
        let pool = &report.charges.pools[report.charges.allocation.outside[index].pool];
        return if pool.of == Kind::Support { Class::Support } else { Class::Tax };
    }
    if record_type == TAX || service == TAX {
        Class::Tax
    } else if service.contains("Support") {
        Class::Support
    } else if usage::is_credit(record_type) {
        Class::Credit
    } else {
        Class::Cost
    }
}
