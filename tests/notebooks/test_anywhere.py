"""The lessons where there is least: no network but loopback, no Docker, an empty home, another time zone and umask.

Outputs are compared strictly, so this also shows that none of these is printed.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import ecrlab

CHECKOUT = Path(ecrlab.__file__).parents[1]


def without_docker(folder):
    """A folder with links to every program of the PATH but docker."""
    folder.mkdir()
    for directory in map(Path, os.environ["PATH"].split(os.pathsep)):
        for program in directory.iterdir() if directory.is_dir() else ():
            link = folder / program.name
            if program.name != "docker" and not link.is_symlink():
                link.symlink_to(program)
    return folder


SOME = ["01-authentication", "06-age-and-savings", "10-ecr-public-and-caches"]
"""Lessons with tokens that expire, with dates and money, and with public images; the others take minutes together."""


@pytest.mark.client("unshare")
@pytest.mark.parametrize("lessons", [SOME, pytest.param([], marks=pytest.mark.long)], ids=["some", "all"])
def test_lessons_print_the_same_without_network_and_docker(lessons, tmp_path):
    alone = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && umask 002 && exec "$@"', "sh"]
    if subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets no process have a network of its own")
    notebooks = [f"notebooks/{name}.ipynb" for name in lessons] or ["notebooks"]
    home = tmp_path / "home"
    home.mkdir()

    ran = subprocess.run(
        [*alone, sys.executable, "-m", "ecrlab", "test", "--", "-q", "-n", "2", "--dist", "loadscope", *notebooks],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "HOME": str(home),
            "TZ": "Asia/Tokyo",
            "PATH": str(without_docker(tmp_path / "bin")),
            "CI": "",
        },
        check=False,
        capture_output=True,
        text=True,
    )

    assert ran.returncode == 0, ran.stdout[-4000:]
    assert " passed" in ran.stdout
