"""What `retag` and `tags` leave at AWS, read back by boto3: another client than the one that wrote it."""


import boto3
import pytest

import imitation
import program

PAYER, REGION_OF = "111122223333", {"444455556666": "us-east-1", "777788889999": "eu-west-1"}
DOMAIN = "sagemaker:domain-arn"


@pytest.fixture(scope="module")
def sandbox():
    """The environment of a sandbox with resources that lack their domain tag."""
    with imitation.running("--scenario", "legacy") as exported:
        yield exported


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("retag")
    accounts = [
        f'[[account]]\nid = "{account}"\nrole_arn = "arn:aws:iam::{account}:role/reader"\nregions = ["{region}"]\n'
        for account, region in REGION_OF.items()
    ]
    (folder / "apportion.toml").write_text("\n".join(accounts))
    return folder


def client(sandbox, service, account, region):
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=sandbox["AWS_ENDPOINT_URL"],
        aws_access_key_id=f"AKIASANDBOX{account}",
        aws_secret_access_key="sandbox",
    )


def tags(sandbox, arn):
    """All tags of a resource, from its own service."""
    _, _, service, region, account, name = arn.split(":", 5)
    if service == "elasticfilesystem":
        systems = client(sandbox, "efs", account, region).describe_file_systems()["FileSystems"]
        (found,) = [it for it in systems if it["FileSystemArn"] == arn]
        return {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    pages = client(sandbox, "sagemaker", account, region).get_paginator("list_tags").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def test_what_a_plan_wants_is_there_and_what_undo_finds_is_gone(sandbox, folder):
    arguments = "--now", imitation.NOW, "retag"
    planned = program.run(*arguments, "plan", "--save", "plan.json", cwd=folder, **sandbox)
    assert planned.code == 0, planned.said
    items = program.read_json(folder / "plan.json")["items"]
    pending = {it["id"]: it["change"] for it in items if "keep" not in it["change"]}
    assert len(pending) > 50
    # Every third is enough, read one by one.
    sample = sorted(pending)[::3]
    before = {arn: tags(sandbox, arn) for arn in sample}
    assert all(DOMAIN not in found for found in before.values())

    applied = program.run(*arguments, "apply", "--plan", "plan.json", "--yes", cwd=folder, **sandbox)
    assert applied.code == 0, applied.said
    for arn in sample:
        (change,) = pending[arn].values()
        assert tags(sandbox, arn) == before[arn] | change["to"], arn

    (undo,) = (folder / ".apportion" / "undo").glob("*.json")
    undone = program.run(*arguments, "undo", undo, "--yes", cwd=folder, **sandbox)
    assert undone.code == 0, undone.said
    assert {arn: tags(sandbox, arn) for arn in sample} == before


def test_a_key_that_is_activated_is_active_for_others(sandbox, folder):
    (folder / "keys.toml").write_text('[tags]\nactivate = ["team"]\n')
    billing = client(sandbox, "ce", PAYER, "us-east-1")

    def status():
        (tag,) = billing.list_cost_allocation_tags(TagKeys=["team"])["CostAllocationTags"]
        return tag["Status"]

    assert status() == "Inactive"
    arguments = "--now", imitation.NOW, "--config", "keys.toml", "tags", "apply", "--yes"
    applied = program.run(*arguments, cwd=folder, **sandbox)
    assert applied.code == 0, applied.said
    assert status() == "Active"
