"""IAM by boto3: policies go there and come back, versions rotate, and what is refused has the exception of the model."""

import json
import re
import urllib.parse
import urllib.request

import pytest
from botocore.exceptions import ClientError

MEMBER, REGION = "444455556666", "us-east-1"
FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
ROLE = "SageMaker-research"


def document(action="sagemaker:Describe*"):
    return {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "One", "Effect": "Allow", "Action": [action], "Resource": "*"}],
    }


@pytest.fixture
def iam(in_account):
    return in_account("iam", MEMBER, REGION)


@pytest.fixture
def made(iam):
    """Makes policies that are gone after the test, with all their versions."""
    arns = []

    def make(name, **more):
        policy = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document()), **more)["Policy"]
        arns.append(policy["Arn"])
        return policy

    yield make
    for arn in arns:
        for role in iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]:
            iam.detach_role_policy(RoleName=role["RoleName"], PolicyArn=arn)
        for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        iam.delete_policy(PolicyArn=arn)


@pytest.fixture
def changes(sandbox):
    """Reads what was changed in IAM."""

    def read():
        address = f"{sandbox['AWS_ENDPOINT_URL']}/_sandbox/iam-changes"
        with urllib.request.urlopen(address, timeout=20) as answer:
            return json.load(answer)["changes"]

    return read


@pytest.fixture
def bodies(iam):
    """The raw bodies of answers, as they come over the wire."""
    seen = []
    original = iam._make_request

    def make_request(model, request, context):
        http, parsed = original(model, request, context)
        seen.append(http.content.decode())
        return http, parsed

    iam._make_request = make_request
    return seen


def refusal(error, call, **arguments):
    with pytest.raises(error) as refused:
        call(**arguments)
    return refused.value.response


def test_a_policy_goes_there_and_comes_back(iam, made, bodies, changes):
    before = len(changes())
    made_ = made("round-trip", Path="/apportion/", Description="a & <b>", Tags=[{"Key": "k", "Value": "v w"}])
    assert made_["Arn"] == f"arn:aws:iam::{MEMBER}:policy/apportion/round-trip"
    assert re.fullmatch(r"ANPA[A-Z2-7]{17}", made_["PolicyId"])
    shown = iam.get_policy(PolicyArn=made_["Arn"])["Policy"]
    assert shown["Description"] == "a & <b>" and shown["Tags"] == [{"Key": "k", "Value": "v w"}]
    assert (shown["DefaultVersionId"], shown["AttachmentCount"], shown["IsAttachable"]) == ("v1", 0, True)
    assert shown["CreateDate"].isoformat() == "2026-11-20T08:00:00+00:00" == shown["UpdateDate"].isoformat()
    bodies.clear()
    version = iam.get_policy_version(PolicyArn=made_["Arn"], VersionId="v1")["PolicyVersion"]
    assert version["Document"] == document(), "boto3 decodes it"
    [raw] = re.findall(r"<Document>(.*)</Document>", bodies[0])
    assert re.fullmatch(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+", raw), "RFC 3986"
    assert urllib.parse.unquote(raw) == json.dumps(document())
    [created] = changes()[before:]
    assert (created["operation"], created["policy"], created["role"]) == ("CreatePolicy", made_["Arn"], None)
    assert json.loads(created["body"]["PolicyDocument"]) == document()


def test_versions_rotate_at_five(iam, made):
    arn = made("rotating")["Arn"]

    def add(action):
        return iam.create_policy_version(
            PolicyArn=arn, PolicyDocument=json.dumps(document(action)), SetAsDefault=True
        )["PolicyVersion"]

    for number in range(2, 6):
        version = add(f"s3:Get{number}")
        assert (version["VersionId"], version["IsDefaultVersion"]) == (f"v{number}", True)
        assert "Document" not in version
    response = refusal(iam.exceptions.LimitExceededException, add, action="s3:Get6")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 409
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [it["VersionId"] for it in versions] == ["v5", "v4", "v3", "v2", "v1"]
    oldest = [it["VersionId"] for it in versions if not it["IsDefaultVersion"]][-1]
    iam.delete_policy_version(PolicyArn=arn, VersionId=oldest)
    assert add("s3:Get6")["VersionId"] == "v6"
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v6"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v4")
    read = iam.get_policy_version(PolicyArn=arn, VersionId="v4")["PolicyVersion"]
    assert read["IsDefaultVersion"] and read["Document"] == document("s3:Get4")
    conflict = iam.exceptions.DeleteConflictException
    refusal(conflict, iam.delete_policy_version, PolicyArn=arn, VersionId="v4")
    refusal(conflict, iam.delete_policy, PolicyArn=arn)


