"""GetAuthorizationToken of `ecr` and `ecr-public`: the password for Docker."""

import base64
from typing import Any

from ecrlab.registry import names, tokens
from ecrlab.simulator.aws.calls import PUBLIC, Call, operation


@operation("GetAuthorizationToken")
def get_authorization_token(call: Call) -> dict[str, Any]:
    """Return one token for the caller, listed for its own registry or for each of `registryIds`."""
    issued = _issued(call, call.region)
    return {
        "authorizationData": [
            issued | {"proxyEndpoint": f"https://{names.registry_host(registry_id, call.region)}"}
            for registry_id in call.request.get("registryIds") or [call.caller.account_id]
        ]
    }


@operation("GetAuthorizationToken", PUBLIC)
def get_public_authorization_token(call: Call) -> dict[str, Any]:
    """Return one token for public.ecr.aws."""
    return {"authorizationData": _issued(call, names.PUBLIC)}


def _issued(call: Call, region: str) -> dict[str, Any]:
    """Return a new token of the caller for the registries of a Region, or for the public ones."""
    caller = call.caller
    password, expires_at = tokens.issue(call.world, caller.account_id, region, caller.arn, caller.access_key)
    return {
        "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
        "expiresAt": expires_at.timestamp(),
    }
