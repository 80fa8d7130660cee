//! Owns the order of work: from arguments to settings, to the command, to the exit code.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::alert::{self, Alert};
use crate::aws;
use crate::budget::Budget;
use crate::charge::{self, Charges};
use crate::cli::args::{Asking, AwsArgs, Place, Writing};
use crate::cli::clock::Clock;
use crate::cli::close::again;
use crate::cli::collect::{self, Options, inventory};
use crate::cli::condition::{self, Condition};
use crate::cli::config::Loaded;
use crate::cli::edition::{Making, with_edition};
use crate::cli::error::Failure;
use crate::cli::publish;
use crate::cli::ui::Ui;
use crate::each::Someone;
use crate::ledger;
use crate::metric::Metric;
use crate::money::Money;
use crate::note::NoteKind;
use crate::period::Month;
use crate::render::text::{dollars, percent};
use crate::report::Report;
use crate::snapshot::{Receipt, Snapshot};
use crate::store::{closed, disk, snapshots};

/// What every command needs.
pub struct Context {
    /// The configuration with all that it names.
    pub loaded: Loaded,
    /// The clock.
    pub clock: Clock,
    /// Talk.
    pub ui: Ui,
}

impl Context {
    /// The settings of a session with AWS.
    pub fn aws_settings(&self, args: &AwsArgs) -> aws::Settings {
        let config = &self.loaded.config.aws;
        let default = aws::Settings::default();
        aws::Settings {
            profile: args.profile.clone().or_else(|| config.profile.clone()),
            region: config.region.clone(),
            retry_backoff_ms_max: config.retry_backoff_ms_max,
            attempt_count_max: config.attempts_max.unwrap_or(default.attempt_count_max).max(1),
            attempt_timeout_s: config.attempt_timeout_s.or(default.attempt_timeout_s),
            ..default
        }
    }

    /// The month of a report: the one named, or the last full one.
    pub fn month(&self, named: Option<Month>) -> Result<Month, Failure> {
        let now = self.clock.now();
        let open = Month::of(jiff::tz::TimeZone::UTC.to_datetime(now).date());
        let Some(month) = named else { return Ok(open.plus(-1)) };
        if month > open {
            return Err(Failure::usage(
                format!("{month} lies in the future"),
                format!("name a month up to {open}"),
            ));
        }
        let first = open.plus(-collect::MONTHS_BACK_MAX);
        if month < first {
            return Err(Failure::usage(
                format!("{month} is beyond the reach of Cost Explorer"),
                format!("name a month from {first} on; Cost Explorer answers for 14 months"),
            ));
        }
        Ok(month)
    }

    fn options(&self, asking: &Asking, month: Month) -> Options {
        let places = self.places(&asking.aws);
        let unasked = (!self.ui.is_terminal()).then(|| Money::from_cents(100));
        Options {
            month,
            month_count: asking.months,
            daily_month_count: asking.daily_months,
            keys: self.loaded.config.keys.clone(),
            billing_view: self.loaded.config.billing_view_arn.clone(),
            places,
            spend_max: asking.max_spend.or(unasked),
            concurrency: usize::from(asking.concurrency),
            forecast: asking.aws_forecast.then(|| self.metric(None)),
            clock: self.clock,
            is_fresh: asking.fresh,
        }
    }

    /// The accounts whose inventory is read: the configuration's, else the caller's own.
    pub fn places(&self, args: &AwsArgs) -> Vec<inventory::Place> {
        let configured = self.loaded.config.account.iter().map(|account| inventory::Place {
            account: Some(account.id.clone()),
            role_arn: account.role_arn.clone(),
            external_id: account.external_id.clone(),
            regions: account.regions.clone(),
        });
        let places: Vec<inventory::Place> = configured.collect();
        if !places.is_empty() {
            return places;
        }
        let regions = args.region.clone();
        vec![inventory::Place { account: None, role_arn: None, external_id: None, regions }]
    }

    /// The budgets of the configuration; where one is for each of many, one for each who exists.
    pub fn budgets(
        &self,
        snapshot: &Snapshot,
        charges: &Charges<'_>,
    ) -> Result<Vec<Budget>, Failure> {
        let teams = charges.membership.teams.iter();
        let budgets =
            self.loaded.config.budgets_of(&Someone::everybody(&snapshot.inventory, teams));
        budgets.map_err(|two| Failure::usage(two, "give each a name of its own"))
    }

    /// The metric named, else the configuration's, else net amortized cost.
    pub fn metric(&self, named: Option<Metric>) -> Metric {
        named.or(self.loaded.config.metric).unwrap_or(Metric::NetAmortizedCost)
    }
}

/// What a collection may know of the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// The newest snapshot: its unchanged months, and owners that are gone.
    Earlier,
    /// Nothing, so that two of them are identical: the demonstration.
    Nothing,
}

