"""The lab's ECR under moto's `mock_aws`: boto3 requests reach our registry in this process, without a port.

    boto3 ──► botocore ──► moto's stubber ──► api.ecr.REGION.amazonaws.com      EcrUnderMock ──► AwsFace ──► World
                                         └──► ACCOUNT.dkr.ecr.REGION.amazonaws.com   a refusal: no Docker here

`in_place` points moto's table of services at these classes while a block runs, and then restores the table.
"""

import contextlib
import re
import sys
import tempfile
import threading
import types
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from moto import backend_index, settings
from moto.core.base_backend import BackendDict, BaseBackend
from moto.ecr.models import ecr_backends
from moto.kms.models import kms_backends

from ecrlab.errors import EcrLabError
from ecrlab.registry.world import World
from ecrlab.simulator import downloads
from ecrlab.simulator.access.callers import Caller, backends, identify
from ecrlab.simulator.aws.face import AwsFace
from ecrlab.simulator.consumers import lambda_functions
from ecrlab.simulator.consumers.lambda_functions import LabFunction, LabLambdaResponse
from ecrlab.simulator.moto import seams
from ecrlab.simulator.moto.kms_backend import LabKms, LabKmsResponse
from ecrlab.simulator.wiring import wire

API = {
    "ecr": (
        r"https?://(?:api\.)?ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com",
        r"https?://ecr(?:-fips)?\.([a-z0-9-]+)\.api\.aws",
    ),
    "ecrpublic": (
        r"https?://(?:api\.)?ecr-public\.([a-z0-9-]+)\.amazonaws\.com",
        r"https?://ecr-public\.([a-z0-9-]+)\.api\.aws",
    ),
}
"""moto's name of a service -> the endpoints of its API (botocore's endpoint rules)."""

REGISTRIES = (
    r"https?://(?:[0-9]{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\.(?:amazonaws\.com(?:\.cn)?|on\.aws)"
    r"|public\.ecr\.aws|ecr-public\.aws\.com)"
)
"""The hosts of Docker clients."""

SEED = "mock"
"""The seed of ids and tokens, which makes them the same in every mock."""


def no_network(host: str) -> str:
    """Why a host of AWS cannot be reached under `mock_aws`."""
    return (
        f"{host} is out of reach under ecrlab.mock_aws(): it answers boto3 in this process and has no network. "
        "For Docker clients and /v2/ start a lab: ecrlab.start(), or `python3 -m ecrlab serve`"
    )


class EcrUnderMock:
    """The registry behind `mock_aws`. It is created on first use, and deleted with the mock."""

    def __init__(self) -> None:
        self._face: AwsFace | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.RLock()

    @property
    def world(self) -> World:
        """The world of this registry."""
        return self._running.world

    def answer(self, request: Any, full_url: str, _headers: Any) -> tuple[int, dict[str, str], bytes]:
        """Answer one API request; the arguments are those of moto's handlers."""
        headers = {**_strings(request.headers.items()), "Host": urlsplit(full_url).netloc}
        answer = self._running.answer(headers, request.data)
        return answer.status, answer.headers, answer.body

    def download(self, request: Any, full_url: str, _headers: Any) -> tuple[int, dict[str, str], bytes]:
        """The same for the addresses that GetDownloadUrlForLayer returns."""
        there = urlsplit(full_url)
        environ = {"REQUEST_METHOD": request.method, "PATH_INFO": there.path, "QUERY_STRING": there.query}
        started: list[tuple[str, list[tuple[str, str]]]] = []
        body = b"".join(downloads.Downloads(self.world)(environ, lambda *start: started.append(start)))
        status, headers = started[0]
        return int(status[:3]), dict(headers), body

    def refuse_docker(self, _request: Any, full_url: str, _headers: Any) -> tuple[int, dict[str, str], bytes]:
        """Refuse a request of a Docker client. Raises `EcrLabError`."""
        raise EcrLabError(no_network(urlsplit(full_url).netloc))

    def forget(self) -> None:
        """Delete the registry and its folder; the next use creates a new one."""
        with self._lock:
            face, self._face = self._face, None
            if face is not None and self._directory is not None:
                face.world.close()
                self._directory.cleanup()

    @property
    def _running(self) -> AwsFace:
        with self._lock:
            if self._face is None:
                # Removed at the end of the process at the latest.
                self._directory = tempfile.TemporaryDirectory(prefix="ecrlab-mock-")
                world = World(Path(self._directory.name), seed=SEED, durable=False)
                wire(world)
                seams.belongs_to(world)
                self._face = AwsFace(world, identify=_as_moto_lets)
            return self._face


