"""Pull-through cache at work: a pull brings what is absent from upstream, and once a day asks for newer images.

A client that lacks ecr:CreateRepository or ecr:BatchImportUpstreamImage is told that there is no such repository or
image (AWS user guide, troubleshooting pull through cache issues). A look upstream that fails leaves the cached image.
"""

from typing import NamedTuple

from ecrlab.registry import images, pull_through_cache, pull_through_copies, repositories
from ecrlab.registry.errors import AccessDeniedException, RepositoryNotFoundException
from ecrlab.registry.images import Failure, Image, ImageId
from ecrlab.registry.pull_through_cache import Rule
from ecrlab.registry.pull_through_errors import UnableToGetUpstreamImageException, UpstreamImageNotFound
from ecrlab.registry.repositories import Repository
from ecrlab.registry.tags import is_immutable
from ecrlab.registry.wanted import Wanted
from ecrlab.registry.world import Registry
from ecrlab.simulator import stand_ins, upstreams

# UNSURE: what CloudTrail records of an import; here only the client's own call.


def bring_repository(wanted: Wanted) -> Repository | None:
    """Make the repository that a pull wants, with the images that it names; None if it may not, or no rule is for it.

    Raises `UnableToGetUpstreamImageException` if the upstream supplies none of them: then nothing is made.
    """
    # UNSURE: whether a pull of an image that upstream lacks leaves an empty repository; here it does not.
    rule = pull_through_cache.matching(wanted.registry, wanted.repository_name)
    if rule is None or not _may(wanted, wanted.action, "ecr:CreateRepository", "ecr:BatchImportUpstreamImage"):
        return None
    refusal = None
    for image_id in wanted.images:
        try:
            _bring(wanted.registry, wanted.repository_name, rule, image_id)
        except UnableToGetUpstreamImageException as error:
            refusal = refusal or error
    try:
        return repositories.find(wanted.registry, wanted.repository_name)
    except RepositoryNotFoundException:
        if refusal is not None:
            raise refusal from None
        return None


def bring_image(wanted: Wanted, repository: Repository, image_id: ImageId) -> Image | None:
    """Bring an image that a pull wants and that is absent, or that may be newer upstream.

    Raises `UnableToGetUpstreamImageException` if the upstream does not supply it, and it is not cached either.
    """
    rule = pull_through_cache.matching(wanted.registry, wanted.repository_name)
    if rule is None or not _look_up(wanted.registry, repository.name, image_id).asks_upstream:
        return None
    if not _may(wanted, "ecr:BatchImportUpstreamImage"):
        return None
    return _bring(wanted.registry, repository.name, rule, image_id)


class _Cached(NamedTuple):
    """What a cache has for an image id, and whether a pull of it asks upstream."""

    image: Image | None
    asks_upstream: bool


def _look_up(registry: Registry, name: str, image_id: ImageId) -> _Cached:
    with registry.world.store.read() as db:
        try:
            there = repositories.get(db, registry, name)
        except RepositoryNotFoundException:
            return _Cached(None, images.malformed(image_id) is None)
        found = images.resolve(db, there, image_id)
        if isinstance(found, Failure):
            return _Cached(None, found.code == "ImageNotFound")
        if image_id.tag is None or is_immutable(there.settings, image_id.tag):
            # An immutable tag never moves, so nothing upstream matters (AWS user guide, pull through cache).
            return _Cached(found, asks_upstream=False)
        now = registry.world.clock.now().timestamp()
        return _Cached(found, pull_through_cache.is_due(db, there, image_id.tag, now))


def _bring(registry: Registry, name: str, rule: Rule, image_id: ImageId) -> Image | None:
    """Bring an image from upstream, unless another pull has just brought it; return what is cached afterwards."""
    world, tag = registry.world, image_id.tag
    with stand_ins.of(world).importing:
        cached = _look_up(registry, name, image_id)
        if not cached.asks_upstream:
            return cached.image
        try:
            source = upstreams.source(registry, rule, name)
            # UNSURE: whether a first pull by digest brings the image: the user guide says so, a report of July 2026
            # (aws/containers-roadmap#2837) says that it does not. Here it does.
            top = source.manifest(tag or image_id.digest or "")
            if top is None:
                raise UpstreamImageNotFound
            if cached.image is not None and cached.image.digest == top.digest:
                _note_validation(registry, name, rule, image_id.tag, top.digest)
            else:
                pull_through_copies.store(registry, name, pull_through_copies.fetch(source, top), tag, source, rule)
        except UnableToGetUpstreamImageException:
            # UNSURE: the sync-status of a failure; AWS shows only SUCCESS.
            now = world.clock.now().timestamp()
            world.events.tell(pull_through_copies.event(registry, name, rule, tag, image_id.digest, now, "FAILED"))
            if cached.image is None:
                raise
        return _look_up(registry, name, image_id).image


def _note_validation(registry: Registry, name: str, rule: Rule, tag: str | None, digest: str) -> None:
    """Note that a cached tag is as it is upstream."""
    assert tag is not None
    with registry.world.change(at=registry.world.clock.now()) as change:
        there = repositories.get(change.db, registry, name)
        pull_through_cache.note_validation(change, there, tag)
        change.events.append(pull_through_copies.event(registry, name, rule, tag, digest, change.at, "SUCCESS"))


def _may(wanted: Wanted, *actions: str) -> bool:
    try:
        for action in actions:
            wanted.check(action)
    except AccessDeniedException:
        return False
    return True
