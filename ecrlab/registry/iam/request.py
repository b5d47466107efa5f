"""A request as policies see it: who wants to do what to which resource, under which circumstances."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Context = Mapping[str, tuple[str, ...]]
"""Condition keys in lower case -> their values; a key that does not apply is not there."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: an IAM user, a session of a role, or an AWS service.

    `arn` is what `sts get-caller-identity` shows, or a service's name (`lambda.amazonaws.com`); `account_id` is empty
    for a service; `role_arn` is the role's ARN when the principal is a session of one.
    """

    arn: str
    account_id: str
    role_arn: str = ""

    @property
    def account_arn(self) -> str:
        """How policies name the whole account."""
        return f"arn:aws:iam::{self.account_id}:root"


@dataclass(frozen=True, slots=True)
class Request:
    """One action on one resource; `owner` is the account that the resource belongs to."""

    principal: Principal
    action: str
    resource: str
    owner: str
    context: Context = field(default_factory=dict)
