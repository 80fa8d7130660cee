//! Owns listing every resource that can bear tags, what costs nothing by itself included.
//!
//! Jobs that are over matter to who may see what and to nothing else, so most readers do without them.
//! **Invariant:** a type of `kind.rs` that is neither an identity nor a file system is listed here.

use std::collections::BTreeSet;

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::types::{
    AutoMlJobStatus, CompilationJobStatus, HyperParameterTuningJobStatus,
    InferenceExperimentStatus, JobCategory, JobStatus, LabelingJobStatus, ModelPackageType,
    OptimizationJobStatus, ProcessingJobStatus, RecommendationJobStatus, TrainingJobStatus,
    TrainingSessionStatus, TransformJobStatus,
};

use crate::arn::Arn;
use crate::aws::error::Error;
use crate::aws::inventory::Reader;
use crate::aws::pages::{self, Listed};

use super::resource::{self, Found, list, take};
use super::{PAGE_SIZE, SERVICE, timestamp};

/// The categories of jobs, each of which has a list of its own.
pub(super) const JOB_CATEGORIES: [&str; 5] = [
    "AgentRFT",
    "AgentRFTEvaluation",
    "DataQualityEvaluation",
    "DataTransformation",
    "SyntheticDataGeneration",
];

/// Lists everything of a region that can bear tags; of jobs, those that run, or all when `wide`.
pub(in crate::aws) async fn read(client: &Client, reader: &mut Reader<'_>, wide: bool) {
    jobs(client, reader, wide).await;
    other_jobs(client, reader, wide).await;
    jobs_by_category(client, reader, wide).await;
    resource::long_running(client, reader).await;
    serving(client, reader).await;
    lineage(client, reader).await;
    packages(client, reader).await;
    hubs(client, reader).await;
    capacity(client, reader).await;
    inference_experiments(client, reader, wide).await;
    resource::restore_case(&mut reader.read.resources);
    // Public hubs and what another account shares are listed, too, and are not ours to tag.
    let account = reader.account.as_str();
    reader
        .read
        .resources
        .retain(|resource| Arn::parse(&resource.arn).is_some_and(|arn| arn.account == account));
}

#[rustfmt::skip]
async fn jobs(client: &Client, reader: &mut Reader<'_>, wide: bool) {
    list!(reader, "training-job", "ListTrainingJobs",
        client.list_training_jobs()
            .set_status_equals((!wide).then_some(TrainingJobStatus::InProgress)),
        training_job_summaries, training_job_name, training_job_arn, training_job_status);
    list!(reader, "processing-job", "ListProcessingJobs",
        client.list_processing_jobs()
            .set_status_equals((!wide).then_some(ProcessingJobStatus::InProgress)),
        processing_job_summaries, processing_job_name, processing_job_arn, processing_job_status);
    list!(reader, "transform-job", "ListTransformJobs",
        client.list_transform_jobs()
            .set_status_equals((!wide).then_some(TransformJobStatus::InProgress)),
        transform_job_summaries, transform_job_name, transform_job_arn, transform_job_status);
    list!(reader, "hyper-parameter-tuning-job", "ListHyperParameterTuningJobs",
        client.list_hyper_parameter_tuning_jobs()
            .set_status_equals((!wide).then_some(HyperParameterTuningJobStatus::InProgress)),
        hyper_parameter_tuning_job_summaries, hyper_parameter_tuning_job_name,
        hyper_parameter_tuning_job_arn, hyper_parameter_tuning_job_status);
    list!(reader, "automl-job", "ListAutoMLJobs",
        client.list_auto_ml_jobs()
            .set_status_equals((!wide).then_some(AutoMlJobStatus::InProgress)),
        auto_ml_job_summaries, auto_ml_job_name, auto_ml_job_arn, auto_ml_job_status);
    list!(reader, "labeling-job", "ListLabelingJobs",
        client.list_labeling_jobs()
            .set_status_equals((!wide).then_some(LabelingJobStatus::InProgress)),
        labeling_job_summary_list, labeling_job_name, labeling_job_arn, labeling_job_status);
}

