//! Owns the month's folder: every file of a report, written beside its place and put there as a whole.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::alert::Alert;
use crate::charged;
use crate::cli;
use crate::cli::condition::{self, Condition};
use crate::cli::drawing;
use crate::cli::page;
use crate::cli::restated;
use crate::control;
use crate::files;
use crate::invoice;
use crate::journal;
use crate::metric::Amounts;
use crate::money::Money;
use crate::note::Note;
use crate::notes;
use crate::period::Month;
use crate::render::{self, chart::Drawing};
use crate::report::{Definition, Report};
use crate::restate::{self, Restatement};
use crate::snapshot::Receipt;
use crate::statement::{self, Statements};
use crate::store::disk::{self, sha256};
use crate::table::Table;

/// The version of `summary.json` and `manifest.json`.
const SCHEMA: u32 = 1;

/// What is written, beyond the report itself.
pub struct Edition<'a> {
    /// The report.
    pub report: &'a Report<'a>,
    /// Its alerts.
    pub alerts: &'a [Alert],
    /// What the page shows.
    pub definitions: &'a [Definition],
    /// The months of `lines.csv`.
    pub line_months: &'a [Month],
    /// The configuration's text.
    pub configuration: &'a str,
    /// How it differs from what was closed, where the month is closed and it does.
    pub restatement: Option<&'a Restatement>,
}

#[derive(Serialize)]
struct Summary<'a> {
    schema: u32,
    month: Month,
    currency: &'a str,
    metric: &'a str,
    billing_view: &'a str,
    bill: Amounts,
    bridge: Vec<BridgeStep>,
    metric_bridge: Vec<BridgeStep>,
    control_total: Amounts,
    ledger_total: Amounts,
    outside: Amounts,
    charged_total: Amounts,
    adjustments: Vec<Booked>,
    residual: Amounts,
    coverage: Option<Covered>,
    settlement: &'a str,
    settlement_because: String,
    receipt: ReceiptSummary,
    conditions: Vec<&'a str>,
    notes: Vec<Note>,
}

#[derive(Serialize)]
struct BridgeStep {
    what: String,
    amount: Option<Money>,
}

/// What a restatement booked in the month, outside its control total.
#[derive(Serialize)]
struct Booked {
    of: Month,
    amounts: Amounts,
}

#[derive(Serialize)]
struct Covered {
    attributed: Money,
    shared: Money,
    unattributed: Money,
}

#[derive(Serialize)]
struct ReceiptSummary {
    #[serde(flatten)]
    counted: Receipt,
    usd: Money,
    usd_at_most: Money,
}

#[derive(Serialize)]
struct Published<'a> {
    schema: u32,
    program: &'a str,
    month: Month,
    snapshot: &'a str,
    taken_at: jiff::Timestamp,
    configuration_sha256: String,
    receipt: ReceiptSummary,
    inputs: Vec<File>,
    outputs: &'a [File],
}

#[derive(Serialize)]
struct File {
    name: String,
    sha256: String,
}

/// A folder that is being filled.
struct Folder {
    path: PathBuf,
    written: Vec<File>,
}

impl Folder {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), disk::Error> {
        self.put_with(name, |out| out.write_all(bytes))
    }

    fn put_with(
        &mut self,
        name: &str,
        fill: impl FnOnce(&mut Hashing<'_>) -> io::Result<()>,
    ) -> Result<(), disk::Error> {
        let mut hash = Sha256::new();
        disk::write_with(&self.path.join(name), |out| fill(&mut Hashing { out, hash: &mut hash }))?;
        let sha256 = disk::hexadecimal(&hash.finalize());
        self.written.push(File { name: name.to_owned(), sha256 });
        Ok(())
    }

    fn put_table(&mut self, name: &str, table: Table<'_>) -> Result<(), disk::Error> {
        self.put_with(name, |out| render::csv::write(table, out).map(drop))
    }

    fn put_json(&mut self, name: &str, value: &impl Serialize) -> Result<(), disk::Error> {
        let mut bytes = serde_json::to_vec_pretty(value).expect("plain data becomes JSON");
        bytes.push(b'\n');
        self.put(name, &bytes)
    }
}

