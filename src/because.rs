//! Owns why an owner is in a team: the source that counts, in words, and those that were passed over for it.
//!
//! **Invariant:** what is passed over is all that matches besides, in the order in which it would have counted.

use crate::facts::Facts;
use crate::membership::{Membership, Part};
use crate::period::{Month, Period};
use crate::source::Source;

/// Why an owner is in a team on some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Because {
    /// The days.
    pub days: Period,
    /// The team's place in [`Membership::teams`]; absent where no source names one.
    pub team: Option<usize>,
    /// The source that counts, in words.
    pub source: String,
    /// Other sources that match on any of the days, in words, each with the team that it names.
    pub passed: Vec<String>,
}

impl Membership {
    /// Tells why an owner is in its teams in a month, by its place in the ledger; nothing of pools and teams.
    pub fn because(&self, month: Month, bearer: usize) -> Vec<Because> {
        let Some(Some(facts)) = self.facts.get(bearer) else { return Vec::new() };
        let nothing =
            Part { team: None, days: month.period(), weight: None, source: Source::Nothing };
        let parts = self.of(month, bearer);
        let parts = if parts.is_empty() { std::slice::from_ref(&nothing) } else { parts };
        let whole = month.period();
        let because = parts.iter().map(|part| {
            let (start, end) = (part.days.start.max(whole.start), part.days.end.min(whole.end));
            let days = Period { start, end };
            Because {
                days,
                team: part.team,
                source: self.words(&part.source),
                passed: self.passed(facts, &part.source, days),
            }
        });
        because.collect()
    }

    /// Returns a source in words.
    pub fn words(&self, source: &Source) -> String {
        let sources = &self.sources;
        match source {
            Source::Roster { line } => {
                let row = sources.roster.rows.iter().find(|row| row.line == *line);
                let subject = row.map(|row| format!(": {}", row.subject)).unwrap_or_default();
                format!("line {line} of `{}`{subject}", sources.roster.file)
            }
            Source::Person(name) => {
                let person = sources.people.iter().find(|person| person.name == *name);
                let line = person.map(|person| format!(" on line {}", person.line));
                format!("person `{name}`{}", line.unwrap_or_default())
            }
            Source::Assignment(number) => {
                let rule = sources.assignments.get(number.saturating_sub(1));
                let line = rule.map(|rule| format!(" on line {}", rule.line));
                format!("assignment {number}{}", line.unwrap_or_default())
            }
            Source::Tag { key, value } => format!("tag {key}={value}"),
            Source::Itself => "the team itself".to_owned(),
            Source::Nothing => "no source names a team".to_owned(),
        }
    }

    fn passed(&self, facts: &Facts, counts: &Source, days: Period) -> Vec<String> {
        let sources = &self.sources;
        let rows = sources.roster.of(facts, &self.people).into_iter();
        let rows = rows.map(|place| &sources.roster.rows[place]);
        let rows = rows.filter(|row| row.days.meets(days));
        let rows = rows.map(|row| (Source::Roster { line: row.line }, row.team.clone()));
        let person = sources.person(facts);
        let person = person.map(|(person, team)| (Source::Person(person.name.clone()), team));
        let rules = sources.assignments.iter().zip(1..).filter(|(rule, _)| rule.matches(facts));
        let rules = rules.map(|(rule, number)| (Source::Assignment(number), rule.team.clone()));
        let all = rows.chain(person).chain(rules).chain(sources.tag(facts));
        all.filter(|(source, _)| source != counts)
            .map(|(source, team)| format!("{}, to `{team}`", self.words(&source)))
            .collect()
    }
}
