"""The keys of moto's KMS: loaded from a world's database, kept there after each change, and found by any name.

    a restart        database ──► moto                        `current`
    a change         moto ──► database                        `keep`
    ECR's grants, a snapshot put back      database ──► moto  `current`

Asymmetric keys stay in memory: ECR accepts none.
"""

import base64
import contextlib
import json
import re
import threading
import uuid
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ecrlab.registry import kms_keys
from ecrlab.registry.errors import KmsException
from ecrlab.registry.world import World
from ecrlab.simulator.access import key_policies
from ecrlab.simulator.access.callers import Caller
from ecrlab.simulator.moto import seams

AWS_MANAGED_ALIAS = "alias/aws/ecr"

_ARN = re.compile(r"arn:aws[a-z-]*:kms:([a-z0-9-]+):([0-9]{12}):((?:key|alias)/.+)")
_KEY_ID = re.compile(r"(mrk-)?[a-f0-9]{8}(-[a-f0-9]{4}){3}-[a-f0-9]{12}|mrk-[a-f0-9]{32}", re.IGNORECASE)
_lock = threading.RLock()
_whose: "weakref.ref[World] | None" = None
_version: tuple[int, ...] = ()
_stored: dict[str, str] = {}


@contextlib.contextmanager
def current(world: World) -> Iterator[None]:
    """Inside the block moto's KMS has the keys of this world, and nobody else changes them."""
    # Without the store's lock, `keep` could undo the grants of a repository that is being made.
    with _lock, world.store.exclusively():
        _bring_up_to_date(world)
        yield


def _bring_up_to_date(world: World) -> None:
    global _whose, _version, _stored
    seams.begin(world)
    is_ours = _whose is not None and _whose() is world
    version = world.store.version(("kms keys",))
    if not is_ours or version != _version or not _is_loaded():
        if is_ours:
            for backend in _backends():
                backend.keys = {name: key for name, key in backend.keys.items() if not _is_stored(key)}
        _whose, _version, _stored = weakref.ref(world), version, kms_keys.documents(world)
        for document in _stored.values():
            _load(json.loads(document))
    now = world.clock.now()
    for backend in _backends():
        for key in [key for key in backend.keys.values() if key.deletion_date is not None]:
            if key.deletion_date.replace(tzinfo=UTC) <= now:
                backend.delete_key(key.id)


def keep(world: World) -> None:
    """Store what changed; call it inside of `current` after each change. Raises `ServerException`."""
    global _stored, _version
    present = {
        key.arn: _document(backend, key) for backend in _backends() for key in backend.keys.values() if _is_stored(key)
    }
    changed: dict[str, str | None] = {arn: text for arn, text in present.items() if _stored.get(arn) != text}
    changed |= dict.fromkeys(_stored.keys() - present.keys())
    if changed:
        _version = ()  # if the disk is full, the keys are loaded again as they were
        kms_keys.store(world, changed)
        _stored, _version = present, world.store.version(("kms keys",))


def find(caller: Caller, region: str, name: str, operation: str, *, for_ecr: bool = False) -> Any:
    """Return a key of moto's KMS by its id, ARN or alias. Raises `KmsException` in KMS's words.

    ECR makes its own key at the first look.
    """
    from moto.kms.models import kms_backends

    account_id, part = caller.account_id, name
    if found := _ARN.fullmatch(name):
        where, account_id, part = found.groups()
        if where != region:
            raise KmsException(f"Invalid arn {where}", "NotFoundException")
    if region not in kms_backends[account_id].regions:
        raise KmsException(f"There is no KMS in the Region {region}", "NotFoundException")
    backend = kms_backends[account_id][region]
    if part == AWS_MANAGED_ALIAS and for_ecr and not backend.alias_exists(part):
        _make_managed_key(backend)
    key_id: Any = backend.get_key_id_from_alias(part) if part.startswith("alias/") else part.removeprefix("key/")
    key = backend.keys.get(key_id)
    if key is not None:
        return key
    if account_id != caller.account_id:
        raise key_policies.unknown(caller, operation)
    arn = f"arn:aws:kms:{region}:{account_id}:"
    if part.startswith("alias/"):
        raise KmsException(f"Alias {arn}{part} is not found.", "NotFoundException")
    if not found and not _KEY_ID.fullmatch(part):
        raise KmsException(f"Invalid keyId {part}", "NotFoundException")
    raise KmsException(f"Key '{arn}key/{key_id}' does not exist", "NotFoundException")


