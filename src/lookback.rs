//! Owns what a statement looks back on: the month before, the quarter, the year, and what was booked in them.
//!
//! **Invariant:** a closed month counts as it was closed, and what was booked since counts in the month it was booked in.

use std::collections::BTreeMap;

use crate::books::Closing;
use crate::cents;
use crate::figure::{self, Amount};
use crate::money::Money;
use crate::notes;
use crate::period::Month;
use crate::report::Report;
use crate::settle::Settlement;
use crate::team::TeamName;

/// What a month is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    /// What the month before was charged; absent where it is not known.
    pub amount: Option<Amount>,
    /// Why the two do not compare; absent where they do.
    pub why_not: Option<String>,
}

/// Some months up to the report's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its months, the report's last.
    pub months: Vec<Month>,
    /// What was charged, with what was booked in its months; absent where a month of it is not known.
    pub amount: Option<Amount>,
    /// What the team may spend in it, where a budget is configured.
    pub budget: Option<Money>,
}

/// What teams were charged in the months that a statement looks back on.
pub struct Lookback {
    /// The totals of each month's statements.
    months: BTreeMap<Month, Option<Vec<Amount>>>,
    /// What is due by each month's statements: the totals, and what was booked.
    due: BTreeMap<Month, Option<Vec<Amount>>>,
    /// The report's month, and its quarter and year up to it.
    spans: [Vec<Month>; 3],
    /// What does not compare with the month before.
    why_not: Option<String>,
}

impl Span {
    /// Returns what of the budget is left; absent without a budget or an amount.
    pub fn left(&self) -> Option<Money> {
        self.budget.zip(self.amount).map(|(budget, amount)| budget - amount.printed())
    }
}

impl Previous {
    /// Returns the change from the month before, in printed cents, where the two compare.
    pub fn change(&self, now: Amount) -> Option<Amount> {
        let then = self.amount.filter(|_| self.why_not.is_none())?;
        Some(Amount { exact: now.exact - then.exact, cents: now.cents - then.cents })
    }
}

impl Lookback {
    /// Reads what the statements of a report look back on.
    pub fn new(report: &Report<'_>) -> Lookback {
        let fiscal = report.terms.fiscal;
        let month = report.month;
        let spans = [vec![month], fiscal.quarter_to(month), fiscal.year_to(month)];
        let before = month.plus(-1);
        let known = report.months();
        let needed = spans[2][0].min(before).through(month);
        let needed = needed
            .into_iter()
            .filter(|month| known.contains(month) || closing(report, *month).is_some());
        let months: BTreeMap<Month, Option<Vec<Amount>>> =
            needed.map(|month| (month, by_team(report, month))).collect();
        let with_booked = |(month, totals): (&Month, &Option<Vec<Amount>>)| {
            let mut due = totals.clone()?;
            for (team, amounts) in booked(report, *month)? {
                let teams = &report.charges.membership.teams;
                let place = team.and_then(|team| teams.binary_search(team).ok());
                due[place.unwrap_or(teams.len())] += amounts.into_values().sum();
            }
            Some(due)
        };
        let due = months.iter().map(|it| (*it.0, with_booked(it))).collect();
        Lookback { months, due, spans, why_not: why_not(report, before) }
    }

    /// Returns what a team, or what has none, was charged in the month before.
    pub fn previous(&self, before: Month, place: Option<usize>) -> Previous {
        let amount = amount(&self.months, before, place);
        let unknown = || format!("The figures of {before} are not known.");
        let why_not = self.why_not.clone().or_else(|| amount.is_none().then(unknown));
        Previous { amount, why_not }
    }

    /// Returns the month, quarter and year to date of a team, or of what has none.
    pub fn spans(&self, place: Option<usize>, budget: Option<Money>) -> [Span; 3] {
        self.spans.clone().map(|months| {
            let amounts = months.iter().map(|month| amount(&self.due, *month, place));
            let amount = amounts.collect::<Option<Vec<Amount>>>().map(|it| it.into_iter().sum());
            let budget = budget.map(|budget| months.iter().map(|_| budget).sum());
            Span { months, amount, budget }
        })
    }
}

/// What a team was charged, or what has none, in one of some months.
fn amount(
    months: &BTreeMap<Month, Option<Vec<Amount>>>,
    month: Month,
    place: Option<usize>,
) -> Option<Amount> {
    let teams = months.get(&month)?.as_ref()?;
    place.map_or(teams.last(), |place| teams.get(place)).copied()
}

