#!/usr/bin/env python3
"""The same requests as `apportion collect` makes and the same files as `apportion report --history` writes.

staged_plan.py FIRST OUT     FIRST is the first month (YYYY-MM), OUT is the folder of the files.

It fetches the bill, the slices' controls, the cells, the evidence, the days, the bill again, the inventory and the
budgets, checks the sums with a tolerance, and writes CSV, charts, a page and a summary. It stores no snapshot, gives
no reasons and hashes nothing, all of which would cost it more.
"""

import datetime
import json
import os
import sys

import boto3
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd

SPACE, USER = "sagemaker:space-arn", "sagemaker:user-profile-arn"
CLAIMING = [
    SPACE,
    "sagemaker:shared-space-arn",
    USER,
    "sagemaker:domain-arn",
    "ManagedByAmazonSageMakerResource",
]
IN_SCOPE = ["Amazon SageMaker", "Amazon SageMaker AI", "Savings Plans for AWS Machine Learning"]
COSTS = ["UnblendedCost", "AmortizedCost", "NetAmortizedCost", "NetUnblendedCost"]
METRICS = [*COSTS, "UsageQuantity"]
DESCRIBED_PROFILES_MAX = 500
JOBS = ["training", "processing", "transform", "hyper_parameter_tuning", "labeling"]

explorer = boto3.client("ce")


def absent(key):
    return {"Tags": {"Key": key, "MatchOptions": ["ABSENT"]}}


def present(key):
    return {"Not": absent(key)}


def one_of(key, values):
    return {"Dimensions": {"Key": key, "Values": values}}


def every(filters):
    return filters[0] if len(filters) == 1 else {"And": filters}


def tag(key):
    return {"Type": "TAG", "Key": key}


def dimension(key):
    return {"Type": "DIMENSION", "Key": key}


def ask(period, groups, filters=None, granularity="MONTHLY"):
    """Asks a question page by page and returns a list of dicts."""
    asked = {
        "TimePeriod": {"Start": period[0], "End": period[1]},
        "Granularity": granularity,
        "Metrics": METRICS,
        "GroupBy": groups,
    }
    if filters:
        asked["Filter"] = filters
    rows = []
    while True:
        answer = explorer.get_cost_and_usage(**asked)
        for result in answer["ResultsByTime"]:
            for group in result["Groups"]:
                one, two = (
                    key.split("$", 1)[1] if by["Type"] == "TAG" else key
                    for by, key in zip(groups, group["Keys"])
                )
                row = {"start": result["TimePeriod"]["Start"], "one": one, "two": two}
                for name, value in group["Metrics"].items():
                    row[name] = float(value["Amount"])
                row["unit"] = group["Metrics"]["UsageQuantity"].get("Unit")
                row["estimated"] = result["Estimated"]
                rows.append(row)
        token = answer.get("NextPageToken")
        if not token:
            return rows
        asked["NextPageToken"] = token


def slices(keys, services):
    """Splits the scope by the presence and absence of the claiming keys."""
    missing = []
    for key in keys:
        yield key, [present(key), *missing], tag(key)
        missing.append(absent(key))
    yield "rest", [one_of("SERVICE", services), *missing], dimension("LINKED_ACCOUNT")


def collect(first, report_month, open_month, end):
    period = (f"{first}-01", end)
    by_service = [dimension("SERVICE"), dimension("RECORD_TYPE")]
    known = explorer.list_cost_allocation_tags(TagKeys=CLAIMING)["CostAllocationTags"]
    explorer.list_cost_allocation_tag_backfill_history()
    known = {status["TagKey"] for status in known if status["Status"] == "Active"}
    keys = [key for key in CLAIMING if key in known]
    bill = ask(period, by_service)
    services = sorted({row["one"] for row in bill if row["one"] in IN_SCOPE})
    controls, cells, days = [], [], []
    parts = list(slices(keys, services))
    for name, filters, _ in parts:
        controls += [{**row, "slice": name} for row in ask(period, by_service, every(filters))]
    found = {
        (row["slice"], row["one"], row["two"])
        for row in controls
        if any(row[metric] for metric in COSTS)
    }
    for name, filters, owner in parts:
        for _, service, record_type in sorted(cell for cell in found if cell[0] == name):
            cell = [part for part in filters if part.get("Dimensions", {}).get("Key") != "SERVICE"]
            cell += [one_of("SERVICE", [service]), one_of("RECORD_TYPE", [record_type])]
            for row in ask(period, [owner, dimension("USAGE_TYPE")], every(cell)):
                row.update(slice=name, service=service, record_type=record_type)
                cells.append(row)
    space_users = []
    if USER in keys and any(cell[0] == SPACE for cell in found):
        space_users = ask(period, [tag(SPACE), tag(USER)], present(SPACE))
    either = [one_of("SERVICE", services), *(present(key) for key in keys)]
    accounts = ask(period, [dimension("LINKED_ACCOUNT"), dimension("RECORD_TYPE")], {"Or": either})
    daily = (f"{report_month}-01", end)
    for name, filters, owner in parts:
        if any(cell[0] == name for cell in found):
            days += ask(daily, [owner, dimension("RECORD_TYPE")], every(filters), "DAILY")
    again = ask((f"{open_month}-01", end), by_service)
    check(bill, controls, cells, again, services, open_month)
    return bill, controls, cells, days, space_users, accounts


