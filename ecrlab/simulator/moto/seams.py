"""Where moto lets us in: its services beside ours, and ours under its `mock_aws`.

moto (5.2) has no plug-in interface; what is used here is public by convention only, so `tests/simulator/
test_moto_seams.py` fails loudly when one of these moves:

* `ecr_backends.backend` is the class of every ECR backend to come; its `_url_module` says who answers.
* `sys.modules["moto.ecrpublic"]` and `backend_index.backend_url_patterns` add a service that moto lacks.
* `DomainDispatcherApplication` is the WSGI application of moto's server.
* `iam_backends.backend` is the class of every IAM to come; its `_init_aws_policies` gives the policies AWS manages.
* `moto_api_backend.reset` and `mock_random.seed` begin anew; `kms_backends` hold keys with their aliases.
* `events_backends` hold the buses of EventBridge, these their rules; `Rule.send_to_targets` judges and delivers.
* `securityhub_backends` hold `findings`, say whether they are `enabled`, and take more by `batch_import_findings`.
"""

import functools
import json
import re
import sys
import tempfile
import threading
import types
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ecrlab.machine.environment import ACCESS_KEY_ID, REGION
from ecrlab.registry.world import World
from ecrlab.simulator import downloads
from ecrlab.simulator.access.callers import DEFAULT_ACCOUNT, LEARNER
from ecrlab.simulator.aws.face import AwsFace

SEED = 20150921
"""What moto's random ids are made from (the date of ECR's API)."""

HOSTS = {
    "ecr": [r"https?://(?:api\.)?ecr\.(.+)\.amazonaws\.com"],
    "ecrpublic": [r"https?://(?:api\.)?ecr-public\.(.+)\.amazonaws\.com"],
}


_whose: "weakref.ref[World] | None" = None
_begin_lock = threading.Lock()


def moto_application(world: World) -> Any:
    """The WSGI application of moto's server, for all services but ours."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    begin(world)
    moto = DomainDispatcherApplication(create_backend_app)

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        begin(world)
        pieces: Iterable[bytes] = moto(environ, start_response)
        return pieces

    return application


def begin(world: World) -> None:
    """Let moto's services, of which a process has one set, be those of this world: new, and the same in every run.

    Does nothing when they are already. Call it before the first look at a backend of moto's.
    """
    global _whose
    with _begin_lock:
        if _whose is not None and _whose() is world:
            return
        from moto.moto_api._internal import mock_random
        from moto.moto_api._internal.models import moto_api_backend

        _offer_managed_policies()
        moto_api_backend.reset()
        mock_random.seed(SEED)
        _enrol_learner()
        _whose = weakref.ref(world)


@functools.cache
def _managed_policies() -> dict[str, Any]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return policies


def _offer_managed_policies() -> None:
    """Let every account have the policies that AWS manages, which moto leaves out unless the environment asks."""
    from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy, iam_backends

    class LabIam(IAMBackend):
        """An account's IAM."""

        __module__ = IAMBackend.__module__

        def _init_aws_policies(self) -> list[ManagedPolicy]:
            # Nobody here uses another partition, and moto makes an account in each.
            data = _managed_policies() if self.partition == "aws" else {}
            return [
                AWSManagedPolicy.from_data(name, self.account_id, self.region_name, one) for name, one in data.items()
            ]

    iam_backends.backend = LabIam


def event_rules(world: World, account_id: str, region: str) -> list[Any]:
    """The enabled rules on the default bus of an account and Region; none unless this world's EventBridge is in use.

    Loads and makes nothing: where nobody asked for EventBridge yet, nobody can have made a rule.
    """
    backend = _in_use(world, "events", account_id, region)
    buses = [] if backend is None else [backend.event_buses["default"]]
    return [rule for bus in buses for rule in list(bus.rules.values()) if rule.state == "ENABLED"]


def security_hub(world: World, account_id: str, region: str) -> Any:
    """The Security Hub of an account and Region, or None unless this world has enabled it; loads and makes nothing."""
    backend = _in_use(world, "securityhub", account_id, region)
    return backend if backend is not None and backend.enabled else None


def _in_use(world: World, service: str, account_id: str, region: str) -> Any:
    """A backend of moto's that somebody has used in this world, or None; nothing is loaded or made for the look."""
    module = sys.modules.get(f"moto.{service}.models")
    if module is None or _whose is None or _whose() is not world:
        return None
    # Absent too while another thread imports it; and `get` of a dictionary that would make an account for a look.
    accounts: dict[str, Any] = getattr(module, f"{service}_backends", {})
    return dict.get(dict.get(accounts, account_id) or {}, region)


