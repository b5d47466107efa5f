"""Requests to the lab's own API, which keeps the cluster."""

import http.client
import json
import os
import urllib.parse
from datetime import datetime
from typing import Any

from ecrlab.kubectl.errors import KubectlError, from_server
from ecrlab.machine import signing

NO_LAB = (
    "no lab is running here: in a notebook run the cell with ecrlab.start(kubectl=True), "
    'in a terminal eval "$(python3 -m ecrlab env)"'
)


def items(kind: str) -> tuple[list[dict[str, Any]], datetime]:
    """Return all `pods`, `deployments` or `events`, and the time of the lab."""
    answer = _ask("GET", kind)
    return answer["items"], datetime.fromisoformat(answer["now"])


def create(kind: str, manifest: dict[str, Any], *, may_exist: bool = False) -> str:
    """Create an object, or change it if it `may_exist`; return `created`, `configured` or `unchanged`."""
    return str(_ask("POST", kind + ("?may-exist=yes" if may_exist else ""), manifest)["outcome"])


def change(kind: str, name: str, verb: str, document: dict[str, Any] | None = None) -> str:
    """Delete an object, restart it, or give it other `images`; return what the lab did."""
    return str(_ask("POST", f"{kind}/{verb}?{urllib.parse.urlencode({'name': name})}", document or {})["outcome"])


def _ask(method: str, path: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
    endpoint = urllib.parse.urlsplit(os.environ.get("ECRLAB_ENDPOINT", ""))
    if endpoint.hostname is None:
        raise KubectlError(NO_LAB)
    connection = http.client.HTTPConnection(endpoint.hostname, endpoint.port, timeout=60)
    try:
        body = b"" if document is None else json.dumps(document).encode()
        target = f"/_ecrlab/kubernetes/{path}"
        headers = signing.headers(method, f"http://{endpoint.netloc}{target}", body)
        connection.request(method, target, body or None, headers)
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
    except ConnectionRefusedError as error:
        raise KubectlError(NO_LAB) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise KubectlError(f"the lab at {endpoint.netloc} does not answer: {error}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise from_server(answer.get("reason", ""), answer.get("error", f"{response.status} {response.reason}"))
    return answer
