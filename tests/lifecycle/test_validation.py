"""Which policies PutLifecyclePolicy takes and refuses, with the texts that AWS gives."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.lifecycle import InvalidLifecyclePolicy, parse
from ecrlab.lifecycle.schema import MOST_LINES
from tests.lifecycle.builders import rule, text
from tests.lifecycle.strategies import JSON

NO_SELECTION = "instance failed to match exactly one schema (matched 0 out of 4)"
NO_ACTION = "instance failed to match exactly one schema (matched 0 out of 2)"
NOT_A_POLICY = "Could not map policyString into LifecyclePolicy."


def without(key: str, value: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in value.items() if k != key}


def refusal(policy_text: str) -> InvalidLifecyclePolicy:
    with pytest.raises(InvalidLifecyclePolicy) as caught:
        parse(policy_text)
    return caught.value


# What AWS takes


@pytest.mark.parametrize(
    "rules",
    [
        [rule(1, ["prod*"], pushed=14)],
        [rule(1, unused=90)],
        [rule(1, archived=365)],
        [rule(1, status="untagged", keep=1)],
        [rule(1, ["prod*"], pushed=30, archive=True)],
        [rule(1, pushed=30, archive=True), rule(2, archived=365)],
        [rule(1, archived=90)],
        [rule(10, ["*test*1*2*3"], keep=1), rule(3, status="tagged", keep=1, tagPrefixList=["test"])],
        [rule(2, keep=1), rule(1, ["v*"], keep=1)],
        [rule(1, keep=1, storageClass="standard")],
        [rule(1, ["v*"], keep=1, countUnit="absent")],
        [
            rule(1, status="tagged", keep=1, tagPrefixList=["v"]),
            rule(2, status="tagged", archived=90, tagPrefixList=["v"]),
        ],
        [rule(1, status="untagged", keep=1), rule(2, status="untagged", archived=90)],
        [
            rule(1, status="tagged", keep=1, tagPrefixList=["a"]),
            rule(2, status="tagged", keep=1, tagPrefixList=["a", "b"]),
        ],
        [rule(n, [f"v{n}*"], keep=n) for n in range(1, 51)],
        [rule(1, keep=2**31 - 1)],
        [rule(1, keep=1) | {"description": "é" * 200}],
        [rule(1, keep=1) | {"description": ""}],
    ],
)
def test_a_policy_that_aws_takes(rules: list[Any]) -> None:
    assert len(parse(text(*rules)).rules) == len(rules)


def test_rules_come_in_the_order_of_their_priority() -> None:
    policy = parse(text(rule(20, keep=1), rule(3, ["v*"], keep=1)))

    assert [each.rule_priority for each in policy] == [3, 20]


def test_a_policy_is_given_back_without_white_space_and_in_the_order_of_priority() -> None:
    given = json.dumps({"rules": [rule(2, keep=1), rule(1, ["é*"], keep=1)]}, indent=4, ensure_ascii=False)

    minified = parse(given).minified()

    assert minified == json.dumps(
        {"rules": [rule(1, ["é*"], keep=1), rule(2, keep=1)]}, separators=(",", ":"), ensure_ascii=False
    )


# What AWS refuses, line by line of what is known of its answers


def changed(place: str, value: Any) -> str:
    """A good policy with one value changed, at a place such as `rules[0].selection.countNumber`."""
    document = {"rules": [rule(1, ["v*"], pushed=9)]}
    spot: Any = document
    *path, last = place.replace("[0]", ".0").split(".")
    for key in path:
        spot = spot[int(key) if key == "0" else key]
    spot[int(last) if last == "0" else last] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("place", "value", "detail"),
    [
        (
            "rules[0].selection.countNumber",
            0,
            "numeric instance is lower than the required minimum (minimum: 1, found: 0)",
        ),
        ("rules[0].rulePriority", -1, "numeric instance is lower than the required minimum (minimum: 1, found: -1)"),
        (
            "rules[0].rulePriority",
            "1",
            'instance type (string) does not match any allowed primitive type (allowed: ["integer"])',
        ),
        (
            "rules[0].rulePriority",
            True,
            'instance type (boolean) does not match any allowed primitive type (allowed: ["integer"])',
        ),
        (
            "rules[0].selection.countNumber",
            1.5,
            'instance type (number) does not match any allowed primitive type (allowed: ["integer"])',
        ),
        ("rules[0].selection.countNumber", 2**31, NOT_A_POLICY),
        (
            "rules[0].description",
            None,
            'instance type (null) does not match any allowed primitive type (allowed: ["string"])',
        ),
        ("rules[0].selection.storageClass", None, NO_SELECTION),
        ("rules[0].action.targetStorageClass", None, NO_ACTION),
        ("rules[0].action.targetStorageClass", "archive", NO_ACTION),
        ("rules[0].selection.countType", "sinceYesterday", NO_SELECTION),
        (
            "rules[0].selection.countUnit",
            "hours",
            'instance value (hours) not found in enum :(possible values: ["days"])',
        ),
        (
            "rules[0].selection.tagStatus",
            "TAGGED",
            'instance value (TAGGED) not found in enum :(possible values: ["any","tagged","untagged"])',
        ),
        (
            "rules[0].action.type",
            "delete",
            'instance value (delete) not found in enum :(possible values: ["expire","transition"])',
        ),
        (
            "rules[0].selection.tagPatternList[0]",
            "test*1*2*3*4*5*6",
            "Invalid tag pattern provided. Total number of * must not exceed 4",
        ),
        (
            "rules[0].selection.tagPatternList[0]",
            "*****",
            "Invalid tag pattern provided. Total number of * must not exceed 4",
        ),
        (
            "rules[0].selection.tagPatternList[0]",
            7,
            'instance type (integer) does not match any allowed primitive type (allowed: ["string"])',
        ),
        (
            "rules[0].selection",
            [],
            'instance type (array) does not match any allowed primitive type (allowed: ["object"])',
        ),
        (
            "rules[0]",
            "rule",
            'instance type (string) does not match any allowed primitive type (allowed: ["object"])',
        ),
    ],
)
def test_a_bad_value_is_refused_with_its_place(place: str, value: Any, detail: str) -> None:
    error = refusal(changed(place, value).ljust(100))

    assert error.detail == detail
    assert error.place.startswith(place)


@pytest.mark.parametrize(
    ("rules", "detail"),
    [
        ([rule(1, pushed=1, countUnit="absent")], NO_SELECTION),
        ([rule(1, keep=1, countUnit="days")], NO_SELECTION),
        ([rule(1, archived=90, storageClass="absent")], NO_SELECTION),
        ([rule(1, ["v*"], keep=1), rule(1, ["w*"], keep=1)], "Duplicate priority in multiple rules"),
        ([rule(1, keep=1), rule(2, keep=2)], "Only one rule can specify tagStatus=ANY"),
        ([rule(1, archived=90), rule(2, archived=91)], "Only one rule can specify tagStatus=ANY"),
        (
            [rule(1, keep=1), rule(2, ["v*"], keep=1)],
            "Rule for tagStatus=ANY must have the lowest priority per storage class",
        ),
        (
            [rule(1, archived=90), rule(2, status="untagged", archived=90)],
            "Rule for tagStatus=ANY must have the lowest priority per storage class",
        ),
        (
            [rule(1, status="untagged", keep=1), rule(2, status="untagged", pushed=1)],
            "Only one rule can select Untagged images per storage class.",
        ),
        (
            [rule(1, status="tagged", keep=1)],
            "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.",
        ),
        (
            [rule(1, status="tagged", keep=1, tagPatternList=[])],
            "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.",
        ),
        (
            [rule(1, ["v*"], keep=1, tagPrefixList=["v"])],
            "If policy has a tagged rule, it must specify only one of tagPrefixList or tagPatternList",
        ),
        ([rule(1, keep=1, tagPrefixList=["v"])], "Cannot specify tagPrefixList with tagStatus any"),
        (
            [rule(1, ["v*"], status="untagged", keep=1)],
            "Cannot specify tagPatternList with tagStatus untagged",
        ),
        (
            [rule(1, keep=1, storageClass="archive")],
            "SINCE_IMAGE_PUSHED, SINCE_IMAGE_PULLED and IMAGE_COUNT_MORE_THAN support the STANDARD storage class only",
        ),
        (
            [rule(1, archived=90, storageClass="standard")],
            "SINCE_IMAGE_TRANSITIONED supports the ARCHIVE storage class only",
        ),
        ([rule(1, archived=90, archive=True)], "SINCE_IMAGE_TRANSITIONED supports the EXPIRE action only"),
        ([rule(1, archived=89)], "SINCE_IMAGE_TRANSITIONED requires a countNumber of at least 90 days"),
        (
            [rule(1, unused=90) | {"action": {"type": "expire"}}],
            "SINCE_IMAGE_PULLED supports the TRANSITION action only",
        ),
        ([rule(1, keep=1) | {"action": {"type": "transition"}}], NOT_A_POLICY),
        (
            [
                rule(1, status="tagged", keep=1, tagPrefixList=["a", "b"]),
                rule(2, status="tagged", pushed=1, tagPrefixList=["b", "a"]),
            ],
            "Rules of one storage class must have a unique set of prefixes",
        ),
        (
            [rule(1, keep=1) | {"color": "red"}],
            'object instance has properties which are not allowed by the schema: (["color"])',
        ),
        (
            [rule(1, keep=1, color="red")],
            'object instance has properties which are not allowed by the schema: (["color"])',
        ),
        ([without("action", rule(1, keep=1))], 'object has missing required properties (["action"])'),
        (
            [rule(1, keep=1, tagStatus="absent", countNumber="absent")],
            'object has missing required properties (["countNumber","tagStatus"])',
        ),
        (
            [rule(n, [f"v{n}*"], keep=n) for n in range(1, 52)],
            "array is too long: must have at most 50 elements but instance has 51 elements",
        ),
        ([], "array is too short: must have at least 1 elements but instance has 0 elements"),
    ],
)
def test_rules_that_do_not_agree_are_refused(rules: list[Any], detail: str) -> None:
    assert refusal(text(*rules).ljust(100)).detail == detail


@pytest.mark.parametrize(
    ("policy_text", "detail"),
    [
        ("not JSON", NOT_A_POLICY),
        ("[]", NOT_A_POLICY),
        ("null", NOT_A_POLICY),
        ('{"rules": [', NOT_A_POLICY),
        ("{}", 'object has missing required properties (["rules"])'),
        (
            '{"rules": {}}',
            'instance type (object) does not match any allowed primitive type (allowed: ["array"])',
        ),
        (
            text(rule(1, keep=1))[:-1] + ', "version": 1}',
            'object instance has properties which are not allowed by the schema: (["version"])',
        ),
        (text(rule(1, keep=1)).replace('"countNumber": 1', '"countNumber": NaN'), NOT_A_POLICY),
        (text(rule(1, keep=1)).replace('"countNumber": 1', '"countNumber": ' + "9" * 5000), NOT_A_POLICY),
        (text(rule(1, keep=1)).replace('"countNumber": 1', '"countNumber": 1, "countNumber": 9'), NOT_A_POLICY),
        (text(rule(1, ["\ud800"], keep=1)), NOT_A_POLICY),
        ("[" * 30_000, NOT_A_POLICY),
        ('{"rules":' + "[" * 10_000 + "]" * 10_000 + "}", NOT_A_POLICY),
    ],
)  # fmt: skip
def test_a_text_that_is_no_policy_is_refused(policy_text: str, detail: str) -> None:
    error = refusal(policy_text.ljust(100))

    assert error.detail == detail
    assert str(error) == error.message
    reason = f"parsing failure: {detail}" if detail == NOT_A_POLICY else f"validation failure: {detail}\n"
    assert error.message == (
        f"Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy {reason}'"
    )


NULL_LIST = 'instance type (null) does not match any allowed primitive type (allowed: ["array"])'


@pytest.mark.parametrize(
    ("rules", "lines"),
    [
        ([rule(1, keep=10, tagPrefixList=None, tagPatternList=None)], [NULL_LIST, NULL_LIST]),
        ([rule(1, keep=10, countType="imageCountMoreThanN")], [NO_SELECTION]),
        # The schema is held against all rules before any is read: the first would not be mapped.
        (
            [
                rule(2, unused=90) | {"action": {"type": "transition"}},
                rule(3, archived=90, storageClass="absent"),
            ],
            [NO_SELECTION],
        ),
        (
            [rule(1, keep=1) | {"action": {"type": "expire", "targetStorageClass": None}}, rule(2, keep=0)],
            [NO_ACTION, "numeric instance is lower than the required minimum (minimum: 1, found: 0)"],
        ),
        # What does not fit itself is not looked into.
        (
            [rule(1, keep=0, color="red")],
            ['object instance has properties which are not allowed by the schema: (["color"])'],
        ),
        ([rule(1, ["v*"], keep=1, tagPatternList=[None] * 5999)], [NULL_LIST.replace("array", "string")] * MOST_LINES),
    ],
)
def test_each_failure_of_the_schema_has_a_line_and_a_line_break_ends_them(rules: list[Any], lines: list[str]) -> None:
    error = refusal(text(*rules).replace(", ", ","))

    assert error.detail.splitlines() == lines
    assert error.message.endswith(lines[-1] + "\n'")


def test_a_missing_list_comes_before_a_bad_pattern_of_another_rule() -> None:
    assert refusal(text(rule(1, ["*****"], keep=1), rule(2, status="tagged", keep=1))).detail.startswith("Must specify")


def test_a_text_has_100_to_30720_characters() -> None:
    good = text(rule(1, ["v*"], keep=1))

    assert parse(good.ljust(30_720))
    assert "less than or equal to 30720" in refusal(good.ljust(30_721)).message
    assert "greater than or equal to 100" in refusal("{}".ljust(99)).message


def test_a_long_hostile_value_does_not_flood_the_message() -> None:
    assert len(refusal(changed("rules[0].selection.tagStatus", "\n" * 20_000)).message) < 400


PLACES = [
    "rules", "rules[0]", "rules[0].rulePriority", "rules[0].description", "rules[0].selection", "rules[0].action",
    *(f"rules[0].selection.{key}" for key in ("tagStatus", "tagPatternList", "tagPrefixList", "storageClass")),
    *(f"rules[0].selection.{key}" for key in ("countType", "countUnit", "countNumber")),
    "rules[0].action.type", "rules[0].action.targetStorageClass",
]  # fmt: skip


@settings(max_examples=200)
@given(st.sampled_from(PLACES), JSON)
def test_whatever_stands_in_a_policy_it_is_taken_or_refused(place: str, value: Any) -> None:
    try:
        parse(changed(place, value).ljust(100))
    except InvalidLifecyclePolicy as error:
        assert error.detail


@settings(max_examples=100)
@given(st.text())
def test_any_text_is_taken_or_refused(policy_text: str) -> None:
    with pytest.raises(InvalidLifecyclePolicy):
        parse(policy_text, shortest=0)
