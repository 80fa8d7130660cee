"""The questions that the program documents, in its order with `--concurrency 1`, written down a second time."""

from bill import METRICS, Line, matches
from datetime import date

SPACE = "sagemaker:space-arn"
USER = "sagemaker:user-profile-arn"
DOMAIN = "sagemaker:domain-arn"
MANAGED = "ManagedByAmazonSageMakerResource"
KEYS = [SPACE, "sagemaker:shared-space-arn", USER, DOMAIN, MANAGED]
SAGEMAKER = "Amazon SageMaker"


def absent(key: str) -> dict:
    return {"Tags": {"Key": key, "MatchOptions": ["ABSENT"]}}


def present(key: str) -> dict:
    return {"Not": absent(key)}


def dimension(key: str) -> dict:
    return {"Type": "DIMENSION", "Key": key}


def tag(key: str) -> dict:
    return {"Type": "TAG", "Key": key}


def one_of(key: str, *values: str) -> dict:
    return {"Dimensions": {"Key": key, "Values": list(values)}}


def question(first: date, end: date, groups: list[dict], filters: list[dict], daily=False) -> dict:
    body = {
        "TimePeriod": {"Start": first.isoformat(), "End": end.isoformat()},
        "Granularity": "DAILY" if daily else "MONTHLY",
        "Metrics": [*METRICS, "UsageQuantity"],
        "GroupBy": groups,
    }
    if filters:
        body["Filter"] = {"And": filters} if len(filters) > 1 else filters[0]
    return body


def questions(lines: list[Line], first: date, reported: date, opened: date, end: date) -> list[dict]:
    """Every question about the months from `first` to before `end`; `opened` is the open month."""
    by_service = [dimension("SERVICE"), dimension("RECORD_TYPE")]
    bill = question(first, end, by_service, [])
    slices = [(key, [present(key), *map(absent, KEYS[:index])]) for index, key in enumerate(KEYS)]
    services = sorted({line.service for line in lines if line.service == SAGEMAKER})
    slices.append(("rest", [one_of("SERVICE", *services), *map(absent, KEYS)]))
    controls = [question(first, end, by_service, filters) for _, filters in slices]
    cells, days = [], []
    for name, filters in slices:
        own = [line for line in lines if all(matches(line, part) for part in filters)]
        owner = dimension("LINKED_ACCOUNT") if name == "rest" else tag(name)
        tags = [part for part in filters if "Dimensions" not in part]
        for service, record_type in sorted({(line.service, line.record_type) for line in own}):
            cell = [*tags, one_of("SERVICE", service), one_of("RECORD_TYPE", record_type)]
            cells.append(question(first, end, [owner, dimension("USAGE_TYPE")], cell))
        if any(line.day >= reported for line in own):
            groups = [owner, dimension("RECORD_TYPE")]
            days.append(question(reported, end, groups, filters, daily=True))
    scope = {"Or": [one_of("SERVICE", *services), *map(present, KEYS)]}
    evidence = [
        question(first, end, [tag(SPACE), tag(USER)], [present(SPACE)]),
        question(first, end, [dimension("LINKED_ACCOUNT"), dimension("RECORD_TYPE")], [scope]),
    ]
    again = question(opened, end, by_service, [])
    return [bill, *controls, *cells, *evidence, *days, again]
