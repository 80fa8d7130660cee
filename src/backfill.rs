//! Owns the rules of billing backfills: when AWS takes one, and whose history one changes.
//!
//! AWS has two things of that name; this one applies the present status of every cost allocation tag key to past
//! months of the bill (Billing User Guide, "Backfill cost allocation tags"). Tags on resources are `retag.rs`'s.
//! **Invariant:** no clock: the present is given.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::key::{Backfill, KeyStatus};
use crate::period::Month;
use crate::plan::Because;

/// Hours until a change of status shows in the bill, at most; a backfill may be asked for as often, too.
pub const HOURS: i64 = 24;
/// A backfill reaches back at most this many months.
pub const MONTHS_BACK_MAX: i32 = 12;

/// A backfill that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// From which month on.
    pub from: Month,
    /// When.
    pub requested_at: Timestamp,
    /// `SUCCEEDED`, `PROCESSING` or `FAILED`.
    pub status: String,
}

/// What billing says: every key of the organization, and the backfills, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Every key that billing has seen, by name.
    pub statuses: Vec<KeyStatus>,
    /// Every backfill.
    pub history: Vec<Past>,
}

/// What stands against a backfill, or that it is not needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Nothing: it may be asked for.
    Free,
    /// Nothing has changed since this one, so AWS would answer with it.
    Covered(Past),
    /// Another one is under way, and AWS runs one at a time.
    Busy(Past),
    /// The last one was asked for less than a day ago.
    TooSoon {
        /// From when on AWS takes another.
        possible_at: Timestamp,
    },
}

/// Whose history a backfill changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Radius {
    /// Keys that gain history.
    pub gains: BTreeSet<String>,
    /// Inactive keys that were active once, and since when they are not: what history they have is taken away.
    pub at_risk: BTreeMap<String, Option<Timestamp>>,
}

/// Returns when a key's activation has reached the bill at the latest; absent for a key that is not active.
///
/// An active key without a date was active before billing kept dates.
pub fn effective_at(status: &KeyStatus) -> Option<Timestamp> {
    let at = status.updated_at.map_or(Timestamp::MIN, |at| at + HOURS.hours());
    (status.active == Some(true)).then_some(at)
}

/// Returns the first whole day on which the bill shows a key, backfills counted; absent for an inactive key.
pub fn first_day(status: &KeyStatus, history: &[Past]) -> Option<Date> {
    let at = effective_at(status)?;
    let civil = TimeZone::UTC.to_datetime(at);
    let is_midnight = civil.time() == Time::midnight();
    let day = if is_midnight { civil.date() } else { civil.date().tomorrow().unwrap_or(Date::MAX) };
    let rewritten = history.iter().filter(|past| {
        past.status == "SUCCEEDED" && status.updated_at.is_none_or(|at| past.requested_at >= at)
    });
    rewritten.map(|past| past.from.start()).chain([day]).min()
}

/// Says why a backfill cannot begin with a month; absent when it can.
pub fn out_of_reach(from: Month, now: Timestamp) -> Option<String> {
    let open = Month::of(TimeZone::UTC.to_datetime(now).date());
    let first = open.plus(-MONTHS_BACK_MAX);
    if from > open {
        return Some(format!("{from} lies in the future"));
    }
    (from < first).then(|| format!("{from} is more than {MONTHS_BACK_MAX} months back"))
}

/// Judges a backfill by what AWS has said; `is_changing` when a key's status changes before it is asked for.
pub fn judge(from: Month, known: &Known, is_changing: bool, now: Timestamp) -> Ruling {
    if !is_changing && let Some(past) = covering(from, known) {
        return Ruling::Covered(past.clone());
    }
    if let Some(past) = known.history.iter().find(|past| past.is_processing()) {
        return Ruling::Busy(past.clone());
    }
    // Whether one that failed counts is not documented, so that is left to AWS.
    let last = known.history.iter().filter(|past| past.status != "FAILED");
    match last.map(|past| past.requested_at + HOURS.hours()).max() {
        Some(possible_at) if possible_at > now => Ruling::TooSoon { possible_at },
        _ => Ruling::Free,
    }
}

