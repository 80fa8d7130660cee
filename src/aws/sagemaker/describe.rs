//! Owns describing one resource: what tells where it comes from.
//!
//! **Invariant:** only what SageMaker itself says is taken; nothing is read into names.

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::types::{ContainerDefinition, JobCategory};

use crate::aws::error::Error;

use super::SERVICE;
use super::taggable::JOB_CATEGORIES;
use super::told::Told;

/// What is described.
#[derive(Clone, Debug)]
pub(in crate::aws) struct Subject {
    /// The ARN's first segment, or `pipeline-execution`.
    pub(in crate::aws) kind: String,
    pub(in crate::aws) name: String,
    pub(in crate::aws) arn: String,
}

type Row = (&'static str, &'static str);

#[rustfmt::skip]
const OPERATIONS: [Row; 31] = [
    ("automl-job", "DescribeAutoMLJobV2"),
    ("cluster", "DescribeCluster"),
    ("compilation-job", "DescribeCompilationJob"),
    ("endpoint", "DescribeEndpoint"),
    ("endpoint-config", "DescribeEndpointConfig"),
    ("experiment", "DescribeExperiment"),
    ("experiment-trial", "DescribeTrial"),
    ("experiment-trial-component", "DescribeTrialComponent"),
    ("feature-group", "DescribeFeatureGroup"),
    ("hyper-parameter-tuning-job", "DescribeHyperParameterTuningJob"),
    ("inference-component", "DescribeInferenceComponent"),
    ("inference-experiment", "DescribeInferenceExperiment"),
    ("inference-recommendations-job", "DescribeInferenceRecommendationsJob"),
    ("job", "DescribeJob"),
    ("labeling-job", "DescribeLabelingJob"),
    ("mlflow-app", "DescribeMlflowApp"),
    ("mlflow-tracking-server", "DescribeMlflowTrackingServer"),
    ("model", "DescribeModel"),
    ("model-package", "DescribeModelPackage"),
    ("model-package-group", "DescribeModelPackageGroup"),
    ("monitoring-schedule", "DescribeMonitoringSchedule"),
    ("notebook-instance", "DescribeNotebookInstance"),
    ("optimization-job", "DescribeOptimizationJob"),
    ("partner-app", "DescribePartnerApp"),
    ("pipeline", "DescribePipeline"),
    ("pipeline-execution", "DescribePipelineExecution"),
    ("processing-job", "DescribeProcessingJob"),
    ("project", "DescribeProject"),
    ("training-job", "DescribeTrainingJob"),
    ("training-session", "DescribeTrainingSession"),
    ("transform-job", "DescribeTransformJob"),
];

/// Returns the operation that describes a type; hubs and training plans say nothing of where they come from.
pub(in crate::aws) fn operation(kind: &str) -> Option<&'static str> {
    OPERATIONS.iter().find(|row| row.0 == kind).map(|row| row.1)
}

macro_rules! ask {
    ($operation:ident, $request:expr) => {
        $request.send().await.map_err(|error| Error::of(SERVICE, $operation, &error))?
    };
}

/// Describes a resource of a type that has such an operation.
pub(in crate::aws) async fn describe(client: Client, subject: Subject) -> Result<Told, Error> {
    let operation = operation(&subject.kind).expect("only what has an operation is described");
    match subject.kind.as_str() {
        "training-job"
        | "processing-job"
        | "transform-job"
        | "hyper-parameter-tuning-job"
        | "automl-job"
        | "labeling-job" => job(&client, operation, subject).await,
        "compilation-job"
        | "optimization-job"
        | "inference-recommendations-job"
        | "job"
        | "training-session" => other_job(&client, operation, subject).await,
        "endpoint"
        | "endpoint-config"
        | "model"
        | "inference-component"
        | "inference-experiment"
        | "monitoring-schedule" => serving(&client, operation, subject).await,
        "notebook-instance"
        | "cluster"
        | "feature-group"
        | "mlflow-app"
        | "mlflow-tracking-server"
        | "partner-app" => long_running(&client, operation, subject).await,
        _ => lineage(&client, operation, subject).await,
    }
}

