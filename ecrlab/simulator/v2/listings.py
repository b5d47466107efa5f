"""Listings: the tags of a repository, the repositories of a registry, and the referrers of an image."""

import json
from collections.abc import Sequence
from urllib.parse import urlencode

from ecrlab.oci.media_types import OCI
from ecrlab.registry import images, names, referrers, repositories
from ecrlab.registry.errors import InvalidParameterException
from ecrlab.registry.referrers import Referrer
from ecrlab.simulator.v2.errors import Refusal, bad_digest, refusal
from ecrlab.simulator.v2.visit import Visit
from ecrlab.simulator.v2.wire import Headers, Response

MOST = 1000
"""The most names on one page, and the default for repositories."""

TAGS = 100
"""The default number of tags on a page, as for ListImages (genuinetools/reg#206)."""


def tags(visit: Visit) -> Response:
    """GET tags/list: tags in lexical order, `n` of them after `last`."""
    visit.may("ecr:ListImages")
    most, after = _page(visit, TAGS)
    found = images.tags(visit.registry, visit.name, after=after, most=most + 1) if most else []
    headers = _link(visit.url("tags/list"), found, most)
    return Response.of_json({"name": visit.full_name, "tags": found[:most]}, headers)


def catalog(visit: Visit) -> Response:
    """GET _catalog: the names of the registry's repositories, `n` of them after `last`."""
    visit.authorize(visit.token, "ecr:DescribeRepositories", visit.registry, "*")
    most, after = _page(visit, MOST)
    # UNSURE: how ECR pages its catalog. ECR's `last` is an opaque cursor; here it is the last name, as in the
    # specification of tags.
    found = repositories.describe(visit.registry, after=after, most=most + 1) if most else []
    names_ = [repository.name for repository in found]
    return Response.of_json({"repositories": names_[:most]}, _link("/v2/_catalog", names_, most))


def list_referrers(visit: Visit) -> Response:
    """GET referrers: an index of the images whose `subject` is the digest, filtered by `artifactType`."""
    visit.may("ecr:BatchGetImage")
    if not names.DIGEST.fullmatch(visit.thing):
        raise bad_digest(visit.thing)
    wanted = visit.request.query.get("artifactType")
    found = referrers.find(visit.registry, visit.name, visit.thing)
    headers: Headers = []
    if wanted:
        found = [referrer for referrer in found if referrer.artifact_type == wanted]
        headers.append(("OCI-Filters-Applied", "artifactType"))
    index = {"schemaVersion": 2, "mediaType": OCI.index, "manifests": [_descriptor(referrer) for referrer in found]}
    return Response(200, [("Content-Type", OCI.index), *headers], json.dumps(index).encode())


def _descriptor(referrer: Referrer) -> dict[str, object]:
    descriptor: dict[str, object] = {
        "mediaType": referrer.media_type,
        "digest": referrer.digest,
        "size": referrer.size,
    }
    if referrer.artifact_type:
        descriptor["artifactType"] = referrer.artifact_type
    if referrer.annotations:
        descriptor["annotations"] = referrer.annotations
    return descriptor


def _page(visit: Visit, default: int) -> tuple[int, str]:
    """Return the requested number of names, and the name before them. Raises `Refusal`."""
    query = visit.request.query
    text = query.get("n", str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise Refusal(400, "PAGINATION_NUMBER_INVALID", f"n must be a number of names, got {text[:40]!r}")
    if visit.quirks and int(text) > MOST:
        raise refusal(InvalidParameterException("maxResults", f"Member must have value less than or equal to {MOST}"))
    return min(int(text), MOST), query.get("last", "")


def _link(path: str, found: Sequence[str], most: int) -> Headers:
    """Return the Link header of the next page, if there is one."""
    if len(found) <= most:
        return []
    return [("Link", f'<{path}?{urlencode({"n": most, "last": found[most - 1]})}>; rel="next"')]
