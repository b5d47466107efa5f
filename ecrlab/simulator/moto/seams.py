"""moto's services beside ours: one set in a process, which belongs to one world at a time.

moto (5.2) has no plug-in interface. This module and `ecr_under_mock` use names that are public by convention only.
`tests/simulator/moto/test_seams.py` fails when one of them changes:

* `ecr_backends.backend` is the class of every new ECR backend; its `_url_module` names the handlers.
* `sys.modules["moto.ecrpublic"]` and `backend_index.backend_url_patterns` add a service that moto lacks.
* `DomainDispatcherApplication` is the WSGI application of moto's server.
* `iam_backends.backend` is the class of every new IAM backend; its `_init_aws_policies` returns AWS managed policies.
* `create_role` and `attach_role_policy` of an IAM backend make a role.
* `iam.models.random_alphanumeric` makes the secrets of access keys, also those of sessions.
* `moto_api_backend.reset` and `mock_random.seed` start over.
* `kms_backends.backend` is the class of every new KMS backend; its `_url_module` names the handler (`kms_backend`).
* `kms_backends` hold keys with their aliases and grants, and all attributes of these (`vars`; see `kms_store`).
* `events_backends` hold the buses of EventBridge, with their rules; `Rule.send_to_targets` matches and delivers.
* `ecs_backends.backend` and `ecs.models.Task` are the classes of ECS's backends and tasks (`consumers/ecs_backend.py`).
* `lambda_backends.backend` and `awslambda.models.LambdaFunction` are the classes of Lambda's backends and functions;
  `_set_function_code` reads the code of a new function and of an update (`lambda_functions`).
* `secretsmanager_backends` hold `secrets`, which know their `policy`, `kms_key_id`, versions and deletion.
* `securityhub_backends` hold `findings`, know whether they are `enabled`, and import by `batch_import_findings`.
"""

import contextlib
import functools
import json
import sys
import threading
import weakref
from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any

from ecrlab.machine.environment import ACCESS_KEY_ID, REGION, new_secret
from ecrlab.registry.world import World
from ecrlab.simulator.access.callers import DEFAULT_ACCOUNT, LEARNER

SEED = 20150921
"""The seed of moto's random ids (the date of ECR's API)."""

_whose: "weakref.ref[World] | None" = None
_begin_lock = threading.Lock()
_before_reset: list[Callable[[], None]] = []
_before_use: dict[str, Callable[[], list[Any]]] = {}
_placed: dict[str, contextlib.ExitStack] = {}


def moto_application(world: World, only: Container[str] | None = None) -> Any:
    """The WSGI application of moto's server, for all services but ours, or for those of some names of moto's."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication

    begin(world)

    def create_app(service: Any) -> Any:
        if only is not None and service not in only:
            raise LookupError(f"{service} is not among these services")
        return _create_app(service)

    moto = DomainDispatcherApplication(create_app)

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        begin(world)
        pieces: Iterable[bytes] = moto(environ, start_response)
        return pieces

    return application


def before_use(service: str, patches: Callable[[], list[Any]]) -> None:
    """Put parts of ours in place of moto's when a lab first uses one of its services, which may take a second to load.

    `service` is moto's name of it, such as `awslambda`; `patches` loads it, and returns a `patch.object` for each part.
    """
    _before_use[service] = patches


@contextlib.contextmanager
def set_aside() -> Iterator[None]:
    """Inside the block, the services of `before_use` are moto's own again, as under `mock_aws`."""
    for one in _placed.values():
        one.close()
    try:
        yield
    finally:
        for service in _placed:
            _place(service)


def _place(service: str) -> None:
    _placed[service] = contextlib.ExitStack()
    for one in _before_use[service]():
        _placed[service].enter_context(one)


def _create_app(service: Any) -> Any:
    from moto.moto_server.werkzeug_app import create_backend_app

    if service in _before_use and service not in _placed:
        _place(service)
    return create_backend_app(service)


def begin(world: World) -> None:
    """Assign the process's one set of moto services to this world: empty, and the same in every run.

    It does nothing if they belong to this world already. Call it before the first use of a moto backend.
    """
    global _whose
    with _begin_lock:
        if _whose is not None and _whose() is world:
            return
        from moto.moto_api._internal import mock_random
        from moto.moto_api._internal.models import moto_api_backend

        _offer_managed_policies()
        _make_secrets_random()
        for replace_class in _before_reset:
            replace_class()
        moto_api_backend.reset()
        mock_random.seed(SEED)
        _enrol_learner()
        _whose = weakref.ref(world)


def owner() -> World | None:
    """Return the world that moto's services belong to."""
    return None if _whose is None else _whose()


def before_reset(replace_class: Callable[[], None]) -> None:
    """Call a function, which puts a class of ours in place of one of moto's, before moto's services begin anew."""
    if replace_class not in _before_reset:
        _before_reset.append(replace_class)


