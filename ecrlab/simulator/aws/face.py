"""The AWS face: `ecr` and `ecr-public` as JSON 1.1, for boto3, the AWS CLI and every other SDK.

A request names its operation in `X-Amz-Target` and its caller in the credential scope of its signature. Every response
is a JSON object, or an error object with `__type` and `message`; never an HTML page or a traceback. Instants are
seconds since 1970.
"""

import json
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ecrlab.oci import strict_json
from ecrlab.oci.strict_json import InvalidJson
from ecrlab.registry import names, wanted
from ecrlab.registry.errors import (
    EcrError,
    SerializationException,
    ServerException,
    UnknownOperationException,
    UnsupportedCommandException,
    ValidationException,
)
from ecrlab.registry.world import World
from ecrlab.simulator import cloud_trail
from ecrlab.simulator.access import judging
from ecrlab.simulator.access.callers import Caller, MissingAuthenticationTokenException, identify, read_signature
from ecrlab.simulator.aws.calls import OPERATIONS, PUBLIC, Call
from ecrlab.simulator.aws.operations import load
from ecrlab.simulator.aws.shapes import request_check, service_model

TARGETS = {"AmazonEC2ContainerRegistry_V20150921": "ecr", "SpencerFrontendService": PUBLIC}
"""The prefix of `X-Amz-Target` -> the service (botocore model, targetPrefix)."""

CLOUDTRAIL = {"com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101": "cloudtrail"}
"""The same for a moto service with some operations in our table."""

LARGEST_BODY = 32 * 1024 * 1024
"""Bytes of the largest request: a layer part of 20 MiB in base64, with room to spare."""

log = logging.getLogger("ecrlab.aws")


def is_ours(target: str) -> bool:
    """Tell whether this face answers an operation: all of both registries, and CloudTrail's that moto lacks."""
    prefix, _, name = target.rpartition(".")
    return prefix in TARGETS or (CLOUDTRAIL.get(prefix), name) in OPERATIONS


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status, headers and body."""

    status: int
    headers: dict[str, str]
    body: bytes


class AwsFace:
    """Answers API calls to both registries from one world; `last_refusal` is the last error and its time."""

    def __init__(self, world: World, *, identify: Callable[[str], Caller] = identify) -> None:
        """`identify` returns the caller behind an access key."""
        self.world = world
        self._identify = identify
        self.last_refusal: tuple[float, str] | None = None
        load()

    def answer(self, headers: Mapping[str, str], body: bytes, refused: EcrError | None = None) -> Answer:
        """Answer one request, with the error `refused` if there is one.

        `headers` have their usual names (`X-Amz-Target`, `Authorization`).
        """
        request_id = str(uuid.uuid4())
        try:
            if refused is not None:
                raise refused
            members, status = self._call(headers, body, request_id), 200
            for failure in members.get("failures", []):
                what = f"{failure.get('failureCode')}: {failure.get('failureReason', '')}"
                self._remember(f"{_operation(headers)} returned failures: {what}")
        except EcrError as refusal:
            members, status = _refusal(refusal), refusal.status
            what = f"An error occurred ({refusal.code}) when calling the"
            self._remember(f"{what} {_operation(headers)} operation: {refusal.message}")
        except Exception:
            log.exception("an operation failed")
            bug = ServerException("ecrlab failed to answer; its log says why. Please report this.")
            members, status = _refusal(bug), bug.status
        payload = json.dumps(members, separators=(",", ":")).encode()
        answer_headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "Content-Length": str(len(payload)),
            "x-amzn-RequestId": request_id,
        }
        return Answer(status, answer_headers, payload)

    def _remember(self, text: str) -> None:
        """Store an error as clients print it, and its time, for `lab.why()`."""
        self.last_refusal = (time.time(), text)

    def _call(self, headers: Mapping[str, str], body: bytes, request_id: str) -> dict[str, Any]:
        prefix, _, name = headers.get("X-Amz-Target", "").rpartition(".")
        service = (TARGETS | CLOUDTRAIL).get(prefix)
        if service is None or name not in service_model(service).operation_names:
            raise UnknownOperationException(f"no operation {name!r} of {prefix!r}")
        signature = read_signature(headers.get("Authorization", ""))
        if signature is None:
            raise MissingAuthenticationTokenException
        members = _json(body)
        function = OPERATIONS.get((service, name))
        if function is None:
            raise ValidationException(
                f"ecrlab does not simulate {service}:{name} yet; docs/fidelity.md lists what it does"
            )
        self.world.keep_up()
        caller = self._identify(signature.access_key)
        host = headers.get("Host") or "127.0.0.1"
        call = Call(self.world, caller, signature.region, name, {}, host, service)
        registry = call.registry
        response: dict[str, Any] | None = None
        error: tuple[str, str] | None = None
        try:
            if service == PUBLIC and call.region != names.PUBLIC_REGION:
                # UNSURE: how the API answers in Regions where it has no endpoint; us-west-2 has one, and answers this.
                raise UnsupportedCommandException(name, names.PUBLIC_REGION)
            call = replace(call, request=request_check(service, name)(members, ""))
            registry = call.registry
            judging.check(call)
            if service == "ecr" and "repositoryName" in call.request:
                wanted.repository(judging.wanted(call))
            response = function(call)
            return response
        except EcrError as refusal:
            error = cloud_trail.named(refusal)
            raise
        finally:
            if service in TARGETS.values():
                about = {"service": service, "request_id": request_id, "agent": headers.get("User-Agent", "")}
                cloud_trail.note(caller, registry, name, call.request, response, error, **about)


def _operation(headers: Mapping[str, str]) -> str:
    return headers.get("X-Amz-Target", "").rpartition(".")[2]


def _refusal(error: EcrError) -> dict[str, Any]:
    return {"__type": error.code, "message": error.message, **error.members}


def _json(body: bytes) -> object:
    # UNSURE: whether AWS reads the last of two equal keys and accepts integers beyond 64 bits; no SDK sends either.
    try:
        return strict_json.read(body or b"{}")
    except InvalidJson as error:
        raise SerializationException("the request body is not JSON") from error
