"""Mistakes in policies that AWS accepts: findings, each with its cure, and more of them when images are given.

A finding is an *error* when the policy certainly does not do what it says, or is about to harm the given images; a
*warning* when it may; a *note* when it is worth knowing. Each check is a function, named after its code.
"""

import re
from collections.abc import Callable, Iterator

from ecrlab.lifecycle.coverage import deciding_about, is_shield, rule_for_all, selects_all_of, selects_every_tag
from ecrlab.lifecycle.evaluation import Evaluation
from ecrlab.lifecycle.finding import ERROR, LATEST, NOTE, SEVERITIES, WARNING, Finding, shield_latest
from ecrlab.lifecycle.lint_images import OF_IMAGES
from ecrlab.lifecycle.patterns import TagPattern
from ecrlab.lifecycle.policy import (
    ANY,
    ARCHIVE,
    EXPIRE,
    STANDARD,
    TAGGED,
    TRANSITION,
    TRANSITIONED,
    UNTAGGED,
    Policy,
    Rule,
)
from ecrlab.lifecycle.validation import LEAST_ARCHIVE_DAYS

RELEASES = ("v1.2.3", "1.2.3", "release-1.2", "prod-1")
"""Typical tags of releases."""
_NO_TAG_HAS = re.compile(r"[^A-Za-z0-9_.-]")


