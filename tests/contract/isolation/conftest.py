"""A sandbox through a proxy that keeps what IAM was asked, and the program beside it, for every file of tests here."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import pytest

import imitation
import program
import recorder

CONFIGURATION = """
[[account]]
id = "111122223333"

[[account]]
id = "444455556666"
role_arn = "arn:aws:iam::444455556666:role/apportion-reader"

[[account]]
id = "777788889999"
role_arn = "arn:aws:iam::777788889999:role/apportion-reader"
"""
REGIONS = ["--region", "us-east-1", "--region", "eu-west-1"]


@dataclass
class World:
    """A sandbox of the embedded organisation, and a folder with a configuration of it."""

    folder: Path
    variables: dict[str, str]
    # What was sent to IAM by the program, and by nobody else.
    sent: list[recorder.Sent] = field(default_factory=list)

    def isolate(self, command: str, *arguments: str) -> subprocess.CompletedProcess:
        """Runs a command of `isolate` on all domains."""
        return subprocess.run(
            [program.binary(), "--quiet", "--now", imitation.NOW, "isolate", command, *REGIONS, *arguments],
            cwd=self.folder,
            env=program.environment(**self.variables),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def exported(self, *arguments: str) -> dict[str, dict]:
        """The policies that there should be: documents and roles by ARN."""
        done = self.isolate("export", "--format", "json", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A sandbox in which nothing is isolated yet."""
    folder = tmp_path_factory.mktemp("isolation")
    (folder / "apportion.toml").write_text(CONFIGURATION)
    with imitation.running() as variables:
        with recorder.recording(variables["AWS_ENDPOINT_URL"], "iam") as (address, sent):
            yield World(folder, variables | {"AWS_ENDPOINT_URL": address}, sent)


@pytest.fixture(scope="module")
def iam(world) -> Callable:
    """Makes a client of IAM in an account; it does not go through the proxy's list of the program."""

    def make(account: str):
        return boto3.client(
            "iam",
            endpoint_url=world.variables["AWS_ENDPOINT_URL"],
            region_name="us-east-1",
            aws_access_key_id=f"AKIASANDBOX{account}",
            aws_secret_access_key="sandbox",
        )

    return make
