"""What `budgets apply` sends to AWS Budgets, beside botocore's own model of it: shapes, words, patterns, ranges."""

import copy
import json
from collections import Counter
from decimal import Decimal

import pytest

import imitation
import model
import program
import recorder

SERVICE = "AWSBudgetServiceGateway"
TOPIC = "arn:aws:sns:us-east-1:111122223333:sagemaker-cost"
TEN = [f"a{number}@example.com" for number in range(10)]
PERCENTS = list(range(10, 101, 10))


def table(name: str, *lines: str) -> str:
    return "\n".join([f'\n[[budget]]\nname = "{name} {{domain}}"\neach = "domain"', *lines, ""])


def told(*addresses: str) -> str:
    return f"emails = {json.dumps(addresses)}"


# Every budget before a change and after it, and what has to be called on the way for each.
CHANGES = {
    "limit": (
        ['limit = "100"', "thresholds = [80]", told("a@example.com")],
        ['limit = "250.75"', "thresholds = [80]", told("a@example.com")],
        {"UpdateBudget"},
    ),
    "planned": (
        ['limit = "100"'],
        ['planned = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11.5", "12"]'],
        {"UpdateBudget"},
    ),
    "adjusted": (['limit = "100"'], ["auto_adjust = { historical = 6 }"], {"UpdateBudget"}),
    "forecast": (["auto_adjust = { historical = 6 }"], ['auto_adjust = "forecast"'], {"UpdateBudget"}),
    "filter": (
        ['limit = "100"', "thresholds = [80]", told("a@example.com")],
        ['limit = "100"', 'exclude = ["Credit", "Refund"]', "thresholds = [80]", told("a@example.com")],
        {"UpdateBudget"},
    ),
    "metric": (
        ['limit = "100"'],
        ['limit = "100"', 'metric = "unblended_cost"'],
        {"UpdateBudget"},
    ),
    "notifications": (
        ['limit = "100"', "thresholds = [50, 80]", told("a@example.com")],
        ['limit = "100"', "thresholds = [80, 90]", "forecast_thresholds = [100]", told("a@example.com")],
        {"CreateNotification", "DeleteNotification"},
    ),
    "full": (
        ['limit = "100"', f"thresholds = {PERCENTS}", told("a@example.com")],
        ['limit = "100"', f"thresholds = {[*PERCENTS[:-1], 99]}", told("a@example.com")],
        {"UpdateNotification"},
    ),
    "subscribers": (
        ['limit = "100"', "thresholds = [80]", told("a@example.com", "b@example.com")],
        [
            'limit = "100"',
            "thresholds = [80]",
            told("b@example.com", "c@example.com"),
            f'sns_topic_arn = "{TOPIC}"',
        ],
        {"CreateSubscriber", "DeleteSubscriber"},
    ),
    "crowded": (
        ['limit = "100"', "thresholds = [80]", told(*TEN)],
        ['limit = "100"', "thresholds = [80]", told(*TEN[:-1], "new@example.com")],
        {"UpdateSubscriber"},
    ),
    "amount": (
        ['limit = "100"'],
        [
            'limit = "100"',
            f'[[budget.notification]]\nof = "actual"\namount = "80.25"\n{told("a@example.com")}',
        ],
        {"CreateNotification"},
    ),
}
READS = ("Describe", "List")


@pytest.fixture(scope="module")
def applied(tmp_path_factory):
    """What each run sent: one makes budgets, one changes all, one finds nothing to do, one takes all away."""
    folder = tmp_path_factory.mktemp("apply")
    made = program.run("--quiet", "demo", "--out", "demo", cwd=folder)
    assert made.code == 0, made.said
    demo = folder / "demo"
    before, own, after = (demo / "apportion.toml").read_text().partition("[[budget]]")
    assert own and "[[budget]]" not in after
    rest = before + after[after.index("# Who is charged") :]
    first = "".join(table(name, *lines) for name, (lines, _, _) in CHANGES.items())
    second = "".join(table(name, *lines) for name, (_, lines, _) in CHANGES.items())
    sent = {}
    with imitation.running() as exported:
        with recorder.recording(exported["AWS_ENDPOINT_URL"], SERVICE) as (address, kept):
            through = exported | {"AWS_ENDPOINT_URL": address}
            for run, tables, more in [
                ("create", first, []),
                ("update", second, []),
                ("again", second, []),
                ("prune", "", ["--prune"]),
            ]:
                (demo / "apply.toml").write_text(rest + tables)
                where = ["--snapshots", demo / "snapshots", "--config", demo / "apply.toml"]
                arguments = ["--quiet", "--now", imitation.NOW, "budgets", "apply", "--yes", *where, *more]
                done = program.run(*arguments, cwd=folder, **through)
                assert done.code == 0, done.said
                sent[run] = list(kept)
                kept.clear()
    return sent


def writes(sent: list[recorder.Sent]) -> list[recorder.Sent]:
    return [it for it in sent if not it.operation.startswith(READS)]


def read(sent: recorder.Sent):
    return json.loads(sent.body, parse_float=Decimal)


def name_of(sent: recorder.Sent) -> str:
    """The name of the budget that a request is about, without what the configuration puts before it."""
    body = read(sent)
    budget = body.get("Budget") or body.get("NewBudget") or body
    return budget["BudgetName"].split("/", 1)[-1].split(" ")[0]


