"""Findings, previews and differences as lines of output: a table for people, JSON for programs.

It is plain text without a library, because a pipeline may have only Python, and a repository may have a million images.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ecrlab.lifecycle import preview
from ecrlab.lifecycle.diff import Change, Difference
from ecrlab.lifecycle.evaluation import Evaluation
from ecrlab.lifecycle.explanation import brief, explain
from ecrlab.lifecycle.finding import SEVERITIES, Finding
from ecrlab.lifecycle.preview import Disagreement
from ecrlab.lifecycle.verdict import Verdict

_HEAD = ("ACTION", "RULE", "PUSHED (UTC)", "DIGEST", "TAGS")


def refusal_json(message: str) -> dict[str, Any]:
    """Return the document for a rejected policy: `valid` (false) and `error`."""
    return {"valid": False, "error": message}


def lint_json(findings: Iterable[Finding]) -> dict[str, Any]:
    """Return the document for a valid policy: `valid` (true) and `findings`."""
    return {"valid": True, "findings": [_camel(asdict(finding)) for finding in findings]}


def lint_documents(documents: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Return the document of one policy, or the list of several, each with its `file`."""
    if len(documents) == 1:
        return _json(*documents.values())
    return _json([{"file": name, **document} for name, document in documents.items()])


def lint_table(findings: Sequence[Finding]) -> Iterator[str]:
    """Return each finding with its cure, and their number by severity."""
    for finding in findings:
        about = f"rule {finding.rule_priority} " if finding.rule_priority else ""
        yield f"{finding.severity}: {finding.code}: {about}{finding.message}"
        yield f"    cure: {finding.cure}"
    counts = {s: sum(finding.severity == s for finding in findings) for s in SEVERITIES}
    told = [f"{number} {severity}{'' if number == 1 else 's'}" for severity, number in counts.items()]
    yield f"The policy is valid: {', '.join(told)}."


def preview_json(
    evaluation: Evaluation, harmed: dict[str, int], disagreements: list[Disagreement] | None, explained: bool
) -> Iterator[str]:
    """Return `previewResults` and `summary` as AWS has them, and `kept`; `explained` adds a `reason` to each result."""
    results = preview.results(evaluation)
    if explained:
        for result in results:
            result["reason"] = explain(evaluation, result["imageDigest"])
    document = {"previewResults": results, "summary": preview.summary(evaluation), "kept": preview.kept(evaluation)}
    if harmed:
        document["protectedImagesGoing"] = list(harmed)
    if disagreements is not None:
        document["disagreements"] = [_camel(asdict(each)) for each in disagreements]
    return _json(document)


def preview_table(
    evaluation: Evaluation, harmed: dict[str, int], disagreements: list[Disagreement] | None, explained: bool
) -> Iterator[str]:
    """Return the images that expire or move; with `explained` all images, each with its sentence."""
    shown = [verdict for verdict in evaluation if explained or verdict.action]
    yield from _table([(_outcome(v), *_facts(v)) for v in shown], evaluation, shown if explained else [])
    yield f"{_number(evaluation.images)}: {_count(evaluation)}."
    yield from _warnings(harmed)
    if disagreements is not None:
        yield f"AWS's preview: {len(disagreements)} disagreements."
        for each in disagreements:
            doubt = f" (not documented: {each.doubt})" if each.doubt else ""
            yield f"    {each.image_digest}: here {each.ours}, AWS {each.theirs}{doubt}"


def diff_json(difference: Difference, harmed: dict[str, int], explained: bool) -> Iterator[str]:
    """Return `newlyGoing`, `newlyKept`, `goingOtherwise`, each with old and new action and rule, and both summaries."""
    document: dict[str, Any] = {
        name: [_change(change, difference, explained) for change in changes]
        for name, changes in (
            ("newlyGoing", difference.newly_going),
            ("newlyKept", difference.newly_kept),
            ("goingOtherwise", difference.going_otherwise),
        )
    }
    document["summary"] = {"old": preview.summary(difference.old), "new": preview.summary(difference.new)}
    if harmed:
        document["protectedImagesGoing"] = list(harmed)
    return _json(document)


