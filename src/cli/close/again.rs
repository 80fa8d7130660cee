//! Owns what becomes of a closed month afterwards: it is restored as it was, and compared with the present.
//!
//! **Invariant:** under the month's own name there are never other figures than those that were closed.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::tz::TimeZone;

use crate::charge;
use crate::cli::args::{CloseArgs, Writing};
use crate::cli::close::{basis, has, objections};
use crate::cli::commands::{self, Context};
use crate::cli::condition::{self, Condition};
use crate::cli::config::Loaded;
use crate::cli::edition::{Making, with_edition};
use crate::cli::error::{DONE, Failure};
use crate::cli::publish;
use crate::cli::restated;
use crate::ledger;
use crate::metric::{Amounts, Metric};
use crate::period::Month;
use crate::render::{self, text::dollars};
use crate::restate::{self, Figures, Restatement, States};
use crate::snapshot::{Manifest, Snapshot};
use crate::store::closed::{self, Basis, Booking, ClosedMonth, Kept};
use crate::store::{disk, freezer, snapshots};
use crate::terms::Terms;

/// A closed month among all that is kept.
type Frozen<'a> = (&'a Kept, &'a ClosedMonth);

/// Puts a closed month's report where it belongs, and what differs now beside it; returns the exit code.
pub fn report(
    context: &Context,
    folder: &Path,
    snapshot: &Snapshot,
    (kept, closed): Frozen<'_>,
    writing: &Writing,
) -> Result<u8, Failure> {
    let (month, ui) = (closed.month, &context.ui);
    let charged = kept.charged(closed)?;
    kept.restore(closed, &writing.out)?;
    let place = writing.out.join(month.to_string());
    ui.line(&format!(
        "{month} was {}, with {} by {}. Its files are in `{}`, as they were.",
        kept.books().closings[&month].text(),
        amount(closed, &closed.totals),
        closed.metric.title(),
        place.display()
    ));
    if writing.metric.is_some_and(|metric| metric != closed.metric) {
        ui.line(&format!("  It stays in {}, the metric in which it was closed.", closed.metric));
    }
    if let Some(booking) = kept.bookings_of(month).last() {
        let now = amount(closed, &restate::total(&charged));
        ui.line(&format!("  With what was booked for it, last in {}: {now}.", booking.booked_in));
    }
    if !has(snapshot, month) {
        let id = &snapshot.manifest.id;
        ui.line(&format!("The snapshot {id} has nothing of it, so there is nothing to compare."));
        return Ok(DONE);
    }
    let Some(restatement) = restatement(context, folder, snapshot, (kept, closed), charged)? else {
        for name in [publish::restatement_name(month), publish::rejected_name(month)] {
            disk::remove_folder(&writing.out.join(name))?;
        }
        ui.line("Nothing has changed: the same would be charged now.");
        return Ok(DONE);
    };
    let making = making(closed, kept, writing, Some(&restatement));
    with_edition(context, snapshot, making, |edition| {
        let (place, conditions) = publish::publish(edition, &writing.out)?;
        if conditions.contains(&Condition::DoesNotReconcile) {
            commands::summarise(context, edition.report, edition.alerts, &place, &conditions);
            return Ok(condition::code(&conditions));
        }
        ui.line(&format!("Restatement of {month}: {}.", restated::sentence(&restatement)));
        ui.line(&format!(
            "  It is in `{}`; `apportion close {month} --book-in YYYY-MM` books it in a later month.",
            place.display()
        ));
        commands::say_notes(ui, edition.report);
        Ok(condition::code(&conditions))
    })
}

fn making<'a>(
    closed: &ClosedMonth,
    kept: &Kept,
    writing: &'a Writing,
    restatement: Option<&'a Restatement>,
) -> Making<'a> {
    let (month, metric) = (closed.month, closed.metric);
    Making { month, metric, writing, books: kept.books(), restatement }
}

/// Books what a closed month would be charged more or less in a later month; returns the exit code.
pub fn book(
    context: &Context,
    args: &CloseArgs,
    (kept, closed): Frozen<'_>,
    book_in: Month,
) -> Result<u8, Failure> {
    let month = closed.month;
    check_month(context, kept, month, book_in)?;
    let snapshot = commands::load(&args.snapshots, args.snapshot.as_deref())?;
    let making = making(closed, kept, &args.writing, None);
    let forced = with_edition(context, &snapshot, making, |edition| {
        objections(edition.report, "booked", args.force)
    })?;
    let charged = kept.charged(closed)?;
    let found = restatement(context, &args.snapshots, &snapshot, (kept, closed), charged)?;
    let Some(restatement) = found else {
        context.ui.line(&format!("There is nothing to book: {month} would be charged as it is."));
        return Ok(DONE);
    };
    let count = kept.bookings_of(month).len();
    let number = u32::try_from(count + 1).expect("a month is restated a few times");
    let place = kept.booking_place(month, number);
    let mut freezer = freezer::begin(&place)?;
    let part = freezer.part.clone();
    let booked = (|| {
        let mut csv = Vec::new();
        render::csv::write(restate::table(&restatement), &mut csv)
            .expect("writing to memory does not fail");
        freezer.put("restatement.csv", &csv)?;
        let booking = Booking {
            version: closed::VERSION,
            of: month,
            number,
            booked_in: book_in,
            booked_at: context.clock.now(),
            forced,
            metric: closed.metric,
            currency: closed.currency.clone(),
            basis: basis(context, &args.snapshots, &snapshot.manifest, &mut freezer)?,
            old: restatement.old,
            new: restatement.new,
            rows: restatement.rows.clone(),
            files: BTreeMap::new(),
        };
        Ok(freezer.book(&place, booking)?)
    })();
    if let Err(error) = booked {
        // The first error is the one to tell; what is half-filled is of no use.
        drop(disk::remove_folder(&part));
        return Err(error);
    }
    context.ui.line(&format!(
        "Booked the restatement of {month} in {book_in}: {}. It is frozen in `{}`.",
        restated::sentence(&restatement),
        place.display()
    ));
    Ok(DONE)
}

