//! Owns examples of who bears a record: rows of tags, service, record type, usage type and amount.

use apportion::files;
use apportion::key::KeyStatus;
use apportion::metric::Metric;
use apportion::money::Money;
use apportion::note::{Note, NoteKind};
use apportion::period::Month;
use apportion::table::Cell;
use jiff::civil::Date;

use super::Comparison;
use super::bill::{self, Entry, Posted, Setting};
use super::document::{Block, cells, halves, stated};
use super::notation::{Notation, money, plain};
use super::stock;

/// Kinds of notes that an example of owners must state when the program gives one.
const TOLD: [NoteKind; 5] = [
    NoteKind::CaseFolded,
    NoteKind::Contradiction,
    NoteKind::Gone,
    NoteKind::NotAnArn,
    NoteKind::NotComparable,
];

/// Runs `record -> owner  column: value`, with what is known above and notes below.
pub(crate) fn run(block: &Block) -> Comparison {
    let is_record = |row: &String| halves(row).is_some();
    let at = block.sections.iter().position(|section| section.iter().any(is_record)).unwrap();
    let known: Vec<String> = block.sections[..at].concat();
    let rows: Vec<(&str, &str)> =
        block.sections[at].iter().map(|row| halves(row).expect("a record has an owner")).collect();
    let notation = Notation::new();
    let entries: Vec<Entry> = rows.iter().map(|(left, _)| entry(&notation, left)).collect();
    let (inventory, statuses) = (stock::inventory(&known), statuses(&known));
    let posted = bill::post(&entries, Setting { inventory, statuses, ..Setting::default() });
    let mut comparison = Comparison { stated: Vec::new(), done: Vec::new() };
    for (index, (entry, (left, right))) in entries.iter().zip(&rows).enumerate() {
        let (stated, done) = line(&posted, entry, index, right);
        let left = cells(left).join(" ");
        comparison.stated.push(format!("{left} -> {stated}"));
        comparison.done.push(format!("{left} -> {done}"));
    }
    let below: Vec<String> = block.sections[at + 1..].concat();
    compare_notes(&mut comparison, &TOLD, &below, &posted.notes());
    comparison
}

/// Reads what the bill says: month, tags, service, record type, usage type, amount.
pub(crate) fn entry(notation: &Notation, text: &str) -> Entry {
    let mut cells = cells(text);
    let mut metrics = Vec::new();
    while let Some(other) = cells.last().and_then(|cell| metric(cell)) {
        metrics.push(other);
        cells.pop();
    }
    let amount = cells.pop().and_then(money).expect("a record ends in its amount");
    let mut entry = Entry::new(amount);
    for (metric, amount) in metrics {
        entry.amounts.put(metric, Some(amount));
    }
    let mut words = Vec::new();
    for cell in cells {
        if let Ok(month) = Month::parse(cell) {
            entry.month = month;
        } else if let Ok(day) = cell.parse::<Date>() {
            (entry.month, entry.day) = (Month::of(day), Some(day));
        } else if let Some(account) = cell.strip_prefix("billed to ") {
            account.clone_into(&mut entry.account);
        } else if let Some((key, value)) = notation.tag(cell) {
            entry.tags.insert(key, value);
        } else if cell != "(no tag)" {
            words.push(cell);
        }
    }
    let places = [&mut entry.service, &mut entry.record_type, &mut entry.usage_type];
    assert!(words.len() <= places.len(), "too many words: {words:?}");
    for (place, word) in places.into_iter().zip(words) {
        word.clone_into(place);
    }
    entry
}

/// Reads `amortized_cost 14.00`: an amount that is not alike in this metric.
fn metric(cell: &str) -> Option<(Metric, Money)> {
    let (name, amount) = cell.split_once(' ')?;
    Some((Metric::parse(name)?, money(amount)?))
}