/// How an earlier month was closed, where it was.
fn closing<'a>(report: &'a Report<'_>, month: Month) -> Option<&'a Closing> {
    report.charges.books.closings.get(&month).filter(|_| month < report.month)
}

/// What each team was charged in a month, and last what has no team: as it was closed, else by the snapshot.
///
/// The cents of a closed month are those of its own statements, since they are handed out from the same amounts.
fn by_team(report: &Report<'_>, month: Month) -> Option<Vec<Amount>> {
    let Some(closing) = closing(report, month) else { return figure::by_team(report, month) };
    let teams = &report.charges.membership.teams;
    let mut sums = vec![Money::ZERO; teams.len() + 1];
    for (name, amounts) in &closing.teams {
        // A team that is none any more has no statement, so what it was is charged to no team.
        let place = teams.iter().position(|team| team.as_str() == name).unwrap_or(teams.len());
        sums[place] += amounts.get(report.metric)?;
    }
    let cents = cents::foot(sums.iter().copied().sum::<Money>().cents(), &sums);
    Some(sums.into_iter().zip(cents).map(|(exact, cents)| Amount { exact, cents }).collect())
}

/// Tells why the report's month does not compare with the one before it.
fn why_not(report: &Report<'_>, before: Month) -> Option<String> {
    let month = report.month;
    let is_full = |month| match closing(report, month) {
        Some(closing) => Settlement::Closed(closing.despite.first().copied()).is_full(),
        None => report.settlement(month).is_full(),
    };
    if !report.months().contains(&before) && closing(report, before).is_none() {
        return Some(format!("The snapshot has nothing of {before}."));
    }
    if let Some(partial) = [month, before].into_iter().find(|month| !is_full(*month)) {
        return Some(format!("{partial} is not final."));
    }
    if report.settlement(before) == Settlement::Restated {
        return Some(format!("{before} was closed with other figures than it would have now."));
    }
    notes::coverage_changes(&report.snapshot.manifest).get(&month).cloned()
}

/// What each team was booked in a month, by the closed month that it is about.
///
/// The cents are handed out from each closed month to the teams; absent where the metric was not delivered.
pub fn booked<'a>(
    report: &'a Report<'a>,
    month: Month,
) -> Option<BTreeMap<Option<&'a TeamName>, BTreeMap<Month, Amount>>> {
    let adjustments = &report.charges.books.adjustments;
    let mut sums: BTreeMap<Month, BTreeMap<Option<&TeamName>, Money>> = BTreeMap::new();
    for adjustment in adjustments.iter().filter(|it| it.booked_in == month) {
        let money = adjustment.amounts.get(report.metric)?;
        let teams = sums.entry(adjustment.of).or_default();
        // A team that is none any more has no statement, so what it was is charged to no team.
        let is_known = |name: &&TeamName| report.charges.membership.teams.contains(*name);
        *teams.entry(adjustment.team.as_ref().filter(is_known)).or_default() += money;
    }
    let mut booked: BTreeMap<Option<&TeamName>, BTreeMap<Month, Amount>> = BTreeMap::new();
    for (of, teams) in sums {
        let parts: Vec<Money> = teams.values().copied().collect();
        let cents = cents::foot(parts.iter().copied().sum::<Money>().cents(), &parts);
        for ((team, exact), cents) in teams.into_iter().zip(cents) {
            booked.entry(team).or_default().insert(of, Amount { exact, cents });
        }
    }
    Some(booked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        let exact = Money::parse(text).unwrap();
        Amount { exact, cents: exact.cents() }
    }

    #[test]
    fn a_change_is_of_printed_cents_and_only_between_months_that_compare() {
        let mut previous = Previous { amount: Some(amount("10.006")), why_not: None };
        let change = previous.change(amount("12.004")).unwrap();
        assert_eq!((change.cents, change.exact.to_string().as_str()), (199, "1.998"));
        previous.why_not = Some("The tag key shows for the first time.".to_owned());
        assert_eq!(previous.change(amount("12.004")), None);
        assert_eq!(Previous { amount: None, why_not: None }.change(amount("1")), None);
    }

    #[test]
    fn what_is_left_of_a_budget_is_known_where_the_months_are() {
        let months = vec![Month::parse("2026-10").unwrap()];
        let budget = Some(Money::parse("100").unwrap());
        let mut span = Span { months, amount: Some(amount("130.004")), budget };
        assert_eq!(span.left().map(|left| left.to_string()).as_deref(), Some("-30"));
        span.amount = None;
        assert_eq!(span.left(), None);
    }
}