fn check_month(
    context: &Context,
    kept: &Kept,
    month: Month,
    book_in: Month,
) -> Result<(), Failure> {
    let open = Month::of(TimeZone::UTC.to_datetime(context.clock.now()).date());
    if book_in <= month || book_in > open {
        return Err(Failure::usage(
            format!("a restatement of {month} cannot be booked in {book_in}"),
            format!("name a month after {month} and up to {open}"),
        ));
    }
    if kept.months.contains_key(&book_in) {
        return Err(Failure::refused(
            format!("{book_in} is closed, so nothing can be booked in it"),
            "name a later month that is not closed",
        ));
    }
    Ok(())
}

/// Returns what would be charged now where that is not what was charged.
fn restatement(
    context: &Context,
    folder: &Path,
    snapshot: &Snapshot,
    (kept, closed): Frozen<'_>,
    charged: Figures,
) -> Result<Option<Restatement>, Failure> {
    let (place, basis) = kept.basis(closed);
    let (frozen, loaded) = thaw(folder, closed.month, &place, basis)?;
    let (then, now) = (&frozen.manifest, &snapshot.manifest);
    let seen = |it: &Manifest| (it.caller.clone(), it.billing_view.clone(), it.currency.clone());
    if seen(then) != seen(now) {
        return Err(Failure::refused(
            format!(
                "the snapshot {} is of another account, billing view or currency than {} was closed from",
                now.id, closed.month
            ),
            format!("name one like {} with `--snapshot`, or collect as then", then.id),
        ));
    }
    let figures =
        |snapshot: &Snapshot, terms: &Terms| figures(snapshot, terms, closed.metric, closed.month);
    let program = figures(&frozen, &loaded.terms);
    let is_same_data = frozen.manifest == snapshot.manifest;
    let data = if is_same_data { program.clone() } else { figures(snapshot, &loaded.terms) };
    let is_same = loaded.terms == context.loaded.terms;
    let terms = if is_same { data.clone() } else { figures(snapshot, &context.loaded.terms) };
    let (old, new) = (restate::total(&charged), restate::total(&terms));
    let states = States { charged, program, data, terms };
    let is_backfilled = frozen.manifest.backfills != snapshot.manifest.backfills;
    let rows = restate::compare(&states, is_backfilled);
    Ok((!rows.is_empty()).then(|| Restatement {
        of: closed.month,
        closed_at: closed.closed_at,
        metric: closed.metric,
        currency: closed.currency.clone(),
        old,
        new,
        rows,
    }))
}

/// Returns the snapshot and the configuration that a closed month's figures were made from.
fn thaw(
    folder: &Path,
    month: Month,
    place: &Path,
    basis: &Basis,
) -> Result<(Snapshot, Loaded), Failure> {
    let snapshot = snapshots::load(folder, &closed::frozen_snapshot(folder, basis)?)?;
    let (text, files) = closed::inputs(place, basis)?;
    let loaded = Loaded::with(&text, files).map_err(|why| {
        let message = format!("the configuration that {month} was closed with cannot be used");
        Failure { causes: vec![why], ..Failure::refused(message, by_version(basis)) }
    })?;
    Ok((snapshot, loaded))
}

fn by_version(basis: &Basis) -> String {
    format!("use version {} of the program, which closed it", basis.program)
}

/// Returns what a closed month was closed from, after checking that its figures still follow from it.
pub fn closed_from(
    folder: &Path,
    (kept, closed): Frozen<'_>,
) -> Result<(Snapshot, Loaded), Failure> {
    let (snapshot, loaded) = thaw(folder, closed.month, &kept.place(closed.month), &closed.basis)?;
    if figures(&snapshot, &loaded.terms, closed.metric, closed.month) == kept.figures(closed)? {
        return Ok((snapshot, loaded));
    }
    let message = format!(
        "this version of the program gives other figures than {} was closed with",
        closed.month
    );
    Err(Failure::refused(message, by_version(&closed.basis)))
}

fn figures(snapshot: &Snapshot, terms: &Terms, metric: Metric, month: Month) -> Figures {
    let ledger = ledger::post(snapshot);
    restate::figures(&charge::charge(snapshot, &ledger, terms, metric), month)
}

/// Tells an amount of a closed month in its metric and currency.
pub(super) fn amount(closed: &ClosedMonth, amounts: &Amounts) -> String {
    let money = amounts.get(closed.metric);
    let money = money.map_or_else(|| "(not delivered)".to_owned(), dollars);
    format!("{money} {}", closed.currency)
}
