"""What AWS accepts and people regret: each finding provoked, and cured."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings

from ecrlab.lifecycle import Image, evaluate
from ecrlab.lifecycle.finding import ERROR, NOTE, WARNING, Finding
from ecrlab.lifecycle.lint import lint
from tests.lifecycle.builders import NOW, going, image, policy, rule
from tests.lifecycle.strategies import policies, repositories

LATEST = rule(1, ["latest"], keep=1)
RELEASES = rule(2, ["v*"], keep=50)
UNTAGGED = rule(3, status="untagged", pushed=1)
REST = rule(4, pushed=30)


def found(*rules: Any, images: list[Image] | None = None) -> dict[str, tuple[str, int | None]]:
    judged = policy(*rules)
    evaluation = None if images is None else evaluate(judged, images, NOW)
    return {each.code: (each.severity, each.rule_priority) for each in lint(judged, evaluation)}


def test_a_careful_policy_has_nothing_but_a_note() -> None:
    assert found(LATEST, RELEASES, UNTAGGED, REST) == {"untagged-children": (NOTE, 3)}


@pytest.mark.parametrize(
    ("rules", "code", "severity", "priority"),
    [
        ([rule(1, ["prod*", "staging*"], keep=1)], "all-of-a-list", ERROR, 1),
        ([rule(1, status="tagged", keep=1, tagPrefixList=["latest", "main"])], "all-of-a-list", ERROR, 1),
        ([rule(1, ["*.*.*", "v*.*.*"], keep=1)], "all-of-a-list", ERROR, 1),
        ([rule(1, status="tagged", keep=1, tagPrefixList=["v1.2", "v"])], "all-of-a-list", ERROR, 1),
        ([rule(1, ["v*"], keep=9), rule(2, ["v1.*"], keep=1)], "never-acts", ERROR, 2),
        ([rule(1, ["v*"], keep=9), rule(2, ["v*"], pushed=30)], "never-acts", ERROR, 2),
        ([rule(1, ["a*"], keep=9), rule(2, ["a*", "b*"], pushed=30)], "never-acts", ERROR, 2),
        ([rule(1, ["*"], keep=9), rule(2, status="untagged", keep=1), rule(3, keep=9)], "never-acts", ERROR, 3),
        ([rule(1, status="tagged", keep=1, tagPrefixList=["v*"])], "never-acts", ERROR, 1),
        ([rule(1, ["feature/*"], keep=1)], "never-acts", ERROR, 1),
        ([rule(1, ["dev*"], keep=1), rule(2, pushed=30)], "release-falls-to-any", WARNING, 2),
        ([rule(1, keep=100)], "latest-at-risk", WARNING, 1),
        ([rule(1, ["l*"], pushed=9)], "latest-at-risk", WARNING, 1),
        ([rule(1, ["latest"], pushed=9)], "latest-at-risk", WARNING, 1),
        ([rule(1, ["v*"], keep=10)], "no-cap", WARNING, None),
        ([UNTAGGED], "no-cap", WARNING, None),
        ([rule(1, pushed=100, archive=True)], "no-cap", WARNING, None),
        ([rule(1, unused=30)], "archived-early", WARNING, 1),
        ([rule(1, ["v*"], keep=5, archive=True)], "archived-early", WARNING, 1),
        ([rule(1, status="untagged", keep=5)], "untagged-children", WARNING, 1),
        ([UNTAGGED], "untagged-children", NOTE, 3),
        ([rule(1, keep=10)], "untagged-children", WARNING, 1),
        ([rule(1, ["v1"], keep=5)], "one-tag-only", NOTE, 1),
        ([rule(1, archived=90)], "archive-unused", WARNING, 1),
    ],
)
def test_what_people_regret_is_found(rules: list[Any], code: str, severity: str, priority: int | None) -> None:
    assert found(*rules)[code] == (severity, priority)


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([rule(1, ["prod*"], keep=1), rule(2, ["staging*"], keep=1)], "all-of-a-list"),
        ([rule(1, ["v*", "v**"], keep=1)], "all-of-a-list"),
        ([rule(1, ["v1.*"], keep=1), rule(2, ["v*"], keep=9)], "never-acts"),
        ([rule(1, pushed=100, archive=True), rule(2, archived=90)], "never-acts"),
        ([rule(1, ["a*", "b*"], keep=1), rule(2, ["a*"], keep=1)], "never-acts"),
        ([rule(1, ["v*"], keep=1), rule(2, pushed=30)], "release-falls-to-any"),
        ([LATEST, rule(2, keep=100)], "latest-at-risk"),
        ([rule(1, ["v*"], keep=100)], "latest-at-risk"),
        ([rule(1, keep=100)], "no-cap"),
        ([rule(1, pushed=90, archive=True), rule(2, archived=90)], "archived-early"),
        ([rule(1, pushed=90, archive=True), rule(2, archived=90)], "archive-unused"),
        ([rule(1, pushed=5)], "untagged-children"),
        ([rule(1, ["l*"], keep=9999), rule(2, pushed=5)], "latest-at-risk"),
    ],
)
def test_what_is_cured_is_not_found(rules: list[Any], code: str) -> None:
    assert code not in found(*rules)


def test_images_with_tags_of_two_rules_are_found() -> None:
    rules = [rule(1, ["beta*"], keep=1), rule(2, ["prod*"], keep=5)]

    assert found(*rules, images=[image("A", "beta-1 prod-1")])["tags-of-two-rules"] == (WARNING, 1)
    assert "tags-of-two-rules" not in found(*rules, images=[image("A", "beta-1 beta-2"), image("B", "prod-1")])


@pytest.mark.parametrize("shield", [rule(1, ["latest"], keep=1), rule(1, ["lat*"], keep=9999)])
def test_a_shield_is_not_found_fault_with(shield: Any) -> None:
    images = [image("A", "latest v1.3.0", 9), image("B", "v1.2.0", 19)]

    assert found(shield, RELEASES, UNTAGGED, REST, images=images) == {"untagged-children": (NOTE, 3)}


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([rule(1, status="tagged", keep=30, tagPrefixList=["SNAPSHOT-"])], "selects-nothing"),
        ([rule(1, ["V*"], keep=30)], "selects-nothing"),
        ([rule(1, ["v*", "latest"], keep=30)], "selects-nothing"),
    ],
)
def test_a_rule_whose_tags_no_image_has_is_found(rules: list[Any], code: str) -> None:
    assert found(*rules, images=[image("A", "v1.2.0"), image("B", "latest snapshot-1")])[code] == (WARNING, 1)
    assert code not in found(*rules, images=[image("A", "v1.2.0 latest SNAPSHOT-1 V1")])
    assert code not in found(*rules, images=[])


def test_the_image_tagged_latest_is_found_when_it_goes() -> None:
    assert found(rule(1, pushed=30), images=[image("A", "latest", 31)])["latest-goes"] == (ERROR, 1)
    assert "latest-goes" not in found(rule(1, pushed=30), images=[image("A", "latest", 30)])


def test_releases_that_the_last_rule_takes_are_found() -> None:
    rules = [rule(1, ["dev*"], keep=1), rule(2, pushed=30)]

    assert found(*rules, images=[image("A", "v1.2.3", 31)])["releases-go"] == (ERROR, 2)
    assert "releases-go" not in found(*rules, images=[image("A", "video", 31), image("B", "v1.2.3", 3)])


def test_findings_come_with_a_cure_and_errors_first() -> None:
    findings = lint(policy(rule(1, status="untagged", pushed=1), rule(2, ["a*", "b*"], keep=1), rule(3, keep=1)))

    severities = [finding.severity for finding in findings]
    assert severities == sorted(severities, key=[ERROR, WARNING, NOTE].index)
    assert all(finding.cure and finding.message for finding in findings)


@settings(max_examples=100)
@given(policies(), repositories())
def test_a_rule_that_is_said_never_to_act_does_not(rules: list[dict[str, Any]], images: list[Image]) -> None:
    judged = policy(*rules)
    dead = {each.rule_priority for each in lint(judged) if each.code == "never-acts"}
    later = NOW + timedelta(days=400)

    assert dead.isdisjoint(going(evaluate(judged, images, later)).values())


# The cures, applied as they say


def before(new: dict[str, Any], rules: list[dict[str, Any]], number: int | None) -> list[dict[str, Any]]:
    """The rules with a new one before that of a number, or at the beginning."""
    place = next((n for n, each in enumerate(rules) if each["rulePriority"] == number), 0)
    return [each | {"rulePriority": n} for n, each in enumerate([*rules[:place], new, *rules[place:]], 1)]


def changed(rules: list[dict[str, Any]], number: int | None, **facts: Any) -> list[dict[str, Any]]:
    return [
        each | {"selection": _bounded(each["selection"], **facts)} if each["rulePriority"] == number else each
        for each in rules
    ]


def _bounded(selection: dict[str, Any], **bound: int) -> dict[str, Any]:
    tags = {key: selection[key] for key in ("tagPatternList", "tagPrefixList") if key in selection}
    return rule(1, status=selection["tagStatus"], **bound)["selection"] | tags


def cured(rules: list[dict[str, Any]], finding: Finding) -> list[dict[str, Any]] | None:
    """The rules after the cure of a finding, where that is one thing that can be done."""
    number, cure = finding.rule_priority, finding.cure
    if cure.startswith("put a rule with tagPatternList ['latest']"):
        return before(rule(1, ["latest"], keep=1), rules, 1)
    if cure.startswith("use imageCountMoreThan 1 in"):
        number = int(named[1]) if (named := re.search(r" in rule (\d+)", cure)) else number
        better = changed(rules, number, keep=1)
        first = next(each for each in better if each["rulePriority"] == number)
        return before(first, [each for each in better if each is not first], better[0]["rulePriority"])
    if cure.startswith("use sinceImagePushed for it"):
        return changed(rules, number, pushed=400)
    if cure.startswith("put a rule for your release tags"):
        first = next(each for each in rules if each["selection"].get("tagPatternList") != ["latest"])
        return before(rule(1, ["v*"], keep=50), rules, first["rulePriority"])
    if finding.code == "tags-of-two-rules":
        other = int(re.findall(r"rule (\d+)", cure)[0])
        numbers = {number: other, other: number}
        return [each | {"rulePriority": numbers.get(each["rulePriority"], each["rulePriority"])} for each in rules]
    return None


@settings(max_examples=75, derandomize=True)
@given(policies(), repositories())
def test_a_cure_makes_its_finding_go_and_brings_no_other(rules: list[dict[str, Any]], images: list[Image]) -> None:
    taken: set[str] = set()
    alone = []
    for each in images:  # a tag is on one image only
        tags = tuple(tag for tag in each.image_tags if tag not in taken)
        # No rule shields what goes with its subject.
        alone.append(replace(each, image_tags=tags, subject_digest=None))
        taken.update(each.image_tags)
    images = [*alone, image("release", "v1.0.0", 1)]

    def findings(rules: list[dict[str, Any]]) -> list[Finding]:
        judged = policy(*rules)
        return lint(judged, evaluate(judged, images, NOW))

    had = findings(rules)
    # Rules that do not do what they say are cured first, by hand.
    assume(not {"all-of-a-list", "never-acts"} & {each.code for each in had})
    for finding in had:
        if better := cured(rules, finding):
            now = findings(better)
            kinds, kind = [(each.code, each.severity) for each in now], (finding.code, finding.severity)
            assert kinds.count(kind) < [(each.code, each.severity) for each in had].count(kind), (finding, now)
            assert {each.code for each in now} <= {each.code for each in had}, (finding, now)