/// `keys  none active`: billing knows every key and none is active.
pub(crate) fn statuses(known: &[String]) -> Option<Vec<KeyStatus>> {
    let is_none = known.iter().any(|row| cells(row) == ["keys", "none active"]);
    let status = |key: &&str| KeyStatus {
        key: (*key).to_owned(),
        active: Some(false),
        updated_at: None,
        last_used: None,
    };
    is_none.then(|| apportion::key::PRECEDENCE.iter().map(status).collect())
}

/// What an example states of a line, and what the files say of it, in the columns that it names.
fn line(posted: &Posted, entry: &Entry, index: usize, right: &str) -> (String, String) {
    let cells = stated(right);
    let charges = posted.charges();
    let report = posted.report(&charges, entry.month);
    let months = [entry.month];
    let table = files::lines(&report, &months);
    let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let lines = posted.ledger.of_month(entry.month).iter().zip(table.rows);
    let mark = bill::marked(&entry.usage_type, index);
    let mut lines = lines.filter(|(line, _)| posted.ledger.names.text(line.usage_type) == mark);
    let Some((line, row)) = lines.next() else {
        return (cells.join(", "), "outside the scope".to_owned());
    };
    assert!(lines.next().is_none(), "one record is one line");
    assert_eq!(line.amounts, entry.amounts, "a line bears its record's amount");
    let bearer = posted.ledger.bearer(line);
    let value = |name: &str| {
        if name == "domain_name" {
            return bearer.domain_name.clone().unwrap_or_else(|| "blank".to_owned());
        }
        let place = names.iter().position(|it| *it == name);
        place.map_or_else(|| "no such column".to_owned(), |place| text(&row[place]))
    };
    let columns = cells[1..].iter().map(|cell| cell.split_once(": ").unwrap_or((cell, "")).0);
    let mut columns: Vec<&str> = columns.collect();
    if line.reason.is_some() && !columns.contains(&"reason") {
        columns.push("reason");
    }
    let done = std::iter::once(bearer.owner.to_string())
        .chain(columns.iter().map(|name| format!("{name}: {}", value(name))));
    (cells.join(", "), done.collect::<Vec<_>>().join(", "))
}

pub(crate) fn text(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Text(text) => text.to_string(),
        Cell::Blank => "blank".to_owned(),
        Cell::Money(money) => money.to_string(),
        other => format!("{other:?}"),
    }
}

/// Compares notes: those of kinds that must be told, and those of kinds that the example names.
///
/// A row reads `note: kind  amount  "words of its text"`; amount and words may be left out.
pub(crate) fn compare_notes(
    comparison: &mut Comparison,
    must: &[NoteKind],
    rows: &[String],
    notes: &[Note],
) {
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| stated(row)).collect();
    let named = |kind: &str| rows.iter().any(|cells| cells[0] == format!("note: {kind}"));
    let told = notes.iter().filter(|note| must.contains(&note.kind) || named(&word(note.kind)));
    let mut done: Vec<Vec<String>> = Vec::new();
    for note in told {
        let head = format!("note: {}", word(note.kind));
        // Words count as said where the note's text has them.
        let words = rows.iter().filter(|row| row[0] == head).flatten();
        let said = words
            .filter(|cell| cell.starts_with('"') && note.text.contains(cell.trim_matches('"')));
        let said: Vec<String> = said.map(|cell| (*cell).to_owned()).collect();
        let mut cells = vec![head];
        cells.extend(note.amount.map(|money: Money| money.to_string()));
        cells.extend(said);
        done.push(cells);
    }
    done.sort();
    let mut stated: Vec<Vec<String>> =
        rows.iter().map(|cells| cells.iter().map(|cell| plain(cell)).collect()).collect();
    stated.sort();
    comparison.stated.extend(stated.iter().map(|cells| cells.join(" ")));
    comparison.done.extend(done.iter().map(|cells| cells.join(" ")));
}

fn word(kind: NoteKind) -> String {
    let json = serde_json::to_string(&kind).expect("a kind is a word");
    json.trim_matches('"').to_owned()
}
