"""Make a copy of an image in another registry: permission, repository, layers, images of an index, manifest, tags.

A copy is one change, and is there as a whole or not at all. Layers are rows that name the same files, so no byte is
copied, unless the repositories have different KMS keys: then each is encrypted again. The repository's settings and
policies stay behind (AWS user guide, private image replication).
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence

from ecrlab.oci import manifest
from ecrlab.registry import creation_templates, iam, images, names, pushes, repositories, settings
from ecrlab.registry.errors import (
    AccessDeniedException,
    ImageNotFoundException,
    LayersNotFoundException,
    RegistryPolicyNotFoundException,
    RepositoryNotFoundException,
)
from ecrlab.registry.images import Image, ImageId
from ecrlab.registry.repositories import Repository
from ecrlab.registry.service_event import ServiceEvent
from ecrlab.registry.store.blob_names import blob_name
from ecrlab.registry.world import Change, Registry, World

SERVICE = "replication.ecr.amazonaws.com"
ROLE = "AWSServiceRoleForECRReplication"
"""The service that makes the copies, and its role in the source's account (AWS user guide, service-linked roles)."""

_MAY = iam.parse(
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
    '"Action": ["ecr:CreateRepository", "ecr:ReplicateImage"], "Resource": "*"}]}'
)
"""ECRReplicationServiceRolePolicy."""


def make(
    source: Registry,
    repository_name: str,
    digest: str,
    tags: Sequence[str],
    destination: Registry,
    note: Callable[[Change], None],
) -> None:
    """Make one copy, and call `note` in the same change.

    Raises `ImageNotFoundException` or `RepositoryNotFoundException` when the image is gone, `AccessDeniedException`,
    `LayersNotFoundException`, `LimitExceededException`, `KmsException`, `ServerException` for a full disk.
    """
    world = source.world
    with contextlib.ExitStack() as arriving, world.change(at=world.clock.now()) as change:
        there = repositories.get(change.db, source, repository_name)
        image = images.resolve(change.db, there, ImageId(digest), body=True)
        if not isinstance(image, Image):
            raise ImageNotFoundException(digest, None, repository_name, source.account_id)
        here = _repository(change, source, repository_name, destination)
        for one in (*_listed(change.db, there, image), image):
            _copy_bytes(arriving, change.db, world, there, here, one)
            _hold_layers(change.db, here, one)
            own_tags = tags if one is image else ()
            body = images.with_manifest(source, there, one).body or b""
            parsed = manifest.read(body, one.media_type, algorithm=one.digest.partition(":")[0])
            pushes.copy_in(change, destination, here, parsed, own_tags, by=role_session(source))
        copied = images.find_in(change.db, here, digest)
        note(change)
        # UNSURE: whether a copy is also the event of a push at the destination; here it is (see `pushes.copy_in`).
        change.events += events(source, destination, repository_name, digest, tags, change.at)
    assert copied is not None
    world.after_push.tell(destination, here, copied)


# UNSURE: whether the service-linked role has to be there for a copy; here it never has to.
def check_permission(source: Registry, destination: Registry, action: str, repository_name: str) -> None:
    """Return if replication may do `action` to a repository of the destination. Raises `AccessDeniedException`.

    Another account must allow it in its registry policy; in the own account only a Deny there prevents it.
    """
    try:
        on_registry = {"registry policy": iam.parse(settings.policy(destination))}
    except RegistryPolicyNotFoundException:
        on_registry = {}
    arn = names.repository_arn(destination.account_id, destination.region, repository_name)
    caller = role_session(source)
    principal = iam.Principal(caller, source.account_id, role_arn(source))
    now = destination.world.clock.now()
    context = {
        "aws:requestedregion": (destination.region,),
        "aws:resourceaccount": (destination.account_id,),
        "aws:principalaccount": (source.account_id,),
        "aws:principalarn": (role_arn(source),),
        "aws:viaawsservice": ("true",),
        "aws:securetransport": ("true",),
        "aws:currenttime": (now.isoformat(),),
    }
    request = iam.Request(principal, action, arn, destination.account_id, context)
    tail = iam.decide(request, iam.Identity(principal, (_MAY,)), on_registry).refusal
    if tail is not None:
        raise AccessDeniedException(caller, action, arn, tail)


