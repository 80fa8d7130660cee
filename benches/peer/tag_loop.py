#!/usr/bin/env python3
"""What is written by hand to put the domain tag on older resources: list them, then `add-tags` one at a time.

tag_loop.py REGION SAMPLE [SLEEP]

Lists every type in one region, leaves out what the tagging API knows to have the tag, and tags the first SAMPLE of
the rest with the region's first domain, with SLEEP seconds between two calls. It infers nothing, keeps nothing to undo with, and
starts again from the beginning when it is stopped. Prints how many it found, how many it tagged and how long each
half took.
"""

import sys
import time

import boto3
from botocore.config import Config

KEY = "sagemaker:domain-arn"
TYPES = [
    ("list_training_jobs", "TrainingJobSummaries", "TrainingJobArn"),
    ("list_processing_jobs", "ProcessingJobSummaries", "ProcessingJobArn"),
    ("list_transform_jobs", "TransformJobSummaries", "TransformJobArn"),
    ("list_hyper_parameter_tuning_jobs", "HyperParameterTuningJobSummaries", "HyperParameterTuningJobArn"),
    ("list_auto_ml_jobs", "AutoMLJobSummaries", "AutoMLJobArn"),
    ("list_labeling_jobs", "LabelingJobSummaryList", "LabelingJobArn"),
    ("list_notebook_instances", "NotebookInstances", "NotebookInstanceArn"),
    ("list_endpoints", "Endpoints", "EndpointArn"),
    ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigArn"),
    ("list_models", "Models", "ModelArn"),
    ("list_inference_components", "InferenceComponents", "InferenceComponentArn"),
    ("list_pipelines", "PipelineSummaries", "PipelineArn"),
    ("list_experiments", "ExperimentSummaries", "ExperimentArn"),
    ("list_trials", "TrialSummaries", "TrialArn"),
    ("list_trial_components", "TrialComponentSummaries", "TrialComponentArn"),
    ("list_feature_groups", "FeatureGroupSummaries", "FeatureGroupArn"),
    ("list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupArn"),
    ("list_clusters", "ClusterSummaries", "ClusterArn"),
    ("list_mlflow_tracking_servers", "TrackingServerSummaries", "TrackingServerArn"),
    ("list_compilation_jobs", "CompilationJobSummaries", "CompilationJobArn"),
    ("list_monitoring_schedules", "MonitoringScheduleSummaries", "MonitoringScheduleArn"),
    ("list_projects", "ProjectSummaryList", "ProjectArn"),
]


def listed(client, operation, field, arn):
    """Every page at the size that the AWS CLI takes when nothing is said: the service's own."""
    more = {}
    while True:
        answer = getattr(client, operation)(**more)
        yield from (it[arn] for it in answer.get(field, []) if arn in it)
        if not answer.get("NextToken"):
            return
        more = {"NextToken": answer["NextToken"]}


def main():
    region, sample = sys.argv[1], int(sys.argv[2])
    pause = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
    # The retries that the AWS CLI has by default.
    config = Config(region_name=region, retries={"mode": "standard", "max_attempts": 3})
    sagemaker = boto3.client("sagemaker", config=config)
    tagging = boto3.client("resourcegroupstaggingapi", config=config)
    domain = sagemaker.list_domains()["Domains"][0]["DomainArn"]
    started = time.perf_counter()
    tagged = set()
    pages = tagging.get_paginator("get_resources")
    for page in pages.paginate(ResourceTypeFilters=["sagemaker"], TagFilters=[{"Key": KEY}]):
        tagged.update(it["ResourceARN"].lower() for it in page["ResourceTagMappingList"])
    arns = [arn for kind in TYPES for arn in listed(sagemaker, *kind)]
    untagged = [arn for arn in arns if arn.lower() not in tagged]
    list_s = time.perf_counter() - started
    started, done, refused = time.perf_counter(), 0, 0
    for arn in untagged[:sample]:
        try:
            sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": KEY, "Value": domain}])
            done += 1
        except sagemaker.exceptions.ClientError as error:
            refused += 1
            print(f"{arn}: {error}", file=sys.stderr)
        time.sleep(pause)
    tag_s = time.perf_counter() - started
    print(f"found {len(untagged)} tagged {done} refused {refused} list_s {list_s:.3f} tag_s {tag_s:.3f}")


if __name__ == "__main__":
    main()
