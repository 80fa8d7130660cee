//! Owns the tags of SageMaker's resources: read, added, overwritten and deleted by ARN.
//!
//! **Invariant:** a resource never has more than fifty tags, and a refused request changes none.

use serde_json::{Value, json};

use super::super::organisation::Tags;
use super::super::page::{Paging, cut, listed, required};
use super::super::past;
use super::super::reach::{self, Place};
use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::{INVALID, PAGING};

/// `ListTags` alone wants pages of fifty or more, which is all that a resource can have.
const TAG_PAGING: Paging = Paging { least: 50, most: u64::MAX, usual: 50, ..PAGING };

const TAG_COUNT_MAX: usize = 50;

/// Longer ARNs, which pipelines and model packages may have, cannot be tagged.
pub(in super::super) const ARN_LETTERS_MAX: usize = 256;

/// Kinds that have tags and that `AddTags` does not know.
const UNKNOWN: [&str; 6] = [
    "image-version",
    "inference-experiment",
    "lineage-group",
    "model-card-export-job",
    "pipeline-execution",
    "workforce",
];

/// Lists the tags of a resource.
pub(super) fn list(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let (_, place) = find(world, caller, body)?;
    let tags: Vec<(&String, &String)> = reach::tags(&world.organisation, place).iter().collect();
    let (page, next) = cut(&TAG_PAGING, "ListTags", body, &tags)?;
    let items = page.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(listed("Tags", items, "NextToken", next))
}

/// Adds tags to a resource, or gives new values to those it has.
pub(super) fn add(world: &mut World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let (arn, place) = find_taggable(world, caller, body)?;
    let mut given = Tags::new();
    for tag in members(body, "Tags")? {
        let key = required(tag, "Key", INVALID)?;
        let value = tag.get("Value").and_then(Value::as_str);
        let value =
            value.ok_or_else(|| Refusal::invalid(format!("The tag `{key}` has no value")))?;
        if given.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(Refusal::invalid(format!("The tag key `{key}` is given more than once")));
        }
    }
    let next = added(world, place, &given)?;
    let all: Vec<Value> =
        next.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    past::change(world, arn, place, next);
    Ok(json!({ "Tags": all }))
}

/// Deletes tags by key; a key that the resource does not have is no error.
pub(super) fn delete(world: &mut World, caller: &Caller, body: &Value) -> Result<(), Refusal> {
    let (arn, place) = find_taggable(world, caller, body)?;
    let keys = members(body, "TagKeys")?;
    if keys.is_empty() {
        return Err(Refusal::invalid("TagKeys has to have at least one member"));
    }
    let next = removed(world, place, keys.iter().filter_map(Value::as_str))?;
    past::change(world, arn, place, next);
    Ok(())
}

/// Returns the tags of a place with others put onto them: all or, when one is not allowed, none.
///
/// What is started later inherits what is put on a domain or a user profile; what runs already does not.
pub(in super::super) fn added(world: &World, place: Place, given: &Tags) -> Result<Tags, Refusal> {
    let mut tags = reach::tags(&world.organisation, place).clone();
    for (key, value) in given {
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
        if tags.get(key).is_some_and(|known| known != value) {
            may_change(world, place, key)?;
        }
        tags.insert(key.clone(), value.clone());
    }
    if tags.len() > TAG_COUNT_MAX {
        return Err(Refusal::invalid(format!(
            "A resource cannot have more than {TAG_COUNT_MAX} tags"
        )));
    }
    Ok(tags)
}

/// Returns the tags of a place without some keys: all of them are taken or, when one has to stay, none.
pub(in super::super) fn removed<'a>(
    world: &World,
    place: Place,
    keys: impl Iterator<Item = &'a str>,
) -> Result<Tags, Refusal> {
    let mut tags = reach::tags(&world.organisation, place).clone();
    for key in keys {
        if tags.remove(key).is_some() {
            may_change(world, place, key)?;
        }
    }
    Ok(tags)
}

/// Tells whether `AddTags` knows a kind; some bear tags from their creation and cannot be given others.
pub(in super::super) fn is_known(kind: &str) -> bool {
    !UNKNOWN.contains(&kind)
}

/// Refuses to touch a tag that SageMaker set, in the variant in which it does not allow that.
fn may_change(world: &World, place: Place, key: &str) -> Result<(), Refusal> {
    let own = key.starts_with("sagemaker:") && key.ends_with("-arn");
    if world.variants.own_tags_fixed && own && !matches!(place, Place::FileSystem(_)) {
        return Err(Refusal::invalid(format!(
            "The tag `{key}` was set by SageMaker and can be neither changed nor removed"
        )));
    }
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
fn find<'a>(world: &World, caller: &Caller, body: &'a Value) -> Result<(&'a str, Place), Refusal> {
    let arn = required(body, "ResourceArn", INVALID)?;
    let failed = |constraint: &str| {
        Refusal::invalid(format!(
            "1 validation error detected: Value '{arn}' at 'resourceArn' failed to satisfy \
             constraint: {constraint}"
        ))
    };
    if arn.chars().count() > ARN_LETTERS_MAX {
        return Err(failed("Member must have length less than or equal to 256"));
    }
    if !arn.starts_with("arn:aws") || arn.split(':').nth(2) != Some("sagemaker") {
        return Err(failed(
            "Member must satisfy regular expression pattern: \
             arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:.+",
        ));
    }
    let place = reach::find(world, caller, arn);
    Ok((arn, place.ok_or_else(|| Refusal::invalid("Resource does not exist"))?))
}

fn find_taggable<'a>(
    world: &World,
    caller: &Caller,
    body: &'a Value,
) -> Result<(&'a str, Place), Refusal> {
    let (arn, place) = find(world, caller, body)?;
    if !is_known(reach::kind(&world.organisation, place).1) {
        return Err(Refusal::invalid(format!("Tagging is not supported for the resource {arn}")));
    }
    Ok((arn, place))
}