def diff_table(difference: Difference, harmed: dict[str, int], explained: bool) -> Iterator[str]:
    """Return what the new policy takes, keeps, or takes in another way."""
    newly_deleted = [change for change in difference.newly_going if _outcome(change.new) == "expire"]
    newly_archived = len(difference.newly_going) - len(newly_deleted)
    for title, changes in (
        ("newly going", difference.newly_going),
        ("newly kept", difference.newly_kept),
        ("going otherwise", difference.going_otherwise),
    ):
        if changes:
            yield f"{title}:"
            rows = [(f"{_told(change.old)} -> {_told(change.new)}", *_facts(change.new)) for change in changes]
            yield from _table(rows, difference.new, [change.new for change in changes] if explained else [])
            yield ""
    archived = f", newly archives {newly_archived}" if newly_archived else ""
    yield (
        f"This edit newly deletes {_number(newly_deleted)}{archived}, newly keeps {len(difference.newly_kept)},"
        f" and takes {len(difference.going_otherwise)} otherwise, of {_number(difference.new.images)}."
    )
    yield from _warnings(harmed)


def _table(rows: Sequence[tuple[str, ...]], evaluation: Evaluation, explained: Sequence[Verdict]) -> Iterator[str]:
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    for number, row in enumerate([_HEAD, *rows]):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        if number and explained:
            yield f"    {explain(evaluation, explained[number - 1].image.image_digest)}"


def _facts(verdict: Verdict) -> tuple[str, str, str, str]:
    image, rule = verdict.image, verdict.rule_priority
    return (
        str(rule or "-"),
        f"{image.pushed_at:%Y-%m-%d %H:%M}",
        brief(image.image_digest),
        ", ".join(image.image_tags) or "(untagged)",
    )


def _outcome(verdict: Verdict) -> str:
    if verdict.action is None:
        return "keep"
    return "expire" if verdict.action.type == "expire" else "archive"


def _told(verdict: Verdict) -> str:
    return _outcome(verdict) + (f" (rule {verdict.rule_priority})" if verdict.rule_priority else "")


def _count(evaluation: Evaluation) -> str:
    expiring, archived = len(evaluation.expiring), len(evaluation.transitioning)
    stay = len(evaluation.images) - expiring - archived
    parts = [f"{expiring} would expire", f"{stay} would stay"]
    if archived:
        parts.insert(1, f"{archived} would be archived")
    return ", ".join(parts)


def _number(images: Sequence[object]) -> str:
    return f"{len(images)} image{'' if len(images) == 1 else 's'}"


def _warnings(harmed: dict[str, int]) -> Iterator[str]:
    for digest, run in harmed.items():
        yield f"PROTECTED, BUT WOULD GO: {digest}" + (" (in the run after its index)" if run > 1 else "")


def _change(change: Change, difference: Difference, explained: bool) -> dict[str, Any]:
    told = {
        "imageDigest": change.image.image_digest,
        "imageTags": list(change.image.image_tags),
        "imagePushedAt": change.image.pushed_at,
        "old": {"action": preview.action(change.old.action) or None, "appliedRulePriority": change.old.rule_priority},
        "new": {"action": preview.action(change.new.action) or None, "appliedRulePriority": change.new.rule_priority},
    }
    if explained:
        told["reason"] = explain(difference.new, change.image.image_digest)
    return told


def _camel(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts under keys in AWS's spelling: rule_priority becomes rulePriority."""
    return {first + "".join(map(str.title, rest)): v for k, v in facts.items() for first, *rest in [k.split("_")]}


def _json(document: Any) -> Iterator[str]:
    yield json.dumps(document, indent=2, default=_date)


def _date(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"not for JSON: {value!r}")
