"""A report as one JSON document, for programs."""

from collections.abc import Sequence
from typing import Any

from ecrlab.analysis.costs import outlook
from ecrlab.analysis.costs.archive import cost
from ecrlab.analysis.costs.bounds import Bounds
from ecrlab.analysis.costs.risks import RUNS
from ecrlab.analysis.costs.savings import PolicyEffect
from ecrlab.analysis.costs.storage import own, stored, stored_together, sum_of_sizes
from ecrlab.analysis.inventory.snapshot import days_since
from ecrlab.analysis.report.report import Report


def as_json(reports: Sequence[Report]) -> dict[str, Any]:
    """A report for programs. An amount is `{"least": …, "most": …}`; both are the same where it is known."""
    prices = reports[0].prices
    snapshots = [report.snapshot for report in reports]
    return {
        "repositories": [_one_as_json(report) for report in reports],
        "together": {
            "bytes": _amount(stored_together(snapshots, mounting=False)),
            "bytesIfMounted": _amount(stored_together(snapshots, mounting=True)),
        },
        "prices": {
            "title": prices.title,
            "dated": prices.dated,
            "currency": prices.currency,
            "sources": list(prices.sources),
            "doubts": list(prices.doubts),
        },
    }


def _one_as_json(report: Report) -> dict[str, Any]:
    snapshot, prices = report.snapshot, report.prices
    alone = own(snapshot)
    pushed = days_since(snapshot, [image.pushed_at for image in snapshot.images])
    pulled = days_since(snapshot, [image.last_pulled_at for image in snapshot.images])
    told: dict[str, Any] = {
        "repositoryName": snapshot.name,
        "takenAt": snapshot.taken_at.isoformat(),
        "imageCount": len(snapshot),
        "bytes": _amount(stored(snapshot)),
        "sumOfImageSizes": sum_of_sizes(snapshot),
        "costPerMonth": _amount(cost(snapshot, prices)),
        "images": [
            {
                "imageDigest": image.image_digest,
                "imageTags": list(image.image_tags),
                "daysSincePush": days,
                "daysSincePull": since,
                "bytesOfItsOwn": alone.get(image.image_digest),
            }
            for image, days, since in zip(snapshot.images, pushed, pulled, strict=True)
        ],
        "projection": {name: _ahead(report, name) for name in report.projection.trajectories},
        "runningNotFound": [reference.text for reference in report.running[1]],
        "doubts": report.doubts,
    }
    if report.effect is not None:
        told["policy"] = _policy_as_json(report, report.effect)
    return told


def _policy_as_json(report: Report, effect: PolicyEffect) -> dict[str, Any]:
    return {
        "rules": [
            {
                "rulePriority": saving.rule.rule_priority,
                "says": saving.rule.in_words,
                "deleted": saving.deleted,
                "archived": saving.archived,
                "bytesFreed": _amount(saving.freed),
            }
            for saving in effect.savings
        ],
        "after": {
            "imageCount": len(effect.after),
            "bytes": _amount(stored(effect.after)),
            "costPerMonth": _amount(cost(effect.after, report.prices)),
        },
        "atRisk": [
            {
                "imageDigest": risk.image.image_digest,
                "imageTags": list(risk.image.image_tags),
                "why": "RUNS" if risk.why == RUNS else "PULLED_IN_THE_LAST_WEEK",
                "where": list(risk.where),
                "rulePriority": risk.rule.rule_priority,
                "action": risk.rule.action.type.upper(),
            }
            for risk in report.risks
        ],
    }


def _ahead(report: Report, name: str) -> list[dict[str, Any]]:
    """What becomes of a repository under one policy, once for each future."""
    return [
        {
            "day": trajectory.end.day.isoformat(),
            "imageCount": trajectory.end.images,
            "bytes": _amount(trajectory.end.stored.total),
            "costPerMonth": _amount(outlook.month(trajectory.end, report.prices)),
            "costOfAllDays": _amount(outlook.paid(trajectory, report.prices)),
            "neededButGone": outlook.missed(trajectory),
        }
        for trajectory in report.projection.trajectories[name]
    ]


def _amount(amount: Bounds[Any]) -> dict[str, Any]:
    return {"least": amount.least, "most": amount.most}
