"""The recorder of CloudTrail: both faces tell it each call, and it tells EventBridge.

A call about another account's repository is recorded in both accounts (CloudTrail user guide, shared event IDs).
"""

import functools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, StructureShape

from ecrlab.registry import trail
from ecrlab.registry.errors import AccessDeniedException, EcrError
from ecrlab.registry.service_event import ServiceEvent
from ecrlab.registry.trail import ApiCall
from ecrlab.registry.world import Registry
from ecrlab.simulator.access.callers import Caller
from ecrlab.simulator.aws.shapes import service_model
from ecrlab.simulator.moto import seams

_as_json = json.JSONEncoder(default=str).encode

DETAIL_TYPE = "AWS API Call via CloudTrail"
SECRET = frozenset(
    {"layerPartBlob", "logoImageBlob", "Plaintext", "CiphertextBlob", "Message", "GrantToken", "GrantTokens"}
)
"""Members of requests and responses that are bytes or secrets, and no part of a record."""


def note(
    caller: Caller,
    registry: Registry,
    operation: str,
    request: Mapping[str, Any],
    response: Mapping[str, Any] | None = None,
    error: tuple[str, str] | None = None,
    *,
    service: str = "ecr",
    request_id: str = "",
    agent: str = "",
) -> None:
    """Record one call: its caller, the registry that it is about, its parameters, and its response or error."""
    world = registry.world
    elements = None
    if response is not None and not operation.startswith(trail.READING):
        elements = _as_json(_in_words(_output(service, operation), response))
    code, message = error or (None, None)
    # UNSURE: whether the owner of a repository gets the records of refused calls of another account; here it does.
    for account_id in dict.fromkeys((caller.account_id, registry.account_id)):
        call = ApiCall(
            account_id=account_id,
            region=registry.aws_region,
            repository=request.get("repositoryName") or request.get("resourceArn", "").partition(":repository/")[2],
            at=world.clock.now().timestamp(),
            source=f"{service}.amazonaws.com",
            event=operation,
            owner=registry.account_id,
            caller_account=caller.account_id,
            caller=caller.arn,
            access_key=caller.access_key,
            agent=agent,
            request_id=request_id,
            request=_as_json(_without_secrets(request)),
            response=elements,
            error=code,
            message=message,
        )
        world.trail.add(call)
        if seams.event_rules(world, account_id, call.region):
            world.events.tell(ServiceEvent(account_id, call.region, call.at, DETAIL_TYPE, trail.document(0, call)))


def note_key_use(
    registry: Registry,
    caller: Caller,
    operation: str,
    key_arn: str,
    request: Mapping[str, Any],
    response: Mapping[str, Any] | None = None,
    error: tuple[str, str] | None = None,
    *,
    agent: str = trail.INTERNAL,
    may_write: bool = True,
) -> None:
    """Record one call of KMS in the accounts of the caller and the key; nothing secret is in the record.

    `registry` is the place of the call. The caller is a service if its ARN is a service's name.
    """
    elements = None
    if response and not operation.startswith(trail.READING):
        elements = _as_json(_as_cloudtrail_writes(response))
    code, message = error or (None, None)
    owner = key_arn.split(":")[4] if key_arn else registry.account_id
    for account_id in dict.fromkeys((registry.account_id, owner)):
        call = ApiCall(
            account_id=account_id,
            region=registry.region,
            repository=key_arn,
            at=registry.world.clock.now().timestamp(),
            source="kms.amazonaws.com",
            event=operation,
            owner=owner,
            caller_account=caller.account_id,
            caller=caller.arn,
            access_key=caller.access_key,
            agent=agent,
            request_id="",
            request=_as_json(_as_cloudtrail_writes(request)),
            response=elements,
            error=code,
            message=message,
        )
        registry.world.trail.add(call, may_write=may_write)


def _without_secrets(members: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_secrets(value) if isinstance(value, dict) else value
        for name, value in members.items()
        if name not in SECRET
    }


def _as_cloudtrail_writes(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return members of KMS with small first letters, and without secrets; an encryption context stays as it is."""
    return {
        name[:1].lower() + name[1:]: _as_cloudtrail_writes(value)
        if isinstance(value, dict) and not name.startswith("EncryptionContext")
        else value
        for name, value in members.items()
        if name not in SECRET
    }


def named(error: EcrError) -> tuple[str, str]:
    """Return the code and the text of an error in a record."""
    # UNSURE: CloudTrail shortens the code of a denial; its user guide shows AccessDenied.
    return ("AccessDenied" if isinstance(error, AccessDeniedException) else error.code, error.message)


@functools.cache
def _output(service: str, operation: str) -> Any:
    """Return the shape of a response if it has times, else None."""
    shape = service_model(service).operation_model(operation).output_shape
    return shape if shape is not None and "timestamp" in _types(shape) else None


def _types(shape: Any) -> set[str]:
    inner = [*getattr(shape, "members", {}).values()]
    inner += [part for name in ("member", "value") if (part := getattr(shape, name, None)) is not None]
    return {shape.type_name}.union(*map(_types, inner))


def _in_words(shape: Any, value: Any) -> Any:
    """Return a response with its times as CloudTrail writes them: `Jul 11, 2018 10:17:44 PM`."""
    if shape is None:
        return value
    if isinstance(shape, StructureShape):
        return {name: _in_words(shape.members.get(name), one) for name, one in value.items()}
    if isinstance(shape, ListShape):
        return [_in_words(shape.member, one) for one in value]
    if isinstance(shape, MapShape):
        return {name: _in_words(shape.value, one) for name, one in value.items()}
    if shape.type_name == "timestamp":
        then = datetime.fromtimestamp(value, UTC)
        return f"{then:%b} {then.day}, {then:%Y} {int(then.strftime('%I'))}:{then:%M:%S %p}"
    return value