/// Collects into the folder of snapshots; `None` when the person did not want it at that price.
pub async fn collect(
    context: &Context,
    settings: &aws::Settings,
    asking: &Asking,
    place: &Place,
    memory: Memory,
) -> Result<Option<Snapshot>, Failure> {
    let month = context.month(place.month)?;
    // The folder is tried before the first paid request.
    disk::prove_writable(&place.snapshots)?;
    let earlier = match memory {
        Memory::Earlier => newest(context, &place.snapshots)?,
        Memory::Nothing => None,
    };
    let session = aws::Session::open(settings).await?;
    let options = context.options(asking, month);
    let collected = collect::collect(&session, &options, earlier.as_ref(), &context.ui).await;
    context.ui.finish();
    let receipt = session.meter().receipt();
    let mut snapshot = match collected {
        Ok(Some(snapshot)) => snapshot,
        Ok(None) => {
            context.ui.line("Nothing was asked.");
            return Ok(None);
        }
        Err(error) => {
            if receipt != Receipt::default() {
                context.ui.receipt(&receipt);
            }
            return Err(error.into());
        }
    };
    if memory == Memory::Earlier {
        recall(&place.snapshots, &mut snapshot, earlier.as_ref())?;
    }
    let snapshot = snapshots::store(&place.snapshots, snapshot)?;
    context.ui.receipt(&receipt);
    context.ui.line(&format!(
        "Stored snapshot {} in `{}`.",
        snapshot.manifest.id,
        place.snapshots.display()
    ));
    Ok(Some(snapshot))
}

/// Takes in the newest inventory of the same organization where that is not the earlier snapshot's.
///
/// That snapshot's figures may be damaged, or a newer one may be of somebody else; who is gone is known all the same.
fn recall(
    folder: &Path,
    snapshot: &mut Snapshot,
    earlier: Option<&Snapshot>,
) -> Result<(), Failure> {
    for path in snapshots::list(folder)?.iter().rev() {
        let Ok(manifest) = snapshots::load_manifest(path) else { continue };
        if !snapshot.manifest.is_akin(&manifest) {
            continue;
        }
        if earlier.is_some_and(|earlier| earlier.manifest.id == manifest.id) {
            return Ok(());
        }
        if let Ok(inventory) = snapshots::load_inventory(folder, &manifest) {
            snapshot.inventory.carry_forward(&inventory, snapshot.manifest.taken_at);
            return Ok(());
        }
    }
    Ok(())
}

/// Loads the newest snapshot that can be used; one that cannot is said and passed over.
pub fn newest(context: &Context, folder: &Path) -> Result<Option<Snapshot>, Failure> {
    for path in snapshots::list(folder)?.iter().rev() {
        match snapshots::load(folder, path) {
            Ok(snapshot) => return Ok(Some(snapshot)),
            // A part that is gone is like a damaged one; any other trouble with the disk would come back after paying.
            Err(snapshots::Error::Disk(error)) if error.source.kind() != ErrorKind::NotFound => {
                return Err(error.into());
            }
            Err(error) => {
                context.ui.line(&format!("The newest snapshot is not used: {error}."));
            }
        }
    }
    Ok(None)
}

/// Writes a snapshot's report and prints its summary; of a closed month, what was closed. Returns the exit code.
pub fn report(
    context: &Context,
    folder: &Path,
    snapshot: &Snapshot,
    month: Month,
    writing: &Writing,
) -> Result<u8, Failure> {
    let kept = closed::load(folder)?;
    if let Some(closed) = kept.months.get(&month) {
        return again::report(context, folder, snapshot, (&kept, closed), writing);
    }
    let (metric, books) = (context.metric(writing.metric), kept.books());
    let making = Making { month, metric, writing, books, restatement: None };
    with_edition(context, snapshot, making, |edition| {
        disk::create_folder(&writing.out)?;
        let (place, conditions) = publish::publish(edition, &writing.out)?;
        summarise(context, edition.report, edition.alerts, &place, &conditions);
        Ok(condition::code(&conditions))
    })
}

pub(super) fn summarise(
    context: &Context,
    report: &Report<'_>,
    alerts: &[Alert],
    place: &Path,
    conditions: &[Condition],
) {
    let manifest = &report.snapshot.manifest;
    let ui = &context.ui;
    let total = report.total(report.month);
    let (coverage, judgement) = (report.coverage(report.month), report.judgement(report.month));
    let share = |money: Money| {
        let points = total.and_then(|total| money.basis_points_of(total));
        points.map(|points| format!(" ({})", percent(points))).unwrap_or_default()
    };
    ui.line(&format!(
        "{}: SageMaker cost {} {} by {}, {} ({}).",
        report.month,
        total.map_or_else(|| "(not delivered)".to_owned(), dollars),
        manifest.currency,
        report.metric.title(),
        judgement.settlement.title(),
        judgement.because
    ));
    if let Some(coverage) = coverage {
        ui.line(&format!(
            "  with an owner {}{}, in pools {}{}, without an owner {}{}",
            dollars(coverage.attributed),
            share(coverage.attributed),
            dollars(coverage.shared),
            share(coverage.shared),
            dollars(coverage.unattributed),
            share(coverage.unattributed),
        ));
    }
    let crossed = alerts.iter().filter(|alert| alert.state != alert::State::Within);
    for alert in crossed {
        ui.line(&format!("  budget {}", alert_text(alert)));
    }
    say_notes(ui, report);
    let verdict = if conditions.contains(&Condition::DoesNotReconcile) {
        "It does NOT reconcile; the earlier files are as they were. What was made is in"
    } else if conditions.is_empty() {
        "Every total reconciles. Files are in"
    } else {
        "What was read reconciles, and something is missing or moved. Files are in"
    };
    ui.line(&format!("{verdict} `{}`.", place.display()));
}

