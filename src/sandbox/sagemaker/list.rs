//! Owns the lists of everything else that SageMaker bills: one table of operations, one way to answer them.
//!
//! **Invariant:** the casing of an ARN in a list is AWS's, which is not always that of the true one.

use serde_json::{Map, Value, json};

use super::super::organisation::Resource;
use super::super::page::{cut, decimal, instant, listed, required, seconds, size, text, token};
use super::super::reach;
use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::form::{self, Form};
use super::identity::{contains, sort};
use super::{INVALID, PAGING};
use crate::money::Money;

/// How one list operation is answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listing {
    operation: &'static str,
    form: Form,
    /// The member that holds the list.
    list: &'static str,
    has: Has,
    /// What else a summary tells.
    also: &'static [&'static str],
}

/// What a summary tells beside name, ARN and time of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Has {
    StatusAndChange,
    Status,
    Change,
    Neither,
}

use Has::{Change, Neither, Status, StatusAndChange};

type Row = (&'static str, &'static str, &'static str, Has, &'static [&'static str]);

#[rustfmt::skip]
const ROWS: [Row; 33] = [
    ("ListTrainingJobs", "training-job", "TrainingJobSummaries", StatusAndChange, &[]),
    ("ListProcessingJobs", "processing-job", "ProcessingJobSummaries", StatusAndChange, &[]),
    ("ListTransformJobs", "transform-job", "TransformJobSummaries", StatusAndChange, &[]),
    ("ListHyperParameterTuningJobs", "hyper-parameter-tuning-job", "HyperParameterTuningJobSummaries", StatusAndChange, &["TrainingJobStatusCounters", "ObjectiveStatusCounters"]),
    ("ListAutoMLJobs", "automl-job", "AutoMLJobSummaries", StatusAndChange, &["AutoMLJobSecondaryStatus"]),
    ("ListNotebookInstances", "notebook-instance", "NotebookInstances", StatusAndChange, &["InstanceType", "Url", "NotebookInstanceLifecycleConfigName", "DefaultCodeRepository"]),
    ("ListEndpoints", "endpoint", "Endpoints", StatusAndChange, &[]),
    ("ListEndpointConfigs", "endpoint-config", "EndpointConfigs", Neither, &[]),
    ("ListModels", "model", "Models", Neither, &[]),
    ("ListInferenceComponents", "inference-component", "InferenceComponents", StatusAndChange, &["EndpointArn", "EndpointName", "VariantName"]),
    ("ListInferenceExperiments", "inference-experiment", "InferenceExperiments", StatusAndChange, &["Type", "RoleArn"]),
    ("ListInferenceRecommendationsJobs", "inference-recommendations-job", "InferenceRecommendationsJobs", StatusAndChange, &["JobType", "JobDescription", "RoleArn", "ModelName", "ModelPackageVersionArn"]),
    ("ListPipelines", "pipeline", "PipelineSummaries", Change, &["RoleArn", "PipelineDisplayName", "PipelineDescription"]),
    ("ListPipelineExecutions", "pipeline-execution", "PipelineExecutionSummaries", Status, &["PipelineExecutionDisplayName"]),
    ("ListClusters", "cluster", "ClusterSummaries", Status, &[]),
    ("ListFeatureGroups", "feature-group", "FeatureGroupSummaries", Status, &[]),
    ("ListLabelingJobs", "labeling-job", "LabelingJobSummaryList", StatusAndChange, &["LabelCounters"]),
    ("ListModelPackageGroups", "model-package-group", "ModelPackageGroupSummaryList", Status, &["ModelPackageGroupDescription"]),
    ("ListModelPackages", "model-package", "ModelPackageSummaryList", Status, &["ModelPackageGroupName", "ModelPackageVersion", "ModelApprovalStatus"]),
    ("ListMlflowTrackingServers", "mlflow-tracking-server", "TrackingServerSummaries", StatusAndChange, &["MlflowVersion"]),
    ("ListMlflowApps", "mlflow-app", "Summaries", StatusAndChange, &["MlflowVersion"]),
    ("ListOptimizationJobs", "optimization-job", "OptimizationJobSummaries", StatusAndChange, &["DeploymentInstanceType"]),
    ("ListCompilationJobs", "compilation-job", "CompilationJobSummaries", StatusAndChange, &[]),
    ("ListMonitoringSchedules", "monitoring-schedule", "MonitoringScheduleSummaries", StatusAndChange, &["EndpointName", "MonitoringType", "MonitoringJobDefinitionName"]),
    ("ListExperiments", "experiment", "ExperimentSummaries", Change, &["DisplayName"]),
    ("ListTrials", "experiment-trial", "TrialSummaries", Change, &["DisplayName"]),
    ("ListTrialComponents", "experiment-trial-component", "TrialComponentSummaries", Change, &["DisplayName", "Status", "CreatedBy"]),
    ("ListTrainingPlans", "training-plan", "TrainingPlanSummaries", Status, &["StartTime", "EndTime"]),
    ("ListPartnerApps", "partner-app", "Summaries", Status, &["Type"]),
    ("ListProjects", "project", "ProjectSummaryList", Status, &["ProjectId", "ProjectDescription"]),
    ("ListHubs", "hub", "HubSummaries", StatusAndChange, &["HubDisplayName", "HubDescription"]),
    ("ListJobs", "job", "JobSummaries", StatusAndChange, &["JobCategory", "JobSecondaryStatus"]),
    ("ListTrainingSessions", "training-session", "TrainingSessionSummaries", StatusAndChange, &[]),
];

/// Filters of lists, and the member of a description that each has to equal.
const FILTERS: [(&str, &str); 8] = [
    ("EndpointNameEquals", "EndpointName"),
    ("EndpointName", "EndpointName"),
    ("VariantNameEquals", "VariantName"),
    ("ExperimentName", "ExperimentName"),
    ("ModelPackageGroupName", "ModelPackageGroupName"),
    ("ModelApprovalStatus", "ModelApprovalStatus"),
    ("ModelNameEquals", "ModelName"),
    ("JobCategory", "JobCategory"),
];

/// The members by which lists filter by status, each in its own operations.
const STATUS_FILTERS: [&str; 4] =
    ["StatusEquals", "FeatureGroupStatusEquals", "TrackingServerStatus", "Status"];

/// Returns how an operation is answered, if it is one of the table.
pub(super) fn listing(operation: &str) -> Option<Listing> {
    let (operation, kind, list, has, also) = *ROWS.iter().find(|row| row.0 == operation)?;
    Some(Listing { operation, form: form::of(kind), list, has, also })
}

/// Answers a list operation of the table.
pub(super) fn answer(
    world: &World,
    caller: &Caller,
    listing: &Listing,
    body: &Value,
) -> Result<Value, Refusal> {
    if listing.operation == "ListPipelineExecutions" {
        required(body, "PipelineName", INVALID)?;
    }
    if listing.operation == "ListJobs" {
        required(body, "JobCategory", INVALID)?;
    }
    let after = time(body, &["CreationTimeAfter", "CreatedAfter", "StartTimeAfter"])?;
    let before = time(body, &["CreationTimeBefore", "CreatedBefore", "StartTimeBefore"])?;
    let changed_after = time(body, &["LastModifiedTimeAfter"])?;
    let mut resources = reach::resources(world, caller, listing.form.kind);
    resources.retain(|resource| {
        let created_at = instant(resource.created_at);
        let has_status = |key: &&str| text(body, key).is_none_or(|it| it == resource.status);
        after.is_none_or(|after| created_at > after)
            && before.is_none_or(|before| created_at < before)
            && contains(body, "NameContains", &resource.name)
            && text(body, "PipelineNamePrefix").is_none_or(|start| resource.name.starts_with(start))
            && STATUS_FILTERS.iter().all(has_status)
            && passes(listing, body, resource)
    });
    sort(&mut resources, body, |resource| (resource.created_at, &resource.name))?;
    let scope = listing.operation;
    // AWS may answer nothing and a token: a page is what was looked at, not what was found.
    // The first page of processing jobs and of clusters is always such a one here.
    let first = text(body, "NextToken").is_none();
    if first && matches!(scope, "ListProcessingJobs" | "ListClusters") {
        size(&PAGING, body)?;
        return Ok(listed(listing.list, Vec::new(), "NextToken", Some(token(scope, 0))));
    }
    let (page, next) = cut(&PAGING, scope, body, &resources)?;
    // A filter by time of change sifts each page by itself, so many of them may be empty.
    let changed = page.iter().filter(|resource| {
        changed_after.as_ref().is_none_or(|after| instant(resource.created_at) > *after)
    });
    let items = changed.map(|resource| summary(listing, resource)).collect();
    Ok(listed(listing.list, items, "NextToken", next))
}

/// Tells whether the filters that only some lists have let a resource through.
fn passes(listing: &Listing, body: &Value, resource: &Resource) -> bool {
    let detail = |member: &str| resource.details.get(member).and_then(Value::as_str);
    let kind = listing.form.kind;
    let made_up = |member: &str| match (kind, member) {
        // What a description says without details: see the form.
        ("job", "JobCategory") => Some("AgentRFT"),
        ("inference-component", "EndpointName") => Some(resource.name.as_str()),
        ("inference-component", "VariantName") => Some("AllTraffic"),
        _ => None,
    };
    match kind {
        // An execution's ARN goes on from the pipeline's, and the request has the name or the ARN.
        "pipeline-execution" => {
            let asked = text(body, "PipelineName").unwrap_or_default().to_lowercase();
            let name = asked.rsplit('/').next().unwrap_or_default();
            resource.arn.to_lowercase().contains(&format!(":pipeline/{name}/execution/"))
        }
        "mlflow-app" => text(body, "DefaultForDomainId").is_none_or(|domain| {
            let domains = resource.details.get("DefaultDomainIdList").and_then(Value::as_array);
            domains.is_some_and(|domains| domains.iter().any(|known| known == domain))
        }),
        "experiment-trial-component" => parents(body, resource),
        // Versions of a group are listed when their group is named, or when they are asked for.
        "model-package" if text(body, "ModelPackageGroupName").is_none() => {
            let versioned = detail("ModelPackageGroupName").is_some();
            match text(body, "ModelPackageType") {
                Some("Both") => true,
                Some("Versioned") => versioned,
                _ => !versioned,
            }
        }
        _ => FILTERS.iter().all(|(key, member)| {
            text(body, key).is_none_or(|wanted| detail(member).or(made_up(member)) == Some(wanted))
        }),
    }
}

/// Tells whether a trial component belongs to the trial and experiment that are asked for.
fn parents(body: &Value, resource: &Resource) -> bool {
    let parents = resource.details.get("Parents").and_then(Value::as_array);
    ["TrialName", "ExperimentName"].iter().all(|key| {
        text(body, key).is_none_or(|wanted| {
            parents.is_some_and(|parents| {
                parents.iter().any(|parent| text(parent, key) == Some(wanted))
            })
        })
    })
}

/// Reads the first of several spellings of a time filter.
fn time(body: &Value, keys: &[&str]) -> Result<Option<Money>, Refusal> {
    let Some(value) = keys.iter().find_map(|key| body.get(*key)) else {
        return Ok(None);
    };
    let refusal = || Refusal::new("SerializationException", "a timestamp is a number of seconds");
    decimal(value).map(Some).ok_or_else(refusal)
}

fn summary(listing: &Listing, resource: &Resource) -> Value {
    let Listing { form, has, also, .. } = listing;
    let description = form::description(*form, resource);
    let mut summary = Map::new();
    let mut take = |member: &str| {
        if let Some(value) = description.get(member) {
            summary.insert(member.to_owned(), value.clone());
        }
    };
    take(&form.name());
    take("CreationTime");
    if matches!(has, StatusAndChange | Change) {
        take("LastModifiedTime");
    }
    if matches!(has, StatusAndChange | Status) {
        take(form.status);
    }
    also.iter().for_each(|member| take(member));
    summary.insert(form.arn(), json!(listed_arn(resource)));
    // Where a summary differs from the description.
    match form.kind {
        "hyper-parameter-tuning-job" => {
            let strategy = &description["HyperParameterTuningJobConfig"]["Strategy"];
            summary.insert("Strategy".to_owned(), strategy.clone());
        }
        "labeling-job" => {
            let team = &description["HumanTaskConfig"]["WorkteamArn"];
            summary.insert("WorkteamArn".to_owned(), team.clone());
        }
        "optimization-job" => {
            summary.insert("OptimizationTypes".to_owned(), json!([]));
        }
        // The one list without ARNs, and the one without names.
        "inference-experiment" => drop(summary.remove("Arn")),
        "training-session" => drop(summary.remove("TrainingSessionName")),
        "pipeline-execution" | "training-plan" => {
            summary.remove("CreationTime");
            let start = seconds(resource.created_at);
            summary.entry("StartTime").or_insert(start);
        }
        _ => {}
    }
    Value::Object(summary)
}

/// Returns the ARN as the list prints it: AWS lower-cases that of a tuning job, which then finds no tags.
fn listed_arn(resource: &Resource) -> String {
    let arn = reach::resource_arn(resource);
    if resource.kind == "hyper-parameter-tuning-job" {
        arn.to_lowercase()
    } else {
        arn.into_owned()
    }
}
