//! Owns how SageMaker writes each kind of resource: the names of its members, and those that it never leaves out.
//!
//! **Invariant:** a member of a resource's own details wins over one that is made up here.

use serde_json::{Map, Value, json};

use super::super::organisation::Resource;
use super::super::page::seconds;
use super::super::reach;

/// How a kind of resource is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// The ARN's segment, or what tells it from others of that segment.
    pub kind: &'static str,
    /// What its members start with: `TrainingJob` in `TrainingJobArn`.
    pub prefix: &'static str,
    /// The member with its status; empty when it has none.
    pub status: &'static str,
}

type Row = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const ROWS: [Row; 34] = [
    ("automl-job", "AutoMLJob", "AutoMLJobStatus"),
    ("cluster", "Cluster", "ClusterStatus"),
    ("compilation-job", "CompilationJob", "CompilationJobStatus"),
    ("endpoint", "Endpoint", "EndpointStatus"),
    ("endpoint-config", "EndpointConfig", ""),
    ("experiment", "Experiment", ""),
    ("experiment-trial", "Trial", ""),
    ("experiment-trial-component", "TrialComponent", ""),
    ("feature-group", "FeatureGroup", "FeatureGroupStatus"),
    ("hub", "Hub", "HubStatus"),
    ("hyper-parameter-tuning-job", "HyperParameterTuningJob", "HyperParameterTuningJobStatus"),
    ("inference-component", "InferenceComponent", "InferenceComponentStatus"),
    ("inference-experiment", "", "Status"),
    ("inference-recommendations-job", "Job", "Status"),
    ("job", "Job", "JobStatus"),
    ("labeling-job", "LabelingJob", "LabelingJobStatus"),
    ("mlflow-app", "", "Status"),
    ("mlflow-tracking-server", "TrackingServer", "TrackingServerStatus"),
    ("model", "Model", ""),
    ("model-package", "ModelPackage", "ModelPackageStatus"),
    ("model-package-group", "ModelPackageGroup", "ModelPackageGroupStatus"),
    ("monitoring-schedule", "MonitoringSchedule", "MonitoringScheduleStatus"),
    ("notebook-instance", "NotebookInstance", "NotebookInstanceStatus"),
    ("optimization-job", "OptimizationJob", "OptimizationJobStatus"),
    ("partner-app", "", "Status"),
    ("pipeline", "Pipeline", "PipelineStatus"),
    ("pipeline-execution", "PipelineExecution", "PipelineExecutionStatus"),
    ("processing-job", "ProcessingJob", "ProcessingJobStatus"),
    ("project", "Project", "ProjectStatus"),
    ("training-job", "TrainingJob", "TrainingJobStatus"),
    ("training-plan", "TrainingPlan", "Status"),
    ("training-session", "TrainingSession", "TrainingSessionStatus"),
    ("transform-job", "TransformJob", "TransformJobStatus"),
    ("domain", "Domain", "Status"),
];

/// Kinds whose descriptions tell a `RoleArn`; all others are silent about it, or call it otherwise.
const WITH_ROLE: [&str; 15] = [
    "automl-job",
    "compilation-job",
    "feature-group",
    "inference-experiment",
    "inference-recommendations-job",
    "job",
    "labeling-job",
    "mlflow-app",
    "mlflow-tracking-server",
    "notebook-instance",
    "optimization-job",
    "pipeline",
    "pipeline-execution",
    "processing-job",
    "training-job",
];

/// Returns how a kind of resource is written.
pub(super) fn of(kind: &str) -> Form {
    let row = ROWS.iter().find(|row| row.0 == kind);
    let (kind, prefix, status) = *row.expect("every kind of the tables has a form");
    Form { kind, prefix, status }
}

impl Form {
    /// Returns the member with the name.
    pub(super) fn name(&self) -> String {
        format!("{}Name", self.prefix)
    }

    /// Returns the member with the ARN.
    pub(super) fn arn(&self) -> String {
        format!("{}Arn", self.prefix)
    }

    /// Tells whether a description says when the resource was last changed.
    fn tells_change(&self) -> bool {
        !matches!(
            self.kind,
            "transform-job" | "endpoint-config" | "model" | "model-package-group" | "cluster"
        )
    }
}

