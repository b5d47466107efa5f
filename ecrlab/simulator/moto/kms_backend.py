"""moto's KMS, mended: key states count, key policies and grants decide, and time is the lab's.

moto changes the state of a key and goes on using it, reads only the id of an ARN, and lets everybody do everything.
`LabKmsResponse` checks each request before moto answers it, and records it in CloudTrail; `LabKms` mends the rest.
The rules are those of the KMS developer guide: key states, key policies, key ARNs.
"""

import base64
import binascii
import json
import types
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.kms.models import Key, KmsBackend
from moto.kms.responses import KmsResponse
from moto.moto_api._internal import mock_random

from ecrlab.registry import iam
from ecrlab.registry.errors import EcrError, KmsException
from ecrlab.registry.kms_keys import Grant
from ecrlab.registry.world import World
from ecrlab.simulator import cloud_trail
from ecrlab.simulator.access import key_policies
from ecrlab.simulator.access.callers import Caller, identify
from ecrlab.simulator.access.key_policies import Use
from ecrlab.simulator.moto import kms_store, seams

IN_ANY_STATE = ("Describe", "Get", "List", "CancelKeyDeletion", "PutKeyPolicy", "RetireGrant", "RevokeGrant", "Delete")
"""Operations that accept a key in every state (KMS developer guide, key states). `CancelKeyDeletion` has its own."""

ALSO_DISABLED = {
    *("CreateAlias", "UpdateAlias", "EnableKey", "DisableKey", "ScheduleKeyDeletion"),
    *("TagResource", "UntagResource", "UpdateKeyDescription"),
}
"""Operations that accept a disabled key, but none that is pending deletion."""

BY_ID = {
    *("CancelKeyDeletion", "CreateAlias", "CreateGrant", "DeleteImportedKeyMaterial", "DisableKey", "EnableKey"),
    *("DisableKeyRotation", "EnableKeyRotation", "GetKeyPolicy", "GetKeyRotationStatus", "GetParametersForImport"),
    *("ImportKeyMaterial", "ListGrants", "ListKeyPolicies", "ListKeyRotations", "ListResourceTags", "PutKeyPolicy"),
    *("ReplicateKey", "RetireGrant", "RevokeGrant", "RotateKeyOnDemand", "ScheduleKeyDeletion", "TagResource"),
    *("UntagResource", "UpdateAlias", "UpdateKeyDescription", "UpdatePrimaryRegion"),
}
"""Operations that take the id or the ARN of a key, and no alias (KMS API reference)."""

NAMES = ("KeyId", "TargetKeyId", "DestinationKeyId", "SourceKeyId")
"""The members of requests that name a key."""

YEAR = 365
"""Days between two rotations of a key, unless the request names others."""

NO_PLAINTEXT = (
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not "
    "allowed to access."
)


class LabKms(KmsBackend):
    """The KMS of an account in a Region."""

    __module__ = KmsBackend.__module__
    _url_module = property(lambda self: URLS)

    def create_key(self, *args: Any, **kwargs: Any) -> Key:
        """Create a key at the lab's time; one of origin EXTERNAL waits for its material."""
        key = super().create_key(*args, **kwargs)
        if key.origin == "EXTERNAL":
            key.key_state, key.enabled = "PendingImport", False
        if world := seams.owner():
            key.creation_date = world.clock.now().timestamp()
        return key

    def create_grant(self, *args: Any, **kwargs: Any) -> tuple[str, str]:
        """Create a grant, with an id of AWS's length."""
        grant_id, _ = super().create_grant(*args, **kwargs)
        for key in self.keys.values():
            if grant := key.grants.pop(grant_id, None):
                grant.id, grant.token = mock_random.get_random_hex(64), mock_random.get_random_hex(64)
                key.grants[grant.id] = grant
                return grant.id, grant.token
        raise AssertionError("moto stores each grant with its key")

    def schedule_key_deletion(self, key_id: str, pending_window_in_days: int) -> float:
        """Schedule the deletion of a key by the lab's clock."""
        due = super().schedule_key_deletion(key_id, pending_window_in_days)
        if world := seams.owner():
            now = world.clock.now()
            self.keys[key_id].deletion_date = now.replace(tzinfo=None) + timedelta(days=pending_window_in_days)
            due = (now + timedelta(days=pending_window_in_days)).timestamp()
        return due


