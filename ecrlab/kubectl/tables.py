"""Tables of `kubectl get`, ages, and columns. Sources: kubernetes pkg/printers, apimachinery util/duration."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

Row = tuple[list[str], list[str]]
"""The cells of an object, and those that `-o wide` adds."""

NONE = "<none>"


def columns(lines: Sequence[Sequence[str]], *, padding: int = 2, least: int = 0) -> list[str]:
    """Return lines of cells with their columns aligned, as Go's text/tabwriter does.

    A column is aligned over consecutive lines that go on after it; the last cell of a line is not padded.

    >>> columns([["Name:", "web"], ["Containers:"], ["  State:", "Waiting"], ["    Reason:", "ErrImagePull"]])
    ['Name:  web', 'Containers:', '  State:      Waiting', '    Reason:  ErrImagePull']
    """
    widths: list[list[int]] = [[len(cell) for cell in line[:-1]] for line in lines]
    for column in range(max((len(one) for one in widths), default=0)):
        block: list[int] = []
        for number in range(len(widths) + 1):
            if number < len(widths) and len(widths[number]) > column:
                block.append(number)
                continue
            wide = max((widths[one][column] for one in block), default=0) + padding
            for one in block:
                widths[one][column] = max(wide, least)
            block = []
    return [
        "".join(cell.ljust(width) for cell, width in zip(line, wide, strict=False)) + (line[-1] if line else "")
        for line, wide in zip(lines, widths, strict=True)
    ]


def table(kind: str, items: list[dict[str, Any]], now: datetime, *, wide: bool, prefix: str = "") -> list[list[str]]:
    """Return a table of objects of a kind, its header first; `prefix` is put before the names."""
    header, more, row = _TABLES[kind]
    lines = [header + more if wide else header]
    for item in items:
        cells, rest = row(item, now)
        if kind != "events":
            cells[0] = prefix + cells[0]
        lines.append(cells + rest if wide else cells)
    return lines


def age(since: str, now: datetime) -> str:
    """Return how long ago an instant was, in one or two units."""
    return duration(int((now - datetime.fromisoformat(since)).total_seconds())) if since else "<unknown>"


def duration(seconds: int) -> str:
    """Return a duration as kubectl shortens it.

    >>> [duration(seconds) for seconds in (0, 119, 120, 450, 3600, 12000, 100000, 400000, 900000)]
    ['0s', '119s', '2m', '7m30s', '60m', '3h20m', '27h', '4d15h', '10d']
    """
    if seconds < 120:
        return f"{max(seconds, 0)}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 10:
        return f"{minutes}m" + (f"{seconds % 60}s" if seconds % 60 else "")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h" + (f"{minutes % 60}m" if minutes % 60 else "")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d" + (f"{hours % 24}h" if hours % 24 else "")
    if days < 730:
        return f"{days}d"
    return f"{days // 365}y" + (f"{days % 365}d" if days < 2920 and days % 365 else "")


def status(pod: dict[str, Any]) -> str:
    """Return the STATUS of a pod: the reason of a container that does not run, or else the phase."""
    for container in reversed(pod["status"]["containerStatuses"]):
        state = container["state"]
        if reason := (state.get("waiting") or state.get("terminated") or {}).get("reason"):
            return str(reason)
    return str(pod["status"]["phase"])


def _pod(pod: dict[str, Any], now: datetime) -> Row:
    containers = pod["status"]["containerStatuses"]
    ready = sum(one["ready"] for one in containers)
    restarts = str(sum(one["restartCount"] for one in containers))
    ended = [
        state["terminated"]["finishedAt"]
        for one in containers
        for state in (one["lastState"], one["state"])
        if "terminated" in state
    ]
    if ended and restarts != "0":
        restarts += f" ({age(max(ended), now)} ago)"
    made = pod["metadata"]["creationTimestamp"]
    cells = [pod["metadata"]["name"], f"{ready}/{len(containers)}", status(pod), restarts, age(made, now)]
    return cells, [pod["status"]["podIP"], pod["spec"]["nodeName"], NONE, NONE]


def _deployment(deployment: dict[str, Any], now: datetime) -> Row:
    told, spec, metadata = deployment["status"], deployment["spec"], deployment["metadata"]
    ready = f"{told['readyReplicas']}/{spec['replicas']}"
    counts = [str(told[key]) for key in ("updatedReplicas", "availableReplicas")]
    containers = spec["template"]["spec"]["containers"]
    selector = labels(spec["selector"]["matchLabels"])
    return (
        [metadata["name"], ready, *counts, age(metadata["creationTimestamp"], now)],
        [",".join(one["name"] for one in containers), ",".join(one["image"] for one in containers), selector],
    )


def _event(event: dict[str, Any], now: datetime) -> Row:
    involved, source = event["involvedObject"], event["source"]
    target = f"{involved['kind'].lower()}/{involved['name']}"
    told = [age(event["lastTimestamp"], now), event["type"], event["reason"], target]
    where = ", ".join(filter(None, (source["component"], source.get("host", ""))))
    first = [age(event["firstTimestamp"], now), str(event["count"]), event["metadata"]["name"]]
    return [*told, event["message"]], ["", where, *first]


def labels(found: dict[str, str]) -> str:
    """Return labels in one line."""
    return ",".join(f"{key}={value}" for key, value in sorted(found.items())) or NONE


_TABLES: dict[str, tuple[list[str], list[str], Callable[[dict[str, Any], datetime], Row]]] = {
    "pods": (
        ["NAME", "READY", "STATUS", "RESTARTS", "AGE"],
        ["IP", "NODE", "NOMINATED NODE", "READINESS GATES"],
        _pod,
    ),
    "deployments": (
        ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"],
        ["CONTAINERS", "IMAGES", "SELECTOR"],
        _deployment,
    ),
    "events": (
        ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"],
        ["SUBOBJECT", "SOURCE", "FIRST SEEN", "COUNT", "NAME"],
        _event,
    ),
}
