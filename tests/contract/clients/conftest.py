"""A running sandbox and clients of it, for every file of tests here."""

import json
import urllib.request

import boto3
import pytest
from botocore.config import Config

import imitation


@pytest.fixture(scope="module")
def sandbox():
    """The environment of a sandbox of the embedded organisation."""
    with imitation.running() as exported:
        yield exported


@pytest.fixture(scope="module")
def control(sandbox):
    """Moves the sandbox by its own paths."""

    def post(path, body):
        request = urllib.request.Request(
            f"{sandbox['AWS_ENDPOINT_URL']}/_sandbox/{path}", data=json.dumps(body).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    return post


@pytest.fixture(scope="module")
def client(sandbox):
    """Makes a client of a service, in a region."""

    def make(name, region=None):
        return boto3.client(
            name,
            endpoint_url=sandbox["AWS_ENDPOINT_URL"],
            region_name=region or sandbox["AWS_REGION"],
            aws_access_key_id=sandbox["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=sandbox["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"total_max_attempts": 1}),
        )

    return make


@pytest.fixture(scope="module")
def in_account(client):
    """Makes a client of a service in another account, by a role there."""

    def make(name, account, region):
        role = f"arn:aws:iam::{account}:role/apportion"
        assumed = client("sts").assume_role(RoleArn=role, RoleSessionName="contract")["Credentials"]
        meta = client("sts").meta
        return boto3.client(
            name,
            endpoint_url=meta.endpoint_url,
            region_name=region,
            aws_access_key_id=assumed["AccessKeyId"],
            aws_secret_access_key=assumed["SecretAccessKey"],
            aws_session_token=assumed["SessionToken"],
        )

    return make


def known_members(answer, shape, path=""):
    """Whether an answer on the wire has only members that the service's model knows."""
    if shape.type_name == "structure":
        assert isinstance(answer, dict), path
        for name, value in answer.items():
            assert name in shape.members, f"{path}.{name} is not in the model"
            # AWS writes a null token on the last page of tag keys.
            if value is None and name == "NextToken":
                continue
            known_members(value, shape.members[name], f"{path}.{name}")
        for name in shape.required_members:
            assert name in answer, f"{path}.{name} is required and not there"
    elif shape.type_name == "list":
        for value in answer:
            known_members(value, shape.member, f"{path}[]")
    elif shape.type_name == "map":
        for name, value in answer.items():
            known_members(value, shape.value, f"{path}.{name}")
    elif shape.type_name == "string":
        assert isinstance(answer, str), f"{path}: {answer!r}"
        assert not getattr(shape, "enum", None) or answer in shape.enum, f"{path}: {answer}"
    elif shape.type_name in ("integer", "long", "timestamp", "double", "float"):
        assert isinstance(answer, int | float) and not isinstance(answer, bool), path
    elif shape.type_name == "boolean":
        assert isinstance(answer, bool), path


@pytest.fixture
def strict():
    """Makes a client check what comes over the wire, before botocore drops what it does not know."""
    checked = []

    def check(client):
        original = client._make_request

        def make_request(model, request, context):
            http, parsed = original(model, request, context)
            if http.status_code == 200 and model.service_model.metadata["protocol"] == "json":
                known_members(json.loads(http.content), model.output_shape, model.name)
                checked.append(model.name)
            return http, parsed

        client._make_request = make_request
        return client

    yield check
    assert checked, "no answer was checked"
