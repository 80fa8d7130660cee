//! Owns the lists of everything else that SageMaker bills: one table of operations, one way to answer them.
//!
//! **Invariant:** the casing of an ARN in a list is AWS's, which is not always that of the true one.

use serde_json::{Map, Value, json};

use super::super::organisation::Resource;
use super::super::page::{cut, decimal, instant, listed, seconds, size, text, token};
use super::super::reach;
use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::PAGING;
use super::identity::{contains, sort};
use crate::money::Money;

/// How one list operation is answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listing {
    operation: &'static str,
    /// The ARN's segment.
    kind: &'static str,
    /// The member that holds the list.
    list: &'static str,
    /// What the members of a summary start with: `TrainingJob` in `TrainingJobArn`.
    prefix: &'static str,
    has: Has,
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

type Row = (&'static str, &'static str, &'static str, &'static str, Has);

#[rustfmt::skip]
const ROWS: [Row; 20] = [
    ("ListTrainingJobs", "training-job", "TrainingJobSummaries", "TrainingJob", StatusAndChange),
    ("ListProcessingJobs", "processing-job", "ProcessingJobSummaries", "ProcessingJob", StatusAndChange),
    ("ListTransformJobs", "transform-job", "TransformJobSummaries", "TransformJob", StatusAndChange),
    ("ListHyperParameterTuningJobs", "hyper-parameter-tuning-job", "HyperParameterTuningJobSummaries", "HyperParameterTuningJob", StatusAndChange),
    ("ListAutoMLJobs", "automl-job", "AutoMLJobSummaries", "AutoMLJob", StatusAndChange),
    ("ListNotebookInstances", "notebook-instance", "NotebookInstances", "NotebookInstance", StatusAndChange),
    ("ListEndpoints", "endpoint", "Endpoints", "Endpoint", StatusAndChange),
    ("ListEndpointConfigs", "endpoint-config", "EndpointConfigs", "EndpointConfig", Neither),
    ("ListModels", "model", "Models", "Model", Neither),
    ("ListInferenceComponents", "inference-component", "InferenceComponents", "InferenceComponent", StatusAndChange),
    ("ListPipelines", "pipeline", "PipelineSummaries", "Pipeline", Change),
    ("ListClusters", "cluster", "ClusterSummaries", "Cluster", Status),
    ("ListFeatureGroups", "feature-group", "FeatureGroupSummaries", "FeatureGroup", Status),
    ("ListLabelingJobs", "labeling-job", "LabelingJobSummaryList", "LabelingJob", StatusAndChange),
    ("ListModelPackageGroups", "model-package-group", "ModelPackageGroupSummaryList", "ModelPackageGroup", Status),
    ("ListMlflowTrackingServers", "mlflow-tracking-server", "TrackingServerSummaries", "TrackingServer", StatusAndChange),
    ("ListOptimizationJobs", "optimization-job", "OptimizationJobSummaries", "OptimizationJob", StatusAndChange),
    ("ListCompilationJobs", "compilation-job", "CompilationJobSummaries", "CompilationJob", StatusAndChange),
    ("ListMonitoringSchedules", "monitoring-schedule", "MonitoringScheduleSummaries", "MonitoringSchedule", StatusAndChange),
    ("ListExperiments", "experiment", "ExperimentSummaries", "Experiment", Change),
];

/// Returns how an operation is answered, if it is one of the table.
pub(super) fn listing(operation: &str) -> Option<Listing> {
    let (operation, kind, list, prefix, has) = *ROWS.iter().find(|row| row.0 == operation)?;
    Some(Listing { operation, kind, list, prefix, has })
}

/// Answers a list operation of the table.
pub(super) fn answer(
    world: &World,
    caller: &Caller,
    listing: &Listing,
    body: &Value,
) -> Result<Value, Refusal> {
    let after = time(body, &["CreationTimeAfter", "CreatedAfter"])?;
    let before = time(body, &["CreationTimeBefore", "CreatedBefore"])?;
    let mut resources = reach::resources(world, caller, listing.kind);
    resources.retain(|resource| {
        let created_at = instant(resource.created_at);
        after.is_none_or(|after| created_at > after)
            && before.is_none_or(|before| created_at < before)
            && contains(body, "NameContains", &resource.name)
            && text(body, "PipelineNamePrefix").is_none_or(|start| resource.name.starts_with(start))
            && text(body, "StatusEquals").is_none_or(|status| resource.status == status)
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
    let items = page.iter().map(|resource| summary(caller, listing, resource)).collect();
    Ok(listed(listing.list, items, "NextToken", next))
}

/// Reads the first of several spellings of a time filter.
fn time(body: &Value, keys: &[&str]) -> Result<Option<Money>, Refusal> {
    let Some(value) = keys.iter().find_map(|key| body.get(*key)) else {
        return Ok(None);
    };
    let refusal = || Refusal::new("SerializationException", "a timestamp is a number of seconds");
    decimal(value).map(Some).ok_or_else(refusal)
}

fn summary(caller: &Caller, listing: &Listing, resource: &Resource) -> Value {
    let Listing { prefix, has, .. } = listing;
    let mut summary = Map::new();
    summary.insert(format!("{prefix}Name"), json!(resource.name));
    summary.insert(format!("{prefix}Arn"), json!(listed_arn(resource)));
    summary.insert("CreationTime".to_owned(), seconds(resource.created_at));
    if matches!(has, StatusAndChange | Change) {
        summary.insert("LastModifiedTime".to_owned(), seconds(resource.created_at));
    }
    if matches!(has, StatusAndChange | Status) {
        summary.insert(format!("{prefix}Status"), json!(resource.status));
    }
    // Members that AWS's model requires of some kinds.
    match listing.kind {
        "hyper-parameter-tuning-job" => {
            summary.insert("Strategy".to_owned(), json!("Bayesian"));
            for counters in ["TrainingJobStatusCounters", "ObjectiveStatusCounters"] {
                summary.insert(counters.to_owned(), json!({}));
            }
        }
        "automl-job" => {
            summary.insert("AutoMLJobSecondaryStatus".to_owned(), json!(resource.status));
        }
        "labeling-job" => {
            summary.insert("LabelCounters".to_owned(), json!({}));
        }
        "optimization-job" => {
            summary.insert("OptimizationTypes".to_owned(), json!([]));
        }
        "inference-component" => {
            // A component is taken to sit on an endpoint of its own name.
            let endpoint = format!("endpoint/{}", resource.name.to_lowercase());
            let endpoint = reach::sagemaker_arn(caller, &endpoint);
            summary.insert("EndpointArn".to_owned(), json!(endpoint));
            summary.insert("EndpointName".to_owned(), json!(resource.name));
            summary.insert("VariantName".to_owned(), json!("AllTraffic"));
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
