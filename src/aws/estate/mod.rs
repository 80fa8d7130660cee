//! Owns reading one region's estate: every resource that can bear tags, with its tags and where it comes from.
//!
//! **Invariant:** it never fails; what could not be read is a gap, and the rest goes on.

mod fetch;
mod origin;

use jiff::Timestamp;

use crate::arn::AccountId;
use crate::inventory::{App, Inventory};
use crate::kind::{self, TaggedBy};

use super::error::Kind;
use super::inventory::{Entered, Reader, enter, file_systems, join_tags};
use super::sagemaker::identity::{self, Described};
use super::sagemaker::taggable;
use super::session::Session;
use super::tag;
use super::tagging::TagIndex;

/// Reads what can bear tags in one region of one account, and where that comes from which lacks its domain's tag.
///
/// When `wide`, jobs that are over are read too, and the origin of what costs nothing by itself.
/// `progress` is told each operation before it is called.
pub async fn read(
    session: &Session,
    account: &AccountId,
    region: &str,
    now: Timestamp,
    wide: bool,
    progress: &dyn Fn(&str),
) -> Inventory {
    let mut reader = Reader::new(account, region, now, progress);
    let Some(Entered { session, tags, are_tags_known }) = enter(session, &mut reader).await else {
        return reader.read;
    };
    read_tagged(&session, &mut reader, &tags, wide).await;
    // Without tags everything would look untagged, and be described one by one for nothing.
    if are_tags_known {
        origin::read(&session.sagemaker(), &mut reader, &tags, wide).await;
    }
    reader.turn();
    file_systems(&session, &mut reader).await;
    reader.read.sort();
    reader.read
}

/// Reads what can bear tags in one region of one account, with its tags, whether it costs something or not; not where it comes from.
pub async fn read_tags(
    session: &Session,
    account: &AccountId,
    region: &str,
    now: Timestamp,
) -> Inventory {
    let mut reader = Reader::new(account, region, now, &|_| {});
    let Some(Entered { session, tags, .. }) = enter(session, &mut reader).await else {
        return reader.read;
    };
    read_tagged(&session, &mut reader, &tags, true).await;
    reader.read.sort();
    reader.read
}

/// Reads identities and resources, each with its tags.
async fn read_tagged(session: &Session, reader: &mut Reader<'_>, tags: &TagIndex, wide: bool) {
    let client = session.sagemaker();
    reader.turn();
    identity::read(&client, reader, Described::All).await;
    taggable::read(&client, reader, wide).await;
    join_tags(&mut reader.read, tags);
    join_app_tags(&mut reader.read.apps, tags);
    read_strays(session, reader).await;
}

/// Reads from SageMaker itself the tags of types that the tagging API does not know: there they look untagged.
async fn read_strays(session: &Session, reader: &mut Reader<'_>) {
    for index in 0..reader.read.resources.len() {
        let resource = &reader.read.resources[index];
        let is_stray = kind::of(&resource.kind).is_some_and(|it| it.tagged_by == TaggedBy::AddTags);
        if !is_stray || resource.tags.is_some() {
            continue;
        }
        let arn = resource.arn.clone();
        if !reader.begin("ListTags") {
            return;
        }
        match tag::list(session, &arn).await {
            Ok(tags) => reader.read.resources[index].tags = tags,
            Err(error) => {
                let is_denied = error.kind == Kind::AccessDenied;
                reader.gap(Some(error));
                if is_denied {
                    return;
                }
            }
        }
    }
}

