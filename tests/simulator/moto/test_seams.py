"""The places of moto's that ecrlab hooks into. None is promised: when one of these fails, moto has moved.

Then read `ecrlab/simulator/moto/seams.py` and what else it names, mend it, and only then widen `moto` in
pyproject.toml.
"""

import importlib.metadata
import inspect
import re
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

from ecrlab.simulator.aws.shapes import service_model
from ecrlab.simulator.moto import seams
from tests.simulator.client import client_of

MOVED = "moto has moved: {}; see ecrlab/simulator/moto/seams.py"


def has(thing: Any, *names: str) -> None:
    """Fail loudly unless a thing of moto's has attributes of these names."""
    for name in names:
        assert hasattr(thing, name), MOVED.format(f"{getattr(thing, '__name__', thing)!r} has no {name!r}")


def takes(function: Any, *names: str) -> None:
    """Fail loudly unless a function of moto's takes arguments of these names."""
    given = inspect.signature(function).parameters
    for name in names:
        assert name in given, MOVED.format(f"{function.__qualname__} takes no {name!r}")


@pytest.fixture
def motos_own() -> Iterator[None]:
    """Sets aside the parts that the lab of another test has replaced."""
    with seams.set_aside():
        yield


def test_moto_is_the_one_that_was_looked_into() -> None:
    version = importlib.metadata.version("moto")
    assert version.startswith("5.2."), MOVED.format(f"this is moto {version}")


@pytest.mark.parametrize(("service", "count"), [("ecr", 62), ("ecr-public", 23)])
def test_botocore_has_the_operations_that_the_kit_was_written_for(service: str, count: int) -> None:
    found = len(service_model(service).operation_names)
    assert found == count, f"AWS has {found} operations of {service} now: decide on them, say so in docs/fidelity.md"


def test_the_class_of_ecr_backends_can_be_replaced() -> None:
    from moto.core.base_backend import BackendDict
    from moto.ecr.models import ECRBackend, ecr_backends

    assert isinstance(ecr_backends, BackendDict), MOVED.format("ecr_backends is no BackendDict")
    has(ecr_backends, "backend", "clear", "reset")
    has(ECRBackend, "_url_module", "reset")
    assert isinstance(inspect.getattr_static(ECRBackend, "_url_module"), property), MOVED.format("_url_module")


def test_a_backend_made_after_the_replacement_is_ours() -> None:
    from moto.core.base_backend import BackendDict, BaseBackend

    class Ours(BaseBackend):
        pass

    Ours.__module__ = "moto.ecr.models"
    backends = BackendDict(BaseBackend, "ecr")
    backends.backend = Ours
    assert type(backends["123456789012"]["us-east-1"]) is Ours, MOVED.format("BackendDict.backend is not looked at")


def test_services_are_found_by_a_live_list_of_patterns() -> None:
    from moto import backend_index
    from moto.core.botocore_stubber import BotocoreStubber

    patterns = backend_index.backend_url_patterns
    assert isinstance(patterns, list), MOVED.format("backend_url_patterns is no list")
    assert all(isinstance(name, str) and isinstance(one, re.Pattern) for name, one in patterns)
    source = inspect.getsource(sys.modules[BotocoreStubber.__module__])
    assert "backend_index.backend_url_patterns" in source, MOVED.format("the stubber has another list")


def test_a_backend_is_imported_by_the_name_of_its_service(monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.backends import get_backend

    module = types.ModuleType("moto.seamtest")
    module.seamtest_backends = object()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "moto.seamtest", module)
    name: Any = "seamtest"
    assert get_backend(name) is module.seamtest_backends, MOVED.format("get_backend looks elsewhere")


def test_the_server_is_one_wsgi_application() -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    takes(DomainDispatcherApplication.__init__, "create_app")
    has(DomainDispatcherApplication, "__call__", "get_application", "infer_service_region_host")
    takes(create_backend_app, "service")


