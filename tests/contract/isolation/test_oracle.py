"""`isolate simulate` beside another evaluator of IAM policies, by cases that somebody thought of and by drawn ones."""

import json
import random
import re
from collections import Counter

import pytest

import acts
from acts import Case, document

ARN = "arn:aws:sagemaker:eu-west-1:111122223333"
MODEL = f"{ARN}:model/m1"
TAG = "aws:ResourceTag/sagemaker:domain-arn"
OWN, OTHER = f"{ARN}:domain/d-own", f"{ARN}:domain/d-other"
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def allow(**more) -> dict:
    return ALL | more


def deny(**more) -> dict:
    return allow(Effect="Deny", **more)


# What is asked of every operator: values of the policy, and those of the request, absent and many among them.
ASKED = {
    "String": ("example:text", [["a"], ["a", "b"], ["A*"], ["a?c*"], [""]], [None, ["a"], ["A"], ["abc"], ["A*"], ["axcd"], ["a*"]]),
    "Numeric": ("example:number", [["5"], ["5.0", "7"], ["-3"]], [None, ["5"], ["05"], ["5.00"], ["4.999"], ["-3.5"], ["10"]]),
    "Date": (
        "aws:CurrentTime",
        [["2026-11-20T08:00:00Z"], ["2026-11-20"], ["2026-11-20T09:00:00+01:00", "2027-01-01T00:00:00Z"]],
        [None, ["2026-11-20T08:00:00Z"], ["2026-11-20T00:00:00Z"], ["2026-12-01T00:00:00Z"], ["2025-01-01T00:00:00.5Z"]],
    ),
    "Bool": ("aws:SecureTransport", [["true"], ["false"], ["true", "false"], ["True"]], [None, ["true"], ["false"], ["TRUE"]]),
    "Ip": (
        "aws:SourceIp",
        [["10.0.0.0/8"], ["10.1.2.3"], ["10.0.0.0/9", "192.168.0.0/16"], ["0.0.0.0/0"], ["2001:db8::/32"]],
        [None, ["10.1.2.3"], ["10.200.0.1"], ["192.168.7.7"], ["2001:db8::1"], ["2001:db9::1"]],
    ),
    "Arn": (
        "aws:SourceArn",
        [[MODEL], [f"{ARN}:model/*"], ["arn:aws:sagemaker:*:*:*/m1"], ["arn:aws:s3:::b/*", f"{ARN}:model/m?"], ["arn:*:*:*:*:*"]],
        [None, [MODEL], [f"{ARN}:model/m1:x"], ["arn:aws:s3:::b/k"], [f"{ARN}:Model/m1"], ["arn:aws-cn:sagemaker:eu-west-1:111122223333:model/m1"]],
    ),
    "Binary": ("example:text", [["QmluYXJ5"]], [None, ["QmluYXJ5"], ["qmluyxj5"]]),
}
OPERATORS = {
    "String": [f"String{it}" for it in ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike")],
    "Numeric": [f"Numeric{it}" for it in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")],
    "Date": [f"Date{it}" for it in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")],
    "Bool": ["Bool"],
    "Ip": ["IpAddress", "NotIpAddress"],
    "Arn": ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
    "Binary": ["BinaryEquals"],
}


def of_operators() -> list[Case]:
    """Every operator, with and without `IfExists`, on every pair of values."""
    found = []
    for family, (key, wanted, given) in ASKED.items():
        for operator in OPERATORS[family]:
            for name in (operator, f"{operator}IfExists", operator.lower()):
                for values in wanted:
                    policy = document(allow(Condition={name: {key: values}}))
                    for value in given:
                        context = {} if value is None else {key: value}
                        found.append(Case(f"{name} {values} {value}", [policy], "sagemaker:DescribeModel", MODEL, context))
    return found


def of_quantities() -> list[Case]:
    """All values of a key, any of them, or whether it is there at all."""
    found = []
    given = [None, ["a"], ["b"], ["a", "b"], ["a", "c"], ["x"], ["x", "y"], [""], ["Ab"]]
    for quantity in ("ForAllValues", "ForAnyValue", "forallvalues"):
        for operator in OPERATORS["String"]:
            for key in ("aws:TagKeys", "AWS:tagkeys", "example:text"):
                for values in (["a"], ["a", "b"], ["a*"]):
                    policy = document(allow(Condition={f"{quantity}:{operator}": {key: values}}))
                    for value in given:
                        context = {} if value is None else {"aws:TagKeys" if key != "example:text" else key: value}
                        found.append(Case(f"{quantity}:{operator}", [policy], "sagemaker:AddTags", MODEL, context))
    for values in ("true", "false", True, False, ["true", "false"], "TRUE"):
        for key in ("aws:TagKeys", TAG):
            policy = document(allow(Condition={"Null": {key: values}}))
            for context in ({}, {"aws:TagKeys": ["a"]}, {TAG: [OWN]}, {TAG.lower(): [OWN]}, {TAG: [""]}):
                found.append(Case(f"Null {values}", [policy], "sagemaker:AddTags", MODEL, context))
    return found


def of_elements() -> list[Case]:
    """Actions, resources and their opposites, in upper and lower case, with wildcards in every part."""
    found = []
    choices = ["*", "sagemaker:*", "SageMaker:describe*", "sagemaker:Describe?odel", "sagemaker:DescribeModel", "s3:*"]
    choices += ["sagemaker:*Model", "sagemaker:Des*be*", ["s3:*", "sagemaker:DescribeModel"], ["sagemaker:List*", "iam:*"]]
    resources = ["*", MODEL, f"{ARN}:model/*", f"{ARN}:*", "arn:aws:sagemaker:*:*:model/m1", "arn:aws:sagemaker:*:111122223333:*/m1"]
    resources += ["arn:aws:s3:::b/*", "arn:aws:*:*:*:*", f"{ARN}:model/m?", f"{ARN}:model/M1", f"{ARN}:model", f"{ARN}:space/d/*"]
    resources += [["arn:aws:s3:::b", MODEL], ["arn:aws:s3:::b", f"{ARN}:domain/*"], f"{ARN}:mo*", "arn:aws-cn:sagemaker:*:*:*"]
    asked = [("sagemaker:DescribeModel", MODEL), ("sagemaker:ListSpaces", f"{ARN}:space/d/s:x"), ("s3:GetObject", "arn:aws:s3:::b/k/l")]
    for kind in ("Action", "NotAction"):
        for other in ("Resource", "NotResource"):
            # Every one of each with some of the others.
            pairs = [(it, resource) for it in choices for resource in resources[1:4]]
            pairs += [(it, resource) for it in choices[2:9:3] for resource in resources]
            for choice, resource in pairs:
                for effect in ("Allow", "Deny"):
                    statement = {"Effect": effect, kind: choice, other: resource}
                    policies = [document(statement, *([ALL] if effect == "Deny" else []))]
                    found += [Case(f"{kind} {other}", policies, action, on) for action, on in asked]
    return found


def of_variables() -> list[Case]:
    """Variables in conditions and in resources: present, absent, with a default, and escaped signs."""
    found = []
    contexts = [{}, {"example:text": ["a"]}, {"example:text": ["*"]}, {"example:text": ["a"], "example:id": ["a"]}]
    contexts += [{"example:text": ["x-a"], "example:id": ["a"]}, {"example:text": ["${"]}, {"example:text": ["*/?/$"]}]
    contexts += [{"example:text": ["m1"], "example:id": ["m1"]}, {"example:text": ["d"], "example:id": ["*"]}]
    values = ["${example:id}", "x-${example:id}", "${EXAMPLE:ID}", "${example:id, 'd'}", "${example:none, 'a'}", "${*}", "${*}/${?}/${$}"]
    values += ["${example:id}*", "${example:text}", "${", "a${example:id", "${example:none, 'x*'}"]
    for operator in ("StringEquals", "StringLike", "StringEqualsIgnoreCase", "StringNotEquals", "StringNotLike"):
        for value in values:
            policy = document(allow(Condition={operator: {"example:text": value}}))
            found += [Case(f"{operator} {value}", [policy], "sagemaker:DescribeModel", MODEL, it) for it in contexts]
    for value in values[:7]:
        for kind in ("Resource", "NotResource"):
            policy = document({"Effect": "Allow", "Action": "*", kind: f"{ARN}:model/{value}"})
            found += [Case(f"{kind} {value}", [policy], "sagemaker:DescribeModel", MODEL, it) for it in contexts]
    for value in ("${example:id}", "${example:id, '111122223333'}"):
        policy = document(allow(Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:sagemaker:*:{value}:model/*"}}))
        for account in ("111122223333", "444455556666"):
            context = {"aws:SourceArn": [MODEL], "example:id": [account]}
            found.append(Case(f"ArnLike {value}", [policy], "sagemaker:DescribeModel", MODEL, context))
    return found


def of_several() -> list[Case]:
    """Statements, policies and boundaries beside each other."""
    found = []
    models = allow(Action="sagemaker:*Model*")
    own = allow(Condition={"StringEquals": {TAG: OWN}})
    not_own = deny(Condition={"StringNotEquals": {TAG: OWN}})
    # Both must hold: the tag is there, and it is another domain's.
    foreign = deny(Condition={"StringNotEquals": {TAG: OWN}, "Null": {TAG: "false"}})
    parts = [[], [ALL], [models], [own], [not_own], [foreign], [ALL, not_own], [ALL, foreign], [models, deny(Action="sagemaker:Delete*")]]
    for first in parts:
        for second in [None, *parts]:
            for form in ("policies", "boundary"):
                if second is None and form == "boundary":
                    continue
                policies = [document(*first)] + ([document(*second)] if second is not None and form == "policies" else [])
                boundary = document(*second) if form == "boundary" else None
                for action in ("sagemaker:DescribeModel", "sagemaker:DeleteModel", "s3:GetObject"):
                    for tag in (None, OWN, OTHER):
                        context = {TAG: [tag]} if tag else {}
                        found.append(Case(f"{form}", policies, action, MODEL, context, boundary))
    return found


def of_no_resource() -> list[Case]:
    """Actions that no resource limits, whose resource is `*`."""
    found = []
    for kind in ("Resource", "NotResource"):
        for resource in ("*", f"{ARN}:*", "arn:*:*:*:*:*", [MODEL, "*"], MODEL):
            for effect in ("Allow", "Deny"):
                for condition in ({}, {"Bool": {"aws:SecureTransport": "true"}}):
                    statement = {"Effect": effect, "Action": "sagemaker:List*", kind: resource}
                    statement |= {"Condition": condition} if condition else {}
                    policies = [document(statement, *([ALL] if effect == "Deny" else []))]
                    for context in ({}, {"aws:SecureTransport": ["true"]}):
                        found.append(Case(f"{effect} {kind}", policies, "sagemaker:ListModels", "*", context))
    return found


def drawn() -> list[Case]:
    """Small policies and requests about the same few words, drawn from a seed."""
    draw = random.Random(7)
    actions = ["sagemaker:DescribeModel", "sagemaker:DeleteModel", "sagemaker:AddTags", "s3:GetObject", "sagemaker:CreateSpace"]
    patterns = ["*", "sagemaker:*", "sagemaker:De*", "sagemaker:*Model", "s3:*", "sagemaker:AddTags", "SAGEMAKER:create*"]
    resources = [MODEL, f"{ARN}:space/d-own/s", f"{ARN}:model/m2", "arn:aws:s3:::b/k", f"{ARN}:domain/d-own"]
    shapes = ["*", f"{ARN}:model/*", f"{ARN}:*", MODEL, f"{ARN}:space/d-own/*", "arn:aws:s3:::b/*", f"{ARN}:model/${{example:id}}"]
    texts = {"example:text": ["a", "b", "a*", "m1"], TAG: [OWN, OTHER], "aws:TagKeys": ["a", "b", "sagemaker:domain-arn"]}
    texts |= {"example:id": ["m1", "a", "b"]}
    values = {
        "String": (list(texts), None),
        "Numeric": (["example:number"], ["1", "2", "2.0", "10", "-1"]),
        "Date": (["aws:CurrentTime"], ["2026-01-01T00:00:00Z", "2026-06-01T12:00:00Z", "2027-01-01"]),
        "Bool": (["aws:SecureTransport"], ["true", "false"]),
        "Ip": (["aws:SourceIp"], ["10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"]),
        "Arn": (["aws:SourceArn"], [MODEL, f"{ARN}:model/*", "arn:aws:s3:::b/?"]),
    }
    given = {
        "example:number": ["1", "2.00", "3", "-7"],
        "aws:CurrentTime": ["2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "2027-01-01T00:00:00Z"],
        "aws:SecureTransport": ["true", "false"],
        "aws:SourceIp": ["10.1.2.3", "10.2.0.1", "192.0.2.1", "2001:db8::7"],
        "aws:SourceArn": [MODEL, f"{ARN}:model/m2", "arn:aws:s3:::b/k"],
    } | {key: [*some, "other"] for key, some in texts.items()}

    def some(of: list, most: int) -> list:
        return draw.sample(of, draw.randint(1, min(most, len(of))))

    def condition() -> dict:
        made: dict = {}
        for _ in range(draw.choice([0, 1, 1, 2])):
            family = draw.choice([*values, "String", "String", "Null"])
            if family == "Null":
                made.setdefault("Null", {})[draw.choice(list(given))] = draw.choice(["true", "false"])
                continue
            keys, wanted = values[family]
            key = draw.choice(keys)
            several = key == "aws:TagKeys"
            operator = draw.choice(OPERATORS[family]) + draw.choice(["", "", "IfExists"])
            if several or draw.random() < 0.1:
                operator = f"{draw.choice(['ForAllValues', 'ForAnyValue'])}:{operator}"
            wanted = some(wanted or [*texts[key], "${example:id}"], 2)
            made.setdefault(operator, {})[key] = wanted if len(wanted) > 1 or draw.random() < 0.5 else wanted[0]
        return made

    def statement() -> dict:
        made = {"Effect": draw.choice(["Allow", "Allow", "Deny"])}
        made[draw.choice(["Action", "Action", "Action", "NotAction"])] = some(patterns, 2)
        made[draw.choice(["Resource", "Resource", "Resource", "NotResource"])] = some(shapes, 2)
        found = condition()
        return made | ({"Condition": found} if found else {})

    def policy() -> dict:
        return document(*[statement() for _ in range(draw.randint(1, 3))])

    def request() -> dict[str, list[str]]:
        keys = [key for key in given if draw.random() < 0.6]
        return {key: some(given[key], 3 if key == "aws:TagKeys" else 1) for key in keys}

    found = []
    for number in range(200):
        policies = [policy() for _ in range(draw.randint(1, 2))]
        # Beside a full grant the statements that deny are what decides.
        policies += [document(ALL)] if draw.random() < 0.4 else []
        boundary = policy() if draw.random() < 0.3 else None
        for _ in range(6):
            act = draw.choice(actions), draw.choice(resources)
            found.append(Case(f"drawn {number}", policies, *act, request(), boundary))
    return found


VARIABLE = re.compile(r"\$\{([^},*?$]+)\}")


def conditions(case: Case):
    """Every key of every condition: operator, key, values."""
    for policy in [*case.policies, *([case.boundary] if case.boundary else [])]:
        for statement in policy["Statement"]:
            for operator, keys in statement.get("Condition", {}).items():
                for key, values in keys.items():
                    yield operator, key, values if isinstance(values, list) else [values]


def choices(case: Case, element: str):
    """Every text of an element of the statements."""
    for policy in [*case.policies, *([case.boundary] if case.boundary else [])]:
        for statement in policy["Statement"]:
            found = statement.get(element, [])
            yield from found if isinstance(found, list) else [found]


def has_no_value(case: Case, text: str) -> bool:
    present = {key.lower() for key in case.context}
    return any(key.strip().lower() not in present for key in VARIABLE.findall(str(text)))


def wildcard_for_a_type(case: Case) -> bool:
    """The oracle takes no wildcard where an ARN names the type; AWS advises against one, and does not say that it fails."""
    return any(":*/" in it for name in ("Resource", "NotResource") for it in choices(case, name))


def every_address(case: Case) -> bool:
    """The oracle finds nothing in `0.0.0.0/0`: it shifts 32 bits by 32."""
    return any("0.0.0.0/0" in values for _, _, values in conditions(case))


def one_address_of_the_other_version(case: Case) -> bool:
    """The oracle says that an IPv6 address is not other than a single IPv4 one, and is other than a range of them."""
    six = any(":" in it for it in case.context.get("aws:SourceIp", []))
    return six and any("10.1.2.3" in values for name, _, values in conditions(case) if name.lower().startswith("notip"))


def negated_variable_without_a_value(case: Case) -> bool:
    """The oracle says that nothing differs from null; AWS, that negated operators match it (IAM User Guide, "Policy variables with no value")."""
    negated = (values for name, _, values in conditions(case) if "not" in name.lower())
    return any(has_no_value(case, it) for values in negated for it in values)


def all_but_a_variable_without_a_value(case: Case) -> bool:
    """AWS says that such a resource matches none, so that `NotResource` leaves none out; the oracle, that the statement is void."""
    return any(has_no_value(case, it) for it in choices(case, "NotResource"))


def escaped_sign_without_wildcards(case: Case) -> bool:
    """The oracle keeps `${*}` as it stands where there are no wildcards; AWS lets it be used wherever variables are."""
    names = [values for name, _, values in conditions(case) if "Equals" in name]
    return any(sign in str(it) for values in names for it in values for sign in ("${*}", "${?}", "${$}"))


def variable_in_an_arn(case: Case) -> bool:
    """The oracle takes the colon in the name of a variable for one of the ARN."""
    return any("${" in str(it) for name, _, values in conditions(case) if name.startswith("Arn") for it in values)


def any_of_none_if_there_are_any(case: Case) -> bool:
    """AWS says that `IfExists` is true of an absent key, and not what it is beside `ForAnyValue`; the oracle says false."""
    present = {key.lower() for key in case.context}
    names = ((name.lower(), key) for name, key, _ in conditions(case))
    return any(it.startswith("foranyvalue") and it.endswith("ifexists") and key.lower() not in present for it, key in names)


TABLES = {
    # How many cases there are at least, and where the two may differ.
    of_operators: (1800, [every_address, one_address_of_the_other_version]),
    of_quantities: (1500, []),
    of_elements: (1500, [wildcard_for_a_type]),
    of_variables: (
        600,
        [
            negated_variable_without_a_value,
            all_but_a_variable_without_a_value,
            escaped_sign_without_wildcards,
            variable_in_an_arn,
        ],
    ),
    of_several: (1500, []),
    of_no_resource: (80, []),
    drawn: (
        1200,
        [negated_variable_without_a_value, all_but_a_variable_without_a_value, any_of_none_if_there_are_any],
    ),
}


@pytest.mark.parametrize("table", TABLES, ids=lambda it: it.__name__)
def test_both_evaluators_decide_alike(table, tmp_path):
    cases, (least, exceptions) = table(), TABLES[table]
    assert len(cases) >= least
    ours, theirs = acts.by_the_program(cases, tmp_path), acts.by_the_oracle(cases)
    # A table in which all is allowed, or all denied, would tell little.
    assert {"allowed", "implicitly_denied"} <= set(theirs), Counter(theirs)
    wrong, excused = [], Counter()
    for case, own, other in zip(cases, ours, theirs, strict=True):
        assert own in acts.WORDS and other in acts.WORDS, f"{own}, {other}: {case.told()}"
        if own == other:
            continue
        because = [it for it in exceptions if it(case)]
        excused.update(because)
        wrong += [] if because else [f"ours {own}, theirs {other}: {case.told()}"]
    assert wrong == [], f"{len(wrong)} of {len(cases)}"
    # An exception that is needed no more is none.
    assert set(excused) == set(exceptions), excused
    assert sum(excused.values()) < len(cases) / 10, excused
