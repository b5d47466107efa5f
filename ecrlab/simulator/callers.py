"""Who is calling: the account and principal behind an access key.

The lab's own key belongs to its learner, an administrator of the default account. Keys of users, roles and sessions that
were made with IAM and STS (moto's) belong to those; any other key is taken for the learner's too, because a simulator has
no secret to check a signature with.
"""

import re
import sys
from dataclasses import dataclass

from ecrlab.registry.names import REGION

DEFAULT_ACCOUNT = "123456789012"
DEFAULT_REGION = "us-east-1"
LEARNER = "learner"

_SCOPE = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=([^/\s,]+)/\d{8}/([^/\s,]+)/([^/\s,]+)/aws4_request", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal: its account, its ARN as `sts get-caller-identity` gives it, and the key it called with."""

    account_id: str
    arn: str
    access_key: str
    is_administrator: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """What a signed request says about itself: the key, the Region and the service."""

    access_key: str
    region: str
    service: str


def read_signature(authorization: str) -> Signature | None:
    """The scope of a Signature Version 4 header, or None when the header is something else."""
    match = _SCOPE.match(authorization)
    if match is None or not REGION.fullmatch(match[2]):
        return None
    return Signature(match[1], match[2], match[3])


def identify(access_key: str) -> Caller:
    """The principal behind an access key."""
    account_id = DEFAULT_ACCOUNT
    # Until something of IAM or STS was used in this process, no key but the learner's can exist.
    if "moto.iam.models" in sys.modules:
        from moto.iam.models import get_account_id_from
        from moto.sts.models import sts_backends

        account_id = get_account_id_from(access_key)
        _, arn, _ = sts_backends[account_id]["aws"].get_caller_identity(access_key, DEFAULT_REGION)
        if not arn.endswith(":user/moto"):
            return Caller(account_id, arn, access_key, is_administrator=arn.endswith(f":user/{LEARNER}"))
    return Caller(account_id, f"arn:aws:iam::{account_id}:user/{LEARNER}", access_key, is_administrator=True)