/// Describes a resource: what every kind has, what AWS's model requires of this one, and its own details.
pub(super) fn description(form: Form, resource: &Resource) -> Map<String, Value> {
    let mut members = required(resource);
    members.insert(form.name(), json!(resource.name));
    members.insert(form.arn(), json!(reach::resource_arn(resource)));
    let status = if resource.status.is_empty() { "Active" } else { resource.status.as_str() };
    if !form.status.is_empty() {
        members.insert(form.status.to_owned(), json!(status));
    }
    members.insert("CreationTime".to_owned(), seconds(resource.created_at));
    if form.tells_change() {
        members.insert("LastModifiedTime".to_owned(), seconds(resource.created_at));
    }
    if form.kind == "pipeline-execution" {
        members.remove("PipelineExecutionName");
    }
    if let Value::Object(details) = &resource.details {
        members.extend(details.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    if !WITH_ROLE.contains(&form.kind) {
        members.remove("RoleArn");
    }
    members
}

/// Returns the members that AWS's model requires of a kind, with values of no consequence.
fn required(resource: &Resource) -> Map<String, Value> {
    let members = of_job(resource).unwrap_or_else(|| of_other(resource));
    let Value::Object(members) = members else { panic!("members are an object") };
    members
}

fn of_job(resource: &Resource) -> Option<Value> {
    let Resource { account, name, status, .. } = resource;
    let role = format!("arn:aws:iam::{account}:role/sandbox");
    let bucket = format!("s3://sandbox-{account}/{name}");
    let once = if status == "InProgress" { "Training" } else { status.as_str() };
    Some(match resource.kind.as_str() {
        "training-job" => json!({
            "ModelArtifacts": { "S3ModelArtifacts": bucket }, "SecondaryStatus": once,
            "StoppingCondition": {},
        }),
        "processing-job" => json!({
            "ProcessingResources": { "ClusterConfig": {
                "InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30,
            } },
            "AppSpecification": { "ImageUri": "sandbox" },
        }),
        "transform-job" => json!({
            "ModelName": name,
            "TransformInput": { "DataSource": { "S3DataSource": {
                "S3DataType": "S3Prefix", "S3Uri": bucket,
            } } },
            "TransformResources": { "InstanceType": "ml.m5.xlarge", "InstanceCount": 1 },
        }),
        "hyper-parameter-tuning-job" => json!({
            "HyperParameterTuningJobConfig": {
                "Strategy": "Bayesian", "ResourceLimits": { "MaxParallelTrainingJobs": 1 },
            },
            "TrainingJobStatusCounters": {}, "ObjectiveStatusCounters": {},
        }),
        "automl-job" => json!({
            "OutputDataConfig": { "S3OutputPath": bucket }, "RoleArn": role,
            "AutoMLJobSecondaryStatus":
                if status == "InProgress" { "AnalyzingData" } else { status.as_str() },
        }),
        "inference-recommendations-job" => json!({
            "JobType": "Default", "JobDescription": "", "RoleArn": role, "InputConfig": {},
        }),
        "labeling-job" => labeling_job(&role, &bucket, resource),
        "compilation-job" => json!({
            "StoppingCondition": {}, "FailureReason": "", "RoleArn": role,
            "ModelArtifacts": { "S3ModelArtifacts": bucket },
            "InputConfig": { "S3Uri": bucket, "Framework": "PYTORCH" },
            "OutputConfig": { "S3OutputLocation": bucket },
        }),
        "optimization-job" => json!({
            "ModelSource": {}, "DeploymentInstanceType": "ml.g5.xlarge",
            "OptimizationConfigs": [], "OutputConfig": { "S3OutputLocation": bucket },
            "RoleArn": role, "StoppingCondition": {},
        }),
        "job" => json!({ "JobCategory": "AgentRFT", "JobSecondaryStatus": once }),
        _ => return None,
    })
}

fn of_other(resource: &Resource) -> Value {
    let Resource { account, region, name, .. } = resource;
    match resource.kind.as_str() {
        "endpoint" => json!({ "EndpointConfigName": name }),
        "endpoint-config" => json!({
            "ProductionVariants": [{ "VariantName": "AllTraffic", "ModelName": name }],
        }),
        "inference-component" => json!({
            // A component is taken to sit on an endpoint of its own name.
            "EndpointName": name,
            "EndpointArn": format!(
                "arn:aws:sagemaker:{region}:{account}:endpoint/{}", name.to_lowercase()
            ),
            "VariantName": "AllTraffic",
        }),
        "inference-experiment" => json!({
            "Type": "ShadowMode", "EndpointMetadata": { "EndpointName": name },
            "ModelVariants": [],
        }),
        "experiment-trial-component" => json!({ "Status": { "PrimaryStatus": "Completed" } }),
        "feature-group" => json!({
            "RecordIdentifierFeatureName": "id", "EventTimeFeatureName": "time",
            "FeatureDefinitions": [], "NextToken": "",
        }),
        "model-package-group" => json!({ "CreatedBy": {} }),
        "model-package" => json!({ "ModelPackageStatusDetails": { "ValidationStatuses": [] } }),
        "cluster" => json!({ "InstanceGroups": [] }),
        "monitoring-schedule" => json!({ "MonitoringScheduleConfig": {} }),
        "project" => json!({ "ProjectId": project_id(name) }),
        "partner-app" => json!({ "Type": "comet" }),
        _ => json!({}),
    }
}

fn labeling_job(role: &str, bucket: &str, resource: &Resource) -> Value {
    let Resource { account, region, .. } = resource;
    let team = format!("arn:aws:sagemaker:{region}:{account}:workteam/private-crowd/sandbox");
    json!({
        "LabelCounters": {}, "JobReferenceCode": "sandbox", "RoleArn": role,
        "InputConfig": { "DataSource": {} }, "OutputConfig": { "S3OutputPath": bucket },
        "HumanTaskConfig": {
            "WorkteamArn": team, "UiConfig": {}, "TaskTitle": "sandbox",
            "TaskDescription": "sandbox", "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 60,
        },
    })
}

/// Returns the id of a project: `p-` and twelve letters or digits.
fn project_id(name: &str) -> String {
    format!("p-{}", super::describe::digits(name, 12))
}
