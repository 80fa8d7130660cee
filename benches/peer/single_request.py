#!/usr/bin/env python3
"""One grouped request of Cost Explorer into files, as scripts usually do it: boto3, pandas, matplotlib.

single_request.py FIRST END OUT     FIRST and END are days (END out), OUT is the folder of the files.
"""

import os
import sys

import boto3
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd

TAG = "sagemaker:user-profile-arn"
COSTS = ["UnblendedCost", "AmortizedCost", "NetAmortizedCost", "NetUnblendedCost"]
METRICS = [*COSTS, "UsageQuantity"]


def fetch(first, end):
    explorer = boto3.client("ce")
    asked = {
        "TimePeriod": {"Start": first, "End": end},
        "Granularity": "MONTHLY",
        "Metrics": METRICS,
        "Filter": {"Dimensions": {"Key": "SERVICE", "Values": ["Amazon SageMaker"]}},
        "GroupBy": [{"Type": "TAG", "Key": TAG}, {"Type": "DIMENSION", "Key": "USAGE_TYPE"}],
    }
    rows, pages = [], 0
    while True:
        answer = explorer.get_cost_and_usage(**asked)
        pages += 1
        for result in answer["ResultsByTime"]:
            for group in result["Groups"]:
                row = {
                    "month": result["TimePeriod"]["Start"][:7],
                    "estimated": result["Estimated"],
                    "tag": group["Keys"][0].split("$", 1)[1],
                    "usage_type": group["Keys"][1],
                }
                for name, value in group["Metrics"].items():
                    row[name] = float(value["Amount"])
                rows.append(row)
        token = answer.get("NextPageToken")
        if not token:
            return rows, pages
        asked["NextPageToken"] = token


def main():
    first, end, out = sys.argv[1:4]
    os.makedirs(out, exist_ok=True)
    rows, pages = fetch(first, end)
    frame = pd.DataFrame(rows)
    parts = frame["tag"].str.split("/")
    frame["domain"], frame["user"] = parts.str[1], parts.str[2]
    frame.to_csv(f"{out}/report.csv", index=False)
    summary = frame.groupby(["month", "domain", "user"], as_index=False)[METRICS].sum()
    summary.to_csv(f"{out}/summary.csv", index=False)
    monthly = frame.pivot_table(
        index="month", columns="domain", values="UnblendedCost", aggfunc="sum"
    ).fillna(0)
    axes = monthly.plot(kind="bar", stacked=True, figsize=(14, 7), title="Cost by domain")
    axes.set_ylabel("USD")
    plt.tight_layout()
    plt.savefig(f"{out}/report.png", dpi=100)
    print(f"pages {pages} rows {len(frame)} total {frame['UnblendedCost'].sum():.4f}")


main()