def _belongs_to(world: World) -> None:
    """`mock_aws` has just begun moto's services anew, for this world."""
    global _whose
    with _begin_lock:
        _whose = weakref.ref(world)


def _enrol_learner() -> None:
    """Make the lab's own key known to moto's IAM, so that `sts get-caller-identity` names the learner."""
    from moto.iam.models import iam_backends

    backend = iam_backends[DEFAULT_ACCOUNT]["aws"]
    user = backend.create_user(region_name=REGION, user_name=LEARNER)
    user.id = "AIDAECRLABLEARNER0000"
    key = backend.create_access_key(user_name=LEARNER)
    del backend.access_keys[key.physical_resource_id]
    key.access_key_id = ACCESS_KEY_ID
    backend.access_keys[ACCESS_KEY_ID] = key


def install() -> None:
    """From now on `moto.mock_aws` answers `ecr` and `ecr-public` from a registry of ours, new for each mock."""
    from moto import backend_index
    from moto.core.base_backend import BackendDict, BaseBackend
    from moto.ecr.models import ECRBackend, ecr_backends

    mock = _Mock()
    module = types.ModuleType("ecrlab.simulator.moto.urls")
    module.url_bases = [base for bases in HOSTS.values() for base in bases]  # type: ignore[attr-defined]
    module.url_paths = {  # type: ignore[attr-defined]
        "{0}/$": mock.dispatch,
        "{0}" + downloads.PREFIX + "(?P<digest>[^/]+)$": mock.download,
    }

    class LabBackend(ECRBackend):
        """Stands where moto keeps its ECR; holds nothing, answers nothing itself."""

        _url_module = property(lambda self: module)

        def reset(self) -> None:
            mock.forget()
            super().reset()

    class PublicBackend(BaseBackend):
        """Stands where moto would keep ECR Public."""

        _url_module = property(lambda self: module)

    ecr_backends.clear()
    ecr_backends.backend = LabBackend
    public = types.ModuleType("moto.ecrpublic")
    public.ecrpublic_backends = BackendDict(PublicBackend, "ecr-public")  # type: ignore[attr-defined]
    sys.modules["moto.ecrpublic"] = public
    if not any(service == "ecrpublic" for service, _ in backend_index.backend_url_patterns):
        backend_index.backend_url_patterns += [("ecrpublic", re.compile(base)) for base in HOSTS["ecrpublic"]]


class _Mock:
    """The registry behind one `mock_aws`."""

    def __init__(self) -> None:
        self._face: AwsFace | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()

    def dispatch(self, request: Any, full_url: str, _headers: Any) -> tuple[int, dict[str, str], bytes]:
        """Answer one request; the arguments are those of moto's handlers."""
        answer = self._answering().answer(
            {**_strings(request.headers.items()), "Host": urlsplit(full_url).netloc}, request.data
        )
        return answer.status, answer.headers, answer.body

    def download(self, request: Any, full_url: str, _headers: Any) -> tuple[int, dict[str, str], bytes]:
        """The same for the addresses that GetDownloadUrlForLayer gives."""
        there = urlsplit(full_url)
        environ = {"REQUEST_METHOD": request.method, "PATH_INFO": there.path, "QUERY_STRING": there.query}
        started: list[tuple[str, list[tuple[str, str]]]] = []
        body = b"".join(downloads.Downloads(self._answering().world)(environ, lambda *start: started.append(start)))
        status, answer_headers = started[0]
        return int(status[:3]), dict(answer_headers), body

    def _answering(self) -> AwsFace:
        with self._lock:
            if self._face is None:
                # Removed at the latest when the process ends.
                self._directory = tempfile.TemporaryDirectory(prefix="ecrlab-mock-")
                world = World(Path(self._directory.name), seed="mock", durable=False)
                _belongs_to(world)
                self._face = AwsFace(world)
            return self._face

    def forget(self) -> None:
        """The mock is over."""
        with self._lock:
            face, self._face = self._face, None
            if face is not None and self._directory is not None:
                face.world.close()
                self._directory.cleanup()


def _strings(headers: Iterable[tuple[str, Any]]) -> dict[str, str]:
    return {name: value.decode() if isinstance(value, bytes) else str(value) for name, value in headers}
