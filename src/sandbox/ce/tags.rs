//! Owns the cost allocation tags: their listing, their status and the billing backfill.
//!
//! **Invariant:** only the payer sees or changes them.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::values::slice;
use crate::period::Month;
use crate::sandbox::organisation::{Backfill, TagKey};
use crate::sandbox::wire::{Body, Caller, Refusal};
use crate::sandbox::world::World;

const BACKFILL_HOURS: i64 = 21;

/// Answers the keys that billing knows.
pub(super) fn list_cost_allocation_tags(
    world: &mut World,
    caller: &Caller,
    body: &Value,
) -> Result<Body, Refusal> {
    payer_only(world, caller, "Failed to list Cost Allocation Tags")?;
    let wanted =
        |field: &str, is: &str| body.get(field).and_then(Value::as_str).is_none_or(|it| it == is);
    let named = |key: &str| {
        let keys = body.get("TagKeys").and_then(Value::as_array);
        keys.is_none_or(|keys| keys.iter().any(|it| it.as_str() == Some(key)))
    };
    let entries: Vec<Value> = world
        .organisation
        .tag_keys
        .iter()
        .filter(|it| named(&it.key) && wanted("Status", status(it)) && wanted("Type", kind(it)))
        .map(entry)
        .collect();
    let room = max_results(body)?;
    let (page, _, token) = slice(world, caller, body, entries, room)?;
    let mut answer = json!({ "CostAllocationTags": page });
    if let Some(token) = token {
        answer["NextToken"] = token.into();
    }
    Ok(answer.into())
}

fn max_results(body: &Value) -> Result<usize, Refusal> {
    match body.get("MaxResults") {
        None | Some(Value::Null) => Ok(100),
        Some(value) => value
            .as_u64()
            .filter(|count| (1..=1000).contains(count))
            .and_then(|count| usize::try_from(count).ok())
            .ok_or_else(|| Refusal::invalid("MaxResults must be from 1 to 1000")),
    }
}

fn entry(key: &TagKey) -> Value {
    let mut entry = json!({"TagKey": key.key, "Type": kind(key), "Status": status(key)});
    if let Some(at) = key.updated_at {
        entry["LastUpdatedDate"] = stamp(at).into();
    }
    if let Some(day) = key.last_used {
        entry["LastUsedDate"] = format!("{day}T00:00:00Z").into();
    }
    entry
}

fn kind(key: &TagKey) -> &'static str {
    if key.key.starts_with("aws:") { "AWSGenerated" } else { "UserDefined" }
}

fn is_on(key: &TagKey) -> bool {
    key.changes.last().is_some_and(|(_, on)| *on)
}

fn status(key: &TagKey) -> &'static str {
    if is_on(key) { "Active" } else { "Inactive" }
}

