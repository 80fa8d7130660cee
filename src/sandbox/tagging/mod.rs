//! Owns the imitation of the Resource Groups Tagging API: tags by ARN, across services, in one region.
//!
//! **Invariant:** what fails for one resource is told in the answer and does not stop the others.

mod resources;

use serde_json::{Map, Value, json};

use super::index;
use super::organisation::Tags;
use super::page::unknown;
use super::past;
use super::reach::{self, Place};
use super::sagemaker::{self, ARN_LETTERS_MAX};
use super::wire::{Body, Caller, Refusal};
use super::world::World;

const INVALID: &str = "InvalidParameterException";

/// Kinds that SageMaker tags and the tagging API does not know.
const UNKNOWN: [&str; 7] = [
    "job",
    "mlflow-app",
    "notebook-instance-lifecycle-config",
    "partner-app",
    "pipeline-execution",
    "training-plan",
    "training-session",
];

/// What is done to each resource of a request.
enum Change<'a> {
    Put(Tags),
    Take(Vec<&'a str>),
}

/// Answers one operation of the tagging API.
pub fn answer(
    world: &mut World,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Result<Body, Refusal> {
    index::refresh(world);
    let answer = match operation {
        "GetResources" => resources::list(world, caller, body)?,
        "TagResources" => {
            let given = body.get("Tags").and_then(Value::as_object);
            let pairs = given.into_iter().flatten();
            let tags: Tags = pairs
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect();
            if tags.is_empty() || tags.len() > 50 {
                return Err(Refusal::new(INVALID, "Tags has to have 1 to 50 members"));
            }
            change(world, caller, body, &Change::Put(tags))?
        }
        "UntagResources" => {
            let keys = texts(body.get("TagKeys"));
            if keys.is_empty() || keys.len() > 50 {
                return Err(Refusal::new(INVALID, "TagKeys has to have 1 to 50 members"));
            }
            change(world, caller, body, &Change::Take(keys))?
        }
        other => return Err(unknown(other)),
    };
    Ok(Body::Json(answer))
}

/// Tells whether the tagging API knows a kind of resource.
fn knows(kind: &str) -> bool {
    !UNKNOWN.contains(&kind)
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    let members = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    members.iter().filter_map(Value::as_str).collect()
}

/// Changes the tags of each resource by itself and answers which changes failed.
fn change(
    world: &mut World,
    caller: &Caller,
    body: &Value,
    change: &Change<'_>,
) -> Result<Value, Refusal> {
    let arns = texts(body.get("ResourceARNList"));
    if arns.is_empty() || arns.len() > 20 {
        return Err(Refusal::new(INVALID, "ResourceARNList has to have 1 to 20 members"));
    }
    let mut failed = Map::new();
    for arn in arns {
        let changed = next(world, caller, arn, change);
        match changed {
            Ok((place, tags)) => past::change(world, arn, place, tags),
            Err(refusal) => {
                let told = json!({
                    "StatusCode": refusal.status,
                    "ErrorCode": refusal.code,
                    "ErrorMessage": refusal.message,
                });
                failed.insert(arn.to_owned(), told);
            }
        }
    }
    Ok(json!({ "FailedResourcesMap": failed }))
}

/// Returns where a resource stands and what its tags become; a refusal is that of the owning service.
fn next(
    world: &mut World,
    caller: &Caller,
    arn: &str,
    change: &Change<'_>,
) -> Result<(Place, Tags), Refusal> {
    if world.faults.fails_tag() {
        return Err(Refusal::new("ThrottlingException", "Rate exceeded"));
    }
    let missing = || Refusal::invalid("Resource does not exist");
    let place = reach::find(world, caller, arn).ok_or_else(missing)?;
    let (service, kind) = reach::kind(&world.organisation, place);
    may(world, caller, service, change, arn)?;
    if !knows(kind) {
        // The documented answer for a type that it does not know, too.
        let message = "The resource type is not supported.";
        return Err(Refusal { status: 500, ..Refusal::new("InternalServiceException", message) });
    }
    if service == "sagemaker" && (!sagemaker::is_known(kind) || arn.len() > ARN_LETTERS_MAX) {
        return Err(Refusal::invalid(format!("Tagging is not supported for the resource {arn}")));
    }
    let tags = match change {
        Change::Put(tags) => sagemaker::added(world, place, tags)?,
        Change::Take(keys) => sagemaker::removed(world, place, keys.iter().copied())?,
    };
    Ok((place, tags))
}

/// Asks for the permission of the owning service, which is needed beside that of the tagging API.
fn may(
    world: &World,
    caller: &Caller,
    service: &str,
    change: &Change<'_>,
    arn: &str,
) -> Result<(), Refusal> {
    let action = match (service, change) {
        ("sagemaker", Change::Put(_)) => "AddTags",
        ("sagemaker", Change::Take(_)) => "DeleteTags",
        (_, Change::Put(_)) => "TagResource",
        (_, Change::Take(_)) => "UntagResource",
    };
    if world.faults.denies(service, action, &caller.region, &caller.account) {
        let user = format!("arn:aws:iam::{}:user/sandbox", caller.account);
        return Err(Refusal::denied(format!(
            "User: {user} is not authorized to perform: {service}:{action} on resource: {arn}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
