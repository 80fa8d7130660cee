"""Other clients of the sandbox: boto3 and the AWS CLI, whose parsers know the shapes of AWS and not ours."""

import json
import os
import subprocess
import sys
import urllib.error
from collections import defaultdict
from decimal import Decimal

import pytest
from botocore.exceptions import ClientError

import bill
import imitation
import program

PERIOD = {"Start": "2026-09-01", "End": "2026-11-01"}
METRICS = [*bill.METRICS, "UsageQuantity"]


def pages(explorer, **question) -> list[dict]:
    """Every page, by hand: botocore has no paginator for `GetCostAndUsage`."""
    found, token = [], {}
    while True:
        page = explorer.get_cost_and_usage(**question, **token)
        found.append(page)
        if not page.get("NextPageToken"):
            return found
        token = {"NextPageToken": page["NextPageToken"]}


def by_group(found: list[dict], metric: str, per=lambda start: start[:7]) -> dict:
    sums = defaultdict(Decimal)
    for page in found:
        for result in page["ResultsByTime"]:
            for group in result["Groups"]:
                amount = Decimal(group["Metrics"][metric]["Amount"])
                sums[(per(result["TimePeriod"]["Start"]), *group["Keys"])] += amount
    return {key: sum_ for key, sum_ in sums.items() if sum_}


def without_tax(sums: dict) -> dict:
    return {key: sum_ for key, sum_ in sums.items() if "Tax" not in key}


BY_SERVICE = [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "DIMENSION", "Key": "RECORD_TYPE"}]
BY_USAGE = [{"Type": "TAG", "Key": "sagemaker:domain-arn"}, {"Type": "DIMENSION", "Key": "USAGE_TYPE"}]


@pytest.mark.parametrize("groups", [BY_SERVICE, BY_USAGE], ids=["by-service", "by-domain"])
def test_days_total_months(client, strict, groups):
    explorer = strict(client("ce"))
    question = {"TimePeriod": PERIOD, "Metrics": METRICS, "GroupBy": groups}
    monthly = pages(explorer, Granularity="MONTHLY", **question)
    daily = pages(explorer, Granularity="DAILY", **question)
    assert len({result["TimePeriod"]["Start"] for page in daily for result in page["ResultsByTime"]}) == 61
    for metric in bill.METRICS:
        months = by_group(monthly, metric)
        # Tax is billed by the month, and no day has it.
        assert any("Tax" in key for key in months)
        assert by_group(daily, metric) == without_tax(months), metric


def test_presence_and_absence_make_the_whole(client):
    explorer = client("ce")
    question = {"TimePeriod": PERIOD, "Metrics": METRICS, "Granularity": "MONTHLY", "GroupBy": BY_SERVICE}
    absent = {"Tags": {"Key": "sagemaker:space-arn", "MatchOptions": ["ABSENT"]}}
    whole, without, within = (
        by_group(pages(explorer, **question, **filters), "NetAmortizedCost")
        for filters in ({}, {"Filter": absent}, {"Filter": {"Not": absent}})
    )
    assert within and without
    for key in whole.keys() | within.keys() | without.keys():
        # Tax is in no answer that is filtered by a tag.
        parts = within.get(key, 0) + without.get(key, 0)
        assert parts == (0 if "Tax" in key else whole[key]), key


def test_several_pages_are_one_answer(client):
    explorer = client("ce")
    owners = [{"Type": "TAG", "Key": "sagemaker:space-arn"}, {"Type": "DIMENSION", "Key": "USAGE_TYPE"}]
    period = {"Start": "2025-10-01", "End": "2026-11-01"}
    question = {"TimePeriod": period, "Metrics": METRICS, "Granularity": "DAILY", "GroupBy": owners}
    found = pages(explorer, **question)
    assert len(found) > 1, "a year of days does not fit on a page"
    seen = [
        (result["TimePeriod"]["Start"], *group["Keys"])
        for page in found
        for result in page["ResultsByTime"]
        for group in result["Groups"]
    ]
    assert len(seen) == len(set(seen)), "a group on two pages"
    monthly = pages(explorer, **question | {"Granularity": "MONTHLY"})
    assert by_group(found, "UnblendedCost") == without_tax(by_group(monthly, "UnblendedCost"))
    with pytest.raises(ClientError) as refused:
        explorer.get_cost_and_usage(**question, NextPageToken="made-up")
    assert refused.value.response["Error"]["Code"] in ("InvalidNextTokenException", "ValidationException")


