//! Owns the examples of charges: a configuration, its files, a bill, and what each owner and team is charged.

use std::collections::BTreeMap;

use apportion::charge::{Charge, Charges};
use apportion::cli::config;
use apportion::figure::{self, Figure};
use apportion::files;
use apportion::membership::Source;
use apportion::metric::{Amounts, Metric};
use apportion::money::Money;
use apportion::note::NoteKind;
use apportion::report::Report;
use apportion::table::Cell;
use apportion::terms::{Files, Terms};

use super::Comparison;
use super::bill::{self, Entry, Posted, Setting};
use super::document::{self, Block, cells};
use super::notation::{Notation, plain, printed};
use super::{owners, stock};

/// What an example gives: each section is known by how it begins.
pub(crate) struct Given {
    known: Vec<String>,
    configuration: String,
    files: Files,
    bill: Vec<String>,
}

impl Given {
    /// Parts what is given: tables of the configuration, named files, inventory, bill.
    pub(crate) fn of(sections: &[Vec<String>]) -> Given {
        let mut given = Given {
            known: Vec::new(),
            configuration: String::new(),
            files: Files::new(),
            bill: Vec::new(),
        };
        for section in sections {
            let first = section.first().map(String::as_str).unwrap_or_default();
            if first.starts_with('[') {
                given.configuration = section.join("\n");
            } else if let Some(name) = first.strip_prefix("file ") {
                let text = section[1..].join("\n") + "\n";
                given.files.insert(name.trim().to_owned(), text.into_bytes());
            } else if ["inventory", "earlier", "keys"].contains(&cells(first)[0]) {
                given.known.clone_from(section);
            } else {
                given.bill.clone_from(section);
            }
        }
        given
    }

    /// Makes the terms of the configuration as the program does, or says what is wrong and where.
    fn terms(&self) -> Result<Terms, String> {
        let text = &self.configuration;
        let config = config::parse(text)?;
        let tables = config.tables(text);
        for name in tables.files() {
            assert!(self.files.contains_key(name), "the example has no file {name}");
        }
        Terms::make(tables, &self.files).map_err(|problem| {
            let file = problem.file.as_deref().unwrap_or("apportion.toml");
            format!("{file}: {problem}")
        })
    }

    /// Bills what is given, or says why its terms are refused.
    pub(crate) fn post(&self) -> Result<Posted, String> {
        let terms = self.terms()?;
        let notation = Notation::new();
        let entries: Vec<Entry> =
            self.bill.iter().map(|row| owners::entry(&notation, row)).collect();
        let (inventory, statuses) = (stock::inventory(&self.known), owners::statuses(&self.known));
        let posted = bill::post(&entries, Setting { inventory, statuses, terms });
        conserved(&posted, &posted.charges());
        Ok(posted)
    }
}

/// Runs a configuration that is refused, and compares what is said.
pub(crate) fn refused(block: &Block) -> Comparison {
    let given = Given::of(&block.sections[..block.sections.len() - 1]);
    let said = given.terms().err().unwrap_or_else(|| "accepted".to_owned());
    let stated = block.outcome().iter().map(|row| row.trim().to_owned());
    Comparison { stated: stated.collect(), done: said.lines().map(str::to_owned).collect() }
}

/// Runs a month's charges, summed by the columns that the outcome names.
pub(crate) fn run(block: &Block) -> Comparison {
    let posted = match Given::of(&block.sections[..block.sections.len() - 1]).post() {
        Ok(posted) => posted,
        Err(why) => return Comparison { stated: block.outcome().to_vec(), done: vec![why] },
    };
    let charges = posted.charges();
    let (notes, rows): (Vec<String>, Vec<String>) =
        block.outcome().iter().cloned().partition(|row| row.starts_with("note: "));
    let heading = cells(&rows[0]);
    let mut stated: Vec<String> = rows[1..]
        .iter()
        .map(|row| document::stated(row).into_iter().map(plain).collect::<Vec<_>>().join(" | "))
        .collect();
    let mut done = sums(&posted, &charges, &heading);
    stated.sort();
    done.sort();
    let mut comparison = Comparison { stated, done };
    owners::compare_notes(&mut comparison, &[NoteKind::Allocation], &notes, &posted.notes());
    comparison
}

