"""An evaluation as AWS's own preview shows it: `previewResults` and `summary` of GetLifecyclePolicyPreview.

AWS lists only the images that go; `kept` adds the others, each with its reason. Shapes: botocore model,
LifecyclePolicyPreviewResult and LifecyclePolicyPreviewSummary.
"""

from typing import Any

from ecrlab.lifecycle.evaluation import Evaluation
from ecrlab.lifecycle.explanation import explain_at
from ecrlab.lifecycle.policy import TRANSITION, Action
from ecrlab.lifecycle.verdict import Verdict


def results(evaluation: Evaluation) -> list[dict[str, Any]]:
    """`previewResults`: the images that go, oldest first; dates are datetimes, as boto3 gives them."""
    return [_result(verdict) for verdict in evaluation if verdict.action]


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """`summary`: how many expire, and how many move to the archive if any does."""
    told: dict[str, Any] = {"expiringImageTotalCount": len(evaluation.expiring)}
    if evaluation.transitioning:
        told["transitioningImageTotalCounts"] = [
            {"targetStorageClass": "ARCHIVE", "imageTotalCount": len(evaluation.transitioning)}
        ]
    return told


def kept(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The images that stay, oldest first, and why: `imageDigest`, `imageTags`, `reason`."""
    return [
        {
            "imageDigest": evaluation.images[position].image_digest,
            "imageTags": list(evaluation.images[position].image_tags),
            "reason": explain_at(evaluation, position),
        }
        for position in evaluation.line
        if not evaluation.acts(position)
    ]


def _result(verdict: Verdict) -> dict[str, Any]:
    image = verdict.image
    return {
        "imageTags": list(image.image_tags),
        "imageDigest": image.image_digest,
        "imagePushedAt": image.pushed_at,
        "action": action(verdict.action),
        "appliedRulePriority": verdict.rule_priority,
        "storageClass": image.storage_class.upper(),
    }


def action(wanted: Action | None) -> dict[str, str]:
    """An action in the words of the preview: capitals, and a target only for a transition."""
    if wanted is None:
        return {}
    told = {"type": wanted.type.upper()}
    if wanted.type == TRANSITION and wanted.target_storage_class:
        told["targetStorageClass"] = wanted.target_storage_class.upper()
    return told
