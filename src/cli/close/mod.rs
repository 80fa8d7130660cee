//! Owns `close`: freezing what is charged for a month, and booking what has changed since.
//!
//! **Invariant:** a month that does not reconcile is never closed, and one that is closed is closed once.

pub mod again;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::books::{Closing, Objection};
use crate::cli::args::CloseArgs;
use crate::cli::commands::{self, Context};
use crate::cli::condition::{self, Condition};
use crate::cli::edition::{Making, with_edition};
use crate::cli::error::{DONE, Failure, Kind};
use crate::cli::publish::{self, Edition};
use crate::metric::Amounts;
use crate::period::Month;
use crate::report::Report;
use crate::restate::{self, Figures, Place};
use crate::settle::{self, Settlement};
use crate::snapshot::{Manifest, Snapshot};
use crate::store::closed::{self, Basis, ClosedMonth, Kept};
use crate::store::disk;
use crate::store::freezer::{self, Freezer};

/// Closes a month, or books the restatement of one that is closed.
pub fn close(context: &Context, args: &CloseArgs) -> Result<u8, Failure> {
    let (month, kept) = (args.month, closed::load(&args.snapshots)?);
    match (kept.months.get(&month), args.book_in) {
        (Some(closed), Some(book_in)) => again::book(context, args, (&kept, closed), book_in),
        (Some(closed), None) => Err(Failure::refused(
            format!("{month} is closed already since {}", closed.closed_at),
            format!(
                "`apportion report --month {month}` writes it as it was closed, with what has changed since"
            ),
        )),
        (None, Some(_)) => Err(Failure::refused(
            format!("{month} is not closed, so there is nothing to book for it"),
            format!(
                "close it with `apportion close {month}`; until then its report simply changes"
            ),
        )),
        (None, None) => freeze(context, args, &kept),
    }
}

fn freeze(context: &Context, args: &CloseArgs, kept: &Kept) -> Result<u8, Failure> {
    let (month, writing) = (args.month, &args.writing);
    let snapshot = commands::load(&args.snapshots, args.snapshot.as_deref())?;
    let metric = context.metric(writing.metric);
    let making = |books| Making { month, metric, writing, books, restatement: None };
    let (objections, judgement) =
        with_edition(context, &snapshot, making(kept.books()), |edition| {
            let report = edition.report;
            Ok((objections(report, "closed", args.force)?, report.judgement(month)))
        })?;
    if judgement.settlement == Settlement::Settling {
        let why = judgement.because;
        context
            .ui
            .line(&format!("{month} is still settling: {why}. What comes late is a restatement."));
    }
    let mut books = kept.books();
    let closed_at = context.clock.now();
    let closing = Closing {
        at: closed_at,
        despite: objections,
        totals: Amounts::ABSENT,
        teams: BTreeMap::new(),
        is_restated: false,
    };
    books.closings.insert(month, closing.clone());
    let place = kept.place(month);
    disk::create_folder(&closed::home(&args.snapshots))?;
    let freezer = freezer::begin(&place)?;
    let part = freezer.part.clone();
    let frozen = with_edition(context, &snapshot, making(books), |edition| {
        put(context, &args.snapshots, freezer, edition, &closing, &place)
    });
    if let Err(error) = frozen {
        // The first error is the one to tell; what is half-filled is of no use.
        drop(disk::remove_folder(&part));
        return Err(error);
    }
    let kept = closed::load(&args.snapshots)?;
    let closed = &kept.months[&month];
    kept.restore(closed, &writing.out)?;
    context.ui.line(&format!(
        "{month} is {}: {} by {}. It is frozen in `{}`, and its files are in `{}`.",
        closing.text(),
        again::amount(closed, &closed.totals),
        metric.title(),
        place.display(),
        writing.out.join(month.to_string()).display()
    ));
    Ok(DONE)
}

