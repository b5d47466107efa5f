"""Images that run: references as ECS, EKS and Lambda write them, resolved in a repository.

    123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:v1     the image that has the tag now
    my-app@sha256:9f86d08…                                     that image
    sha256:9f86d08…                                            that image, in whichever repository

A lifecycle policy knows nothing of what runs. ECS starts a service's tasks by the digest that the tag had when the
service was deployed (ECS developer guide, container image resolution), so that a tag in a task definition may name
another image by now: the answer of `aws ecs describe-tasks` has the digests that really run.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.lifecycle import UnreadableInput
from ecrlab.lifecycle.reading import shown

_DIGEST = re.compile(r"[a-z0-9]+:[0-9a-f]{32,}")
_REFERENCE = re.compile(
    r"(?:(?P<host>[\w.-]+(?::\d+)?)/)?(?P<repository>[a-z0-9][a-z0-9._/-]*)(?::(?P<tag>\w[\w.-]{0,299}))?"
    r"(?:@(?P<digest>[a-z0-9]+:[0-9a-f]{32,}))?"
)
_NAME = re.compile(r"[a-z0-9][a-z0-9._/-]*")
_KEYS = ("imageDigest", "imageID", "resolvedImageUri", "ResolvedImageUri", "image", "imageUri", "ImageUri")
"""The keys of images in answers of ECS, Kubernetes and Lambda; those with digests come first."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to an image that runs; `repository` is None where only a digest is known."""

    text: str
    repository: str | None
    tag: str | None
    digest: str | None


def references(text: str) -> list[Reference]:
    """The references in a text: one a line (`#` begins a comment), or any JSON answer of ECS, Kubernetes or Lambda.

    Raises `UnreadableInput` for a line that is no reference, and for JSON without any.
    """
    if text.lstrip()[:1] in ("{", "["):
        return _in_json(text)
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if words:
            reference = parse(words[0]) if len(words) == 1 else None
            if reference is None:
                raise UnreadableInput(f"one image reference a line, got {shown(line)}", f"line {number}")
            found.append(reference)
    return found


def found_in(answer: Any) -> list[Reference]:
    """The references in an answer of ECS, Kubernetes or Lambda, as boto3 or a JSON parser returns it, each once."""
    return list(dict.fromkeys(_walk(answer)))


def parse(text: str) -> Reference | None:
    """One reference; None for what is none.

    >>> parse("123456789012.dkr.ecr.us-east-1.amazonaws.com/team/my-app:v1").repository
    'team/my-app'
    """
    text = text.strip().removeprefix("docker-pullable://")
    if _DIGEST.fullmatch(text):
        return Reference(text, None, None, text)
    match = _REFERENCE.fullmatch(text)
    if match is None:
        return None
    host, repository = match["host"], match["repository"]
    if host and not ("." in host or ":" in host or host == "localhost"):
        # What looks like a host is the first part of the repository's name.
        repository = f"{host}/{repository}"
        if not _NAME.fullmatch(repository):
            return None
    tag = match["tag"] or (None if match["digest"] else "latest")
    return Reference(text, repository, tag, match["digest"])


def resolve(snapshot: Snapshot, running: Iterable[Reference]) -> tuple[dict[str, list[str]], list[Reference]]:
    """The digests that run, each with its references, and the references to this repository that match no image.

    Where an index runs, each image that it lists may.
    """
    by_tag = {tag: image.image_digest for image in snapshot.images for tag in image.image_tags}
    found: dict[str, list[str]] = {}
    lost = []
    for reference in running:
        if reference.repository not in (None, snapshot.name):
            continue
        digest = reference.digest or by_tag.get(reference.tag or "")
        if digest in snapshot.by_digest:
            for each in _with_parts(snapshot, digest):
                found.setdefault(each, []).append(reference.text)
        elif reference.repository is not None:
            lost.append(reference)
    return found, lost


def _with_parts(snapshot: Snapshot, digest: str) -> list[str]:
    found: dict[str, None] = {}
    waiting = [digest]
    while waiting:
        each = waiting.pop()
        if each in snapshot.by_digest and each not in found:
            found[each] = None
            waiting += snapshot.by_digest[each].children
    return list(found)


def _in_json(text: str) -> list[Reference]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableInput(f"begins as JSON, but is none: {error}") from error
    found = found_in(document)
    if not found:
        raise UnreadableInput(
            "JSON without an image: give an answer of aws ecs describe-tasks, or one reference a line"
        )
    return found


def _walk(document: Any) -> Iterator[Reference]:
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            reference = _of(value)
            if reference is not None:
                yield reference
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _of(container: Mapping[str, Any]) -> Reference | None:
    """The image of a container, by its digest where that is told."""
    given = [parse(container[key]) for key in _KEYS if isinstance(container.get(key), str)]
    found = [reference for reference in given if reference is not None]
    if not found:
        return None
    named = next((one.repository for one in found if one.repository is not None), None)
    best = next((one for one in found if one.digest), found[0])
    return best if best.repository else Reference(best.text, named, None, best.digest)