def test_tag_keys_and_values(client, strict):
    explorer = strict(client("ce"))
    tags = explorer.list_cost_allocation_tags()["CostAllocationTags"]
    assert "sagemaker:domain-arn" in {tag["TagKey"] for tag in tags}
    explorer.list_cost_allocation_tag_backfill_history()
    domains = explorer.get_tags(TimePeriod=PERIOD, TagKey="sagemaker:domain-arn")["Tags"]
    assert any(domain.startswith("arn:aws:sagemaker:") for domain in domains)
    services = explorer.get_dimension_values(TimePeriod=PERIOD, Dimension="SERVICE")
    assert "Amazon SageMaker" in {value["Value"] for value in services["DimensionValues"]}


@pytest.fixture
def moved(control):
    """Lets the test move the clock and the variants, and puts both back."""
    variants = control("variants", {})
    yield control
    control("variants", variants)
    control("clock", {"now": imitation.NOW})


def listed(explorer, **question) -> dict[str, dict]:
    pages = explorer.get_paginator("list_cost_allocation_tags").paginate(**question)
    return {tag["TagKey"]: tag for page in pages for tag in page["CostAllocationTags"]}


def set_status(explorer, status, *keys):
    entries = [{"TagKey": key, "Status": status} for key in keys]
    return explorer.update_cost_allocation_tags_status(CostAllocationTagsStatus=entries)["Errors"]


def refusal(call, *arguments, **named) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(*arguments, **named)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_keys_are_listed_in_pages_and_by_filter(client, strict):
    explorer = strict(client("ce"))
    every = listed(explorer, PaginationConfig={"PageSize": 2})
    assert every == listed(explorer) and len(every) > 4
    last = explorer.list_cost_allocation_tags()
    assert "NextToken" not in last, "a null token is none to botocore"
    assert every["aws:createdBy"]["Type"] == "AWSGenerated"
    assert every["sagemaker:domain-arn"]["Type"] == "UserDefined"
    assert "LastUpdatedDate" not in every["AmazonDataZoneProject"], "it was never activated"
    active = {key for key, tag in every.items() if tag["Status"] == "Active"}
    assert set(listed(explorer, Status="Active")) == active
    assert set(listed(explorer, TagKeys=["team", "nobody"])) == {"team"}
    keys = explorer.get_tags(TimePeriod=PERIOD)["Tags"]
    assert set(keys) == active, "this one knows active keys only"


def test_the_life_of_a_key(client, strict, moved):
    explorer = strict(client("ce"))
    question = {"Metrics": METRICS, "Granularity": "MONTHLY", "GroupBy": [{"Type": "TAG", "Key": "team"}]}
    months = {"Start": "2026-09-01", "End": "2026-11-01"}

    def teams():
        sums = by_group(pages(explorer, TimePeriod=months, **question), "UnblendedCost")
        return {key: sum_ for key, sum_ in sums.items() if key[1] != "team$"}

    assert teams() == {}
    missing = "Failed to update Cost Allocation Tag: Tag keys not found: nobody,nothing"
    assert refusal(set_status, explorer, "Active", "nobody", "nothing") == ("ValidationException", missing)
    errors = set_status(explorer, "Active", "team", "nobody")
    assert [(error["TagKey"], error["Code"]) for error in errors] == [("nobody", "TagKeysNotFoundException")]
    assert listed(explorer)["team"]["LastUpdatedDate"] == imitation.NOW
    requested = explorer.start_cost_allocation_tag_backfill(BackfillFrom="2026-10-01T00:00:00Z")
    assert requested["BackfillRequest"]["BackfillStatus"] == "PROCESSING"
    code, _ = refusal(explorer.start_cost_allocation_tag_backfill, BackfillFrom="2026-10-01T00:00:00Z")
    assert code == "BackfillLimitExceededException"
    moved("clock", {"now": "2026-11-21T08:00:00Z"})
    history = explorer.get_paginator("list_cost_allocation_tag_backfill_history").paginate()
    [done] = history.build_full_result()["BackfillRequests"]
    assert (done["BackfillStatus"], done["CompletedAt"]) == ("SUCCEEDED", "2026-11-21T05:30:00Z")
    assert teams() == {}, "Cost Explorer is a day behind"
    moved("variants", {"backfill_lag_hours": 0})
    found = teams()
    assert found and {key[0] for key in found} == {"2026-10"}
    again = explorer.start_cost_allocation_tag_backfill(BackfillFrom="2026-10-01T00:00:00Z")
    assert again["BackfillRequest"] == done, "nothing has changed since"
    # Once inactive, the next backfill takes the history away.
    set_status(explorer, "Inactive", "team")
    explorer.start_cost_allocation_tag_backfill(BackfillFrom="2026-10-01T00:00:00Z")
    assert teams() == found
    moved("clock", {"now": "2026-11-22T08:00:00Z"})
    assert teams() == {}