/// Fills the folder of a closed month and puts it in its place.
fn put(
    context: &Context,
    snapshots: &Path,
    mut freezer: Freezer,
    edition: &Edition<'_>,
    closing: &Closing,
    place: &Path,
) -> Result<(), Failure> {
    let report = edition.report;
    let (manifest, month) = (&report.snapshot.manifest, report.month);
    let conditions = condition::of(report);
    let files = publish::make(edition, &conditions, &freezer.part.join(closed::REPORT))?;
    let named = files.into_iter().map(|(name, hash)| (format!("{}/{name}", closed::REPORT), hash));
    freezer.files.extend(named);
    let figures = restate::figures(report.charges, month);
    freezer.put_figures(&figures)?;
    let basis = basis(context, snapshots, manifest, &mut freezer)?;
    let team = |place: &Place| place.team.as_ref().map(ToString::to_string).unwrap_or_default();
    let closed = ClosedMonth {
        version: closed::VERSION,
        month,
        closed_at: closing.at,
        forced: closing.despite.clone(),
        metric: report.metric,
        currency: manifest.currency.clone(),
        basis,
        totals: restate::total(&figures),
        teams: summed(&figures, team),
        owners: summed(&figures, |place| place.owner.clone()),
        adjustments: report.adjustments().cloned().collect(),
        files: BTreeMap::new(),
    };
    Ok(freezer.close(place, closed)?)
}

fn summed(figures: &Figures, by: impl Fn(&Place) -> String) -> BTreeMap<String, Amounts> {
    let mut sums = BTreeMap::new();
    for (place, amounts) in figures {
        sums.entry(by(place)).or_insert(Amounts::ZERO).add(amounts);
    }
    sums
}

/// Freezes the configuration with its files, and tells all that figures were made from.
fn basis(
    context: &Context,
    snapshots: &Path,
    manifest: &Manifest,
    freezer: &mut Freezer,
) -> Result<Basis, Failure> {
    let loaded = &context.loaded;
    let inputs = freezer.put_inputs(&loaded.text, &loaded.files)?;
    Ok(Basis {
        snapshot: manifest.id.clone(),
        snapshot_sha256: closed::snapshot_sha256(snapshots, &manifest.id)?,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        configuration_sha256: disk::sha256(loaded.text.as_bytes()),
        inputs,
    })
}

/// Returns what speaks against fixing a month's charges, which `force` overrules, but never wrong sums.
fn objections(
    report: &Report<'_>,
    what: &str,
    is_forced: bool,
) -> Result<BTreeSet<Objection>, Failure> {
    let month = report.month;
    let judgement = settle::judge(&report.snapshot.manifest, month, None);
    let conditions = condition::of(report);
    if conditions.contains(&Condition::DoesNotReconcile) {
        return Err(Failure::refused(
            format!("{month} does not reconcile, and so it cannot be {what}"),
            "run `apportion run` again after some hours; what does not add up cannot be forced",
        ));
    }
    let found = [
        (judgement.settlement == Settlement::Open, Objection::Open, judgement.because.as_str()),
        (
            judgement.settlement == Settlement::Estimated,
            Objection::Estimated,
            judgement.because.as_str(),
        ),
        (
            conditions.contains(&Condition::Partial),
            Objection::Partial,
            "something could not be read; the notes of its report say what",
        ),
        (
            conditions.contains(&Condition::Moving),
            Objection::Moving,
            "something changed while it was read",
        ),
    ];
    let found: Vec<_> = found.into_iter().filter(|(applies, ..)| *applies).collect();
    if !found.is_empty() && !is_forced {
        let causes = found.iter().map(|(_, it, why)| format!("it is {}: {why}", it.name()));
        let hint =
            "wait, and collect again; or add `--force`, which is recorded and shown on every page";
        return Err(Failure {
            kind: Kind::Failed,
            message: format!("{month} cannot be {what} yet"),
            causes: causes.collect(),
            hints: vec![hint.to_owned()],
        });
    }
    Ok(found.into_iter().map(|(_, it, _)| it).collect())
}

/// Tells whether a snapshot has anything of a month.
fn has(snapshot: &Snapshot, month: Month) -> bool {
    snapshot.manifest.months().contains(&month)
}
