//! Owns what a backfill can recover in dollars: by key and month, what has an owner, and what has none and why.
//!
//! What has no owner while its key was inactive is an upper bound of what a backfill recovers: a resource may have
//! borne no tag at the time. What has none while the key was active is not recovered by any backfill.
//! **Invariant:** what was not answered is unknown, never zero.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use crate::activation::Wanted;
use crate::backfill::{HOURS, Known, Past, first_day};
use crate::money::Money;
use crate::period::{Month, Period};
use crate::plan::Stake;
use crate::query::{Filter, Granularity, Query};
use crate::request::{Purpose, Request};

/// The name of all wanted keys together.
pub const ANY: &str = "any of them";
/// Hours after its request until a backfill shows in Cost Explorer at the latest: a day for itself, one for the bill.
const SHOWN_HOURS: i64 = 2 * HOURS;
/// The name of what is compared with: the services of SageMaker, whatever their tags.
const TOTAL: &str = "SageMaker";

/// A key, or all of them together, with what is known of when the bill shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The key, or [`ANY`].
    pub name: String,
    /// The keys that Cost Explorer may know; none was ever active when empty.
    asked: Vec<String>,
    /// The first whole day on which the bill shows it; absent while it is inactive.
    first_day: Option<Date>,
    /// Whether an answer of nothing may mean no more than that the key is inactive now.
    is_doubtful: bool,
}

/// Dollars of one subject in one month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// With a value for the key.
    pub attributed: Option<Money>,
    /// Without one, on days on which the key was inactive.
    pub while_inactive: Option<Money>,
    /// Without one, on days on which it was active.
    pub while_active: Option<Money>,
}

/// Sums of an answer by the first days of its periods; absent when it was not answered.
pub type Sums = Option<BTreeMap<Date, Option<Money>>>;

/// Returns the wanted keys that billing has seen, and all of them together.
///
/// A backfill that Cost Explorer may not show yet does not count: what it recovers is not lost.
pub fn subjects(wanted: &[Wanted], known: &Known, now: Timestamp) -> Vec<Subject> {
    let is_shown = |past: &&Past| past.requested_at + SHOWN_HOURS.hours() <= now;
    let shown: Vec<Past> = known.history.iter().filter(is_shown).cloned().collect();
    let statuses = wanted.iter().filter_map(|key| known.status(&key.key));
    let mut subjects: Vec<Subject> = statuses
        .map(|status| {
            let is_active = status.active == Some(true);
            let was_active = is_active || status.updated_at.is_some();
            Subject {
                name: status.key.clone(),
                asked: if was_active { vec![status.key.clone()] } else { Vec::new() },
                first_day: first_day(status, &shown),
                is_doubtful: was_active && !is_active,
            }
        })
        .collect();
    if subjects.len() > 1 {
        let days: Option<Vec<Date>> = subjects.iter().map(|it| it.first_day).collect();
        subjects.push(Subject {
            name: ANY.to_owned(),
            asked: subjects.iter().flat_map(|it| it.asked.clone()).collect(),
            // As long as one of them is inactive, what has no owner may be recovered by that one.
            first_day: days.and_then(|days| days.into_iter().max()),
            is_doubtful: subjects.iter().any(|it| it.is_doubtful),
        });
    }
    subjects
}

/// Returns the request for all of SageMaker, then one for each subject that Cost Explorer may know.
pub fn requests(subjects: &[Subject], services: &[String], period: Period) -> Vec<Request> {
    let Some(scope) = Filter::dimension("SERVICE", services) else { return Vec::new() };
    let is_cut = |subject: &Subject| subject.is_cut(period);
    let mut requests =
        vec![request(TOTAL, period, subjects.iter().any(is_cut), Some(scope.clone()))];
    for subject in subjects {
        let mut tags: Vec<Filter> =
            subject.asked.iter().map(|key| Filter::tag_present(key)).collect();
        let tags = if tags.len() > 1 { Some(Filter::Or(tags)) } else { tags.pop() };
        if let Some(tags) = tags {
            let filter = Filter::all(vec![scope.clone(), tags]);
            requests.push(request(&subject.name, period, subject.is_cut(period), filter));
        }
    }
    requests
}

/// Returns how many requests those are at most, the bill not counted.
pub fn request_count(subjects: &[Subject]) -> usize {
    1 + subjects.iter().filter(|subject| !subject.asked.is_empty()).count()
}

/// Returns the request for everything that bears a key, of whatever service.
pub fn history_of(key: &str, period: Period) -> Request {
    request(key, period, false, Some(Filter::tag_present(key)))
}

