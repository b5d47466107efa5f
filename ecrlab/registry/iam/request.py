"""A request that policies judge: principal, action, resource and condition keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Context = Mapping[str, tuple[str, ...]]
"""Condition keys in lower case -> their values; a key that does not apply is absent."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: an IAM user, a session of a role, or an AWS service.

    `arn` is what `sts get-caller-identity` shows, or a service's name (`lambda.amazonaws.com`); `account_id` is empty
    for a service; `role_arn` is the role's ARN when the principal is a session of one.
    """

    arn: str
    account_id: str
    role_arn: str = ""

    @property
    def account_arn(self) -> str:
        """The ARN that names the whole account in policies."""
        return f"arn:aws:iam::{self.account_id}:root"


@dataclass(frozen=True, slots=True)
class Request:
    """One action on one resource; `owner` is the account that the resource belongs to."""

    principal: Principal
    action: str
    resource: str
    owner: str
    context: Context = field(default_factory=dict)
