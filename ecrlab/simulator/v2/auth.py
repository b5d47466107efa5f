"""Who asks, and of which registry.

The host name says which registry is meant: account and Region of
`123456789012.dkr.ecr.us-east-1.amazonaws.com`; on the machine's own address it is the registry of the token's
account and Region. The token comes as the password of the user `AWS` in Basic authentication, on every
request; without one ECR asks for it (see AWS user guide, private registry authentication; the challenge and
the texts are quoted in public reports).
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
PUBLIC_HOST = "public.ecr.aws"

_PORT = re.compile(r":[0-9]{1,5}$")
_PRIVATE = re.compile(
    rf"(?P<account>{names.ACCOUNT.pattern})\."
    rf"(?:dkr\.ecr(?:-fips)?\.(?P<region>{names.REGION.pattern})\.amazonaws\.com(?:\.cn)?|"
    rf"dkr-ecr(?:-fips)?\.(?P<dual>{names.REGION.pattern})\.on\.aws)"
)
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "")
"""This machine's names; and no name at all, as HTTP/1.0 has it."""


class Authorize(Protocol):
    """The rules: raises `AccessDeniedException` if a token's bearer may not do this to that repository, or (`*`) to
    all repositories of the registry.
    """

    def __call__(self, token: Token, action: str, registry: Registry, repository_name: str) -> None:
        """Return if they may."""


class NotAuthorized(Exception):
    """Nobody said who asks: the one answer that is not JSON."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.headers: Headers = [
            ("Www-Authenticate", f'Basic realm="https://{host}/",service="ecr.amazonaws.com"'),
            ("Content-Type", "text/plain; charset=utf-8"),
        ]


def name_of(host: str) -> str:
    """A `Host` header without its port, in lower case."""
    return _PORT.sub("", host).lower()


def is_a_registry(name: str) -> bool:
    """Whether this is the name of somebody's registry on AWS."""
    return _PRIVATE.fullmatch(name) is not None


class Bearers:
    """Whose token an `Authorization` header carries.

    Clients send the same header with each of their many requests, so what was found out about it is remembered; only
    that it has not expired meanwhile is looked at each time.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._checked = lru_cache(maxsize=1000)(self._check)

    def __call__(self, host: str, authorization: str | None) -> Token:
        """The token of a request. Raises `NotAuthorized` without one, `Refusal` for a bad one."""
        scheme, _, credentials = (authorization or "").partition(" ")
        if scheme.lower() != "basic":
            raise NotAuthorized(host)
        token = self._checked(credentials.strip())
        if token is None:
            raise NotAuthorized(host)
        if self._world.clock.now() >= token.expires_at:
            raise _expired()
        return token

    def _check(self, credentials: str) -> Token | None:
        try:
            user, colon, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            user = colon = password = ""
        if colon and not user and not password:
            # UNSURE: what ECR makes of an empty user and password, which skopeo sends of somebody who is not logged
            # in; taken for what it means, and answered with the challenge (401).
            return None
        if user != USER or not colon:
            # UNSURE: what ECR says of a credential that is malformed or not its own; public reports show the status 400
            # only, so code (DENIED) and text are the lab's.
            raise Refusal(400, "DENIED", "The Authorization header is not that of the user AWS with a registry token")
        try:
            return tokens.check(self._world, password)
        except ExpiredToken as error:
            raise _expired() from error
        except InvalidToken as error:
            raise _invalid() from error


def registry_of(world: World, host: str, token: Token) -> Registry:
    """The registry that a host name means to a token's bearer. Raises `Refusal`."""
    name = name_of(host)
    found = _PRIVATE.fullmatch(name)
    if found is None:
        if name in _LOOPBACK:
            return world.registry(token.account_id, token.region)
        # UNSURE: the status (400) and code (UNSUPPORTED) of a host name without an account; the text is ECR's.
        raise Refusal(400, "UNSUPPORTED", f"Could not resolve registry id from host {name[:260]}")
    region = found["region"] or found["dual"]
    if region != token.region:
        # ECR answers 400 (aws/aws-cli#5317). UNSURE: code and text, which no client shows; those of a bad token.
        raise _invalid()
    return world.registry(found["account"], region)


def owners_only(token: Token, action: str, registry: Registry, repository_name: str) -> None:
    """The rule without policies: an account does what it likes in its own registry and nothing in others'."""
    if token.account_id != registry.account_id:
        resource = names.repository_arn(registry.account_id, registry.region, repository_name)
        tail = f"because no resource-based policy allows the {action} action"
        raise AccessDeniedException(token.principal, action, resource, tail)


def _expired() -> Refusal:
    return Refusal(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")


def _invalid() -> Refusal:
    return Refusal(400, "DENIED", "Your authorization token is invalid.")
