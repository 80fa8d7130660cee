"""The whole program against moto: somebody else's idea of the AWS wire, and much that it does not implement.

moto answers `GetCostAndUsage` from a queue, in order: the answers are computed from a small bill, for the
questions in the order that the program documents. What moto was really asked is compared with them at the end.
"""

import csv
import json
from datetime import date, timedelta
from decimal import Decimal

import boto3
import pytest
import requests
from botocore.validate import ParamValidator
from moto.ce.models import ce_backends
from moto.server import ThreadedMotoServer

import bill
import plan
import program

ACCOUNT = "123456789012"
OTHER = "210987654321"
NOW = "2026-11-03T06:00:00Z"
FIRST, REPORTED, OPENED, END = (date(2026, month, 1) for month in (9, 10, 11, 12))
DOMAIN_NAME = "contractlab1"
ARN = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "dummy",
    "AWS_REGION": "us-east-1",
}


def lines() -> list[bill.Line]:
    """Every slice, a credit, a service beside the scope, a tag under another account, tiny amounts."""
    domain = f"{ARN}:domain/d-{DOMAIN_NAME}"
    spaces = [f"{ARN}:space/d-{DOMAIN_NAME}/lab-{number}" for number in range(9)]
    user = f"{ARN}:user-profile/d-{DOMAIN_NAME}/ana"
    found = []

    def add(day, service, record_type, usage_type, cost, tags=None, account=ACCOUNT):
        cost = Decimal(cost)
        found.append(bill.Line(day, account, service, record_type, usage_type, cost, tags or {}))

    days = [FIRST + timedelta(days=index) for index in range((OPENED - FIRST).days + 2)]
    for index, day in enumerate(days):
        studio = "USE1-Studio:JupyterLab-ml.t3.medium"
        for number, space in enumerate(spaces):
            if (index + number) % 6 == 0:
                tags = {plan.SPACE: space, plan.DOMAIN: domain}
                # Only some spaces say who worked in them.
                tags |= {plan.USER: user} if number < 5 else {}
                cost = Decimal("0.12345678") * (number + 1)
                add(day, plan.SAGEMAKER, "Usage", studio, cost, tags)
        if index % 10 == 0:
            tags = {plan.USER: user, plan.DOMAIN: domain}
            add(day, plan.SAGEMAKER, "Usage", "USE1-Processing:ml.m5.xlarge", "3.33333333", tags)
            tags = {plan.DOMAIN: domain}
            add(day, plan.SAGEMAKER, "Usage", "USE1-Host:ml.m5.large", "2.76", tags, OTHER)
            tags = {plan.MANAGED: domain}
            efs = "Amazon Elastic File System"
            add(day, efs, "Usage", "USE1-TimedStorage-ByteHrs", "0.00000007", tags)
            add(day, efs, "Usage", "USE1-TimedStorage-ByteHrs", "40.5")
            add(day, plan.SAGEMAKER, "Usage", "USE1-Notebk:ml.t3.medium", "1.1", account=OTHER)
        if day.day == 1:
            add(day, plan.SAGEMAKER, "Credit", "USE1-Notebk:ml.t3.medium", "-5.55")
            add(day, "Amazon Elastic Compute Cloud - Compute", "Usage", "BoxUsage:m5.large", "99.9")
            add(day, "Tax", "Tax", "", "12.34")
    return found