async fn job(client: &Client, operation: &'static str, subject: Subject) -> Result<Told, Error> {
    let Subject { kind, name, .. } = subject;
    Ok(match kind.as_str() {
        "training-job" => {
            let job = ask!(operation, client.describe_training_job().training_job_name(name));
            Told::new(job.training_job_status)
                .role(job.role_arn)
                .parent(job.tuning_job_arn)
                .parent(job.labeling_job_arn)
                .parent(job.auto_ml_job_arn)
        }
        "processing-job" => {
            let job = ask!(operation, client.describe_processing_job().processing_job_name(name));
            Told::new(job.processing_job_status)
                .role(job.role_arn)
                .parent(job.monitoring_schedule_arn)
                .parent(job.auto_ml_job_arn)
                .parent(job.training_job_arn)
        }
        "transform-job" => {
            let job = ask!(operation, client.describe_transform_job().transform_job_name(name));
            Told::new(job.transform_job_status)
                .parent(job.labeling_job_arn)
                .parent(job.auto_ml_job_arn)
                .uses("model", job.model_name)
        }
        "hyper-parameter-tuning-job" => {
            let request = client.describe_hyper_parameter_tuning_job();
            let job = ask!(operation, request.hyper_parameter_tuning_job_name(name));
            let one = job.training_job_definition.into_iter();
            let all = one.chain(job.training_job_definitions.unwrap_or_default());
            Told::new(job.hyper_parameter_tuning_job_status).roles(all.map(|it| it.role_arn))
        }
        "automl-job" => {
            let job = ask!(operation, client.describe_auto_ml_job_v2().auto_ml_job_name(name));
            Told::new(job.auto_ml_job_status).role(job.role_arn)
        }
        _ => {
            let job = ask!(operation, client.describe_labeling_job().labeling_job_name(name));
            Told::new(job.labeling_job_status).role(job.role_arn)
        }
    })
}

async fn other_job(
    client: &Client,
    operation: &'static str,
    subject: Subject,
) -> Result<Told, Error> {
    let Subject { kind, name, arn } = subject;
    Ok(match kind.as_str() {
        "compilation-job" => {
            let job = ask!(operation, client.describe_compilation_job().compilation_job_name(name));
            Told::new(job.compilation_job_status)
                .role(job.role_arn)
                .uses("model-package", job.model_package_version_arn)
        }
        "optimization-job" => {
            let request = client.describe_optimization_job();
            let job = ask!(operation, request.optimization_job_name(name));
            Told::new(job.optimization_job_status).role(job.role_arn)
        }
        "inference-recommendations-job" => {
            let request = client.describe_inference_recommendations_job();
            let job = ask!(operation, request.job_name(name));
            let told = Told::new(job.status).role(job.role_arn);
            match job.input_config {
                Some(input) => told
                    .uses("model", input.model_name)
                    .uses("model-package", input.model_package_version_arn),
                None => told,
            }
        }
        "job" => {
            let request = client.describe_job().job_category(category(&arn));
            let job = ask!(operation, request.job_name(name));
            Told::new(job.job_status).role(job.role_arn)
        }
        _ => {
            let request = client.describe_training_session();
            let session = ask!(operation, request.training_session_name(name));
            match session.training_session_detail {
                Some(session) => Told::new(session.training_session_status)
                    .role(session.role_arn)
                    .uses("model-package-group", session.model_package_group_arn),
                None => Told::without_status(),
            }
        }
    })
}

/// Returns the category that a job's ARN names, whatever its case.
fn category(arn: &str) -> JobCategory {
    let named = arn.split('/').nth(1).unwrap_or_default();
    let known = JOB_CATEGORIES.into_iter().find(|known| known.eq_ignore_ascii_case(named));
    JobCategory::from(known.unwrap_or(named))
}

async fn serving(
    client: &Client,
    operation: &'static str,
    subject: Subject,
) -> Result<Told, Error> {
    let Subject { kind, name, .. } = subject;
    Ok(match kind.as_str() {
        "endpoint" => {
            let endpoint = ask!(operation, client.describe_endpoint().endpoint_name(name));
            Told::new(endpoint.endpoint_status)
                .uses("endpoint-config", endpoint.endpoint_config_name)
        }
        "endpoint-config" => {
            let request = client.describe_endpoint_config().endpoint_config_name(name);
            let config = ask!(operation, request);
            let variants = config.production_variants.unwrap_or_default().into_iter();
            let variants = variants.chain(config.shadow_production_variants.unwrap_or_default());
            Told::without_status()
                .role(config.execution_role_arn)
                .uses_all("model", variants.map(|variant| variant.model_name))
        }
        "model" => {
            let model = ask!(operation, client.describe_model().model_name(name));
            Told::without_status()
                .role(model.execution_role_arn)
                .uses_all("model-package", packages(model.primary_container, model.containers))
        }
        "inference-component" => {
            let request = client.describe_inference_component().inference_component_name(name);
            let component = ask!(operation, request);
            let models = component.specification.into_iter();
            let models = models.chain(component.specifications.unwrap_or_default());
            Told::new(component.inference_component_status)
                .uses("endpoint", component.endpoint_arn.or(component.endpoint_name))
                .uses_all("model", models.map(|model| model.model_name))
        }
        "inference-experiment" => {
            let experiment = ask!(operation, client.describe_inference_experiment().name(name));
            let endpoint = experiment.endpoint_metadata.and_then(|it| it.endpoint_name);
            let models = experiment.model_variants.unwrap_or_default().into_iter();
            Told::new(experiment.status)
                .role(experiment.role_arn)
                .uses("endpoint", endpoint)
                .uses_all("model", models.map(|model| model.model_name))
        }
        _ => {
            let request = client.describe_monitoring_schedule().monitoring_schedule_name(name);
            let schedule = ask!(operation, request);
            let definition =
                schedule.monitoring_schedule_config.and_then(|it| it.monitoring_job_definition);
            Told::new(schedule.monitoring_schedule_status)
                .role(definition.and_then(|definition| definition.role_arn))
                .uses("endpoint", schedule.endpoint_name)
        }
    })
}

