//! Owns the books: which months were closed, and what was booked in later months since.
//!
//! **Invariant:** what is booked stands beside the months that AWS billed, never in them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::metric::{Amounts, Metric};
use crate::note::{Note, NoteKind};
use crate::period::Month;
use crate::team::TeamName;

/// What was closed and booked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// The closed months.
    pub closings: BTreeMap<Month, Closing>,
    /// What restatements of closed months booked in later ones, in order.
    pub adjustments: Vec<Adjustment>,
}

/// How a month was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// When.
    pub at: Timestamp,
    /// What spoke against it, and was overruled.
    pub despite: BTreeSet<Objection>,
    /// What was charged, in every metric.
    pub totals: Amounts,
    /// What each team was charged, by its name; the empty name is what was without one.
    pub teams: BTreeMap<String, Amounts>,
    /// Whether the figures at hand are not those that were closed.
    pub is_restated: bool,
}

/// What speaks against closing a month, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objection {
    /// The month is not over.
    Open,
    /// AWS calls its figures estimated.
    Estimated,
    /// Something could not be read.
    Partial,
    /// Something changed while it was read.
    Moving,
}

/// A difference of a closed month that is charged, or given back, in a later one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    /// The month that it is booked in.
    pub booked_in: Month,
    /// The closed month that it is about.
    pub of: Month,
    /// The team; absent for what is without one.
    pub team: Option<TeamName>,
    /// The owner, as a path: `user-profile/d-…/ana`.
    pub owner: String,
    /// What caused it.
    pub cause: Cause,
    /// The difference, in every metric.
    pub amounts: Amounts,
}

/// What causes a difference between what was closed and what would be charged now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A charge came late, or was taken back.
    LateCharge,
    /// A credit or discount came, or went.
    Credit,
    /// A refund came, or went.
    Refund,
    /// A billing backfill moved cost between owners under an unchanged total.
    Backfill,
    /// Owners, or the weights of a pool, moved under an unchanged total.
    Moved,
    /// The owner belongs to another team.
    Team,
    /// A rule of a pool is another.
    Pool,
    /// This version of the program gives other figures for the same data and terms.
    Program,
}

impl Books {
    /// Sums what was booked in a month, by the closed month that it is about.
    pub fn booked_in(&self, month: Month) -> BTreeMap<Month, Amounts> {
        let mut sums = BTreeMap::new();
        for adjustment in self.adjustments.iter().filter(|it| it.booked_in == month) {
            sums.entry(adjustment.of).or_insert(Amounts::ZERO).add(&adjustment.amounts);
        }
        sums
    }

    /// Returns what the reader of a month's report must know: closed months with other figures, and what was booked.
    pub fn notes(&self, month: Month, metric: Metric, snapshot: &str) -> Vec<Note> {
        let mut notes = Vec::new();
        for (at, closing) in &self.closings {
            let text = if closing.is_restated {
                let text = closing.text();
                format!(
                    "{at} was {text} with other figures; those here are of the snapshot {snapshot}."
                )
            } else if *at == month && !closing.despite.is_empty() {
                format!("{at} was {}.", closing.text())
            } else {
                continue;
            };
            let amount = closing.totals.get(metric);
            notes.push(Note::new(NoteKind::Closed, text).with_amount(amount));
        }
        notes.extend(self.booked_in(month).into_iter().map(|(of, amounts)| {
            let text =
                format!("The restatement of {of} is booked in {month}, outside its control total.");
            Note::new(NoteKind::Closed, text).with_amount(amounts.get(metric))
        }));
        notes
    }
}

impl Objection {
    /// Returns the word for files and sentences.
    pub fn name(self) -> &'static str {
        match self {
            Objection::Open => "open",
            Objection::Estimated => "estimated",
            Objection::Partial => "partial",
            Objection::Moving => "moving",
        }
    }
}