def test_moto_can_begin_anew_and_repeat_itself() -> None:
    from moto.moto_api._internal import mock_random
    from moto.moto_api._internal.models import moto_api_backend

    has(moto_api_backend, "reset")
    mock_random.seed(1)
    first = mock_random.get_random_hex()
    mock_random.seed(1)
    assert mock_random.get_random_hex() == first, MOVED.format("mock_random.seed does not repeat")


def test_iam_and_sts_know_whose_a_key_is() -> None:
    from moto.iam.models import AccessKey, IAMBackend, User
    from moto.sts.models import STSBackend

    takes(IAMBackend.create_user, "region_name", "user_name")
    takes(IAMBackend.create_access_key, "user_name")
    has(IAMBackend, "_init_aws_policies")
    takes(STSBackend.__init__, "region_name", "account_id")
    assert "access_key_id" in inspect.getsource(AccessKey.__init__), MOVED.format("AccessKey.access_key_id")
    assert "random_alphanumeric(40)" in inspect.getsource(AccessKey.__init__), MOVED.format("random_alphanumeric")
    assert "self.access_keys" in inspect.getsource(User.__init__), MOVED.format("User.access_keys")
    assert "self.assumed_roles" in inspect.getsource(STSBackend.__init__), MOVED.format("STSBackend.assumed_roles")


def test_an_identity_tells_what_is_attached_to_it() -> None:
    from moto.iam.aws_managed_policies import aws_managed_policies_data
    from moto.iam.models import AWSManagedPolicy, IAMBackend

    takes(AWSManagedPolicy.from_data, "name", "account_id", "region_name", "data")
    assert "AmazonEC2ContainerRegistryPullOnly" in aws_managed_policies_data, MOVED.format("the managed policies")
    iam = IAMBackend("aws", "123456789012")
    has(iam, "users", "roles", "groups", "managed_policies", "tagger", "partition")
    user = iam.create_user(region_name="us-east-1", user_name="ana")
    role = iam.create_role(
        role_name="ci",
        assume_role_policy_document="{}",
        path="/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration=3600,
    )
    has(user, "arn", "id", "policies", "managed_policies")
    has(role, "arn", "id", "name", "policies", "managed_policies", "permissions_boundary_arn", "tags")
    has(iam.create_group("devs"), "users", "policies", "managed_policies")


def test_kms_keeps_keys_with_their_aliases() -> None:
    from moto.kms.models import Key, KmsBackend, kms_backends

    takes(KmsBackend.create_key, "policy", "key_usage", "key_spec", "description", "tags")
    takes(KmsBackend.create_alias, "target_key_id", "alias_name")
    has(KmsBackend, "alias_exists")
    assert hasattr(kms_backends["123456789012"], "regions"), MOVED.format("AccountSpecificBackend.regions")
    key = KmsBackend("us-east-1", "123456789012").create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", None)
    assert isinstance(key, Key)
    has(
        key,
        "id",
        "arn",
        "aliases",
        "key_manager",
        "key_state",
        "key_spec",
        "key_usage",
        "key_material",
        "deletion_date",
    )
    has(key, "account_id", "region", "policy", "origin", "enabled", "creation_date", "private_key", "multi_region")
    assert key.key_state == "Enabled"
    grant = key.add_grant("", "ecr.amazonaws.com", ["Decrypt"], {}, "ecr.amazonaws.com")
    assert vars(grant).keys() == {
        *("id", "token", "key_id", "name", "grantee_principal", "retiring_principal", "operations", "constraints"),
    }, MOVED.format("the attributes of a grant, which kms_keys.py writes")
    assert key.grants == {grant.id: grant}


def test_kms_asks_ours_before_each_action_and_encrypts_with_its_key_id_in_front() -> None:
    from moto.core.responses import BaseResponse
    from moto.kms.models import KmsBackend
    from moto.kms.responses import KmsResponse
    from moto.kms.utils import decrypt, encrypt, generate_data_key

    has(
        KmsBackend,
        "create_grant",
        "cancel_key_deletion",
        "schedule_key_deletion",
        "get_key_id_from_alias",
        "delete_key",
    )
    has(KmsBackend("us-east-1", "123456789012"), "tagger")
    has(KmsResponse, "call_action", "schedule_key_deletion", "cancel_key_deletion", "_validate_key_policy")
    has(KmsResponse, "enable_key_rotation", "get_key_rotation_status")
    source = inspect.getsource(BaseResponse.call_action)
    assert "self._authenticate_and_authorize_normal_action(resource)" in source, MOVED.format("who is asked first")
    keys = {"1" * 36: types.SimpleNamespace(key_material=generate_data_key(32))}
    blob = encrypt(keys, "1" * 36, b"x", {"for": "app"})
    assert blob.startswith(b"1" * 36)
    assert decrypt(keys, blob, {"for": "app"}) == (b"x", "1" * 36)


