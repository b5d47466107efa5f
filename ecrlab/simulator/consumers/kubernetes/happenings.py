"""The events of a cluster: the same thing again is the same event, with a higher count; after an hour it is forgotten.

(Kubernetes documentation, `kube-apiserver --event-ttl`; client-go tools/record.)
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ecrlab.simulator.consumers.kubernetes.kubelet import Event

LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about, and which component tells it: the kubelet of a node, or a controller.

    `uid` tells two pods of the same name apart.
    """

    kind: str
    name: str
    component: str
    host: str = ""
    uid: str = ""


@dataclass
class Happening:
    """An event, how often it occurred, and when first and last."""

    subject: Subject
    event: Event
    number: int
    first: datetime
    last: datetime
    count: int = 0


class Happenings:
    """All events of a cluster."""

    def __init__(self) -> None:
        self._known: dict[tuple[Subject, Event], Happening] = {}
        self._told = 0

    def tell(
        self, subject: Subject, event: Event, first: datetime, last: datetime | None = None, times: int = 1
    ) -> None:
        """Note that something occurred `times` more, from a first to a last instant."""
        last = last or first
        known = self._known.get((subject, event))
        if known is None or first - known.last > LIFETIME:
            self._told += 1
            known = self._known[subject, event] = Happening(subject, event, self._told, first, last)
        known.last = max(last, known.last)
        known.count += times

    def at(self, now: datetime) -> list[Happening]:
        """Return what is not forgotten yet, by object, in the order in which it began."""
        self._known = {key: one for key, one in self._known.items() if now - one.last <= LIFETIME}
        return sorted(self._known.values(), key=lambda one: (one.subject.name, one.number))


def document(one: Happening, version: str) -> dict[str, Any]:
    """Return an event as the API returns it; `version` is the API version of its object."""
    source = {"component": one.subject.component} | ({"host": one.subject.host} if one.subject.host else {})
    involved = {"apiVersion": version, "kind": one.subject.kind, "name": one.subject.name, "namespace": "default"}
    if one.subject.uid:
        involved["uid"] = one.subject.uid
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{one.subject.name}.{int(one.first.timestamp() * 1_000_000) + one.number:x}",
            "namespace": "default",
            "creationTimestamp": stamp(one.first),
        },
        "involvedObject": involved,
        "type": one.event.type,
        "reason": one.event.reason,
        "message": one.event.message,
        "count": one.count,
        "firstTimestamp": stamp(one.first),
        "lastTimestamp": stamp(one.last),
        "source": source,
        "reportingComponent": one.subject.component,
        "reportingInstance": one.subject.host,
    }


def stamp(instant: datetime) -> str:
    """Return an instant as Kubernetes writes it: UTC, in whole seconds."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
