"""Paging: responses of at most `maxResults`, with a `nextToken` that only the same operation accepts."""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

from ecrlab.registry.errors import InvalidParameterException
from ecrlab.registry.world import World


def token(world: World, scope: str, position: object) -> str:
    """Return an opaque, signed token for the page after `position` of the listing `scope`."""
    body = json.dumps([scope, position], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_sign(world, body) + body).decode()


def position(world: World, scope: str, next_token: str | None) -> Any:
    """Return the position in a token, or None without one. Raises `InvalidParameterException` for an invalid token."""
    if next_token is None:
        return None
    try:
        raw = base64.b64decode(next_token.encode("ascii"), altchars=b"-_", validate=True)
        signature, body = raw[:16], raw[16:]
        if hmac.compare_digest(signature, _sign(world, body)):
            found_scope, found = json.loads(body)
            if found_scope == scope:
                return found
    except (binascii.Error, ValueError):
        # UnicodeEncodeError is a ValueError too. The text is no token of ours, and is rejected below.
        ...
    # UNSURE: the exact text is not public.
    raise InvalidParameterException("nextToken", "The specified token is invalid")


def _sign(world: World, body: bytes) -> bytes:
    return hmac.digest(world.token_key, b"page " + body, hashlib.sha256)[:16]
