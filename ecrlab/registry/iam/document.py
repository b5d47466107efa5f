"""Policy documents: read, and asked what they say to a request.

    Policy ── Statement: Effect · Principal · Action · Resource · Condition

Identity policies say which resources; repository policies say which principals, and mean their own repository. What
ECR accepts as a policy of a repository or registry is narrower: see `ecrlab.registry.iam.resource_policy`. Source: IAM
user guide, grammar of the IAM JSON policy language.
"""

import enum
import functools
import re
from dataclasses import dataclass
from typing import Any

from ecrlab.errors import EcrLabError
from ecrlab.oci import strict_json
from ecrlab.oci.strict_json import InvalidJson
from ecrlab.registry.iam import patterns
from ecrlab.registry.iam.conditions import Condition
from ecrlab.registry.iam.request import Context, Principal, Request

VERSIONS = ("2012-10-17", "2008-10-17")

_MEMBERS = {
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource"),
    "Condition",
}
_ACTION = re.compile(r"\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+")
# Whole accounts by number or root; users, roles and sessions by ARN. `arn:aws:iam::210987654321:*` is none.
_AWS_PRINCIPAL = re.compile(
    r"\*|[0-9]{12}|arn:aws[a-z-]*:(iam::[0-9]{12}:(root|(user|role)/[\w+=,.@/-]+)"
    r"|sts::[0-9]{12}:(assumed-role|federated-user)/[\w+=,.@/-]+)",
    re.ASCII,
)


class PolicyError(EcrLabError):
    """The text is not a policy."""


class Named(enum.IntEnum):
    """How exactly a statement names a principal; a greater value is more exact."""

    NOT = 0
    BY_ACCOUNT = 1
    """The whole account: that leaves it to the account's own identity policies."""
    BY_ROLE = 2
    """The role of a session, or everybody."""
    BY_ITSELF = 3


@dataclass(frozen=True, slots=True)
class Patterns:
    """A list of patterns. If `negated`, it means every text that no pattern matches."""

    patterns: tuple[str, ...]
    negated: bool = False

    def matches(self, text: str, context: Context | None = None) -> bool:
        """Return whether the list means a text."""
        return any(patterns.like(pattern, text, context) for pattern in self.patterns) is not self.negated


@dataclass(frozen=True, slots=True)
class Principals:
    """The principals of a statement (`*`, account, user, role and session ARNs, services); `negated`: all others."""

    names: frozenset[str]
    negated: bool = False

    def match(self, principal: Principal) -> Named:
        """Return how exactly the element names a principal."""
        named = self._named(principal)
        if self.negated:
            # UNSURE: IAM wants NotPrincipal to name account, role and session alike; here one of them suffices.
            return Named.BY_ROLE if named is Named.NOT else Named.NOT
        return named

    def _named(self, principal: Principal) -> Named:
        if principal.arn in self.names:
            return Named.BY_ITSELF
        # UNSURE: whether a grant to everybody is bounded like one to a role; the IAM user guide does not say.
        if (principal.role_arn and principal.role_arn in self.names) or "*" in self.names:
            return Named.BY_ROLE
        if principal.account_id and principal.account_arn in self.names:
            return Named.BY_ACCOUNT
        return Named.NOT


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; an absent element (an identity policy has no principals) means all."""

    allows: bool
    principals: Principals | None
    actions: Patterns
    resources: Patterns | None
    conditions: tuple[Condition, ...]
    variables: bool
    name: str = ""
    """Its Sid, or its place in the policy: `statement 2`."""

    def match(self, request: Request) -> Named:
        """Return whether, and how exactly, the statement matches a request."""
        if not self.actions.matches(request.action.lower()):
            return Named.NOT
        filling = request.context if self.variables else None
        if self.resources is not None and not self.resources.matches(request.resource, filling):
            return Named.NOT
        # UNSURE: an operator that IAM does not have cannot get into a policy on AWS; here it never opens a door.
        if not all(
            condition.holds(request.context, variables=self.variables, unknown=not self.allows)
            for condition in self.conditions
        ):
            return Named.NOT
        return Named.BY_ITSELF if self.principals is None else self.principals.match(request.principal)


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document."""

    statements: tuple[Statement, ...]

    def denies(self, request: Request) -> Statement | None:
        """Return the first Deny statement that matches the request."""
        return next((one for one in self.statements if not one.allows and one.match(request)), None)

    def grant(self, request: Request) -> tuple[Named, Statement | None]:
        """Return how exactly the Allow statements name the caller, and the one that does so most exactly."""
        best, by = Named.NOT, None
        for one in self.statements:
            if one.allows and (named := one.match(request)) > best:
                best, by = named, one
        return best, by

    def allows(self, request: Request) -> Statement | None:
        """Return an Allow statement that matches the request."""
        return self.grant(request)[1]


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> Policy:
    """Read a policy. Raises `PolicyError`."""
    try:
        document = strict_json.read_object(text)
    except InvalidJson as error:
        raise PolicyError(f"a policy must be a JSON object: {error}") from error
    version = document.get("Version", "2008-10-17")
    if version not in VERSIONS:
        raise PolicyError(f"Version must be one of {', '.join(VERSIONS)}, got {version!r}")
    if strange := set(document) - {"Version", "Id", "Statement"}:
        raise PolicyError(f"a policy has no element {min(strange)!r}")
    _text(document, "Id")
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise PolicyError("a policy needs a Statement")
    variables = version == "2012-10-17"
    return Policy(tuple(_statement(one, number, variables=variables) for number, one in enumerate(statements, 1)))


