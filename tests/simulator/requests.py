"""Requests made from AWS's own model of them, sound or spoilt, and a connection that posts them as they are."""

import http.client
import json
import re
from collections.abc import Iterator
from typing import Any

from botocore.model import Shape

from ecrlab.simulator.aws.face import CLOUDTRAIL, TARGETS
from ecrlab.simulator.server import Server

PREFIX = {service: prefix for prefix, service in (TARGETS | CLOUDTRAIL).items()}
SIGNED = "AWS4-HMAC-SHA256 Credential=ECRLABLEARNER0000000/20260901/{}/{}/aws4_request, SignedHeaders=host, Signature=0"
REGIONS = {"ecr-public": "us-east-1"}
"""Services that are in one Region."""

SAMPLES = (
    "app-x",
    "123456789012",
    "6cb64b8a-9378-0e33-2ab1-b780fab8a9e9",
    "sha256:" + "0" * 64,
    "us-east-1",
    "alias",
    "arn:aws:iam::123456789012:role/x",
    "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/x",
    "arn:aws:signer:us-east-1:123456789012:/signing-profiles/xx",
    "*",
)
"""Between them they satisfy every pattern of the models."""


def headers(service: str, operation: str) -> dict[str, str]:
    """What a request for an operation comes with."""
    return {
        "X-Amz-Target": f"{PREFIX[service]}.{operation}",
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": SIGNED.format(REGIONS.get(service, "lab-junk-1"), service),
    }


class Raw:
    """One connection that posts whatever it is given."""

    def __init__(self, server: Server) -> None:
        self.host = server.endpoint.removeprefix("http://")

    def post(self, service: str, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Status and JSON of the answer, which is always JSON."""
        connection = http.client.HTTPConnection(self.host, timeout=20)
        connection.request("POST", "/", body, headers(service, operation))
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        assert response.headers["Content-Type"] == "application/x-amz-json-1.1"
        assert response.headers["x-amzn-RequestId"] or response.status == 413
        assert isinstance(answer, dict)
        if response.status != 200:
            assert isinstance(answer["__type"], str)
            assert isinstance(answer["message"], str)
            assert "Traceback" not in answer["message"]
        return response.status, answer


def sound(shape: Any) -> Any:
    """The smallest value of a shape that passes the door."""
    if shape is None:
        return {}
    if shape.type_name == "structure":
        return {name: sound(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [sound(shape.member)] * shape.metadata.get("min", 1)
    if shape.type_name == "map":
        return {}
    return {
        "string": _text,
        "integer": _number,
        "long": _number,
        "timestamp": _number,
        "boolean": lambda shape: False,
        "blob": lambda shape: "",
    }[shape.type_name](shape)


def places(shape: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every member of a structure and of the structures in it."""
    if len(path) > 4:
        return
    for name, member in shape.members.items() if shape is not None else ():
        yield (*path, name)
        if member.type_name == "structure":
            yield from places(member, (*path, name))
        elif member.type_name == "list" and member.member.type_name == "structure":
            yield from places(member.member, (*path, name, ""))


def put(request: Any, place: tuple[str, ...], value: object) -> Any:
    """The request with another value in that place; an empty name stands for the first of a list."""
    if not place:
        return value
    name, *rest = place
    if name == "":
        return [put(request[0] if isinstance(request, list) and request else {}, tuple(rest), value)]
    return {**(request if isinstance(request, dict) else {}), name: put((request or {}).get(name), tuple(rest), value)}


def _text(shape: Shape) -> str:
    if shape.enum:
        return str(shape.enum[0])
    return next(text for text in (*SAMPLES, "x" * shape.metadata.get("min", 1)) if _fits(shape, text))


def _fits(shape: Shape, text: str) -> bool:
    pattern = shape.metadata.get("pattern", ".*")
    bounds = shape.metadata.get("min", 0), shape.metadata.get("max", 10**9)
    return bounds[0] <= len(text) <= bounds[1] and re.fullmatch(pattern, text) is not None


def _number(shape: Shape) -> int:
    return int(shape.metadata.get("min", 1))
