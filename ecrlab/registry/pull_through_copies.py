"""Store what an upstream has: repository, layers, manifests and tag in one change, so a pull finds all of it or none.

    an index             brings every image that it lists
    an image by digest   brings that one (AWS user guide, pull through cache)

To ECR it is a push by its service-linked role: images are scanned on push, and replicated.
"""

import contextlib
from typing import Any, BinaryIO, Protocol

from ecrlab.oci.manifest import Manifest
from ecrlab.registry import (
    creation_templates,
    images,
    layers,
    names,
    pull_through_cache,
    pushes,
    replication,
    repositories,
)
from ecrlab.registry.errors import DamagedObject, RepositoryNotFoundException
from ecrlab.registry.images import Image
from ecrlab.registry.pull_through_cache import ROLE, Rule
from ecrlab.registry.pull_through_errors import UpstreamUnavailable
from ecrlab.registry.repositories import Repository
from ecrlab.registry.service_event import ServiceEvent
from ecrlab.registry.store.blob_names import blob_name
from ecrlab.registry.world import Change, Registry, World


class Source(Protocol):
    """A repository upstream. Its methods raise `UnableToGetUpstreamImageException` if it refuses."""

    def manifest(self, reference: str) -> Manifest | None:
        """Return the manifest of a tag or digest, or None."""

    def open(self, digest: str) -> BinaryIO:
        """Open the bytes of a layer or config."""


def fetch(source: Source, top: Manifest) -> list[Manifest]:
    """Return a manifest after all that it lists. Raises `UnableToGetUpstreamImageException`."""
    found: dict[str, Manifest] = {}

    def visit(one: Manifest) -> None:
        for descriptor in one.children:
            if descriptor.digest not in found:
                child = source.manifest(descriptor.digest)
                if child is None:
                    raise UpstreamUnavailable
                visit(child)
        found[one.digest] = one

    visit(top)
    return list(found.values())


def store(
    registry: Registry, name: str, manifests: list[Manifest], tag: str | None, source: Source, rule: Rule
) -> None:
    """Store manifests of `fetch` and their layers; the last one gets the tag. A missing repository is made.

    Raises `UnableToGetUpstreamImageException`, `ValidationException` for a template that lacks a role, `KmsException`,
    `LimitExceededException`, `ServerException` for a full disk.
    """
    world, top = registry.world, manifests[-1]
    new: list[Image] = []
    with contextlib.ExitStack() as arriving, world.change() as change:
        here = _repository(change, registry, name)
        for one in manifests:
            is_new = images.find_in(change.db, here, one.digest) is None
            for blob in one.blobs:
                if not blob.is_foreign:
                    arriving.enter_context(world.collector.awaiting(blob_name(blob.digest, here.kms_key)))
                    if not world.blobs.has(here, blob.digest):
                        _copy_bytes(world, here, blob.digest, source)
                    layers.hold(change.db, here, blob.digest, blob.size)
            tags = (tag,) if tag is not None and one is top else ()
            pushes.copy_in(change, registry, here, one, tags, by=role_session(registry))
            stored = images.find_in(change.db, here, one.digest)
            assert stored is not None
            if is_new:
                new.append(stored)
            if one is top:
                # UNSURE: whether an image in a cache is replicated as a pushed one is; here it is.
                replication.note_push(change, registry, here, stored, tags)
        if tag is not None:
            pull_through_cache.note_validation(change, here, tag)
        change.events.append(event(registry, name, rule, tag, top.digest, change.at, "SUCCESS"))
    for image in new:
        world.after_push.tell(registry, here, image)


def event(
    registry: Registry, name: str, rule: Rule, tag: str | None, digest: str | None, at: float, status: str
) -> ServiceEvent:
    """Return the event `ECR Pull Through Cache Action` (AWS user guide, Amazon ECR events and EventBridge)."""
    detail: dict[str, Any] = {
        "rule-version": "1",
        "sync-status": status,
        "ecr-repository-prefix": rule["ecrRepositoryPrefix"],
        "repository-name": name,
        "upstream-registry-url": rule["upstreamRegistryUrl"],
        "image-tag": tag,
        "image-digest": digest,
    }
    told = {member: value for member, value in detail.items() if value is not None}
    arn = names.repository_arn(registry.account_id, registry.region, name)
    kind = "ECR Pull Through Cache Action"
    return ServiceEvent(registry.account_id, registry.region, at, kind, told, resources=(arn,))


def role_session(registry: Registry) -> str:
    """Return the ARN that a cache acts under."""
    # UNSURE: the name of the session is not public.
    return f"arn:aws:sts::{registry.account_id}:assumed-role/{ROLE}/ecr-pull-through-cache"


def _copy_bytes(world: World, here: Repository, digest: str, source: Source) -> None:
    with source.open(digest) as file:
        try:
            world.blobs.store(here, digest, file)
        except DamagedObject as error:
            raise UpstreamUnavailable from error


def _repository(change: Change, registry: Registry, name: str) -> Repository:
    try:
        return repositories.get(change.db, registry, name)
    except RepositoryNotFoundException:
        return creation_templates.create_in(change, registry, name, "PULL_THROUGH_CACHE")