fn join_app_tags(apps: &mut [App], tags: &TagIndex) {
    for app in apps {
        let owner = app.user_profile.as_ref().or(app.space.as_ref()).map_or("", String::as_str);
        let path = format!("app/{}/{owner}/{}/{}", app.domain, app.app_type, app.name);
        app.tags = tags.get(&path).cloned().unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::aws::testing::{Answer, session};
    use crate::kind::KINDS;
    use serde_json::{Value, json};

    pub(super) const ARN: &str = "arn:aws:sagemaker:eu-west-1:111122223333";

    /// One resource a list; the members of a summary are what its operation is called.
    fn lists(operation: &str, body: &str) -> Value {
        let one = |list: &str, prefix: &str, kind: &str| {
            json!({ list: [{ format!("{prefix}Name"): "One", format!("{prefix}Status"): "InProgress",
                format!("{prefix}Arn"): format!("{ARN}:{kind}/one"), "CreationTime": 0 }] })
        };
        let summaries = |prefix: &str, kind: &str| one(&format!("{prefix}Summaries"), prefix, kind);
        let short = |list: &str, name: &str, arn: &str, kind: &str| json!({ list: [{ name: "One", arn: format!("{ARN}:{kind}/one"), "Status": "Created" }] });
        match operation {
            "ListTrainingJobs" => summaries("TrainingJob", "training-job"),
            "ListProcessingJobs" => summaries("ProcessingJob", "processing-job"),
            "ListTransformJobs" => summaries("TransformJob", "transform-job"),
            "ListHyperParameterTuningJobs" => {
                summaries("HyperParameterTuningJob", "hyper-parameter-tuning-job")
            }
            "ListAutoMLJobs" => summaries("AutoMLJob", "automl-job"),
            "ListLabelingJobs" => one("LabelingJobSummaryList", "LabelingJob", "labeling-job"),
            "ListCompilationJobs" => summaries("CompilationJob", "compilation-job"),
            "ListOptimizationJobs" => summaries("OptimizationJob", "optimization-job"),
            "ListInferenceRecommendationsJobs" => {
                let kind = "inference-recommendations-job";
                short("InferenceRecommendationsJobs", "JobName", "JobArn", kind)
            }
            "ListTrainingSessions" => summaries("TrainingSession", "training-session"),
            "ListJobs" if body.contains("\"AgentRFT\"") => summaries("Job", "job/agentrft"),
            "ListNotebookInstances" => {
                one("NotebookInstances", "NotebookInstance", "notebook-instance")
            }
            "ListEndpoints" => one("Endpoints", "Endpoint", "endpoint"),
            "ListInferenceComponents" => {
                one("InferenceComponents", "InferenceComponent", "inference-component")
            }
            "ListClusters" => summaries("Cluster", "cluster"),
            "ListFeatureGroups" => summaries("FeatureGroup", "feature-group"),
            "ListMlflowTrackingServers" => summaries("TrackingServer", "mlflow-tracking-server"),
            "ListEndpointConfigs" => one("EndpointConfigs", "EndpointConfig", "endpoint-config"),
            "ListModels" => one("Models", "Model", "model"),
            "ListMonitoringSchedules" => summaries("MonitoringSchedule", "monitoring-schedule"),
            "ListMlflowApps" => short("Summaries", "Name", "Arn", "mlflow-app"),
            "ListPartnerApps" => short("Summaries", "Name", "Arn", "partner-app"),
            "ListPipelines" => summaries("Pipeline", "pipeline"),
            "ListExperiments" => summaries("Experiment", "experiment"),
            "ListTrials" => summaries("Trial", "experiment-trial"),
            "ListTrialComponents" => summaries("TrialComponent", "experiment-trial-component"),
            "ListProjects" => one("ProjectSummaryList", "Project", "project"),
            "ListModelPackageGroups" => {
                one("ModelPackageGroupSummaryList", "ModelPackageGroup", "model-package-group")
            }
            "ListModelPackages" => json!({ "ModelPackageSummaryList": [
                { "ModelPackageArn": format!("{ARN}:model-package/group/3"), "CreationTime": 0 }] }),
            "ListHubs" if body.contains("NextToken") => summaries("Hub", "hub"),
            "ListHubs" => json!({ "NextToken": "t", "HubSummaries": [{ "HubName": "Public",
                "HubArn": "arn:aws:sagemaker:eu-west-1:aws:hub/Public" }] }),
            "ListTrainingPlans" => summaries("TrainingPlan", "training-plan"),
            "ListInferenceExperiments" => {
                json!({ "InferenceExperiments": [{ "Name": "One", "Status": "Running" }] })
            }
            "ListApps" => json!({ "Apps": [{ "DomainId": "d-a", "SpaceName": "s1",
                "AppType": "JupyterLab", "AppName": "default", "Status": "InService" }] }),
            "GetResources" => {
                let tags = json!([{ "Key": "team", "Value": "one" }]);
                let tagged = |path: &str, tags: &Value| json!({ "ResourceARN": format!("{ARN}:{path}"), "Tags": tags });
                json!({ "PaginationToken": "", "ResourceTagMappingList": [
                    tagged("app/d-a/s1/jupyterlab/default", &tags), tagged("model/one", &json!([]))] })
            }
            "file-systems" => json!({ "FileSystems": [] }),
            _ => json!({}),
        }
    }

    /// A refusal with a code.
    pub(super) fn refused(code: &str) -> Answer {
        Answer::Body(400, json!({ "__type": code, "message": "no" }).to_string())
    }

    /// Reads with a script, and returns each operation that it was asked, with its body.
    pub(super) async fn read_with(
        wide: bool,
        script: impl Fn(&str, &str) -> Answer + Send + Sync + 'static,
    ) -> (Inventory, Vec<String>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let session = session(move |operation, body| {
            noted.lock().unwrap().push(format!("{operation} {body}"));
            script(operation, body)
        })
        .await;
        let account = AccountId::parse("111122223333").unwrap();
        let now = "2026-11-20T08:00:00Z".parse().unwrap();
        let inventory =
            Box::pin(read(&session, &account, "eu-west-1", now, wide, &|_: &str| {})).await;
        let asked = asked.lock().unwrap().clone();
        (inventory, asked)
    }

    async fn read_all(wide: bool) -> (Inventory, Vec<String>) {
        let script =
            |operation: &str, body: &str| Answer::Body(200, lists(operation, body).to_string());
        read_with(wide, script).await
    }

    #[tokio::test]
    async fn every_type_is_listed_and_has_its_arn() {
        let (inventory, _) = read_all(true).await;
        let listed: BTreeSet<&str> =
            inventory.resources.iter().map(|resource| resource.kind.as_str()).collect();
        let others = ["app", "file-system", "space", "user-profile"];
        let expected: BTreeSet<&str> =
            KINDS.iter().map(|kind| kind.segment).filter(|kind| !others.contains(kind)).collect();
        assert_eq!(listed, expected);
        assert_eq!(inventory.gaps, []);
        let arn = |kind: &str| {
            let mut found = inventory.resources.iter().filter(|resource| resource.kind == kind);
            let only = found.next().unwrap();
            assert!(found.next().is_none(), "{kind}");
            (only.name.as_str(), only.arn.strip_prefix(ARN).unwrap())
        };
        assert_eq!(arn("hub"), ("One", ":hub/one"));
        assert_eq!(arn("model-package"), ("group/3", ":model-package/group/3"));
        assert_eq!(arn("hyper-parameter-tuning-job"), ("One", ":hyper-parameter-tuning-job/One"));
        assert_eq!(arn("inference-experiment"), ("One", ":inference-experiment/One"));
        assert_eq!(arn("training-session"), ("one", ":training-session/one"));
    }

    #[tokio::test]
    async fn tags_are_joined_and_what_was_never_tagged_has_none() {
        let (inventory, _) = read_all(true).await;
        let tags = |kind: &str| {
            let resource = inventory.resources.iter().find(|resource| resource.kind == kind);
            resource.unwrap().tags.clone()
        };
        assert_eq!(inventory.apps[0].tags["team"], "one");
        assert_eq!(tags("model").map(|tags| tags.len()), Some(0));
        assert_eq!(tags("endpoint"), None);
    }

    #[tokio::test]
    async fn jobs_that_are_over_are_asked_for_only_when_wide() {
        for wide in [true, false] {
            let (_, sent) = read_all(wide).await;
            let filtered = sent.iter().filter(|request| request.contains("StatusEquals"));
            assert_eq!(filtered.count(), if wide { 0 } else { 16 });
        }
    }
}
