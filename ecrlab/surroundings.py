"""What a lab changes in its own process: environment variables, the time zone, and where boto3 looks."""

import os
import time
from pathlib import Path


class Surroundings:
    """The changes that a lab makes to its process; `restore` undoes them."""

    def __init__(self, inside: dict[str, str]) -> None:
        names = {name for name in {*os.environ, *inside} if os.environ.get(name) != inside.get(name)}
        self._before = {name: os.environ.get(name) for name in names}
        _set_variables({name: inside.get(name) for name in names})
        self._models = _user_models()
        _forget_sessions(str(Path(inside["AWS_CONFIG_FILE"]).parent / "models"))

    def restore(self) -> None:
        """Set the variables and boto3 back to what they were."""
        _set_variables(self._before)
        _forget_sessions(self._models)


def _set_variables(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    time.tzset()


def _user_models() -> str:
    from botocore.loaders import Loader

    path: str = Loader.CUSTOMER_DATA_PATH
    return path


def _forget_sessions(models: str) -> None:
    """Reset boto3's session, and let it look for the user's API models in `models` instead of `~/.aws`."""
    import boto3
    from botocore.loaders import Loader

    boto3.DEFAULT_SESSION = None
    Loader.CUSTOMER_DATA_PATH = models