def test_what_differs_between_organisations(client, moved):
    explorer = client("ce")
    moved("variants", {"unknown_keys_partial": True, "mixed_keys_refused": True})
    [error] = set_status(explorer, "Active", "nobody")
    assert error["Message"] == "Failed to update Cost Allocation Tag: nobody"
    assert refusal(set_status, explorer, "Active", "team", "nobody")[0] == "ValidationException"
    for throttle, code in [(True, "LimitExceededException"), (False, "ServiceQuotaExceededException")]:
        moved("variants", {"active_keys_max": 1, "quota_as_throttle": throttle})
        assert refusal(set_status, explorer, "Active", "team")[0] == code
    with pytest.raises(urllib.error.HTTPError):
        moved("variants", {"activation_days": 1})


def test_a_member_has_no_keys(in_account):
    explorer = in_account("ce", "444455556666", "us-east-1")
    assert refusal(set_status, explorer, "Active", "team") == (
        "AccessDeniedException",
        "Failed to update Cost Allocation Tag: Linked account doesn't have access to cost allocation tags.",
    )
    for call in (explorer.list_cost_allocation_tags, explorer.list_cost_allocation_tag_backfill_history):
        assert refusal(call)[0] == "AccessDeniedException"


def test_what_exists(client, in_account, strict):
    identity = strict(client("sts")).get_caller_identity()
    organizations = strict(client("organizations"))
    organization = organizations.describe_organization()["Organization"]
    assert organization["MasterAccountId"] == identity["Account"]
    accounts = [
        account["Id"]
        for page in organizations.get_paginator("list_accounts").paginate()
        for account in page["Accounts"]
    ]
    counts = defaultdict(int)
    for account in accounts:
        for region in ("us-east-1", "eu-west-1"):
            here = account == identity["Account"]
            make = client if here else lambda name, region: in_account(name, account, region)
            sagemaker = strict(make("sagemaker", region))
            # A small page, so that there are several.
            config = {"MaxItems": 10_000, "PageSize": 3}
            lists = {
                "list_domains": "Domains",
                "list_user_profiles": "UserProfiles",
                "list_spaces": "Spaces",
                "list_apps": "Apps",
                "list_endpoints": "Endpoints",
                "list_training_jobs": "TrainingJobSummaries",
                "list_notebook_instances": "NotebookInstances",
            }
            for operation, name in lists.items():
                listed = list(
                    sagemaker.get_paginator(operation).paginate(PaginationConfig=config)
                )
                counts[operation] += sum(len(page[name]) for page in listed)
                if operation == "list_domains":
                    for domain in listed[0][name]:
                        sagemaker.describe_domain(DomainId=domain["DomainId"])
            resources = strict(make("resourcegroupstaggingapi", region))
            for page in resources.get_paginator("get_resources").paginate(
                ResourceTypeFilters=["sagemaker"]
            ):
                counts["get_resources"] += len(page["ResourceTagMappingList"])
            for page in make("efs", region).get_paginator("describe_file_systems").paginate():
                counts["efs"] += len(page["FileSystems"])
    assert counts["list_domains"] >= 4 and counts["list_user_profiles"] > 40
    assert all(counts[name] for name in [*lists, "get_resources", "efs"]), dict(counts)


