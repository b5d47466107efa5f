"""An exercise as the tests know it: what came before it, and ways to go wrong and right."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import boto3
from IPython.core.inputtransformer2 import TransformerManager
from IPython.utils.text import DollarFormatter

import ecrlab

APPS = Path(ecrlab.__file__).parents[1] / "notebooks" / "apps"

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
LOGIN = f"aws ecr get-login-password | docker login --username AWS --password-stdin {HOST}\n"


@dataclass(frozen=True)
class Case:
    """An exercise, what the lesson did before it, and ways to go wrong and right (shell commands, or answers)."""

    scene: str
    wrong: dict[str, object]
    right: tuple[object, ...] = ()
    app: str = "hello"
    cells: str = ""
    """What cells of the notebook have defined before."""
    solves_too: tuple[str, ...] = ()
    """Other exercises that its solution solves rightly."""


def prepare(lab, case, folder, monkeypatch):
    """Play what the lesson did before; give the names that its cells have."""
    shutil.copytree(APPS / case.app, folder)
    monkeypatch.chdir(folder)
    shell(case.scene)
    names = {"ecr": boto3.client("ecr"), "lab": lab}
    exec(case.cells, names)
    return names


def shell(command):
    subprocess.run(["bash", "-c", command], check=False, capture_output=True)


def attempt(lab, way, names):
    """Do it, or give the answer; a solution in Python is run as the learner would run it in a cell."""
    if isinstance(way, Callable):
        return way(lab)
    if "lab.check" in way:
        # As IPython runs a line that begins with `!`: names in braces are filled in.
        names["get_ipython"] = lambda: SimpleNamespace(
            system=lambda command: shell(DollarFormatter().vformat(command, (), names))
        )
        exec(TransformerManager().transform_cell(way), names)
        return names.get("answer", names.get("ghost"))
    shell(way)
    return None