@pytest.fixture(scope="module")
def server():
    """moto on a free port of loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def url(server):
    """moto with an organization and a few things of SageMaker, and nothing queued."""
    requests.post(f"{server}/moto-api/reset", timeout=10).raise_for_status()

    def client(name):
        return boto3.client(
            name,
            endpoint_url=server,
            region_name="us-east-1",
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    client("organizations").create_organization(FeatureSet="ALL")
    sagemaker = client("sagemaker")
    role = f"arn:aws:iam::{ACCOUNT}:role/sagemaker"
    settings = {"DefaultUserSettings": {"ExecutionRole": role}}
    sagemaker.create_domain(
        DomainName=DOMAIN_NAME, AuthMode="IAM", VpcId="vpc-1", SubnetIds=["s-1"], **settings
    )
    tags = [{"Key": plan.DOMAIN, "Value": f"{ARN}:domain/d-{DOMAIN_NAME}"}]
    for number in range(3):
        sagemaker.create_training_job(
            TrainingJobName=f"train-{number}",
            AlgorithmSpecification={"TrainingImage": "i", "TrainingInputMode": "File"},
            RoleArn=role,
            OutputDataConfig={"S3OutputPath": "s3://b/o"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 60},
            Tags=tags,
        )
        sagemaker.create_notebook_instance(
            NotebookInstanceName=f"notebook-{number}", InstanceType="ml.t3.medium", RoleArn=role
        )
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": "i"})
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(
        EndpointConfigName="c", ProductionVariants=[variant | {"InitialInstanceCount": 1}]
    )
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c", Tags=tags)
    return server


def answers(found: list[bill.Line]) -> list[list[dict]]:
    """The pages of every question."""
    asked = plan.questions(found, FIRST, REPORTED, OPENED, END)
    return [
        # Seven groups are a page: some answers need one, some need several.
        bill.pages(bill.answer(found, question, OPENED), 7, f"q{number}")
        for number, question in enumerate(asked, 1)
    ]


def queue(url: str, pages: list[dict]) -> None:
    address = f"{url}/moto-api/static/ce/cost-and-usage-results"
    reply = requests.post(address, json={"results": pages}, timeout=10)
    assert reply.status_code == 201


def collect(url, folder) -> program.Result:
    # moto answers HTTP 500 to what it does not implement, so retries need not take long.
    (folder / "apportion.toml").write_text("[aws]\nretry_backoff_ms_max = 20\n")
    return program.run(
        *f"--now {NOW} --config apportion.toml collect --snapshots s --month 2026-10".split(),
        *"--months 2 --concurrency 1 --max-spend 1 --yes --region us-east-1".split(),
        cwd=folder,
        AWS_ENDPOINT_URL=url,
        **CREDENTIALS,
    )


def report(folder) -> program.Result:
    arguments = f"--now {NOW} --config apportion.toml report --snapshots s --month 2026-10 --history --out o"
    return program.run(*arguments.split(), cwd=folder)


def manifest(folder) -> dict:
    (path,) = (folder / "s" / "snapshots").glob("*.json")
    return program.read_json(path)


def summary(folder) -> dict:
    return program.read_json(folder / "o" / "2026-10" / "summary.json")


def table(folder, name: str) -> list[dict]:
    with (folder / "o" / "2026-10" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def expected(found: list[bill.Line], month: int) -> dict[str, Decimal]:
    """What the scope cost in a month, by the bill itself."""
    cost = sum(
        line.cost
        for line in found
        if line.day.month == month
        and line.record_type != "Tax"
        and (line.service == plan.SAGEMAKER or any(key in line.tags for key in plan.KEYS))
    )
    names = ["unblended_cost", "amortized_cost", "net_amortized_cost", "net_unblended_cost"]
    return dict(zip(names, (cost * factor for factor in bill.METRICS.values())))


def test_a_whole_collection_and_its_report(url, tmp_path):
    found = lines()
    pages = answers(found)
    assert max(map(len, pages)) > 3, "several answers must need several pages"
    queue(url, [page for answer in pages for page in answer])

    collected = collect(url, tmp_path)
    # moto does not implement all that is read: that is partial, and never silent.
    assert collected.code == 5, collected.said
    reported = report(tmp_path)
    assert reported.code == 5, reported.said

    # The program asked what it documents, in that order, and every page of it once.
    asked = [json.loads(body) for body in ce_backends[ACCOUNT]["aws"].cost_usage_results]
    wanted = []
    for question, answer in zip(plan.questions(found, FIRST, REPORTED, OPENED, END), pages):
        tokens = [None] + [page["NextPageToken"] for page in answer[:-1]]
        wanted += [question | ({"NextPageToken": token} if token else {}) for token in tokens]
    assert asked == wanted
    model = boto3.client("ce", region_name="us-east-1").meta.service_model
    shape = model.operation_model("GetCostAndUsage").input_shape
    for body in asked:
        wrong = ParamValidator().validate(body, shape)
        assert not wrong.has_errors(), wrong.generate_report()

    snapshot = manifest(tmp_path)
    assert [entry["pages"] for entry in snapshot["asked"]] == [len(answer) for answer in pages]
    assert snapshot["receipt"]["pages"] == sum(map(len, pages))
    assert snapshot["missing"] == [] and snapshot["moving"] == []

    # What moto does not implement is named.
    notes = " ".join(note["text"] for note in summary(tmp_path)["notes"])
    for words in ("cost allocation tags", "backfill", "ListUserProfiles", "ListSpaces", "ListApps"):
        assert words in notes, notes
    assert summary(tmp_path)["conditions"] == ["partial"]

    # The lines sum to the bill, by every metric, in every month.
    rows = table(tmp_path, "lines.csv")
    for month in (9, 10, 11):
        for name, cost in expected(found, month).items():
            own = [Decimal(row[name]) for row in rows if row["month"] == f"2026-{month:02}"]
            assert sum(own) == cost, (month, name)
    totals = expected(found, 10)
    for name, cost in totals.items():
        assert Decimal(summary(tmp_path)["control_total"][name]) == cost
        assert Decimal(summary(tmp_path)["residual"][name]) == 0


def test_a_queue_that_ends_after_the_controls_is_not_zero(url, tmp_path):
    found = lines()
    pages = answers(found)
    controls = 1 + len(plan.KEYS) + 1
    queue(url, [page for answer in pages[:controls] for page in answer])
    collected = collect(url, tmp_path)
    assert collected.code == 5, collected.said
    reported = report(tmp_path)
    assert reported.code == 5, reported.said
    stages = {entry["purpose"]["stage"] for entry in manifest(tmp_path)["missing"]}
    assert stages == {"cells", "space_users", "billed_accounts", "days", "bill_again"}
    notes = [note["text"] for note in summary(tmp_path)["notes"] if note["kind"] == "not_read"]
    assert any("the answer has nothing for this month" in text for text in notes), notes
    # The controls were answered, so what it cost is known, but not whose it is.
    for name, cost in expected(found, 10).items():
        assert Decimal(summary(tmp_path)["control_total"][name]) == cost
        rows = [row for row in table(tmp_path, "lines.csv") if row["month"] == "2026-10"]
        assert sum(Decimal(row[name]) for row in rows) == cost
        assert all(Decimal(row[name]) != 0 for row in rows), "a zero that nobody answered"
    assert {row["owner_kind"] for row in rows} == {"unattributed"}


def test_nothing_answered_at_all_is_not_zero(url, tmp_path):
    collected = collect(url, tmp_path)
    assert collected.code == 1, collected.said
    assert "the bill was not answered for 2026-09" in collected.said
    assert not list((tmp_path / "s").glob("snapshots/*")), "a snapshot of nothing"


def test_a_last_page_that_is_empty_is_an_error(url, tmp_path):
    pages = answers(lines())
    assert len(pages[0]) > 1
    queue(url, pages[0][:1])
    collected = collect(url, tmp_path)
    assert collected.code == 1, collected.said
    assert "the bill was not answered for 2026-1" in collected.said


def test_a_lost_cent_is_found(url, tmp_path):
    found = lines()
    pages = answers(found)
    cell = pages[1 + len(plan.KEYS) + 1]
    groups = [group for page in cell for part in page["ResultsByTime"] for group in part["Groups"]]
    amount = groups[-1]["Metrics"]["NetAmortizedCost"]
    amount["Amount"] = str(Decimal(amount["Amount"]) - Decimal("0.01"))
    queue(url, [page for answer in pages for page in answer])
    collected = collect(url, tmp_path)
    assert collected.code == 4, collected.said
    assert "does not reconcile" in collected.said
    assert "difference 0.01." in collected.said
