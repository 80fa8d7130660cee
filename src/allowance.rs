//! Owns what a budget of AWS may show: the bill under its filter, from what lag may hide to what may have come since.
//!
//! AWS updates budgets up to three times a day, 8 to 12 hours apart, from a bill that lags itself
//! (AWS Cost Management User Guide, "Managing your costs with AWS Budgets").
//! **Invariant:** no clock: the present is given.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, Unit};

use crate::band::Band;
use crate::doubt::Doubt;
use crate::limit::Cycle;
use crate::metric::Metric;
use crate::money::Money;
use crate::period::{Month, Period, day_of};
use crate::reading::Reading;
use crate::snapshot::Manifest;

/// By how many days a budget may be behind the snapshot: a day of the bill's own lag, and a day of updates.
pub const LAG_DAYS: i32 = 2;

/// Over how many days before the snapshot the costliest one is looked for.
const GROWTH_DAYS: i32 = 28;

/// Returns how many days a snapshot is old.
pub fn age_days(manifest: &Manifest, now: Timestamp) -> i32 {
    let (taken, today) = (day_of(manifest.taken_at), day_of(now));
    let age = taken.until((Unit::Day, today)).expect("days of this era can be counted");
    age.get_days().max(0)
}

/// An end of what is known within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// What is in doubt is at its least.
    Least,
    /// What is in doubt is at its most.
    Most,
}

/// Returns what a budget may show now in its open run.
pub fn allowed(
    reading: &Reading,
    manifest: &Manifest,
    metric: Metric,
    cycle: Cycle,
    now: Timestamp,
) -> Band {
    bounds(reading, manifest, metric, cycle, now, None)
}

/// Returns what it may show if all that is in doubt were at one end, so that lag and growth alone part the bounds.
pub fn settled(
    reading: &Reading,
    manifest: &Manifest,
    metric: Metric,
    cycle: Cycle,
    now: Timestamp,
    end: End,
) -> Band {
    bounds(reading, manifest, metric, cycle, now, Some(end))
}

fn bounds(
    reading: &Reading,
    manifest: &Manifest,
    metric: Metric,
    cycle: Cycle,
    now: Timestamp,
    end: Option<End>,
) -> Band {
    let taken = day_of(manifest.taken_at);
    let run = cycle.run(day_of(now));
    let is_in_run = |month: &&Month| run.start < month.period().end && month.start() < run.end;
    if manifest.moving.iter().any(|month| is_in_run(&month)) {
        return Band::open(Doubt::Moving);
    }
    let mut band = Band::zero();
    let ends = Period { start: taken - LAG_DAYS.days(), end: taken + 1.day() };
    // What falls due later may be negative, so that the least and the most may lie on any of the days.
    for (index, day) in ends.days().enumerate() {
        let until = at(until(reading, metric, run, cycle, day), end);
        band.doubts.extend(until.doubts);
        let ends = (band.least.zip(until.least), band.most.zip(until.most));
        band.least = ends.0.map(|(old, new)| if index == 0 { new } else { old.min(new) });
        band.most = ends.1.map(|(old, new)| if index == 0 { new } else { old.max(new) });
    }
    let growth = growth(reading, manifest, metric, run, now, end);
    band.doubts.extend(growth.doubts);
    band.least = band.least.zip(growth.least).map(|(least, more)| least + more);
    band.most = band.most.zip(growth.most).map(|(most, more)| most + more);
    if cycle == Cycle::Daily {
        // AWS may still show the run of a day before, and none of the open one.
        band.least = band.least.map(|least| least.min(Money::ZERO));
    }
    band
}

/// Puts both bounds of a band at one end of it.
fn at(band: Band, end: Option<End>) -> Band {
    let one = match end {
        None => return band,
        Some(End::Least) => band.least,
        Some(End::Most) => band.most,
    };
    Band { least: one, most: one, ..band }
}

/// Returns what a run has come to by the end of a day.
fn until(reading: &Reading, metric: Metric, run: Period, cycle: Cycle, day: Date) -> Band {
    if day < run.start {
        return Band::zero();
    }
    if cycle == Cycle::Daily {
        return reading.days(metric, Period { start: run.start, end: day + 1.day() });
    }
    let last = Month::of(day);
    let before = Month::of(run.start).through(last.plus(-1)).into_iter();
    let before = before.map(|month| reading.month(metric, month)).fold(Band::zero(), Band::plus);
    before.plus(part(reading, metric, last, day))
}

/// Returns what a month has come to by the end of a day: by its days, or by the whole of it less the days after.
fn part(reading: &Reading, metric: Metric, month: Month, day: Date) -> Band {
    let period = month.period();
    let days = reading.days(metric, Period { end: day + 1.day(), ..period });
    let rest = reading.days(metric, Period { start: day + 1.day(), ..period });
    let (whole, beyond) = (reading.dated(metric, month), reading.beyond(metric, month));
    let less = |whole: Option<Money>, rest: Option<Money>| Some(whole? - rest?);
    let (least, most) = (less(whole.least, rest.most), less(whole.most, rest.least));
    let mut doubts = whole.doubts;
    let least = days.least.into_iter().chain(least).max();
    let most = days.most.into_iter().chain(most).min();
    if least.is_none() || most.is_none() {
        doubts.extend(days.doubts);
    }
    doubts.extend(beyond.doubts);
    // No day tells when these came.
    let low = beyond.least.map(|it| it.min(Money::ZERO));
    let high = beyond.most.map(|it| it.max(Money::ZERO));
    let sum = |one: Option<Money>, other: Option<Money>| Some(one? + other?);
    Band { least: sum(least, low), most: sum(most, high), doubts }
}

/// Returns what may have come since the snapshot: for each day and one more, the costliest of four weeks.
///
/// Days that cost less than nothing, as those of negations do, may have come as well.
fn growth(
    reading: &Reading,
    manifest: &Manifest,
    metric: Metric,
    run: Period,
    now: Timestamp,
    end: Option<End>,
) -> Band {
    let taken = day_of(manifest.taken_at);
    let window = Period { start: taken - GROWTH_DAYS.days(), end: taken + 1.day() };
    let days = window.days().map(|day| Period { start: day, end: day + 1.day() });
    let mut extremes = Band::zero();
    for day in days.map(|day| at(reading.days(metric, day), end)) {
        extremes.least = extremes.least.map(|old| old.min(day.least.unwrap_or(old)));
        extremes.most = extremes.most.zip(day.most).map(|(old, new)| old.max(new));
        extremes.doubts.extend(day.doubts.into_iter().filter(|_| day.most.is_none()));
    }
    let months = Month::of(run.start).through(Month::of(day_of(now)));
    let recent = [Month::of(taken), Month::of(taken).plus(-1)];
    if months.iter().chain(&recent).any(|month| reading.is_undated(*month)) {
        extremes.most = None;
        extremes.doubts.insert(Doubt::NoDays);
    }
    (0..=age_days(manifest, now)).map(|_| extremes.clone()).fold(Band::zero(), Band::plus)
}
