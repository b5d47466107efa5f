"""From text to policy, refusing what PutLifecyclePolicy refuses, with AWS's words.

ECR first holds the text against a JSON schema (types, required and unknown keys, bounds), then against rules
that look at several keys or several rules at once. Here `_Reader` does the first, its methods `agree...` and the
function `_agree_together` the second. Sources: AWS user guide, lifecycle policy properties and lifecycle policy
examples; botocore model, LifecyclePolicyText. The texts are AWS's own where public error reports show them; where
they are not known, a line says UNSURE.
"""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, NoReturn

from ecrlab.lifecycle.errors import InvalidLifecyclePolicy
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
    Action,
    Policy,
    Rule,
    Selection,
)

SHORTEST, LONGEST = 100, 30_720
"""Characters of a policy text (botocore model, LifecyclePolicyText)."""
MOST_RULES = 50
MOST_WILDCARDS = 4
LEAST_ARCHIVE_DAYS = 90
_LARGEST_INTEGER = 2**31 - 1

_NOT_A_POLICY = "Could not map policyString into LifecyclePolicy."
_NO_SCHEMA = "instance failed to match exactly one schema (matched 0 out of 2)"
_LISTS = ("tagPatternList", "tagPrefixList")
_JSON_TYPES = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}


def parse(text: str, shortest: int = SHORTEST) -> Policy:
    """Read a policy, or raise `InvalidLifecyclePolicy` with the text and the place that AWS would object to.

    `shortest` is the least number of characters: 100 for a repository, 0 in a repository creation template.

    >>> try:
    ...     parse('{"rules": []}', shortest=0)
    ... except InvalidLifecyclePolicy as error:
    ...     print(error.place, "-", error.detail)
    rules - array is too short: must have at least 1 elements but instance has 0 elements
    """
    # UNSURE: the text for a length out of bounds is that of other AWS services; the CLI refuses short ones by
    # itself.
    if len(text) > LONGEST:
        raise InvalidLifecyclePolicy(f"Member must have length less than or equal to {LONGEST}", lead="")
    if len(text) < shortest:
        raise InvalidLifecyclePolicy(f"Member must have length greater than or equal to {shortest}", lead="")
    rules = [_Reader(f"rules[{position}]").rule(value) for position, value in enumerate(_rules(_document(text)))]
    _agree_together(rules)
    return Policy(tuple(sorted(rules, key=lambda rule: rule.rule_priority)), text)


