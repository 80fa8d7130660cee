"""Exported isolation policies: cfn-lint reads the template, and every format has the same documents and roles."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ACCOUNTS = ("444455556666", "777788889999")
WISHES = {
    "deny": ["--form", "deny"],
    "untagged": ["--form", "deny", "--untagged", "deny"],
    "current": ["--form", "current"],
    "earlier": ["--form", "earlier"],
}


def lint(path: Path) -> list[dict]:
    """What cfn-lint finds, down to information."""
    tool = Path(sys.executable).parent / "cfn-lint"
    done = subprocess.run(
        [tool, "--format", "json", "--include-checks", "I", "--regions", "us-east-1", "--", path],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return json.loads(done.stdout)


def of(account: str, policies: dict[str, dict]) -> dict[str, dict]:
    """Policies of an account, by name."""
    return {arn.rsplit("/", 1)[-1]: it for arn, it in policies.items() if arn.split(":")[4] == account}


# Every form, and every account.
@pytest.mark.parametrize(("account", "wish"), [*((ACCOUNTS[0], wish) for wish in WISHES), (ACCOUNTS[1], "deny")])
def test_the_template_has_no_finding_and_says_the_same(world, tmp_path, account, wish):
    done = world.isolate("export", "--format", "cloudformation", "--account", account, *WISHES[wish])
    assert done.returncode == 0, done.stderr
    (tmp_path / "template.json").write_text(done.stdout)
    assert lint(tmp_path / "template.json") == []
    found = {}
    for resource in json.loads(done.stdout)["Resources"].values():
        assert resource["Type"] == "AWS::IAM::ManagedPolicy"
        said = resource["Properties"]
        found[said["ManagedPolicyName"]] = {"document": said["PolicyDocument"], "roles": said["Roles"]}
    assert found and found == of(account, world.exported(*WISHES[wish]))


@pytest.mark.parametrize("wish", WISHES)
def test_terraform_says_the_same(world, wish):
    wanted = world.exported(*WISHES[wish])
    for account in ACCOUNTS:
        done = world.isolate("export", "--format", "terraform", "--account", account, *WISHES[wish])
        assert done.returncode == 0, done.stderr
        resources = json.loads(done.stdout)["resource"]
        assert resources.keys() == {"aws_iam_policy", "aws_iam_role_policy_attachment"}
        policies = resources["aws_iam_policy"]
        # Terraform takes `$${` for `${` (Terraform documentation, "Strings and Templates").
        found = {
            said["name"]: {"document": json.loads(said["policy"].replace("$${", "${")), "roles": []} for said in policies.values()
        }
        for said in resources["aws_iam_role_policy_attachment"].values():
            # The attachment refers to the policy of the same file.
            label = said["policy_arn"].removeprefix("${aws_iam_policy.").removesuffix(".arn}")
            found[policies[label]["name"]]["roles"].append(said["role"])
        assert found and found == of(account, wanted)


def test_a_finding_is_found(tmp_path):
    broken = {"Statement": [{"Effect": "Perhaps", "Action": "*", "Resource": "*"}]}
    resource = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": broken}}
    (tmp_path / "template.json").write_text(json.dumps({"Resources": {"P": resource}}))
    assert lint(tmp_path / "template.json")
