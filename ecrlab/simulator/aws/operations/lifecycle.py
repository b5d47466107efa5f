"""Put-, Get-, DeleteLifecyclePolicy, Start- and GetLifecyclePolicyPreview.

PutLifecyclePolicy validates and minifies a policy; the policy acts at night (see `ecrlab.simulator.jobs.lifecycle`). A
preview evaluates the images at its start, and is COMPLETE at the first request for it, so SDK waiters return at once.
"""

from collections.abc import Sequence
from typing import Any

from ecrlab.lifecycle import InvalidLifecyclePolicy, Policy, preview
from ecrlab.registry import lifecycle_policies, repositories, trail
from ecrlab.registry.errors import InvalidParameterException
from ecrlab.registry.lifecycle_policies import Preview
from ecrlab.registry.world import moment
from ecrlab.simulator.aws import pages
from ecrlab.simulator.aws.calls import Call, operation
from ecrlab.simulator.jobs import lifecycle, lifecycle_record
from ecrlab.simulator.jobs.lifecycle_record import DRY_RUN, ImageAction

PAGE = 100
"""Results on a page without `maxResults`."""


@operation("PutLifecyclePolicy")
def put_lifecycle_policy(call: Call) -> dict[str, Any]:
    """Store a repository's policy. It replaces the previous one."""
    text = checked(call.request["lifecyclePolicyText"]).minified()
    lifecycle_policies.put(call.registry, call.repository_name, text)
    return {**call.names, "lifecyclePolicyText": text}


@operation("GetLifecyclePolicy")
def get_lifecycle_policy(call: Call) -> dict[str, Any]:
    """Return the policy of a repository, and the time of its last run (1970 if none)."""
    policy = lifecycle_policies.get(call.registry, call.repository_name)
    return {**call.names, "lifecyclePolicyText": policy.text, "lastEvaluatedAt": policy.evaluated_at}


@operation("DeleteLifecyclePolicy")
def delete_lifecycle_policy(call: Call) -> dict[str, Any]:
    """Delete a repository's policy, and return it."""
    policy = lifecycle_policies.delete(call.registry, call.repository_name)
    return {**call.names, "lifecyclePolicyText": policy.text, "lastEvaluatedAt": policy.evaluated_at}


@operation("StartLifecyclePolicyPreview")
def start_lifecycle_policy_preview(call: Call) -> dict[str, Any]:
    """Preview a policy (default: the repository's own) on the present images."""
    asked = call.request.get("lifecyclePolicyText")
    given = None if asked is None else checked(asked)
    with call.world.change() as change:
        repository = repositories.get(change.db, call.registry, call.repository_name)
        if given is None:
            kept = lifecycle_policies.get_in(change.db, call.registry, repository)
            policy, text = lifecycle.read(kept.text), kept.text
            told = lifecycle_record.Policy.of(kept, policy)
        else:
            policy, text = given, given.minified()
            told = lifecycle_record.Policy(policy.rules, call.world.new_id(), 1, 0.0)
        lifecycle_policies.begin_preview(change, repository)
        at = moment(change.at)
        assert at is not None
        evaluation = lifecycle.preview(change.db, repository, policy, at)
        results = [
            {**result, "imagePushedAt": result["imagePushedAt"].timestamp()} for result in preview.results(evaluation)
        ]
        outcome = Preview(text, change.at, results, preview.summary(evaluation))
        lifecycle_policies.keep_preview(change, repository, outcome)
        rules = {rule.rule_priority: rule for rule in policy}
        actions = [
            ImageAction(one.image, rules[one.rule_priority]) for one in evaluation if one.rule_priority is not None
        ]
        for document in lifecycle_record.execution(call.registry, repository.name, at, told, actions, DRY_RUN):
            trail.record(change, call.registry, repository.name, document)
    return {**call.names, "lifecyclePolicyText": text, "status": "IN_PROGRESS"}


@operation("GetLifecyclePolicyPreview")
def get_lifecycle_policy_preview(call: Call) -> dict[str, Any]:
    """Return the images that the policy would act on, in pages or for `imageIds`, and their count."""
    request, wanted = call.request, call.request.get("imageIds")
    if wanted is not None and ("maxResults" in request or "nextToken" in request):
        raise InvalidParameterException("imageIds", "cannot be combined with maxResults or nextToken")
    outcome = lifecycle_policies.preview(call.registry, call.repository_name)
    tag_status = request.get("filter", {}).get("tagStatus", "ANY")
    scope = f"{call.operation} {call.repository.id} {outcome.at} {tag_status}"
    start = pages.position(call.world, scope, request.get("nextToken")) or 0
    # A rejected call does not complete the preview.
    lifecycle_policies.complete_preview(call.registry, call.repository_name)
    results = [one for one in outcome.results if _is_of(one, tag_status) and (not wanted or _is_meant(one, wanted))]
    answer: dict[str, Any] = {
        **call.names,
        "lifecyclePolicyText": outcome.text,
        "status": "COMPLETE",
        # UNSURE: whether the filter applies to the summary; here it does not.
        "summary": outcome.summary,
    }
    if wanted is not None:
        return {**answer, "previewResults": results}
    end = start + request.get("maxResults", PAGE)
    if end < len(results):
        answer["nextToken"] = pages.token(call.world, scope, end)
    return {**answer, "previewResults": results[start:end]}


def checked(text: str) -> Policy:
    """Parse a policy's text. Raises `InvalidParameterException` with AWS's reason."""
    try:
        return lifecycle.read(text)
    except InvalidLifecyclePolicy as error:
        raise InvalidParameterException("LifecyclePolicyText", error.constraint) from error


def _is_of(result: dict[str, Any], tag_status: str) -> bool:
    return tag_status == "ANY" or (tag_status == "TAGGED") == bool(result["imageTags"])


def _is_meant(result: dict[str, Any], wanted: Sequence[dict[str, str]]) -> bool:
    """Tell whether one of the ids (a digest, a tag or both) names the image."""
    # UNSURE: how AWS answers an id that names no image of the preview; it has no error for that, so nothing here.
    return any(
        one.get("imageDigest", result["imageDigest"]) == result["imageDigest"]
        and ("imageTag" not in one or one["imageTag"] in result["imageTags"])
        for one in wanted
        if one
    )