/// Returns a backfill that reaches as far back and since whose request no key's status changed.
pub fn covering(from: Month, known: &Known) -> Option<&Past> {
    known.history.iter().find(|past| {
        let is_changed = |status: &KeyStatus| {
            status.updated_at.is_some_and(|updated_at| updated_at > past.requested_at)
        };
        past.status != "FAILED" && past.from <= from && !known.statuses.iter().any(is_changed)
    })
}

/// Returns whose history a backfill changes, when these keys are activated before it.
pub fn radius(from: Month, known: &Known, activated: &BTreeSet<String>) -> Radius {
    let mut radius = Radius::default();
    for status in &known.statuses {
        let name = || status.key.clone();
        if activated.contains(&status.key) {
            radius.gains.insert(name());
        } else if status.active == Some(true) {
            if first_day(status, &known.history).is_some_and(|day| day > from.start()) {
                radius.gains.insert(name());
            }
        } else if status.updated_at.is_some() {
            radius.at_risk.insert(name(), status.updated_at);
        }
    }
    radius
}

impl Past {
    /// Reads what AWS says of a backfill; the error is what cannot be read.
    pub fn read(backfill: &Backfill) -> Result<Past, String> {
        let Backfill { from, requested_at, status } = backfill;
        let month = from.get(..7).and_then(|text| Month::parse(text).ok());
        Ok(Past {
            from: month.ok_or_else(|| format!("not the beginning of a backfill: `{from}`"))?,
            requested_at: requested_at
                .parse()
                .map_err(|_| format!("not the time of a backfill: `{requested_at}`"))?,
            status: status.clone(),
        })
    }

    /// Tells whether it is under way.
    pub fn is_processing(&self) -> bool {
        self.status == "PROCESSING"
    }
}

impl Known {
    /// Returns the status of a key; absent for one that billing has not seen.
    pub fn status(&self, key: &str) -> Option<&KeyStatus> {
        self.statuses.iter().find(|status| status.key == key)
    }
}

