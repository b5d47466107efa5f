"""KMS as ECR uses it: two grants for each repository with a KMS key, and data keys under them.

    CreateRepository   DescribeKey, CreateGrant, CreateGrant    as the caller, through ECR
    a push             GenerateDataKey                          ECR, by its grant
    a pull             Decrypt                                  ECR, by its grant
    DeleteRepository   RetireGrant, RetireGrant                 as the caller, through ECR

See the AWS user guide, encryption at rest. Data keys are made from the database: a push or a pull
uses no state of moto.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any

from ecrlab.registry import kms_keys
from ecrlab.registry.errors import KmsException
from ecrlab.registry.kms_keys import GRANTS, OPERATIONS, KmsKey, service_name
from ecrlab.registry.repositories import Repository
from ecrlab.registry.store.keys import DataKey, NoKeys, Owner
from ecrlab.registry.world import Registry, World
from ecrlab.simulator import cloud_trail
from ecrlab.simulator.access import key_policies
from ecrlab.simulator.access.callers import Caller
from ecrlab.simulator.access.key_policies import Use
from ecrlab.simulator.moto import kms_store, seams


def use_lab_kms() -> None:
    """Put the lab's KMS in the place of moto's."""
    from moto.kms.models import kms_backends

    from ecrlab.simulator.moto.kms_backend import LabKms

    kms_backends.backend = LabKms


def attach(world: World) -> None:
    """Make moto's KMS the key service of a world."""
    seams.before_reset(use_lab_kms)
    if isinstance(world.keys, NoKeys):
        world.keys = Keys(world)


class Keys:
    """The data keys of a world's repositories: a `KeyService`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def data_key(self, owner: Owner, context: Mapping[str, str]) -> DataKey:
        """Return a new data key. Raises `KmsException`."""
        # Loaded with the first KMS repository.
        from moto.kms.utils import encrypt, generate_data_key

        key = self._usable(owner, "GenerateDataKey", context)
        plaintext = generate_data_key(32)
        wrapped = encrypt({_id(key): _Master(key)}, _id(key), plaintext, dict(context))
        return DataKey(plaintext, wrapped)

    def unwrap(self, owner: Owner, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """Return a data key in clear. Raises `KmsException`, also for a wrapped key or context that was changed."""
        return _unwrapped(self._usable(owner, "Decrypt", context), wrapped, context)

    def _usable(self, owner: Owner, operation: str, context: Mapping[str, str]) -> KmsKey:
        """Return the key of a repository, for ECR; record the use."""
        arn = owner.kms_key or ""
        request: dict[str, Any] = {"EncryptionContext": dict(context)}
        if operation == "GenerateDataKey":
            request |= {"KeyId": arn, "KeySpec": "AES_256"}
        _, _, _, region, account_id, _ = owner.arn.split(":", 5)
        registry, service = self._world.registry(account_id, region), service_name(region)
        # UNSURE: who is named. AWS's example names the user who pushed, invokedBy AWS Internal; here ECR is.
        caller = Caller(account_id, service, "")
        try:
            key = kms_keys.find(self._world, arn)
            if key is None:
                raise KmsException(f"Key '{arn}' does not exist", "NotFoundException")
            kms_store.check_state(key.state, arn)
            # The object's context can name another repository with the same key; what counts is who asks.
            about = {**context, "aws:ecr:arn": owner.arn}
            if not any(one.allows(frozenset({service}), operation, about) for one in key.grants):
                # UNSURE: the words; these are KMS's for any caller without a permission.
                tail = f"because no resource-based policy allows the kms:{operation} action"
                who = f"User: {service} is not authorized to perform: kms:{operation} on resource: {arn}"
                raise KmsException(f"{who} {tail}", "AccessDeniedException")
        except KmsException as error:
            told = _told(error)
            cloud_trail.note_key_use(registry, caller, operation, arn, request, error=told, may_write=False)
            raise
        cloud_trail.note_key_use(registry, caller, operation, arn, request, {}, may_write=False)
        return key


class KeptKeys(NoKeys):
    """The keys in the database of a state directory that no server uses; whether one is disabled does not count."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def unwrap(self, owner: Owner, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """Return a data key in clear. Raises `KmsException`."""
        key = kms_keys.read(self._db, owner.kms_key or "")
        if key is None:
            raise KmsException(f"Key '{owner.kms_key}' does not exist", "NotFoundException")
        return _unwrapped(key, wrapped, context)


def _unwrapped(key: KmsKey, wrapped: bytes, context: Mapping[str, str]) -> bytes:
    from moto.core.exceptions import JsonRESTError
    from moto.kms.utils import decrypt

    try:
        plaintext, _ = decrypt({_id(key): _Master(key)}, wrapped, dict(context))
    except JsonRESTError as error:
        raise KmsException("", "InvalidCiphertextException") from error
    return bytes(plaintext)


class _Master:
    """A key as moto's encryption reads it."""

    def __init__(self, key: KmsKey) -> None:
        self.key_material = key.material


