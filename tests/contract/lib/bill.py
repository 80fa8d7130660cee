"""A small bill, and what Cost Explorer answers about it: filters, groups and pages, in exact decimals."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import count

# What a metric makes of a dollar: four different numbers, so that a mix-up cannot hide.
METRICS = {
    "UnblendedCost": Decimal("1"),
    "AmortizedCost": Decimal("0.97"),
    "NetAmortizedCost": Decimal("0.85"),
    "NetUnblendedCost": Decimal("0.9"),
}


@dataclass(frozen=True)
class Line:
    """What one thing cost on one day."""

    day: date
    account: str
    service: str
    record_type: str
    usage_type: str
    cost: Decimal
    tags: dict[str, str] = field(default_factory=dict)

    def dimension(self, key: str) -> str:
        return {
            "SERVICE": self.service,
            "RECORD_TYPE": self.record_type,
            "LINKED_ACCOUNT": self.account,
            "USAGE_TYPE": self.usage_type,
        }[key]


def matches(line: Line, expression: dict | None) -> bool:
    """Whether a line is what an `Expression` of Cost Explorer asks for."""
    if expression is None:
        return True
    ((operator, operand),) = expression.items()
    match operator:
        case "And":
            assert len(operand) > 1, "Cost Explorer refuses a list of one"
            return all([matches(line, part) for part in operand])
        case "Or":
            assert len(operand) > 1, "Cost Explorer refuses a list of one"
            return any([matches(line, part) for part in operand])
        case "Not":
            return not matches(line, operand)
        case "Dimensions":
            return line.dimension(operand["Key"]) in operand["Values"]
        case "Tags":
            assert operand["MatchOptions"] == ["ABSENT"] and "Values" not in operand
            return operand["Key"] not in line.tags
    raise AssertionError(f"no operator of Cost Explorer: {operator}")


def group_key(line: Line, group: dict) -> str:
    """A line's key under one `GroupDefinition`."""
    key = group["Key"]
    return f"{key}${line.tags.get(key, '')}" if group["Type"] == "TAG" else line.dimension(key)


def periods(question: dict) -> list[tuple[date, date]]:
    """The months or days of a question."""
    day = date.fromisoformat(question["TimePeriod"]["Start"])
    end = date.fromisoformat(question["TimePeriod"]["End"])
    found = []
    while day < end:
        following = day + timedelta(days=1)
        if question["Granularity"] == "MONTHLY":
            following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        found.append((day, min(following, end)))
        day = following
    return found


def answer(lines: list[Line], question: dict, estimated_from: date) -> list[dict]:
    """The `ResultsByTime` of a question."""
    asked = [line for line in lines if matches(line, question.get("Filter"))]
    results = []
    for start, end in periods(question):
        sums: dict[tuple, Decimal] = defaultdict(Decimal)
        for line in asked:
            if start <= line.day < end:
                keys = tuple(group_key(line, group) for group in question["GroupBy"])
                sums[keys] += line.cost
        groups = [{"Keys": list(keys), "Metrics": metrics(cost)} for keys, cost in sums.items()]
        period = {"Start": start.isoformat(), "End": end.isoformat()}
        estimated = start >= estimated_from
        results.append({"TimePeriod": period, "Total": {}, "Groups": groups, "Estimated": estimated})
    return results


def metrics(cost: Decimal) -> dict:
    """All metrics of a sum, as the texts that Cost Explorer writes, exponents included."""
    texts = {name: str((cost * factor).normalize()) for name, factor in METRICS.items()}
    values = {name: {"Amount": text, "Unit": "USD"} for name, text in texts.items()}
    return values | {"UsageQuantity": {"Amount": "1.5", "Unit": "N/A"}}


def pages(results: list[dict], size: int, label: str) -> list[dict]:
    """The results in pages of so many groups; a period goes on over as many pages as it needs."""
    cut: list[list[dict]] = [[]]
    room = size
    for result in results:
        groups = result["Groups"]
        while True:
            taken, groups = groups[:room], groups[room:]
            cut[-1].append(result | {"Groups": taken})
            room -= len(taken)
            if not groups:
                break
            cut.append([])
            room = size
    tokens = [f"{label}-{number}" for number, _ in zip(count(2), cut[1:])] + [None]
    answers = []
    for part, token in zip(cut, tokens):
        page = {"ResultsByTime": part, "DimensionValueAttributes": []}
        answers.append(page | ({"NextPageToken": token} if token else {}))
    return answers
