//! Owns the cost allocation tags: which keys billing has come to know, and their status.
//!
//! **Invariant:** only the payer sees or changes them; a tag on a resource is unknown until a charge bears it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::values::slice;
use crate::period::Month;
use crate::sandbox::organisation::TagKey;
use crate::sandbox::wire::{Body, Caller, Refusal};
use crate::sandbox::world::{Variants, World};

/// The key that AWS activates by itself, beyond the quota.
const OF_AWS: &str = "awsApplication";
const BAD_TOKEN: &str = "InvalidNextTokenException";

/// Answers the keys that billing knows.
pub(super) fn list_cost_allocation_tags(
    world: &mut World,
    caller: &Caller,
    body: &Value,
) -> Result<Body, Refusal> {
    payer_only(world, caller, "Failed to list Cost Allocation Tags")?;
    notice(world);
    let of_status = choice(body, "Status", ["Active", "Inactive"])?;
    let of_kind = choice(body, "Type", ["UserDefined", "AWSGenerated"])?;
    let named = named(body)?;
    let wanted = |it: &&TagKey| {
        named.as_ref().is_none_or(|keys| keys.contains(it.key.as_str()))
            && of_status.is_none_or(|wanted| wanted == status(it))
            && of_kind.is_none_or(|wanted| wanted == kind(it))
    };
    let entries: Vec<Value> = listed(world).filter(wanted).map(entry).collect();
    let (page, token) = page_of(world, caller, body, entries)?;
    // The last page has a null, as in the samples of API_ListCostAllocationTags.
    Ok(json!({ "CostAllocationTags": page, "NextToken": token }).into())
}

/// Reads one of two names, where there is one.
fn choice<'a>(body: &'a Value, field: &str, names: [&str; 2]) -> Result<Option<&'a str>, Refusal> {
    match body.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_str()
            .filter(|it| names.contains(it))
            .map(Some)
            .ok_or_else(|| Refusal::invalid(format!("{field} must be one of {names:?}"))),
    }
}

fn named(body: &Value) -> Result<Option<BTreeSet<&str>>, Refusal> {
    match body.get("TagKeys") {
        None | Some(Value::Null) => Ok(None),
        Some(keys) => {
            let keys = keys.as_array().map_or(&[][..], Vec::as_slice);
            if !(1..=100).contains(&keys.len()) {
                return Err(Refusal::invalid("TagKeys must have 1 to 100 members"));
            }
            Ok(Some(keys.iter().filter_map(Value::as_str).collect()))
        }
    }
}

/// Cuts one page of `MaxResults`.
pub(super) fn page_of(
    world: &mut World,
    caller: &Caller,
    body: &Value,
    entries: Vec<Value>,
) -> Result<(Vec<Value>, Option<String>), Refusal> {
    let room = match body.get("MaxResults") {
        None | Some(Value::Null) => 100,
        Some(value) => value
            .as_u64()
            .filter(|count| (1..=1000).contains(count))
            .and_then(|count| usize::try_from(count).ok())
            .ok_or_else(|| Refusal::invalid("MaxResults must be from 1 to 1000"))?,
    };
    // Of the lists of keys and backfills the reference knows no `RequestChangedException`.
    let changed = |refusal: Refusal| Refusal { code: BAD_TOKEN.to_owned(), ..refusal };
    let (page, _, token) = slice(world, caller, body, entries, room).map_err(changed)?;
    Ok((page, token))
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

fn status(key: &TagKey) -> &'static str {
    if key.is_on() { "Active" } else { "Inactive" }
}

