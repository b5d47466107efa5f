"""Policies from the files on a command line, with an error that names the file."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ecrlab.errors import EcrLabError
from ecrlab.lifecycle.errors import InvalidLifecyclePolicy, LifecycleError
from ecrlab.lifecycle.policy import Policy
from ecrlab.lifecycle.validation import parse


class Unusable(EcrLabError):
    """The command line, or a file that it names, cannot be used."""


def text_of(path: Path) -> str:
    """Return the text of a file, or of standard input for `-`, without a byte order mark. Raises `Unusable`."""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Unusable(f"{path}: byte {error.start}: not text in UTF-8") from error


def policy_of(path: Path) -> Policy:
    """Return the policy in a file. Raises `Unusable`.

    The file holds the policy itself, the answer of `aws ecr get-lifecycle-policy`, the input of `--cli-input-json`
    (both have the text in `lifecyclePolicyText`), or a CloudFormation template in JSON with one AWS::ECR::Repository
    that has a policy.
    """
    with about(path):
        text = text_of(path)
        held = list(_texts_in(text))
        if len(held) > 1:
            raise Unusable(f"{path}: holds {len(held)} lifecycle policies; give one alone")
        if held and not isinstance(held[0], str):
            raise Unusable(f"{path}: its LifecyclePolicyText is no text")
        return parse(held[0] if held else text)


def _texts_in(text: str) -> Iterator[Any]:
    """Return the values at the places of a policy's text in AWS's answers, inputs and templates."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return  # `parse` reports why
    if not isinstance(document, dict) or "rules" in document:
        return
    resources = document.get("Resources")
    if isinstance(resources, dict):
        places = [
            properties.get("LifecyclePolicy")
            for resource in resources.values()
            if isinstance(resource, dict) and resource.get("Type") == "AWS::ECR::Repository"
            for properties in [resource.get("Properties")]
            if isinstance(properties, dict)
        ]
    else:
        properties = document.get("Properties", document)
        places = [document, properties.get("LifecyclePolicy") if isinstance(properties, dict) else None]
    for place in places:
        if isinstance(place, dict):
            yield from (place[key] for key in ("lifecyclePolicyText", "LifecyclePolicyText") if key in place)


@contextmanager
def about(path: Path) -> Iterator[None]:
    """Put the file's name before the text of an error."""
    try:
        yield
    except InvalidLifecyclePolicy as error:
        place = f"{error.place}: " if error.place else ""
        raise Unusable(f"{path}: {place}{error.message}") from error
    except LifecycleError as error:
        raise Unusable(f"{path}: {error}") from error
