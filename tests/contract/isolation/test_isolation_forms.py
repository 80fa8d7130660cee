"""Generated isolation policies, alone and beside AWS's full grant, decided by the program and by another evaluator."""

import json
from collections import Counter

import pytest

import acts
import program
from acts import Case

FULL = program.ROOT / "src" / "sandbox" / "iam" / "AmazonSageMakerFullAccess.json"
TAG = "sagemaker:domain-arn"
WISHES = {
    "deny": ["--form", "deny"],
    "untagged": ["--form", "deny", "--untagged", "deny"],
    "current": ["--form", "current"],
    "earlier": ["--form", "earlier"],
}
# What is done to things that bear tags, and which types of things they are.
TAGGED = [
    ("DescribeModel", "model/m"),
    ("DeleteModel", "model/m"),
    ("InvokeEndpoint", "endpoint/e"),
    ("UpdateEndpoint", "endpoint/e"),
    ("StopTrainingJob", "training-job/t"),
    ("DescribeTrainingJob", "training-job/t"),
    ("StartPipelineExecution", "pipeline/p"),
    ("DescribePipelineExecution", "pipeline/p/execution/x"),
    ("CreatePresignedNotebookInstanceUrl", "notebook-instance/n"),
    ("PutRecord", "feature-group/f"),
    ("BatchGetRecord", "feature-group/f"),
    ("ListTags", "model/m"),
    ("QueryLineage", "artifact/a"),
]
IDENTITIES = [
    ("DescribeDomain", "domain/{id}"),
    ("UpdateDomain", "domain/{id}"),
    ("CreatePresignedDomainUrl", "user-profile/{id}/ana"),
    ("CreateApp", "app/{id}/ana/jupyterlab/default"),
    ("DeleteApp", "app/{id}/ana/jupyterserver/default"),
    ("DeleteSpace", "space/{id}/s"),
    ("StartSession", "space/{id}/s"),
]
CREATED = [
    ("CreateModel", "model/new"),
    ("CreateTrainingJob", "training-job/new"),
    ("CreateEndpoint", "endpoint/new"),
    ("CreateSpace", "space/{id}/new"),
    ("RegisterDevices", "device-fleet/f/device/d"),
]
LISTED = ["ListModels", "ListEndpoints", "ListSpaces", "Search"]


def cases_of(domain: str, other: str, policies: list[dict]) -> list[Case]:
    """Acts on what is the domain's own, another's, or nobody's."""
    *start, own_id = domain.split("/")
    base = start[0].removesuffix(":domain")
    found = []

    def act(action, resource, **context):
        found.append(Case(action, policies, f"sagemaker:{action}", f"{base}:{resource}", context))

    for action, resource in TAGGED:
        for value in (domain, other, "", None):
            context = {f"aws:ResourceTag/{TAG}": [value]} if value is not None else {}
            act(action, resource, **context)
            act(action, resource, **context, **{"aws:RequestTag/other": ["x"], "aws:TagKeys": ["other"]})
    for action, resource in IDENTITIES:
        for identity in (own_id, other.split("/")[-1]):
            for value in (domain, other, None):
                context = {f"aws:ResourceTag/{TAG}": [value]} if value else {}
                owner = f"{base}:user-profile/{own_id}/ana"
                act(action, resource.format(id=identity), **context)
                act(action, resource.format(id=identity), **context, **{"sagemaker:OwnerUserProfileArn": [owner]})
    for action, resource in CREATED:
        for value in (domain, other, None):
            context = {f"aws:RequestTag/{TAG}": [value], "aws:TagKeys": [TAG]} if value else {}
            act(action, resource.format(id=own_id), **context)
            act(action, resource.format(id=own_id), **context, **{f"aws:ResourceTag/{TAG}": [value or domain]})
    for action in ("AddTags", "DeleteTags"):
        for keys in ([TAG], ["Sagemaker:Domain-ARN"], ["team"], ["team", TAG]):
            for making in (None, "CreateModel", "AddTags", "RegisterModel"):
                for value in (domain, other, None):
                    context = {"aws:TagKeys": keys} | ({"sagemaker:TaggingAction": [making]} if making else {})
                    context |= {f"aws:ResourceTag/{TAG}": [value]} if value else {}
                    context |= {f"aws:RequestTag/{TAG}": [domain]} if TAG in keys and action == "AddTags" else {}
                    act(action, "model/m", **context)
    found += [Case(action, policies, f"sagemaker:{action}", "*") for action in LISTED]
    return found


@pytest.mark.parametrize("wish", WISHES)
def test_both_evaluators_decide_alike(world, tmp_path, wish):
    exported = world.exported(*WISHES[wish])
    full = json.loads(FULL.read_text())
    [first, second, *_] = sorted(exported)
    parts = {arn: (arn.split(":")[4], arn.split("Policy-")[1]) for arn in (first, second)}
    domains = {arn: f"arn:aws:sagemaker:us-east-1:{account}:domain/{own}" for arn, (account, own) in parts.items()}
    cases = []
    for policies in ([exported[first]["document"]], [full, exported[first]["document"]]):
        cases += cases_of(domains[first], domains[second], policies)
    assert len(cases) > 500
    ours, theirs = acts.by_the_program(cases, tmp_path), acts.by_the_oracle(cases)
    wrong = [
        f"ours {own}, theirs {other}: {case.name} {case.resource} {case.context} {len(case.policies)}"
        for case, own, other in zip(cases, ours, theirs, strict=True)
        if own != other
    ]
    assert wrong == [], f"{len(wrong)} of {len(cases)}"
    assert set(theirs) == acts.WORDS, Counter(theirs)
