"""DescribeRegistry, Get- and PutAccountSetting: settings of a whole registry."""

from typing import Any

from ecrlab.registry import settings
from ecrlab.simulator.aws.calls import Call, operation


@operation("DescribeRegistry")
def describe_registry(call: Call) -> dict[str, Any]:
    """Return the registry's id and its replication rules."""
    return {
        "registryId": call.registry.account_id,
        "replicationConfiguration": settings.replication(call.registry),
    }


@operation("GetAccountSetting")
def get_account_setting(call: Call) -> dict[str, Any]:
    """Return the value of one setting."""
    name = call.request["name"]
    return {"name": name, "value": settings.account_setting(call.registry, name)}


@operation("PutAccountSetting")
def put_account_setting(call: Call) -> dict[str, Any]:
    """Change one setting."""
    name, value = call.request["name"], call.request["value"]
    settings.put_account_setting(call.registry, name, value)
    return {"name": name, "value": value}