def test_a_policy_is_attached_and_detached(iam, made, changes):
    arn = made("attached")["Arn"]
    before = len(changes())

    def attached():
        pages = iam.get_paginator("list_attached_role_policies").paginate(RoleName=ROLE)
        return {it["PolicyArn"] for page in pages for it in page["AttachedPolicies"]}

    assert attached() == {FULL_ACCESS}
    for _ in range(2):
        iam.attach_role_policy(RoleName=ROLE, PolicyArn=arn)
    assert attached() == {FULL_ACCESS, arn}
    entities = iam.list_entities_for_policy(PolicyArn=arn, EntityFilter="Role")
    assert [it["RoleName"] for it in entities["PolicyRoles"]] == [ROLE]
    assert entities["PolicyUsers"] == entities["PolicyGroups"] == []
    refusal(iam.exceptions.DeleteConflictException, iam.delete_policy, PolicyArn=arn)
    iam.detach_role_policy(RoleName=ROLE, PolicyArn=arn)
    refusal(iam.exceptions.NoSuchEntityException, iam.detach_role_policy, RoleName=ROLE, PolicyArn=arn)
    assert attached() == {FULL_ACCESS}
    assert [(it["operation"], it["role"]) for it in changes()[before:]] == [
        ("AttachRolePolicy", ROLE),
        ("DetachRolePolicy", ROLE),
    ]


