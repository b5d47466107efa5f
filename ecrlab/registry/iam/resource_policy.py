"""Resource policies: the JSON that says who may do what with a repository or a registry, if it is one.

    {"Version": "2012-10-17",
     "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
                    "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}]}

The grammar is IAM's (IAM user guide, grammar of the IAM JSON policy language). In a repository's policy
`Resource` may be left out, for it is that repository (AWS user guide, repository policies); a registry's names
repositories. What a policy permits is judged elsewhere; here it is only read, checked and kept.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Literal, NoReturn

from ecrlab.registry.errors import InvalidParameterException

VERSIONS = ("2008-10-17", "2012-10-17")

_STATEMENT = {
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
}
_KINDS_OF_PRINCIPAL = {"AWS", "Service", "Federated"}

# Whole accounts by number or root; users, roles and sessions by ARN. `arn:aws:iam::210987654321:*` is none.
_AWS_PRINCIPAL = re.compile(
    r"\*|[0-9]{12}|arn:aws[a-z-]*:(iam::[0-9]{12}:(root|(user|role)/[\w+=,.@/-]+)"
    r"|sts::[0-9]{12}:(assumed-role|federated-user)/[\w+=,.@/-]+)",
    re.ASCII,
)
# UNSURE: whether ECR refuses actions of other services, or ones that it does not have; here it refuses the former.
_ACTION = re.compile(r"\*|(?i:ecr):[A-Za-z*?]+")
_RESOURCE = re.compile(r"\*|arn:aws[a-z-]*:ecr:[^\s:]*:[^\s:]*:[^\s]+")


class _NotAPolicyError(ValueError):
    """Something is wrong with a policy; ECR does not say what."""


def check(text: str, of: Literal["repository", "registry"] = "repository") -> dict[str, Any]:
    """Read a policy of a repository or registry. Raises `InvalidParameterException` at `PolicyText`.

    >>> everyone = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
    >>> check(json.dumps({"Version": "2012-10-17", "Statement": [everyone]}))["Statement"][0]["Effect"]
    'Allow'
    >>> check("{}")
    Traceback (most recent call last):
    ecrlab.registry.errors.InvalidParameterException: ...'Invalid repository policy provided'
    """
    try:
        document = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse)
        _check_document(document, needs_resource=of == "registry")
    except (ValueError, RecursionError) as error:
        raise InvalidParameterException("PolicyText", f"Invalid {of} policy provided") from error
    checked: dict[str, Any] = document
    return checked


def as_kept(document: object, indent: int = 0) -> str:
    """A policy as ECR gives it back: laid out anew, with a blank on both sides of each colon.

    >>> print(as_kept({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": ["ecr:*"]}]}))
    {
      "Version" : "2012-10-17",
      "Statement" : [ {
        "Effect" : "Deny",
        "Action" : [ "ecr:*" ]
      } ]
    }
    """
    if isinstance(document, dict):
        inner = " " * (indent + 2)
        members = [f"{inner}{json.dumps(name)} : {as_kept(value, indent + 2)}" for name, value in document.items()]
        return "{\n" + ",\n".join(members) + "\n" + " " * indent + "}" if members else "{ }"
    if isinstance(document, list):
        return f"[ {', '.join(as_kept(one, indent) for one in document)} ]" if document else "[ ]"
    return json.dumps(document, ensure_ascii=False)


def _check_document(document: object, *, needs_resource: bool) -> None:
    if not isinstance(document, dict) or not document.keys() <= {"Version", "Id", "Statement"}:
        _refuse(document)
    if document.get("Version", VERSIONS[0]) not in VERSIONS or not isinstance(document.get("Id", ""), str):
        _refuse(document)
    statements = document.get("Statement")
    for statement in statements if isinstance(statements, list) and statements else [statements]:
        if not isinstance(statement, dict) or not statement.keys() <= _STATEMENT:
            _refuse(statement)
        _check_statement(statement, needs_resource=needs_resource)


def _check_statement(statement: dict[str, Any], *, needs_resource: bool) -> None:
    if statement.get("Effect") not in ("Allow", "Deny") or not isinstance(statement.get("Sid", ""), str):
        _refuse(statement)
    _check_principal(_one_of(statement, "Principal", "NotPrincipal"))
    _check_texts(_one_of(statement, "Action", "NotAction"), _ACTION.fullmatch)
    if needs_resource or "Resource" in statement or "NotResource" in statement:
        _check_texts(_one_of(statement, "Resource", "NotResource"), _RESOURCE.fullmatch)
    condition = statement.get("Condition", {})
    if not isinstance(condition, dict):
        _refuse(condition)
    for keys in condition.values():
        if not isinstance(keys, dict):
            _refuse(condition)
        for values in keys.values():
            if not all(isinstance(one, str | bool | int | float) for one in _listed(values)):
                _refuse(condition)


def _check_principal(principal: object) -> None:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal or not principal.keys() <= _KINDS_OF_PRINCIPAL:
        _refuse(principal)
    for kind, named in principal.items():
        # UNSURE: ECR also refuses principals that do not exist; the lab takes any that could.
        _check_texts(named, _AWS_PRINCIPAL.fullmatch if kind == "AWS" else str.strip)


def _check_texts(texts: object, is_sound: Callable[[str], object]) -> None:
    """One text or a list of them, none of them unsound."""
    listed = _listed(texts)
    if not listed or not all(isinstance(one, str) and is_sound(one) for one in listed):
        _refuse(texts)


def _one_of(statement: dict[str, Any], name: str, negated: str) -> object:
    if (name in statement) == (negated in statement):
        _refuse(statement)
    return statement[name] if name in statement else statement[negated]


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise _NotAPolicyError("a key twice in one object")
    return document


def _refuse(what: object) -> NoReturn:
    raise _NotAPolicyError(what)
