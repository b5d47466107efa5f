"""The part of Go's templates that `--format` is used with: fields, `json`, `index`, `len`, and text around them.

{{.Architecture}}   {{json .Config.Env}}   {{index .RepoDigests 0}}   {{.Config.Labels.maintainer}}
"""

import json
import re
from typing import Any

from ecrlab.docker.errors import DockerError

_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_ARGUMENT = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')


def render(template: str, value: object) -> str:
    """Fill in a template.

    >>> render("{{.Os}}/{{.Architecture}} {{json .Tags}}", {"Os": "linux", "Architecture": "amd64", "Tags": ["a"]})
    'linux/amd64 ["a"]'
    """
    text = template.replace("\\t", "\t").replace("\\n", "\n")
    return _ACTION.sub(lambda action: _shown(_evaluate(action[1], value)), text)


def _evaluate(action: str, value: object) -> object:
    name, *arguments = _ARGUMENT.findall(action) or [""]
    match name, len(arguments):
        case "json", 1:
            return json.dumps(_argument(arguments[0], value), separators=(",", ":"), ensure_ascii=False)
        case "len", 1:
            return len(_collection(_argument(arguments[0], value), action))
        case "index", 2:
            within, key = _collection(_argument(arguments[0], value), action), _argument(arguments[1], value)
            try:
                return within[key]
            except (KeyError, IndexError, TypeError) as error:
                raise DockerError(f"template parsing error: {action}: no item {key}") from error
    if arguments or not name.startswith("."):
        raise DockerError(
            f'template parsing error: the lab\'s docker does not know "{action}" (fields, json, index, len)'
        )
    return _argument(name, value)


def _argument(text: str, value: Any) -> Any:
    if text.startswith('"'):
        return json.loads(text)
    if text.isdigit():
        return int(text)
    if not text.startswith("."):
        raise DockerError(f'template parsing error: function "{text}" not defined')
    for name in filter(None, text.split(".")):
        if not isinstance(value, dict) or name not in value:
            raise DockerError(f"template parsing error: <{text}>: map has no entry for key {json.dumps(name)}")
        value = value[name]
    return value


def _collection(value: Any, action: str) -> Any:
    if not isinstance(value, list | dict | str):
        raise DockerError(f"template parsing error: {action}: not a list")
    return value


def _shown(value: Any) -> str:
    """As Go prints it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_shown(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(_shown, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)
