"""SageMaker's actions and types of resources as the program has them, beside somebody else's copy of AWS's reference."""

import csv
import re

import pytest

import oracle
import program

SOURCE = program.ROOT / "src"


def rows(name: str) -> list[dict[str, str]]:
    with (SOURCE / name).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def reference() -> dict:
    return oracle.run("reference.mjs")


def bears_tags(condition_keys: list[str]) -> bool:
    return any(key.startswith("aws:ResourceTag/") for key in condition_keys)


def differing(ours: dict, theirs: dict) -> dict[str, tuple]:
    """The rows that are not the same, by name, with what each side says."""
    pairs = {name: (ours.get(name), theirs.get(name)) for name in ours.keys() | theirs.keys()}
    return {name: (own, other) for name, (own, other) in pairs.items() if own != other}


def test_types_have_the_same_arns_and_tags(reference):
    ours = {row["type"]: (row["arn"], row["has_resource_tag"]) for row in rows("authorization_types.csv")}
    theirs = {}
    for it in reference["types"]:
        tail = it["arn"].split(":", 5)[5]
        theirs[it["key"]] = (re.sub(r"\$\{[^}]*\}", "*", tail), "yes" if bears_tags(it.get("conditionKeys", [])) else "no")
    assert len(ours) == 73
    assert differing(ours, theirs) == {}


def test_actions_have_the_same_types_and_tags(reference):
    taggable = {row["type"] for row in rows("authorization_types.csv") if row["takes_tags"] == "yes"}
    ours, theirs = {}, {}
    for row in rows("authorization_actions.csv"):
        listed = {it.rstrip("?") for it in row["types"].split()}
        types = listed - {"@taggable"} | (taggable if "@taggable" in listed else set())
        ours[row["action"]] = (sorted(types), row["takes_request_tags"])
    for it in reference["actions"]:
        types = sorted(kind["name"] for kind in it["resourceTypes"])
        keys = it["conditionKeys"] + [key for kind in it["resourceTypes"] for key in kind["conditionKeys"]]
        takes = any(key.startswith("aws:RequestTag/") for key in keys)
        theirs[it["name"]] = (types, "yes" if takes else "no")
    assert len(ours) == 449
    assert differing(ours, theirs) == {}


def test_a_mark_stands_where_a_type_may_be_left_out(reference):
    """Beside a type that must be there; of several that need not, AWS wants one."""
    actions = {it["name"]: it for it in reference["actions"]}
    marked = {row["action"]: row["types"].split() for row in rows("authorization_actions.csv") if "?" in row["types"]}
    assert marked
    for name, types in marked.items():
        required = {kind["name"] for kind in actions[name]["resourceTypes"] if kind["required"]}
        assert {it for it in types if not it.endswith("?")} == required, name