fn stamp(at: Timestamp) -> String {
    let at = TimeZone::UTC.to_datetime(at);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn payer_only(world: &World, caller: &Caller, doing: &str) -> Result<(), Refusal> {
    if caller.account == world.organisation.payer {
        return Ok(());
    }
    Err(Refusal::denied(format!(
        "{doing}: Linked account doesn't have access to cost allocation tags."
    )))
}

/// Changes the status of up to twenty keys.
pub(super) fn update_status(
    world: &mut World,
    caller: &Caller,
    body: &Value,
) -> Result<Body, Refusal> {
    payer_only(world, caller, "Failed to update Cost Allocation Tag")?;
    let entries = body.get("CostAllocationTagsStatus").and_then(Value::as_array);
    let entries = entries.map_or(&[][..], Vec::as_slice);
    if !(1..=20).contains(&entries.len()) {
        return Err(Refusal::invalid("CostAllocationTagsStatus must have 1 to 20 entries"));
    }
    let mut changes = Vec::new();
    let mut unknown = Vec::new();
    for entry in entries {
        let key = entry.get("TagKey").and_then(Value::as_str).unwrap_or_default();
        let on = match entry.get("Status").and_then(Value::as_str) {
            Some("Active") => true,
            Some("Inactive") => false,
            _ => return Err(Refusal::invalid("Status must be Active or Inactive")),
        };
        match world.organisation.tag_keys.iter().position(|it| it.key == key) {
            Some(at) => changes.push((at, on)),
            None => unknown.push(key),
        }
    }
    if changes.is_empty() && !world.variants.unknown_keys_partial {
        return Err(Refusal::invalid(format!(
            "Failed to update Cost Allocation Tag: Tag keys not found: {}",
            unknown.join(",")
        )));
    }
    let (today, now) = (world.today(), world.now);
    for (at, on) in changes {
        let key = &mut world.organisation.tag_keys[at];
        if is_on(key) != on {
            key.changes.push((today, on));
            key.updated_at = Some(now);
        }
    }
    let error = |key: &&str| {
        json!({
            "TagKey": key,
            "Code": "TagKeysNotFoundException",
            "Message": format!("Failed to update Cost Allocation Tag: {key}"),
        })
    };
    Ok(json!({"Errors": unknown.iter().map(error).collect::<Vec<Value>>()}).into())
}

/// Starts a billing backfill.
pub(super) fn start_backfill(
    world: &mut World,
    caller: &Caller,
    body: &Value,
) -> Result<Body, Refusal> {
    payer_only(world, caller, "Failed to start Cost Allocation Tag backfill")?;
    let text = body.get("BackfillFrom").and_then(Value::as_str).unwrap_or_default();
    let from: Timestamp =
        text.parse().map_err(|_| Refusal::invalid(format!("BackfillFrom is invalid: {text}")))?;
    let from = TimeZone::UTC.to_datetime(from).date();
    let today = world.today();
    if from.day() != 1 || from > today || from < Month::of(today).plus(-12).start() {
        return Err(Refusal::invalid(
            "BackfillFrom must be the first day of a month within the last 12 months",
        ));
    }
    let changed_since = |at: Timestamp| {
        world.organisation.tag_keys.iter().any(|key| key.updated_at.is_some_and(|it| it > at))
    };
    if let Some(last) = world.organisation.backfills.last() {
        if last.completed_at.is_none() {
            return Err(Refusal::new(
                "BackfillLimitExceededException",
                "A request to backfill is already in progress. Once the backfill request is \
                 complete, you can create another request.",
            ));
        }
        if last.from <= from && !changed_since(last.requested_at) {
            return Ok(json!({ "BackfillRequest": request(last) }).into());
        }
        if world.now < last.requested_at + 24.hours() {
            return Err(Refusal::new(
                "BackfillLimitExceededException",
                "You can request a backfill once in 24 hours.",
            ));
        }
    }
    let backfill = Backfill { from, requested_at: world.now, completed_at: None };
    let answer = json!({ "BackfillRequest": request(&backfill) });
    world.organisation.backfills.push(backfill);
    Ok(answer.into())
}

/// Answers the backfills, newest first.
pub(super) fn backfill_history(
    world: &mut World,
    caller: &Caller,
    body: &Value,
) -> Result<Body, Refusal> {
    payer_only(world, caller, "Failed to list Cost Allocation Tag backfill history")?;
    let requests: Vec<Value> = world.organisation.backfills.iter().rev().map(request).collect();
    let room = max_results(body)?;
    let (page, _, token) = slice(world, caller, body, requests, room)?;
    let mut answer = json!({ "BackfillRequests": page });
    if let Some(token) = token {
        answer["NextToken"] = token.into();
    }
    Ok(answer.into())
}

fn request(backfill: &Backfill) -> Value {
    let mut request = json!({
        "BackfillFrom": format!("{}T00:00:00Z", backfill.from),
        "RequestedAt": stamp(backfill.requested_at),
        "BackfillStatus": "PROCESSING",
        "LastUpdatedAt": stamp(backfill.requested_at),
    });
    if let Some(at) = backfill.completed_at {
        request["CompletedAt"] = stamp(at).into();
        request["LastUpdatedAt"] = stamp(at).into();
        request["BackfillStatus"] = "SUCCEEDED".into();
    }
    request
}

/// Completes the backfill that is under way, once the clock has come that far.
pub(super) fn settle_backfills(world: &mut World) {
    for backfill in &mut world.organisation.backfills {
        let done = backfill.requested_at + BACKFILL_HOURS.hours();
        if backfill.completed_at.is_none() && world.now >= done {
            backfill.completed_at = Some(done);
        }
    }
}