def lint(policy: Policy, evaluation: Evaluation | None = None) -> list[Finding]:
    """Return all findings on a valid policy, errors first; with an evaluation also those on its images."""
    found = [finding for check in _OF_POLICY for finding in check(policy)]
    if evaluation is not None:
        found += [finding for check in OF_IMAGES for finding in check(evaluation)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def all_of_a_list(policy: Policy) -> Iterator[Finding]:
    """Several prefixes or patterns in one list, written as if they meant "or"."""
    for rule in policy:
        patterns = dict.fromkeys(rule.selection.patterns)
        wide = [p for p in patterns if any(p.covers(q) and not q.covers(p) for q in patterns)]
        needed: list[TagPattern] = []
        for pattern in patterns:
            if pattern not in wide and not any(other.covers(pattern) for other in needed):
                needed.append(pattern)
        if wide or len(needed) > 1:
            wanted = " and ".join(map(str, needed))
            yield Finding(
                "all-of-a-list",
                ERROR,
                rule.rule_priority,
                f"selects only images that have tags for {wanted} at once; an image with one of them is left out"
                if len(needed) > 1
                else f"selects only images that have a tag for {wanted}: all entries of a list must be met, so that"
                f" {' and '.join(map(str, wide))} adds nothing",
                "write one rule for each entry of the list, the narrower first; keep them in one only if an image must"
                " have them all",
            )


def never_acts(policy: Policy) -> Iterator[Finding]:
    """A rule that can never act on any image."""
    for position, rule in enumerate(policy.rules):
        for pattern in rule.selection.patterns:
            if strange := _NO_TAG_HAS.search("".join(pattern.pieces)):
                star = strange.group() == "*"
                yield Finding(
                    "never-acts",
                    ERROR,
                    rule.rule_priority,
                    f"can never act, for no tag has a {strange.group()!r}"
                    + (", and in a tagPrefixList it is no wildcard" if star else ""),
                    "use tagPatternList for wildcards" if star else "correct the pattern",
                )
                break
        else:
            if shield := _shield(policy.rules[:position], rule):
                yield Finding(
                    "never-acts",
                    ERROR,
                    rule.rule_priority,
                    f"can never act: what it could take is all selected by {shield}, and an image is left to the first"
                    " rule that selects it",
                    "give the narrower rule the lower number; to delete what was archived, use storageClass archive"
                    " with sinceImageTransitioned",
                )


def _shield(earlier: tuple[Rule, ...], rule: Rule) -> str:
    """Return the names of earlier rules that together select all images of a rule, or an empty text."""
    same = [e for e in earlier if e.selection.storage_class == rule.selection.storage_class]
    for other in same:
        if selects_all_of(other, rule):
            return other.name
    if rule.selection.tag_status == ANY:
        tagged = next((e for e in same if selects_every_tag(e)), None)
        untagged = next((e for e in same if e.selection.tag_status == UNTAGGED), None)
        if tagged and untagged:
            return f"{tagged.name} and {untagged.name}"
    return ""


def release_falls_to_any(policy: Policy) -> Iterator[Finding]:
    """Release tags that no tagged rule selects; the rule for `any` then decides about them."""
    last = rule_for_all(policy)
    if last and last.action.type == EXPIRE and all(deciding_about(policy, tag) is last for tag in RELEASES):
        yield Finding(
            "release-falls-to-any",
            WARNING,
            last.rule_priority,
            f"deletes releases too: no earlier rule selects tags such as {', '.join(RELEASES[:3])}",
            f"put a rule for your release tags before the others but that for {LATEST}, for example with tagPatternList"
            " ['v*'] and a generous bound",
        )


def latest_at_risk(policy: Policy) -> Iterator[Finding]:
    """A rule that may take the image tagged `latest`."""
    rule = deciding_about(policy, LATEST)
    if rule and not is_shield(rule):
        yield Finding(
            "latest-at-risk",
            WARNING,
            rule.rule_priority,
            f"takes the image tagged {LATEST} like any other once it is past the bound; moving a tag to an old image"
            " does not make the image younger",
            f"{shield_latest(policy, rule)}: such a rule never acts, and shields the image from all later rules",
        )


def no_cap(policy: Policy) -> Iterator[Finding]:
    """Images that accumulate for ever."""
    standard = [rule for rule in policy if rule.selection.storage_class == STANDARD]
    if not any(rule.selection.tag_status in (UNTAGGED, ANY) for rule in standard):
        yield Finding(
            "no-cap",
            WARNING,
            None,
            "untagged images stay for ever: every tag that moves leaves one behind",
            "add a rule with tagStatus untagged, for example sinceImagePushed 1 day",
        )
    if not any(rule.selection.tag_status == ANY or selects_every_tag(rule) for rule in standard):
        yield Finding(
            "no-cap",
            WARNING,
            None,
            "images whose tags fit no rule stay for ever",
            f"if that is not meant, add a last rule with tagStatus any and sinceImagePushed, after rules that shield"
            f" {LATEST} and your releases",
        )
    archives = any(rule.action.type == TRANSITION for rule in policy)
    empties = any(rule.selection.storage_class == ARCHIVE for rule in policy)
    if archives and not empties:
        yield Finding(
            "no-cap",
            WARNING,
            None,
            "what is archived stays there for ever",
            f"add a rule with storageClass archive and sinceImageTransitioned, at least {LEAST_ARCHIVE_DAYS} days",
        )


def archived_early(policy: Policy) -> Iterator[Finding]:
    """A rule that archives young images, which costs more than it saves."""
    for rule in policy:
        selection = rule.selection
        if rule.action.type == TRANSITION and (selection.counts or selection.count_number < LEAST_ARCHIVE_DAYS):
            yield Finding(
                "archived-early",
                WARNING,
                rule.rule_priority,
                f"archives images that may be young, and the archive costs {LEAST_ARCHIVE_DAYS} days at least",
                "expire what nobody will need again; archive only what must be kept for long, and later",
            )


def untagged_children(policy: Policy) -> Iterator[Finding]:
    """A rule that also selects or counts the untagged parts of multi-architecture images."""
    for rule in policy:
        selection = rule.selection
        if selection.tag_status == TAGGED or selection.storage_class != STANDARD:
            continue
        parts = "the untagged parts of multi-architecture images, attestations and signatures"
        if selection.counts and not is_shield(rule):
            yield Finding(
                "untagged-children",
                WARNING,
                rule.rule_priority,
                f"also counts {parts}: they stay as long as their image does, but fill places in its count, so that"
                f" the newest {selection.count_number} may be few releases",
                "use sinceImagePushed for it, and count by a rule for tagged images",
            )
        elif selection.tag_status == UNTAGGED:
            yield Finding(
                "untagged-children",
                NOTE,
                rule.rule_priority,
                f"also selects {parts}: they stay as long as their image does, and a run may record a failure",
                "nothing to do; they go after their index",
            )


def one_tag_only(policy: Policy) -> Iterator[Finding]:
    """A pattern without a wildcard, which matches one exact tag."""
    for rule in policy:
        exact = [pattern for pattern in rule.selection.tag_pattern_list if "*" not in pattern and pattern != LATEST]
        if exact:
            yield Finding(
                "one-tag-only",
                NOTE,
                rule.rule_priority,
                f"means the one tag {exact[0]}, not tags that begin with it",
                f"write {exact[0]}* if beginnings are meant",
            )


def archive_unused(policy: Policy) -> Iterator[Finding]:
    """A rule for archived images where nothing archives any."""
    for rule in policy:
        if rule.selection.count_type == TRANSITIONED and all(other.action.type == EXPIRE for other in policy):
            yield Finding(
                "archive-unused",
                WARNING,
                rule.rule_priority,
                "acts on archived images, but no rule of this policy archives any",
                "add a rule with action transition, unless you archive images by hand",
            )


_OF_POLICY: tuple[Callable[[Policy], Iterator[Finding]], ...] = (
    all_of_a_list,
    never_acts,
    release_falls_to_any,
    latest_at_risk,
    no_cap,
    archived_early,
    untagged_children,
    one_tag_only,
    archive_unused,
)