/// Prints an instant to the second.
pub(super) fn stamp(at: Timestamp) -> String {
    let at = TimeZone::UTC.to_datetime(at);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Refuses everybody but the payer.
pub(super) fn payer_only(world: &World, caller: &Caller, doing: &str) -> Result<(), Refusal> {
    if caller.account == world.organisation.payer {
        return Ok(());
    }
    Err(Refusal::denied(format!(
        "{doing}: Linked account doesn't have access to cost allocation tags."
    )))
}

fn is_listed(world: &World, key: &TagKey) -> bool {
    key.listed_at.is_none_or(|at| at <= world.now)
}

fn listed(world: &World) -> impl Iterator<Item = &TagKey> {
    world.organisation.tag_keys.iter().filter(|key| is_listed(world, key))
}

/// Comes to know the keys that charges have borne, visibly, for as many hours as listing takes.
fn notice(world: &mut World) {
    let hours = i64::from(world.variants.listing_hours);
    let end = world.visible_end_at(world.now - hours.hours());
    let known: BTreeSet<&str> =
        world.organisation.tag_keys.iter().map(|key| key.key.as_str()).collect();
    let mut used: BTreeMap<String, Date> = BTreeMap::new();
    for charge in &world.bill.charges {
        let mut new = charge.meter.tags.keys().filter(|key| !known.contains(key.as_str()));
        let Some(key) = new.next() else { continue };
        let Some((_, last)) = charge.used(end) else { continue };
        for key in std::iter::once(key).chain(new) {
            let day = used.entry(key.clone()).or_insert(last);
            *day = last.max(*day);
        }
    }
    let today = world.today();
    let noticed = used.into_iter().map(|(key, last)| TagKey {
        changes: (key == OF_AWS).then_some((today, true)).into_iter().collect(),
        key,
        last_used: Some(Month::of(last).start()),
        ..TagKey::default()
    });
    world.organisation.tag_keys.extend(noticed);
}

/// Changes the status of up to twenty keys.
pub(super) fn update_status(
    world: &mut World,
    caller: &Caller,
    body: &Value,
) -> Result<Body, Refusal> {
    payer_only(world, caller, "Failed to update Cost Allocation Tag")?;
    notice(world);
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for (key, on) in wishes(body)? {
        let is_meant = |it: &TagKey| it.key == key && is_listed(world, it);
        match world.organisation.tag_keys.iter().position(is_meant) {
            Some(at) => known.push((at, on)),
            None => unknown.push(key),
        }
    }
    let Variants { unknown_keys_partial, mixed_keys_refused, .. } = world.variants;
    let refused = if known.is_empty() { !unknown_keys_partial } else { mixed_keys_refused };
    if refused && !unknown.is_empty() {
        return Err(Refusal::invalid(format!(
            "Failed to update Cost Allocation Tag: Tag keys not found: {}",
            unknown.join(",")
        )));
    }
    within_quota(world, &known)?;
    let shown = world.now + i64::from(world.variants.activation_hours).hours();
    let since = TimeZone::UTC.to_datetime(shown).date();
    let now = world.now;
    for (at, on) in known {
        let key = &mut world.organisation.tag_keys[at];
        if key.is_on() != on {
            key.changes.push((since, on));
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

/// Reads the entries of an update: keys, and whether they shall be active.
fn wishes(body: &Value) -> Result<Vec<(&str, bool)>, Refusal> {
    let entries = body.get("CostAllocationTagsStatus").and_then(Value::as_array);
    let entries = entries.map_or(&[][..], Vec::as_slice);
    if !(1..=20).contains(&entries.len()) {
        return Err(Refusal::invalid("CostAllocationTagsStatus must have 1 to 20 entries"));
    }
    entries.iter().map(wish).collect()
}

fn wish(entry: &Value) -> Result<(&str, bool), Refusal> {
    let key = entry.get("TagKey").and_then(Value::as_str);
    let key = key.ok_or_else(|| Refusal::invalid("TagKey cannot be null"))?;
    match entry.get("Status").and_then(Value::as_str) {
        Some("Active") => Ok((key, true)),
        Some("Inactive") => Ok((key, false)),
        _ => Err(Refusal::invalid("Status must be Active or Inactive")),
    }
}

/// Refuses an update that would make more keys active than the quota has.
fn within_quota(world: &World, changes: &[(usize, bool)]) -> Result<(), Refusal> {
    let keys = &world.organisation.tag_keys;
    let counts = |at: &usize| keys[*at].key != OF_AWS;
    let before: BTreeSet<usize> = (0..keys.len()).filter(|at| keys[*at].is_on()).collect();
    let mut after = before.clone();
    for (at, on) in changes {
        if *on {
            after.insert(*at)
        } else {
            after.remove(at)
        };
    }
    let count = after.iter().filter(|at| counts(at)).count();
    let max = usize::try_from(world.variants.active_keys_max).unwrap_or(usize::MAX);
    // Whoever is over it already may still deactivate.
    if count <= max || after.is_subset(&before) {
        return Ok(());
    }
    let throttle = world.variants.quota_as_throttle;
    let code = if throttle { "LimitExceededException" } else { "ServiceQuotaExceededException" };
    Err(Refusal::new(
        code,
        format!(
            "Failed to update Cost Allocation Tag: the limit of {max} active cost allocation tag \
             keys is exceeded."
        ),
    ))
}