def check_state(state: str, arn: str) -> None:
    """Return for an enabled key. Raises `KmsException`."""
    if state == "Disabled":
        raise KmsException(f"{arn} is disabled.", "DisabledException")
    if state != "Enabled":
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", state).lower()
        raise KmsException(f"{arn} is {words}.", "KMSInvalidStateException")


def _backends() -> Iterator[Any]:
    from moto.kms.models import kms_backends

    for account in list(kms_backends.values()):
        yield from list(account.values())


def _is_loaded() -> bool:
    """Tell whether the keys of the database are in moto; it was emptied if another world had it meanwhile."""
    arns = {key.arn for backend in _backends() for key in backend.keys.values()}
    return _stored.keys() <= arns


def _is_stored(key: Any) -> bool:
    return bool(key.key_spec == "SYMMETRIC_DEFAULT" or key.key_usage == "GENERATE_VERIFY_MAC")


def _document(backend: Any, key: Any) -> str:
    """Return a key as text. All attributes of moto's class are in it, under their names."""
    deletion_date = None if key.deletion_date is None else key.deletion_date.replace(tzinfo=UTC).timestamp()
    kept = vars(key) | {
        "private_key": None,
        "deletion_date": deletion_date,
        "key_material": base64.b64encode(key.key_material).decode(),
        "aliases": list(key.aliases),
        "grants": [vars(grant) for grant in key.grants.values()],
        "tags": backend.tagger.list_tags_for_resource(key.id)["Tags"],
    }
    return json.dumps(kept, sort_keys=True)


def _load(document: dict[str, Any]) -> None:
    from moto.kms.models import Grant, Key, kms_backends

    account_id, region = document["account_id"], document["region"]
    key: Any = Key.__new__(Key)
    vars(key).update({name: value for name, value in document.items() if name != "tags"})
    deletion_date = document["deletion_date"]
    # moto's dates have no zone, and are in UTC.
    key.deletion_date = deletion_date and datetime.fromtimestamp(deletion_date, UTC).replace(tzinfo=None)
    key.key_material = base64.b64decode(document["key_material"])
    key.grants = {}
    for one in document["grants"]:
        grant: Any = Grant.__new__(Grant)
        vars(grant).update(one)
        key.grants[grant.id] = grant
    backend = kms_backends[account_id][region]
    backend.keys[key.id] = key
    backend.tagger.delete_all_tags_for_resource(key.id)
    backend.tagger.tag_resource(key.id, document["tags"])
    key.aliases = {}
    for name in document["aliases"]:
        backend.create_alias(key.id, name)


def _make_managed_key(backend: Any) -> None:
    """Make the key that AWS creates for ECR in an account; its id is the same in every run."""
    account_id, region = backend.account_id, backend.region_name
    key = backend.create_key(
        policy=_managed_policy(account_id, region),
        key_usage="ENCRYPT_DECRYPT",
        key_spec="SYMMETRIC_DEFAULT",
        description="Default key that protects my ECR data when no other key is defined",
        tags=None,
    )
    del backend.keys[key.id]
    key.id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{AWS_MANAGED_ALIAS} {account_id} {region}"))
    key.arn = f"arn:aws:kms:{region}:{account_id}:key/{key.id}"
    key.key_manager = "AWS"
    backend.keys[key.id] = key
    backend.create_alias(key.id, AWS_MANAGED_ALIAS)


def _managed_policy(account_id: str, region: str) -> str:
    """Return the policy of ECR's own key: who may use ECR in the account may use the key through it."""
    use = ("Encrypt", "Decrypt", "ReEncrypt*", "GenerateDataKey*", "CreateGrant", "DescribeKey")
    look = ("Describe*", "Get*", "List*", "RevokeGrant")
    through_ecr = {"kms:CallerAccount": account_id, "kms:ViaService": f"ecr.{region}.amazonaws.com"}
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Id": "auto-ecr-1",
            "Statement": [
                {
                    "Sid": "Allow access through Amazon ECR for all principals in the account that are authorized to "
                    "use Amazon ECR",
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": [f"kms:{name}" for name in use],
                    "Resource": "*",
                    "Condition": {"StringEquals": through_ecr},
                },
                {
                    "Sid": "Allow direct access to key metadata to the account",
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
                    "Action": [f"kms:{name}" for name in look],
                    "Resource": "*",
                },
            ],
        }
    )