def total(rows, keep):
    return sum(row["UnblendedCost"] for row in rows if keep(row))


def check(bill, controls, cells, again, services, open_month):
    whole = total(bill, lambda row: row["one"] in services and row["two"] != "Tax")
    sliced = total(controls, lambda row: row["one"] in services and row["two"] != "Tax")
    assert abs(whole - sliced) < 0.01, (whole, sliced)
    every_slice, celled = total(controls, lambda row: True), total(cells, lambda row: True)
    assert abs(every_slice - celled) < 0.01, (every_slice, celled)
    then = total(bill, lambda row: row["start"].startswith(open_month))
    assert abs(then - total(again, lambda row: True)) < 0.01, "the open month moved"


def pages(client, operation, key, **asked):
    if client.can_paginate(operation):
        answers = client.get_paginator(operation).paginate(**asked)
    else:
        answers = [getattr(client, operation)(**asked)]
    return [item for answer in answers for item in answer[key]]


def inventory(now):
    account = boto3.client("sts").get_caller_identity()["Account"]
    organizations = boto3.client("organizations")
    organizations.describe_organization()
    names = {it["Id"]: it["Name"] for it in pages(organizations, "list_accounts", "Accounts")}
    tagging = boto3.client("resourcegroupstaggingapi")
    tags = pages(
        tagging, "get_resources", "ResourceTagMappingList", ResourceTypeFilters=["sagemaker"]
    )
    client, size = boto3.client("sagemaker"), {"PaginationConfig": {"PageSize": 100}}
    domains = [
        client.describe_domain(DomainId=it["DomainId"])
        for it in pages(client, "list_domains", "Domains", **size)
    ]
    users = pages(client, "list_user_profiles", "UserProfiles", **size)
    with_sso = {it["DomainId"] for it in domains if it["AuthMode"] == "SSO"}
    people = [it for it in users if it["DomainId"] in with_sso]
    if len(people) <= DESCRIBED_PROFILES_MAX:
        for it in people:
            client.describe_user_profile(
                DomainId=it["DomainId"], UserProfileName=it["UserProfileName"]
            )
    spaces = pages(client, "list_spaces", "Spaces", **size)
    apps = pages(client, "list_apps", "Apps", **size)
    since = {"CreationTimeAfter": now - datetime.timedelta(days=93)}
    for job in JOBS:
        operation = f"list_{job}_jobs"
        key = "".join(part.title() for part in job.split("_")) + "JobSummaries"
        key = "LabelingJobSummaryList" if job == "labeling" else key
        pages(client, operation, key, **since, **size)
    pages(client, "list_auto_ml_jobs", "AutoMLJobSummaries", **since, **size)
    for operation, key in [
        ("list_notebook_instances", "NotebookInstances"),
        ("list_endpoints", "Endpoints"),
        ("list_inference_components", "InferenceComponents"),
        ("list_clusters", "ClusterSummaries"),
        ("list_feature_groups", "FeatureGroupSummaries"),
        ("list_mlflow_tracking_servers", "TrackingServerSummaries"),
    ]:
        pages(client, operation, key, **size)
    pages(boto3.client("efs"), "describe_file_systems", "FileSystems")
    budgets = boto3.client("budgets")
    limits = budgets.describe_budgets(AccountId=account).get("Budgets", [])
    budgets.describe_budget_notifications_for_account(AccountId=account)
    return names, tags, domains, users, spaces, apps, limits


