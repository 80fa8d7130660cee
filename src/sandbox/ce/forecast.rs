//! Owns `GetCostForecast`: the last four weeks' weekday means, carried forward.
//!
//! **Invariant:** the forecast comes from the bill's own recent days; nothing random.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::query::{Query, days};
use super::time::{Granularity, granularity, raw_period};
use super::usage::{check_billing_view, decimal};
use crate::period::{Month, Period};
use crate::sandbox::bill::Metric;
use crate::sandbox::wire::{Body, Caller, Refusal};
use crate::sandbox::world::World;

const WEEKS: i64 = 4;

/// Answers a forecast.
pub(super) fn get_cost_forecast(
    world: &World,
    caller: &Caller,
    body: &Value,
) -> Result<Body, Refusal> {
    check_billing_view(body)?;
    let granularity = granularity(world, body)?;
    let period = future_period(world, body, granularity)?;
    let name = body.get("Metric").and_then(Value::as_str).unwrap_or_default();
    let metric = Metric::parse(name)
        .filter(|metric| metric.is_cost() && name.contains('_'))
        .ok_or_else(|| Refusal::invalid(format!("Metric {name} is not supported")))?;
    let level = level(body)?;
    let means = weekday_means(world, caller, body.get("Filter"), metric)?;
    let expected = |bucket: Period| -> i128 { bucket.days().map(|day| means.on(day)).sum() };
    let rows: Vec<Value> = granularity
        .buckets(period)
        .into_iter()
        .map(|bucket| row(bucket, expected(bucket), level))
        .collect();
    Ok(json!({
        "Total": {"Amount": decimal(expected(period), 10), "Unit": "USD"},
        "ForecastResultsByTime": rows,
    })
    .into())
}

fn row(bucket: Period, mean: i128, level: Option<i64>) -> Value {
    let mut row = json!({
        "TimePeriod": {"Start": bucket.start.to_string(), "End": bucket.end.to_string()},
        "MeanValue": decimal(mean, 10),
    });
    if let Some(level) = level {
        // The more certain the interval shall be, the wider it is: a tenth at 51, nearly half at 99.
        let width = mean.abs() * i128::from(level - 41) / 100;
        row["PredictionIntervalLowerBound"] = decimal(mean - width, 10).into();
        row["PredictionIntervalUpperBound"] = decimal(mean + width, 10).into();
    }
    row
}

fn level(body: &Value) -> Result<Option<i64>, Refusal> {
    match body.get("PredictionIntervalLevel") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_i64()
            .filter(|level| (51..=99).contains(level))
            .map(Some)
            .ok_or_else(|| Refusal::invalid("PredictionIntervalLevel must be from 51 to 99")),
    }
}

fn future_period(world: &World, body: &Value, granularity: Granularity) -> Result<Period, Refusal> {
    let period = raw_period(body)?;
    if period.start >= period.end {
        return Err(Refusal::invalid(format!(
            "Requested Start: {} must be before requested End: {}",
            period.start, period.end
        )));
    }
    let earliest = world.today() - 1.day();
    if period.start < earliest {
        return Err(Refusal::invalid(format!("Earliest supported Start is {earliest}")));
    }
    let months = if granularity == Granularity::Daily { 3 } else { 18 };
    let latest = Month::of(world.today()).plus(months).period().end;
    if period.end > latest {
        return Err(Refusal::invalid(format!("Latest supported End is {latest}")));
    }
    Ok(period)
}

/// The mean of each weekday.
struct Means([i128; 7]);

impl Means {
    fn on(&self, day: Date) -> i128 {
        self.0[weekday(day)]
    }
}

fn weekday(day: Date) -> usize {
    usize::try_from(day.weekday().to_monday_zero_offset()).expect("weekdays are 0 to 6")
}

fn weekday_means(
    world: &World,
    caller: &Caller,
    filter: Option<&Value>,
    metric: Metric,
) -> Result<Means, Refusal> {
    let end = world.visible_end();
    let mut query = Query::new(world, caller, filter, None)?;
    query.periods = days(Period { start: end - (WEEKS * 7).days(), end });
    query.monthly = false;
    let sheet = query.run(world);
    let is_empty = |slot: &super::query::Slot| slot.rows.is_empty();
    if sheet.slots.iter().take(7).all(is_empty) {
        return Err(Refusal::new(
            "DataUnavailableException",
            "Insufficient amount of historical data",
        ));
    }
    let mut means = [0; 7];
    for slot in &sheet.slots {
        // A fee that falls on the first of a month is not what a day costs.
        if slot.period.start.day() != 1 {
            means[weekday(slot.period.start)] += slot.total.amounts[metric.index()];
        }
    }
    for (at, mean) in means.iter_mut().enumerate() {
        let seen = sheet
            .slots
            .iter()
            .filter(|slot| slot.period.start.day() != 1 && weekday(slot.period.start) == at);
        *mean /= i128::try_from(seen.count().max(1)).expect("a few weeks");
    }
    Ok(Means(means))
}
