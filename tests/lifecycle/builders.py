"""Short ways to write policies and images in the tests of this folder."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from ecrlab.lifecycle import Evaluation, Image, Policy, parse

NOW = datetime(2026, 9, 1, 9, tzinfo=UTC)


def rule(
    priority: int,
    tags: Iterable[str] | None = None,
    *,
    status: str | None = None,
    keep: int | None = None,
    pushed: int | None = None,
    unused: int | None = None,
    archived: int | None = None,
    archive: bool = False,
    **changes: Any,
) -> dict[str, Any]:
    """A rule in AWS's JSON; `keep` images, or `pushed`, `unused`, `archived` days ago; `changes` to its selection."""
    number, kind = next(
        (number, kind)
        for number, kind in (
            (keep, "imageCountMoreThan"),
            (pushed, "sinceImagePushed"),
            (unused, "sinceImagePulled"),
            (archived, "sinceImageTransitioned"),
        )
        if number is not None
    )
    selection: dict[str, Any] = {"tagStatus": status or ("tagged" if tags else "any")}
    if tags:
        selection["tagPatternList"] = list(tags)
    if archived is not None:
        selection["storageClass"] = "archive"
    selection["countType"] = kind
    if keep is None:
        selection["countUnit"] = "days"
    selection["countNumber"] = number
    transition = archive or unused is not None
    action = {"type": "transition", "targetStorageClass": "archive"} if transition else {"type": "expire"}
    selection = {key: value for key, value in (selection | changes).items() if value != "absent"}
    return {"rulePriority": priority, "selection": selection, "action": action}


def text(*rules: Any) -> str:
    """A policy's text."""
    return json.dumps({"rules": list(rules)})


def policy(*rules: Any) -> Policy:
    """A policy that AWS accepts."""
    return parse(text(*rules))


def image(digest: str, tags: str = "", days: float = 0, **facts: Any) -> Image:
    """An image pushed some days before NOW; `tags` with spaces between."""
    return Image(digest, tuple(tags.split()), NOW - timedelta(days=days), **facts)


def going(evaluation: Evaluation) -> dict[str, int | None]:
    """Which digests go, and by the rule of which priority."""
    return {
        verdict.image.image_digest: verdict.rule_priority
        for verdict in (*evaluation.expiring, *evaluation.transitioning)
    }