#[rustfmt::skip]
async fn other_jobs(client: &Client, reader: &mut Reader<'_>, wide: bool) {
    list!(reader, "compilation-job", "ListCompilationJobs",
        client.list_compilation_jobs()
            .set_status_equals((!wide).then_some(CompilationJobStatus::Inprogress)),
        compilation_job_summaries, compilation_job_name, compilation_job_arn,
        compilation_job_status);
    list!(reader, "optimization-job", "ListOptimizationJobs",
        client.list_optimization_jobs()
            .set_status_equals((!wide).then_some(OptimizationJobStatus::Inprogress)),
        optimization_job_summaries, optimization_job_name, optimization_job_arn,
        optimization_job_status);
    list!(reader, "inference-recommendations-job", "ListInferenceRecommendationsJobs",
        client.list_inference_recommendations_jobs()
            .set_status_equals((!wide).then_some(RecommendationJobStatus::InProgress)),
        inference_recommendations_jobs, job_name, job_arn, status);
    list!(reader, "training-session", "ListTrainingSessions",
        client.list_training_sessions()
            .set_status_equals((!wide).then_some(TrainingSessionStatus::Running)),
        training_session_summaries, |session| Found {
            name: None,
            arn: session.training_session_arn,
            status: session.training_session_status.map(|status| status.as_str().to_owned()),
            created_at: session.creation_time.as_ref().and_then(timestamp),
        });
}

async fn jobs_by_category(client: &Client, reader: &mut Reader<'_>, wide: bool) {
    for category in JOB_CATEGORIES {
        let request = client
            .list_jobs()
            .job_category(JobCategory::from(category))
            .set_status_equals((!wide).then_some(JobStatus::InProgress));
        list!(reader, "job", "ListJobs", request, job_summaries, job_name, job_arn, job_status);
    }
}

#[rustfmt::skip]
async fn serving(client: &Client, reader: &mut Reader<'_>) {
    list!(reader, "endpoint-config", "ListEndpointConfigs", client.list_endpoint_configs(),
        endpoint_configs, |config| Found {
            name: config.endpoint_config_name,
            arn: config.endpoint_config_arn,
            status: None,
            created_at: config.creation_time.as_ref().and_then(timestamp),
        });
    list!(reader, "model", "ListModels", client.list_models(), models, |model| Found {
        name: model.model_name,
        arn: model.model_arn,
        status: None,
        created_at: model.creation_time.as_ref().and_then(timestamp),
    });
    list!(reader, "monitoring-schedule", "ListMonitoringSchedules",
        client.list_monitoring_schedules(),
        monitoring_schedule_summaries, monitoring_schedule_name, monitoring_schedule_arn,
        monitoring_schedule_status);
    list!(reader, "mlflow-app", "ListMlflowApps", client.list_mlflow_apps(),
        summaries, name, arn, status);
    list!(reader, "partner-app", "ListPartnerApps", client.list_partner_apps(),
        summaries, name, arn, status);
}

#[rustfmt::skip]
async fn lineage(client: &Client, reader: &mut Reader<'_>) {
    list!(reader, "pipeline", "ListPipelines", client.list_pipelines(),
        pipeline_summaries, |pipeline| Found {
            name: pipeline.pipeline_name,
            arn: pipeline.pipeline_arn,
            status: None,
            created_at: pipeline.creation_time.as_ref().and_then(timestamp),
        });
    list!(reader, "experiment", "ListExperiments", client.list_experiments(),
        experiment_summaries, |experiment| Found {
            name: experiment.experiment_name,
            arn: experiment.experiment_arn,
            status: None,
            created_at: experiment.creation_time.as_ref().and_then(timestamp),
        });
    list!(reader, "experiment-trial", "ListTrials", client.list_trials(),
        trial_summaries, |trial| Found {
            name: trial.trial_name,
            arn: trial.trial_arn,
            status: None,
            created_at: trial.creation_time.as_ref().and_then(timestamp),
        });
    list!(reader, "experiment-trial-component", "ListTrialComponents",
        client.list_trial_components(),
        trial_component_summaries, |component| Found {
            name: component.trial_component_name,
            arn: component.trial_component_arn,
            status: component.status.and_then(|status| status.primary_status)
                .map(|status| status.as_str().to_owned()),
            created_at: component.creation_time.as_ref().and_then(timestamp),
        });
    list!(reader, "project", "ListProjects", client.list_projects(),
        project_summary_list, project_name, project_arn, project_status);
}