/// Sums charges by their labels: one row a group, in the columns of the heading.
fn sums(posted: &Posted, charges: &Charges<'_>, heading: &[&str]) -> Vec<String> {
    let months = posted.snapshot.manifest.months();
    let report = posted.report(charges, posted.last());
    let table = files::lines(&report, &months);
    let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let all = months.iter().flat_map(|month| charges.of_month(*month));
    let mut groups: BTreeMap<Vec<String>, [Amounts; 2]> = BTreeMap::new();
    for (charge, row) in all.zip(table.rows) {
        let label = |name: &&str| label(&report, &charge, &names, &row, name);
        let labels = heading.iter().filter(|name| !is_amount(name)).map(label).collect();
        let sums = groups.entry(labels).or_insert([Amounts::ZERO; 2]);
        sums[usize::from(!charge.cause.is_billed())].add(&charge.amounts);
    }
    let figures = figure::of(&report).unwrap_or_default();
    // What a statement prints: the cents of the figures that have the same owner and team.
    let cents = |labels: &[String]| {
        let names = heading.iter().filter(|name| !is_amount(name));
        let wanted: Vec<(&str, &String)> = names.copied().zip(labels).collect();
        let is_same = |figure: &&Figure| {
            wanted.iter().all(|(name, label)| match *name {
                "owner" => charges.bearers[figure.bearer].owner.to_string() == **label,
                "team" => team(charges, figure.team) == **label,
                _ => false,
            })
        };
        let cents = figures.iter().filter(is_same).map(|figure| figure.amount.cents).sum();
        Money::from_cents(cents)
    };
    let rows = groups.into_iter().map(|(labels, [billed, shared])| {
        let cents = cents(&labels);
        let mut total = billed;
        total.add(&shared);
        let mut labels = labels.into_iter();
        let cells = heading.iter().map(|name| match *name {
            "billed" => printed(billed.get(bill::METRIC)),
            "shared" => printed(shared.get(bill::METRIC)),
            "total" => printed(total.get(bill::METRIC)),
            "printed" => cents.to_string(),
            name => match Metric::parse(name) {
                Some(metric) => printed(total.get(metric)),
                None => labels.next().expect("every other column is a label"),
            },
        });
        cells.collect::<Vec<_>>().join(" | ")
    });
    rows.collect()
}

fn is_amount(name: &str) -> bool {
    ["billed", "shared", "total", "printed"].contains(&name) || Metric::parse(name).is_some()
}

fn label(
    report: &Report<'_>,
    charge: &Charge,
    names: &[&str],
    row: &[Cell<'_>],
    name: &str,
) -> String {
    match name {
        "owner" => report.charges.bearer(charge).owner.to_string(),
        "month" => charge.month.to_string(),
        "team" => team(report.charges, charge.team),
        "source" => source(report, charge),
        name => names
            .iter()
            .position(|it| *it == name)
            .map_or_else(|| format!("no column {name}"), |place| owners::text(&row[place])),
    }
}

fn team(charges: &Charges<'_>, team: Option<usize>) -> String {
    team.map_or("blank".to_owned(), |team| charges.membership.teams[team].to_string())
}

/// What says that the owner belongs to the team, in a few words.
fn source(report: &Report<'_>, charge: &Charge) -> String {
    let parts = report.charges.membership.of(charge.month, charge.bearer);
    let part = parts.iter().find(|part| part.team == charge.team);
    match part.map(|part| &part.source) {
        Some(Source::Roster { line }) => format!("roster line {line}"),
        Some(Source::Person(name)) => format!("person {name}"),
        Some(Source::Assignment(number)) => format!("assignment {number}"),
        Some(Source::Tag { key, value }) => format!("tag {key}={value}"),
        Some(Source::Itself) => "itself".to_owned(),
        Some(Source::Nothing) | None => "nothing".to_owned(),
    }
}

/// In every month and metric charges sum to the control total and what lies outside, and moves to nothing.
fn conserved(posted: &Posted, charges: &Charges<'_>) {
    for month in posted.snapshot.manifest.months() {
        let all: Vec<Charge> = charges.of_month(month).collect();
        let total: Amounts = all.iter().map(|charge| &charge.amounts).sum();
        let mut control = apportion::control::scope_total(&posted.snapshot.manifest, month);
        for share in charges.allocation.outside.iter().filter(|share| share.month == month) {
            control.add(&share.amounts);
        }
        assert_eq!(total, control, "{month}");
        let moved = all.iter().filter(|charge| !charge.cause.is_billed());
        let moved: Amounts = moved.map(|charge| &charge.amounts).sum();
        for metric in Metric::ALL {
            let sum = moved.get(metric).unwrap_or(Money::ZERO);
            assert_eq!(sum, Money::ZERO, "{month} {metric}");
        }
    }
}