/// Hashes what passes through.
struct Hashing<'a> {
    out: &'a mut dyn Write,
    hash: &'a mut Sha256,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes the month's folder, or its `.rejected` one when it does not reconcile; returns where and how it ended.
pub fn publish(
    edition: &Edition<'_>,
    out: &Path,
) -> Result<(PathBuf, Vec<Condition>), disk::Error> {
    let report = edition.report;
    let conditions = condition::of(report);
    let month = report.month.to_string();
    let part = out.join(format!(".{month}.part"));
    disk::remove_folder(&part)?;
    if let Err(error) = make(edition, &conditions, &part) {
        // The first error is the one to tell; the half-filled folder is of no use.
        drop(disk::remove_folder(&part));
        return Err(error);
    }
    let rejected = conditions.contains(&Condition::DoesNotReconcile);
    let place = out.join(match edition.restatement {
        _ if rejected => rejected_name(report.month),
        Some(_) => restatement_name(report.month),
        None => month,
    });
    disk::replace_folder(&part, &place)?;
    if !rejected {
        // An earlier attempt that did not reconcile is answered by this one.
        disk::remove_folder(&out.join(rejected_name(report.month)))?;
    }
    Ok((place, conditions))
}

/// The name of the folder of a report that does not reconcile.
pub fn rejected_name(month: Month) -> String {
    format!("{month}.rejected")
}

/// The name of the folder that tells how a closed month differs now.
pub fn restatement_name(month: Month) -> String {
    format!("{month}.restatement")
}

/// Writes every file of a report into a folder; returns their names and hashes.
pub fn make(
    edition: &Edition<'_>,
    conditions: &[Condition],
    place: &Path,
) -> Result<BTreeMap<String, String>, disk::Error> {
    disk::create_folder(&place.join("charts"))?;
    let mut folder = Folder { path: place.to_owned(), written: Vec::new() };
    let mut files = fill(&mut folder, edition, conditions)?;
    files.append(&mut folder.written);
    Ok(files.into_iter().map(|file| (file.name, file.sha256)).collect())
}

fn fill(
    folder: &mut Folder,
    edition: &Edition<'_>,
    conditions: &[Condition],
) -> Result<Vec<File>, disk::Error> {
    let report = edition.report;
    folder.put_table("owners.csv", files::owners(report))?;
    folder.put_table("lines.csv", files::lines(report, edition.line_months))?;
    folder.put_table("unattributed.csv", files::unattributed(report))?;
    folder.put_table("trend.csv", files::trend(report))?;
    folder.put_table("alerts.csv", files::alerts(edition.alerts))?;
    let statements = report.terms.is_charging().then(|| statement::of(report)).flatten();
    let drawings = drawing::drawings(report, edition.definitions, statements.as_ref());
    for (name, Drawing { svg, png }) in &drawings {
        folder.put(&format!("charts/{name}.svg"), svg.as_bytes())?;
        folder.put(&format!("charts/{name}.png"), png)?;
    }
    if let Some(restatement) = edition.restatement {
        folder.put_table("restatement.csv", restate::table(restatement))?;
        folder.put_json("restatement.json", &restated::summary(report, restatement))?;
    }
    if let Some(statements) = &statements {
        put_statements(folder, statements, conditions)?;
    }
    let notes = notes::of(report);
    let (alerts, definitions) = (edition.alerts, edition.definitions);
    let mut page =
        page::page(report, alerts, definitions, &drawings, &notes, conditions, statements.as_ref());
    page.sections.splice(0..0, edition.restatement.map(restated::section));
    folder.put("report.html", render::html::render(&page).as_bytes())?;
    folder.put_json("summary.json", &summary(report, conditions, notes))?;
    let outputs = std::mem::take(&mut folder.written);
    folder.put_json("manifest.json", &published(edition, &outputs))?;
    Ok(outputs)
}