def test_eventbridge_keeps_rules_on_buses_and_delivers() -> None:
    from moto.events.models import EventsBackend, Rule, events_backends

    assert isinstance(events_backends, dict), MOVED.format("events_backends is no dictionary of accounts")
    assert isinstance(events_backends["123456789012"], dict), MOVED.format("an account is no dictionary of Regions")
    bus = EventsBackend("us-east-1", "123456789012").event_buses["default"]
    assert isinstance(bus.rules, dict), MOVED.format("EventBus.rules")
    takes(Rule.send_to_targets, "original_event", "transform_input")
    takes(Rule.__init__, "name", "state")


@pytest.mark.usefixtures("motos_own")
def test_ecs_makes_tasks_and_backends_of_classes_that_can_be_replaced() -> None:
    from moto.core.base_backend import BackendDict
    from moto.ec2.models import ec2_backends
    from moto.ec2.models.iam_instance_profile import IamInstanceProfileAssociationBackend
    from moto.ecs.models import Cluster, EC2ContainerServiceBackend, Service, Task, TaskDefinition, ecs_backends

    assert isinstance(ecs_backends, BackendDict), MOVED.format("ecs_backends is no BackendDict")
    for make in (EC2ContainerServiceBackend.run_task, EC2ContainerServiceBackend.start_task):
        assert "= Task(" in inspect.getsource(make), MOVED.format(f"{make.__qualname__} makes tasks of another class")
    named = ("cluster_str", "task_definition_str", "count", "overrides", "started_by", "tags", "launch_type")
    parameters = list(inspect.signature(EC2ContainerServiceBackend.run_task).parameters)
    assert parameters[1:12] == [
        *named,
        *("networking_configuration", "group", "platform_version", "capacity_provider_strategy"),
    ], MOVED.format("the order of run_task's parameters")
    has(EC2ContainerServiceBackend, "list_tasks", "stop_task", "describe_tasks", "describe_task_definition")
    has(EC2ContainerServiceBackend, "create_service", "update_service", "delete_service", "describe_services")
    has(EC2ContainerServiceBackend, "describe_clusters", "describe_container_instances", "_get_cluster", "_get_service")
    has(EC2ContainerServiceBackend, "_calculate_task_resource_requirements", "update_container_instance_resources")
    ecs = EC2ContainerServiceBackend("us-east-1", "123456789012")
    has(ecs, "clusters", "tasks", "services", "container_instances", "task_definitions")
    cluster = Cluster("shop", "123456789012", "us-east-1")
    has(cluster, "running_tasks_count", "pending_tasks_count", "active_services_count")
    has(cluster, "default_capacity_provider_strategy")
    definition = TaskDefinition("web", 1, [{"name": "web", "image": "web"}], "123456789012", "us-east-1")
    has(definition, "container_definitions", "runtime_platform", "cpu", "memory")
    task = Task(cluster, definition, None, None, ecs, "family:web")
    has(task, "containers", "overrides", "launch_type", "group", "started_by", "container_instance_arn", "task_arn")
    has(task, "stopped_reason", "desired_status", "last_status", "resource_requirements", "_transitions", "_backend")
    service = Service(cluster, "web", 1, ecs, definition)
    has(service, "deployments", "events", "desired_count", "running_count", "pending_count", "network_configuration")
    has(service, "task_definition", "launch_type", "platform_version", "scheduling_strategy", "propagate_tags")
    # A backend of EC2 takes seconds to make.
    source = inspect.getsource(IamInstanceProfileAssociationBackend.__init__)
    assert "self.iam_instance_profile_associations" in source, MOVED.format("the profiles of instances")
    assert isinstance(ec2_backends, BackendDict)


