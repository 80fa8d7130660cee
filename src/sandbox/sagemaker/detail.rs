//! Owns the descriptions of resources: what tells where one came from.
//!
//! **Invariant:** what does not exist is refused as AWS refuses it, which differs from kind to kind.

use serde_json::{Map, Value, json};

use super::super::page::required;
use super::super::reach;
use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::INVALID;
use super::describe::missing;
use super::form;

/// How a kind says that something is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    /// By the exception of SageMaker's model.
    NotFound,
    /// By a `ValidationException`, for want of a modelled one.
    Invalid,
}

use Missing::{Invalid, NotFound};

/// Operation, kind, the member that names the resource, and what is said when there is none.
type Row = (&'static str, &'static str, &'static str, Missing);

#[rustfmt::skip]
const ROWS: [Row; 34] = [
    ("DescribeTrainingJob", "training-job", "TrainingJobName", NotFound),
    ("DescribeProcessingJob", "processing-job", "ProcessingJobName", NotFound),
    ("DescribeTransformJob", "transform-job", "TransformJobName", NotFound),
    ("DescribeHyperParameterTuningJob", "hyper-parameter-tuning-job", "HyperParameterTuningJobName", NotFound),
    ("DescribeAutoMLJobV2", "automl-job", "AutoMLJobName", NotFound),
    ("DescribeAutoMLJob", "automl-job", "AutoMLJobName", NotFound),
    ("DescribeNotebookInstance", "notebook-instance", "NotebookInstanceName", Invalid),
    ("DescribeEndpoint", "endpoint", "EndpointName", Invalid),
    ("DescribeEndpointConfig", "endpoint-config", "EndpointConfigName", Invalid),
    ("DescribeModel", "model", "ModelName", Invalid),
    ("DescribeInferenceComponent", "inference-component", "InferenceComponentName", Invalid),
    ("DescribeInferenceExperiment", "inference-experiment", "Name", NotFound),
    ("DescribeInferenceRecommendationsJob", "inference-recommendations-job", "JobName", NotFound),
    ("DescribePipeline", "pipeline", "PipelineName", NotFound),
    ("DescribePipelineExecution", "pipeline-execution", "PipelineExecutionArn", NotFound),
    ("DescribeExperiment", "experiment", "ExperimentName", NotFound),
    ("DescribeTrial", "experiment-trial", "TrialName", NotFound),
    ("DescribeTrialComponent", "experiment-trial-component", "TrialComponentName", NotFound),
    ("DescribeFeatureGroup", "feature-group", "FeatureGroupName", NotFound),
    ("DescribeModelPackageGroup", "model-package-group", "ModelPackageGroupName", Invalid),
    ("DescribeModelPackage", "model-package", "ModelPackageName", Invalid),
    ("DescribeCluster", "cluster", "ClusterName", NotFound),
    ("DescribeLabelingJob", "labeling-job", "LabelingJobName", NotFound),
    ("DescribeMlflowTrackingServer", "mlflow-tracking-server", "TrackingServerName", NotFound),
    ("DescribeMlflowApp", "mlflow-app", "Arn", NotFound),
    ("DescribePartnerApp", "partner-app", "Arn", NotFound),
    ("DescribeTrainingPlan", "training-plan", "TrainingPlanName", NotFound),
    ("DescribeHub", "hub", "HubName", NotFound),
    ("DescribeCompilationJob", "compilation-job", "CompilationJobName", NotFound),
    ("DescribeOptimizationJob", "optimization-job", "OptimizationJobName", NotFound),
    ("DescribeMonitoringSchedule", "monitoring-schedule", "MonitoringScheduleName", NotFound),
    ("DescribeProject", "project", "ProjectName", Invalid),
    ("DescribeJob", "job", "JobName", NotFound),
    ("DescribeTrainingSession", "training-session", "TrainingSessionName", NotFound),
];

/// Answers a describe operation of the table; `None` when it is no such operation.
pub(super) fn answer(
    world: &World,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Option<Result<Value, Refusal>> {
    let row = ROWS.iter().find(|row| row.0 == operation)?;
    Some(describe(world, caller, *row, body))
}

fn describe(
    world: &World,
    caller: &Caller,
    (operation, kind, member, refusal): Row,
    body: &Value,
) -> Result<Value, Refusal> {
    let name = required(body, member, INVALID)?;
    let form = form::of(kind);
    let of_kind = reach::resources(world, caller, kind);
    // Some kinds are named by their ARN, and most may be.
    let found = of_kind.into_iter().rfind(|resource| {
        resource.name == name || (name.starts_with("arn:") && reach::resource_arn(resource) == name)
    });
    let Some(resource) = found else {
        return Err(match refusal {
            NotFound => missing(operation.trim_start_matches("Describe"), name),
            Invalid => {
                let arn = reach::sagemaker_arn(caller, &format!("{kind}/{name}"));
                Refusal::invalid(format!("Could not find {} \"{arn}\".", kind.replace('-', " ")))
            }
        });
    };
    let mut members = form::description(form, resource);
    if kind == "training-session" {
        // The one description that is wrapped.
        return Ok(json!({ "TrainingSessionDetail": members }));
    }
    complete(&mut members, operation, caller);
    Ok(Value::Object(members))
}

/// Makes the members of a resource those of the operation, where they differ from its kind's.
fn complete(members: &mut Map<String, Value>, operation: &str, caller: &Caller) {
    let mut default = |member: &str, value: Value| {
        members.entry(member).or_insert(value);
    };
    match operation {
        "DescribeAutoMLJobV2" => default("AutoMLJobInputDataConfig", json!([])),
        "DescribeAutoMLJob" => default("InputDataConfig", json!([])),
        "DescribeTrainingPlan" => {
            members.remove("CreationTime");
            members.remove("LastModifiedTime");
        }
        "DescribeJob" => {
            let role = format!("arn:aws:iam::{}:role/sandbox", caller.account);
            default("RoleArn", json!(role));
            default("JobConfigSchemaVersion", json!("1"));
            default("SecondaryStatusTransitions", json!([]));
            let status = members.remove("JobSecondaryStatus").unwrap_or_default();
            members.entry("SecondaryStatus").or_insert(status);
        }
        _ => {}
    }
    // The trials of a component are known to lists and to `Search` alone.
    members.remove("Parents");
}
