"""Isolation policies in moto's IAM: somebody else's idea of policies, versions and attachments.

moto has domains, and neither user profiles nor spaces nor apps; it answers HTTP 500 to what it does not implement, which the
program takes for people that it could not read, and so leaves the domain alone. A proxy answers these lists as empty.
"""

import json

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

import imitation
import program
import recorder

ACCOUNT = "123456789012"
PATH = "/service-role/labs/"
NAMES = ["research", "vision"]
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "dummy", "AWS_REGION": "us-east-1"}
NOT_IN_MOTO = {
    "SageMaker.ListUserProfiles": {"UserProfiles": []},
    "SageMaker.ListSpaces": {"Spaces": []},
    "SageMaker.ListApps": {"Apps": []},
}
PREFIX = "StudioDomainResourceIsolationPolicy-"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


class Moto:
    """moto with two domains, each with an execution role of its own."""

    def __init__(self, server: str, address: str, folder):
        self.folder, self.address = folder, address
        requests.post(f"{server}/moto-api/reset", timeout=10).raise_for_status()
        self.iam, self.sagemaker = (
            boto3.client(
                name,
                endpoint_url=server,
                region_name="us-east-1",
                aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            )
            for name in ("iam", "sagemaker")
        )
        for name in NAMES:
            role = self.iam.create_role(RoleName=f"lab-{name}", Path=PATH, AssumeRolePolicyDocument=json.dumps(TRUST))
            self.sagemaker.create_domain(
                DomainName=name,
                AuthMode="IAM",
                VpcId="vpc-1",
                SubnetIds=["s-1"],
                DefaultUserSettings={"ExecutionRole": role["Role"]["Arn"]},
            )

    def isolate(self, *arguments: str) -> program.Result:
        call = ["--now", imitation.NOW, "isolate", *arguments, "--region", "us-east-1"]
        return program.run(*call, cwd=self.folder, AWS_ENDPOINT_URL=self.address, **CREDENTIALS)

    def exported(self, *arguments: str) -> dict[str, dict]:
        done = self.isolate("export", "--format", "json", *arguments)
        assert done.code == 0, done.said
        # What is said to people stands around it.
        return json.loads(done.said[done.said.index("{") : done.said.rindex("}") + 1])

    def read(self) -> dict[str, dict]:
        """The isolation policies by boto3, as `isolate export` shows them."""
        found = {}
        for policy in self.iam.list_policies(Scope="Local")["Policies"]:
            arn, version = policy["Arn"], policy["DefaultVersionId"]
            document = self.iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
            roles = self.iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]
            found[arn] = {"document": document, "roles": sorted(role["RoleName"] for role in roles)}
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
def moto(server, tmp_path):
    # What moto does not implement is tried again, which need not take long.
    (tmp_path / "apportion.toml").write_text("[aws]\nretry_backoff_ms_max = 20\n")
    with recorder.recording(server, "iam", NOT_IN_MOTO) as (address, _):
        yield Moto(server, address, tmp_path)


def test_policies_are_made_rewritten_and_taken_away(moto):
    forms = ["deny", "current", "earlier", "deny", "current", "earlier", "deny"]
    for number, form in enumerate(forms, 1):
        done = moto.isolate("apply", "--yes", "--form", form)
        assert done.code == 0, done.said
        found = moto.read()
        assert found == moto.exported("--form", form)
        assert {it["roles"][0] for it in found.values()} == {f"lab-{name}" for name in NAMES}
        for arn in found:
            versions = moto.iam.list_policy_versions(PolicyArn=arn)["Versions"]
            numbers = sorted(int(it["VersionId"].removeprefix("v")) for it in versions)
            assert numbers == list(range(max(1, number - 4), number + 1)), "five at most, the oldest goes"
            [default] = [it["VersionId"] for it in versions if it["IsDefaultVersion"]]
            assert default == f"v{number}"
    kept = moto.isolate("plan", "--check", "--form", "deny")
    assert (kept.code, "2 as they should be" in kept.said) == (0, True), kept.said
    pending = moto.isolate("plan", "--check", "--form", "current")
    assert (pending.code, "2 to update" in pending.said) == (3, True), pending.said

    # A domain goes; its policy stays until somebody asks to have it pruned.
    [gone] = [it["DomainId"] for it in moto.sagemaker.list_domains()["Domains"] if it["DomainName"] == "vision"]
    moto.sagemaker.delete_domain(DomainId=gone)
    assert moto.isolate("apply", "--yes", "--form", "deny").code == 0
    assert len(moto.read()) == 2
    pruned = moto.isolate("apply", "--yes", "--form", "deny", "--prune")
    assert pruned.code == 0, pruned.said
    [(arn, left)] = moto.read().items()
    assert left["roles"] == ["lab-research"] and not arn.endswith(gone)
    assert moto.iam.list_attached_role_policies(RoleName="lab-vision")["AttachedPolicies"] == []


def test_what_moto_does_not_implement_leaves_the_domain_alone(moto, server):
    """Without the proxy nobody knows which roles the people of a domain have, so nothing is changed."""
    moto.address = server
    done = moto.isolate("apply", "--yes")
    assert done.code == 5, done.said
    assert "ListUserProfiles" in done.said
    assert moto.read() == {}