def test_roles_are_those_of_the_domains(in_account):
    found = {}
    for account, region in [(MEMBER, "us-east-1"), ("777788889999", "eu-west-1")]:
        iam, sagemaker = in_account("iam", account, region), in_account("sagemaker", account, region)
        known = {role["Arn"]: role for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]}
        for domain in sagemaker.list_domains()["Domains"]:
            settings = sagemaker.describe_domain(DomainId=domain["DomainId"])["DefaultUserSettings"]
            listed = known[settings["ExecutionRole"]]
            assert listed["Path"] == "/service-role/"
            name = listed["RoleName"]
            role = iam.get_role(RoleName=name)["Role"]
            assert role["Arn"] == listed["Arn"]
            [trust] = role["AssumeRolePolicyDocument"]["Statement"]
            assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
            inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
            documents = [iam.get_role_policy(RoleName=name, PolicyName=it)["PolicyDocument"] for it in inline]
            assert all(it["Version"] == "2012-10-17" for it in documents)
            attached = {
                it["PolicyName"] for it in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
            }
            found[name] = (attached, inline, role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"))
    full = "AmazonSageMakerFullAccess"
    boundary = "arn:aws:iam::777788889999:policy/boundaries/DeveloperBoundary"
    assert found == {
        "SageMaker-research": ({full}, [], None),
        "SageMaker-vision": ({full, "SageMaker-vision-data"}, [], None),
        "SageMaker-risk": (set(), ["TrainingOnly"], None),
        "SageMaker-marketing": ({full}, [], boundary),
        "SageMaker-platform": ({full}, [], None),
    }


def test_lists_come_in_pages(iam, made, control):
    names = [f"page-{number}" for number in range(5)]
    for name in names:
        made(name, Path="/pages/")
    variants = control("variants", {})
    try:
        for items, configuration in [(100, {"PageSize": 2}), (2, {}), (100, {})]:
            control("variants", {"iam_page_items": items})
            pages = list(
                iam.get_paginator("list_policies").paginate(PathPrefix="/pages/", PaginationConfig=configuration)
            )
            assert len(pages) == (1 if items == 100 and not configuration else 3)
            assert [it["PolicyName"] for page in pages for it in page["Policies"]] == names
        control("variants", {"iam_page_items": 1})
        for operation, key, arguments in [
            ("list_policy_versions", "Versions", {"PolicyArn": FULL_ACCESS}),
            ("list_entities_for_policy", "PolicyRoles", {"PolicyArn": FULL_ACCESS}),
            ("list_attached_role_policies", "AttachedPolicies", {"RoleName": "SageMaker-vision"}),
            ("list_roles", "Roles", {}),
            ("list_policies", "Policies", {"Scope": "AWS"}),
        ]:
            pages = list(iam.get_paginator(operation).paginate(**arguments))
            assert all(len(page[key]) == 1 for page in pages), operation
            assert len(pages) > 1 or operation == "list_policy_versions", operation
    finally:
        control("variants", variants)
    scopes = {scope: iam.list_policies(Scope=scope)["Policies"] for scope in ("All", "AWS", "Local")}
    assert len(scopes["All"]) == len(scopes["AWS"]) + len(scopes["Local"])
    assert FULL_ACCESS in {it["Arn"] for it in iam.list_policies(Scope="AWS", OnlyAttached=True)["Policies"]}


def test_refusals_are_exceptions_of_the_model(iam, made):
    arn = made("Own")["Arn"]
    good = json.dumps(document())
    exceptions = iam.exceptions
    lost = document() | {"Statement": [document()["Statement"][0] | {"Resource": f"arn:aws:iam:{MEMBER}:policy/x"}]}
    for error, call, arguments in [
        (exceptions.EntityAlreadyExistsException, iam.create_policy, {"PolicyName": "OWN", "PolicyDocument": good}),
        (
            exceptions.MalformedPolicyDocumentException,
            iam.create_policy,
            {"PolicyName": "lost", "PolicyDocument": json.dumps(lost)},
        ),
        (
            exceptions.MalformedPolicyDocumentException,
            iam.create_policy_version,
            {"PolicyArn": arn, "PolicyDocument": good.replace('"Effect"', '"Effect": "Deny", "Effect"')},
        ),
        (
            exceptions.LimitExceededException,
            iam.create_policy,
            {"PolicyName": "large", "PolicyDocument": json.dumps(document("s3:" + "a" * 6144))},
        ),
        (exceptions.NoSuchEntityException, iam.get_role, {"RoleName": "nobody"}),
        (exceptions.NoSuchEntityException, iam.get_policy, {"PolicyArn": arn + "-other"}),
        (exceptions.InvalidInputException, iam.get_policy, {"PolicyArn": f"arn:aws:iam:{MEMBER}:policy/Own"}),
    ]:
        assert refusal(error, call, **arguments)["Error"]["Message"]
    for code, status, call, arguments in [
        ("AccessDenied", 403, iam.delete_policy, {"PolicyArn": FULL_ACCESS}),
        ("ValidationError", 400, iam.create_policy, {"PolicyName": "a b", "PolicyDocument": good}),
    ]:
        response = refusal(ClientError, call, **arguments)
        assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)


def test_denials_and_throttles_have_the_codes_of_iam(iam, control):
    try:
        control("faults", {"denied": [{"service": "iam", "operation": "GetRole"}]})
        response = refusal(ClientError, iam.get_role, RoleName=ROLE)
        assert response["Error"]["Code"] == "AccessDenied"
        assert response["Error"]["Message"].endswith(f"iam:GetRole on resource: role {ROLE}")
        iam.list_roles()
        # boto3 takes it for throttling, and tries again.
        control("faults", {"services": ["iam"], "throttle_next": 1})
        assert iam.get_role(RoleName=ROLE)["ResponseMetadata"]["RetryAttempts"] == 1
    finally:
        control("faults", {})