@functools.cache
def _managed_policies() -> dict[str, Any]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return policies


def _offer_managed_policies() -> None:
    """Add the AWS managed policies to every account; moto omits them by default."""
    from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy, iam_backends

    class LabIam(IAMBackend):
        """An account's IAM."""

        __module__ = IAMBackend.__module__

        def _init_aws_policies(self) -> list[ManagedPolicy]:
            # The lab uses one partition; moto would create an account in each.
            data = _managed_policies() if self.partition == "aws" else {}
            return [
                AWSManagedPolicy.from_data(name, self.account_id, self.region_name, one) for name, one in data.items()
            ]

    iam_backends.backend = LabIam


def _make_secrets_random() -> None:
    """Let access keys have other secrets in each lab, although moto's seed repeats their ids."""
    from moto.iam import models, utils

    def secret(length: int) -> str:
        utils.random_alphanumeric(length)  # keeps moto's later random values the same
        return new_secret()[:length]

    vars(models)[utils.random_alphanumeric.__name__] = secret


def add_service_linked_role(world: World, account_id: str, name: str, service: str, policy: str) -> None:
    """Add a service-linked role with its managed policy to an account's IAM, unless it is there.

    moto's own CreateServiceLinkedRole would call it AWSServiceRoleForecr_Replication.
    """
    add_role(world, account_id, name, service, f"aws-service-role/{policy}", linked=True)


def add_role(world: World, account_id: str, name: str, service: str, policy: str, *, linked: bool = False) -> str:
    """Add a role that a service may assume to an account's IAM, with an AWS managed policy, unless it is there.

    Returns its ARN. `policy` is the end of the policy's ARN; `linked` makes a service-linked role.
    """
    begin(world)
    from moto.iam.models import iam_backends

    backend = iam_backends[account_id]["aws"]
    found = next((role for role in backend.get_roles() if role.name == name), None)
    if found is not None:
        return str(found.arn)
    trusted = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    role = backend.create_role(
        role_name=name,
        assume_role_policy_document=json.dumps({"Version": "2012-10-17", "Statement": [trusted]}),
        path=f"/aws-service-role/{service}/" if linked else "/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration="3600",
        linked_service=service if linked else None,
    )
    backend.attach_role_policy(f"arn:aws:iam::aws:policy/{policy}", name)
    return str(role.arn)


def event_rules(world: World, account_id: str, region: str) -> list[Any]:
    """Return the enabled rules on the default bus of an account and Region; none unless EventBridge is in use.

    Loads and creates nothing: before EventBridge is first used, no rule exists.
    """
    backend = _in_use(world, "events", account_id, region)
    buses = [] if backend is None else [backend.event_buses["default"]]
    return [rule for bus in buses for rule in list(bus.rules.values()) if rule.state.startswith("ENABLED")]


def security_hub(world: World, account_id: str, region: str) -> Any:
    """Return the Security Hub of an account and Region, or None unless it is enabled; loads and creates nothing."""
    backend = _in_use(world, "securityhub", account_id, region)
    return backend if backend is not None and backend.enabled else None


def secret(world: World, arn: str) -> Any:
    """Return a secret of Secrets Manager by its ARN, or None; loads and creates nothing."""
    region, account_id = arn.split(":")[3:5]
    backend = _in_use(world, "secretsmanager", account_id, region)
    return None if backend is None else backend.secrets.get(arn)


def _in_use(world: World, service: str, account_id: str, region: str) -> Any:
    """Return a moto backend that this world has used, or None; loads and creates nothing."""
    module = sys.modules.get(f"moto.{service}.models")
    if module is None or _whose is None or _whose() is not world:
        return None
    # Also absent while another thread imports it. `get`, because indexing this dictionary creates an account.
    accounts: dict[str, Any] = getattr(module, f"{service}_backends", {})
    return dict.get(dict.get(accounts, account_id) or {}, region)


def belongs_to(world: World | None) -> None:
    """Record that `mock_aws` has just emptied moto's services for this world; None: for one that it has yet to make."""
    global _whose
    with _begin_lock:
        _whose = None if world is None else weakref.ref(world)


def _enrol_learner() -> None:
    """Add the lab's own key to moto's IAM, so that `sts get-caller-identity` names the learner."""
    from moto.iam.models import iam_backends

    backend = iam_backends[DEFAULT_ACCOUNT]["aws"]
    user = backend.create_user(region_name=REGION, user_name=LEARNER)
    user.id = "AIDAECRLABLEARNER0000"
    key = backend.create_access_key(user_name=LEARNER)
    del backend.access_keys[key.physical_resource_id]
    key.access_key_id = ACCESS_KEY_ID
    backend.access_keys[ACCESS_KEY_ID] = key
