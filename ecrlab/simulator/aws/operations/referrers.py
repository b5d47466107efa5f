"""ListImageReferrers: the signatures, software bills of materials and other artifacts of an image."""

from typing import Any

from ecrlab.registry import names, referrers
from ecrlab.registry.referrers import Referrer
from ecrlab.simulator.aws import pages
from ecrlab.simulator.aws.calls import Call, operation

PAGE = 20
"""Results on a page without `maxResults` (API reference, ListImageReferrers)."""


@operation("ListImageReferrers")
def list_image_referrers(call: Call) -> dict[str, Any]:
    """Return pages of an image's artifacts; an image that does not exist has none."""
    request = call.request
    subject = names.check_digest(request["subjectId"]["imageDigest"])
    criteria = request.get("filter", {})
    types, status = criteria.get("artifactTypes", []), criteria.get("artifactStatus", "ACTIVE")
    scope = f"{call.operation} {call.repository.id} {subject} {status} {sorted(types)}"
    after = pages.position(call.world, scope, request.get("nextToken")) or 0
    most = request.get("maxResults", PAGE)
    found = referrers.find(
        call.registry, call.repository_name, subject, types=types, status=status, after=after, most=most + 1
    )
    answer: dict[str, Any] = {"referrers": [_shown(referrer) for referrer in found[:most]]}
    if len(found) > most:
        answer["nextToken"] = pages.token(call.world, scope, found[most - 1].id)
    return answer


def _shown(referrer: Referrer) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "digest": referrer.digest,
        "mediaType": referrer.media_type,
        "artifactType": referrer.artifact_type,
        "size": referrer.size,
        "annotations": referrer.annotations,
        "artifactStatus": referrer.status,
    }
    return {name: value for name, value in shown.items() if value not in (None, {})}
