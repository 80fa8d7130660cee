//! Owns listing the resources that cost money: jobs, endpoints, notebook instances, clusters and their like.
//!
//! Types that cost nothing by themselves (models, endpoint configurations, pipelines) are listed in `taggable.rs`.
//! **Invariant:** an ARN stays as it was listed, but for tuning jobs, whose list loses the case.

use aws_sdk_sagemaker::Client;
use aws_smithy_types::DateTime;
use jiff::Timestamp;

use crate::aws::inventory::Reader;
use crate::aws::pages::{self, Listed};
use crate::inventory::{Origin, Resource};

use super::{PAGE_SIZE, SERVICE, timestamp};

/// Jobs created longer ago than this cannot be on a bill that Cost Explorer still tells: 14 months.
const JOB_AGE_DAY_COUNT_MAX: i64 = 430;

/// What a summary tells of a resource.
pub(super) struct Found {
    pub(super) name: Option<String>,
    pub(super) arn: Option<String>,
    pub(super) status: Option<String>,
    pub(super) created_at: Option<Timestamp>,
}

/// Lists one type, page by page, and keeps what is common to all types of its summaries.
macro_rules! list {
    ($reader:ident, $kind:literal, $operation:literal, $request:expr,
     $items:ident, $name:ident, $arn:ident, $status:ident) => {
        list!($reader, $kind, $operation, $request, $items, |summary| Found {
            name: summary.$name,
            arn: summary.$arn,
            status: summary.$status.map(|status| status.as_str().to_owned()),
            created_at: summary.creation_time.as_ref().and_then(timestamp),
        })
    };
    ($reader:ident, $kind:literal, $operation:literal, $request:expr, $items:ident, $found:expr) => {
        if $reader.begin($operation) {
            let stream = $request.max_results(PAGE_SIZE).into_paginator().send();
            let listed = pages::list(SERVICE, $operation, stream, |page| {
                let found = page.$items.map(|items| items.into_iter().map($found).collect());
                (page.next_token, found)
            })
            .await;
            take(&mut *$reader, $kind, listed);
        }
    };
}
pub(super) use list;

/// Takes in what a list of one type held.
pub(super) fn take(reader: &mut Reader<'_>, kind: &str, listed: Listed<Found>) {
    reader.gap(listed.error);
    for found in listed.items {
        reader.learn_partition(found.arn.as_deref());
        let arn = found.arn.unwrap_or_default();
        // Versions of packages and sessions have no name but what their ARN ends in.
        let in_arn = || arn.split_once('/').map(|(_, name)| name.to_owned());
        let resource = Resource {
            account: reader.account.clone(),
            region: reader.region.to_owned(),
            kind: kind.to_owned(),
            name: found.name.or_else(in_arn).unwrap_or_default(),
            arn,
            status: found.status,
            tags: None,
            origin: Origin::default(),
            created_at: found.created_at,
            last_seen_at: reader.now,
        };
        reader.read.resources.push(resource);
    }
}

/// Lists the resources of a region.
pub(in crate::aws) async fn read(client: &Client, reader: &mut Reader<'_>) {
    let age = JOB_AGE_DAY_COUNT_MAX * 24 * 60 * 60;
    let after = DateTime::from_secs(reader.now.as_second() - age);
    jobs(client, reader, after).await;
    long_running(client, reader).await;
    restore_case(&mut reader.read.resources);
}

#[rustfmt::skip]
async fn jobs(client: &Client, reader: &mut Reader<'_>, after: DateTime) {
    list!(reader, "training-job", "ListTrainingJobs",
        client.list_training_jobs().creation_time_after(after),
        training_job_summaries, training_job_name, training_job_arn, training_job_status);
    list!(reader, "processing-job", "ListProcessingJobs",
        client.list_processing_jobs().creation_time_after(after),
        processing_job_summaries, processing_job_name, processing_job_arn, processing_job_status);
    list!(reader, "transform-job", "ListTransformJobs",
        client.list_transform_jobs().creation_time_after(after),
        transform_job_summaries, transform_job_name, transform_job_arn, transform_job_status);
    list!(reader, "hyper-parameter-tuning-job", "ListHyperParameterTuningJobs",
        client.list_hyper_parameter_tuning_jobs().creation_time_after(after),
        hyper_parameter_tuning_job_summaries, hyper_parameter_tuning_job_name,
        hyper_parameter_tuning_job_arn, hyper_parameter_tuning_job_status);
    list!(reader, "automl-job", "ListAutoMLJobs",
        client.list_auto_ml_jobs().creation_time_after(after),
        auto_ml_job_summaries, auto_ml_job_name, auto_ml_job_arn, auto_ml_job_status);
    list!(reader, "labeling-job", "ListLabelingJobs",
        client.list_labeling_jobs().creation_time_after(after),
        labeling_job_summary_list, labeling_job_name, labeling_job_arn, labeling_job_status);
}

#[rustfmt::skip]
pub(super) async fn long_running(client: &Client, reader: &mut Reader<'_>) {
    list!(reader, "notebook-instance", "ListNotebookInstances",
        client.list_notebook_instances(),
        notebook_instances, notebook_instance_name, notebook_instance_arn, notebook_instance_status);
    list!(reader, "endpoint", "ListEndpoints",
        client.list_endpoints(),
        endpoints, endpoint_name, endpoint_arn, endpoint_status);
    list!(reader, "inference-component", "ListInferenceComponents",
        client.list_inference_components(),
        inference_components, inference_component_name, inference_component_arn,
        inference_component_status);
    list!(reader, "cluster", "ListClusters",
        client.list_clusters(),
        cluster_summaries, cluster_name, cluster_arn, cluster_status);
    list!(reader, "feature-group", "ListFeatureGroups",
        client.list_feature_groups(),
        feature_group_summaries, feature_group_name, feature_group_arn, feature_group_status);
    list!(reader, "mlflow-tracking-server", "ListMlflowTrackingServers",
        client.list_mlflow_tracking_servers(),
        tracking_server_summaries, tracking_server_name, tracking_server_arn,
        tracking_server_status);
}

/// Puts the name's case back into the ARN of a tuning job, which its list gives in lower case.
pub(super) fn restore_case(resources: &mut [Resource]) {
    for resource in resources.iter_mut().filter(|it| it.kind == "hyper-parameter-tuning-job") {
        let Some((path, name)) = resource.arn.rsplit_once('/') else { continue };
        if name != resource.name && name.eq_ignore_ascii_case(&resource.name) {
            resource.arn = format!("{path}/{}", resource.name);
        }
    }
}
