"""The config of an image, checked once as far as this command reads it, because anybody can write one.

Source: OCI image specification, image configuration.
"""

from typing import Any

from ecrlab.docker.errors import DockerError
from ecrlab.oci import strict_json
from ecrlab.oci.strict_json import InvalidJson

_TEXTS = ("architecture", "os", "variant", "created", "author", "comment")
_SETTINGS: dict[str, type] = {
    **dict.fromkeys(("User", "WorkingDir", "StopSignal"), str),
    **dict.fromkeys(("Env", "Entrypoint", "Cmd", "OnBuild", "Shell"), list),
    **dict.fromkeys(("ExposedPorts", "Volumes", "Labels", "Healthcheck"), dict),
}


def read(body: bytes) -> dict[str, Any]:
    """Read the config of an image. Raises `DockerError` for members of the wrong type."""
    try:
        config = strict_json.read_object(body)
    except InvalidJson as error:
        raise DockerError(f"the config of the image cannot be read: {error}") from error
    for name in _TEXTS:
        _check(config, name, str)
    _check(config, "config", dict)
    settings = config.get("config") or {}
    for name, kind in _SETTINGS.items():
        _check(settings, name, kind)
        if kind is list and not all(isinstance(item, str) for item in settings.get(name) or []):
            _reject(name)
    if not all(isinstance(value, str) for value in (settings.get("Labels") or {}).values()):
        _reject("Labels")
    _check(config, "history", list)
    for step in config.get("history") or []:
        if not isinstance(step, dict):
            _reject("history")
        for name in ("created", "created_by", "comment"):
            _check(step, name, str)
    _check(config, "rootfs", dict)
    _check(config.get("rootfs") or {}, "diff_ids", list)
    return config


def _check(holder: dict[str, Any], name: str, kind: type) -> None:
    if not isinstance(holder.get(name), kind | None):
        _reject(name)


def _reject(name: str) -> None:
    raise DockerError(f"the config of the image cannot be read: {name} has the wrong type")
