#!/usr/bin/env python3
"""What is written by hand to keep budgets: describe each, create what is not there, compare what is.

budget_loop.py FILE

FILE has one JSON object a budget: Name, Limit, Arn (the user profile's), Thresholds, Email. The loop makes a budget for
each by its tag, without the spaces that the user owns, and says how many it created, kept and updated.
"""

import json
import sys

import boto3
from botocore.exceptions import ClientError

budgets = boto3.client("budgets", region_name="us-east-1")
account = boto3.client("sts", region_name="us-east-1").get_caller_identity()["Account"]
created = kept = updated = 0
for line in open(sys.argv[1]):
    wanted = json.loads(line)
    name = wanted["Name"]
    try:
        found = budgets.describe_budget(AccountId=account, BudgetName=name, ShowFilterExpression=True)["Budget"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        found = None
    budget = {
        "BudgetName": name,
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": wanted["Limit"], "Unit": "USD"},
        "Metrics": ["NetAmortizedCost"],
        "FilterExpression": {"Tags": {"Key": "user:sagemaker:user-profile-arn", "Values": [wanted["Arn"]]}},
    }
    if found is None:
        budgets.create_budget(
            AccountId=account,
            Budget=budget,
            NotificationsWithSubscribers=[
                {
                    "Notification": {
                        "NotificationType": "ACTUAL",
                        "ComparisonOperator": "GREATER_THAN",
                        "Threshold": threshold,
                        "ThresholdType": "PERCENTAGE",
                    },
                    "Subscribers": [{"SubscriptionType": "EMAIL", "Address": wanted["Email"]}],
                }
                for threshold in wanted["Thresholds"]
            ],
        )
        created += 1
        continue
    for page in budgets.get_paginator("describe_notifications_for_budget").paginate(AccountId=account, BudgetName=name):
        for notification in page["Notifications"]:
            notification.pop("NotificationState", None)
            budgets.describe_subscribers_for_notification(
                AccountId=account, BudgetName=name, Notification=notification
            )
    same = found["FilterExpression"] == budget["FilterExpression"]
    if same and float(found["BudgetLimit"]["Amount"]) == float(wanted["Limit"]):
        kept += 1
    else:
        budgets.update_budget(AccountId=account, NewBudget=budget)
        updated += 1
print(f"created {created} kept {kept} updated {updated}")