LISTS = {
    "list_training_jobs": ("TrainingJobSummaries", "describe_training_job", "TrainingJobName"),
    "list_processing_jobs": ("ProcessingJobSummaries", "describe_processing_job", "ProcessingJobName"),
    "list_transform_jobs": ("TransformJobSummaries", "describe_transform_job", "TransformJobName"),
    "list_hyper_parameter_tuning_jobs": (
        "HyperParameterTuningJobSummaries",
        "describe_hyper_parameter_tuning_job",
        "HyperParameterTuningJobName",
    ),
    "list_auto_ml_jobs": ("AutoMLJobSummaries", "describe_auto_ml_job_v2", "AutoMLJobName"),
    "list_notebook_instances": (
        "NotebookInstances",
        "describe_notebook_instance",
        "NotebookInstanceName",
    ),
    "list_endpoints": ("Endpoints", "describe_endpoint", "EndpointName"),
    "list_endpoint_configs": ("EndpointConfigs", "describe_endpoint_config", "EndpointConfigName"),
    "list_models": ("Models", "describe_model", "ModelName"),
    "list_inference_components": (
        "InferenceComponents",
        "describe_inference_component",
        "InferenceComponentName",
    ),
    "list_inference_experiments": ("InferenceExperiments", "describe_inference_experiment", "Name"),
    "list_inference_recommendations_jobs": (
        "InferenceRecommendationsJobs",
        "describe_inference_recommendations_job",
        "JobName",
    ),
    "list_pipelines": ("PipelineSummaries", "describe_pipeline", "PipelineName"),
    "list_experiments": ("ExperimentSummaries", "describe_experiment", "ExperimentName"),
    "list_trials": ("TrialSummaries", "describe_trial", "TrialName"),
    "list_trial_components": (
        "TrialComponentSummaries",
        "describe_trial_component",
        "TrialComponentName",
    ),
    "list_feature_groups": ("FeatureGroupSummaries", "describe_feature_group", "FeatureGroupName"),
    "list_model_package_groups": (
        "ModelPackageGroupSummaryList",
        "describe_model_package_group",
        "ModelPackageGroupName",
    ),
    "list_model_packages": ("ModelPackageSummaryList", "describe_model_package", "ModelPackageArn"),
    "list_clusters": ("ClusterSummaries", "describe_cluster", "ClusterName"),
    "list_labeling_jobs": ("LabelingJobSummaryList", "describe_labeling_job", "LabelingJobName"),
    "list_mlflow_tracking_servers": (
        "TrackingServerSummaries",
        "describe_mlflow_tracking_server",
        "TrackingServerName",
    ),
    "list_mlflow_apps": ("Summaries", "describe_mlflow_app", "Arn"),
    "list_compilation_jobs": (
        "CompilationJobSummaries",
        "describe_compilation_job",
        "CompilationJobName",
    ),
    "list_optimization_jobs": (
        "OptimizationJobSummaries",
        "describe_optimization_job",
        "OptimizationJobName",
    ),
    "list_monitoring_schedules": (
        "MonitoringScheduleSummaries",
        "describe_monitoring_schedule",
        "MonitoringScheduleName",
    ),
    "list_training_plans": ("TrainingPlanSummaries", "describe_training_plan", "TrainingPlanName"),
    "list_partner_apps": ("Summaries", "describe_partner_app", "Arn"),
    "list_projects": ("ProjectSummaryList", "describe_project", "ProjectName"),
    "list_hubs": ("HubSummaries", "describe_hub", "HubName"),
    "list_jobs": ("JobSummaries", "describe_job", "JobName"),
    "list_training_sessions": ("TrainingSessionSummaries", None, None),
}
MORE = {"list_jobs": {"JobCategory": "AgentRFT"}, "list_model_packages": {"ModelPackageType": "Both"}}


# A member account with several domains, and where they are.
MEMBER, REGIONS = "444455556666", ("us-east-1", "eu-west-1")


def every(operation, name, **question) -> list[dict]:
    found, token = [], {}
    while True:
        page = operation(**question, **token)
        found += page[name]
        if not page.get("NextToken"):
            return found
        token = {"NextToken": page["NextToken"]}


def test_every_kind_is_listed_and_described(in_account, strict):
    described = 0
    for region in REGIONS:
        sagemaker = strict(in_account("sagemaker", MEMBER, region))
        for operation, (name, describe, key) in LISTS.items():
            more = MORE.get(operation, {})
            for summary in every(getattr(sagemaker, operation), name, **more)[:3]:
                if describe:
                    asked = {"ModelPackageName" if key == "ModelPackageArn" else key: summary[key]}
                    category = {"JobCategory": "AgentRFT"} if operation == "list_jobs" else {}
                    getattr(sagemaker, describe)(**asked, **category)
                    described += 1
    assert described


