"""Which objects a command means: by kind and name, by labels, or by fields."""

import re
from typing import Any

from ecrlab.kubectl.errors import KubectlError
from ecrlab.kubectl.options import Options

KINDS = {
    "pods": ("pod", "pods", "po"),
    "deployments": ("deployment", "deployments", "deploy", "deployment.apps", "deployments.apps"),
    "events": ("event", "events", "ev"),
}
SHOWN = {"pods": "pod", "deployments": "deployment.apps", "events": "event"}

Target = tuple[str, str | None]
"""A kind (`pods`), and the name of an object or None for all of them."""


def targets_of(arguments: list[str]) -> list[Target]:
    """Return what `pods`, `pod web api`, `pod/web deploy/api` or `pods,deployments` mean."""
    if not arguments:
        raise KubectlError("you must specify the type of resource: pods, deployments or events")
    if "/" in arguments[0]:
        pairs = [one.partition("/") for one in arguments]
        if any(not slash or not name for _, slash, name in pairs):
            raise KubectlError(
                "there is no need to specify a resource type as a separate argument when passing arguments in "
                "resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of "
                "'kubectl get resource resource/<resource_name>'"
            )
        return [(_kind(kind), name) for kind, _, name in pairs]
    names: list[str | None] = [*arguments[1:]] or [None]
    return [(_kind(one), name) for one in arguments[0].split(",") for name in names]


def _kind(word: str) -> str:
    for kind, names in KINDS.items():
        if word.lower() in names:
            return kind
    raise KubectlError(
        f"the server doesn't have a resource type \"{word}\"; the lab's cluster has pods, deployments and events"
    )


def not_found(kind: str, name: str) -> KubectlError:
    """Return the error about an object that does not exist."""
    what = "deployments.apps" if kind == "deployments" else kind
    return KubectlError(f'{what} "{name}" not found', prefix="Error from server (NotFound): ")


def chosen(items: list[dict[str, Any]], kind: str, name: str | None, options: Options) -> list[dict[str, Any]]:
    """Return the items that a command names, selects and sorts."""
    if name is not None:
        found = [one for one in items if one["metadata"]["name"] == name]
        if not found:
            raise not_found(kind, name)
        return found
    found = selected(items, options.value("selector"))
    for condition in options.values("field-selector"):
        path, equals, value = re.split("(!=|==?)", condition, maxsplit=1) if "=" in condition else (condition, "", "")
        if not equals:
            raise KubectlError(f'invalid selector: "{condition}"; can\'t understand it')
        found = [one for one in found if (_at(one, path) == value) != (equals == "!=")]
    if path := options.value("sort-by").strip("{}"):
        found = sorted(found, key=lambda one: _at(one, path))
    return found


def selected(items: list[dict[str, Any]], selector: str) -> list[dict[str, Any]]:
    """Return the items whose labels fit a selector such as `app=web,tier!=db,!old`."""
    for condition in filter(None, selector.split(",")):
        found = re.fullmatch(r"\s*(!?)([\w./-]+)\s*(?:(==?|!=)\s*([\w.-]*))?\s*", condition)
        if found is None or (found[1] and found[3]):
            known = "the lab's kubectl knows =, == and !="
            raise KubectlError(f'unable to parse requirement: found "{condition}"; {known}')
        items = [one for one in items if _fits(one["metadata"].get("labels", {}), found)]
    return items


def _fits(labels: dict[str, str], condition: re.Match[str]) -> bool:
    absent, key, equals, value = condition.groups()
    if equals is None:
        return (key in labels) != bool(absent)
    return (labels.get(key) == value) != (equals == "!=")


def _at(item: dict[str, Any], path: str) -> str:
    value: Any = item
    for part in path.strip(".").split("."):
        value = value.get(part, "") if isinstance(value, dict) else ""
    return str(value)
