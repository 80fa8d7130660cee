"""Exported budgets: cfn-lint reads the template, botocore takes its budgets, and Terraform's file says the same."""

import copy
import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from botocore.validate import ParamValidator

import imitation
import model
import program

TOPIC = "arn:aws:sns:us-east-1:111122223333:sagemaker-cost"
TOLD = f'emails = ["a@example.com", "b@example.com"]\nsns_topic_arn = "{TOPIC}"\n'

# One table each: every period, every sort of limit, every sort of threshold, every sort of scope.
TABLES = {
    "fixed": f'each = "domain"\nlimit = "1234.56"\nthresholds = [50, 80]\nforecast_thresholds = [100]\n{TOLD}',
    "planned": 'each = "domain"\nplanned = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11.5", "12"]\n',
    "quarterly": 'each = "domain"\nperiod = "quarterly"\nplanned = ["100", "200", "300", "400.25"]\n',
    "listed": 'each = "domain"\nplanned = { "2026-12" = "6", "2027-02" = "7.01" }\n',
    "forecast": 'each = "domain"\nauto_adjust = "forecast"\n',
    "historical": 'each = "domain"\nauto_adjust = { historical = 6 }\n',
    "daily": f'each = "domain"\nperiod = "daily"\nlimit = "10"\nthresholds = [100]\n{TOLD}',
    "annually": 'each = "domain"\nperiod = "annually"\nlimit = "99999999.999999999999"\n',
    "metric": 'each = "domain"\nmetric = "unblended_cost"\nexclude = ["Credit", "Refund"]\nlimit = "5"\n',
    "ten": f'each = "domain"\nlimit = "500"\nthresholds = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]\n{TOLD}',
    "own": 'each = "domain"\nlimit = "500"\n'
    + "".join(
        f'[[budget.notification]]\nof = "actual"\n{line}\nemails = ["c@example.com"]\n'
        for line in ['percent = "80.25"', 'amount = "123.45"']
    ),
    "users": f'each = "user_profile"\nlimit = "50"\nthresholds = [100]\n{TOLD}',
    "spaces": f'each = "space"\nlimit = "50"\nthresholds = [100]\n{TOLD}',
    "teams": f'each = "team"\nlimit = "50"\nthresholds = [100]\n{TOLD}',
    "all": f'all = true\nlimit = "50"\nthresholds = [100]\n{TOLD}',
}
PLACES = {
    "domain": "{domain}",
    "user_profile": "{domain} {user_profile}",
    "space": "{domain}/{space}",
    "team": "{team}",
}


def table(name: str) -> str:
    """A `[[budget]]` whose name holds what tells its budgets apart."""
    lines = TABLES[name]
    each = next((each for each in PLACES if f'each = "{each}"' in lines), None)
    called = f"{name} {PLACES[each]}" if each else name
    return f'\n[[budget]]\nname = "{called}"\n{lines}'


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """The folder of a demonstration, without a budget in its configuration."""
    folder = tmp_path_factory.mktemp("demo")
    made = program.run("--quiet", "demo", "--out", folder / "demo", cwd=folder)
    assert made.code == 0, made.said
    configuration = folder / "demo" / "apportion.toml"
    before, own, after = configuration.read_text().partition("[[budget]]")
    assert own and "[[budget]]" not in after
    rest = after[after.index("# Who is charged") :]
    configuration.write_text(before + rest)
    return folder / "demo"


