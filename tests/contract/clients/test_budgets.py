"""Budgets and SNS by boto3: what is written comes back, and what is refused has the exception of the model."""

import json
import urllib.request
from datetime import datetime, timezone

import pytest

TOPIC = "arn:aws:sns:us-east-1:111122223333:sagemaker-cost"
PRIVATE = "arn:aws:sns:us-east-1:111122223333:private"
ACCOUNT = "111122223333"
EMAIL = {"SubscriptionType": "EMAIL", "Address": "a@example.com"}
SNS = {"SubscriptionType": "SNS", "Address": TOPIC}


def notification(threshold=80, kind="ACTUAL", **more):
    return {"NotificationType": kind, "ComparisonOperator": "GREATER_THAN", "Threshold": threshold, **more}


def budget(name, **changes):
    values = [f"arn:aws:sagemaker:us-east-1:444455556666:domain/d-{number}" for number in range(6)]
    made = {
        "BudgetName": name,
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "1000", "Unit": "USD"},
        "FilterExpression": {"Tags": {"Key": "user:sagemaker:domain-arn", "Values": values}},
        "Metrics": ["NetAmortizedCost"],
    } | changes
    return {key: value for key, value in made.items() if value is not None}


@pytest.fixture
def budgets(client, strict):
    return strict(client("budgets"))


@pytest.fixture
def made(budgets):
    """Makes budgets that are gone after the test."""
    names = []

    def make(name, told=(), **changes):
        told = [{"Notification": it, "Subscribers": list(whom)} for it, whom in told]
        budgets.create_budget(
            AccountId=ACCOUNT, Budget=budget(name, **changes), NotificationsWithSubscribers=told
        )
        names.append(name)
        return {"AccountId": ACCOUNT, "BudgetName": name}

    yield make
    for name in names:
        budgets.delete_budget(AccountId=ACCOUNT, BudgetName=name)


@pytest.fixture
def seen(sandbox):
    """Reads what the sandbox tells of itself."""

    def read(path):
        with urllib.request.urlopen(f"{sandbox['AWS_ENDPOINT_URL']}/_sandbox/{path}", timeout=20) as answer:
            return json.load(answer)[path]

    return read


def test_a_budget_goes_there_and_comes_back(budgets, made, seen):
    before = len(seen("changes"))
    key = made("round trip", told=[(notification(), [EMAIL, SNS]), (notification(100, "FORECASTED"), [EMAIL])])
    plain = budgets.describe_budget(**key)["Budget"]
    assert "FilterExpression" not in plain and "CostTypes" not in plain
    shown = budgets.describe_budget(**key, ShowFilterExpression=True)["Budget"]
    assert shown["BudgetLimit"] == {"Amount": "1000.0", "Unit": "USD"}
    assert shown["TimePeriod"]["Start"] == datetime(2026, 11, 1, tzinfo=timezone.utc)
    assert shown["TimePeriod"]["End"] == datetime(2087, 6, 15, tzinfo=timezone.utc)
    given = budget("round trip")["FilterExpression"]["Tags"]["Values"]
    values = shown["FilterExpression"]["Tags"]["Values"]
    assert values != given and sorted(values) == given
    told = budgets.describe_notifications_for_budget(**key)["Notifications"]
    assert {(it["Threshold"], it["ThresholdType"], it["NotificationState"]) for it in told} == {
        (80.0, "PERCENTAGE", "OK"),
        (100.0, "PERCENTAGE", "OK"),
    }
    budgets.update_budget(
        AccountId=ACCOUNT, NewBudget=budget("round trip", BudgetLimit={"Amount": "5.50", "Unit": "USD"})
    )
    assert budgets.describe_budget(**key)["Budget"]["BudgetLimit"]["Amount"] == "5.5"
    assert len(budgets.describe_notifications_for_budget(**key)["Notifications"]) == 2
    changes = seen("changes")[before:]
    assert [it["operation"] for it in changes] == ["CreateBudget", "UpdateBudget"]
    assert changes[1]["body"]["NewBudget"]["BudgetLimit"]["Amount"] == "5.50"


