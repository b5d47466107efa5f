"""GetAuthorizationToken: the password for Docker."""

import base64
from typing import Any

from ecrlab.registry import tokens
from ecrlab.registry.names import registry_host
from ecrlab.simulator.aws.calls import Call, operation


@operation("GetAuthorizationToken")
def get_authorization_token(call: Call) -> dict[str, Any]:
    """Return one token for the caller, listed for its own registry or for each of `registryIds`."""
    caller = call.caller
    password, expires_at = tokens.issue(call.world, caller.account_id, call.region, caller.arn, caller.access_key)
    authorization_token = base64.b64encode(f"AWS:{password}".encode()).decode()
    return {
        "authorizationData": [
            {
                "authorizationToken": authorization_token,
                "expiresAt": expires_at.timestamp(),
                "proxyEndpoint": f"https://{registry_host(registry_id, call.region)}",
            }
            for registry_id in call.request.get("registryIds") or [caller.account_id]
        ]
    }
