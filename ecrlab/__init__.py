"""Learn Amazon ECR with a faithful simulator on your own machine.

>>> import ecrlab
>>> lab = ecrlab.start()
>>> lab.client("ecr").create_repository(repositoryName="my-app")["repository"]["repositoryUri"]
'123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app'
>>> lab.stop()
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecrlab.errors import EcrLabError
    from ecrlab.lab import Lab, start
    from ecrlab.lessons.progress import progress
    from ecrlab.lessons.quizzes import quiz
    from ecrlab.simulator.moto.mock import mock_aws

__version__ = "0.1.0"
__all__ = ["EcrLabError", "Lab", "mock_aws", "progress", "quiz", "start"]

_HOMES = {
    "EcrLabError": ("ecrlab.errors", "EcrLabError"),
    "Lab": ("ecrlab.lab", "Lab"),
    "mock_aws": ("ecrlab.simulator.moto.mock", "mock_aws"),
    "progress": ("ecrlab.lessons.progress", "progress"),
    "quiz": ("ecrlab.lessons.quizzes", "quiz"),
    "start": ("ecrlab.lab", "start"),
    # For `%load_ext ecrlab`, not for people.
    "load_ipython_extension": ("ecrlab.lessons.extension", "load_ipython_extension"),
    "unload_ipython_extension": ("ecrlab.lessons.extension", "unload_ipython_extension"),
}


def __getattr__(name: str) -> Any:
    # Loaded when used: `python3 -m ecrlab` imports this package before anything else is installed.
    if name in _HOMES:
        import importlib

        module, attribute = _HOMES[name]
        return getattr(importlib.import_module(module), attribute)
    raise AttributeError(f"module 'ecrlab' has no attribute {name!r}")
