"""The text of `kubectl describe pod` (kubectl pkg/describe)."""

from datetime import datetime
from typing import Any

from ecrlab.kubectl.tables import NONE, age, columns

TOLERATIONS = (
    "node.kubernetes.io/not-ready:NoExecute op=Exists for 300s",
    "node.kubernetes.io/unreachable:NoExecute op=Exists for 300s",
)


def describe_pod(pod: dict[str, Any], events: list[dict[str, Any]], now: datetime) -> str:
    """Return the description of a pod with its events."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod["status"]
    labels = [f"{key}={value}" for key, value in sorted(metadata.get("labels", {}).items())]
    annotations = [f"{key}: {value}" for key, value in sorted(metadata.get("annotations", {}).items())]
    lines = [
        ["Name:", metadata["name"]],
        ["Namespace:", metadata["namespace"]],
        ["Priority:", "0"],
        ["Service Account:", spec["serviceAccountName"]],
        ["Node:", f"{spec['nodeName']}/{status['hostIP']}"],
        ["Start Time:", _instant(status["startTime"])],
        *_several("Labels:", labels),
        *_several("Annotations:", annotations),
        ["Status:", status["phase"]],
        ["IP:", status["podIP"]],
        ["IPs:"],
        *(["  IP:", one["ip"]] for one in status["podIPs"]),
        *(["Controlled By:", f"{one['kind']}/{one['name']}"] for one in metadata.get("ownerReferences", [])),
        ["Containers:"],
    ]
    told = {one["name"]: one for one in status["containerStatuses"]}
    for container in spec["containers"]:
        lines += _container(container, told[container["name"]])
    lines += [["Conditions:"], ["  Type", "Status"]]
    lines += [[f"  {one['type']} ", f"{one['status']} "] for one in status["conditions"]]
    lines += [["Volumes:", NONE], ["QoS Class:", status["qosClass"]], ["Node-Selectors:", NONE]]
    lines += _several("Tolerations:", list(TOLERATIONS))
    return "\n".join(columns([*lines, *_events(events, now)]))


def _container(container: dict[str, Any], status: dict[str, Any]) -> list[list[str]]:
    ports = [f"{one.get('containerPort')}/{one.get('protocol', 'TCP')}" for one in container.get("ports") or []]
    plural = "s" if len(ports) > 1 else ""
    lines = [
        [f"  {container['name']}:"],
        ["    Container ID:", status["containerID"]],
        ["    Image:", container["image"]],
        ["    Image ID:", status["imageID"]],
        [f"    Port{plural}:", ", ".join(ports) or NONE],
        [f"    Host Port{plural}:", ", ".join(one.replace(one.partition("/")[0], "0", 1) for one in ports) or NONE],
    ]
    for title, words in (("Command", container.get("command")), ("Args", container.get("args"))):
        if words:
            lines += [[f"    {title}:"], *([f"      {word}"] for word in words)]
    lines += _state("State", status["state"])
    if status["lastState"]:
        lines += _state("Last State", status["lastState"])
    lines += [["    Ready:", str(status["ready"])], ["    Restart Count:", str(status["restartCount"])]]
    variables = [[f"      {one.get('name')}:", str(one.get("value", ""))] for one in container.get("env") or []]
    lines += [["    Environment:"], *variables] if variables else [["    Environment:", NONE]]
    return [*lines, ["    Mounts:", NONE]]


def _state(title: str, state: dict[str, Any]) -> list[list[str]]:
    if "running" in state:
        return [[f"    {title}:", "Running"], ["      Started:", _instant(state["running"]["startedAt"])]]
    if "terminated" in state:
        ended = state["terminated"]
        return [
            [f"    {title}:", "Terminated"],
            ["      Reason:", ended["reason"]],
            ["      Exit Code:", str(ended["exitCode"])],
            ["      Started:", _instant(ended["startedAt"])],
            ["      Finished:", _instant(ended["finishedAt"])],
        ]
    return [[f"    {title}:", "Waiting"], ["      Reason:", state.get("waiting", {}).get("reason", "")]]


def _events(events: list[dict[str, Any]], now: datetime) -> list[list[str]]:
    if not events:
        return [["Events:", NONE]]
    lines = [["Events:"], ["  Type", "Reason", "Age", "From", "Message"]]
    lines.append(["  ----", "------", "----", "----", "-------"])
    for event in sorted(events, key=lambda event: event["lastTimestamp"]):
        when = first = age(event["firstTimestamp"], now)
        if event["count"] > 1:
            when = f"{age(event['lastTimestamp'], now)} (x{event['count']} over {first})"
        source = event["source"]["component"]
        lines.append([f"  {event['type']}", event["reason"], when, source, event["message"]])
    return lines


def _several(title: str, values: list[str]) -> list[list[str]]:
    first, *rest = values or [NONE]
    return [[title, first], *(["", value] for value in rest)]


def _instant(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%a, %d %b %Y %H:%M:%S +0000")
