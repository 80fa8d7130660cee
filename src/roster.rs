//! Owns the roster: a CSV of who is in which team, from which day to which.
//!
//! **Invariant:** no subject is in two teams on one day, and none falls between two of its rows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;

use crate::facts::Facts;
use crate::period::Period;
use crate::person::{People, Person};
use crate::sheet::{Head, NotSheet, Row as SheetRow, Sheet};
use crate::team::TeamName;

const HEADS: [Head; 8] = [
    Head::optional("person"),
    Head::optional("domain"),
    Head::optional("user_profile"),
    Head::optional("space"),
    Head::optional("account"),
    Head::required("team"),
    Head::optional("valid_from"),
    Head::optional("valid_to"),
];

/// Who is in which team, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// The file, as the configuration names it.
    pub file: String,
    /// The rows, in the order of their lines.
    pub rows: Vec<Row>,
    /// What is odd about the file.
    pub remarks: Vec<String>,
    of: BTreeMap<Subject, Vec<usize>>,
}

/// That somebody is in a team for some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its line, from 1.
    pub line: u64,
    /// Who.
    pub subject: Subject,
    /// The team.
    pub team: TeamName,
    /// The days.
    pub days: Days,
}

/// Whom a row is about, the most specific first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A space: its domain by id or name, and its name.
    Space(String, String),
    /// A user profile: its domain by id or name, and its name.
    UserProfile(String, String),
    /// A person, by name or by the value at the single sign-on provider.
    Person(String),
    /// Everybody in a domain, by id or name.
    Domain(String),
    /// Everybody in an account.
    Account(String),
}

/// Days without an end, or without a beginning, or with both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// The first day in.
    pub start: Option<Date>,
    /// The first day out.
    pub end: Option<Date>,
}

impl Days {
    /// Tells whether the day is one of them.
    pub fn contains(self, day: Date) -> bool {
        self.start.is_none_or(|start| start <= day) && self.end.is_none_or(|end| day < end)
    }

    /// Tells whether a period has any of them.
    pub fn meets(self, period: Period) -> bool {
        self.start.is_none_or(|start| start < period.end)
            && self.end.is_none_or(|end| period.start < end)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Space(domain, name) => write!(formatter, "space {domain}/{name}"),
            Subject::UserProfile(domain, name) => write!(formatter, "user profile {domain}/{name}"),
            Subject::Person(name) => write!(formatter, "person {name}"),
            Subject::Domain(domain) => write!(formatter, "domain {domain}"),
            Subject::Account(account) => write!(formatter, "account {account}"),
        }
    }
}

impl Subject {
    fn read(row: SheetRow<'_>, persons: &[Person]) -> Result<Subject, NotSheet> {
        let get = |name| row.get(name).to_owned();
        let names = ["person", "domain", "user_profile", "space", "account"];
        let given: Vec<&str> = names.into_iter().filter(|name| !row.get(name).is_empty()).collect();
        match given.as_slice() {
            ["person"] => {
                // A person is one subject, by whichever name the roster calls them.
                let text = row.get("person");
                let called = |it: &&Person| it.name == text || it.sso.as_deref() == Some(text);
                let person = persons.iter().find(called);
                Ok(Subject::Person(person.map_or(text, |person| &person.name).to_owned()))
            }
            ["domain", "user_profile"] => {
                Ok(Subject::UserProfile(get("domain"), get("user_profile")))
            }
            ["domain", "space"] => Ok(Subject::Space(get("domain"), get("space"))),
            ["domain"] => Ok(Subject::Domain(get("domain"))),
            ["account"] => Ok(Subject::Account(get("account"))),
            [] => Err(row.wrong("it says nobody: give `person`, `domain` (with `user_profile` or `space`) or `account`")),
            several => {
                let given: Vec<String> = several.iter().map(|name| format!("`{name}`")).collect();
                let why = format!(
                    "it gives {}; give `person`, or `domain` with `user_profile`, or `domain` with `space`, or `domain`, or `account`",
                    given.join(" and ")
                );
                Err(row.wrong(why))
            }
        }
    }