fn request(what: &str, period: Period, is_daily: bool, filter: Option<Filter>) -> Request {
    let granularity = if is_daily { Granularity::Daily } else { Granularity::Monthly };
    Request {
        purpose: Purpose::Stake { what: format!("`{what}`") },
        query: Query { period, granularity, filter, group_by: Vec::new() },
    }
}

/// Computes each subject's cells; `answers` are those of [`requests`], in their order.
pub fn cells(
    subjects: &[Subject],
    answers: &[Sums],
    months: &[Month],
) -> Vec<(String, BTreeMap<Month, Cell>)> {
    let mut answers = answers.iter();
    let total = answers.next().cloned().flatten();
    let nothing: Sums =
        total.as_ref().map(|total| total.keys().map(|day| (*day, Some(Money::ZERO))).collect());
    subjects
        .iter()
        .map(|subject| {
            // A key that was never active is nowhere in the bill; that is known without a request.
            let sums = if subject.asked.is_empty() {
                nothing.clone()
            } else {
                answers.next().cloned().flatten().filter(|sums| !subject.is_untold(sums))
            };
            let cells = months.iter().map(|month| (*month, subject.cell(*month, &total, &sums)));
            (subject.name.clone(), cells.collect())
        })
        .collect()
}

impl Subject {
    /// Tells whether the bill shows it from some day within a month on, so that days have to be told apart.
    fn is_cut(&self, period: Period) -> bool {
        self.first_day.is_some_and(|day| day.day() != 1 && period.contains(day))
    }

    fn is_untold(&self, sums: &BTreeMap<Date, Option<Money>>) -> bool {
        self.is_doubtful && sums.values().all(|sum| sum.is_some_and(Money::is_zero))
    }

    fn cell(&self, month: Month, total: &Sums, attributed: &Sums) -> Cell {
        let sum = |sums: &Sums, is_in: &dyn Fn(Date) -> bool| {
            let days = sums.as_ref()?.iter().filter(|(day, _)| Month::of(**day) == month);
            days.filter(|(day, _)| is_in(**day))
                .try_fold(Money::ZERO, |sum, (_, money)| Some(sum + (*money)?))
        };
        let is_before = |day: Date| self.first_day.is_none_or(|first| day < first);
        let without =
            |is_in: &dyn Fn(Date) -> bool| Some(sum(total, is_in)? - sum(attributed, is_in)?);
        Cell {
            attributed: sum(attributed, &|_| true),
            while_inactive: without(&is_before),
            while_active: without(&|day| !is_before(day)),
        }
    }
}

/// Returns the stakes of a grid: three for each subject and month.
pub fn stakes(grid: &[(String, BTreeMap<Month, Cell>)]) -> Vec<Stake> {
    let mut stakes = Vec::new();
    for (name, cells) in grid {
        for (month, cell) in cells {
            let stake = |what: &str, amount, text: &str| Stake {
                what: format!("{name} in {month}: {what}"),
                amount,
                text: text.to_owned(),
            };
            stakes.extend([
                stake("attributed", cell.attributed, "has a value for the key"),
                stake(
                    "unattributed while inactive",
                    cell.while_inactive,
                    "the most that a backfill recovers",
                ),
                stake(
                    "unattributed while active",
                    cell.while_active,
                    "not recoverable: the resources bore no tag",
                ),
            ]);
        }
    }
    stakes
}