class LabKmsResponse(KmsResponse):
    """One request to KMS; `identify` returns the caller behind an access key."""

    identify = staticmethod(identify)

    _world: World | None = None
    _caller: Caller | None = None
    _key: Key | None = None

    def call_action(self) -> Any:
        """Answer the request, store what it changed, and record it."""
        world = self._world = seams.owner()
        if world is None:
            return super().call_action()
        operation, request = self._get_action(), json.loads(self.body or "{}")
        with kms_store.current(world):
            if operation in ("CreateKey", "CreateGrant"):
                # Else the ids after a restart are those of the first run again.
                mock_random.seed(world.new_id())
            answer = super().call_action()
            try:
                kms_store.keep(world)
            except EcrError as error:
                body = json.dumps({"__type": "KMSInternalException", "message": error.message})
                answer = 500, {"Content-Type": "application/x-amz-json-1.1"}, body
        if self._caller is not None:
            _record(world, self._caller, self.region, self._key, operation, request, answer, self.headers)
        return answer

    def schedule_key_deletion(self) -> str:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html."""
        days = self._get_param("PendingWindowInDays", 30)
        if not 7 <= days <= 30:
            bound = "greater than or equal to 7" if days < 7 else "less than or equal to 30"
            raise _out_of_bounds("pendingWindowInDays", days, bound)
        answer = json.loads(super().schedule_key_deletion())
        assert self._key is not None
        return json.dumps(
            answer | {"KeyId": self._key.arn, "KeyState": self._key.key_state, "PendingWindowInDays": days}
        )

    def cancel_key_deletion(self) -> str:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html."""
        super().cancel_key_deletion()
        assert self._key is not None
        return json.dumps({"KeyId": self._key.arn})

    def enable_key_rotation(self) -> str:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html."""
        days = self._get_param("RotationPeriodInDays", YEAR)
        if not 90 <= days <= 2560:
            bound = "greater than or equal to 90" if days < 90 else "less than or equal to 2560"
            raise _out_of_bounds("rotationPeriodInDays", days, bound)
        answer: str = super().enable_key_rotation()
        assert self._key is not None
        self._key.rotation_period_in_days = days  # type: ignore[attr-defined]
        return answer

    def get_key_rotation_status(self) -> str:
        """https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html."""
        status = json.loads(super().get_key_rotation_status())
        assert self._key is not None
        if status["KeyRotationEnabled"]:
            status["RotationPeriodInDays"] = getattr(self._key, "rotation_period_in_days", YEAR)
        return json.dumps({"KeyId": self._key.arn, **status})

    def _validate_key_policy(self, key_id: str, action: str) -> None:
        """Return: the policy has been asked already. moto reads a Deny as one to everybody."""

    def _authenticate_and_authorize_normal_action(self, resource: str = "*") -> None:
        super()._authenticate_and_authorize_normal_action(resource)
        if self._world is None:
            return
        try:
            self._caller = self.identify(self.access_key)
            self._check(self._world, self._caller, self._get_action())
        except EcrError as error:
            # Else it is an HTML page.
            self.response_headers["Content-Type"] = "application/x-amz-json-1.1"
            raise JsonRESTError(str(error.members.get("kmsError", error.code)), error.message) from error

    def _check(self, world: World, caller: Caller, operation: str) -> None:
        """Raise `KmsException` for a missing key, one in a wrong state, or a caller without permission."""
        request = json.loads(self.body or "{}")
        context = request.get("EncryptionContext") or request.get("SourceEncryptionContext") or {}
        keys = [*self._keys(caller, operation, request)]
        if operation in ("GetKeyPolicy", "PutKeyPolicy"):
            request.setdefault("PolicyName", "default")  # moto wants it
        self.body = json.dumps(request)
        self._key = keys[0] if keys else None
        for key in keys:
            action = {"ReEncrypt": "ReEncryptTo" if key is self._key else "ReEncryptFrom"}.get(operation, operation)
            use = Use(action, self.region, key.account_id, key.arn, _conditions(request), context)
            # Key policies have no say about RetireGrant (KMS developer guide, permissions reference).
            policy = None if operation == "RetireGrant" else key.policy
            key_policies.check(world, caller, use, policy, _grants(key))
            _check_state(operation, key)
        if not keys:
            key_policies.check(world, caller, Use(operation, self.region, caller.account_id))
        if operation in ("CreateKey", "PutKeyPolicy") and request.get("Policy") is not None:
            safe = request.get("BypassPolicyLockoutSafetyCheck", False)
            _check_policy(world, caller, self.region, request["Policy"], may_lock_out=safe)

    def _keys(self, caller: Caller, operation: str, request: dict[str, Any]) -> Iterator[Key]:
        """Yield the keys that a request is about. ARNs of keys become ids in the request: moto looks only at those."""
        for member in NAMES:
            if name := request.get(member):
                if operation in BY_ID and (name.startswith("alias/") or ":alias/" in name):
                    raise KmsException(f"Invalid keyId {name}", "NotFoundException")
                key = kms_store.find(caller, self.region, name, operation)
                self.current_account = key.account_id
                if ":key/" in name:
                    request[member] = key.id
                yield key
        if "CiphertextBlob" in request:
            key = self._key_of(request["CiphertextBlob"])
            if "KeyId" not in request:
                yield key
            elif kms_store.find(caller, self.region, request["KeyId"], operation) is not key:
                raise KmsException(
                    "The key ID in the request does not identify a CMK that can perform this operation.",
                    "IncorrectKeyException",
                )
        if operation == "DeleteAlias":
            yield kms_store.find(caller, self.region, request.get("AliasName", ""), operation)
        if operation == "RetireGrant" and "GrantToken" in request:
            for key in self.kms_backend.keys.values():
                if any(grant.token == request["GrantToken"] for grant in key.grants.values()):
                    yield key

    def _key_of(self, blob: str) -> Key:
        """Return the key that a ciphertext was made with: moto writes its id first."""
        try:
            key_id = base64.b64decode(blob)[:36].decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise KmsException("", "InvalidCiphertextException") from error
        key: Key | None = self.kms_backend.keys.get(key_id)
        if key is None:
            raise KmsException(NO_PLAINTEXT, "AccessDeniedException")
        return key


URLS: types.ModuleType = types.ModuleType("ecrlab.simulator.moto.kms_urls")
URLS.url_bases = [r"https?://kms\.(.+)\.amazonaws\.com"]  # type: ignore[attr-defined]
URLS.url_paths = {"{0}/$": LabKmsResponse.dispatch}  # type: ignore[attr-defined]


def _out_of_bounds(member: str, value: int, bound: str) -> JsonRESTError:
    return JsonRESTError(
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must have "
        f"value {bound}",
    )


def _grants(key: Key) -> list[Grant]:
    return [Grant.from_document(vars(grant)) for grant in key.grants.values()]


def _conditions(request: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the condition keys of a request for a grant."""
    keys: dict[str, tuple[str, ...]] = {}
    if "GranteePrincipal" in request:
        keys["kms:granteeprincipal"] = (request["GranteePrincipal"],)
        keys["kms:grantoperations"] = tuple(request.get("Operations", ()))
        keys["kms:grantisforawsresource"] = ("false",)
    return keys


