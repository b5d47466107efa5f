"""Callers: the account and principal behind an access key.

The lab's own key belongs to the learner, an administrator of the default account. A valid key from moto's IAM or STS
belongs to its user, role or session. Any other key counts as the learner's; a private lab refuses it before
(`ecrlab.simulator.access.signatures`).
"""

import base64
import binascii
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ecrlab.machine.environment import ACCESS_KEY_ID
from ecrlab.registry.errors import EcrError
from ecrlab.registry.names import REGION

DEFAULT_ACCOUNT = "123456789012"
LEARNER = "learner"
LEARNER_ARN = f"arn:aws:iam::{DEFAULT_ACCOUNT}:user/{LEARNER}"

_SCOPE = re.compile(r"AWS4-HMAC-SHA256\s+Credential=([^/\s,]+)/\d{8}/([^/\s,]+)/([^/\s,]+)/aws4_request", re.ASCII)
_ISSUED = re.compile(r"(?:AKIA|ASIA)([A-Z2-7]{8})([A-Z2-7])[A-Z2-7]{7}")
_FIRST = 1 << 39
"""The first number in access keys; see `issuing_account`."""


class MissingAuthenticationTokenException(EcrError):
    """The request is not signed."""

    def __init__(self) -> None:
        super().__init__("Missing Authentication Token")


class UnrecognizedClientException(EcrError):
    """The access key does not belong to a principal, or no longer does."""

    def __init__(self) -> None:
        super().__init__("The security token included in the request is invalid.")


class ExpiredTokenException(EcrError):
    """The session of the access key has expired."""

    def __init__(self) -> None:
        super().__init__("The security token included in the request is expired")


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal: its account, its ARN as `sts get-caller-identity` returns it, and the key it called with.

    A service has no account, its name as the ARN (`lambda.amazonaws.com`), and the ARN of the resource it acts for.
    """

    account_id: str
    arn: str
    access_key: str
    is_administrator: bool = False
    source_arn: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """The credential scope of a signed request: the key, the Region and the service."""

    access_key: str
    region: str
    service: str


def read_signature(authorization: str) -> Signature | None:
    """Return the scope of a Signature Version 4 header, or None for any other header."""
    match = _SCOPE.match(authorization)
    if match is None or not REGION.fullmatch(match[2]):
        return None
    return Signature(match[1], match[2], match[3])


def identify(access_key: str) -> Caller:
    """Return the principal behind an access key.

    Raises `UnrecognizedClientException` for a deleted or inactive key, and `ExpiredTokenException` for the key of an
    expired session. Sessions expire by the machine's clock, as moto's STS does.
    """
    if access_key == ACCESS_KEY_ID:
        return named(DEFAULT_ACCOUNT, LEARNER_ARN, access_key)
    # IAM and STS have issued no key before this process first uses them.
    if "moto.iam.models" in sys.modules:
        for account_id, iam in backends("iam"):
            key = iam.access_keys.get(access_key)
            if key is not None:
                return named(account_id, _arn_of(account_id, iam, key), access_key)
    issuer = issuing_account(access_key)
    if issuer == DEFAULT_ACCOUNT or any(issuer == account_id for account_id, _ in backends("iam")):
        raise UnrecognizedClientException
    return named(DEFAULT_ACCOUNT, LEARNER_ARN, access_key)


def named(account_id: str, arn: str, access_key: str) -> Caller:
    """Return the caller with this ARN; the learner is an administrator with any key."""
    return Caller(account_id, arn, access_key, is_administrator=arn == LEARNER_ARN)


def backends(service: str) -> list[tuple[str, Any]]:
    """Return a moto service, such as `iam`, for every account that has one; none before its first use."""
    module = sys.modules.get(f"moto.{service}.models")
    # Also absent while another thread imports it.
    accounts: dict[str, Any] = getattr(module, f"{service}_backends", {})
    # Lists, because other threads may add accounts meanwhile.
    return [(account_id, account["aws"]) for account_id, account in list(accounts.items())]


def session_of(account_id: str, access_key: str) -> Any | None:
    """Return the session (moto's `AssumedRole`) of an access key."""
    for owner, sts in backends("sts"):
        if owner == account_id:
            return next((one for one in list(sts.assumed_roles) if one.access_key_id == access_key), None)
    return None


def issuing_account(access_key: str) -> str | None:
    """Return the account whose IAM issued this key, or None for a key of another form.

    AWS and moto encode the account in every access key. Eight base 32 letters are half its number; the next letter
    tells whether the number is odd.
    """
    match = _ISSUED.fullmatch(access_key)
    if match is None:
        return None
    try:
        half = int.from_bytes(base64.b32decode(match[1])) - _FIRST
    except binascii.Error:
        return None
    return f"{2 * half + (match[2] >= 'Q' or match[2].isdigit()):012}" if half >= 0 else None


def _arn_of(account_id: str, iam: Any, key: Any) -> str:
    session = session_of(account_id, key.access_key_id)
    if session is not None:
        if session.expiration.replace(tzinfo=UTC) <= datetime.now(UTC):
            raise ExpiredTokenException
        return str(session.arn)
    for user in list(iam.users.values()):
        if any(one.access_key_id == key.access_key_id for one in list(user.access_keys)):
            if key.status != "Active":
                raise UnrecognizedClientException
            return str(user.arn)
    # The key of a deleted user.
    raise UnrecognizedClientException
