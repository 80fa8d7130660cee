//! Owns `Search`: the descriptions of many resources of one type, a hundred a page.
//!
//! **Invariant:** it only spares calls; what it refuses or leaves out is described one by one.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::types::{Filter, Operator, ResourceType, SearchExpression, SearchRecord};

use crate::aws::inventory::Reader;
use crate::key;

use super::PAGE_SIZE;
use super::describe::packages;
use super::told::Told;

pub(in crate::aws) const OPERATION: &str = "Search";

/// Returns what `Search` calls a type, where it knows it.
pub(in crate::aws) fn resource_type(kind: &str) -> Option<ResourceType> {
    Some(match kind {
        "training-job" => ResourceType::TrainingJob,
        "hyper-parameter-tuning-job" => ResourceType::HyperParameterTuningJob,
        "endpoint" => ResourceType::Endpoint,
        "model" => ResourceType::Model,
        "pipeline" => ResourceType::Pipeline,
        "experiment" => ResourceType::Experiment,
        "experiment-trial" => ResourceType::ExperimentTrial,
        "experiment-trial-component" => ResourceType::ExperimentTrialComponent,
        "feature-group" => ResourceType::FeatureGroup,
        "model-package" => ResourceType::ModelPackage,
        "model-package-group" => ResourceType::ModelPackageGroup,
        "project" => ResourceType::Project,
        _ => return None,
    })
}

/// Searches the untagged resources of a type for some ARNs, given in lower case; returns what was found.
///
/// It ends when all are found, or when it has taken as many pages as there are resources to describe.
/// The youngest come first, so jobs that still run are found before all that are long over.
pub(in crate::aws) async fn find(
    client: &Client,
    reader: &Reader<'_>,
    resource_type: ResourceType,
    wanted: &BTreeSet<String>,
) -> BTreeMap<String, Told> {
    let mut found = BTreeMap::new();
    let untagged = Filter::builder()
        .name(format!("Tags.{}", key::DOMAIN))
        .operator(Operator::NotExists)
        .build();
    let expression = SearchExpression::builder().filters(untagged).build();
    let (mut token, mut page_count) = (None, 0);
    while page_count < wanted.len() && found.len() < wanted.len() && reader.begin(OPERATION) {
        let request = client.search().resource(resource_type.clone()).max_results(PAGE_SIZE);
        let request = request.search_expression(expression.clone()).set_next_token(token);
        let Ok(page) = request.send().await else { break };
        let records = page.results.unwrap_or_default().into_iter().filter_map(record);
        let records = records.map(|(arn, told)| (arn.to_lowercase(), told));
        found.extend(records.filter(|(arn, _)| wanted.contains(arn)));
        page_count += 1;
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            break;
        }
    }
    found
}

/// Returns the ARN of a record's resource and what it tells, as its description would.
fn record(mut record: SearchRecord) -> Option<(String, Told)> {
    if let Some(job) = record.training_job {
        let told = Told::new(job.training_job_status)
            .role(job.role_arn)
            .parent(job.tuning_job_arn)
            .parent(job.labeling_job_arn)
            .parent(job.auto_ml_job_arn);
        return Some((job.training_job_arn?, told));
    }
    if let Some(job) = record.hyper_parameter_tuning_job {
        let one = job.training_job_definition.into_iter();
        let all = one.chain(job.training_job_definitions.unwrap_or_default());
        let told = Told::new(job.hyper_parameter_tuning_job_status);
        let told = told.roles(all.map(|definition| definition.role_arn));
        return Some((job.hyper_parameter_tuning_job_arn?, told));
    }
    if let Some(endpoint) = record.endpoint {
        let told = Told::new(endpoint.endpoint_status);
        let told = told.uses("endpoint-config", endpoint.endpoint_config_name);
        return Some((endpoint.endpoint_arn?, told));
    }
    if let Some(model) = record.model.take().and_then(|dashboard| dashboard.model) {
        let told = Told::without_status()
            .role(model.execution_role_arn)
            .uses_all("model-package", packages(model.primary_container, model.containers));
        return Some((model.model_arn?, told));
    }
    if let Some(group) = record.feature_group {
        let told = Told::new(group.feature_group_status).role(group.role_arn);
        return Some((group.feature_group_arn?, told));
    }
    created(record)
}

/// The same for types that tell who created them.
fn created(record: SearchRecord) -> Option<(String, Told)> {
    if let Some(pipeline) = record.pipeline {
        let told = Told::without_status().role(pipeline.role_arn).created_by(pipeline.created_by);
        return Some((pipeline.pipeline_arn?, told));
    }
    if let Some(experiment) = record.experiment {
        let source = experiment.source.and_then(|source| source.source_arn);
        let told = Told::without_status().created_by(experiment.created_by);
        return Some((experiment.experiment_arn?, told.uses("experiment", source)));
    }
    if let Some(trial) = record.trial {
        let source = trial.source.and_then(|source| source.source_arn);
        let told = Told::without_status().created_by(trial.created_by);
        return Some((trial.trial_arn?, told.uses("experiment-trial", source)));
    }
    if let Some(component) = record.trial_component {
        let source = component.source.and_then(|source| source.source_arn);
        let told = Told::without_status().created_by(component.created_by);
        let told = told.uses("experiment-trial-component", source);
        return Some((component.trial_component_arn?, told));
    }
    if let Some(package) = record.model_package {
        let told = Told::new(package.model_package_status)
            .created_by(package.created_by)
            .uses("model-package-group", package.model_package_group_name);
        return Some((package.model_package_arn?, told));
    }
    if let Some(group) = record.model_package_group {
        let told = Told::new(group.model_package_group_status).created_by(group.created_by);
        return Some((group.model_package_group_arn?, told));
    }
    let project = record.project?;
    let told = Told::new(project.project_status).created_by(project.created_by);
    Some((project.project_arn?, told))
}