def _check_state(operation: str, key: Key) -> None:
    if operation == "CancelKeyDeletion" and key.key_state != "PendingDeletion":
        raise KmsException(f"{key.arn} is not pending deletion.", "KMSInvalidStateException")
    is_at_ease = key.key_state == "Disabled" and operation in ALSO_DISABLED
    if not is_at_ease and not operation.startswith(IN_ANY_STATE):
        kms_store.check_state(key.key_state, key.arn)


def _check_policy(world: World, caller: Caller, region: str, text: str, *, may_lock_out: bool) -> None:
    """Raise `KmsException` for a text that is no policy, or that prevents the caller from setting another one."""
    try:
        iam.parse(text)
        if not may_lock_out:
            key_policies.check(world, caller, Use("PutKeyPolicy", region, caller.account_id, "*"), text)
    except iam.PolicyError as error:
        # UNSURE: the exact text.
        raise KmsException(f"The key policy is malformed: {error}", "MalformedPolicyDocumentException") from error
    except KmsException as error:
        raise KmsException(
            "The new key policy will not allow you to update the key policy in the future.",
            "MalformedPolicyDocumentException",
        ) from error


def _record(
    world: World,
    caller: Caller,
    region: str,
    key: Key | None,
    operation: str,
    request: dict[str, Any],
    answer: Any,
    headers: Any,
) -> None:
    status, _, body = answer
    members = json.loads(body or "null") or {}
    error = (members.get("__type", ""), members.get("message", "")) if status >= 400 else None
    cloud_trail.note_key_use(
        world.registry(caller.account_id, region),
        caller,
        operation,
        members.get("KeyMetadata", {}).get("Arn", "") if key is None else key.arn,
        request,
        None if error else members,
        error,
        agent=headers.get("User-Agent", ""),
    )
