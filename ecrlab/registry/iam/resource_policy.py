"""Policies of repositories and registries: IAM's grammar and ECR's own rules.

    {"Version": "2012-10-17",
     "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
                    "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}]}

A statement names principals, and actions of ECR that such a policy can grant. A repository's policy is about that
repository and must not name a `Resource`; a registry's policy names repositories (AWS user guide, private repository
policies and registry permissions). ECR answers every fault with the same text.
"""

import json
import re
from typing import Any, Literal

from ecrlab.oci import strict_json
from ecrlab.registry.errors import InvalidParameterException
from ecrlab.registry.iam.actions import (
    ACTIONS,
    IN_REGISTRY_POLICIES_V1,
    NOT_IN_REPOSITORY_POLICIES,
    NOT_IN_RESOURCE_POLICIES,
    PUBLIC_ACTIONS,
)
from ecrlab.registry.iam.document import Patterns, PolicyError, Statement, parse

_RESOURCE = re.compile(r"\*|arn:aws[a-z-]*:ecr:[^\s:]*:[^\s:]*:[^\s]+")
_GRANTED_BY = {
    "repository": ACTIONS - NOT_IN_REPOSITORY_POLICIES,
    # AWS's own example has actions of private repositories: they have no effect (AWS CLI, set-repository-policy).
    "public repository": PUBLIC_ACTIONS | ACTIONS - NOT_IN_REPOSITORY_POLICIES,
    "registry": ACTIONS - NOT_IN_RESOURCE_POLICIES,
    "registry V1": IN_REGISTRY_POLICIES_V1,
}

Kind = Literal["repository", "public repository", "registry", "registry V1"]
"""What a policy belongs to. A registry of scope V1 has fewer actions (GetAccountSetting, REGISTRY_POLICY_SCOPE)."""


def check(text: str, of: Kind = "repository") -> dict[str, Any]:
    """Read a policy of a repository or registry. Raises `InvalidParameterException` at `PolicyText`.

    >>> everyone = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
    >>> check(json.dumps({"Version": "2012-10-17", "Statement": [everyone]}))["Statement"][0]["Effect"]
    'Allow'
    >>> check("{}")
    Traceback (most recent call last):
    ecrlab.registry.errors.InvalidParameterException: ...'Invalid repository policy provided'
    """
    try:
        for statement in parse(text).statements:
            _check_statement(statement, of)
    except PolicyError as error:
        raise invalid(of) from error
    return strict_json.read_object(text)


def invalid(of: Kind) -> InvalidParameterException:
    """Return ECR's only error for a policy that it does not accept."""
    kind = of.removesuffix(" V1").removeprefix("public ")
    return InvalidParameterException("PolicyText", f"Invalid {kind} policy provided")


def as_stored(document: object, indent: int = 0) -> str:
    """Lay out a policy as ECR returns it, with a blank on both sides of each colon.

    >>> print(as_stored({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": ["ecr:*"]}]}))
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
        members = [f"{inner}{json.dumps(name)} : {as_stored(value, indent + 2)}" for name, value in document.items()]
        return "{\n" + ",\n".join(members) + "\n" + " " * indent + "}" if members else "{ }"
    if isinstance(document, list):
        return f"[ {', '.join(as_stored(one, indent) for one in document)} ]" if document else "[ ]"
    return json.dumps(document, ensure_ascii=False)


def _check_statement(statement: Statement, of: Kind) -> None:
    if statement.principals is None:
        raise PolicyError("a statement of a resource's policy needs a Principal")
    for pattern in statement.actions.patterns:
        # UNSURE: which actions ECR refuses beside GetAuthorizationToken and those that it does not have; here all that
        # the user guide says such a policy cannot grant. A pattern is refused if it fits none that it can.
        if not any(Patterns((pattern,)).matches(action) for action in _GRANTED_BY[of]):
            raise PolicyError(f"a {of} policy cannot be about {pattern}")
    if of.endswith("repository"):
        if statement.resources is not None:
            raise PolicyError("the policy of a repository is about that repository, and names no Resource")
    elif statement.resources is None or not all(map(_RESOURCE.fullmatch, statement.resources.patterns)):
        raise PolicyError("the policy of a registry names repositories as Resource")
