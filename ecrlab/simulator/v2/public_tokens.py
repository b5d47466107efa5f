"""The tokens of public.ecr.aws, and who holds one.

    GET /v2/                    ->  401, Www-Authenticate: Bearer realm="…/token/",service="public.ecr.aws",scope="aws"
    GET /token/                 ->  a token of an anonymous client, which lives for one hour
    GET /token/ with the login  ->  a token of this login, which lives as long as its password
    GET /v2/… with a token      ->  the answer; 403 for an expired login, 400 for any other token that is not valid

The token of a login is the login itself, `AWS:PASSWORD` in base64, as GetAuthorizationToken returns it (ECR Public user
guide, registry authentication, HTTP API authentication). The endpoint does not check it; `/v2/` does. Sources: the 403
is in awslabs/eksdemo#68, the 400 in CircleCI-Public/aws-ecr-orb#128, the hour and its 400 in oras-project/oras-go#1227.
"""

import base64
from datetime import timedelta
from functools import lru_cache

from ecrlab.registry import names, tokens
from ecrlab.registry.tokens import ExpiredToken, InvalidToken, Token
from ecrlab.registry.world import World
from ecrlab.simulator.v2 import auth
from ecrlab.simulator.v2.auth import NotAuthorized
from ecrlab.simulator.v2.errors import Refusal, wrong_method
from ecrlab.simulator.v2.wire import Request, Response

PATHS = ("/token", "/token/")

LIFETIME = timedelta(hours=1)
"""How long the token of an anonymous client is valid."""


class PublicTokens:
    """Issues tokens, and returns the token in an `Authorization` header."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._checked = lru_cache(maxsize=1000)(self._check)

    def issue(self, request: Request) -> Response:
        """Answer a request to the token endpoint, which ignores the scope."""
        if request.method not in ("GET", "HEAD"):
            raise wrong_method(request.method, ["GET", "HEAD"])
        scheme, _, credentials = (request.header("Authorization") or "").partition(" ")
        user, colon, password = auth.decoded(credentials.strip())
        # skopeo sends an empty user and password without a login.
        if scheme.lower() != "basic" or (colon and not user and not password):
            token, _ = tokens.issue(self._world, "", names.PUBLIC, "", "", lifetime=LIFETIME)
        elif user != auth.USER or not password:
            # The text is in docker/login-action#38. UNSURE: the status.
            raise Refusal(403, "DENIED", "Not Authorized")
        else:
            token = base64.b64encode(f"{user}:{password}".encode()).decode()
        return Response.of_json({"token": token})

    def bearer(self, request: Request) -> Token:
        """Return the token of a request. Raises `NotAuthorized` without one, and `Refusal` for an invalid one."""
        scheme, _, credentials = (request.header("Authorization") or "").partition(" ")
        # UNSURE: the answer to Basic credentials; here the challenge, because ECR Public reads Bearer tokens only.
        if scheme.lower() != "bearer":
            raise challenge(request)
        token = self._checked(credentials.strip())
        if self._world.clock.now() >= token.expires_at:
            raise auth.expired() if token.principal else _invalid()
        return token

    def _check(self, bearer: str) -> Token:
        user, _, password = auth.decoded(bearer)
        is_login = user == auth.USER
        try:
            token = tokens.check(self._world, password if is_login else bearer)
        except ExpiredToken as error:
            raise auth.expired() if is_login else _invalid() from error
        except InvalidToken as error:
            raise _invalid() from error
        if token.region != names.PUBLIC or bool(token.principal) != is_login:
            raise _invalid()
        return token


def challenge(request: Request) -> NotAuthorized:
    """Return the challenge of ECR Public; its realm has the client's scheme, because skopeo follows it."""
    # UNSURE: the realm at the name ecr-public.aws.com; here the name that the client used.
    realm = f"{request.scheme}://{auth.name_of(request.host)}/token/"
    return NotAuthorized(f'Bearer realm="{realm}",service="{names.PUBLIC_HOST}",scope="aws"')


def _invalid() -> Refusal:
    return Refusal(400, "DENIED", "Your Authorization Token is invalid.")