/// Says the notes that somebody must act on; those behind an exit code even when quiet.
pub(super) fn say_notes(ui: &Ui, report: &Report<'_>) {
    for note in crate::notes::of(report) {
        let text = format!("  {}: {}", note.kind.title().to_lowercase(), note.text);
        match note.kind {
            NoteKind::DoesNotReconcile | NoteKind::NotRead | NoteKind::Moving => ui.grave(&text),
            NoteKind::Key
            | NoteKind::MemberAccount
            | NoteKind::NotInventoried
            | NoteKind::NotDelivered => ui.line(&text),
            _ => {}
        }
    }
}

/// Tells one alert in a line.
pub fn alert_text(alert: &Alert) -> String {
    let amount = |money: Option<Money>| money.map_or_else(|| "unknown".to_owned(), dollars);
    let day = alert.day.map(|day| format!(" on {day}")).unwrap_or_default();
    let mut text = format!(
        "{} ({}, {}): {} threshold {} {}{day}; actual {}, forecast {} of limit {}",
        alert.budget,
        alert.source.name(),
        alert.span(),
        alert.watches.name(),
        amount(alert.threshold),
        alert.state.name(),
        amount(alert.actual),
        amount(alert.forecast),
        amount(alert.limit),
    );
    if !alert.remark.is_empty() {
        text.push_str(". ");
        text.push_str(&alert.remark);
    }
    text
}

/// Loads the named snapshot, or the newest.
pub fn load(folder: &Path, id: Option<&str>) -> Result<Snapshot, Failure> {
    match id {
        None => Ok(snapshots::load_newest(folder)?),
        Some(id) => {
            // An id out of a script must not lead out of the folder, so only listed ones are opened.
            let paths = snapshots::list(folder)?;
            let named = |path: &&PathBuf| path.file_stem().is_some_and(|stem| stem == id);
            match paths.iter().find(named) {
                Some(path) => Ok(snapshots::load(folder, path)?),
                None => Err(not_listed(folder, id, &paths)),
            }
        }
    }
}

fn not_listed(folder: &Path, id: &str, paths: &[PathBuf]) -> Failure {
    let message = format!("there is no snapshot `{id}` in `{}`", folder.display());
    let ids: Vec<String> = paths
        .iter()
        .rev()
        .take(5)
        .filter_map(|path| Some(format!("`{}`", path.file_stem()?.to_string_lossy())))
        .collect();
    let hint = if ids.is_empty() {
        "name the folder with `--snapshots DIR`; this one has none".to_owned()
    } else {
        format!("name one of the newest: {}", ids.join(", "))
    };
    Failure::usage(message, hint)
}

/// The month of an offline report: the one named, or the last full one when the snapshot was taken.
pub fn reported_month(snapshot: &Snapshot, named: Option<Month>) -> Month {
    let taken = jiff::tz::TimeZone::UTC.to_datetime(snapshot.manifest.taken_at).date();
    named.unwrap_or_else(|| Month::of(taken).plus(-1))
}

/// Tells whether a snapshot has a month at all.
pub fn check_month(snapshot: &Snapshot, month: Month) -> Result<(), Failure> {
    let manifest = &snapshot.manifest;
    if manifest.months().contains(&month) {
        return Ok(());
    }
    Err(Failure::usage(
        format!("the snapshot {} has nothing of {month}", manifest.id),
        format!(
            "name a month from {} to {}, or collect again",
            manifest.scope.first, manifest.scope.last
        ),
    ))
}

/// The exit code of a collection alone: what its report would end with.
pub fn collected_code(context: &Context, snapshot: &Snapshot) -> u8 {
    let ledger = ledger::post(snapshot);
    let month = reported_month(snapshot, None).max(snapshot.manifest.scope.first);
    let (terms, metric) = (&context.loaded.terms, context.metric(None));
    let charges = charge::charge(snapshot, &ledger, terms, metric);
    let report = Report { snapshot, ledger: &ledger, charges: &charges, terms, month, metric };
    let conditions = condition::of(&report);
    say_notes(&context.ui, &report);
    condition::code(&conditions)
}