def key_for(registry: Registry, caller: Caller, name: str) -> str:
    """Return the ARN of a key by id, ARN or alias, for a new repository of this caller.

    Raises `KmsException` if it is missing or cannot be used, or the caller may not let ECR use it.
    """
    world, region = registry.world, registry.region
    key, operation = None, "DescribeKey"
    with kms_store.current(world):
        try:
            key = kms_store.find(caller, region, name, operation, for_ecr=True)
            _check(registry, caller, operation, key)
            cloud_trail.note_key_use(registry, caller, operation, key.arn, {"KeyId": name}, {})
            operation = "CreateGrant"
            _check(registry, caller, operation, key)
            kms_store.check_state(key.key_state, key.arn)
            if key.key_spec != "SYMMETRIC_DEFAULT" or key.key_usage not in (None, "ENCRYPT_DECRYPT"):
                # UNSURE: the code; the text is KMS's.
                raise KmsException(
                    "EncryptionContext is supported only when creating a grant for a symmetric encryption key",
                    "ValidationException",
                )
        except KmsException as error:
            arn = "" if key is None else key.arn
            cloud_trail.note_key_use(registry, caller, operation, arn, {"KeyId": name}, error=_told(error))
            raise
        kms_store.keep(world)
    return str(key.arn)


def note_grants(registry: Registry, caller: Caller, repository: Repository) -> None:
    """Record that a caller gave ECR the grants of a new repository."""
    arn = repository.kms_key
    for one in kms_keys.grants_of(registry.world, arn or "", repository.arn)[-GRANTS:]:
        request = {
            "KeyId": arn,
            "GranteePrincipal": one.grantee,
            "RetiringPrincipal": one.grantee,
            "Operations": one.operations,
            "Constraints": one.constraints,
        }
        cloud_trail.note_key_use(registry, caller, "CreateGrant", arn or "", request, {"GrantId": one.id, "KeyId": arn})


def retire(registry: Registry, caller: Caller, repository: Repository) -> None:
    """Retire the grants of a deleted repository. A key that is gone took them along.

    Raises `KmsException` if the caller may not retire them; then they stay.
    """
    arn = repository.kms_key
    grants = kms_keys.grants_of(registry.world, arn, repository.arn) if arn is not None else []
    if arn is None or not grants:
        return
    # Only identity policies can allow it (AWS user guide, required IAM permissions).
    use = Use("RetireGrant", registry.region, arn.split(":")[4], arn, via=service_name(registry.region))
    error: tuple[str, str] | None = None
    try:
        key_policies.check(registry.world, caller, use)
        kms_keys.retire(registry.world, arn, grants)
    except KmsException as refusal:
        error = _told(refusal)
        raise
    finally:
        for one in grants:
            request = {"KeyId": arn, "GrantId": one.id}
            cloud_trail.note_key_use(registry, caller, "RetireGrant", arn, request, None if error else {}, error)


def _check(registry: Registry, caller: Caller, operation: str, key: Any) -> None:
    """Check that a caller may make this call through ECR. Raises `KmsException`."""
    service = service_name(registry.region)
    conditions = {
        "kms:granteeprincipal": (service,),
        "kms:grantoperations": OPERATIONS,
        "kms:grantisforawsresource": ("true",),
    }
    about = conditions if operation == "CreateGrant" else {}
    use = Use(operation, registry.region, key.account_id, key.arn, about, via=service)
    key_policies.check(registry.world, caller, use, key.policy)


def _id(key: KmsKey) -> str:
    # moto's ciphertexts have room for this much; the id of a multi-Region key is longer.
    return key.arn.rpartition("/")[2][:36]


def _told(error: KmsException) -> tuple[str, str]:
    return str(error.members["kmsError"]), error.message