impl Ruling {
    /// Says what it means for a backfill from a month on.
    pub fn because(&self, from: Month) -> Because {
        let (kind, text) = match self {
            Ruling::Free => {
                ("asked_for", format!("billing applies the status of every key from {from} on"))
            }
            Ruling::Covered(past) => (
                "covered",
                format!(
                    "no key changed since the one from {} that was asked for at {} ({}), so AWS would answer with it",
                    past.from, past.requested_at, past.status
                ),
            ),
            Ruling::Busy(past) => (
                "busy",
                format!(
                    "one from {} is under way since {}, and AWS runs one at a time",
                    past.from, past.requested_at
                ),
            ),
            Ruling::TooSoon { possible_at } => {
                ("too_soon", format!("AWS takes one a day; the next is possible at {possible_at}"))
            }
        };
        Because { kind: kind.to_owned(), text }
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// The present of the tests here.
    pub(crate) fn now() -> Timestamp {
        "2026-11-20T08:00:00Z".parse().unwrap()
    }

    /// Reads `key+2026-05` (active since), `key-2026-05` (inactive since) and `key-` (never active); and one backfill
    /// a line of `2026-01 2026-11-19T08:00:00Z SUCCEEDED`.
    pub(crate) fn known(statuses: &str, history: &str) -> Known {
        let statuses = statuses.split_whitespace().map(|word| {
            let at = word.find(['+', '-']).unwrap();
            let month = &word[at + 1..];
            KeyStatus {
                key: word[..at].to_owned(),
                active: Some(word[at..].starts_with('+')),
                updated_at: (!month.is_empty())
                    .then(|| format!("{month}-01T00:00:00Z").parse().unwrap()),
                last_used: None,
            }
        });
        let history = history.lines().map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            Past::read(&Backfill {
                from: format!("{}-01T00:00:00Z", words[0]),
                requested_at: words[1].to_owned(),
                status: words[2].to_owned(),
            })
            .unwrap()
        });
        Known { statuses: statuses.collect(), history: history.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{known, now};
    use super::*;

    fn month(text: &str) -> Month {
        Month::parse(text).unwrap()
    }

    #[test]
    fn what_stands_against_a_backfill_is_known_before_it_is_asked_for() {
        let long_ago = "2026-03 2026-10-01T00:00:00Z SUCCEEDED";
        for (statuses, history, is_changing, expected) in [
            ("a+2026-05", "", false, "asked_for"),
            // Nothing changed since, and it reaches as far back.
            ("a+2026-05", long_ago, false, "covered"),
            ("a+2026-05", long_ago, true, "asked_for"),
            ("a+2026-05 b-2026-11", long_ago, false, "asked_for"),
            ("a+2026-05", "2026-05 2026-10-01T00:00:00Z SUCCEEDED", false, "asked_for"),
            ("a+2026-05", "2026-03 2026-10-01T00:00:00Z FAILED", false, "asked_for"),
            // One at a time, and one a day.
            ("a+2026-05", "2026-03 2026-11-20T07:00:00Z PROCESSING", false, "covered"),
            ("a+2026-05", "2026-05 2026-11-18T07:00:00Z PROCESSING", false, "busy"),
            ("a+2026-05", "2026-03 2026-11-20T07:00:00Z PROCESSING", true, "busy"),
            ("a+2026-05", "2026-05 2026-11-19T08:00:01Z SUCCEEDED", false, "too_soon"),
            ("a+2026-05", "2026-05 2026-11-19T08:00:00Z SUCCEEDED", false, "asked_for"),
            ("a+2026-05", "2026-05 2026-11-20T07:00:00Z FAILED", false, "asked_for"),
        ] {
            let from = month("2026-03");
            let ruling = judge(from, &known(statuses, history), is_changing, now());
            assert_eq!(ruling.because(from).kind, expected, "{statuses}, {history}");
        }
    }

    #[test]
    fn it_begins_within_the_last_twelve_months() {
        let told = |from| out_of_reach(month(from), now()).unwrap_or_default();
        assert_eq!(told("2026-12"), "2026-12 lies in the future");
        assert_eq!((told("2026-11"), told("2025-11")), (String::new(), String::new()));
        assert_eq!(told("2025-10"), "2025-10 is more than 12 months back");
    }

    #[test]
    fn every_inactive_key_that_was_active_once_is_at_risk_whatever_the_date() {
        let statuses = "never- gone-2019-01 lately-2026-11 back-2026-01 old+2024-05 new+2026-06";
        let activated = BTreeSet::from(["back".to_owned()]);
        let radius = radius(month("2026-03"), &known(statuses, ""), &activated);
        assert_eq!(radius.gains.into_iter().collect::<Vec<_>>(), ["back", "new"]);
        assert_eq!(radius.at_risk.into_keys().collect::<Vec<_>>(), ["gone", "lately"]);
    }

    #[test]
    fn a_key_shows_from_the_first_whole_day_after_its_activation_or_from_a_backfill_since() {
        let day = |statuses, history| {
            let known = known(statuses, history);
            first_day(&known.statuses[0], &known.history).map(|day| day.to_string())
        };
        assert_eq!(day("a+2026-05", "").as_deref(), Some("2026-05-02"));
        assert_eq!(day("a-2026-05", ""), None);
        let past = "2026-03 2026-10-01T00:00:00Z SUCCEEDED";
        assert_eq!(day("a+2026-05", past).as_deref(), Some("2026-03-01"));
        assert_eq!(day("a+2026-11", past).as_deref(), Some("2026-11-02"));
        let under_way = "2026-03 2026-10-01T00:00:00Z PROCESSING";
        assert_eq!(day("a+2026-05", under_way).as_deref(), Some("2026-05-02"));
        let mut at_noon = known("a+2026-05", "").statuses.remove(0);
        at_noon.updated_at = Some("2026-05-01T12:00:00Z".parse().unwrap());
        assert_eq!(first_day(&at_noon, &[]), Some(jiff::civil::date(2026, 5, 3)));
    }
}
