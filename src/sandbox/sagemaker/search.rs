//! Owns `Search`: resources of one kind with their details and tags, by conditions on both.
//!
//! **Invariant:** a kind that AWS cannot search is refused, and one that is not imitated is empty.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::super::organisation::Resource;
use super::super::page::{cut, listed, required, text};
use super::super::reach;
use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::form;
use super::{INVALID, PAGING};
use crate::money::Money;

/// What `Search` calls a kind, and the member that holds its records.
const SEARCHED: [(&str, &str, &str); 13] = [
    ("TrainingJob", "training-job", "TrainingJob"),
    ("HyperParameterTuningJob", "hyper-parameter-tuning-job", "HyperParameterTuningJob"),
    ("Endpoint", "endpoint", "Endpoint"),
    ("Model", "model", "Model"),
    ("Pipeline", "pipeline", "Pipeline"),
    ("PipelineExecution", "pipeline-execution", "PipelineExecution"),
    ("Experiment", "experiment", "Experiment"),
    ("ExperimentTrial", "experiment-trial", "Trial"),
    ("ExperimentTrialComponent", "experiment-trial-component", "TrialComponent"),
    ("FeatureGroup", "feature-group", "FeatureGroup"),
    ("ModelPackage", "model-package", "ModelPackage"),
    ("ModelPackageGroup", "model-package-group", "ModelPackageGroup"),
    ("Project", "project", "Project"),
];

/// What AWS can search, too.
const NOT_IMITATED: [&str; 7] = [
    "FeatureMetadata",
    "Image",
    "ImageVersion",
    "ModelCard",
    "PipelineVersion",
    "Job",
    "HubContent",
];

/// Members of descriptions that records do not have.
const NOT_IN_RECORDS: [&str; 6] = [
    "Autotune",
    "ManagedStorageType",
    "NextToken",
    "PipelineDefinition",
    "ProfilingStatus",
    "Sources",
];

const FILTER_COUNT_MAX: usize = 20;

/// Answers `Search`.
pub(super) fn answer(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let what = required(body, "Resource", INVALID)?;
    let Some((_, kind, holder)) = SEARCHED.iter().find(|row| row.0 == what) else {
        if NOT_IMITATED.contains(&what) {
            return Ok(listed("Results", Vec::new(), "NextToken", None));
        }
        return Err(Refusal::invalid(format!(
            "1 validation error detected: Value '{what}' at 'resource' failed to satisfy \
             constraint: Member must satisfy enum value set"
        )));
    };
    let nothing = json!({});
    let expression = body.get("SearchExpression").unwrap_or(&nothing);
    if filter_count(expression) > FILTER_COUNT_MAX {
        return Err(Refusal::invalid("A search expression may have at most 20 filters"));
    }
    let mut found = Vec::new();
    for resource in reach::resources(world, caller, kind) {
        if takes(expression, resource)? {
            found.push(resource);
        }
    }
    let by_name = text(body, "SortBy").is_some_and(|member| member.ends_with("Name"));
    found.sort_by(|one, other| {
        let by_time = one.created_at.cmp(&other.created_at);
        (if by_name { Ordering::Equal } else { by_time }).then_with(|| one.name.cmp(&other.name))
    });
    if text(body, "SortOrder") != Some("Ascending") {
        found.reverse();
    }
    let (page, next) = cut(&PAGING, "Search", body, &found)?;
    let items = page.iter().map(|resource| json!({ *holder: record(kind, resource) })).collect();
    let mut answer = listed("Results", items, "NextToken", next);
    answer["TotalHits"] = json!({ "Value": found.len(), "Relation": "EqualTo" });
    Ok(answer)
}

/// Writes what `Search` tells of a resource: its description and its tags.
fn record(kind: &str, resource: &Resource) -> Value {
    let mut members: Map<String, Value> = form::description(form::of(kind), resource);
    members.retain(|member, _| !NOT_IN_RECORDS.contains(&member.as_str()));
    if kind == "pipeline-execution" {
        // Its record has neither tags nor a role.
        members.remove("RoleArn");
        return Value::Object(members);
    }
    let tags = resource.tags.iter();
    let tags: Vec<Value> = tags.map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    members.insert("Tags".to_owned(), json!(tags));
    // A model is the model of a dashboard, with the model in it.
    if kind == "model" { json!({ "Model": members }) } else { Value::Object(members) }
}