    /// Returns every subject that an owner is, the most specific first.
    fn of(facts: &Facts, people: &People) -> BTreeSet<Subject> {
        let mut subjects = BTreeSet::new();
        let id = facts.domain.as_ref().map(|domain| domain.as_str().to_owned());
        for domain in id.into_iter().chain(facts.domain_name.clone()) {
            if let Some(space) = &facts.space {
                subjects.insert(Subject::Space(domain.clone(), space.to_string()));
            }
            if let Some(name) = &facts.user_profile {
                subjects.insert(Subject::UserProfile(domain.clone(), name.to_string()));
            }
            subjects.insert(Subject::Domain(domain));
        }
        if let Some(human) = facts.person.map(|place| &people.humans[place]) {
            let names = human.sso.iter().chain([&human.name]);
            subjects.extend(names.cloned().map(Subject::Person));
        }
        subjects.extend(facts.sso.clone().map(Subject::Person));
        subjects.extend(facts.account.as_ref().map(|it| Subject::Account(it.to_string())));
        subjects
    }

    /// Returns how specific it is: of two that are as specific, the earlier line counts.
    fn level(&self) -> u8 {
        match self {
            Subject::Space(..) => 0,
            Subject::UserProfile(..) => 1,
            Subject::Person(_) => 2,
            Subject::Domain(_) => 3,
            Subject::Account(_) => 4,
        }
    }
}

impl Roster {
    /// Parses a roster, or tells the first thing that is wrong.
    pub fn parse(file: &str, bytes: &[u8], persons: &[Person]) -> Result<Roster, NotSheet> {
        let sheet = Sheet::parse(file, bytes, &HEADS)?;
        let mut roster = Roster {
            file: file.to_owned(),
            remarks: sheet.remarks().iter().map(ToString::to_string).collect(),
            ..Roster::default()
        };
        for row in sheet.rows() {
            let team = TeamName::parse(row.filled("team")?);
            let team = team.map_err(|error| row.wrong(format!("in `team`, {error}")))?;
            let (start, last) = (row.day("valid_from")?, row.day("valid_to")?);
            if let (Some(start), Some(last)) = (start, last)
                && last < start
            {
                let why = format!("`valid_from` {start} is after `valid_to` {last}");
                return Err(row.wrong(why));
            }
            let subject = Subject::read(row, persons)?;
            roster.of.entry(subject.clone()).or_default().push(roster.rows.len());
            // Beyond the last day that there is, lies no end.
            let end = last.and_then(|last| last.tomorrow().ok());
            let days = Days { start, end };
            roster.rows.push(Row { line: row.line(), subject, team, days });
        }
        for (subject, places) in &roster.of {
            let mut rows: Vec<&Row> = places.iter().map(|place| &roster.rows[*place]).collect();
            rows.sort_by_key(|row| (row.days.start, row.line));
            for (earlier, later) in rows.iter().zip(rows.iter().skip(1)) {
                let why = misfit(subject, earlier, later);
                if let Some(why) = why {
                    return Err(sheet.wrong(later.line.max(earlier.line), why));
                }
            }
        }
        Ok(roster)
    }

    /// Returns the rows about an owner, as places, the most specific first and then by their lines.
    pub fn of(&self, facts: &Facts, people: &People) -> Vec<usize> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let subjects = Subject::of(facts, people);
        let places = subjects.iter().filter_map(|subject| self.of.get(subject)).flatten();
        let mut places: Vec<usize> = places.copied().collect();
        places.sort_by_key(|place| (self.rows[*place].subject.level(), *place));
        places
    }

    /// Returns two rows as specific as each other that give an owner to two teams on the same days, by their places.
    pub fn contest(&self, places: &[usize]) -> Option<(usize, usize)> {
        let pairs = places
            .iter()
            .enumerate()
            .flat_map(|(index, first)| places[index + 1..].iter().map(move |it| (*first, *it)));
        pairs.into_iter().find(|(first, second)| {
            let (first, second) = (&self.rows[*first], &self.rows[*second]);
            first.subject.level() == second.subject.level()
                && first.team != second.team
                && before(first.days.start, second.days.end)
                && before(second.days.start, first.days.end)
        })
    }
}

