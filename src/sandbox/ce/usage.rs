//! Owns `GetCostAndUsage`: its checks, its pages and the JSON of its answer.
//!
//! **Invariant:** what the pages hold together is what one unbounded page would hold.

use std::fmt::{self, Write};
use std::sync::Arc;

use serde_json::{Value, json};

use super::page::Cursor;
use super::query::{Group, Query, Sheet, Slot, Sums};
use super::time::{granularity, past_period};
use crate::sandbox::bill::Metric;
use crate::sandbox::wire::{Body, Caller, Refusal};
use crate::sandbox::world::World;

/// A computed answer, of which pages are cut.
#[derive(Debug)]
pub(super) struct Answer {
    sheet: Sheet,
    metrics: Vec<Metric>,
    prefixes: Vec<String>,
    definitions: String,
    attributes: String,
    estimated: Vec<bool>,
}

/// Answers one page.
pub(super) fn get_cost_and_usage(
    world: &mut World,
    caller: &Caller,
    body: &Value,
) -> Result<Body, Refusal> {
    let expire_after = world.faults.expire_tokens_after;
    let (answer, cursor, id) = match world.pages.resume(caller, body, expire_after)? {
        Some(continued) => {
            let answer = continued.answer.ok_or_else(|| {
                Refusal::new("InvalidNextTokenException", "Invalid NextPageToken.")
            })?;
            (answer, continued.cursor, Some(continued.id))
        }
        None => (Arc::new(compute(world, caller, body)?), (0, 0), None),
    };
    let room = usize::try_from(world.variants.page_groups.max(1)).unwrap_or(usize::MAX);
    let end = answer.page_end(cursor, room);
    let token = end.map(|end| {
        let pages = &mut world.pages;
        let id = id.unwrap_or_else(|| pages.keep(caller, body, Some(Arc::clone(&answer))));
        pages.token(id, end)
    });
    let delta = tamper(world, body);
    Ok(Body::Written(answer.write(cursor, end, token.as_deref(), delta)))
}

fn compute(world: &World, caller: &Caller, body: &Value) -> Result<Answer, Refusal> {
    check_billing_view(body)?;
    let granularity = granularity(world, body)?;
    let period = past_period(world, body)?;
    let names = body.get("Metrics").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if names.is_empty() {
        return Err(Refusal::invalid("Selected metrics cannot be null."));
    }
    let parse = |name: &Value| {
        name.as_str().and_then(Metric::parse).ok_or_else(|| {
            let name = name.as_str().unwrap_or_default();
            Refusal::invalid(format!("Metric {name} is not supported"))
        })
    };
    let mut metrics = names.iter().map(parse).collect::<Result<Vec<Metric>, Refusal>>()?;
    metrics.sort_unstable();
    metrics.dedup();
    let mut query = Query::new(world, caller, body.get("Filter"), body.get("GroupBy"))?;
    query.periods = granularity.buckets(period);
    query.monthly = granularity == super::time::Granularity::Monthly;
    let sheet = query.run(world);
    let estimated = sheet.slots.iter().map(|slot| world.is_estimated(slot.period.start)).collect();
    Ok(Answer {
        attributes: attributes(world, &query, &sheet).to_string(),
        definitions: body.get("GroupBy").cloned().unwrap_or_else(|| json!([])).to_string(),
        prefixes: query.groups.iter().map(Group::prefix).collect(),
        sheet,
        metrics,
        estimated,
    })
}

/// Checks the form of `BillingViewArn`, where there is one.
pub(super) fn check_billing_view(body: &Value) -> Result<(), Refusal> {
    let Some(arn) = body.get("BillingViewArn").and_then(Value::as_str) else { return Ok(()) };
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let good = matches!(parts.as_slice(), ["arn", partition, "billing", "", account, view]
        if partition.starts_with("aws")
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && view.strip_prefix("billingview/").is_some_and(|name| !name.is_empty()));
    if good { Ok(()) } else { Err(Refusal::invalid(format!("Invalid billing view: {arn}"))) }
}

fn attributes(world: &World, query: &Query, sheet: &Sheet) -> Value {
    let by_account = query
        .groups
        .iter()
        .any(|group| matches!(group, Group::Dimension(super::dimension::Dimension::LinkedAccount)));
    if !by_account {
        return json!([]);
    }
    let accounts = world.organisation.accounts.iter();
    accounts
        .filter(|account| sheet.names.contains(&account.id))
        .map(|account| json!({"Value": account.id, "Attributes": {"description": account.name}}))
        .collect()
}

/// Returns what the fault adds to this page, if its turn has come.
fn tamper(world: &mut World, body: &Value) -> Option<i128> {
    let tamper = world.faults.tamper.as_mut()?;
    if !body.to_string().contains(&tamper.request_contains) {
        return None;
    }
    tamper.seen += 1;
    (tamper.seen == tamper.page).then(|| tamper.delta.units() / 100)
}

