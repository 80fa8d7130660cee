//! Owns `GetTags` and `GetDimensionValues`: which values occur in the bill.
//!
//! **Invariant:** a key that is not active has no values.

use serde_json::{Value, json};

use super::dimension::Dimension;
use super::query::{Query, Sheet};
use super::time::past_period;
use super::usage::check_billing_view;
use crate::sandbox::wire::{Body, Caller, Refusal};
use crate::sandbox::world::World;

const PAGE_VALUES: usize = 1000;

/// Answers the values of a tag key, or the active keys when none is named.
pub(super) fn get_tags(world: &mut World, caller: &Caller, body: &Value) -> Result<Body, Refusal> {
    let period = past_period(world, body)?;
    let values = if let Some(key) = body.get("TagKey").and_then(Value::as_str) {
        names(&occurring(world, caller, body, &json!([{"Type": "TAG", "Key": key}]))?)
    } else {
        let keys = world.organisation.tag_keys.iter().map(|it| it.key.clone());
        keys.filter(|key| period.days().any(|day| world.is_active(key, day))).collect()
    };
    let (page, total, token) = cut(world, caller, body, values)?;
    let mut answer = json!({"Tags": page, "ReturnSize": page.len(), "TotalSize": total});
    if let Some(token) = token {
        answer["NextPageToken"] = token.into();
    }
    Ok(answer.into())
}

/// Answers the values of a dimension.
pub(super) fn get_dimension_values(
    world: &mut World,
    caller: &Caller,
    body: &Value,
) -> Result<Body, Refusal> {
    let name = body.get("Dimension").and_then(Value::as_str).unwrap_or_default();
    let dimension = Dimension::parse(name)
        .ok_or_else(|| Refusal::invalid(format!("Dimension {name} is not supported")))?;
    let sheet = occurring(world, caller, body, &json!([{"Type": "DIMENSION", "Key": name}]))?;
    let (page, total, token) = cut(world, caller, body, names(&sheet))?;
    let attributes = |value: &str| {
        let account = world.organisation.accounts.iter().find(|account| account.id == value);
        match account.filter(|_| dimension == Dimension::LinkedAccount) {
            Some(account) => json!({ "description": account.name }),
            None => json!({}),
        }
    };
    let values: Vec<Value> =
        page.iter().map(|value| json!({"Value": value, "Attributes": attributes(value)})).collect();
    let mut answer = json!({
        "DimensionValues": values, "ReturnSize": values.len(), "TotalSize": total,
    });
    if let Some(token) = token {
        answer["NextPageToken"] = token.into();
    }
    Ok(answer.into())
}

fn occurring(
    world: &World,
    caller: &Caller,
    body: &Value,
    group_by: &Value,
) -> Result<Sheet, Refusal> {
    check_billing_view(body)?;
    let period = past_period(world, body)?;
    let mut query = Query::new(world, caller, body.get("Filter"), Some(group_by))?;
    query.periods = vec![period];
    Ok(query.run(world))
}

fn names(sheet: &Sheet) -> Vec<String> {
    let rows = sheet.slots.iter().flat_map(|slot| &slot.rows);
    rows.map(|([id, _], _)| sheet.names[usize::try_from(*id).expect("ids are positions")].clone())
        .collect()
}

/// Searches and cuts a page: its values, the count of all, and the next token.
fn cut(
    world: &mut World,
    caller: &Caller,
    body: &Value,
    mut values: Vec<String>,
) -> Result<(Vec<String>, usize, Option<String>), Refusal> {
    if let Some(text) = body.get("SearchString").and_then(Value::as_str) {
        values.retain(|value| value.contains(text));
    }
    let sorted = body.get("SortBy").and_then(Value::as_array).is_some_and(|by| !by.is_empty());
    let asked = body.get("MaxResults").and_then(Value::as_u64);
    if asked.is_some() && !sorted {
        return Err(Refusal::invalid("MaxResults is only supported together with SortBy"));
    }
    if sorted && body.get("NextPageToken").is_some() {
        return Err(Refusal::invalid("NextPageToken is not supported together with SortBy"));
    }
    let room = asked.and_then(|count| usize::try_from(count).ok()).unwrap_or(PAGE_VALUES);
    let total = values.len();
    if sorted {
        values.truncate(room.min(PAGE_VALUES));
        return Ok((values, total, None));
    }
    slice(world, caller, body, values, PAGE_VALUES)
}

/// Cuts one page out of a plain list, by token.
pub(super) fn slice<T>(
    world: &mut World,
    caller: &Caller,
    body: &Value,
    values: Vec<T>,
    room: usize,
) -> Result<(Vec<T>, usize, Option<String>), Refusal> {
    let expire_after = world.faults.expire_tokens_after;
    let continued = world.pages.resume(caller, body, expire_after)?;
    let (id, from) = continued.map_or((None, 0), |it| (Some(it.id), it.cursor.1));
    let total = values.len();
    let page: Vec<T> = values.into_iter().skip(from).take(room).collect();
    let to = from + page.len();
    let token = (to < total).then(|| {
        let id = id.unwrap_or_else(|| world.pages.keep(caller, body, None));
        world.pages.token(id, (0, to))
    });
    Ok((page, total, token))
}