/// Sums a key's answered history; absent where Cost Explorer answered nothing, which it may do for an inactive key.
pub fn history_sum(sums: &Sums) -> Option<Money> {
    let sums = sums.as_ref()?;
    let parts: BTreeSet<bool> =
        sums.values().map(|it| it.is_some_and(|it| !it.is_zero())).collect();
    let sum = sums.values().try_fold(Money::ZERO, |sum, money| Some(sum + (*money)?))?;
    parts.contains(&true).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backfill::testing::{known, now};

    fn month(text: &str) -> Month {
        Month::parse(text).unwrap()
    }

    fn wanted(names: &[&str]) -> Vec<Wanted> {
        let wanted = |name: &&str| Wanted {
            key: (*name).to_owned(),
            is_sagemakers: false,
            is_required: true,
        };
        names.iter().map(wanted).collect()
    }

    /// Reads `2026-05-01=2`; an amount that is none was not delivered, and no text at all is no answer.
    fn sums(text: &str) -> Sums {
        let words = text.split_whitespace();
        let sums = words.map(|word| {
            let (day, money) = word.split_once('=').unwrap();
            (day.parse().unwrap(), Money::parse(money).ok())
        });
        (!text.is_empty()).then(|| sums.collect())
    }

    fn text(grid: &[(String, BTreeMap<Month, Cell>)]) -> String {
        let money = |it: Option<Money>| it.map_or("unknown".to_owned(), |it| it.to_string());
        let line = |name: &str, month: &Month, cell: &Cell| {
            let Cell { attributed, while_inactive, while_active } = *cell;
            let cells = [attributed, while_inactive, while_active].map(money).join(" ");
            format!("{name} {month} {cells}")
        };
        let lines = grid.iter().flat_map(|(name, cells)| {
            cells.iter().map(move |(month, cell)| line(name, month, cell))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_month_is_cut_at_the_first_day_on_which_the_bill_shows_the_key() {
        // Shown from the second on: the first is a day on which it was inactive.
        let subjects = subjects(&wanted(&["a", "b", "unseen"]), &known("a+2026-05 b-", ""), now());
        let months = month("2026-04").through(month("2026-05"));
        let period = Period::of_months(months[0], months[1]);
        let asked = requests(&subjects, &["Amazon SageMaker".to_owned()], period);
        let shape: Vec<String> =
            asked.iter().map(|it| format!("{} {:?}", it.purpose, it.query.granularity)).collect();
        assert_eq!(
            shape.join(", "),
            "cost of `SageMaker` Daily, cost of `a` Daily, cost of `any of them` Monthly"
        );
        assert_eq!(asked.len(), request_count(&subjects));
        let answers = [
            sums("2026-04-30=10 2026-05-01=4 2026-05-02=8"),
            sums("2026-04-30=0 2026-05-01=1 2026-05-02=5"),
            sums("2026-04-01=0 2026-05-01=6"),
        ];
        assert_eq!(
            text(&cells(&subjects, &answers, &months)),
            "a 2026-04 0 10 0\na 2026-05 6 3 3\nb 2026-04 0 10 0\nb 2026-05 0 12 0\n\
             any of them 2026-04 0 10 0\nany of them 2026-05 6 6 0"
        );
    }

    #[test]
    fn a_backfill_that_succeeded_since_makes_its_months_active() {
        let known = known("a+2026-05", "2026-04 2026-06-01T00:00:00Z SUCCEEDED");
        let subjects = subjects(&wanted(&["a"]), &known, now());
        let months = month("2026-03").through(month("2026-05"));
        let answers = [
            sums("2026-03-01=10 2026-04-01=10 2026-05-01=10"),
            sums("2026-03-01=0 2026-04-01=7 2026-05-01=8"),
        ];
        assert_eq!(
            text(&cells(&subjects, &answers, &months)),
            "a 2026-03 0 10 0\na 2026-04 7 0 3\na 2026-05 8 0 2"
        );
    }

    #[test]
    fn what_a_backfill_brings_is_recoverable_until_it_shows() {
        let known = known("a+2026-05", "2026-04 2026-06-01T00:00:00Z SUCCEEDED");
        let answers = [sums("2026-04-01=10"), sums("2026-04-01=7")];
        for (now, expected) in [
            ("2026-06-02T23:59:59Z", "a 2026-04 7 3 0"),
            ("2026-06-03T00:00:00Z", "a 2026-04 7 0 3"),
        ] {
            let subjects = subjects(&wanted(&["a"]), &known, now.parse().unwrap());
            assert_eq!(text(&cells(&subjects, &answers, &[month("2026-04")])), expected, "{now}");
        }
    }

    #[test]
    fn what_was_not_answered_is_unknown() {
        let months = [month("2026-05")];
        for (statuses, total, own, expected) in [
            ("a+2026-04", None, sums("2026-05-01=5"), "5 unknown unknown"),
            ("a+2026-04", sums("2026-05-01=9"), None, "unknown unknown unknown"),
            ("a+2026-04", sums("2026-05-01=9"), sums("2026-05-01=x"), "unknown 0 unknown"),
            // Nothing for a key that is inactive now may mean just that.
            ("a-2026-04", sums("2026-05-01=9"), sums("2026-05-01=0"), "unknown unknown unknown"),
            ("a-2026-04", sums("2026-05-01=9"), sums("2026-05-01=2"), "2 7 0"),
        ] {
            let subjects = subjects(&wanted(&["a"]), &known(statuses, ""), now());
            let grid = cells(&subjects, &[total, own], &months);
            assert_eq!(text(&grid), format!("a 2026-05 {expected}"), "{statuses}");
        }
    }

    #[test]
    fn a_history_of_nothing_is_unknown() {
        for (text, expected) in [
            ("2026-04-01=0 2026-05-01=2", Some("2")),
            ("2026-04-01=-2 2026-05-01=2", Some("0")),
            ("2026-04-01=0 2026-05-01=0", None),
            ("2026-04-01=x 2026-05-01=2", None),
        ] {
            let sum = history_sum(&sums(text)).map(|it| it.to_string());
            assert_eq!(sum.as_deref(), expected, "{text}");
        }
        assert_eq!(history_sum(&None), None);
    }
}
