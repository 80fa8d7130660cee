"""What botocore's own model says of a request, with the limits that botocore itself does not check."""

import re
from decimal import Decimal
from functools import cache

import botocore.session

# By types, and never by truth: a boolean is an int to Python.
NUMBERS = (int, float, Decimal)


@cache
def service(name: str):
    return botocore.session.get_session().get_service_model(name)


def input_shape(name: str, operation: str):
    return service(name).operation_model(operation).input_shape


@cache
def compiled(pattern: str) -> re.Pattern:
    """A pattern of the model, whose `(?i)` in the middle Python wants as a group."""
    return re.compile(re.sub(r"\(\?i\)([^()]*)", r"(?i:\1)", pattern))


def faults(value, shape, path="") -> list[str]:
    """All that is wrong with a value on the wire: members, types, words, patterns, lengths and ranges."""
    match shape.type_name:
        case "structure":
            return structure_faults(value, shape, path)
        case "list":
            if not isinstance(value, list):
                return [f"{path} is no list"]
            parts = enumerate(value)
            inner = [it for index, part in parts for it in faults(part, shape.member, f"{path}[{index}]")]
            return range_faults(len(value), shape, path) + inner
        case "map":
            if not isinstance(value, dict):
                return [f"{path} is no map"]
            keys = [it for key in value for it in faults(key, shape.key, f"{path} key")]
            inner = [it for key, part in value.items() for it in faults(part, shape.value, f"{path}.{key}")]
            return range_faults(len(value), shape, path) + keys + inner
        case "string":
            return text_faults(value, shape, path)
        case "boolean":
            return [] if isinstance(value, bool) else [f"{path} is no boolean"]
        case "integer" | "long":
            if isinstance(value, bool) or not isinstance(value, int):
                return [f"{path} is no whole number"]
            return range_faults(value, shape, path)
        case "double" | "float" | "timestamp":
            if isinstance(value, bool) or not isinstance(value, NUMBERS):
                return [f"{path} is no number"]
            return range_faults(value, shape, path)
    raise AssertionError(f"{path}: no rule for {shape.type_name}")


def structure_faults(value, shape, path) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path} is no structure"]
    found = [f"{path}.{name} is not in the model" for name in value if name not in shape.members]
    found += [f"{path}.{name} is required" for name in shape.required_members if name not in value]
    for name, part in value.items():
        if name in shape.members:
            found += faults(part, shape.members[name], f"{path}.{name}")
    return found


def text_faults(value, shape, path) -> list[str]:
    if not isinstance(value, str):
        return [f"{path} is no text"]
    found = range_faults(len(value), shape, path)
    words = shape.metadata.get("enum")
    if words and value not in words:
        found.append(f"{path} is none of the words: {value!r}")
    pattern = shape.metadata.get("pattern")
    if pattern and not compiled(pattern).fullmatch(value):
        found.append(f"{path} does not match {pattern}: {value!r}")
    return found


def range_faults(size, shape, path) -> list[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    found = [f"{path} is below {least}: {size}"] if least is not None and size < least else []
    return found + ([f"{path} is above {most}: {size}"] if most is not None and size > most else [])
