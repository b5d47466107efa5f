"""The changes that a lab makes to its process: environment variables and boto3's default session."""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path


class Surroundings:
    """The process inside a lab: `inside` are all its variables. `restore` undoes the changes."""

    def __init__(self, inside: Mapping[str, str]) -> None:
        names = {name for name in {*os.environ, *inside} if os.environ.get(name) != inside.get(name)}
        self._before = variables(names)
        set_variables({name: inside.get(name) for name in names})
        self._models = _user_models()
        _look_for_models(str(Path(inside["AWS_CONFIG_FILE"]).parent / "models"))

    def restore(self) -> None:
        """Put back what was there before."""
        set_variables(self._before)
        _look_for_models(self._models)


def variables(names: Iterable[str]) -> dict[str, str | None]:
    """Return variables of the process; None for one that is not set."""
    return {name: os.environ.get(name) for name in names}


def set_variables(values: Mapping[str, str | None]) -> None:
    """Set variables of the process, or remove those that are None; boto3 reads them again."""
    import boto3

    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    time.tzset()
    boto3.DEFAULT_SESSION = None


def _user_models() -> str:
    from botocore.loaders import Loader

    path: str = Loader.CUSTOMER_DATA_PATH
    return path


def _look_for_models(models: str) -> None:
    """Let boto3 look for the user's API models in `models` instead of `~/.aws`."""
    from botocore.loaders import Loader

    Loader.CUSTOMER_DATA_PATH = models
