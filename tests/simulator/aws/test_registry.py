"""What holds for a whole registry: account settings and replication, as they are kept."""

from typing import Any

import pytest

from ecrlab.registry import settings
from ecrlab.registry.world import World
from tests.simulator.client import refusal

ELSEWHERE = {"region": "eu-west-1", "registryId": "123456789012"}


def rule(*destinations: dict[str, str], prefixes: tuple[str, ...] = ()) -> dict[str, Any]:
    filters = [{"filter": prefix, "filterType": "PREFIX_MATCH"} for prefix in prefixes]
    return {"destinations": list(destinations)} | ({"repositoryFilters": filters} if filters else {})


@pytest.mark.operation("ecr:DescribeRegistry")
def test_a_registry_replicates_nowhere_at_first(ecr: Any) -> None:
    answer = ecr.describe_registry()
    assert (answer["registryId"], answer["replicationConfiguration"]) == ("123456789012", {"rules": []})


@pytest.mark.operation("ecr:PutReplicationConfiguration")
def test_a_replication_configuration_is_kept_until_the_next(ecr: Any) -> None:
    wanted = {"rules": [rule(ELSEWHERE, prefixes=("prod",)) | {"deleteReplication": {"enabled": True}}]}
    assert ecr.put_replication_configuration(replicationConfiguration=wanted)["replicationConfiguration"] == wanted
    assert ecr.describe_registry()["replicationConfiguration"] == wanted
    ecr.put_replication_configuration(replicationConfiguration={"rules": []})
    assert ecr.describe_registry()["replicationConfiguration"] == {"rules": []}


@pytest.mark.parametrize("elsewhere", ["cn-north-1", "us-gov-west-1"])
def test_regions_of_another_partition_are_no_destinations(ecr: Any, elsewhere: str) -> None:
    rules = [rule({"region": elsewhere, "registryId": "210987654321"})]
    code, message = refusal(ecr.put_replication_configuration, replicationConfiguration={"rules": rules})
    assert (code, message.split(": ", 1)[1]) == ("InvalidParameterException", f"'Invalid region '{elsewhere}''")


def test_bounds_of_a_replication_configuration(ecr: Any, region: str) -> None:
    def destinations(count: int) -> list[dict[str, str]]:
        return [{"region": "eu-west-1", "registryId": f"{n:012}"} for n in range(count)]

    prefixes = tuple(f"p{n}" for n in range(101))
    for rules in (
        [rule({"region": region, "registryId": "123456789012"})],
        [rule(*destinations(26))],
        [rule(one) for one in destinations(26)],
        [rule(ELSEWHERE)] * 26,
        [rule(ELSEWHERE, prefixes=prefixes)],
        [rule(ELSEWHERE, prefixes=("x",))],
        [rule({"region": "eu-west-1", "registryId": "me"})],
    ):
        code, _ = refusal(ecr.put_replication_configuration, replicationConfiguration={"rules": rules})
        assert code == "InvalidParameterException"
    assert ecr.describe_registry()["replicationConfiguration"] == {"rules": []}
    most = [rule(*destinations(25), prefixes=prefixes[:100])] * 25
    ecr.put_replication_configuration(replicationConfiguration={"rules": most})


@pytest.mark.operation("ecr:GetAccountSetting")
@pytest.mark.parametrize(
    ("name", "value"),
    [("BASIC_SCAN_TYPE_VERSION", "AWS_NATIVE"), ("REGISTRY_POLICY_SCOPE", "V2"), ("BLOB_MOUNTING", "DISABLED")],
)
def test_a_new_registry_has_the_settings_of_today(ecr: Any, name: str, value: str) -> None:
    answer = ecr.get_account_setting(name=name)
    assert (answer["name"], answer["value"]) == (name, value)


@pytest.mark.operation("ecr:PutAccountSetting")
def test_blob_mounting_is_switched_for_one_registry(ecr: Any, world: World, region: str) -> None:
    assert ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")["value"] == "ENABLED"
    assert ecr.get_account_setting(name="BLOB_MOUNTING")["value"] == "ENABLED"
    assert settings.blob_mounting(world.registry("123456789012", region))
    assert not settings.blob_mounting(world.registry("123456789012", "eu-west-9"))


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("BASIC_SCAN_TYPE_VERSION", "CLAIR", "InvalidParameterException"),
        ("REGISTRY_POLICY_SCOPE", "V3", "InvalidParameterException"),
        ("BLOB_MOUNTING", "", "InvalidParameterException"),
        ("COFFEE", "ENABLED", "ValidationException"),
    ],
)
def test_settings_and_values_that_do_not_exist(ecr: Any, name: str, value: str, code: str) -> None:
    assert refusal(ecr.put_account_setting, name=name, value=value)[0] == code
