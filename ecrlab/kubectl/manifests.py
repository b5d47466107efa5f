"""Manifests: YAML and JSON documents as values, and those that `run` and `create deployment` make."""

import json
import re
import site
import sys
from pathlib import Path
from typing import Any

from ecrlab.kubectl.errors import KubectlError

LARGEST = 100_000
"""The most values that the documents of a file may have."""


def read(name: str) -> list[dict[str, Any]]:
    """Return the objects in a file of YAML or JSON, or in standard input for `-`; a List counts as its items.

    Raises `KubectlError` for a file that cannot be read and for a text that is neither.
    """
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise KubectlError(f'the path "{name}" does not exist') from error
    except (OSError, UnicodeDecodeError) as error:
        raise KubectlError(f'error reading "{name}": {error}') from error
    yaml = _yaml()
    try:
        found = [one for one in yaml.load_all(text, Loader=_loader(yaml)) if one is not None]
        _check_size(found)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise KubectlError(f"error parsing {name}: error converting YAML to JSON: yaml: {_told(error)}") from error
    objects: list[dict[str, Any]] = []
    for one in found:
        if not isinstance(one, dict):
            raise KubectlError(f"error parsing {name}: a manifest is a mapping, got {type(one).__name__}")
        objects += one.get("items") or [] if one.get("kind") == "List" else [one]
    if not objects:
        raise KubectlError("no objects passed to apply")
    for one in objects:
        _check(one, name)
    return objects


def pod(name: str, image: str, *, policy: str, labels: list[str]) -> dict[str, Any]:
    """Return the pod of `kubectl run`; `labels` are of the form `key=value`."""
    container = {"name": name, "image": image}
    if policy:
        container["imagePullPolicy"] = policy
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": pairs(labels) if labels else {"run": name}, "name": name},
        "spec": {"containers": [container]},
    }


def deployment(name: str, images: list[str], replicas: int) -> dict[str, Any]:
    """Return the deployment of `kubectl create deployment`; each container is named after its image."""
    labels = {"app": name}
    containers = [{"name": container_name(image), "image": image} for image in images]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"labels": labels, "name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }


def container_name(image: str) -> str:
    """Return the name of a container for an image: the last part of the repository's name.

    >>> container_name("123456789012.dkr.ecr.us-east-1.amazonaws.com/team/my_app:v1")
    'my-app'
    """
    last = image.rpartition("/")[2]
    return re.sub("[^a-z0-9-]", "-", re.split("[:@]", last)[0].lower())


def pairs(texts: list[str]) -> dict[str, str]:
    """Return texts of the form `key=value` as a dictionary. Raises `KubectlError`."""
    found = {}
    for one in texts:
        key, equals, value = one.partition("=")
        if not equals or not key:
            raise KubectlError(f"unexpected label format: {one}")
        found[key] = value
    return found


def as_yaml(document: Any) -> str:
    """Return a document in YAML, keys in order, as kubectl prints it."""
    yaml = _yaml()
    return str(yaml.safe_dump(document, default_flow_style=False, allow_unicode=True, width=1_000_000))


def as_json(document: Any) -> str:
    """Return a document in JSON, as kubectl prints it."""
    return json.dumps(document, indent=4, sort_keys=True, ensure_ascii=False)


def named(manifest: dict[str, Any]) -> str:
    """Return the name in a manifest; empty if it has none."""
    metadata = manifest.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


def _check(one: Any, name: str) -> None:
    for key in ("apiVersion", "kind"):
        if not isinstance(one, dict) or not isinstance(one.get(key), str):
            raise KubectlError(f'error validating "{name}": error validating data: {key} not set')
    try:
        json.dumps(one, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise KubectlError(f'error validating "{name}": a value that JSON does not have: {error}') from error


def _check_size(documents: list[Any]) -> None:
    """Raise `ValueError` for aliases that make a small text a huge or endless document."""
    waiting, seen = [*documents], 0
    while waiting:
        value = waiting.pop()
        seen += 1
        if seen > LARGEST:
            raise ValueError("document contains excessive aliasing")
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _yaml() -> Any:
    try:
        import yaml
    except ImportError:
        site.main()  # the script of a lab starts without site-packages
        import yaml
    return yaml


def _loader(yaml: Any) -> Any:
    """Return a reader of YAML that refuses a key that occurs twice, and reads a date as text, as kubectl does."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        pass

    def mapping(loader: Any, node: Any) -> dict[Any, Any]:
        loader.flatten_mapping(node)
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool | None):
                raise ValueError(f"line {key_node.start_mark.line + 1}: a key must be a text")
            if key in found:
                raise ValueError(f'line {key_node.start_mark.line + 1}: key "{key}" already set in map')
            found[key] = loader.construct_object(value_node, deep=True)
        return found

    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    Loader.add_constructor("tag:yaml.org,2002:timestamp", yaml.SafeLoader.construct_yaml_str)
    return Loader


def _told(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}: " if mark is not None else ""
    return where + (getattr(error, "problem", None) or str(error) or "nested too deeply")