def _statement(element: Any, number: int, *, variables: bool) -> Statement:
    if not isinstance(element, dict):
        raise PolicyError("a statement must be an object")
    if strange := set(element) - _MEMBERS:
        raise PolicyError(f"a statement has no element {min(strange)!r}")
    _text(element, "Sid")
    effect = element.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise PolicyError(f"Effect must be Allow or Deny, got {effect!r}")
    actions = _pattern_list(element, "Action", "NotAction")
    if actions is None:
        raise PolicyError("a statement needs an Action")
    if bad := [action for action in actions.patterns if not _ACTION.fullmatch(action)]:
        raise PolicyError(f"{bad[0]!r} is no action")
    actions = Patterns(tuple(action.lower() for action in actions.patterns), actions.negated)
    resources = _pattern_list(element, "Resource", "NotResource")
    name = element.get("Sid") or f"statement {number}"
    return Statement(effect == "Allow", _principals(element), actions, resources, _conditions(element), variables, name)


def _text(element: dict[str, Any], name: str) -> None:
    if not isinstance(element.get(name, ""), str):
        raise PolicyError(f"{name} must be a text")


def _one_of(element: dict[str, Any], name: str, opposite: str) -> tuple[Any, bool]:
    """Return the value of an element or its opposite, and whether it is the opposite."""
    if name in element and opposite in element:
        raise PolicyError(f"a statement has either {name} or {opposite}")
    return element.get(name, element.get(opposite)), opposite in element


def _pattern_list(element: dict[str, Any], name: str, opposite: str) -> Patterns | None:
    listed, negated = _one_of(element, name, opposite)
    return None if listed is None else Patterns(_strings(listed, name), negated)


def _principals(element: dict[str, Any]) -> Principals | None:
    given, negated = _one_of(element, "Principal", "NotPrincipal")
    if given is None:
        return None
    if given == "*":
        return Principals(frozenset("*"), negated)
    if not isinstance(given, dict) or not given:
        raise PolicyError('Principal must be "*" or an object such as {"AWS": …}')
    names: set[str] = set()
    for kind, values in given.items():
        if kind not in ("AWS", "Service", "Federated"):
            raise PolicyError(f"there is no kind of principal {kind!r}")
        listed = _strings(values, "Principal")
        if bad := [name for name in listed if not (_AWS_PRINCIPAL.fullmatch(name) if kind == "AWS" else name.strip())]:
            raise PolicyError(f"{bad[0]!r} is no principal")
        names.update(f"arn:aws:iam::{name}:root" if name.isdigit() else name for name in listed)
    return Principals(frozenset(names), negated)


def _conditions(element: dict[str, Any]) -> tuple[Condition, ...]:
    block = element.get("Condition", {})
    if not isinstance(block, dict) or not all(isinstance(keys, dict) for keys in block.values()):
        raise PolicyError("Condition must be an object of operators, each an object of keys")
    return tuple(
        Condition(operator, key.lower(), _scalars(values, key))
        for operator, keys in block.items()
        for key, values in keys.items()
    )


def _strings(values: Any, where: str) -> tuple[str, ...]:
    """Read one text or a list of texts."""
    listed = values if isinstance(values, list) else [values]
    if not listed or not all(isinstance(value, str) for value in listed):
        raise PolicyError(f"{where} must be a text or a list of texts")
    return tuple(listed)


def _scalars(values: Any, key: str) -> tuple[str, ...]:
    """Read one value of a condition or a list of them, as texts. Nothing matches an empty list."""
    listed = values if isinstance(values, list) else [values]
    if not all(isinstance(value, str | bool | int | float) for value in listed):
        raise PolicyError(f"the condition key {key!r} must have texts, numbers or truth values")
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in listed)