ECR = EcrUnderMock()
"""The registry of this process, which has one set of moto's services."""

_urls = types.ModuleType("ecrlab.simulator.moto.urls")
_urls.url_bases = [base for bases in API.values() for base in bases]  # type: ignore[attr-defined]
_urls.url_paths = {  # type: ignore[attr-defined]
    "{0}/?$": ECR.answer,
    "{0}" + downloads.PREFIX + ".+$": ECR.download,
}
_docker_urls = types.ModuleType("ecrlab.simulator.moto.docker_urls")
_docker_urls.url_bases = [REGISTRIES]  # type: ignore[attr-defined]
_docker_urls.url_paths = {"{0}(?:/.*)?$": ECR.refuse_docker}  # type: ignore[attr-defined]


class LabBackend(BaseBackend):
    """Replaces moto's ECR backend, and holds nothing. Other moto services that use it get an error."""

    _url_module = property(lambda self: _urls)

    def reset(self) -> None:
        """Start over, as moto does with all its services."""
        ECR.forget()
        super().reset()

    def __getattr__(self, name: str) -> Any:
        """Raise `EcrLabError`: a repository in moto's ECR would be invisible to clients."""
        if name.startswith("__"):
            raise AttributeError(name)
        raise EcrLabError(
            f"moto's own ECR is not there under ecrlab.mock_aws() ({name} was asked for): CloudFormation makes no "
            "repositories here; use boto3's ecr client"
        )


class PublicBackend(BaseBackend):
    """The backend of ECR Public, which moto lacks."""

    _url_module = property(lambda self: _urls)


class DockerBackend(BaseBackend):
    """The backend of the hosts of Docker clients."""

    _url_module = property(lambda self: _docker_urls)


def _service(name: str, backend: type) -> types.ModuleType:
    """Return the module that moto imports for a service that it lacks."""
    module = types.ModuleType(f"moto.{name}")
    setattr(module, f"{name}_backends", BackendDict(backend, "ecr"))
    return module


_ADDED = {"ecrpublic": _service("ecrpublic", PublicBackend), "ecrdocker": _service("ecrdocker", DockerBackend)}


@contextlib.contextmanager
def in_place() -> Iterator[None]:
    """Inside the block, `ECR` answers `ecr` and `ecr-public` in place of moto's ECR; KMS and Lambda are the lab's.

    As with moto, Lambda looks at images only with MOTO_LAMBDA_STUB_ECR=FALSE.
    """
    seams.belongs_to(None)
    patterns = backend_index.backend_url_patterns
    before = list(patterns)
    ours = [(service, re.compile(base)) for service, bases in API.items() for base in bases]
    patterns[:0] = [*ours, ("ecrdocker", re.compile(REGISTRIES))]
    sys.modules.update({module.__name__: module for module in _ADDED.values()})
    try:
        with contextlib.ExitStack() as block:
            block.enter_context(seams.set_aside())
            for backends_of, ours_of in ((ecr_backends, LabBackend), (kms_backends, LabKms)):
                block.enter_context(patch.object(backends_of, "backend", ours_of))
                block.enter_context(patch.dict(backends_of, clear=True))
            for response in (LabKmsResponse, LabLambdaResponse):
                block.enter_context(patch.object(response, "identify", staticmethod(_as_moto_lets)))
            for part in lambda_functions.in_place_of_motos():
                block.enter_context(part)
            block.enter_context(patch.object(LabFunction, "world", staticmethod(_world_of_functions)))
            # As with moto: unit tests create roles with any text as trust policy.
            block.enter_context(patch.object(LabFunction, "trusts", staticmethod(lambda *_: True)))
            yield
    finally:
        patterns[:] = before
        for module in _ADDED.values():
            sys.modules.pop(module.__name__, None)


def _world_of_functions() -> World | None:
    return None if settings.lambda_stub_ecr() else ECR.world


def _as_moto_lets(access_key: str) -> Caller:
    """Return the caller that `identify` finds; the session of a role that does not exist may do everything.

    AWS rejects AssumeRole for such a role. moto accepts it, and tests use it to reach other accounts.
    """
    caller = identify(access_key)
    if ":assumed-role/" not in caller.arn:
        return caller
    name = caller.arn.split("/")[1]
    known = any(
        role.name == name
        for account_id, iam in backends("iam")
        if account_id == caller.account_id
        for role in list(iam.roles.values())
    )
    return caller if known else replace(caller, is_administrator=True)


def _strings(headers: Iterable[tuple[str, Any]]) -> dict[str, str]:
    return {name: value.decode() if isinstance(value, bytes) else str(value) for name, value in headers}