fn parts<'a>(expression: &'a Value, key: &str) -> &'a [Value] {
    expression.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn filter_count(expression: &Value) -> usize {
    let within: usize = parts(expression, "SubExpressions").iter().map(filter_count).sum();
    parts(expression, "Filters").len() + parts(expression, "NestedFilters").len() + within
}

/// Tells whether an expression lets a resource through; its parts all have to unless it says `Or`.
fn takes(expression: &Value, resource: &Resource) -> Result<bool, Refusal> {
    if !parts(expression, "NestedFilters").is_empty() {
        return Err(Refusal::invalid("NestedFilters are not part of this imitation"));
    }
    let mut passed = Vec::new();
    for filter in parts(expression, "Filters") {
        passed.push(passes(filter, resource)?);
    }
    for within in parts(expression, "SubExpressions") {
        passed.push(takes(within, resource)?);
    }
    let any = text(expression, "Operator") == Some("Or") && !passed.is_empty();
    Ok(if any { passed.contains(&true) } else { !passed.contains(&false) })
}

fn passes(filter: &Value, resource: &Resource) -> Result<bool, Refusal> {
    let name = required(filter, "Name", INVALID)?;
    let is = property(name, resource);
    // A value without an operator has to be equal, and a name alone has to be there.
    let value = filter.get("Value").and_then(Value::as_str);
    let usual = if value.is_some() { "Equals" } else { "Exists" };
    let operator = text(filter, "Operator").unwrap_or(usual);
    let needed = || {
        let message = format!("The filter on `{name}` has no value to compare with");
        value.ok_or_else(|| Refusal::invalid(message))
    };
    let plain = name.starts_with("Tags.");
    let order = |wanted: &str| {
        is.as_deref().map(|is| if plain { is.cmp(wanted) } else { compare(is, wanted) })
    };
    Ok(match operator {
        "Exists" => is.is_some(),
        "NotExists" => is.is_none(),
        "Equals" => order(needed()?) == Some(Ordering::Equal),
        "NotEquals" => order(needed()?) != Some(Ordering::Equal),
        "Contains" => {
            let part = needed()?;
            is.is_some_and(|is| is.contains(part))
        }
        "In" => {
            let wanted = needed()?;
            is.is_some_and(|is| wanted.split(',').any(|one| one.trim() == is))
        }
        "GreaterThan" => order(needed()?) == Some(Ordering::Greater),
        "GreaterThanOrEqualTo" => order(needed()?).is_some_and(Ordering::is_ge),
        "LessThan" => order(needed()?) == Some(Ordering::Less),
        "LessThanOrEqualTo" => order(needed()?).is_some_and(Ordering::is_le),
        other => {
            return Err(Refusal::invalid(format!(
                "1 validation error detected: Value '{other}' at 'operator' failed to satisfy \
                 constraint: Member must satisfy enum value set"
            )));
        }
    })
}

/// Returns what a resource says under a name: a tag, one of its own members, or one of its details.
fn property<'a>(name: &str, resource: &'a Resource) -> Option<Cow<'a, str>> {
    if let Some(key) = name.strip_prefix("Tags.") {
        return resource.tags.get(key).map(|value| Cow::Borrowed(value.as_str()));
    }
    let form = form::of(&resource.kind);
    // The members of a model may be named through the dashboard's.
    let name = name.strip_prefix("Model.").unwrap_or(name);
    if name == form.name() {
        return Some(Cow::Borrowed(&resource.name));
    }
    if name == form.arn() {
        return Some(reach::resource_arn(resource));
    }
    if name == form.status {
        return Some(Cow::Borrowed(&resource.status));
    }
    if matches!(name, "CreationTime" | "LastModifiedTime") {
        return Some(Cow::Owned(resource.created_at.to_string()));
    }
    let found = name.split('.').try_fold(&resource.details, |value, member| value.get(member))?;
    match found {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.to_string())),
    }
}

/// Compares as times or as numbers where both are such, and as texts otherwise.
fn compare(is: &str, wanted: &str) -> Ordering {
    if let (Some(is), Some(wanted)) = (time(is), time(wanted)) {
        return is.cmp(&wanted);
    }
    if let (Ok(is), Ok(wanted)) = (Money::parse(is), Money::parse(wanted)) {
        return is.cmp(&wanted);
    }
    is.cmp(wanted)
}

/// Reads a time with or without a zone; without one it is in UTC.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let civil: DateTime = text.contains('T').then(|| text.parse().ok())??;
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}
