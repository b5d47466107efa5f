"""`ecrlab.mock_aws()`: moto's `mock_aws` with the lab's ECR, for the user's own unit tests.

    with ecrlab.mock_aws() as lab:          a new registry, at a fixed time; the other services are moto's
        lab.push("web:v1")                  a small image with real layers
        lab.clock.advance(days=1)           nights pass, and lifecycle policies act
        boto3.client("ecr")…                answered in this process

Mocks nest as moto's do, also with moto's own `mock_aws`: the outermost one creates and deletes the registry. While a
mock runs, the user's variables and ~/.aws are not read, and no AWS host can be reached. This also holds for older
clients and for libraries that moto does not patch.
"""

import contextlib
import functools
import inspect
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ParamSpec, Self, TypeVar, overload
from unittest.mock import patch

from botocore.httpsession import URLLib3Session
from botocore.loaders import Loader
from moto.core.config import DefaultConfig
from moto.core.models import MockAWS, botocore_stubber

from ecrlab.clock import LabClock
from ecrlab.errors import EcrLabError
from ecrlab.machine.environment import REGION, foreign_variables
from ecrlab.simulator.access.callers import DEFAULT_ACCOUNT
from ecrlab.simulator.moto.ecr_under_mock import ECR, in_place, no_network
from ecrlab.simulator.moto.small_image import BASE, push

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

AWS_HOSTS = ("amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws", "on.aws", "ecr.aws", "ecr-public.aws.com")

_KEPT = ("AWS_DEFAULT_REGION", "AWS_REGION")
"""Variables that a test may set on purpose; they lead to no AWS by themselves."""


class MockLab(MockAWS):
    """A mock of AWS, and the lab inside it. Made by `ecrlab.mock_aws()`; it decorates as moto's does."""

    def __init__(self, config: DefaultConfig | None = None) -> None:
        """`config` is moto's own."""
        super().__init__(config)
        # moto's own class counts the mocks of this process.
        self._moto = MockAWS(config)

    @property
    def clock(self) -> LabClock:
        """The time of ECR here: `lab.clock.advance(days=30)`. It starts at 1 October 2026, 09:00 UTC."""
        _require_running()
        clock = ECR.world.clock
        assert isinstance(clock, LabClock)
        return clock

    def push(
        self, image: str, *, base: str = BASE, account_id: str = DEFAULT_ACCOUNT, region: str | None = None
    ) -> str:
        """Push a small image with real layers, and return its digest: `lab.push("web:v1")`.

        A missing repository is created. `image` may be a whole URI, which names the account and Region; the default
        Region is AWS_DEFAULT_REGION, the default tag `latest`. Each push is a new build, so a second push moves the
        tag. `base` is an image of the gallery, such as `debian:bullseye-20230109-slim`; scans find its packages.
        Raises `EcrLabError` with ECR's text when ECR rejects the push.
        """
        _require_running()
        where = region or os.environ["AWS_DEFAULT_REGION"]
        return push(ECR.world, image, base=base, account_id=account_id, region=where)

    def start(self, reset: bool = True) -> None:
        """Start the mock; `reset` empties all services unless another mock runs."""
        with _lock:
            _enter(reset)
            try:
                self._moto.start(reset)
            except BaseException:
                _leave()
                raise

    def stop(self, remove_data: bool = True) -> None:
        """End the mock; `remove_data` empties all services unless another mock runs."""
        with _lock:
            try:
                self._moto.stop(remove_data)
            finally:
                _leave(remove_data)

    def __enter__(self) -> Self:
        self.start()
        return self

    def _decorate_callable(self, func: Callable[P, T], reset: bool, remove_data: bool) -> Callable[P, T]:
        """Decorate as moto does; the body of a coroutine or generator (a pytest fixture) also runs inside the mock."""
        wrapper: Any
        if inspect.iscoroutinefunction(func):

            async def wrapper(*args: P.args, **kwargs: P.kwargs) -> Any:
                with self._running(reset, remove_data):
                    return await func(*args, **kwargs)

        elif inspect.isgeneratorfunction(func):

            def wrapper(*args: P.args, **kwargs: P.kwargs) -> Any:
                with self._running(reset, remove_data):
                    return (yield from func(*args, **kwargs))

        else:

            def wrapper(*args: P.args, **kwargs: P.kwargs) -> Any:
                with self._running(reset, remove_data):
                    return func(*args, **kwargs)

        decorated: Callable[P, T] = functools.wraps(func)(wrapper)
        return decorated

    @contextlib.contextmanager
    def _running(self, reset: bool, remove_data: bool) -> Iterator[None]:
        self.start(reset)
        try:
            yield
        finally:
            self.stop(remove_data)


