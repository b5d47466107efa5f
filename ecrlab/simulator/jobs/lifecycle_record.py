"""The record of a policy's run or preview, in CloudTrail's shape: PolicyExecutionEvent and DryRunEvent.

Words and members are those of the example in the AWS user guide, logging Amazon ECR actions with CloudTrail; they
differ from a policy's own (`Image count more than` for imageCountMoreThan). With ten images or more there are several
events, and an image shows at most a hundred tags.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ecrlab import lifecycle
from ecrlab.lifecycle import Rule
from ecrlab.lifecycle.policy import COUNT, PULLED, PUSHED, TRANSITION, TRANSITIONED
from ecrlab.registry.images import Failure
from ecrlab.registry.lifecycle_policies import LifecyclePolicy
from ecrlab.registry.names import repository_arn
from ecrlab.registry.world import Registry

RUN, DRY_RUN = "PolicyExecutionEvent", "DryRunEvent"

# UNSURE: the guide says that ten images or more make several events; so one event has at most nine.
MOST_IMAGES = 9
MOST_TAGS = 100

# UNSURE: the words for the last two, which the guide does not show.
COUNT_TYPES = {
    COUNT: "Image count more than",
    PUSHED: "Time since image pushed",
    PULLED: "Time since image pulled",
    TRANSITIONED: "Time since image transitioned",
}


@dataclass(frozen=True, slots=True)
class ImageAction:
    """The action of a rule on an image, or its failure."""

    image: lifecycle.Image
    rule: Rule
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy that ran: its rules, and what the registry knows of it; `evaluated_at` in seconds since 1970."""

    rules: tuple[Rule, ...]
    id: str
    version: int
    evaluated_at: float

    @classmethod
    def of(cls, kept: LifecyclePolicy, policy: lifecycle.Policy) -> "Policy":
        """Return the record of a stored policy."""
        return cls(policy.rules, kept.id, kept.version, kept.evaluated_at)


def execution(
    registry: Registry, repository: str, at: datetime, policy: Policy, actions: Sequence[ImageAction], name: str = RUN
) -> Iterator[dict[str, Any]]:
    """Yield the documents of a run, or with `DRY_RUN` of a preview; at least one."""
    for number, start in enumerate(range(0, len(actions) or 1, MOST_IMAGES)):
        some = actions[start : start + MOST_IMAGES]
        details = {
            "repositoryName": repository,
            "lifecycleEventPolicy": {
                "lifecycleEventRules": [_rule(rule) for rule in policy.rules],
                "lastEvaluatedAt": _milliseconds(policy.evaluated_at),
                "policyVersion": policy.version,
                "policyId": policy.id,
            },
            "lifecycleEventImageActions": [_action(action) for action in some if action.failure is None],
            "lifecycleEventFailureDetails": [_failure(action, action.failure) for action in some if action.failure],
        }
        yield {
            "eventVersion": "1.05",
            "userIdentity": {"accountId": registry.account_id, "invokedBy": "AWS Internal"},
            "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": "ecr.amazonaws.com",
            "eventName": name,
            "awsRegion": registry.region,
            "sourceIPAddress": "AWS Internal",
            "userAgent": "AWS Internal",
            "requestParameters": None,
            "responseElements": None,
            "eventID": str(uuid.uuid5(uuid.UUID(policy.id), f"{name} {at.isoformat()} {number}")),
            "readOnly": True,
            "resources": [
                {
                    "ARN": repository_arn(registry.account_id, registry.region, repository),
                    "accountId": registry.account_id,
                    "type": "AWS::ECR::Repository",
                }
            ],
            "eventType": "AwsServiceEvent",
            "recipientAccountId": registry.account_id,
            "serviceEventDetails": details,
        }


def _rule(rule: Rule) -> dict[str, Any]:
    selection = rule.selection
    told: dict[str, Any] = {
        "tagStatus": selection.tag_status.capitalize(),
        "tagPrefixList": list(selection.tag_prefix_list),
        "tagPatternList": list(selection.tag_pattern_list),
        "countType": COUNT_TYPES[selection.count_type],
        "countUnit": None if selection.counts else "Days",
        "countNumber": selection.count_number,
    }
    # UNSURE: the text of a transition in an event; here it includes the target.
    action = rule.action.type
    if action == TRANSITION and rule.action.target_storage_class:
        action = f"{action} to {rule.action.target_storage_class}"
    return {
        "rulePriority": rule.rule_priority,
        "description": rule.description,
        "lifecycleEventSelection": {name: value for name, value in told.items() if value is not None},
        "action": action,
    }


def _image(image: lifecycle.Image) -> dict[str, Any]:
    return {
        "digest": image.image_digest,
        "tagStatus": "Tagged" if image.image_tags else "Untagged",
        "tagList": list(image.image_tags[:MOST_TAGS]),
        "pushedAt": _milliseconds(image.pushed_at.timestamp()),
    }


def _action(action: ImageAction) -> dict[str, Any]:
    return {"lifecycleEventImage": _image(action.image), "rulePriority": action.rule.rule_priority}


def _failure(action: ImageAction, failure: Failure) -> dict[str, Any]:
    return {**_action(action), "failureCode": failure.code, "failureReason": failure.reason}


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
