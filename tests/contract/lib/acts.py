"""Acts decided under policies: by the program, and by somebody else's evaluator."""

import json
import subprocess
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import oracle
import program

WORDS = {"allowed", "explicitly_denied", "implicitly_denied"}
# What has many values even when it has one; all other keys have one (IAM User Guide, "Single-valued vs.
# multivalued context keys").
MANY = ("aws:tagkeys", "sagemaker:instancetypes", "example:many")


@dataclass
class Case:
    """An act under policies."""

    name: str
    policies: list[dict]
    action: str
    resource: str
    context: dict[str, list[str]] = field(default_factory=dict)
    boundary: dict | None = None

    def told(self) -> str:
        """All of the case, for who looks for the cause."""
        return json.dumps(self.__dict__)


def document(*statements: dict, version: str | None = "2012-10-17") -> dict:
    """A policy of some statements."""
    return ({"Version": version} if version else {}) | {"Statement": list(statements)}


def by_the_oracle(cases: list[Case]) -> list[str]:
    """The decisions of the other evaluator, in order; one process decides all."""

    def plain(key, values):
        return values if key.lower() in MANY or len(values) != 1 else values[0]

    asked = [
        {
            "policies": case.policies,
            "boundary": case.boundary,
            "action": case.action,
            "resource": case.resource,
            "context": {key: plain(key, values) for key, values in case.context.items()},
        }
        for case in cases
    ]
    return oracle.run("decide.mjs", asked)


def by_the_program(cases: list[Case], folder: Path) -> list[str]:
    """The decisions of `isolate simulate`, in order; one process decides all that is under the same policies."""
    groups = defaultdict(list)
    for index, case in enumerate(cases):
        groups[json.dumps([case.policies, case.boundary])].append(index)

    def decide(group: tuple[int, tuple[str, list[int]]]) -> list[tuple[int, str]]:
        number, (key, indices) = group
        policies, boundary = json.loads(key)
        home = folder / f"group-{number}"
        home.mkdir()
        arguments = []
        for index, policy in enumerate(policies):
            (home / f"{index}.json").write_text(json.dumps(policy))
            arguments += ["--policy", f"{index}.json"]
        if boundary:
            (home / "boundary.json").write_text(json.dumps(boundary))
            arguments += ["--boundary", "boundary.json"]
        acts = [{"action": it.action, "resource": it.resource, "context": it.context} for it in (cases[i] for i in indices)]
        (home / "acts.json").write_text(json.dumps(acts))
        done = subprocess.run(
            [program.binary(), "isolate", "simulate", *arguments, "--acts", "acts.json"],
            cwd=home,
            env=program.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{done.stderr}\n{cases[indices[0]].told()}"
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(found) == len(indices)
        for index, it in zip(indices, found):
            assert (it["action"], it["resource"]) == (cases[index].action, cases[index].resource)
        return [(index, it["decision"]) for index, it in zip(indices, found)]

    with ThreadPoolExecutor(2) as pool:
        decided = dict(pair for pairs in pool.map(decide, enumerate(groups.items())) for pair in pairs)
    return [decided[index] for index in range(len(cases))]
