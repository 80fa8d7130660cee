//! Owns a cost allocation tag key, its changes of status, and what a billing backfill makes of them.
//!
//! **Invariant:** no clock; what a day of the bill shows follows from the changes and the backfills given.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A cost allocation tag key and the days from which it was active or not.
#[derive(Clone, Debug, Default)]
pub struct TagKey {
    /// The key, without prefix.
    pub key: String,
    /// From when billing lists it; absent when it always has.
    pub listed_at: Option<Timestamp>,
    /// Status changes, each with the first day on which it shows in the bill, oldest first.
    ///
    /// Before the first one the key is inactive; the last one is the status that is listed, shown or not.
    pub changes: Vec<(Date, bool)>,
    /// When its status was last changed.
    pub updated_at: Option<Timestamp>,
    /// The first day of the last month with use.
    pub last_used: Option<Date>,
}

/// A requested billing backfill.
#[derive(Clone, Debug, Default)]
pub struct Backfill {
    /// The first day that it rewrites.
    pub from: Date,
    /// When it was requested.
    pub requested_at: Timestamp,
    /// When it ended; absent while processing.
    pub completed_at: Option<Timestamp>,
    /// Whether it ended without any effect.
    pub failed: bool,
    /// The keys that were active when it was requested; every other one loses the days that are rewritten.
    pub active: BTreeSet<String>,
}

impl TagKey {
    /// Tells whether the status that billing lists is active.
    pub fn is_on(&self) -> bool {
        self.changes.last().is_some_and(|(_, on)| *on)
    }

    /// Tells whether the status in force on that day was active, history rewritten or not.
    pub fn status_on(&self, day: Date) -> bool {
        self.changes.iter().rev().find(|(since, _)| *since <= day).is_some_and(|(_, on)| *on)
    }

    /// Tells whether the bill of that day has the key, after the backfills that show, oldest first.
    ///
    /// A backfill applies the status of its request to every day from its first on: up to the request itself, and
    /// on to the day from which a change that was pending then shows, so that no gap is left between the two.
    pub fn active_on<'a>(
        &self,
        day: Date,
        backfills: impl DoubleEndedIterator<Item = &'a Backfill>,
    ) -> bool {
        let rewrites = |backfill: &&Backfill| {
            let asked = TimeZone::UTC.to_datetime(backfill.requested_at).date();
            let next = self.changes.iter().find(|(since, _)| *since > asked);
            let pending = next.filter(|(_, on)| *on == backfill.active.contains(&self.key));
            backfill.from <= day && (day <= asked || pending.is_some_and(|(since, _)| day < *since))
        };
        match backfills.rev().find(rewrites) {
            Some(backfill) => backfill.active.contains(&self.key),
            None => self.status_on(day),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::period::Month;

    /// A key that shows from January on and no longer from 10 June on.
    fn key(more: &[(&str, bool)]) -> TagKey {
        let ours = [("2026-01-01", true), ("2026-06-10", false)];
        let changes = ours.iter().chain(more).map(|(day, on)| (day.parse().unwrap(), *on));
        TagKey { key: "team".to_owned(), changes: changes.collect(), ..TagKey::default() }
    }

    fn backfill(from: &str, requested: &str, on: bool) -> Backfill {
        Backfill {
            from: from.parse().unwrap(),
            requested_at: format!("{requested}T12:00:00Z").parse().unwrap(),
            active: on.then(|| "team".to_owned()).into_iter().collect(),
            ..Backfill::default()
        }
    }

    /// Prints the runs of days in 2026 that have the key.
    fn runs(key: &TagKey, backfills: &[Backfill]) -> String {
        let year = Month::parse("2026-01").unwrap().start();
        let days = year.series(jiff::ToSpan::days(1)).take(365);
        let mut runs: Vec<(Date, Date)> = Vec::new();
        for day in days.filter(|day| key.active_on(*day, backfills.iter())) {
            match runs.last_mut().filter(|(_, last)| last.tomorrow().unwrap() == day) {
                Some((_, last)) => *last = day,
                None => runs.push((day, day)),
            }
        }
        let print = |(first, last): &(Date, Date)| {
            format!("{}..{}", first.strftime("%m-%d"), last.strftime("%m-%d"))
        };
        runs.iter().map(print).collect::<Vec<String>>().join(" ")
    }

    #[test]
    fn a_backfill_applies_the_status_of_its_request_to_all_days_from_its_first_on() {
        let lost = backfill("2026-01-01", "2026-07-01", false);
        let on_again = key(&[("2026-08-02", true)]);
        for (about, key, backfills, expected) in [
            ("as changed", key(&[]), vec![], "01-01..06-09"),
            ("an inactive key loses its history", key(&[]), vec![lost.clone()], ""),
            (
                "only from the first day on",
                key(&[]),
                vec![backfill("2026-03-01", "2026-07-01", false)],
                "01-01..02-28",
            ),
            (
                "activation alone gives nothing back",
                on_again.clone(),
                vec![lost.clone()],
                "08-02..12-31",
            ),
            (
                "active and backfilled again: all is back, the months in between too",
                on_again.clone(),
                vec![lost.clone(), backfill("2026-01-01", "2026-08-01", true)],
                "01-01..12-31",
            ),
            (
                "the younger backfill prevails where both rewrite",
                on_again.clone(),
                vec![lost.clone(), backfill("2026-05-01", "2026-08-01", true)],
                "05-01..12-31",
            ),
            (
                "a change that was pending leaves no gap",
                key(&[("2026-08-04", true)]),
                vec![backfill("2026-06-01", "2026-08-01", true)],
                "01-01..12-31",
            ),
            (
                "a change after the request keeps its own day",
                key(&[("2026-08-02", true), ("2026-08-05", false)]),
                vec![backfill("2026-06-01", "2026-08-01", true)],
                "01-01..08-04",
            ),
            (
                "a key first activated after it gains nothing",
                key(&[("2026-09-15", true)]),
                vec![lost],
                "09-15..12-31",
            ),
        ] {
            assert_eq!(runs(&key, &backfills), expected, "{about}");
        }
    }
}
