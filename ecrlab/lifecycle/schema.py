"""The JSON schema of a lifecycle policy, which ECR checks before the rules, with AWS's words for each failure.

ECR reports all failures, each on its own line. It checks the members of an object or an array only where that itself
is valid. A selection has one schema for each count type, an action one for each action type. The texts are AWS's own
where public error reports show them (cloudposse/terraform-aws-ecr#158, hashicorp/terraform-provider-aws#45909,
simple-container-com/api#34); keys and bounds are from the AWS user guide, lifecycle policy properties.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from ecrlab.lifecycle.policy import (
    ANY,
    ARCHIVE,
    COUNT,
    EXPIRE,
    PULLED,
    PUSHED,
    STANDARD,
    TAGGED,
    TRANSITION,
    TRANSITIONED,
    UNTAGGED,
)

MOST_RULES = 50
MOST_LINES = 50
"""The most failures in one message, which bounds the answer to a hostile policy."""
LISTS = ("tagPatternList", "tagPrefixList")
_COUNT_TYPES = (COUNT, PUSHED, PULLED, TRANSITIONED)
_ACTION_TYPES = (EXPIRE, TRANSITION)
_JSON_TYPES = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}


class Failure(NamedTuple):
    """A value that does not fit, and its place, such as `rules[0].selection`."""

    text: str
    place: str


def failures(document: dict[str, Any]) -> list[Failure]:
    """Return the failures of a policy's document against the schema, in the order of the text."""
    return list(_keys(document, "", required=("rules",))) or list(islice(_rules(document["rules"]), MOST_LINES))


def shown(value: object, most: int = 80) -> str:
    """Return a value for a message: on one line, and shortened."""
    text = str(value).encode("unicode_escape").decode()
    return text if len(text) <= most else text[: most - 3] + "..."


def _rules(rules: Any) -> Iterator[Failure]:
    if not isinstance(rules, list):
        yield from _typed(rules, list, "rules")
    elif not rules:
        yield Failure("array is too short: must have at least 1 elements but instance has 0 elements", "rules")
    elif len(rules) > MOST_RULES:
        yield Failure(
            f"array is too long: must have at most {MOST_RULES} elements but instance has {len(rules)} elements",
            "rules",
        )
    else:
        for position, rule in enumerate(rules):
            yield from _rule(rule, f"rules[{position}]")


def _rule(rule: Any, place: str) -> Iterator[Failure]:
    shallow = list(
        _keys(rule, place, required=("rulePriority", "selection", "action"), optional=("description",)),
    )
    yield from shallow
    if shallow:
        return
    yield from _number(rule["rulePriority"], f"{place}.rulePriority")
    yield from _typed(rule.get("description", ""), str, f"{place}.description")
    yield from _selection(rule["selection"], f"{place}.selection")
    yield from _action(rule["action"], f"{place}.action")


def _selection(selection: Any, place: str) -> Iterator[Failure]:
    shallow = list(
        _keys(
            selection,
            place,
            required=("tagStatus", "countType", "countNumber"),
            optional=(*LISTS, "storageClass", "countUnit"),
        )
    ) or list(_one_of_the_selections(selection, place))
    yield from shallow
    if shallow:
        return
    yield from _one_of(selection["tagStatus"], (TAGGED, UNTAGGED, ANY), f"{place}.tagStatus")
    if "countUnit" in selection:
        yield from _one_of(selection["countUnit"], ("days",), f"{place}.countUnit")
    yield from _one_of(selection.get("storageClass", STANDARD), (STANDARD, ARCHIVE), f"{place}.storageClass")
    for name in LISTS:
        yield from _strings(selection.get(name, []), f"{place}.{name}")
    yield from _number(selection["countNumber"], f"{place}.countNumber")


def _one_of_the_selections(selection: dict[str, Any], place: str) -> Iterator[Failure]:
    """Check a selection against the schema of its count type."""
    kind = selection["countType"]
    # UNSURE: a missing countUnit is taken for the same failure as a superfluous one, which is known.
    wrong = next(
        (
            key
            for key, fits in (
                ("countType", kind in _COUNT_TYPES),
                ("countUnit", ("countUnit" in selection) is not (kind == COUNT)),
                ("countUnit", selection.get("countUnit", "") is not None),
                # UNSURE: which null of a selection counts as a failure of the whole; lists of tags do not.
                ("storageClass", selection.get("storageClass", "") is not None),
                # A policy whose rule for archived images lacks its storage class has this failure, not one of a rule.
                ("storageClass", kind != TRANSITIONED or "storageClass" in selection),
            )
            if not fits
        ),
        None,
    )
    if wrong:
        yield _no_schema(len(_COUNT_TYPES), f"{place}.{wrong}")


def _action(action: Any, place: str) -> Iterator[Failure]:
    shallow = list(_keys(action, place, required=("type",), optional=("targetStorageClass",)))
    yield from shallow
    if shallow:
        return
    kind = list(_one_of(action["type"], _ACTION_TYPES, f"{place}.type"))
    yield from kind
    if kind or "targetStorageClass" not in action:
        return
    # A transition without a target fits; ECR fails later, when it reads the rules.
    target = action["targetStorageClass"]
    if target is None or action["type"] == EXPIRE:
        yield _no_schema(len(_ACTION_TYPES), f"{place}.targetStorageClass")
    else:
        yield from _one_of(target, (ARCHIVE,), f"{place}.targetStorageClass")


def _no_schema(schemas: int, place: str) -> Failure:
    return Failure(f"instance failed to match exactly one schema (matched 0 out of {schemas})", place)


def _keys(value: Any, place: str, required: Iterable[str], optional: Iterable[str] = ()) -> Iterator[Failure]:
    """Reject a value that is not an object, lacks a required key, or has a key that is in neither list."""
    if not isinstance(value, dict):
        yield from _typed(value, dict, place)
        return
    if missing := set(required) - value.keys():
        yield Failure(f"object has missing required properties ({_names(missing)})", place)
    if unknown := value.keys() - set(required) - set(optional):
        names = _names(unknown)
        yield Failure(f"object instance has properties which are not allowed by the schema: ({names})", place)


def _typed(value: Any, expected: type, place: str) -> Iterator[Failure]:
    if type(value) is not expected:
        yield Failure(
            f"instance type ({_JSON_TYPES[type(value)]}) does not match any allowed primitive type"
            f' (allowed: ["{_JSON_TYPES[expected]}"])',
            place,
        )


def _number(value: Any, place: str) -> Iterator[Failure]:
    yield from _typed(value, int, place)
    if type(value) is int and value < 1:
        yield Failure(f"numeric instance is lower than the required minimum (minimum: 1, found: {shown(value)})", place)


def _strings(value: Any, place: str) -> Iterator[Failure]:
    yield from _typed(value, list, place)
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _typed(item, str, f"{place}[{position}]")


def _one_of(value: Any, allowed: tuple[str, ...], place: str) -> Iterator[Failure]:
    if not isinstance(value, str):
        yield from _typed(value, str, place)
    elif value not in allowed:
        yield Failure(f"instance value ({shown(value)}) not found in enum :(possible values: {_names(allowed)})", place)


def _names(keys: Iterable[str]) -> str:
    """Return keys as AWS lists them, each shortened."""
    return "[" + ",".join(f'"{shown(key)}"' for key in sorted(keys)) + "]"
