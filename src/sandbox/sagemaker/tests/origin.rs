//! Owns the tests of what is listed and described of resources, of every kind.
//!
//! **Invariant:** requests and answers only, as a client would see them.

use serde_json::{Value, json};

use super::super::super::organisation::Resource;
use super::super::super::sample::{DOMAIN, at, member, resource, world};
use super::super::super::world::World;
use super::{ask, refused};

/// A kind, its list operation and list, its describe operation with the member that asks, and the ARN's member.
type Row = (&'static str, [&'static str; 5]);

#[rustfmt::skip]
const ROWS: [Row; 31] = [
    ("training-job", ["ListTrainingJobs", "TrainingJobSummaries", "DescribeTrainingJob", "TrainingJobName", "TrainingJobArn"]),
    ("processing-job", ["ListProcessingJobs", "ProcessingJobSummaries", "DescribeProcessingJob", "ProcessingJobName", "ProcessingJobArn"]),
    ("transform-job", ["ListTransformJobs", "TransformJobSummaries", "DescribeTransformJob", "TransformJobName", "TransformJobArn"]),
    ("automl-job", ["ListAutoMLJobs", "AutoMLJobSummaries", "DescribeAutoMLJobV2", "AutoMLJobName", "AutoMLJobArn"]),
    ("automl-job", ["ListAutoMLJobs", "AutoMLJobSummaries", "DescribeAutoMLJob", "AutoMLJobName", "AutoMLJobArn"]),
    ("notebook-instance", ["ListNotebookInstances", "NotebookInstances", "DescribeNotebookInstance", "NotebookInstanceName", "NotebookInstanceArn"]),
    ("endpoint", ["ListEndpoints", "Endpoints", "DescribeEndpoint", "EndpointName", "EndpointArn"]),
    ("endpoint-config", ["ListEndpointConfigs", "EndpointConfigs", "DescribeEndpointConfig", "EndpointConfigName", "EndpointConfigArn"]),
    ("model", ["ListModels", "Models", "DescribeModel", "ModelName", "ModelArn"]),
    ("inference-component", ["ListInferenceComponents", "InferenceComponents", "DescribeInferenceComponent", "InferenceComponentName", "InferenceComponentArn"]),
    ("inference-recommendations-job", ["ListInferenceRecommendationsJobs", "InferenceRecommendationsJobs", "DescribeInferenceRecommendationsJob", "JobName", "JobArn"]),
    ("pipeline", ["ListPipelines", "PipelineSummaries", "DescribePipeline", "PipelineName", "PipelineArn"]),
    ("experiment", ["ListExperiments", "ExperimentSummaries", "DescribeExperiment", "ExperimentName", "ExperimentArn"]),
    ("experiment-trial", ["ListTrials", "TrialSummaries", "DescribeTrial", "TrialName", "TrialArn"]),
    ("experiment-trial-component", ["ListTrialComponents", "TrialComponentSummaries", "DescribeTrialComponent", "TrialComponentName", "TrialComponentArn"]),
    ("feature-group", ["ListFeatureGroups", "FeatureGroupSummaries", "DescribeFeatureGroup", "FeatureGroupName", "FeatureGroupArn"]),
    ("model-package", ["ListModelPackages", "ModelPackageSummaryList", "DescribeModelPackage", "ModelPackageName", "ModelPackageArn"]),
    ("model-package-group", ["ListModelPackageGroups", "ModelPackageGroupSummaryList", "DescribeModelPackageGroup", "ModelPackageGroupName", "ModelPackageGroupArn"]),
    ("cluster", ["ListClusters", "ClusterSummaries", "DescribeCluster", "ClusterName", "ClusterArn"]),
    ("labeling-job", ["ListLabelingJobs", "LabelingJobSummaryList", "DescribeLabelingJob", "LabelingJobName", "LabelingJobArn"]),
    ("mlflow-tracking-server", ["ListMlflowTrackingServers", "TrackingServerSummaries", "DescribeMlflowTrackingServer", "TrackingServerName", "TrackingServerArn"]),
    ("mlflow-app", ["ListMlflowApps", "Summaries", "DescribeMlflowApp", "Arn", "Arn"]),
    ("partner-app", ["ListPartnerApps", "Summaries", "DescribePartnerApp", "Arn", "Arn"]),
    ("compilation-job", ["ListCompilationJobs", "CompilationJobSummaries", "DescribeCompilationJob", "CompilationJobName", "CompilationJobArn"]),
    ("optimization-job", ["ListOptimizationJobs", "OptimizationJobSummaries", "DescribeOptimizationJob", "OptimizationJobName", "OptimizationJobArn"]),
    ("monitoring-schedule", ["ListMonitoringSchedules", "MonitoringScheduleSummaries", "DescribeMonitoringSchedule", "MonitoringScheduleName", "MonitoringScheduleArn"]),
    ("project", ["ListProjects", "ProjectSummaryList", "DescribeProject", "ProjectName", "ProjectArn"]),
    ("hub", ["ListHubs", "HubSummaries", "DescribeHub", "HubName", "HubArn"]),
    ("training-plan", ["ListTrainingPlans", "TrainingPlanSummaries", "DescribeTrainingPlan", "TrainingPlanName", "TrainingPlanArn"]),
    ("job", ["ListJobs", "JobSummaries", "DescribeJob", "JobName", "JobArn"]),
    ("inference-experiment", ["ListInferenceExperiments", "InferenceExperiments", "DescribeInferenceExperiment", "Name", ""]),
];

