"""A checkout may lie anywhere: no program of the kit is started through a path that a shell or `#!` line splits."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from ecrlab.machine import bootstrap
from ecrlab.machine.bootstrap import DEVELOPER, LEARNER, SetupError, prepare
from ecrlab.machine.requirements import CHECKOUT

NAME = "a path with späces, 'and' \"quotes\" & $HOME"

ATTACHED = """
exec 3< <("$PYTHON" -m ecrlab serve)
read -r endpoint <&3
server=$!
eval "$("$PYTHON" -m ecrlab env --endpoint "$endpoint")"
aws ecr create-repository --repository-name my-app --query repository.repositoryName --output text
aws ecr get-login-password | docker login --username AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com
docker pull --quiet public.ecr.aws/docker/library/alpine:3.22.6
"$PYTHON" -m ecrlab scan public.ecr.aws/docker/library/alpine:3.22.6 --inventory > /dev/null && echo scanned
kill $server
"""

IN_A_KERNEL = """
import os, sys, tempfile
from pathlib import Path
from jupyter_client.manager import start_new_kernel
from ecrlab.commands.test import surroundings
with tempfile.TemporaryDirectory() as folder:
    manager, client = start_new_kernel(env=surroundings(Path(folder), everything=False, base=os.environ))
    client.execute_interactive('''
import ecrlab, sys
lab = ecrlab.start()
print(sys.prefix)
!aws ecr create-repository --repository-name my-app --query repository.repositoryName --output text
!docker pull --quiet public.ecr.aws/docker/library/alpine:3.22.6
lab.stop()
''', timeout=60)
    client.stop_channels()
    manager.shutdown_kernel(now=True)
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the kit in such a path, with an environment of its own that borrows this one's packages."""
    copy = tmp_path_factory.mktemp("paths") / NAME
    copy.mkdir()
    for name in ("ecrlab", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        subprocess.run(["cp", "-r", CHECKOUT / name, copy], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", copy / ".venv"], check=True)
    packages = bootstrap._site_packages(copy / ".venv")
    (packages / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    # What pip makes of awscli's old-style script here: a line that names no program.
    broken = copy / ".venv" / "bin" / "aws"
    broken.write_text(f"#!{copy}/.venv/bin/python\nimport awscli.clidriver\n", encoding="utf-8")
    broken.chmod(0o755)
    (copy / ".venv" / "ecrlab-made-from").write_text(bootstrap.stamp_of(DEVELOPER, copy), encoding="utf-8")
    return copy


@pytest.fixture
def here(checkout: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a person who works there, whose temporary files lie in such a path too."""
    temporary = tmp_path / NAME
    temporary.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ECRLAB_", "PYTHON"))}
    python = checkout / ".venv" / "bin" / "python"
    return kept | {"TMPDIR": str(temporary), "PYTHON": str(python), "PATH": "/usr/bin:/bin"}


def test_a_terminal_there_uses_every_program(checkout: Path, here: dict[str, str]) -> None:
    done = subprocess.run(["bash", "-c", ATTACHED], cwd=checkout, env=here, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "my-app",
        "Login Succeeded",
        "public.ecr.aws/docker/library/alpine:3.22.6",
        "scanned",
    ], done.stderr


def test_a_kernel_there_uses_every_program(checkout: Path, here: dict[str, str]) -> None:
    done = subprocess.run([here["PYTHON"], "-c", IN_A_KERNEL], cwd=checkout, env=here, capture_output=True, text=True)
    assert done.stdout.split() == [
        *str(checkout / ".venv").split(),
        "my-app",
        "public.ecr.aws/docker/library/alpine:3.22.6",
    ], done.stderr


def test_the_doctor_finds_nothing_wrong_there(checkout: Path, here: dict[str, str]) -> None:
    done = subprocess.run(
        [here["PYTHON"], "-m", "ecrlab", "doctor"], cwd=checkout, env=here, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "-m awscli" in done.stdout


def test_a_path_that_no_search_path_can_hold_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "a:b"
    folder.mkdir()
    with pytest.raises(SetupError, match=r"contains ':', which PATH cannot contain: move the project"):
        prepare(LEARNER, folder)
