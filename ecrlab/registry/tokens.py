"""Registry tokens: the passwords that `docker login` sends for the user `AWS`.

A token is opaque to the client and lives twelve hours. Like ECR's it is base64 over JSON that shows its expiry
(`"expiration"`, seconds since 1970); unlike ECR's, what it is bound to - account, Region and the caller - is readable
too, and signed, so that nothing needs to be remembered to check it. See AWS user guide, private registry
authentication.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ecrlab.errors import EcrLabError
from ecrlab.oci import strict_json
from ecrlab.registry.world import World

LIFETIME = timedelta(hours=12)


class InvalidToken(EcrLabError):
    """Not a token of this registry, or a forged one."""


class ExpiredToken(EcrLabError):
    """A token whose twelve hours are over."""


@dataclass(frozen=True, slots=True)
class Token:
    """Whom a token lets in: the caller's account, ARN and access key, in which Region, until when."""

    account_id: str
    region: str
    principal: str
    access_key: str
    expires_at: datetime


def issue(
    world: World, account_id: str, region: str, principal: str, access_key: str, *, lifetime: timedelta = LIFETIME
) -> tuple[str, datetime]:
    """A password for this caller in this Region, and when it expires."""
    expires_at = (world.clock.now() + lifetime).replace(microsecond=0)
    payload = _encode({"account": account_id, "region": region, "principal": principal, "key": access_key})
    expiration = int(expires_at.timestamp())
    token = {
        "payload": payload,
        "datakey": _sign(world, payload, expiration),
        "version": "2",
        "type": "DATA_KEY",
        "expiration": expiration,
    }
    return _encode(token), expires_at


def check(world: World, password: str) -> Token:
    """Whom this password lets in. Raises `InvalidToken`, `ExpiredToken`."""
    try:
        token = _decode(password)
        payload, datakey, expiration = token["payload"], token["datakey"], token["expiration"]
        if type(expiration) is not int:
            raise TypeError("the expiration is seconds since 1970")
        if not hmac.compare_digest(str(datakey), _sign(world, payload, expiration)):
            raise InvalidToken("the token is not one of this registry's")
        bound = _decode(payload)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidToken("the password is not a registry token") from error
    expires_at = datetime.fromtimestamp(expiration, UTC)
    if world.clock.now() >= expires_at:
        raise ExpiredToken(f"the token expired at {expires_at.isoformat()}")
    return Token(bound["account"], bound["region"], bound["principal"], bound["key"], expires_at)


def _sign(world: World, payload: str, expiration: int) -> str:
    message = f"{payload}.{expiration}".encode()
    return base64.b64encode(hmac.digest(world.token_key, message, hashlib.sha256)).decode()


def _encode(value: dict[str, object]) -> str:
    return base64.b64encode(json.dumps(value, separators=(",", ":")).encode()).decode()


def _decode(text: str) -> dict[str, Any]:
    return strict_json.read_object(base64.b64decode(text, validate=True))
