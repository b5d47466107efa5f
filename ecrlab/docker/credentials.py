"""The store of `docker login`: `config.json` with `auths`, user and password in base64, which is no encryption.

    {"auths": {"123456789012.dkr.ecr.us-east-1.amazonaws.com": {"auth": "QVdTOi4uLg=="}}}

Docker reads only the entry of the registry in an image's name, so each registry needs its own login.
"""

import base64
import json
import os
from pathlib import Path
from typing import Any

from ecrlab.docker.errors import DockerError
from ecrlab.oci import strict_json


def directory() -> Path:
    """Return the folder of config.json, which the lab sets; the user's own `~/.docker` is never read."""
    where = os.environ.get("DOCKER_CONFIG")
    if not where:
        raise DockerError("DOCKER_CONFIG is not set: the lab's docker never uses your own ~/.docker; start a lab first")
    return Path(where)


def stored(registry: str) -> str | None:
    """Return the stored `auth` of a registry (base64 of user:password), if there is one."""
    config = _read()
    helper = config.get("credHelpers", {}).get(registry) or config.get("credsStore")
    if helper:
        raise DockerError(
            f"error getting credentials: config.json names docker-credential-{helper}, and the lab runs no credential"
            " helpers; remove that entry and use docker login"
        )
    entry = config.get("auths", {}).get(registry)
    return entry.get("auth") if isinstance(entry, dict) else None


def encode(username: str, password: str) -> str:
    """Return user and password in their stored form, which is also sent."""
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def keep(registry: str, auth: str) -> None:
    """Store the `auth` of a registry in place of an earlier one."""
    config = _read()
    config.setdefault("auths", {})[registry] = {"auth": auth}
    _write(config)


def forget(registry: str) -> bool:
    """Remove the entry of a registry, and return whether there was one."""
    config = _read()
    found = config.get("auths", {}).pop(registry, None) is not None
    if found:
        _write(config)
    return found


def _read() -> dict[str, Any]:
    path = directory() / "config.json"
    try:
        config = strict_json.read(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DockerError(f"config.json in DOCKER_CONFIG is not valid JSON: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("auths", {}), dict):
        raise DockerError("config.json in DOCKER_CONFIG is not an object with auths")
    return config


def _write(config: dict[str, Any]) -> None:
    where = directory()
    where.mkdir(parents=True, exist_ok=True)
    fresh = where / f"config.json.{os.getpid()}"
    fresh.touch(0o600)
    fresh.write_text(json.dumps(config, indent="\t"), encoding="utf-8")
    fresh.replace(where / "config.json")