/// Tells whether a beginning lies before an end.
fn before(start: Option<Date>, end: Option<Date>) -> bool {
    start.zip(end).is_none_or(|(start, end)| start < end)
}

/// Tells what is wrong with two rows of one subject that follow each other.
fn misfit(subject: &Subject, earlier: &Row, later: &Row) -> Option<String> {
    let (first, second) =
        if earlier.line < later.line { (earlier, later) } else { (later, earlier) };
    let teams = format!(
        "`{}` on line {} and `{}` on line {}",
        first.team, first.line, second.team, second.line
    );
    if before(later.days.start, earlier.days.end) {
        let start = later.days.start.map_or("the beginning".to_owned(), |it| it.to_string());
        let ends = [earlier.days.end, later.days.end];
        let last = ends.into_iter().flatten().min().and_then(|end| end.yesterday().ok());
        let last = last.map_or("on".to_owned(), |last| format!("to {last}"));
        return Some(format!("the {subject} is in {teams} at once, from {start} {last}"));
    }
    let (end, start) = earlier.days.end.zip(later.days.start)?;
    let last = start.yesterday().ok()?;
    (end < start)
        .then(|| format!("the {subject} is in no team from {end} to {last}, between {teams}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(rows: &str) -> Result<Roster, NotSheet> {
        let text =
            format!("person,domain,user_profile,space,account,team,valid_from,valid_to\n{rows}");
        Roster::parse("teams.csv", text.as_bytes(), &[])
    }

    #[test]
    fn overlaps_and_gaps_are_refused_with_their_lines_and_dates() {
        for (rows, line, why) in [
            (
                "ana,,,,,A,,2026-03-31\nana,,,,,B,2026-03-15,\n",
                3,
                "the person ana is in `A` on line 2 and `B` on line 3 at once, from 2026-03-15 to 2026-03-31",
            ),
            (
                "ana,,,,,B,2026-03-15,\nana,,,,,A,,\n",
                3,
                "the person ana is in `B` on line 2 and `A` on line 3 at once, from 2026-03-15 on",
            ),
            (
                ",d-a,u,,,A,,2026-03-31\n,d-a,u,,,A,,2026-02-28\n",
                3,
                "the user profile d-a/u is in `A` on line 2 and `A` on line 3 at once, from the beginning to 2026-02-28",
            ),
            (
                ",d-a,,s,,A,,2026-03-31\n,d-b,,s,,A,,2026-03-31\n,d-a,,s,,B,2026-05-01,\n",
                4,
                "the space d-a/s is in no team from 2026-04-01 to 2026-04-30, between `A` on line 2 and `B` on line 4",
            ),
            (
                ",,,,111122223333,A,2026-05-02,2026-05-01\n",
                2,
                "`valid_from` 2026-05-02 is after `valid_to` 2026-05-01",
            ),
            ("ana,d-a,,,,A,,\n", 2, "it gives `person` and `domain`; give `person`, or"),
            (",,u,,,A,,\n", 2, "it gives `user_profile`; give"),
            (",,,,,A,,\n", 2, "it says nobody: give `person`"),
            ("ana,,,,,,,\n", 2, "`team` is blank"),
        ] {
            let error = parse(rows).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.why.starts_with(why), "{error}");
        }
    }

    #[test]
    fn rows_that_follow_each_other_day_by_day_are_fine() {
        let roster = parse(
            "ana,,,,,A,,2026-03-31\nana,,,,,B,2026-04-01,2026-04-30\nana,,,,,A,2026-05-01,9999-12-31\n",
        )
        .unwrap();
        let days: Vec<Days> = roster.rows.iter().map(|row| row.days).collect();
        let of = |text: &str| Some(text.parse::<Date>().unwrap());
        assert_eq!(days[0], Days { start: None, end: of("2026-04-01") });
        assert_eq!(days[2], Days { start: of("2026-05-01"), end: None });
    }
}