def test_parts_of_a_service_are_replaced_when_a_lab_uses_it_and_set_aside_for_a_mock(server: Any) -> None:
    from moto.ecs import models

    from ecrlab.simulator.consumers.ecs_backend import LabEcs
    from ecrlab.simulator.consumers.ecs_tasks import LabTask

    client_of(server.endpoint, "ecs").list_clusters()
    assert (models.ecs_backends.backend, models.Task) == (LabEcs, LabTask)
    with seams.set_aside():
        assert (models.ecs_backends.backend, models.Task) == (models.EC2ContainerServiceBackend, LabTask.__mro__[1])
    assert (models.ecs_backends.backend, models.Task) == (LabEcs, LabTask)


@pytest.mark.usefixtures("motos_own")
def test_lambda_reads_the_code_of_a_function_by_ours_and_before_it_is_stored() -> None:
    from moto.awslambda import models, responses, urls
    from moto.awslambda.utils import make_function_arn

    has(models.lambda_backends, "backend")
    assert isinstance(urls.url_paths, dict), MOVED.format("urls of Lambda")
    has(responses.LambdaResponse, "call_action", "dispatch")
    assert make_function_arn("us-east-1", "123456789012", "web") == "arn:aws:lambda:us-east-1:123456789012:function:web"
    function: Any = models.LambdaFunction
    has(function, "get_code", "get_configuration", "update_configuration", "update_function_code", "invoke")
    takes(models.LambdaBackend.update_function_code, "function_name", "qualifier", "body")
    takes(models.LambdaStorage.put_function, "fn")
    source = inspect.getsource(models.LambdaBackend.create_function)
    made, kept = source.index("LambdaFunction("), source.index("self._lambdas.put_function(fn)")
    assert made < kept, MOVED.format("a function is stored before its code is read")
    assert "self._set_function_code(self.code)" in inspect.getsource(function.__init__), MOVED.format(
        "_set_function_code"
    )
    assert "updated_spec is not self.code" in inspect.getsource(function._set_function_code), MOVED.format("updates")


def test_security_hub_keeps_what_is_imported() -> None:
    from moto.securityhub.models import SecurityHubBackend, securityhub_backends

    assert isinstance(securityhub_backends["123456789012"], dict), MOVED.format("securityhub_backends")
    hub = SecurityHubBackend("us-east-1", "123456789012")
    assert hub.enabled is False, MOVED.format("SecurityHubBackend.enabled")
    hub.batch_import_findings([{"Id": "1", "Resources": [{"Id": "a"}]}])
    assert hub.findings[0].data["Id"] == "1", MOVED.format("SecurityHubBackend.findings")


@pytest.mark.parametrize("service", ["sts", "iam", "kms", "s3", "events", "ecs", "lambda", "eks", "securityhub"])
def test_the_services_beside_ours_are_there(service: str) -> None:
    from moto import backend_index

    known = {name for name, _ in backend_index.backend_url_patterns}
    assert service.replace("lambda", "awslambda") in known, MOVED.format(f"no pattern leads to {service}")


def test_a_secret_tells_what_ecr_asks_of_it() -> None:
    from moto.secretsmanager.models import SecretsManagerBackend, secretsmanager_backends

    backend = SecretsManagerBackend("us-east-1", "123456789012")
    nothing = dict.fromkeys(("secret_binary", "description", "kms_key_id", "client_request_token"))
    backend.create_secret(name="x", secret_string="{}", tags=[], replica_regions=[], force_overwrite=False, **nothing)
    secret = backend.secrets.get("x")
    assert isinstance(secretsmanager_backends, dict), MOVED.format("secretsmanager_backends")
    has(secret, "arn", "policy", "kms_key_id", "versions", "default_version_id", "is_deleted")
    assert backend.secrets.get(secret.arn) is secret, MOVED.format("secrets are not found by ARN")
    assert secret.versions[secret.default_version_id]["secret_string"] == "{}", MOVED.format("versions of a secret")