/// Writes what each team is charged: one file of all, a page and a CSV each, and the journal.
fn put_statements(
    folder: &mut Folder,
    statements: &Statements<'_>,
    conditions: &[Condition],
) -> Result<(), disk::Error> {
    folder.put_table("teams.csv", charged::teams(statements))?;
    disk::create_folder(&folder.path.join("teams"))?;
    for statement in &statements.statements {
        let sheet = cli::statement::sheet(statements, statement, conditions);
        let html = render::statement::render(&sheet);
        folder.put(&format!("teams/{}.html", statement.stem), html.as_bytes())?;
        let rows = charged::statement(statements, statement);
        folder.put_table(&format!("teams/{}.csv", statement.stem), rows)?;
    }
    if let Some(entries) = charged::journal(statements) {
        let currency = &statements.report.snapshot.manifest.currency;
        folder.put_table("journal.csv", journal::tabulate(&entries, currency))?;
    }
    Ok(())
}

fn receipt(report: &Report<'_>) -> ReceiptSummary {
    let counted = report.snapshot.manifest.receipt;
    ReceiptSummary { counted, usd: counted.usd(), usd_at_most: counted.usd_at_most() }
}

fn summary<'a>(report: &'a Report<'a>, conditions: &[Condition], notes: Vec<Note>) -> Summary<'a> {
    let manifest = &report.snapshot.manifest;
    let bridge = control::bridge(manifest, report.month);
    let lines = report.ledger.of_month(report.month).iter();
    let residual = lines.filter(|line| line.is_residual()).map(|line| &line.amounts).sum();
    let coverage = report.coverage(report.month);
    let judgement = report.judgement(report.month);
    Summary {
        schema: SCHEMA,
        month: report.month,
        currency: &manifest.currency,
        metric: report.metric.name(),
        billing_view: manifest.billing_view.as_deref().unwrap_or("billable"),
        bill: bridge[0].amounts,
        bridge: bridge
            .iter()
            .map(|step| BridgeStep {
                what: step.what.clone(),
                amount: step.amounts.get(report.metric),
            })
            .collect(),
        metric_bridge: invoice::bridge(report)
            .into_iter()
            .map(|step| BridgeStep { what: step.what, amount: step.amount })
            .collect(),
        control_total: control::scope_total(manifest, report.month),
        ledger_total: report.ledger.total(report.month),
        outside: report.charges.shares(report.month).iter().map(|(_, share)| share).sum(),
        charged_total: report.charges.total(report.month),
        adjustments: report
            .charges
            .books
            .booked_in(report.month)
            .into_iter()
            .map(|(of, amounts)| Booked { of, amounts })
            .collect(),
        residual,
        coverage: coverage.map(|coverage| Covered {
            attributed: coverage.attributed,
            shared: coverage.shared,
            unattributed: coverage.unattributed,
        }),
        settlement: judgement.settlement.name(),
        settlement_because: judgement.because,
        receipt: receipt(report),
        conditions: conditions.iter().map(|condition| condition.name()).collect(),
        notes,
    }
}

fn published<'a>(edition: &'a Edition<'a>, outputs: &'a [File]) -> Published<'a> {
    let manifest = &edition.report.snapshot.manifest;
    let mut inputs: Vec<File> = manifest
        .segments
        .iter()
        .map(|segment| File {
            name: format!("segments/{}.parquet", segment.sha256),
            sha256: segment.sha256.clone(),
        })
        .collect();
    inputs.push(File {
        name: format!("inventory/{}.json", manifest.inventory_sha256),
        sha256: manifest.inventory_sha256.clone(),
    });
    let bytes = crate::store::snapshots::to_json(manifest);
    inputs.push(File { name: format!("snapshots/{}.json", manifest.id), sha256: sha256(&bytes) });
    Published {
        schema: SCHEMA,
        program: env!("CARGO_PKG_VERSION"),
        month: edition.report.month,
        snapshot: &manifest.id,
        taken_at: manifest.taken_at,
        configuration_sha256: sha256(edition.configuration.as_bytes()),
        receipt: receipt(edition.report),
        inputs,
        outputs,
    }
}
