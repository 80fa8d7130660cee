//! Owns what the configuration says of people and teams that fits nobody, or somebody twice.
//!
//! **Invariant:** what matches nothing is never passed over in silence.

use std::collections::BTreeSet;
use std::fmt::Display;

use crate::facts::{self, Facts, Index};
use crate::inventory::Inventory;
use crate::note::{Note, NoteKind};
use crate::person::{Contest, People};
use crate::roster::{Row, Subject};
use crate::source::Sources;
use crate::team::TeamName;

/// How many of one kind are named; the others are counted.
const SHOWN_MAX: usize = 10;

/// What nothing was found for so far, by places.
struct Unknown {
    rows: BTreeSet<usize>,
    assignments: BTreeSet<usize>,
    /// Rows of the roster that contradict each other, once an inventory tells who is meant.
    contests: BTreeSet<(usize, usize)>,
    /// Tags whose value is no team's name.
    odd_tags: BTreeSet<(String, String)>,
}

/// Tells what the sources say of nobody, and of somebody twice; `facts` are those of the ledger's owners.
pub fn notes(
    sources: &Sources,
    inventory: &Inventory,
    index: &Index<'_>,
    facts: &[Option<Facts>],
    people: &People,
    contests: &[Contest],
) -> Vec<Note> {
    let mut unknown = Unknown {
        rows: (0..sources.roster.rows.len()).collect(),
        assignments: (0..sources.assignments.len()).collect(),
        contests: BTreeSet::new(),
        odd_tags: BTreeSet::new(),
    };
    for facts in facts.iter().flatten() {
        unknown.look(sources, people, facts);
    }
    // Somebody without any cost is no stranger.
    if !unknown.rows.is_empty() || !unknown.assignments.is_empty() {
        for facts in facts::bearers(inventory).iter().filter_map(|bearer| index.of(bearer)) {
            unknown.look(sources, people, &facts);
        }
    }
    let mut notes: Vec<Note> =
        sources.roster.remarks.iter().map(|remark| note(format!("{remark}."))).collect();
    notes.extend(contests.iter().map(|contest| claimed_twice(sources, contest)));
    notes.extend(of_roster(sources, inventory, &unknown));
    notes.extend(unknown.assignments.iter().map(|place| {
        let rule = &sources.assignments[*place];
        let (number, line, team) = (place + 1, rule.line, &rule.team);
        note(format!("Assignment {number} on line {line}, to `{team}`, matches nobody."))
    }));
    let strangers = sources.people.iter().zip(&people.humans).filter(|(_, it)| !it.has_profile);
    notes.extend(strangers.map(|(person, _)| {
        let (name, line) = (&person.name, person.line);
        note(format!(
            "The person `{name}` on line {line} has no user profile, in cost or inventory."
        ))
    }));
    notes.extend(unknown.odd_tags.iter().map(|(key, value)| {
        note(format!("The tag `{key}` has the value `{value}`, which is not a team's name."))
    }));
    notes.extend(of_tags(sources, facts));
    notes
}

fn note(text: String) -> Note {
    Note::new(NoteKind::Team, text)
}

impl Unknown {
    /// Takes away what is about the owner.
    fn look(&mut self, sources: &Sources, people: &People, facts: &Facts) {
        let rows = sources.roster.of(facts, people);
        self.contests.extend(sources.roster.contest(&rows));
        for row in rows {
            self.rows.remove(&row);
        }
        self.assignments.retain(|place| !sources.assignments[*place].matches(facts));
        let odd = sources.tags.iter().filter_map(|key| Some((key, facts.tags.get(key)?)));
        let odd = odd.filter(|(_, value)| TeamName::parse(value).is_err());
        self.odd_tags.extend(odd.map(|(key, value)| (key.clone(), value.clone())));
    }
}

fn claimed_twice(sources: &Sources, contest: &Contest) -> Note {
    let [first, second] = contest.persons.map(|place| &sources.people[place]);
    note(format!(
        "The user profile `{}/{}` is claimed by `{}` on line {} and by `{}` on line {}; it is taken for `{}`'s.",
        contest.domain,
        contest.user_profile,
        first.name,
        first.line,
        second.name,
        second.line,
        first.name
    ))
}

fn of_roster(sources: &Sources, inventory: &Inventory, unknown: &Unknown) -> Vec<Note> {
    let roster = &sources.roster;
    let file = &roster.file;
    let mut notes = Vec::new();
    for (first, second) in &unknown.contests {
        let (first, second) = (&roster.rows[*first], &roster.rows[*second]);
        notes.push(note(format!(
            "Lines {} and {} of `{file}` give the same owner to `{}` and to `{}` on the same days, as {} and as {}; line {} counts.",
            first.line, second.line, first.team, second.team, first.subject, second.subject, first.line
        )));
    }
    let strangers: Vec<&Row> = unknown.rows.iter().map(|place| &roster.rows[*place]).collect();
    if strangers.is_empty() {
        return notes;
    }
    let lines = strangers.iter().map(|row| format!("line {} ({})", row.line, row.subject));
    let mut text =
        format!("What `{file}` says is about nobody in cost or inventory on {}.", few(lines));
    let is_named = |row: &&Row| {
        let Subject::Person(name) = &row.subject else { return false };
        inventory.user_profiles.iter().any(|profile| profile.name.as_str() == name)
    };
    if strangers.iter().any(is_named) {
        text.push_str(
            " A user profile's name makes a person by `join = [\"name\"]` in `[people]`, or by a `[[person]]`.",
        );
    }
    notes.push(note(text));
    notes
}

/// A tag is what it is today: AWS tells no other.
fn of_tags(sources: &Sources, facts: &[Option<Facts>]) -> Option<Note> {
    let is_rule = sources.assignments.iter().any(|rule| !rule.tags.is_empty());
    let is_used = is_rule || !sources.tags.is_empty();
    let is_known = facts.iter().flatten().any(|facts| !facts.tags.is_empty());
    (is_used && is_known).then(|| {
        note("Teams by inventory tags are those of the tags when the inventory was read; AWS does not tell what a tag was in a month gone by.".to_owned())
    })
}

/// Lists the first few, and counts the rest.
fn few<T: Display>(things: impl ExactSizeIterator<Item = T>) -> String {
    let more = things.len().saturating_sub(SHOWN_MAX);
    let shown: Vec<String> = things.take(SHOWN_MAX).map(|thing| thing.to_string()).collect();
    let shown = shown.join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}
