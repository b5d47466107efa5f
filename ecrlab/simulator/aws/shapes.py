"""Validation of requests against the shapes that AWS publishes.

The botocore model of a service lists the members of each operation's request, with types, lengths, patterns and
enumerations. This module compiles each shape into a small function once. The functions check every request, and reject
it in ECR's words.
"""

import base64
import binascii
import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from ecrlab.registry.errors import InvalidParameterException, SerializationException

Check = Callable[[Any, str], Any]
"""Accepts a value and its parameter's name. Returns the value for the operation, or raises."""

LINEAR = {r"^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$": r"[a-z0-9*]+(?:[._\-/][a-z0-9*]+)*"}
"""Model patterns with catastrophic backtracking -> equivalent patterns that match in linear time."""

_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "double": (int, float),
    "float": (int, float),
    "timestamp": (int, float),
    "blob": (str,),
    "list": (list,),
    "map": (dict,),
    "structure": (dict,),
}


@functools.cache
def service_model(service: str) -> ServiceModel:
    """Return the newest botocore model of a service; the user's own models in `~/.aws` are not read."""
    data = Path(botocore.__file__).parent / "data"
    loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
    return ServiceModel(loader.load_service_model(service, "service-2"), service)


@functools.cache
def request_check(service: str, operation: str) -> Check:
    """Return the check of one operation's requests."""
    shape = service_model(service).operation_model(operation).input_shape
    if shape is None:
        return lambda value, name: {}
    return _check(shape)


def _check(shape: Shape) -> Check:
    expected = _JSON_TYPES[shape.type_name]
    inner = _INNER.get(shape.type_name, lambda shape: _as_it_is)(shape)
    limits = _limits(shape)

    def check(value: Any, name: str) -> Any:
        # JSON's true is not a number; Python's is.
        if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
            raise SerializationException(f"{name or 'The request'} cannot be converted to a {shape.type_name}")
        for limit in limits:
            limit(value, name)
        return inner(value, name)

    return check


def _as_it_is(value: Any, _name: str) -> Any:
    return value


def _structure(shape: Any) -> Check:
    checks = {name: _check(member) for name, member in shape.members.items()}
    required = tuple(shape.required_members)

    def check(value: dict[str, Any], _name: str) -> dict[str, Any]:
        for member in required:
            if value.get(member) is None:
                raise InvalidParameterException(member, "must not be null")
        # Unknown members and nulls are ignored, as on AWS.
        return {
            member: checks[member](given, member)
            for member, given in value.items()
            if given is not None and member in checks
        }

    return check


def _list(shape: Any) -> Check:
    member = _check(shape.member)
    return lambda value, name: [member(one, name) for one in value]


def _map(shape: Any) -> Check:
    key, member = _check(shape.key), _check(shape.value)
    return lambda value, name: {key(k, name): member(v, name) for k, v in value.items()}


def _blob(shape: Shape) -> Check:
    smallest, largest = shape.metadata.get("min"), shape.metadata.get("max")

    def check(value: str, name: str) -> bytes:
        try:
            data = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as error:
            raise SerializationException(f"{name} is not base64") from error
        _length(len(data), smallest, largest, name)
        return data

    return check


_INNER: dict[str, Callable[[Any], Check]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "blob": _blob,
}


def _limits(shape: Shape) -> list[Callable[[Any, str], None]]:
    """Return the constraints of a shape, cheapest first: a pattern only reads values of a valid length."""
    limits: list[Callable[[Any, str], None]] = []
    smallest, largest = shape.metadata.get("min"), shape.metadata.get("max")
    if (smallest is not None or largest is not None) and shape.type_name != "blob":
        is_number = shape.type_name in ("integer", "long", "double", "float")
        if is_number:
            limits.append(lambda value, name: _range(value, smallest, largest, name))
        else:
            limits.append(lambda value, name: _length(len(value), smallest, largest, name))
    if pattern := shape.metadata.get("pattern"):
        matcher = re.compile(LINEAR.get(pattern, pattern))

        def matches(value: str, name: str) -> None:
            if not matcher.fullmatch(value):
                raise InvalidParameterException(name, f"must satisfy regular expression '{pattern}'")

        limits.append(matches)
    if allowed := shape.metadata.get("enum"):

        def listed(value: str, name: str) -> None:
            if value not in allowed:
                # UNSURE: the exact text; these are the words of AWS's common validation.
                raise InvalidParameterException(name, f"Member must satisfy enum value set: [{', '.join(allowed)}]")

        limits.append(listed)
    return limits


def _length(length: int, smallest: int | None, largest: int | None, name: str) -> None:
    if smallest is not None and length < smallest:
        raise InvalidParameterException(name, f"Member must have length greater than or equal to {smallest}")
    if largest is not None and length > largest:
        raise InvalidParameterException(name, f"Member must have length less than or equal to {largest}")


def _range(value: float, smallest: float | None, largest: float | None, name: str) -> None:
    if smallest is not None and value < smallest:
        raise InvalidParameterException(name, f"Member must have value greater than or equal to {smallest}")
    if largest is not None and value > largest:
        raise InvalidParameterException(name, f"Member must have value less than or equal to {largest}")