def test_notifications_and_subscribers_change(budgets, made):
    key = made("alarms")
    budgets.create_notification(**key, Notification=notification(), Subscribers=[EMAIL])
    budgets.update_notification(
        **key, OldNotification=notification(80.0), NewNotification=notification(90, ThresholdType="ABSOLUTE_VALUE")
    )
    ours = {**key, "Notification": notification(90.0, ThresholdType="ABSOLUTE_VALUE")}
    budgets.create_subscriber(**ours, Subscriber=SNS)
    other = EMAIL | {"Address": "b@example.com"}
    budgets.update_subscriber(**ours, OldSubscriber=EMAIL, NewSubscriber=other)
    pages = budgets.get_paginator("describe_subscribers_for_notification").paginate(
        **ours, PaginationConfig={"PageSize": 1}
    )
    found = [it for page in pages for it in page["Subscribers"]]
    assert sorted(it["Address"] for it in found) == [TOPIC, "b@example.com"]
    of_account = budgets.get_paginator("describe_budget_notifications_for_account").paginate(AccountId=ACCOUNT)
    [mine] = [
        it for page in of_account for it in page["BudgetNotificationsForAccount"] if it["BudgetName"] == "alarms"
    ]
    assert [it["Threshold"] for it in mine["Notifications"]] == [90.0]
    budgets.delete_subscriber(**ours, Subscriber=SNS)
    budgets.delete_subscriber(**ours, Subscriber=other)
    assert budgets.describe_notifications_for_budget(**key)["Notifications"] == []
    budgets.create_notification(**key, Notification=notification(), Subscribers=[EMAIL])
    budgets.delete_notification(**key, Notification=notification(80.0))
    assert budgets.describe_notifications_for_budget(**key)["Notifications"] == []


def test_limits_have_three_forms(budgets, made):
    months = [datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=timezone.utc) for month in range(10, 22)]
    plan = {str(int(it.timestamp())): {"Amount": str(number), "Unit": "USD"} for number, it in enumerate(months, 1)}
    planned = budgets.describe_budget(**made("planned", BudgetLimit=None, PlannedBudgetLimits=plan))["Budget"]
    assert planned["BudgetLimit"]["Amount"] == "1.0"
    assert planned["PlannedBudgetLimits"].keys() == plan.keys()
    history = {"AutoAdjustType": "HISTORICAL", "HistoricalOptions": {"BudgetAdjustmentPeriod": 3}}
    whole = {"BudgetLimit": None, "FilterExpression": None}
    adjusted = budgets.describe_budget(**made("adjusted", **whole, AutoAdjustData=history))["Budget"]
    assert adjusted["AutoAdjustData"]["HistoricalOptions"]["LookBackAvailablePeriods"] == 3
    assert adjusted["AutoAdjustData"]["LastAutoAdjustTime"] <= adjusted["LastUpdatedTime"]
    assert float(adjusted["BudgetLimit"]["Amount"]) > 0
    legacy = budgets.describe_budget(
        **made(
            "legacy", FilterExpression=None, Metrics=None, CostFilters={"Service": ["Amazon SageMaker"]},
            CostTypes={"IncludeCredit": False},
        )
    )["Budget"]
    assert legacy["CostTypes"]["IncludeCredit"] is False and legacy["CostTypes"]["IncludeTax"] is True