impl Answer {
    /// Returns where the next page starts, if there is one.
    fn page_end(&self, cursor: Cursor, room: usize) -> Option<Cursor> {
        let mut room = room;
        let mut skipped = cursor.1;
        for (at, slot) in self.sheet.slots.iter().enumerate().skip(cursor.0) {
            let rest = if self.prefixes.is_empty() { 0 } else { slot.rows.len() - skipped };
            if rest > room {
                return Some((at, skipped + room));
            }
            room -= rest;
            skipped = 0;
        }
        None
    }

    fn write(
        &self,
        cursor: Cursor,
        end: Option<Cursor>,
        token: Option<&str>,
        delta: Option<i128>,
    ) -> String {
        let mut page = String::with_capacity(1 << 16);
        page.push_str("{\"GroupDefinitions\":");
        page.push_str(&self.definitions);
        page.push_str(",\"ResultsByTime\":[");
        let mut delta = delta;
        let (last, last_row) = end.unwrap_or((self.sheet.slots.len(), 0));
        for (at, slot) in self.sheet.slots.iter().enumerate().skip(cursor.0) {
            let from = if at == cursor.0 { cursor.1 } else { 0 };
            let to = if at == last { last_row } else { slot.rows.len() };
            if at > last || (at == last && to == 0) {
                break;
            }
            if at > cursor.0 {
                page.push(',');
            }
            self.write_slot(&mut page, at, slot, (from, to), &mut delta);
        }
        page.push_str("],\"DimensionValueAttributes\":");
        page.push_str(&self.attributes);
        if let Some(token) = token {
            page.push_str(",\"NextPageToken\":");
            push_text(&mut page, token);
        }
        page.push('}');
        page
    }

    fn write_slot(
        &self,
        page: &mut String,
        at: usize,
        slot: &Slot,
        (from, to): (usize, usize),
        delta: &mut Option<i128>,
    ) {
        let Slot { period, rows, total } = slot;
        let (start, end) = (period.start, period.end);
        push(page, format_args!("{{\"TimePeriod\":{{\"Start\":\"{start}\",\"End\":\"{end}\"}}"));
        page.push_str(",\"Total\":");
        if self.prefixes.is_empty() {
            self.write_metrics(page, total, delta.take().unwrap_or(0));
            page.push_str(",\"Groups\":[]");
        } else {
            page.push_str("{},\"Groups\":[");
            for (index, (group, sums)) in rows[from..to].iter().enumerate() {
                page.push_str(if index == 0 { "{\"Keys\":[" } else { ",{\"Keys\":[" });
                for (nth, (id, prefix)) in group.iter().zip(&self.prefixes).enumerate() {
                    if nth > 0 {
                        page.push(',');
                    }
                    let name = &self.sheet.names[usize::try_from(*id).expect("ids are positions")];
                    push_text(page, &format!("{prefix}{name}"));
                }
                page.push_str("],\"Metrics\":");
                self.write_metrics(page, sums, delta.take().unwrap_or(0));
                page.push('}');
            }
            page.push(']');
        }
        page.push_str(if self.estimated[at] {
            ",\"Estimated\":true}"
        } else {
            ",\"Estimated\":false}"
        });
    }

    fn write_metrics(&self, page: &mut String, sums: &Sums, delta: i128) {
        page.push('{');
        for (nth, metric) in self.metrics.iter().enumerate() {
            if nth > 0 {
                page.push(',');
            }
            let amount = sums.amounts[metric.index()];
            let text =
                if metric.is_cost() { decimal(amount + delta, 10) } else { decimal(amount, 6) };
            let unit = sums.unit(*metric);
            let name = metric.name();
            push(page, format_args!("\"{name}\":{{\"Amount\":\"{text}\",\"Unit\":\"{unit}\"}}"));
        }
        page.push('}');
    }
}

fn push(page: &mut String, text: fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a string takes any text");
}

fn push_text(page: &mut String, text: &str) {
    page.push_str(&Value::from(text).to_string());
}

/// Prints a decimal as Cost Explorer does: trimmed, and below 10⁻⁶ with an exponent.
pub(super) fn decimal(value: i128, places: usize) -> String {
    if value == 0 {
        return "0".to_owned();
    }
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", value.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let fraction = fraction.trim_end_matches('0');
    let leading = fraction.len() - fraction.trim_start_matches('0').len();
    if whole == "0" && leading >= 6 {
        let (first, rest) = fraction[leading..].split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{first}{point}{rest}E-{}", leading + 1);
    }
    if fraction.is_empty() {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn amounts_are_printed_as_the_live_service_does() {
        for (value, text) in [
            (0, "0"),
            (10_000_000_000, "1"),
            (-10_000_000_000, "-1"),
            (403_527_508_453, "40.3527508453"),
            (12_300, "0.00000123"),
            (10_000, "0.000001"),
            (1200, "1.2E-7"),
            (-1, "-1E-10"),
        ] {
            assert_eq!(decimal(value, 10), text);
        }
    }
}