fn detailed(kind: &str, name: &str, details: Value) -> Resource {
    Resource { details, ..resource(kind, name, "InProgress") }
}

fn with(resources: impl IntoIterator<Item = Resource>) -> World {
    let mut world = world();
    world.organisation.resources.clear();
    world.organisation.resources.extend(resources);
    world
}

/// Follows the tokens.
fn all(world: &mut World, operation: &str, list: &str, body: &Value) -> Vec<Value> {
    let mut body = body.clone();
    let mut found = Vec::new();
    loop {
        let answer = ask(world, &member(), operation, &body);
        found.extend(answer[list].as_array().unwrap().iter().cloned());
        match answer.get("NextToken") {
            Some(token) => body["NextToken"] = token.clone(),
            None => return found,
        }
    }
}

#[test]
fn every_kind_is_listed_and_described_under_one_name() {
    for (kind, [list, holder, describe, by, arn]) in ROWS {
        let ours = "arn:aws:sagemaker:eu-west-1:444455556666";
        let mut world = with([detailed(kind, "one", json!({ "Description": "mine" }))]);
        let asked = if kind == "job" { json!({ "JobCategory": "AgentRFT" }) } else { json!({}) };
        let listed = all(&mut world, list, holder, &asked);
        assert_eq!(listed.len(), 1, "{list}");
        // The one kind whose summaries have no ARN.
        let listed_arn = if arn.is_empty() { None } else { listed[0][arn].as_str() };
        let expected = (!arn.is_empty()).then(|| format!("{ours}:{kind}/one"));
        assert_eq!(listed_arn, expected.as_deref(), "{list}");
        assert_eq!(listed[0].get("Description"), None, "{list}");
        let described = ask(&mut world, &member(), describe, &json!({ by: listed[0][by] }));
        let arn = if arn.is_empty() { "Arn" } else { arn };
        assert_eq!(described[arn], format!("{ours}:{kind}/one"), "{describe}");
        assert_eq!(described["Description"], "mine", "{describe}");
        let code = refused(describe, &json!({ by: "nothing" })).code;
        assert!(["ResourceNotFound", "ValidationException"].contains(&code.as_str()), "{describe}");
    }
    let body = json!({ "EndpointName": "gone" });
    assert_eq!(refused("DescribeEndpoint", &body).code, "ValidationException");
}

#[test]
fn only_some_kinds_tell_a_role() {
    for (kind, describe, by, expected) in [
        ("training-job", "DescribeTrainingJob", "TrainingJobName", Some("role")),
        ("endpoint", "DescribeEndpoint", "EndpointName", None),
        ("transform-job", "DescribeTransformJob", "TransformJobName", None),
    ] {
        let mut world = with([detailed(kind, "one", json!({ "RoleArn": "role" }))]);
        let described = ask(&mut world, &member(), describe, &json!({ by: "one" }));
        assert_eq!(described.get("RoleArn").and_then(Value::as_str), expected, "{kind}");
    }
}

#[test]
fn sessions_have_no_names_and_executions_belong_to_a_pipeline() {
    let mut execution = detailed(
        "pipeline-execution",
        "e1",
        json!({
            "PipelineArn": "arn:aws:sagemaker:eu-west-1:444455556666:pipeline/train",
            "CreatedBy": { "DomainId": DOMAIN, "UserProfileName": "Alice" },
        }),
    );
    execution.arn =
        "arn:aws:sagemaker:eu-west-1:444455556666:pipeline/train/execution/e1".to_owned();
    let arn = execution.arn.clone();
    let mut world = with([execution, resource("training-session", "s", "Running")]);
    let sessions = all(&mut world, "ListTrainingSessions", "TrainingSessionSummaries", &json!({}));
    assert!(sessions[0].get("TrainingSessionName").is_none(), "{sessions:?}");
    for (name, count) in
        [("Train", 1), ("arn:aws:sagemaker:eu-west-1:1:pipeline/train", 1), ("t", 0)]
    {
        let body = json!({ "PipelineName": name });
        let found = all(&mut world, "ListPipelineExecutions", "PipelineExecutionSummaries", &body);
        assert_eq!(found.len(), count, "{name}");
        assert!(found.iter().all(|it| it["PipelineExecutionArn"] == arn.as_str()));
    }
    let body = json!({ "PipelineExecutionArn": arn });
    let described = ask(&mut world, &member(), "DescribePipelineExecution", &body);
    assert_eq!(described["CreatedBy"]["UserProfileName"], "Alice");
    for (operation, body) in [("ListPipelineExecutions", json!({})), ("ListJobs", json!({}))] {
        assert_eq!(refused(operation, &body).code, "ValidationException", "{operation}");
    }
}

