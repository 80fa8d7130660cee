//! Owns `GetResources`: what is tagged in one region, page by page.
//!
//! **Invariant:** what was never tagged is invisible; what once was shows up without tags.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::page::{Paging, listed, read_token, size, text, token};
use super::super::past;
use super::super::reach::{self, Thing};
use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::{INVALID, knows, texts};

const PAGING: Paging = Paging {
    size_key: "ResourcesPerPage",
    token_key: "PaginationToken",
    least: 1,
    most: 100,
    usual: 50,
    bad_size: INVALID,
    bad_token: INVALID,
};

/// For how long a token is good.
const TOKEN_SECONDS: i64 = 15 * 60;

/// Lists what is tagged or once was, by filters on types and tags.
pub(super) fn list(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let asked = Asked::read(body)?;
    let size = if asked.arns.is_some() { usize::MAX } else { size(&PAGING, body)? };
    // A token carries a position among all that exists, so a page costs no more than what it passes.
    let start = match text(body, "PaginationToken") {
        Some(token) => read_start(world.now, token)?,
        None => 0,
    };
    let things = reach::things(world, caller, start).filter(|(_, thing)| knows(thing.kind));
    let mut taken = things.filter_map(|(at, thing)| {
        let tags = past::shown(world, thing.arn, thing.tags)?;
        let thing = Thing { tags, ..thing };
        asked.takes(&thing).then_some((at, thing))
    });
    let items = taken.by_ref().take(size).map(|(_, thing)| shown(&thing)).collect();
    // The last page has a token, too: an empty one.
    let next = match taken.next() {
        Some((at, _)) => token(&world.now.as_second().to_string(), at),
        None => String::new(),
    };
    Ok(listed("ResourceTagMappingList", items, "PaginationToken", Some(next)))
}

/// Reads where a token continues; it carries the time at which it was given.
fn read_start(now: Timestamp, token: &str) -> Result<usize, Refusal> {
    let refusal = || Refusal::new(INVALID, "The pagination token is invalid.");
    let (given_at, start) = read_token(token).ok_or_else(refusal)?;
    let given_at: i64 = given_at.parse().map_err(|_| refusal())?;
    if now.as_second() - given_at > TOKEN_SECONDS {
        return Err(Refusal::new(
            "PaginationTokenExpiredException",
            "The pagination token has expired.",
        ));
    }
    Ok(start)
}

fn shown(thing: &Thing<'_>) -> Value {
    let tags: Vec<Value> =
        thing.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    json!({ "ResourceARN": thing.arn, "Tags": tags })
}

/// The filters of a request.
struct Asked<'a> {
    arns: Option<Vec<&'a str>>,
    types: Vec<&'a str>,
    tags: Vec<(&'a str, Vec<&'a str>)>,
}

impl<'a> Asked<'a> {
    fn read(body: &'a Value) -> Result<Asked<'a>, Refusal> {
        let arns = body.get("ResourceARNList").and_then(Value::as_array);
        let others = ["TagFilters", "ResourceTypeFilters", "ResourcesPerPage", "PaginationToken"];
        let has = |key: &&str| match body.get(*key) {
            None | Some(Value::Null) => false,
            Some(Value::Array(members)) => !members.is_empty(),
            Some(Value::String(text)) => !text.is_empty(),
            Some(_) => true,
        };
        if let (Some(_), Some(other)) = (arns, others.iter().find(|key| has(key))) {
            let message = format!("ResourceARNList cannot be combined with {other}");
            return Err(Refusal::new(INVALID, message));
        }
        if arns.is_some_and(|arns| arns.is_empty() || arns.len() > 100) {
            return Err(Refusal::new(INVALID, "ResourceARNList has to have 1 to 100 members"));
        }
        let filters = body.get("TagFilters").and_then(Value::as_array);
        let filters = filters.map_or(&[][..], Vec::as_slice);
        let types = texts(body.get("ResourceTypeFilters"));
        if filters.len() > 50 || types.len() > 100 {
            return Err(Refusal::new(INVALID, "There are more filters than are allowed"));
        }
        let mut tags = Vec::new();
        for filter in filters {
            let key = text(filter, "Key");
            let key = key.ok_or_else(|| Refusal::new(INVALID, "A tag filter has to have a key"))?;
            let values = texts(filter.get("Values"));
            if values.len() > 20 {
                return Err(Refusal::new(INVALID, "A tag filter may have at most 20 values"));
            }
            tags.push((key, values));
        }
        Ok(Asked { arns: arns.map(|_| texts(body.get("ResourceARNList"))), types, tags })
    }

    /// Keys are all wanted, the values of a key are alternatives, and no value means any.
    fn takes(&self, thing: &Thing<'_>) -> bool {
        let of_type = |wanted: &&str| match wanted.split_once(':') {
            None => *wanted == thing.service,
            Some((service, kind)) => service == thing.service && kind == thing.kind,
        };
        let tagged = |(key, values): &(&str, Vec<&str>)| {
            let value = thing.tags.get(*key).map(String::as_str);
            value.is_some_and(|value| values.is_empty() || values.contains(&value))
        };
        self.arns.as_ref().is_none_or(|arns| arns.contains(&thing.arn))
            && (self.types.is_empty() || self.types.iter().any(of_type))
            && self.tags.iter().all(tagged)
    }
}