def _document(text: str) -> dict[str, Any]:
    """The JSON object in a text."""
    # UNSURE: whether AWS's reader takes the last of two equal keys, or NaN, is not known; both are slips, so
    # refused.
    try:
        document = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
        json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except InvalidLifecyclePolicy:
        raise
    except json.JSONDecodeError as error:
        raise InvalidLifecyclePolicy(_NOT_A_POLICY, f"line {error.lineno} column {error.colno}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidLifecyclePolicy(_NOT_A_POLICY) from error
    if not isinstance(document, dict):
        raise InvalidLifecyclePolicy(_NOT_A_POLICY)
    return document


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise InvalidLifecyclePolicy(_NOT_A_POLICY, f"the key {_quoted(twice)}, which occurs twice in one object")
    return table


def _no_constant(name: str) -> NoReturn:
    raise InvalidLifecyclePolicy(_NOT_A_POLICY, f"{name}, which is not JSON")


def _rules(document: dict[str, Any]) -> list[Any]:
    """The rules of a policy's document, not yet looked at."""
    rules = document.get("rules")
    if not isinstance(rules, list):
        raise InvalidLifecyclePolicy(f"object has missing required properties ({_names(['rules'])})")
    if unknown := document.keys() - {"rules"}:
        raise InvalidLifecyclePolicy(_not_allowed(unknown))
    if not rules:
        raise InvalidLifecyclePolicy(
            "array is too short: must have at least 1 elements but instance has 0 elements", "rules"
        )
    if len(rules) > MOST_RULES:
        raise InvalidLifecyclePolicy(
            f"array is too long: must have at most {MOST_RULES} elements but instance has {len(rules)} elements",
            "rules",
        )
    return rules


class _Reader:
    """Reads the JSON of one rule; `place` is where that rule stands in the policy."""

    def __init__(self, place: str) -> None:
        self.place = place

    def refuse(self, detail: str, *path: str) -> NoReturn:
        raise InvalidLifecyclePolicy(detail, ".".join((self.place, *path)))

    def rule(self, value: Any) -> Rule:
        self.object(value, required=("rulePriority", "selection", "action"), optional=("description",))
        priority = self.number(value["rulePriority"], "rulePriority")
        description = self.typed(value.get("description", ""), str, "description")
        # UNSURE: whether AWS looks at selection or action first when both are wrong.
        selection = self.selection(value["selection"])
        action = self.action(value["action"])
        self.agree(selection, action, value["selection"])
        return Rule(priority, selection, action, description)

    def selection(self, value: Any) -> Selection:
        where = "selection"
        self.object(
            value,
            where,
            required=("tagStatus", "countType", "countNumber"),
            optional=(*_LISTS, "storageClass", "countUnit"),
        )
        tag_status = self.one_of(value["tagStatus"], (TAGGED, UNTAGGED, ANY), where, "tagStatus")
        count_type = value["countType"]
        if count_type not in (COUNT, PUSHED, PULLED, TRANSITIONED):
            self.refuse(_NO_SCHEMA, where, "countType")
        if "countUnit" in value:
            self.one_of(value["countUnit"], ("days",), where, "countUnit")
        # UNSURE: a missing countUnit is taken for the same schema failure as a superfluous one, which is
        # known.
        if ("countUnit" in value) is (count_type == COUNT):
            self.refuse(_NO_SCHEMA, where, "countUnit")
        storage_class = self.one_of(value.get("storageClass", STANDARD), (STANDARD, ARCHIVE), where, "storageClass")
        patterns, prefixes = (self.strings(value.get(name, []), where, name) for name in _LISTS)
        number = self.number(value["countNumber"], where, "countNumber")
        return Selection(tag_status, count_type, number, patterns, prefixes, storage_class)

    def action(self, value: Any) -> Action:
        where = "action"
        self.object(value, where, required=("type",), optional=("targetStorageClass",))
        kind = self.one_of(value["type"], (EXPIRE, TRANSITION), where, "type")
        target = value.get("targetStorageClass")
        if kind == EXPIRE and target is not None:
            self.refuse(_NO_SCHEMA, where, "targetStorageClass")
        if kind == TRANSITION and target is None:
            self.refuse(_NOT_A_POLICY, where)
        if target is not None:
            self.one_of(target, (ARCHIVE,), where, "targetStorageClass")
        return Action(kind, target)

    def agree(self, selection: Selection, action: Action, given: dict[str, Any]) -> None:
        """Hold the keys of one rule against each other."""
        lists = [name for name in _LISTS if name in given]
        if selection.tag_status != TAGGED and lists:
            # UNSURE: an empty list counts as a list here, since the guide says that it must be absent.
            self.refuse(f"Cannot specify {lists[0]} with tagStatus {selection.tag_status}", "selection", lists[0])
        if len(lists) > 1:
            self.refuse(
                "If policy has a tagged rule, it must specify only one of tagPrefixList or tagPatternList",
                "selection",
            )
        if selection.tag_status == TAGGED and not selection.patterns:
            self.refuse("Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.", "selection")
        for position, pattern in enumerate(selection.tag_pattern_list):
            # UNSURE: an empty pattern fits no tag; it is refused with the text of a bad pattern.
            if not pattern or pattern.count("*") > MOST_WILDCARDS:
                self.refuse("Invalid tag pattern provided", "selection", f"tagPatternList[{position}]")
        self.agree_on_storage(selection, action)

    def agree_on_storage(self, selection: Selection, action: Action) -> None:
        """Hold storage class, count type and action against each other."""
        archived = selection.storage_class == ARCHIVE
        # UNSURE: of these texts only the first is known; that the combinations are refused is in the guide.
        if archived and selection.count_type != TRANSITIONED:
            self.refuse(
                "SINCE_IMAGE_PUSHED, SINCE_IMAGE_PULLED and IMAGE_COUNT_MORE_THAN support"
                " the STANDARD storage class only",
                "selection",
                "storageClass",
            )
        if selection.count_type == TRANSITIONED:
            if not archived:
                self.refuse("SINCE_IMAGE_TRANSITIONED supports the ARCHIVE storage class only", "selection")
            if action.type != EXPIRE:
                self.refuse("SINCE_IMAGE_TRANSITIONED supports the EXPIRE action only", "action")
            if selection.count_number < LEAST_ARCHIVE_DAYS:
                self.refuse(
                    f"SINCE_IMAGE_TRANSITIONED requires a countNumber of at least {LEAST_ARCHIVE_DAYS} days",
                    "selection",
                    "countNumber",
                )
        if selection.count_type == PULLED and action.type != TRANSITION:
            self.refuse("SINCE_IMAGE_PULLED supports the TRANSITION action only", "action")

    def object(self, value: Any, *path: str, required: Iterable[str], optional: Iterable[str]) -> None:
        """Refuse what is no object, has a null, lacks a required key, or has one that is in neither list."""
        self.typed(value, dict, *path)
        if path and None in value.values():
            self.refuse(_NO_SCHEMA, *path, next(key for key, held in value.items() if held is None))
        if missing := set(required) - value.keys():
            self.refuse(f"object has missing required properties ({_names(missing)})", *path)
        if unknown := value.keys() - set(required) - set(optional):
            self.refuse(_not_allowed(unknown), *path)

    def typed(self, value: Any, expected: type, *path: str) -> Any:
        if type(value) is not expected:
            self.refuse(
                f"instance type ({_JSON_TYPES[type(value)]}) does not match any allowed primitive type"
                f' (allowed: ["{_JSON_TYPES[expected]}"])',
                *path,
            )
        return value

    def number(self, value: Any, *path: str) -> int:
        number: int = self.typed(value, int, *path)
        if number < 1:
            self.refuse(
                f"numeric instance is lower than the required minimum (minimum: 1, found: {_short(number)})",
                *path,
            )
        # UNSURE: the API's integers have 32 bits (botocore model), so that a larger one cannot be mapped.
        if number > _LARGEST_INTEGER:
            self.refuse(_NOT_A_POLICY, *path)
        return number

    def strings(self, value: Any, *path: str) -> tuple[str, ...]:
        self.typed(value, list, *path)
        *above, name = path
        return tuple(self.typed(item, str, *above, f"{name}[{position}]") for position, item in enumerate(value))

    def one_of(self, value: Any, allowed: tuple[str, ...], *path: str) -> str:
        self.typed(value, str, *path)
        if value not in allowed:
            self.refuse(
                f"instance value ({_quoted(value)}) not found in enum :(possible values: {_names(allowed)})",
                *path,
            )
        return str(value)


def _agree_together(rules: list[Rule]) -> None:
    """Hold the rules of a policy against each other."""
    priorities: set[int] = set()
    for position, rule in enumerate(rules):
        if rule.rule_priority in priorities:
            raise InvalidLifecyclePolicy("Duplicate priority in multiple rules", f"rules[{position}].rulePriority")
        priorities.add(rule.rule_priority)
    for storage_class in (STANDARD, ARCHIVE):
        places = {f"rules[{i}]": rule for i, rule in enumerate(rules) if rule.selection.storage_class == storage_class}
        _agree_in_class(places)


def _agree_in_class(rules: dict[str, Rule]) -> None:
    """Hold the rules for one storage class against each other; the keys are their places."""
    anys, untagged = (
        [place for place, rule in rules.items() if rule.selection.tag_status == status] for status in (ANY, UNTAGGED)
    )
    if len(anys) > 1:
        raise InvalidLifecyclePolicy("Only one rule can specify tagStatus=ANY", anys[1])
    if len(untagged) > 1:
        raise InvalidLifecyclePolicy("Only one rule can select Untagged images per storage class.", untagged[1])
    last = max((rule.rule_priority for rule in rules.values()), default=0)
    if anys and rules[anys[0]].rule_priority < last:
        raise InvalidLifecyclePolicy(
            "Rule for tagStatus=ANY must have the lowest priority per storage class",
            f"{anys[0]}.rulePriority",
        )
    # UNSURE: "a unique set of prefixes" is read as whole lists, order aside, and of prefixes only, as the
    # guide words it; the text is not known.
    seen: set[frozenset[str]] = set()
    for place, rule in rules.items():
        prefixes = frozenset(rule.selection.tag_prefix_list)
        if prefixes and prefixes in seen:
            raise InvalidLifecyclePolicy(
                "Rules of one storage class must have a unique set of prefixes",
                f"{place}.selection.tagPrefixList",
            )
        seen.add(prefixes)


def _names(keys: Iterable[str]) -> str:
    """Keys as AWS lists them, cut where a hostile one is long."""
    return "[" + ",".join(f'"{_short(key)}"' for key in sorted(keys)) + "]"


def _not_allowed(keys: Iterable[str]) -> str:
    return f"object instance has properties which are not allowed by the schema: ({_names(keys)})"


def _quoted(value: str) -> str:
    return _short(value)


def _short(value: object, most: int = 80) -> str:
    """A value for a message: one line, and short."""
    text = str(value).encode("unicode_escape").decode()
    return text if len(text) <= most else text[: most - 3] + "..."
