"""One build stage: the base image with the changes of the instructions so far.

The config collects settings (OCI image specification, config), the history has one line for each
instruction, and the layers are in the store. `finish` writes config and manifest.
"""

import json
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from ecrlab.docker.errors import DockerError
from ecrlab.docker.filesystem import FileSystem
from ecrlab.docker.store import Image, Store
from ecrlab.oci.layers import Entry, write_layer
from ecrlab.oci.media_types import Family

DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
COMMENT = "ecrlab docker build"
MOST_TEXT = 8 << 20
"""Characters of a stage's history and of all values of its ARGs."""

_ORDER = (
    *("User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Healthcheck", "Volumes", "WorkingDir", "Labels"),
    *("StopSignal", "OnBuild", "Shell"),
)


@dataclass(frozen=True, slots=True)
class StoredLayer:
    """A layer of the store: digest and size as stored, and the digest of its tar."""

    digest: str
    size: int
    diff_id: str


class Stage:
    """Config, history and layers of a stage, and the variables of its instructions."""

    def __init__(self, store: Store, platform: str, date: datetime):
        self._store = store
        self._platform = platform
        self._date = date
        self.settings: dict[str, Any] = {}
        self.author = ""
        self.layers: list[StoredLayer] = []
        self.history: list[dict[str, Any]] = []
        self.args: dict[str, str] = {}
        """The ARGs declared in this stage."""
        self.global_args: dict[str, str] = {}
        self.build_args: dict[str, str] = {}
        self.used_args: set[str] = set()
        self.has_own_command = False
        self._spent = 0

    @classmethod
    def scratch(cls, store: Store, platform: str, date: datetime) -> "Stage":
        """Return a stage with an empty file system, and BuildKit's default PATH and working directory."""
        stage = cls(store, platform, date)
        stage.settings = {"Env": [DEFAULT_PATH], "WorkingDir": "/"}
        return stage

    @classmethod
    def of(cls, store: Store, image: Image, platform: str, date: datetime) -> "Stage":
        """Return the stage that begins with an image."""
        stage = cls(store, platform, date)
        stage.settings = {key: value for key, value in (image.config.get("config") or {}).items() if value}
        stage.author = image.config.get("author") or ""
        stage.history = list(image.config.get("history") or [])
        diff_ids = (image.config.get("rootfs") or {}).get("diff_ids") or []
        if len(diff_ids) != len(image.manifest.layers):
            raise DockerError(f"{image.digest}: its config and its manifest have different layers")
        stage.layers = [
            StoredLayer(layer.digest, layer.size, diff_id)
            for layer, diff_id in zip(image.manifest.layers, diff_ids, strict=True)
        ]
        return stage

    def copy(self) -> "Stage":
        """Return a stage that begins with the result of this one, without its ARGs."""
        stage = Stage(self._store, self._platform, self._date)
        stage.settings = deepcopy(self.settings)
        stage.author = self.author
        stage.layers = list(self.layers)
        stage.history = list(self.history)
        stage._spent = self._spent
        return stage

    # --- reading -------------------------------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """Return the values of ENV by name."""
        pairs = (variable.partition("=") for variable in self.settings.get("Env", []))
        return {name: value for name, _, value in pairs}

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables for `$NAME`; ENV wins over ARG."""
        return self.args | self.environment

    @property
    def working_directory(self) -> str:
        """Return the absolute working directory, without a trailing slash except for the root."""
        return self.settings.get("WorkingDir") or "/"

    @cached_property
    def files(self) -> FileSystem:
        """Return the file system so far."""
        files = FileSystem()
        for layer in self.layers:
            files.add_layer(self._store.blob_path(layer.digest))
        return files

    # --- changes -------------------------------------------------------------------------------------------------

    def set_environment(self, pairs: dict[str, str]) -> None:
        """Replace variables of ENV in place, or add them at the end."""
        self.settings["Env"] = [f"{name}={value}" for name, value in (self.environment | pairs).items()]

    def labels(self, labels: dict[str, str]) -> None:
        """Add labels."""
        if labels:
            self.settings["Labels"] = self.settings.get("Labels", {}) | labels

    def take_triggers(self) -> list[str]:
        """Return the base's ONBUILD instructions and remove them; they run once."""
        return list(self.settings.pop("OnBuild", []))

    def record(self, created_by: str) -> None:
        """Record an instruction that made no layer."""
        self._history(created_by, empty_layer=True)

    def add_layer(self, entries: Iterable[Entry], created_by: str) -> None:
        """Write a layer to the store, and add it to the file system."""
        entries = list(entries)
        for entry in entries:
            self.files.add(entry)
        with self._store.writing() as (out, keep):
            layer = write_layer(entries, out, modified_at=int(self._date.timestamp()))
            keep(layer.digest)
        self.layers.append(StoredLayer(layer.digest, layer.size, layer.diff_id))
        self._history(created_by)

    def spend(self, length: int) -> None:
        """Count the text of expanded values and recorded steps. Raises `DockerError` beyond the bound."""
        self._spent += length
        if self._spent > MOST_TEXT:
            raise DockerError(f"the build's variables and history become longer than {MOST_TEXT} characters")

    def _history(self, created_by: str, **more: object) -> None:
        self.spend(len(created_by))
        self.history.append({"created": self._created, "created_by": created_by, "comment": COMMENT, **more})

    @property
    def _created(self) -> str:
        return self._date.strftime("%Y-%m-%dT%H:%M:%SZ")

    # --- result --------------------------------------------------------------------------------------------------

    def finish(self, family: Family) -> str:
        """Write config and manifest to the store, and return the digest of the manifest."""
        config = json.dumps(self._config(), separators=(",", ":"), ensure_ascii=False).encode()
        digest = self._store.add(config)
        manifest = {
            "schemaVersion": 2,
            "mediaType": family.manifest,
            "config": {"mediaType": family.config, "digest": digest, "size": len(config)},
            "layers": [
                {"mediaType": family.layer, "digest": layer.digest, "size": layer.size} for layer in self.layers
            ],
        }
        return self._store.add(json.dumps(manifest, indent=2).encode())

    def _config(self) -> dict[str, Any]:
        operating_system, architecture, *variant = self._platform.split("/")
        known = {key: self.settings[key] for key in _ORDER if self.settings.get(key)}
        return {
            "architecture": architecture,
            **({"author": self.author} if self.author else {}),
            "config": known | {key: value for key, value in self.settings.items() if key not in _ORDER},
            "created": self._created,
            "history": self.history,
            "os": operating_system,
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in self.layers]},
            **({"variant": variant[0]} if variant else {}),
        }
