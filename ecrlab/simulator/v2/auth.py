"""The caller of a request, and the registry that the host names.

The host `123456789012.dkr.ecr.us-east-1.amazonaws.com` names the registry's account and Region. On the machine's own
address it is the registry of the token's account and Region. Every request carries the token as the password of the
user `AWS` in Basic authentication. ECR answers a request without one with a challenge (AWS user guide, private registry
authentication; public reports quote the challenge and the texts).
"""

import base64
import binascii
import re
from functools import lru_cache
from typing import Protocol

from ecrlab.registry import names, tokens
from ecrlab.registry.errors import AccessDeniedException
from ecrlab.registry.tokens import ExpiredToken, InvalidToken, Token
from ecrlab.registry.world import Registry, World
from ecrlab.simulator.v2.errors import Refusal
from ecrlab.simulator.v2.wire import Headers

USER = "AWS"
PUBLIC_HOSTS = (names.PUBLIC_HOST, "ecr-public.aws.com")
"""The names of ECR Public; the second also has IPv6 addresses (ECR Public user guide, IPv6)."""

_PORT = re.compile(r":[0-9]{1,5}$")
_PRIVATE = re.compile(
    rf"(?P<account>{names.ACCOUNT.pattern})\."
    rf"(?:dkr\.ecr(?:-fips)?\.(?P<region>{names.REGION.pattern})\.amazonaws\.com(?:\.cn)?|"
    rf"dkr-ecr(?:-fips)?\.(?P<dual>{names.REGION.pattern})\.on\.aws)"
)
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "")
"""This machine's names, and the empty name of an HTTP/1.0 request."""


class Authorize(Protocol):
    """Raises `AccessDeniedException` if the token's bearer may not do this to the repository (`*` for all of them)."""

    def __call__(self, token: Token, action: str, registry: Registry, repository_name: str) -> None:
        """Return if they may."""


class NotAuthorized(Exception):
    """The request has no credentials, and gets a challenge. This is the only error that is not JSON."""

    def __init__(self, challenge: str) -> None:
        super().__init__(challenge)
        self.headers: Headers = [
            ("Www-Authenticate", challenge),
            ("Content-Type", "text/plain; charset=utf-8"),
        ]


def name_of(host: str) -> str:
    """Return a `Host` header without its port, in lower case."""
    return _PORT.sub("", host).lower()


def is_a_registry(name: str) -> bool:
    """Tell whether this is the host name of a private registry on AWS."""
    return _PRIVATE.fullmatch(name) is not None


def region_of(name: str) -> str | None:
    """Return the Region in the host name of a private registry on AWS, or None for another name."""
    found = _PRIVATE.fullmatch(name)
    return None if found is None else found["region"] or found["dual"]


class Bearers:
    """Returns the token in an `Authorization` header.

    Clients send the same header with each of their many requests, so the result is cached. Only the expiry is checked
    on every request.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._checked = lru_cache(maxsize=1000)(self._check)

    def __call__(self, host: str, authorization: str | None) -> Token:
        """Return the token of a request. Raises `NotAuthorized` without one, and `Refusal` for an invalid one."""
        scheme, _, credentials = (authorization or "").partition(" ")
        if scheme.lower() != "basic":
            raise NotAuthorized(_challenge(host))
        token = self._checked(credentials.strip())
        if token is None:
            raise NotAuthorized(_challenge(host))
        if self._world.clock.now() >= token.expires_at:
            raise expired()
        return token

    def _check(self, credentials: str) -> Token | None:
        user, colon, password = decoded(credentials)
        if colon and not user and not password:
            # UNSURE: how ECR answers an empty user and password, which skopeo sends without a login; here with the
            # challenge (401), as for no credentials.
            return None
        if user != USER or not colon:
            # UNSURE: how ECR rejects a malformed or foreign credential; public reports show only the status 400, so the
            # code (DENIED) and the text are the lab's.
            raise Refusal(400, "DENIED", "The Authorization header is not that of the user AWS with a registry token")
        try:
            token = tokens.check(self._world, password)
        except ExpiredToken as error:
            raise expired() from error
        except InvalidToken as error:
            raise _invalid() from error
        if token.region == names.PUBLIC:
            raise _invalid()
        return token


def registry_of(world: World, host: str, token: Token) -> Registry:
    """Return the registry of a host name for a token's bearer. Raises `Refusal`."""
    name = name_of(host)
    found = _PRIVATE.fullmatch(name)
    if found is None:
        if name in _LOOPBACK:
            return world.registry(token.account_id, token.region)
        # UNSURE: the status (400) and code (UNSUPPORTED) for a host name without an account; the text is ECR's.
        raise Refusal(400, "UNSUPPORTED", f"Could not resolve registry id from host {name[:260]}")
    if region_of(name) != token.region:
        # ECR answers 400 (aws/aws-cli#5317). UNSURE: code and text, which no client shows; here those of a bad token.
        raise _invalid()
    return world.registry(found["account"], token.region)


def owners_only(token: Token, action: str, registry: Registry, repository_name: str) -> None:
    """The rule without policies: an account may do everything in its own registry, and nothing in others'."""
    if token.account_id != registry.account_id:
        resource = names.repository_arn(registry.account_id, registry.region, repository_name)
        tail = f"because no resource-based policy allows the {action} action"
        raise AccessDeniedException(token.principal, action, resource, tail)


def decoded(credentials: str) -> tuple[str, str, str]:
    """Return the user, the colon and the password of Basic credentials; all empty if they are malformed."""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", "", ""


def _challenge(host: str) -> str:
    return f'Basic realm="https://{host}/",service="ecr.amazonaws.com"'


def expired() -> Refusal:
    """Return the error for a password whose twelve hours are over."""
    return Refusal(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")


def _invalid() -> Refusal:
    return Refusal(400, "DENIED", "Your authorization token is invalid.")