def charts(out, monthly, month, components):
    owners = month.groupby("user")["NetAmortizedCost"].sum().nlargest(20)
    share = monthly.sum(axis=1) / monthly.sum(axis=1)
    drawings = {
        "domains": lambda: monthly.plot(kind="bar", stacked=True, figsize=(14, 7), ylabel="USD"),
        "owners": lambda: owners.plot(kind="barh", figsize=(14, 9), xlabel="USD"),
        "components": lambda: components.plot(kind="barh", figsize=(14, 5), xlabel="USD"),
        "coverage": lambda: share.plot(kind="bar", figsize=(14, 7), ylabel="share of cost"),
    }
    for name, draw in drawings.items():
        draw()
        plt.tight_layout()
        for form in ["png", "svg"]:
            plt.savefig(f"{out}/charts/{name}.{form}", dpi=100)
        plt.close()
    return list(drawings)


def main():
    first, out = sys.argv[1:3]
    now = datetime.datetime.fromisoformat(os.environ["NOW"])
    open_month = f"{now:%Y-%m}"
    report_month = f"{now.replace(day=1) - datetime.timedelta(days=1):%Y-%m}"
    end = f"{now.replace(day=28) + datetime.timedelta(days=4):%Y-%m}-01"
    os.makedirs(f"{out}/charts", exist_ok=True)
    bill, controls, cells, days, space_users, accounts = collect(
        first, report_month, open_month, end
    )
    names, tags, domains, users, spaces, apps, limits = inventory(now)
    frame = pd.DataFrame(cells).rename(columns={"one": "tag", "two": "usage_type"})
    frame["month"] = frame["start"].str[:7]
    arn, path = frame["tag"].str.split(":"), frame["tag"].str.split("/")
    frame["account"], frame["region"] = arn.str[4], arn.str[3]
    frame["domain"], frame["user"] = path.str[1], path.str[2]
    frame["kind"] = arn.str[5].str.split("/").str[0]
    frame["component"] = frame["usage_type"].str.split(":").str[0].str.split("-", n=1).str[1]
    frame["currency"] = "USD"
    by_id = {it["DomainId"]: it["DomainName"] for it in domains}
    frame["domain_name"] = frame["domain"].map(by_id)
    frame = frame.sort_values(["month", "tag", "service", "usage_type", "record_type"])
    lines = ["month", "kind", "account", "region", "domain", "user", "service", "component"]
    lines += ["usage_type", "record_type", "UsageQuantity", "unit", "estimated", *COSTS, "currency"]
    frame.to_csv(f"{out}/lines.csv", index=False, columns=lines)
    month = frame[frame["month"] == report_month]
    owner = ["month", "kind", "account", "region", "domain", "domain_name", "user"]
    owners = month.groupby(owner, as_index=False)[COSTS].sum()
    owners["share_percent"] = 100 * owners["NetAmortizedCost"] / owners["NetAmortizedCost"].sum()
    listed = {(it["DomainId"], it["UserProfileName"]) for it in users}
    pairs = zip(owners["domain"], owners["user"])
    owners["status"] = ["exists" if pair in listed else "gone" for pair in pairs]
    owners.to_csv(f"{out}/owners.csv", index=False)
    month[month["slice"] == "rest"].to_csv(f"{out}/unattributed.csv", index=False, columns=lines)
    trend = frame.groupby(["month", "domain", "domain_name"], as_index=False)[COSTS].sum()
    trend.to_csv(f"{out}/trend.csv", index=False)
    pd.DataFrame(limits).to_csv(f"{out}/alerts.csv", index=False)
    monthly = trend.pivot_table(
        index="month", columns="domain", values="NetAmortizedCost", aggfunc="sum"
    ).fillna(0)
    components = month.groupby("component")["NetAmortizedCost"].sum().nlargest(20)
    drawn = charts(out, monthly, month, components)
    with open(f"{out}/report.html", "w") as page:
        page.write(f"<h1>{report_month}</h1>")
        for name in drawn:
            page.write(open(f"{out}/charts/{name}.svg").read())
        page.write(owners.nlargest(20, "NetAmortizedCost").to_html(index=False))
        page.write(trend.to_html(index=False))
    summary = {
        "month": report_month,
        "total": month["NetAmortizedCost"].sum(),
        "rows": len(frame),
        "days": len(days),
        "spaces": len(spaces),
        "evidence": len(space_users) + len(accounts),
    }
    with open(f"{out}/summary.json", "w") as file:
        json.dump(summary, file, indent=2)
    print(f"rows {len(frame)} total {summary['total']:.4f}")


main()
