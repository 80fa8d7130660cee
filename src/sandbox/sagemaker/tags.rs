//! Owns the tags of SageMaker's resources: read, added, overwritten and deleted by ARN.
//!
//! **Invariant:** a resource never has more than fifty tags, and a refused request changes none.

use serde_json::{Value, json};

use super::super::organisation::Tags;
use super::super::page::{Paging, cut, listed, required};
use super::super::reach::{self, Place};
use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::{INVALID, PAGING};

/// `ListTags` alone wants pages of fifty or more, which is all that a resource can have.
const TAG_PAGING: Paging = Paging { least: 50, most: u64::MAX, usual: 50, ..PAGING };

const TAG_COUNT_MAX: usize = 50;

/// Lists the tags of a resource.
pub(super) fn list(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let place = find(world, caller, body)?;
    let tags: Vec<(&String, &String)> = reach::tags(&world.organisation, place).iter().collect();
    let (page, next) = cut(&TAG_PAGING, "ListTags", body, &tags)?;
    let items = page.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(listed("Tags", items, "NextToken", next))
}

/// Adds tags to a resource, or gives new values to those it has.
pub(super) fn add(world: &mut World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let place = find(world, caller, body)?;
    let mut added = Tags::new();
    for tag in members(body, "Tags")? {
        let key = required(tag, "Key", INVALID)?;
        let value = tag.get("Value").and_then(Value::as_str);
        let value =
            value.ok_or_else(|| Refusal::invalid(format!("The tag `{key}` has no value")))?;
        if added.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(Refusal::invalid(format!("The tag key `{key}` is given more than once")));
        }
    }
    merge(reach::tags_mut(&mut world.organisation, place), &added)?;
    let tags = reach::tags(&world.organisation, place).iter();
    let all: Vec<Value> = tags.map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "Tags": all }))
}

/// Deletes tags by key; a key that the resource does not have is no error.
pub(super) fn delete(world: &mut World, caller: &Caller, body: &Value) -> Result<(), Refusal> {
    let place = find(world, caller, body)?;
    let keys = members(body, "TagKeys")?;
    if keys.is_empty() {
        return Err(Refusal::invalid("TagKeys has to have at least one member"));
    }
    let tags = reach::tags_mut(&mut world.organisation, place);
    for key in keys.iter().filter_map(Value::as_str) {
        tags.remove(key);
    }
    Ok(())
}

/// Puts tags onto others as SageMaker does: all of them or, when one is not allowed, none.
pub(in super::super) fn merge(tags: &mut Tags, added: &Tags) -> Result<(), Refusal> {
    for (key, value) in added {
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(Refusal::invalid(format!("The tag `{key}` has no key, or is too long")));
        }
        if key.to_lowercase().starts_with("aws:") {
            return Err(Refusal::invalid(format!("The prefix of the tag key `{key}` is reserved")));
        }
        if !key.chars().chain(value.chars()).all(allowed) {
            return Err(Refusal::invalid(format!(
                "1 validation error detected: The tag `{key}` failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: \
                 ([\\p{{L}}\\p{{Z}}\\p{{N}}_.:/=+\\-@]*)"
            )));
        }
    }
    let mut merged = tags.clone();
    merged.extend(added.iter().map(|(key, value)| (key.clone(), value.clone())));
    if merged.len() > TAG_COUNT_MAX {
        return Err(Refusal::invalid(format!(
            "A resource cannot have more than {TAG_COUNT_MAX} tags"
        )));
    }
    *tags = merged;
    Ok(())
}

fn allowed(letter: char) -> bool {
    letter.is_alphanumeric() || letter.is_whitespace() || "_.:/=+-@".contains(letter)
}

fn members<'a>(body: &'a Value, key: &str) -> Result<&'a [Value], Refusal> {
    let members = body.get(key).and_then(Value::as_array).map(Vec::as_slice);
    let members = members.ok_or_else(|| Refusal::invalid(format!("{key} must not be null")))?;
    if members.len() > TAG_COUNT_MAX {
        return Err(Refusal::invalid(format!("{key} may have at most {TAG_COUNT_MAX} members")));
    }
    Ok(members)
}

/// Finds the resource of a request; its ARN counts letter by letter.
fn find(world: &World, caller: &Caller, body: &Value) -> Result<Place, Refusal> {
    let arn = required(body, "ResourceArn", INVALID)?;
    let failed = |constraint: &str| {
        Refusal::invalid(format!(
            "1 validation error detected: Value '{arn}' at 'resourceArn' failed to satisfy \
             constraint: {constraint}"
        ))
    };
    if arn.chars().count() > 256 {
        return Err(failed("Member must have length less than or equal to 256"));
    }
    if !arn.starts_with("arn:aws") || arn.split(':').nth(2) != Some("sagemaker") {
        return Err(failed(
            "Member must satisfy regular expression pattern: \
             arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:.+",
        ));
    }
    reach::find(world, caller, arn).ok_or_else(|| Refusal::invalid("Resource does not exist"))
}