def test_every_request_is_valid_by_the_model(applied):
    checked = Counter()
    for run, sent in applied.items():
        for it in sent:
            shape = model.input_shape("budgets", it.operation)
            assert model.faults(read(it), shape, f"{run} {it.operation}") == []
            checked[it.operation] += 1
    assert checked.keys() >= {"CreateBudget", "UpdateBudget", "DeleteBudget", "DescribeBudgets"}, checked


def test_every_change_is_taken(applied):
    for run, sent in applied.items():
        refused = [(it.operation, it.status, it.body) for it in writes(sent) if it.status != 200]
        assert refused == [], run


def test_the_first_run_makes_each_budget_in_one_call(applied):
    sent = writes(applied["create"])
    assert {it.operation for it in sent} == {"CreateBudget"}
    names = [read(it)["Budget"]["BudgetName"] for it in sent]
    assert len(names) == len(set(names)) and {name_of(it) for it in sent} == CHANGES.keys()
    for it in sent:
        budget = read(it)["Budget"]
        limits = [name for name in ("BudgetLimit", "PlannedBudgetLimits", "AutoAdjustData") if name in budget]
        assert len(limits) == 1, budget
        assert "FilterExpression" in budget and "Metrics" in budget, budget
        assert "CostFilters" not in budget and "CostTypes" not in budget, budget
    full = [len(read(it)["NotificationsWithSubscribers"]) for it in sent if name_of(it) == "full"]
    assert full and set(full) == {10}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_has_the_calls_that_it_needs(applied, name):
    called = {it.operation for it in writes(applied["update"]) if name_of(it) == name}
    assert called == CHANGES[name][2]


def test_an_update_holds_the_whole_budget(applied):
    first = {read(it)["Budget"]["BudgetName"]: read(it)["Budget"] for it in writes(applied["create"])}
    updates = [read(it)["NewBudget"] for it in applied["update"] if it.operation == "UpdateBudget"]
    assert updates
    changed = {"limit": "BudgetLimit", "filter": "FilterExpression", "metric": "Metrics"}
    for budget in updates:
        before, name = first[budget["BudgetName"]], budget["BudgetName"].split("/", 1)[-1].split(" ")[0]
        if name in changed:
            assert budget[changed[name]] != before[changed[name]], name
            rest = {member: value for member, value in budget.items() if member != changed[name]}
            # `UpdateBudget` may say when the budget begins and ends, as AWS told it.
            rest.pop("TimePeriod", None)
            assert rest == {member: value for member, value in before.items() if member in rest}, name
            assert before.keys() - budget.keys() <= {"TimePeriod"}, name
        limits = [member for member in ("BudgetLimit", "PlannedBudgetLimits", "AutoAdjustData") if member in budget]
        assert len(limits) == 1, budget


def test_a_run_that_finds_all_as_it_should_be_only_reads(applied):
    assert writes(applied["again"]) == []
    assert applied["again"]


def test_pruning_deletes_every_budget_that_was_made_and_no_other(applied):
    made = Counter(read(it)["Budget"]["BudgetName"] for it in writes(applied["create"]))
    gone = writes(applied["prune"])
    assert {it.operation for it in gone} == {"DeleteBudget"}
    assert Counter(read(it)["BudgetName"] for it in gone) == made


@pytest.fixture
def good() -> dict:
    return {
        "AccountId": "111122223333",
        "Budget": {
            "BudgetName": "apportion/a b",
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "12.5", "Unit": "USD"},
            "FilterExpression": {"Not": {"Dimensions": {"Key": "SERVICE", "Values": ["s"]}}},
            "Metrics": ["NetAmortizedCost"],
            "TimePeriod": {"End": 3706473600},
        },
        "NotificationsWithSubscribers": [
            {
                "Notification": {
                    "NotificationType": "ACTUAL",
                    "ComparisonOperator": "GREATER_THAN",
                    "Threshold": Decimal("80.5"),
                    "ThresholdType": "PERCENTAGE",
                },
                "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "a@example.com"}],
            }
        ],
    }


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (["Budget", "BudgetName"], "a:b", "does not match"),
        (["Budget", "BudgetName"], "a<SCRIPT>b</SCRIPT>", "does not match"),
        (["Budget", "BudgetName"], "a" * 101, "above 100"),
        (["Budget", "BudgetType"], "Cost", "none of the words"),
        (["Budget", "Colour"], "red", "not in the model"),
        (["Budget", "TimePeriod", "End"], "2087-06-15", "no number"),
        (["Budget", "BudgetLimit", "Amount"], "1e5", "does not match"),
        (["Budget", "BudgetLimit", "Amount"], 5, "no text"),
        (["Budget", "Metrics"], ["UnblendedCost", "BlendedCost"], "above 1"),
        (["Budget", "FilterExpression", "Not", "Dimensions", "Values"], [], "below 1"),
        (["AccountId"], "12345678901x", "does not match"),
        (["NotificationsWithSubscribers", 0, "Notification", "Threshold"], -1, "below 0"),
        (["NotificationsWithSubscribers", 0, "Notification", "Threshold"], True, "no number"),
        (["NotificationsWithSubscribers", 0, "Subscribers"], [], "below 1"),
    ],
)
def test_the_check_itself_finds_what_is_wrong(good, path, value, expected):
    shape = model.input_shape("budgets", "CreateBudget")
    assert model.faults(good, shape) == []
    bad = copy.deepcopy(good)
    inner = bad
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    (fault,) = model.faults(bad, shape)
    assert expected in fault
