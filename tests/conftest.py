"""What holds for every test: no AWS of the user's is within reach, and a missing program is dealt with in one
place.
"""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from ecrlab.commands.test import EVERY_CLIENT
from ecrlab.lessons.seeds import VARIABLE
from ecrlab.machine.environment import DEAD_ENDPOINT, foreign_variables, lab_environment, write_files

# How long an example takes says how busy the machine is; what is to be fast is measured in tests/bench.
settings.register_profile("ecrlab", deadline=None)
settings.load_profile("ecrlab")


def pytest_configure(config: pytest.Config) -> None:
    """Point this process and all it starts at no AWS, also when pytest is run by hand."""
    folder = tempfile.TemporaryDirectory(prefix="ecrlab-tests-")
    config.add_cleanup(folder.cleanup)
    base = dict(os.environ)
    write_files(Path(folder.name), base=base)
    for name in foreign_variables(base):
        del os.environ[name]
    os.environ.update(lab_environment(DEAD_ENDPOINT, Path(folder.name), base=base))
    os.environ.pop(VARIABLE, None)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it, and so its servers
    os.environ["ECRLAB_PROGRESS"] = str(Path(folder.name) / "progress.json")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that drives a program skips where that is missing, or fails if every client was asked for."""
    for mark in item.iter_markers("client"):
        [name] = mark.args
        if shutil.which(name) is None:
            missing = f"{name} is not installed"
            if EVERY_CLIENT in os.environ or os.environ.get("CI") == "true":
                pytest.fail(f"{missing}, and all clients were asked for", pytrace=False)
            pytest.skip(missing)


@pytest.fixture(autouse=True)
def no_figure_stays() -> Iterator[None]:
    """Close the figures of a test; matplotlib warns, and so fails a later test, when 20 are open in a worker."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