#[rustfmt::skip]
async fn packages(client: &Client, reader: &mut Reader<'_>) {
    list!(reader, "model-package-group", "ListModelPackageGroups",
        client.list_model_package_groups(),
        model_package_group_summary_list, model_package_group_name, model_package_group_arn,
        model_package_group_status);
    list!(reader, "model-package", "ListModelPackages",
        client.list_model_packages().model_package_type(ModelPackageType::Both),
        model_package_summary_list, model_package_name, model_package_arn, model_package_status);
}

/// Lists the hubs, page by page: the SDK has no paginator for them.
async fn hubs(client: &Client, reader: &mut Reader<'_>) {
    let operation = "ListHubs";
    let mut listed = Listed { items: Vec::new(), error: None };
    let mut seen = BTreeSet::new();
    let mut token = None;
    while reader.begin(operation) {
        let request = client.list_hubs().max_results(PAGE_SIZE).set_next_token(token);
        let page = match request.send().await {
            Ok(page) => page,
            Err(error) => {
                listed.error = Some(Error::of(SERVICE, operation, &error));
                break;
            }
        };
        listed.items.extend(page.hub_summaries.unwrap_or_default().into_iter().map(|hub| Found {
            name: hub.hub_name,
            arn: hub.hub_arn,
            status: hub.hub_status.map(|status| status.as_str().to_owned()),
            created_at: hub.creation_time.as_ref().and_then(timestamp),
        }));
        token = page.next_token.filter(|token| !token.is_empty());
        let Some(next) = &token else { break };
        if !seen.insert(next.clone()) {
            listed.error = Some(pages::repeated(SERVICE, operation));
            break;
        }
    }
    take(reader, "hub", listed);
}

#[rustfmt::skip]
async fn capacity(client: &Client, reader: &mut Reader<'_>) {
    list!(reader, "training-plan", "ListTrainingPlans", client.list_training_plans(),
        training_plan_summaries, |plan| Found {
            name: plan.training_plan_name,
            arn: plan.training_plan_arn,
            status: plan.status.map(|status| status.as_str().to_owned()),
            created_at: None,
        });
}

/// Lists the inference experiments, whose summaries have no ARN: it is built, in the partition of everything else.
async fn inference_experiments(client: &Client, reader: &mut Reader<'_>, wide: bool) {
    let first = reader.read.resources.len();
    let request = client
        .list_inference_experiments()
        .set_status_equals((!wide).then_some(InferenceExperimentStatus::Running));
    list!(
        reader,
        "inference-experiment",
        "ListInferenceExperiments",
        request,
        inference_experiments,
        |experiment| Found {
            name: experiment.name,
            arn: None,
            status: experiment.status.map(|status| status.as_str().to_owned()),
            created_at: experiment.creation_time.as_ref().and_then(timestamp),
        }
    );
    let Some(partition) = reader.partition.clone() else {
        if reader.read.resources.len() > first {
            let text = "inference experiments are listed without ARNs, and no other ARN tells the partition";
            reader.note("ListInferenceExperiments", "NoPartition".to_owned(), text.to_owned());
        }
        return;
    };
    let (region, account) = (reader.region, reader.account);
    for resource in &mut reader.read.resources[first..] {
        let name = &resource.name;
        resource.arn =
            format!("arn:{partition}:sagemaker:{region}:{account}:inference-experiment/{name}");
    }
}
