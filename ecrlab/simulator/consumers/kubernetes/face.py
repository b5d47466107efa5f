"""The cluster behind the lab's own API: the paths that the lab's kubectl uses, in JSON.

    GET  /_ecrlab/kubernetes/pods                        and deployments, events: {"now": …, "items": […]}
    POST /_ecrlab/kubernetes/pods          a manifest    ?may-exist=yes also changes what exists
    POST /_ecrlab/kubernetes/pods/delete?name=web        also of deployments
    POST /_ecrlab/kubernetes/pods/images?name=web        {"web": "…/my-app:v2"}; also of deployments
    POST /_ecrlab/kubernetes/deployments/restart?name=web

It is no API server of Kubernetes: another kubectl cannot use it. A refused request has `reason` and `error`.
"""

import urllib.parse
from datetime import UTC
from typing import Any

from ecrlab.oci import strict_json
from ecrlab.oci.strict_json import InvalidJson
from ecrlab.registry.world import World
from ecrlab.simulator.consumers.kubernetes.cluster import Cluster
from ecrlab.simulator.consumers.kubernetes.objects import Refused

KINDS = {"pods": "Pod", "deployments": "Deployment"}
STATUS = {"NotFound": 404, "AlreadyExists": 409, "Invalid": 422}


class KubernetesFace:
    """Answers the requests of the lab's kubectl."""

    def __init__(self, world: World, cluster: Cluster) -> None:
        self._world = world
        self._cluster = cluster

    def look(self, path: str) -> tuple[int, dict[str, Any]]:
        """Return the status and the JSON answer of a GET; `path` is what follows `/_ecrlab/kubernetes/`."""
        looks = {"pods": self._cluster.pods, "deployments": self._cluster.deployments, "events": self._cluster.events}
        if path not in looks:
            return 404, {"reason": "NotFound", "error": "there are pods, deployments and events, and nothing else"}
        items = looks[path]()
        return 200, {"now": self._world.clock.now().astimezone(UTC).isoformat(), "items": items}

    def change(self, path: str, query: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Return the status and the JSON answer of a POST."""
        try:
            document = strict_json.read(body) if body else {}
            return 200, self._change(path.split("/"), dict(urllib.parse.parse_qsl(query)), document)
        except InvalidJson as error:
            return 400, {"reason": "BadRequest", "error": f"the body is no JSON: {error}"}
        except Refused as error:
            return STATUS.get(error.reason, 400), {"reason": error.reason, "error": error.message}

    def _change(self, path: list[str], asked: dict[str, str], document: Any) -> dict[str, Any]:
        name = asked.get("name", "")
        match path:
            case [kind] if kind in KINDS:
                if isinstance(document, dict) and document.get("kind") != KINDS[kind]:
                    raise Refused("BadRequest", f"this is no {KINDS[kind]}")
                return {"outcome": self._cluster.put(document, may_exist=asked.get("may-exist") == "yes")}
            case [kind, "delete"] if kind in KINDS:
                self._cluster.delete(kind, name)
                return {"outcome": "deleted"}
            case [kind, "images"] if kind in KINDS:
                images = document if isinstance(document, dict) else {}
                if not images or not all(isinstance(one, str) for one in images.values()):
                    raise Refused("BadRequest", "the body must name images by their containers")
                return {"outcome": "updated" if self._cluster.set_images(kind, name, images) else "unchanged"}
            case ["deployments", "restart"]:
                self._cluster.restart(name)
                return {"outcome": "restarted"}
        raise Refused("NotFound", "there is no such path")
