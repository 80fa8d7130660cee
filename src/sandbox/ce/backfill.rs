//! Owns the billing backfills of cost allocation tags: their request, their course and their history.
//!
//! **Invariant:** at most one is under way, and one rewrites history with the statuses of its request only.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::tags::{page_of, payer_only, stamp};
use crate::period::Month;
use crate::sandbox::organisation::Backfill;
use crate::sandbox::wire::{Body, Caller, Refusal};
use crate::sandbox::world::World;

/// How long one takes, as in the sample of `API_StartCostAllocationTagBackfill`.
const COURSE_MINUTES: i64 = 21 * 60 + 30;

/// Starts a backfill, or answers with the last one where nothing has changed since.
pub(super) fn start(world: &mut World, caller: &Caller, body: &Value) -> Result<Body, Refusal> {
    payer_only(world, caller, "Failed to start Cost Allocation Tag backfill")?;
    let from = first_day(world, body)?;
    let active = world.organisation.active_keys();
    if let Some(last) = world.organisation.backfills.last() {
        if last.completed_at.is_none() {
            return Err(Refusal::new(
                "BackfillLimitExceededException",
                "A request to backfill is already in progress. Once the backfill request is \
                 complete, you can create another request.",
            ));
        }
        let is_since = |at: Timestamp| at > last.requested_at;
        let mut keys = world.organisation.tag_keys.iter();
        let changed = active != last.active || keys.any(|key| key.updated_at.is_some_and(is_since));
        let reaches = last.from <= from || world.variants.backfill_skips_further;
        if !last.failed && reaches && !changed {
            return Ok(json!({ "BackfillRequest": request(last) }).into());
        }
        if world.now < last.requested_at + 24.hours() {
            return Err(Refusal::new(
                "BackfillLimitExceededException",
                "You can request a backfill once in 24 hours.",
            ));
        }
    }
    let backfill = Backfill { from, requested_at: world.now, active, ..Backfill::default() };
    let answer = json!({ "BackfillRequest": request(&backfill) });
    world.organisation.backfills.push(backfill);
    Ok(answer.into())
}

fn first_day(world: &World, body: &Value) -> Result<jiff::civil::Date, Refusal> {
    let text = body.get("BackfillFrom").and_then(Value::as_str).unwrap_or_default();
    let from: Timestamp = text
        .parse()
        .ok()
        .filter(|_| is_plain(text))
        .ok_or_else(|| Refusal::invalid(format!("BackfillFrom is invalid: {text}")))?;
    let from = TimeZone::UTC.to_datetime(from).date();
    let today = world.today();
    if from.day() != 1 || from > today || from < Month::of(today).plus(-12).start() {
        return Err(Refusal::invalid(
            "BackfillFrom must be the first day of a month within the last 12 months",
        ));
    }
    Ok(from)
}

/// Tells whether an instant has the form that the API reference gives: to the second, with `Z` or an offset.
fn is_plain(text: &str) -> bool {
    let forms = ["0000-00-00T00:00:00Z", "0000-00-00T00:00:00+00:00", "0000-00-00T00:00:00-00:00"];
    let fits = |form: &&str| {
        let mut pairs = form.bytes().zip(text.bytes());
        let is_like = |(form, byte): (u8, u8)| match form {
            b'0' => byte.is_ascii_digit(),
            mark => byte == mark,
        };
        form.len() == text.len() && pairs.all(is_like)
    };
    forms.iter().any(fits)
}

/// Answers the backfills, newest first.
pub(super) fn history(world: &mut World, caller: &Caller, body: &Value) -> Result<Body, Refusal> {
    payer_only(world, caller, "Failed to list Cost Allocation Tag backfill history")?;
    let requests: Vec<Value> = world.organisation.backfills.iter().rev().map(request).collect();
    let (page, token) = page_of(world, caller, body, requests)?;
    let mut answer = json!({ "BackfillRequests": page });
    if let Some(token) = token {
        answer["NextToken"] = token.into();
    }
    Ok(answer.into())
}

fn request(backfill: &Backfill) -> Value {
    let ended = backfill.completed_at;
    let status = match ended {
        None => "PROCESSING",
        Some(_) if backfill.failed => "FAILED",
        Some(_) => "SUCCEEDED",
    };
    let mut request = json!({
        "BackfillFrom": format!("{}T00:00:00Z", backfill.from),
        "RequestedAt": stamp(backfill.requested_at),
        "BackfillStatus": status,
        "LastUpdatedAt": stamp(ended.unwrap_or(backfill.requested_at)),
    });
    if let Some(at) = ended.filter(|_| !backfill.failed) {
        request["CompletedAt"] = stamp(at).into();
    }
    request
}

/// Ends the backfill that is under way, once the clock has come that far.
pub(super) fn settle(world: &mut World) {
    for backfill in &mut world.organisation.backfills {
        let done = backfill.requested_at + COURSE_MINUTES.minutes();
        if backfill.completed_at.is_none() && world.now >= done {
            backfill.completed_at = Some(done);
            backfill.failed = world.variants.backfill_fails;
        }
    }
}