#[test]
fn some_lists_filter_by_what_a_resource_belongs_to() {
    let package = |name, group: Value| detailed("model-package", name, group);
    let mut world = with([
        package("alone", json!({})),
        package("group/1", json!({ "ModelPackageGroupName": "group", "ModelPackageVersion": 1 })),
        detailed("experiment-trial", "t1", json!({ "ExperimentName": "x" })),
        detailed("experiment-trial", "t2", json!({ "ExperimentName": "y" })),
        detailed("experiment-trial-component", "c", json!({ "Parents": [{ "TrialName": "t2" }] })),
        detailed("mlflow-app", "m", json!({ "DefaultDomainIdList": [DOMAIN] })),
        resource("inference-component", "i", "InService"),
    ]);
    let packages = ("ListModelPackages", "ModelPackageSummaryList");
    let apps = ("ListMlflowApps", "Summaries");
    let components = ("ListTrialComponents", "TrialComponentSummaries");
    for ((operation, list), body, count) in [
        // Versions of a group are in no list that does not ask for them.
        (packages, json!({}), 1),
        (packages, json!({ "ModelPackageType": "Both" }), 2),
        (packages, json!({ "ModelPackageGroupName": "group" }), 1),
        (packages, json!({ "ModelPackageGroupName": "other" }), 0),
        (("ListTrials", "TrialSummaries"), json!({ "ExperimentName": "y" }), 1),
        (components, json!({ "TrialName": "t2" }), 1),
        (components, json!({ "TrialName": "t1" }), 0),
        (apps, json!({ "DefaultForDomainId": DOMAIN }), 1),
        (apps, json!({ "DefaultForDomainId": "d-other" }), 0),
        (
            ("ListInferenceComponents", "InferenceComponents"),
            json!({ "EndpointNameEquals": "i" }),
            1,
        ),
        (
            ("ListInferenceComponents", "InferenceComponents"),
            json!({ "EndpointNameEquals": "j" }),
            0,
        ),
    ] {
        assert_eq!(all(&mut world, operation, list, &body).len(), count, "{operation} {body}");
    }
}

#[test]
fn a_filter_by_time_of_change_leaves_pages_empty() {
    let late = (0..12).map(|number| {
        let created_at =
            at(if number < 10 { "2026-01-01T00:00:00Z" } else { "2026-11-01T00:00:00Z" });
        Resource { created_at, ..resource("training-job", &format!("t{number:02}"), "Completed") }
    });
    let mut world = with(late);
    let body = json!({ "LastModifiedTimeAfter": at("2026-10-01T00:00:00Z").as_second() });
    let first = ask(&mut world, &member(), "ListTrainingJobs", &body);
    assert_eq!(first["TrainingJobSummaries"], json!([]));
    assert!(first.get("NextToken").is_some());
    assert_eq!(all(&mut world, "ListTrainingJobs", "TrainingJobSummaries", &body).len(), 2);
}

#[test]
fn roles_of_domains_spaces_and_people_are_told() {
    let mut world = world();
    let body = json!({ "DomainId": DOMAIN, "UserProfileName": "bob" });
    let role = |world: &mut World, settings: &str| {
        let domain = ask(world, &member(), "DescribeDomain", &json!({ "DomainId": DOMAIN }));
        domain[settings]["ExecutionRole"].clone()
    };
    let usual = role(&mut world, "DefaultUserSettings");
    assert_eq!(role(&mut world, "DefaultSpaceSettings"), usual);
    world.organisation.domains[0].space_role = Some("arn:aws:iam::1:role/space".to_owned());
    assert_eq!(role(&mut world, "DefaultSpaceSettings"), "arn:aws:iam::1:role/space");
    assert_eq!(role(&mut world, "DefaultUserSettings"), usual);
    world.organisation.user_profiles[1].execution_role = Some("arn:aws:iam::1:role/bob".to_owned());
    let bob = ask(&mut world, &member(), "DescribeUserProfile", &body);
    assert_eq!(bob["UserSettings"]["ExecutionRole"], "arn:aws:iam::1:role/bob");
}

#[test]
fn some_kinds_are_not_known_to_add_tags() {
    let mut world = with([resource("inference-experiment", "one", "Running")]);
    let arn = world.organisation.resources[0].arn.clone();
    let add = json!({ "ResourceArn": arn, "Tags": [{ "Key": "a", "Value": "b" }] });
    let delete = json!({ "ResourceArn": arn, "TagKeys": ["cost-center"] });
    for (operation, body) in [("AddTags", add), ("DeleteTags", delete)] {
        let answer = super::super::answer(&mut world, &member(), operation, &body);
        assert_eq!(answer.unwrap_err().code, "ValidationException", "{operation}");
    }
    let tags = ask(&mut world, &member(), "ListTags", &json!({ "ResourceArn": arn }));
    assert_eq!(tags["Tags"][0]["Value"], "one");
}
