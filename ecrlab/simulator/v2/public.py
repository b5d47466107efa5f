"""`public.ecr.aws`: the public registries of all accounts under one name, each below its alias.

    public.ecr.aws/l9v4i4d7/my-app  ->  repository my-app in the public registry with the alias l9v4i4d7

Its repositories are those of ECR Public's API, and the handlers are those of private registries. Every client may pull,
also without a login. A push needs a login whose account owns the repository, or is named in its policy (ECR Public user
guide, public repository policies). The kit's own images are there as `docker/library/…`.
"""

from collections.abc import Iterable
from typing import Any

from ecrlab.registry import names, public
from ecrlab.registry.errors import (
    EcrError,
    InvalidParameterException,
    RegistryNotFoundException,
    RepositoryNotFoundException,
)
from ecrlab.registry.tokens import Token
from ecrlab.registry.world import Registry, World
from ecrlab.simulator.v2 import auth, blobs, face, gallery, listings, manifests
from ecrlab.simulator.v2.auth import Authorize
from ecrlab.simulator.v2.errors import Refusal, not_here, refusal
from ecrlab.simulator.v2.public_tokens import PATHS, PublicTokens, challenge
from ecrlab.simulator.v2.pull_limit import PullLimit
from ecrlab.simulator.v2.recording import recorded
from ecrlab.simulator.v2.visit import PULLS, Handler, Visit
from ecrlab.simulator.v2.wire import Request, Response

OPEN = (face.ping, manifests.send, manifests.look, blobs.send, listings.tags, listings.list_referrers)
"""The handlers that answer every client. A HEAD of a layer is part of a push: without a login it is answered with 401
(concourse/registry-image-resource#319, cdklabs/cdk-ecr-deployment#216).
"""

COUNTED = (manifests.send, listings.tags)
"""The handlers that the limit counts."""


class PublicFace:
    """The registry API of public.ecr.aws, and its token endpoint.

    `authorize` authorizes each push (see `auth.Authorize`); `limit` limits pulls without a login.
    """

    def __init__(
        self, world: World, *, authorize: Authorize = auth.owners_only, limit: PullLimit | None = None
    ) -> None:
        self._world = world
        self._authorize = authorize
        self._limit = limit or PullLimit()
        self._tokens = PublicTokens(world)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        return face.respond(environ, self._answer).send(environ, start_response)

    def _answer(self, request: Request) -> Response:
        self._world.keep_up()
        if request.path in PATHS:
            return self._tokens.issue(request)
        token = self._tokens.bearer(request)
        handler, name, thing = face.route(request)
        if handler is listings.catalog:
            # UNSURE: how ECR Public answers; it lists the repositories of a registry in its API only.
            raise not_here(request.path)
        if not token.principal:
            if handler not in OPEN:
                raise challenge(request)
            if handler in COUNTED:
                self._limit.take(self._world.clock.now())
        if handler is face.ping:
            return Response.of_json({})
        if gallery.has(name):
            return gallery.answer(handler, request, token, name, thing)
        return self._in_registry(handler, request, token, name, thing)

    def _in_registry(self, handler: Handler, request: Request, token: Token, full_name: str, thing: str) -> Response:
        alias, _, name = full_name.partition("/")
        try:
            # An account number is no alias for Docker clients.
            registry = public.registry_of_alias(self._world, "" if names.ACCOUNT.fullmatch(alias) else alias)
        except (InvalidParameterException, RegistryNotFoundException) as error:
            raise RepositoryNotFoundException(name[:256], alias[:50]) from error
        # UNSURE: whether ECR Public mounts layers, and lists referrers. Its API has neither the setting BLOB_MOUNTING,
        # so nothing is mounted, nor ListImageReferrers; here referrers are listed, as the OCI specification asks.
        visit = Visit(request, token, registry, name, thing, self._may, alias=alias)
        try:
            return recorded(handler, visit)
        except EcrError as error:
            bad = refusal(error)
            # ECR Public names the registry by its alias (aws-samples/amazon-eks-cdk-blue-green-cicd#24).
            message = bad.message.replace(f"'{registry.account_id}'", f"'{alias}'")
            raise Refusal(bad.status, bad.code, message, bad.headers) from error

    def _may(self, token: Token, action: str, registry: Registry, repository_name: str) -> None:
        if action not in PULLS:
            self._authorize(token, f"ecr-public:{action.partition(':')[2]}", registry, repository_name)