@pytest.fixture(scope="module")
def export(demo):
    """Exports budgets of some tables in a format."""

    def run(form: str, *tables: str) -> subprocess.CompletedProcess:
        configuration = demo / "export.toml"
        configuration.write_text((demo / "apportion.toml").read_text() + "".join(tables))
        where = ["--snapshots", demo / "snapshots", "--config", configuration]
        return subprocess.run(
            [program.binary(), "--quiet", "--now", imitation.NOW, "budgets", "export", "--format", form, *where],
            cwd=demo,
            env=program.environment(),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def template(export) -> str:
    """The template of all tables."""
    made = export("cloudformation", *map(table, TABLES))
    assert made.returncode == 0, made.stderr
    return made.stdout


def lint(path: Path) -> list[dict]:
    """What cfn-lint finds, down to warnings."""
    tool = Path(sys.executable).parent / "cfn-lint"
    done = subprocess.run(
        [tool, "--format", "json", "--regions", "us-east-1", "--", path],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    found = json.loads(done.stdout)
    assert (done.returncode != 0) == bool(found), done.stderr
    return found


def budgets_of(template: str) -> dict[str, dict]:
    """The properties of every budget of a template, by its name; numbers are exact."""
    resources = json.loads(template, parse_float=Decimal)["Resources"]
    assert {resource["Type"] for resource in resources.values()} == {"AWS::Budgets::Budget"}
    every = [resource["Properties"] for resource in resources.values()]
    found = {said["Budget"]["BudgetName"]: said for said in every}
    assert len(found) == len(resources), "two budgets of one name"
    return found


def create(properties: dict) -> dict:
    """What CloudFormation makes of a budget's properties: the body of a `CreateBudget`."""
    budget = copy.deepcopy(properties["Budget"])
    spends = [budget["BudgetLimit"]] if "BudgetLimit" in budget else []
    for spend in [*spends, *budget.get("PlannedBudgetLimits", {}).values()]:
        assert isinstance(spend["Amount"], int | Decimal), "an amount that is no number"
        spend["Amount"] = format(spend["Amount"], "f")
    if "TimePeriod" in budget:
        budget["TimePeriod"] = {name: int(second) for name, second in budget["TimePeriod"].items()}
    made = {"AccountId": "111122223333", "Budget": budget}
    if "NotificationsWithSubscribers" in properties:
        made["NotificationsWithSubscribers"] = properties["NotificationsWithSubscribers"]
    return made


def depth(expression: dict) -> int:
    """How many operators stand above the deepest leaf."""
    ((name, operand),) = expression.items()
    if name in ("And", "Or"):
        return 1 + max(map(depth, operand))
    return 1 + depth(operand) if name == "Not" else 0


def leaves(expression: dict) -> list[dict]:
    ((name, operand),) = expression.items()
    if name in ("And", "Or"):
        return [leaf for part in operand for leaf in leaves(part)]
    return leaves(operand) if name == "Not" else [operand]


def is_expressible(budget: dict) -> bool:
    """Whether the provider has arguments for a budget's filter: two operators deep, and values in every leaf."""
    filter_ = budget.get("FilterExpression")
    return filter_ is not None and depth(filter_) <= 2 and all(leaf.get("Values") for leaf in leaves(filter_))


# Terraform Registry, `aws_budgets_budget`, "Argument Reference": what is required, and what else there may be.
LEAF = ({"key": str, "values": [str]}, {"match_options": [str]})
NOTIFICATION = (
    {"comparison_operator": str, "threshold": (int, Decimal), "threshold_type": str, "notification_type": str},
    {"subscriber_email_addresses": [str], "subscriber_sns_topic_arns": [str]},
)
PLANNED = ({"start_time": str, "amount": str, "unit": str}, {})
ADJUSTED = ({"auto_adjust_type": str}, {"historical_options": ({"budget_adjustment_period": int}, {})})


def filter_block(room: int) -> tuple[dict, dict]:
    """The block of a filter, with so many operators above its leaves."""
    leaf = {"dimensions": LEAF, "tags": LEAF, "cost_categories": LEAF}
    if room == 0:
        return {}, leaf
    inner = filter_block(room - 1)
    return {}, leaf | {"and": [inner], "or": [inner], "not": inner}


BUDGET = (
    {"name": str, "budget_type": str, "time_unit": str},
    {
        "limit_amount": str,
        "limit_unit": str,
        "planned_limit": [PLANNED],
        "auto_adjust_data": ADJUSTED,
        "filter_expression": filter_block(2),
        "metrics": [str],
        "billing_view_arn": str,
        "time_period_end": str,
        "notification": [NOTIFICATION],
    },
)


def check_argument(value, allowed, path: str):
    if isinstance(allowed, list):
        assert isinstance(value, list) and value, path
        for part in value:
            check_argument(part, allowed[0], f"{path}[]")
    elif isinstance(allowed, tuple) and isinstance(allowed[0], dict):
        required, optional = allowed
        assert isinstance(value, dict), path
        assert required.keys() <= value.keys(), f"{path} lacks an argument"
        for name, part in value.items():
            assert name in required or name in optional, f"{path}.{name} is no argument"
            check_argument(part, (required | optional)[name], f"{path}.{name}")
    else:
        assert isinstance(value, allowed) and not isinstance(value, bool), f"{path}: {value!r}"


def plain(value):
    """A value of the configuration as Terraform reads it: a doubled sign before a brace is one."""
    match value:
        case str():
            return value.replace("$${", "${").replace("%%{", "%{")
        case list():
            return [plain(part) for part in value]
        case dict():
            return {name: plain(part) for name, part in value.items()}
    return value


WORDS = {
    "and": "And",
    "or": "Or",
    "not": "Not",
    "dimensions": "Dimensions",
    "tags": "Tags",
    "cost_categories": "CostCategories",
    "key": "Key",
    "values": "Values",
    "match_options": "MatchOptions",
}


def of_aws(block):
    """A block of a filter in the words of AWS."""
    if isinstance(block, dict):
        return {WORDS[name]: of_aws(part) for name, part in block.items()}
    return [of_aws(part) for part in block] if isinstance(block, list) else block


def moment(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d_%H:%M").replace(tzinfo=timezone.utc).timestamp())


def properties(arguments: dict) -> dict:
    """The properties that a template would have for what a configuration says."""
    said = plain(arguments)
    budget = {"BudgetName": said["name"], "BudgetType": said["budget_type"], "TimeUnit": said["time_unit"]}
    if "limit_amount" in said:
        budget["BudgetLimit"] = {"Amount": Decimal(said["limit_amount"]), "Unit": said["limit_unit"]}
    if "planned_limit" in said:
        budget["PlannedBudgetLimits"] = {
            str(moment(it["start_time"])): {"Amount": Decimal(it["amount"]), "Unit": it["unit"]}
            for it in said["planned_limit"]
        }
    if "auto_adjust_data" in said:
        data = {"AutoAdjustType": said["auto_adjust_data"]["auto_adjust_type"]}
        if "historical_options" in said["auto_adjust_data"]:
            period = said["auto_adjust_data"]["historical_options"]["budget_adjustment_period"]
            data["HistoricalOptions"] = {"BudgetAdjustmentPeriod": period}
        budget["AutoAdjustData"] = data
    if "filter_expression" in said:
        budget["FilterExpression"] = of_aws(said["filter_expression"])
    if "metrics" in said:
        budget["Metrics"] = said["metrics"]
    if "billing_view_arn" in said:
        budget["BillingViewArn"] = said["billing_view_arn"]
    if "time_period_end" in said:
        budget["TimePeriod"] = {"End": str(moment(said["time_period_end"]))}
    found = {"Budget": budget}
    if "notification" in said:
        found["NotificationsWithSubscribers"] = [notification(it) for it in said["notification"]]
    return found


def notification(block: dict) -> dict:
    sorts = {"EMAIL": "subscriber_email_addresses", "SNS": "subscriber_sns_topic_arns"}
    return {
        "Notification": {
            "NotificationType": block["notification_type"],
            "ComparisonOperator": block["comparison_operator"],
            "Threshold": block["threshold"],
            "ThresholdType": block["threshold_type"],
        },
        "Subscribers": [
            {"SubscriptionType": sort, "Address": address}
            for sort, name in sorts.items()
            for address in block.get(name, [])
        ],
    }


def configured(text: str) -> dict[str, dict]:
    """The arguments of every budget of a configuration, by its name."""
    said = json.loads(text, parse_float=Decimal)
    assert said.keys() == {"resource"} and said["resource"].keys() == {"aws_budgets_budget"}
    found = {}
    for id_, arguments in said["resource"]["aws_budgets_budget"].items():
        assert id_.replace("_", "").isalnum() and id_.isascii() and not id_[0].isdigit(), id_
        check_argument(arguments, BUDGET, id_)
        found[plain(arguments["name"])] = arguments
    assert len(found) == len(said["resource"]["aws_budgets_budget"]), "two budgets of one name"
    return found


def test_cfn_lint_finds_nothing(template, tmp_path):
    path = tmp_path / "budgets.json"
    path.write_text(template)
    assert lint(path) == []
    assert template.endswith("}\n")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [('"Amount":', '"Amounts":'), ('"TimeUnit":', '"Unit":'), ('"Threshold": ', '"Threshold": -')],
)
def test_cfn_lint_would_find_it(template, tmp_path, right, wrong):
    assert right in template
    path = tmp_path / "budgets.json"
    path.write_text(template.replace(right, wrong))
    assert any(it["Level"] == "Error" for it in lint(path))


def test_every_budget_is_one_for_botocore(template):
    shape = model.input_shape("budgets", "CreateBudget")
    found = budgets_of(template)
    assert len(found) > len(TABLES)
    for name, said in found.items():
        made = create(said)
        assert model.faults(made, shape, name) == []
        report = ParamValidator().validate(made, shape)
        assert not report.has_errors(), report.generate_report()
        limits = [it for it in ("BudgetLimit", "PlannedBudgetLimits", "AutoAdjustData") if it in made["Budget"]]
        assert len(limits) == 1, name
        assert ("FilterExpression" in made["Budget"]) <= ("Metrics" in made["Budget"]), name


def test_every_shape_is_in_the_template(template):
    found = budgets_of(template)

    def of(name: str) -> list[dict]:
        chosen = [said for called, said in found.items() if called.split("/", 1)[-1].split(" ")[0] == name]
        assert chosen, name
        return chosen

    for name in TABLES:
        of(name)
    for said in of("fixed"):
        assert said["Budget"]["BudgetLimit"] == {"Amount": Decimal("1234.56"), "Unit": "USD"}
        told = said["NotificationsWithSubscribers"]
        lines = [(it["Notification"]["NotificationType"], it["Notification"]["Threshold"]) for it in told]
        assert sorted(lines) == [("ACTUAL", 50), ("ACTUAL", 80), ("FORECASTED", 100)]
        assert {it["Address"] for it in told[0]["Subscribers"]} == {"a@example.com", "b@example.com", TOPIC}
    for said in of("annually"):
        assert said["Budget"]["BudgetLimit"]["Amount"] == Decimal("99999999.999999999999")
        assert said["Budget"]["TimeUnit"] == "ANNUALLY"
    first = datetime(2026, 11, 1, tzinfo=timezone.utc)
    for said in of("planned"):
        limits = said["Budget"]["PlannedBudgetLimits"]
        planned = {int(second): spend["Amount"] for second, spend in limits.items()}
        assert len(planned) == 12 and planned[int(first.timestamp())] == Decimal("11.5")
        assert min(planned) == int(first.timestamp())
    for said in of("quarterly"):
        quarter = first - timedelta(days=31)
        planned = said["Budget"]["PlannedBudgetLimits"]
        assert len(planned) == 4 and planned[str(int(quarter.timestamp()))]["Amount"] == Decimal("400.25")
    for said in of("historical"):
        data = {"AutoAdjustType": "HISTORICAL", "HistoricalOptions": {"BudgetAdjustmentPeriod": 6}}
        assert said["Budget"]["AutoAdjustData"] == data
    for said in of("ten"):
        assert len(said["NotificationsWithSubscribers"]) == 10
    for said in of("own"):
        told = [it["Notification"] for it in said["NotificationsWithSubscribers"]]
        told = {(it["ThresholdType"], it["Threshold"]) for it in told}
        assert told == {("PERCENTAGE", Decimal("80.25")), ("ABSOLUTE_VALUE", Decimal("123.45"))}
    for said in of("metric"):
        assert said["Budget"]["Metrics"] == ["UnblendedCost"]
        assert "RECORD_TYPE" in json.dumps(said["Budget"]["FilterExpression"])


@pytest.mark.parametrize("name", TABLES)
def test_terraform_says_the_same_or_names_what_it_cannot(export, name):
    made = export("cloudformation", table(name))
    assert made.returncode == 0, made.stderr
    found = budgets_of(made.stdout)
    lacking = [called for called, said in found.items() if not is_expressible(said["Budget"])]
    told = export("terraform", table(name))
    if lacking:
        assert told.returncode != 0 and told.stdout == ""
        assert any(called in told.stderr for called in lacking), told.stderr
        return
    assert told.returncode == 0, told.stderr
    said = configured(told.stdout)
    assert {called: properties(arguments) for called, arguments in said.items()} == found


def test_terraform_can_say_domains(export):
    made = export("terraform", table("fixed"), table("planned"))
    assert made.returncode == 0, made.stderr
    assert len(configured(made.stdout)) >= 2


def test_the_same_state_is_the_same_text_whatever_the_order_of_tables(export, template):
    made = export("cloudformation", *map(table, reversed(TABLES)))
    assert (made.returncode, made.stdout) == (0, template), made.stderr


def test_a_budget_of_this_program_alone_is_not_exported(export):
    made = export("cloudformation", table("fixed"), table("spaces") + "local_only = true\n")
    assert made.returncode == 0, made.stderr
    assert made.stdout == export("cloudformation", table("fixed")).stdout
