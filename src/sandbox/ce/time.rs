//! Owns the limits of time that Cost Explorer sets on a request.
//!
//! **Invariant:** the present is the world's clock.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::Value;

use super::query::{days, months};
use crate::period::{Month, Period};
use crate::sandbox::wire::Refusal;
use crate::sandbox::world::World;

/// The size of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Granularity {
    /// One bucket a day.
    Daily,
    /// One bucket a month.
    Monthly,
}

impl Granularity {
    /// Cuts a period into buckets.
    pub(super) fn buckets(self, period: Period) -> Vec<Period> {
        match self {
            Granularity::Daily => days(period),
            Granularity::Monthly => months(period),
        }
    }
}

/// Reads `Granularity`, whose hourly form nobody here has enabled.
pub(super) fn granularity(world: &World, body: &Value) -> Result<Granularity, Refusal> {
    match body.get("Granularity").and_then(Value::as_str) {
        Some("DAILY") => Ok(Granularity::Daily),
        Some("MONTHLY") => Ok(Granularity::Monthly),
        Some("HOURLY") => Err(hourly(world, body)),
        _ => Err(Refusal::invalid("Granularity is invalid. Valid values: DAILY, MONTHLY, HOURLY")),
    }
}

fn hourly(world: &World, body: &Value) -> Refusal {
    let text = |field| body.pointer(&format!("/TimePeriod/{field}")).and_then(Value::as_str);
    let stamps = [text("Start"), text("End")].map(|it| it.is_some_and(|it| it.contains('T')));
    if stamps.contains(&false) {
        return Refusal::invalid("Time period is invalid. Valid format is yyyy-MM-ddThh:mm:ssZ.");
    }
    match bound(body, "Start") {
        Ok(start) if start < world.today() - 14.days() => Refusal::invalid(
            "Start date is more than 14 days ago for hourly granularity. Please adjust start date \
             as we support only 14 days of data at hourly granularity.",
        ),
        Ok(_) => Refusal::new(
            "DataUnavailableException",
            "Data is not available. Hourly granularity is not enabled for this account",
        ),
        Err(refusal) => refusal,
    }
}

fn bound(body: &Value, field: &str) -> Result<Date, Refusal> {
    let text = body.pointer(&format!("/TimePeriod/{field}")).and_then(Value::as_str);
    let day = text.and_then(|text| match text.split_once('T') {
        None => (text.len() == 10).then(|| text.parse().ok()).flatten(),
        Some((day, time)) => (time.len() == 9 && time.ends_with('Z')).then(|| day.parse().ok())?,
    });
    day.ok_or_else(|| Refusal::invalid("Time period is invalid. Valid format is yyyy-MM-dd."))
}

/// Reads `TimePeriod` without looking at the clock.
pub(super) fn raw_period(body: &Value) -> Result<Period, Refusal> {
    Ok(Period { start: bound(body, "Start")?, end: bound(body, "End")? })
}

/// Reads `TimePeriod` of a question about the past.
pub(super) fn past_period(world: &World, body: &Value) -> Result<Period, Refusal> {
    let period = raw_period(body)?;
    if period.start >= period.end {
        return Err(Refusal::invalid("Start date (and hour) should be before end date (and hour)"));
    }
    let open = Month::of(world.today());
    if period.end > open.plus(1).start() {
        return Err(Refusal::invalid("end date past the beginning of next month"));
    }
    if period.start < open.plus(-13).start() {
        return Err(Refusal::invalid("You haven't enabled historical data beyond 14 months."));
    }
    Ok(period)
}