def events(
    source: Registry,
    destination: Registry,
    repository_name: str,
    digest: str,
    tags: Sequence[str],
    at: float,
    result: str = "SUCCESS",
) -> Iterator[ServiceEvent]:
    """Yield the events `ECR Replication Action`, one for each tag, which the destination's account receives."""
    arn = names.repository_arn(destination.account_id, destination.region, repository_name)
    for tag in tags or (None,):
        detail = {
            "result": result,
            "repository-name": repository_name,
            "image-digest": digest,
            "source-account": source.account_id,
            "action-type": "REPLICATE",
            "source-region": source.region,
        }
        if tag is not None:
            detail["image-tag"] = tag
        yield ServiceEvent(
            destination.account_id, destination.region, at, "ECR Replication Action", detail, resources=(arn,)
        )


def role_arn(source: Registry) -> str:
    """Return the ARN of the service-linked role in the source's account."""
    return f"arn:aws:iam::{source.account_id}:role/aws-service-role/{SERVICE}/{ROLE}"


def role_session(source: Registry) -> str:
    """Return the ARN that replication acts under."""
    # UNSURE: the name of the session is not public.
    return f"arn:aws:sts::{source.account_id}:assumed-role/{ROLE}/ecr-replication"


def _repository(change: Change, source: Registry, name: str, destination: Registry) -> Repository:
    """Return the destination's repository of the same name, and make it if it is absent."""
    try:
        found: Repository | None = repositories.get(change.db, destination, name)
    except RepositoryNotFoundException:
        found = None
        check_permission(source, destination, "ecr:CreateRepository", name)
    check_permission(source, destination, "ecr:ReplicateImage", name)
    return found or creation_templates.create_in(change, destination, name, "REPLICATION")


def _listed(db: sqlite3.Connection, repository: Repository, index: Image) -> list[Image]:
    """Return the images that an index lists, each after those that it lists itself, with their manifests."""
    found: dict[str, Image] = {}

    def visit(image: Image) -> None:
        rows = db.execute(
            "SELECT digest FROM image_child JOIN image ON image.id = child_id WHERE image_id = ?", (image.id,)
        ).fetchall()
        for row in rows:
            child = images.resolve(db, repository, ImageId(row["digest"]), body=True)
            if isinstance(child, Image) and child.digest not in found:
                visit(child)
                found[child.digest] = child

    visit(index)
    return list(found.values())


def _copy_bytes(
    arriving: contextlib.ExitStack,
    db: sqlite3.Connection,
    world: World,
    there: Repository,
    here: Repository,
    image: Image,
) -> None:
    """Let the layers of an image have files for the repository `here`; those that `arriving` awaits are removed if the
    change fails. Raises `LayersNotFoundException`.
    """
    rows = db.execute(
        "SELECT digest FROM layer WHERE has_bytes AND id IN "
        "(SELECT value FROM image, json_each(image.layers) WHERE image.id = ?)",
        (image.id,),
    )
    digests = [row["digest"] for row in rows]
    missing = [digest for digest in digests if not world.blobs.has(there, digest)]
    if missing:
        raise LayersNotFoundException(missing, there.name, there.account_id)
    for digest in digests:
        arriving.enter_context(world.collector.awaiting(blob_name(digest, here.kms_key)))
        world.blobs.copy(there, here, digest)


def _hold_layers(db: sqlite3.Connection, repository: Repository, image: Image) -> None:
    """Let a repository hold the layers of an image of another one."""
    db.execute(
        "INSERT INTO layer (repository_id, digest, size, media_type, has_bytes) "
        "SELECT ?, digest, size, media_type, has_bytes FROM layer WHERE id IN "
        "(SELECT value FROM image, json_each(image.layers) WHERE image.id = ?) "
        "ON CONFLICT (repository_id, digest) DO UPDATE SET size = excluded.size, has_bytes = 1 "
        "WHERE NOT layer.has_bytes AND excluded.has_bytes",
        (repository.id, image.id),
    )
