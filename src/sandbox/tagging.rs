//! Owns the imitation of the Resource Groups Tagging API: what is tagged in one region, across services.
//!
//! **Invariant:** what was never tagged is invisible here, so it is no inventory.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::organisation::Tags;
use super::page::{Paging, listed, read_token, size, text, token, unknown};
use super::reach::{self, Place, Thing};
use super::sagemaker::merge;
use super::wire::{Body, Caller, Refusal};
use super::world::World;

const INVALID: &str = "InvalidParameterException";

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

/// Answers one operation of the tagging API.
pub fn answer(
    world: &mut World,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Result<Body, Refusal> {
    match operation {
        "GetResources" => get_resources(world, caller, body).map(Body::Json),
        "TagResources" => tag_resources(world, caller, body).map(Body::Json),
        other => Err(unknown(other)),
    }
}

fn get_resources(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let asked = Asked::read(body)?;
    let mut things = reach::things(world, caller);
    things.retain(|thing| !thing.tags.is_empty() && asked.takes(thing));
    let size = size(&PAGING, body)?;
    let start = match text(body, "PaginationToken") {
        Some(token) => read_start(world.now, token)?.min(things.len()),
        None => 0,
    };
    let end = if asked.arns.is_some() { things.len() } else { (start + size).min(things.len()) };
    let items = things[start..end].iter().map(shown).collect();
    // The last page has a token, too: an empty one.
    let more = end < things.len();
    let next = if more { token(&world.now.as_second().to_string(), end) } else { String::new() };
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
        self.arns.as_ref().is_none_or(|arns| arns.contains(&thing.arn.as_str()))
            && (self.types.is_empty() || self.types.iter().any(of_type))
            && self.tags.iter().all(tagged)
    }
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    let members = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    members.iter().filter_map(Value::as_str).collect()
}

/// Tags each resource by itself: what fails is told in the answer and does not stop the others.
fn tag_resources(world: &mut World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let arns = texts(body.get("ResourceARNList"));
    if arns.is_empty() || arns.len() > 20 {
        return Err(Refusal::new(INVALID, "ResourceARNList has to have 1 to 20 members"));
    }
    let given = body.get("Tags").and_then(Value::as_object);
    let tags: Tags = given
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect();
    if tags.is_empty() || tags.len() > 50 {
        return Err(Refusal::new(INVALID, "Tags has to have 1 to 50 members"));
    }
    let mut failed = Map::new();
    for arn in arns {
        if let Err(refusal) = tag(world, caller, arn, &tags) {
            let info = json!({
                "StatusCode": refusal.status,
                "ErrorCode": refusal.code,
                "ErrorMessage": refusal.message,
            });
            failed.insert(arn.to_owned(), info);
        }
    }
    Ok(json!({ "FailedResourcesMap": failed }))
}

fn tag(world: &mut World, caller: &Caller, arn: &str, tags: &Tags) -> Result<(), Refusal> {
    let missing = || Refusal::invalid("Resource does not exist");
    let place: Place = reach::find(world, caller, arn).ok_or_else(missing)?;
    merge(reach::tags_mut(&mut world.organisation, place), tags)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::super::sample::{DOMAIN_ARN, member, world};
    use super::*;

    fn ask(world: &mut World, operation: &str, body: &Value) -> Result<Value, Refusal> {
        let answer = answer(world, &member(), operation, body)?;
        let Body::Json(answer) = answer else { panic!("the tagging API speaks JSON") };
        Ok(answer)
    }

    fn names(body: &Value) -> Vec<String> {
        let answer = ask(&mut world(), "GetResources", body).unwrap();
        let found = answer["ResourceTagMappingList"].as_array().unwrap();
        let name = |thing: &Value| {
            thing["ResourceARN"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()
        };
        found.iter().map(name).collect()
    }

    #[test]
    fn filters_are_and_between_keys_and_or_within() {
        let by = |filters: Value| json!({ "TagFilters": filters, "ResourcesPerPage": 100 });
        let all = names(&json!({ "ResourcesPerPage": 100 }));
        // Models and user profiles were never tagged; the deleted app and endpoint are gone.
        assert_eq!(all.len(), 1 + 2 + 2 + 2 + 12 + 3, "{all:?}");
        let two = by(json!([{ "Key": "cost-center", "Values": ["p01", "p02", "none"] }]));
        assert_eq!(names(&two), ["processing-job/p01", "processing-job/p02"]);
        let none = by(json!([{ "Key": "cost-center" }, { "Key": "team" }]));
        assert!(names(&none).is_empty());
    }

    #[test]
    fn types_are_services_or_services_and_types() {
        for (types, count) in [
            (json!(["elasticfilesystem:file-system"]), 3),
            (json!(["sagemaker"]), 19),
            (json!(["sagemaker:processing-job", "sagemaker:domain"]), 13),
            (json!(["s3"]), 0),
        ] {
            let found = names(&json!({ "ResourceTypeFilters": types, "ResourcesPerPage": 100 }));
            assert_eq!(found.len(), count, "{types}");
        }
        assert_eq!(names(&json!({ "ResourceARNList": [DOMAIN_ARN] })).len(), 1);
        let both = json!({ "ResourceARNList": [DOMAIN_ARN], "ResourcesPerPage": 5 });
        assert_eq!(ask(&mut world(), "GetResources", &both).unwrap_err().code, INVALID);
    }

    #[test]
    fn the_last_token_is_empty_and_old_ones_expire() {
        let mut world = world();
        let first = ask(&mut world, "GetResources", &json!({ "ResourcesPerPage": 20 })).unwrap();
        let token = &first["PaginationToken"];
        let next = json!({ "ResourcesPerPage": 20, "PaginationToken": token });
        let last = ask(&mut world, "GetResources", &next).unwrap();
        assert_eq!(last["PaginationToken"], "");
        assert_eq!(last["ResourceTagMappingList"].as_array().unwrap().len(), 2);
        world.now += 16.minutes();
        let refusal = ask(&mut world, "GetResources", &next).unwrap_err();
        assert_eq!(refusal.code, "PaginationTokenExpiredException");
    }

    #[test]
    fn tagging_fails_for_each_resource_by_itself() {
        let mut world = world();
        let missing = format!("{DOMAIN_ARN}x");
        let body = json!({ "ResourceARNList": [missing, DOMAIN_ARN], "Tags": { "env": "test" } });
        let answer = ask(&mut world, "TagResources", &body).unwrap();
        let failed = answer["FailedResourcesMap"].as_object().unwrap();
        assert_eq!(failed.keys().collect::<Vec<_>>(), [&missing]);
        assert_eq!(world.organisation.domains[0].tags["env"], "test");
    }
}
