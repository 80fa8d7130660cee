"""Isolation policies in the sandbox: boto3 reads what was written, and botocore's model takes every request of it."""

import json
from collections import Counter

import pytest

import model

ACCOUNTS = ("444455556666", "777788889999")
PREFIX = "StudioDomainResourceIsolationPolicy-"
FULL = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
GONE = f"{PREFIX}d-000000000000"
RESEARCH = "d-ffggjzb0cv3m"
FORMS = ["deny", "current"]
UNTAGGED = ["--form", "deny", "--untagged", "deny"]
WRITES = {
    "CreatePolicy",
    "CreatePolicyVersion",
    "AttachRolePolicy",
    "DetachRolePolicy",
    "DeletePolicyVersion",
    "DeletePolicy",
}


def read(client) -> dict[str, dict]:
    """The isolation policies of an account, as `isolate export` shows them."""
    found = {}
    pages = client.get_paginator("list_policies").paginate(Scope="Local")
    for policy in (it for page in pages for it in page["Policies"] if it["PolicyName"].startswith(PREFIX)):
        arn = policy["Arn"]
        version = client.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        entities = client.list_entities_for_policy(PolicyArn=arn)
        assert entities["PolicyUsers"] == entities["PolicyGroups"] == []
        roles = sorted(role["RoleName"] for role in entities["PolicyRoles"])
        found[arn] = {"document": version["Document"], "roles": roles}
    return found


def add_versions(iam, policies: dict[str, dict]):
    """Gives every policy three more versions, none of them the default, as if somebody had tried something."""
    for arn, it in policies.items():
        client = iam(arn.split(":")[4])
        for _ in range(3):
            client.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(it["document"]), SetAsDefault=False)


@pytest.fixture(scope="module")
def applied(world, iam):
    """What IAM had after every run, and what it was sent on the way."""
    runs = []

    def run(*arguments: str):
        before = len(world.sent)
        done = world.isolate("apply", "--yes", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        sent = world.sent[before:]
        wanted = world.exported(*[it for it in arguments if it != "--prune"])
        found = {arn: it for account in ACCOUNTS for arn, it in read(iam(account)).items()}
        runs.append((wanted, found, sent))

    for form in FORMS:
        run("--form", form)
        if form == "deny":
            add_versions(iam, runs[0][0])
    run(*UNTAGGED)
    run(*UNTAGGED)
    # A domain that is gone has left its policy, and somebody has given another domain's to a role.
    client = iam(ACCOUNTS[0])
    gone = client.create_policy(
        PolicyName=GONE,
        PolicyDocument=json.dumps(next(iter(runs[0][0].values()))["document"]),
    )["Policy"]["Arn"]
    client.attach_role_policy(RoleName="SageMaker-vision", PolicyArn=gone)
    [other] = [arn for arn, it in runs[0][0].items() if it["roles"] == ["SageMaker-research"]]
    client.attach_role_policy(RoleName="SageMaker-vision", PolicyArn=other)
    run(*UNTAGGED, "--prune")
    return runs


def test_boto3_reads_what_was_exported(applied):
    assert len(applied) == len(FORMS) + 3
    for wanted, found, _ in applied:
        assert len(wanted) == 5 and found == wanted
        assert all(it["roles"] for it in wanted.values())
    documents = {json.dumps(it["document"]) for wanted, _, _ in applied for it in wanted.values()}
    assert len(documents) == 5 * 3, "each form of each domain is another document"


def test_versions_were_rotated_and_the_newest_is_the_default(applied, iam):
    for account in ACCOUNTS:
        client = iam(account)
        for arn in read(client):
            versions = client.list_policy_versions(PolicyArn=arn)["Versions"]
            assert [it["VersionId"] for it in versions] == ["v6", "v5", "v4", "v3", "v2"]
            assert [it["IsDefaultVersion"] for it in versions] == [True] + [False] * 4


def test_what_else_roles_have_is_left_to_them(applied, iam):
    attached = iam(ACCOUNTS[0]).list_attached_role_policies(RoleName="SageMaker-research")["AttachedPolicies"]
    names = {it["PolicyArn"] for it in attached}
    assert FULL in names and len(names) == 2


def test_a_run_that_finds_all_as_it_should_be_only_reads(applied, world):
    [*_, (_, _, again), _] = applied
    assert again and not {it.operation for it in again} & WRITES
    checked = world.isolate("plan", "--check", "--domain", RESEARCH, *UNTAGGED)
    assert (checked.returncode, "1 as they should be" in checked.stdout) == (0, True), checked.stdout
    other = world.isolate("plan", "--check", "--domain", RESEARCH, "--form", "current")
    assert (other.returncode, "1 to update" in other.stdout) == (3, True), other.stdout


def test_every_request_is_valid_by_the_model(applied):
    checked = Counter()
    for _, _, sent in applied:
        for it in sent:
            shape = model.input_shape("iam", it.operation)
            said = {
                name: {"true": True, "false": False}[value] if shape.members[name].type_name == "boolean" else value
                for name, value in it.form.items()
                # A number of the model, and text in a form.
                if name != "MaxItems"
            }
            assert model.faults(said, shape, it.operation) == []
            assert it.status == 200, (it.operation, it.body)
            if "PolicyDocument" in said:
                assert json.loads(said["PolicyDocument"])["Version"] == "2012-10-17"
            checked[it.operation] += 1
    made = {name: checked[name] for name in WRITES}
    assert made == {
        "CreatePolicy": 5,
        "CreatePolicyVersion": 5 * len(FORMS),
        "AttachRolePolicy": 5,
        # Of six versions the oldest had to go; three were not the program's.
        "DeletePolicyVersion": 5,
        # The role that had what it should not, and the one of the domain that is gone.
        "DetachRolePolicy": 2,
        "DeletePolicy": 1,
    }


def test_a_policy_is_made_before_it_is_attached_and_detached_before_it_is_deleted(applied):
    first, last = applied[0][2], applied[-1][2]
    writes = [it for it in first if it.operation in WRITES]
    made = set()
    for it in writes:
        if it.operation == "CreatePolicy":
            made.add(it.form["PolicyName"])
        else:
            assert it.form["PolicyArn"].rsplit("/", 1)[-1] in made
    names = [it.operation for it in last if it.operation in WRITES and it.form["PolicyArn"].endswith(GONE)]
    assert names == ["DetachRolePolicy", "DeletePolicy"]
