"""Conditions: when a statement applies to a request.

    {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}}
      operator         key                     values, one of which must match

A key that does not apply to the request fails its operator, or satisfies it if the operator is a negative one or ends
in `IfExists`. That also holds for keys that the lab does not know, such as those of VPC endpoints: no request here
comes through one. See the IAM user guide, condition operators.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from ecrlab.registry.iam import patterns
from ecrlab.registry.iam.request import Context

Fits = Callable[[str, str, Context | None], bool]
"""(value of the policy, value of the request, context for variables) -> whether they fit."""


def _equal_in_any_case(wanted: str, value: str, context: Context | None) -> bool:
    return patterns.equal(wanted.lower(), value.lower(), context)


def _same_arn(wanted: str, value: str, context: Context | None) -> bool:
    """Compare the six parts of two ARNs one by one, so that `*` does not cross a colon."""
    parts, of_value = wanted.split(":", 5), value.split(":", 5)
    return len(parts) == len(of_value) == 6 and all(
        patterns.like(part, of_part, context) for part, of_part in zip(parts, of_value, strict=True)
    )


def _address(wanted: str, value: str, _: Context | None) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _truth(wanted: str, value: str, _: Context | None) -> bool:
    return wanted.lower() == value.lower()


def _instant(text: str) -> float:
    """Return an ISO 8601 instant, or a number of seconds, in seconds since 1970. Raises `ValueError`."""
    try:
        return float(text)
    except ValueError:
        instant = datetime.fromisoformat(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()


def _by_order(read: Callable[[str], float], fits: Callable[[float, float], bool]) -> Fits:
    def compare(wanted: str, value: str, _: Context | None) -> bool:
        try:
            return fits(read(value), read(wanted))
        except (ValueError, OverflowError):
            return False

    return compare


_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda value, wanted: value == wanted,
    "LessThan": lambda value, wanted: value < wanted,
    "LessThanEquals": lambda value, wanted: value <= wanted,
    "GreaterThan": lambda value, wanted: value > wanted,
    "GreaterThanEquals": lambda value, wanted: value >= wanted,
}

_FITS: dict[str, Fits] = {
    "StringEquals": patterns.equal,
    "StringEqualsIgnoreCase": _equal_in_any_case,
    "StringLike": patterns.like,
    "ArnEquals": _same_arn,
    "ArnLike": _same_arn,
    "Bool": _truth,
    "BinaryEquals": lambda wanted, value, _: wanted == value,
    "IpAddress": _address,
    **{f"Numeric{name}": _by_order(float, fits) for name, fits in _ORDERS.items()},
    **{f"Date{name}": _by_order(_instant, fits) for name, fits in _ORDERS.items()},
}

_NEGATIVE = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of a statement's Condition: the operator as written, the key in lower case, the values wanted."""

    operator: str
    key: str
    wanted: tuple[str, ...]

    def holds(self, context: Context, *, variables: bool, unknown: bool) -> bool:
        """Return whether a request satisfies the condition; return `unknown` for an operator that is not IAM's."""
        quantifier, name, if_exists = self._parts
        values = context.get(self.key)
        if name == "Null" and not if_exists:
            return any((wanted.lower() == "true") == (values is None) for wanted in self.wanted)
        is_negative = name in _NEGATIVE
        fits = _FITS.get(_NEGATIVE.get(name, name))
        if fits is None:
            return unknown
        if values is None:
            if quantifier == "ForAnyValue":
                return if_exists
            return if_exists or is_negative or quantifier == "ForAllValues"
        filling = context if variables else None
        verdicts = [any(fits(wanted, value, filling) for wanted in self.wanted) is not is_negative for value in values]
        return any(verdicts) if quantifier == "ForAnyValue" else all(verdicts)

    @property
    def _parts(self) -> tuple[str, str, bool]:
        quantifier, colon, name = self.operator.partition(":")
        if not colon:
            quantifier, name = "", self.operator
        elif quantifier not in ("ForAnyValue", "ForAllValues"):
            name = self.operator
        return quantifier, name.removesuffix("IfExists"), name.endswith("IfExists")