impl Cause {
    /// Returns what changed: `data`, `terms` or `program`.
    pub fn kind(self) -> &'static str {
        match self {
            Cause::LateCharge | Cause::Credit | Cause::Refund | Cause::Backfill | Cause::Moved => {
                "data"
            }
            Cause::Team | Cause::Pool => "terms",
            Cause::Program => "program",
        }
    }

    /// Returns the word for files.
    pub fn name(self) -> &'static str {
        match self {
            Cause::LateCharge => "late_charge",
            Cause::Credit => "credit",
            Cause::Refund => "refund",
            Cause::Backfill => "backfill",
            Cause::Moved => "moved",
            Cause::Team => "team",
            Cause::Pool => "pool",
            Cause::Program => "program",
        }
    }

    /// Returns the words for people.
    pub fn title(self) -> &'static str {
        match self {
            Cause::LateCharge => "late charge",
            Cause::Credit => "credit",
            Cause::Refund => "refund",
            Cause::Backfill => "billing backfill, under an unchanged total",
            Cause::Moved => "owners or weights moved, under an unchanged total",
            Cause::Team => "terms: another team",
            Cause::Pool => "terms: another rule of a pool",
            Cause::Program => "another version of the program",
        }
    }
}

impl Closing {
    /// Returns the day, and what it was done in spite of, as the end of a sentence.
    pub fn text(&self) -> String {
        let day = jiff::tz::TimeZone::UTC.to_datetime(self.at).date();
        let despite: Vec<&str> = self.despite.iter().map(|it| it.name()).collect();
        if despite.is_empty() {
            format!("closed on {day}")
        } else {
            format!("closed on {day} while {}, by force", despite.join(" and "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Money;

    fn month(text: &str) -> Month {
        Month::parse(text).unwrap()
    }

    fn cents(cents: i128) -> Amounts {
        let mut amounts = Amounts::ABSENT;
        amounts.put(Metric::UnblendedCost, Some(Money::from_cents(cents)));
        amounts
    }

    fn adjustment(of: &str, booked_in: &str, amount: i128) -> Adjustment {
        Adjustment {
            booked_in: month(booked_in),
            of: month(of),
            team: None,
            owner: "unattributed".to_owned(),
            cause: Cause::LateCharge,
            amounts: cents(amount),
        }
    }

    #[test]
    fn what_is_booked_in_a_month_is_told_by_the_month_that_it_is_about() {
        let adjustments = vec![
            adjustment("2026-08", "2026-10", 100),
            adjustment("2026-09", "2026-10", 20),
            adjustment("2026-09", "2026-10", 3),
            adjustment("2026-09", "2026-11", 4000),
        ];
        let books = Books { closings: BTreeMap::new(), adjustments };
        let sums = books.booked_in(month("2026-10"));
        assert_eq!(
            sums,
            BTreeMap::from([(month("2026-08"), cents(100)), (month("2026-09"), cents(23))])
        );
        for (at, count) in [("2026-10", 2), ("2026-11", 1), ("2026-12", 0)] {
            assert_eq!(books.notes(month(at), Metric::UnblendedCost, "s").len(), count, "{at}");
        }
    }

    #[test]
    fn a_closing_is_noted_where_it_was_forced_and_wherever_the_figures_are_others() {
        let closing = |despite: &[Objection], is_restated| Closing {
            at: "2026-11-03T08:00:00Z".parse().unwrap(),
            despite: despite.iter().copied().collect(),
            totals: cents(100),
            teams: BTreeMap::new(),
            is_restated,
        };
        let both = [Objection::Partial, Objection::Estimated];
        assert_eq!(
            closing(&both, false).text(),
            "closed on 2026-11-03 while estimated and partial, by force"
        );
        for (closing, own, later) in
            [(closing(&[], false), 0, 0), (closing(&both, false), 1, 0), (closing(&[], true), 1, 1)]
        {
            let closings = BTreeMap::from([(month("2026-10"), closing)]);
            let books = Books { closings, adjustments: Vec::new() };
            let count = |at: &str| books.notes(month(at), Metric::UnblendedCost, "s").len();
            assert_eq!((count("2026-10"), count("2026-11")), (own, later));
        }
    }
}