def test_search_finds_what_has_a_tag(in_account, strict):
    sagemaker = strict(in_account("sagemaker", MEMBER, REGIONS[0]))
    jobs = every(sagemaker.list_training_jobs, "TrainingJobSummaries", MaxResults=100)
    found = {True: 0, False: 0}
    for present in found:
        operator = "Exists" if present else "NotExists"
        filters = [{"Name": "Tags.sagemaker:domain-arn", "Operator": operator}]
        expression = {"Filters": filters}
        results = every(sagemaker.search, "Results", Resource="TrainingJob", SearchExpression=expression)
        for result in results:
            tags = {tag["Key"] for tag in result["TrainingJob"]["Tags"]}
            assert ("sagemaker:domain-arn" in tags) == present
        found[present] = len(results)
    assert sum(found.values()) == len(jobs) and found[True]
    for resource in ("Endpoint", "Model", "Pipeline", "PipelineExecution", "FeatureGroup", "Project"):
        sagemaker.search(Resource=resource)
    with pytest.raises(ClientError) as refused:
        sagemaker.search(Resource="ProcessingJob")
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_tags_come_and_go_and_are_remembered(in_account, strict):
    here = (MEMBER, REGIONS[0])
    sagemaker = strict(in_account("sagemaker", *here))
    tagging = strict(in_account("resourcegroupstaggingapi", *here))
    domain = sagemaker.list_domains()["Domains"][0]["DomainArn"]
    home = in_account("efs", *here).describe_file_systems()["FileSystems"][0]["FileSystemArn"]
    missing = domain + "0"
    answer = tagging.tag_resources(ResourceARNList=[domain, home, missing], Tags={"contract": "yes"})
    assert set(answer["FailedResourcesMap"]) == {missing}
    assert answer["FailedResourcesMap"][missing]["ErrorCode"] == "ValidationException"

    def tags(arn):
        found = tagging.get_resources(ResourceARNList=[arn])["ResourceTagMappingList"]
        return {tag["Key"]: tag["Value"] for tag in found[0]["Tags"]}

    assert tags(domain)["contract"] == tags(home)["contract"] == "yes"
    sagemaker.add_tags(ResourceArn=domain, Tags=[{"Key": "contract", "Value": "no"}])
    listed = sagemaker.list_tags(ResourceArn=domain)["Tags"]
    assert {"Key": "contract", "Value": "no"} in listed
    answer = tagging.untag_resources(ResourceARNList=[domain, home], TagKeys=["contract"])
    assert answer["FailedResourcesMap"] == {}
    assert "contract" not in tags(domain) and "contract" not in tags(home)


def test_budgets_and_forecast(client, strict):
    account = client("sts").get_caller_identity()["Account"]
    budgets = strict(client("budgets"))
    found = [
        budget
        for page in budgets.get_paginator("describe_budgets").paginate(AccountId=account)
        for budget in page["Budgets"]
    ]
    assert len(found) >= 3
    for budget in found:
        name = budget["BudgetName"]
        notes = budgets.describe_notifications_for_budget(AccountId=account, BudgetName=name)
        assert "Notifications" in notes
    forecast = strict(client("ce")).get_cost_forecast(
        TimePeriod={"Start": "2026-11-20", "End": "2026-12-01"},
        Metric="NET_AMORTIZED_COST",
        Granularity="MONTHLY",
    )
    assert Decimal(forecast["Total"]["Amount"]) > 0


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code"),
    [
        ("sagemaker", "describe_domain", {"DomainId": "d-nowhere00000"}, "ResourceNotFound"),
        ("budgets", "describe_budgets", {"AccountId": "999999999999"}, "AccessDeniedException"),
        (
            "ce",
            "get_cost_and_usage",
            {"TimePeriod": {"Start": "2026-10-01", "End": "2026-09-01"}, "Granularity": "MONTHLY", "Metrics": METRICS},
            "ValidationException",
        ),
        (
            "ce",
            "get_cost_and_usage",
            {
                "TimePeriod": PERIOD,
                "Granularity": "MONTHLY",
                "Metrics": METRICS,
                "GroupBy": [*BY_SERVICE, {"Type": "DIMENSION", "Key": "REGION"}],
            },
            "ValidationException",
        ),
    ],
)
def test_refusals_have_the_codes_of_aws(client, service, operation, arguments, code):
    with pytest.raises(ClientError) as refused:
        getattr(client(service), operation)(**arguments)
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["Error"]["Message"]
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] >= 400


@pytest.mark.parametrize(
    ("arguments", "query", "wanted"),
    [
        ("sts get-caller-identity", "Account", "111122223333"),
        ("ce list-cost-allocation-tags", "length(CostAllocationTags) > `0`", True),
        ("organizations list-accounts --page-size 1", "length(Accounts)", 3),
        (
            "ce get-cost-and-usage --time-period Start=2026-10-01,End=2026-11-01"
            " --granularity MONTHLY --metrics NetAmortizedCost",
            "length(ResultsByTime)",
            1,
        ),
    ],
)
def test_the_aws_cli(sandbox, tmp_path, arguments, query, wanted):
    command = [os.path.join(os.path.dirname(sys.executable), "aws"), *arguments.split()]
    region = {"AWS_DEFAULT_REGION": sandbox["AWS_REGION"]}
    ran = subprocess.run(
        [*command, "--query", query, "--output", "json"],
        env=program.environment(**sandbox, **region),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == wanted