/// Returns the packages that a model's containers come from.
pub(super) fn packages(
    primary: Option<ContainerDefinition>,
    others: Option<Vec<ContainerDefinition>>,
) -> impl Iterator<Item = Option<String>> {
    let containers = primary.into_iter().chain(others.unwrap_or_default());
    containers.map(|container| container.model_package_name)
}

async fn long_running(
    client: &Client,
    operation: &'static str,
    subject: Subject,
) -> Result<Told, Error> {
    let Subject { kind, name, arn } = subject;
    Ok(match kind.as_str() {
        "notebook-instance" => {
            let request = client.describe_notebook_instance().notebook_instance_name(name);
            let notebook = ask!(operation, request);
            Told::new(notebook.notebook_instance_status).role(notebook.role_arn)
        }
        "cluster" => {
            let cluster = ask!(operation, client.describe_cluster().cluster_name(name));
            let groups = cluster.instance_groups.unwrap_or_default().into_iter();
            let restricted = cluster.restricted_instance_groups.unwrap_or_default().into_iter();
            let roles = groups.map(|group| group.execution_role);
            let roles = roles.chain(restricted.map(|group| group.execution_role));
            Told::new(cluster.cluster_status).roles(roles)
        }
        "feature-group" => {
            let group = ask!(operation, client.describe_feature_group().feature_group_name(name));
            Told::new(group.feature_group_status).role(group.role_arn)
        }
        "mlflow-app" => {
            let app = ask!(operation, client.describe_mlflow_app().arn(arn));
            Told::new(app.status).role(app.role_arn).created_by(app.created_by)
        }
        "mlflow-tracking-server" => {
            let request = client.describe_mlflow_tracking_server().tracking_server_name(name);
            let server = ask!(operation, request);
            Told::new(server.tracking_server_status)
                .role(server.role_arn)
                .created_by(server.created_by)
        }
        _ => {
            let app = ask!(operation, client.describe_partner_app().arn(arn));
            Told::new(app.status).role(app.execution_role_arn)
        }
    })
}

async fn lineage(
    client: &Client,
    operation: &'static str,
    subject: Subject,
) -> Result<Told, Error> {
    let Subject { kind, name, arn } = subject;
    Ok(match kind.as_str() {
        "pipeline" => {
            let pipeline = ask!(operation, client.describe_pipeline().pipeline_name(name));
            Told::without_status().role(pipeline.role_arn).created_by(pipeline.created_by)
        }
        "pipeline-execution" => {
            let request = client.describe_pipeline_execution().pipeline_execution_arn(arn);
            let execution = ask!(operation, request);
            Told::new(execution.pipeline_execution_status)
                .created_by(execution.created_by)
                .uses("pipeline", execution.pipeline_arn)
        }
        "experiment" => {
            let experiment = ask!(operation, client.describe_experiment().experiment_name(name));
            Told::without_status()
                .created_by(experiment.created_by)
                .uses("experiment", experiment.source.and_then(|source| source.source_arn))
        }
        "experiment-trial" => {
            let trial = ask!(operation, client.describe_trial().trial_name(name));
            Told::without_status()
                .created_by(trial.created_by)
                .uses("experiment-trial", trial.source.and_then(|source| source.source_arn))
        }
        "experiment-trial-component" => {
            let request = client.describe_trial_component().trial_component_name(name);
            let component = ask!(operation, request);
            let source = component.source.and_then(|source| source.source_arn);
            Told::without_status()
                .created_by(component.created_by)
                .uses("experiment-trial-component", source)
        }
        "model-package" => {
            let package = ask!(operation, client.describe_model_package().model_package_name(arn));
            Told::new(package.model_package_status)
                .created_by(package.created_by)
                .uses("model-package-group", package.model_package_group_name)
        }
        "model-package-group" => {
            let request = client.describe_model_package_group().model_package_group_name(name);
            let group = ask!(operation, request);
            Told::new(group.model_package_group_status).created_by(group.created_by)
        }
        _ => {
            let project = ask!(operation, client.describe_project().project_name(name));
            Told::new(project.project_status).created_by(project.created_by)
        }
    })
}