@overload
def mock_aws(func: F) -> F: ...


@overload
def mock_aws(func: None = None, config: DefaultConfig | None = None) -> MockLab: ...


def mock_aws(func: Callable[..., Any] | None = None, config: DefaultConfig | None = None) -> Any:
    """Mock AWS in this process, with the lab's ECR and moto's other services; nothing reaches real AWS.

    Like moto's `mock_aws`, it is a context manager (`with ecrlab.mock_aws() as lab:`) and a decorator of functions,
    coroutines, generators and classes (`@ecrlab.mock_aws`); `config` is moto's. Each mock starts with an empty registry
    on 1 October 2026. Clients need no settings: the keys are invented, and the Region is AWS_DEFAULT_REGION or
    us-east-1. Docker clients and `/v2/` need a lab with a port: `ecrlab.start()`.
    """
    lab = MockLab(config)
    return lab if func is None else lab(func)


_lock = threading.RLock()
_depth = 0
_undo = contextlib.ExitStack()


def _enter(reset: bool) -> None:
    global _depth
    if _depth == 0:
        if reset:
            ECR.forget()
        for change in (_surroundings(), _no_way_out(), in_place()):
            _undo.enter_context(change)
    _depth += 1


def _leave(remove_data: bool = True) -> None:
    global _depth
    _depth -= 1
    if _depth == 0:
        if remove_data:
            ECR.forget()
        _undo.close()


def _require_running() -> None:
    if _depth == 0:
        raise EcrLabError(
            "this mock is not running: use it inside `with ecrlab.mock_aws() as lab:`, or decorate with it"
        )


@contextlib.contextmanager
def _surroundings() -> Iterator[None]:
    """Hide the user's AWS settings; changes that the block makes itself remain."""
    hidden = {name: None for name in foreign_variables(os.environ) if name not in _KEPT}
    direct = ",".join(f".{host}" for host in AWS_HOSTS)
    changes: dict[str, str | None] = hidden | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", REGION),
        # A proxy would resolve AWS's names itself.
        **{name: ",".join(filter(None, (os.environ.get(name), direct))) for name in ("NO_PROXY", "no_proxy")},
    }
    before = {name: os.environ.get(name) for name in changes}
    _set(changes)
    try:
        with patch.object(Loader, "CUSTOMER_DATA_PATH", os.devnull):
            yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def _no_way_out() -> Iterator[None]:
    """Keep requests from AWS: the mock also answers older clients, and AWS's hosts do not resolve."""
    send, look_up = URLLib3Session.send, socket.getaddrinfo

    def answer(session: Any, request: Any) -> Any:
        answered = botocore_stubber("before-send", request)
        return send(session, request) if answered is None else answered

    def no_address(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = (host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)).rstrip(".").lower()
        if f".{name}".endswith(tuple(f".{aws}" for aws in AWS_HOSTS)):
            raise socket.gaierror(socket.EAI_NONAME, no_network(name))
        return look_up(host, *args, **kwargs)

    with patch.object(URLLib3Session, "send", answer), patch.object(socket, "getaddrinfo", no_address):
        yield