def test_refusals_are_the_exceptions_of_the_model(budgets, made, client):
    raised = budgets.exceptions
    key = made("refused", told=[(notification(), [EMAIL])])
    with pytest.raises(raised.DuplicateRecordException):
        budgets.create_budget(AccountId=ACCOUNT, Budget=budget("refused"))
    for changes in (
        {"BudgetName": "a:b"},
        {"PlannedBudgetLimits": {}},
        {"CostTypes": {"IncludeTax": True}},
        {"Metrics": ["UNBLENDED_COST"]},
    ):
        with pytest.raises(raised.InvalidParameterException):
            budgets.create_budget(AccountId=ACCOUNT, Budget=budget("new") | changes)
    for call, arguments in (
        (budgets.update_budget, {"AccountId": ACCOUNT, "NewBudget": budget("nobody")}),
        (budgets.delete_budget, {"AccountId": ACCOUNT, "BudgetName": "nobody"}),
        (budgets.delete_notification, {**key, "Notification": notification(81)}),
        (budgets.delete_subscriber, {**key, "Notification": notification(), "Subscriber": SNS}),
    ):
        with pytest.raises(raised.NotFoundException):
            call(**arguments)
    with pytest.raises(raised.DuplicateRecordException):
        budgets.create_notification(**key, Notification=notification(80.0), Subscribers=[EMAIL])
    for threshold in range(1, 10):
        budgets.create_notification(**key, Notification=notification(threshold), Subscribers=[EMAIL])
    with pytest.raises(raised.CreationLimitExceededException):
        budgets.create_notification(**key, Notification=notification(10), Subscribers=[EMAIL])
    with pytest.raises(raised.AccessDeniedException):
        budgets.describe_budgets(AccountId="444455556666")
    with pytest.raises(raised.InvalidNextTokenException):
        budgets.describe_budgets(AccountId=ACCOUNT, NextToken="made-up")
    for address, text in (("sagemaker-cost", "Please comply with SNS ARN format"), (PRIVATE, "Invalid SNS topic")):
        with pytest.raises(raised.InvalidParameterException, match=text):
            subscriber = {"SubscriptionType": "SNS", "Address": address}
            budgets.create_subscriber(**key, Notification=notification(), Subscriber=subscriber)


def test_a_member_has_budgets_of_its_own_and_no_filter_by_account(in_account):
    budgets = in_account("budgets", "444455556666", "us-east-1")
    account = "444455556666"
    assert budgets.describe_budgets(AccountId=account)["Budgets"] == []
    accounts = {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [account]}}
    with pytest.raises(budgets.exceptions.InvalidParameterException):
        budgets.create_budget(AccountId=account, Budget=budget("own", FilterExpression=accounts))
    budgets.create_budget(AccountId=account, Budget=budget("own"))
    assert len(budgets.describe_budgets(AccountId=account)["Budgets"]) == 1
    budgets.delete_budget(AccountId=account, BudgetName="own")


def test_topics_take_messages(client, seen):
    sns = client("sns")
    attributes = sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]
    assert (attributes["TopicArn"], attributes["Owner"]) == (TOPIC, ACCOUNT)
    assert "KmsMasterKeyId" not in attributes
    services = [it["Principal"].get("Service") for it in json.loads(attributes["Policy"])["Statement"]]
    assert "budgets.amazonaws.com" in services
    closed = json.loads(sns.get_topic_attributes(TopicArn=PRIVATE)["Attributes"]["Policy"])
    assert all("Service" not in it["Principal"] for it in closed["Statement"])
    text = "över <the> limit & beyond\n" * 3
    answer = sns.publish(TopicArn=TOPIC, Subject="Over budget", Message=text)
    assert answer["MessageId"]
    assert seen("messages")[-1] == {"topic": TOPIC, "subject": "Over budget", "body": text}
    raised = sns.exceptions
    for arguments, error in (
        ({"TopicArn": TOPIC.replace("sagemaker-cost", "none")}, raised.NotFoundException),
        ({"TopicArn": TOPIC.replace(ACCOUNT, "444455556666")}, raised.AuthorizationErrorException),
        ({"TopicArn": TOPIC.replace("us-east-1", "eu-west-1")}, raised.InvalidParameterException),
        ({"TopicArn": TOPIC, "Subject": "a\nb"}, raised.InvalidParameterException),
        ({"TopicArn": TOPIC, "Message": "x" * (256 * 1024 + 1)}, raised.InvalidParameterException),
    ):
        with pytest.raises(error):
            sns.publish(**{"Message": "a"} | arguments)
