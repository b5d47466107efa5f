"""The environment makes itself: whole or not at all, once, and with a cure in every refusal."""

import ast
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecrlab.machine import bootstrap, installers
from ecrlab.machine.bootstrap import DEVELOPER, LEARNER, SetupError, is_whole, prepare
from ecrlab.machine.requirements import CHECKOUT, unmet_requirements

A_COMMAND = """
def configure(parser): pass
def run(options): return print("the command `env` ran")
"""


def asking_for(*requirements: str) -> str:
    return f"[project]\ndependencies = {list(requirements)}\noptional-dependencies = {{lab = [], test = []}}\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the door of the kit that asks for a package no Python has, and locks none."""
    copy = tmp_path / "a copy of the kit"
    machine = [f"machine/{name}" for name in ("__init__", "bootstrap", "installers", "requirements")]
    rooms = (*machine, "commands/__init__", "commands/cli", "commands/status")
    for name in ("__init__", "__main__", "errors", *rooms):
        (copy / "ecrlab" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / "ecrlab" / f"{name}.py", copy / "ecrlab" / f"{name}.py")
    (copy / "ecrlab" / "commands" / "env.py").write_text(A_COMMAND)
    (copy / "pyproject.toml").write_text(asking_for("a-package-nobody-has>=1"))
    (copy / "requirements.lock").write_text("# nothing\n")
    (copy / "requirements-dev.lock").write_text("# nothing, for developers\n")
    return copy


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps of every set-up in this test, which are written down and do just what later steps build on. No uv."""
    which = shutil.which
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None if name == "uv" else which(name))
    done: list[str] = []

    def step(command: list[str], doing: str, held: int, say: Callable[[str], None], *, may_fail: bool = False) -> None:
        done.append(doing)
        if "venv" in command:
            folder = Path(command[-1])
            shutil.rmtree(folder.resolve(), ignore_errors=True)  # as venv does
            (folder / "bin").mkdir(parents=True)
            (folder / "bin" / "python").symlink_to(sys.executable)
            bootstrap._site_packages(folder).mkdir(parents=True)

    monkeypatch.setattr(bootstrap, "_run", step)
    return done


def outside(**variables: str) -> dict[str, str]:
    """The environment without what the tests' own Python brought along."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | variables


def start(checkout: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ecrlab", *arguments]
    return subprocess.run(command, cwd=checkout, env=outside(**variables), capture_output=True, text=True)


@pytest.mark.slow
def test_a_bare_machine_gets_an_environment_and_the_second_start_uses_it(checkout: Path) -> None:
    # when
    first, second = start(checkout, "env"), start(checkout, "env")
    # then
    assert first.stdout == second.stdout != ""
    assert "making the environment" in first.stderr and "ready after" in first.stderr
    assert second.stderr == ""
    # and the package is importable from anywhere in it
    elsewhere = [checkout / ".venv" / "bin" / "python", "-c", "import ecrlab; print(ecrlab.__file__)"]
    said = subprocess.run(elsewhere, cwd="/", env=outside(), capture_output=True, text=True, check=True)
    assert said.stdout.strip() == str(checkout / "ecrlab" / "__init__.py")


def test_the_door_needs_the_standard_library_only() -> None:
    # when: no site-packages, so anything else fails to import
    code = (
        "import ecrlab.__main__, ecrlab.machine.bootstrap, ecrlab.commands.cli; print(ecrlab.commands.cli.overview())"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=CHECKOUT, capture_output=True, text=True)
    # then
    assert "usage:" in done.stdout, done.stderr


@pytest.mark.parametrize("argument", ["--help", "--version", "docter"])
def test_what_needs_no_environment_is_answered_without_one(checkout: Path, argument: str) -> None:
    done = start(checkout, argument)
    assert "ecrlab" in done.stdout + done.stderr and "making" not in done.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_an_old_python_can_read_the_files_that_tell_it_so(name: str) -> None:
    ast.parse((CHECKOUT / "ecrlab" / name).read_text(), feature_version=(3, 7))


def test_an_old_python_is_told_which_one_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    code = compile((CHECKOUT / "ecrlab" / "__main__.py").read_text(), "__main__.py", "exec")
    old = type("sys", (), {"version_info": (3, 9), "executable": "python3", "exit": sys.exit})
    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(SystemExit, match=r"needs Python 3\.11 .* is Python 3\.9"),
    ):
        patch.setitem(sys.modules, "sys", old)
        exec(code, {"__name__": "old"})


def test_an_environment_with_the_packages_is_used_as_it_is(checkout: Path) -> None:
    # given
    (checkout / "pyproject.toml").write_text(asking_for("pytest>=1", "rich<100"))
    # when
    done = start(checkout, "env")
    # then
    assert done.returncode == 0 and done.stderr == ""
    assert not (checkout / ".venv").exists()


def test_a_package_installed_without_its_checkout_is_used_as_it_is(checkout: Path) -> None:
    (checkout / "pyproject.toml").unlink()
    assert "ran" in start(checkout, "env").stdout
    assert not (checkout / ".venv").exists()
    assert bootstrap.importable_from(checkout, {"PATH": "/bin"}) == {"PATH": "/bin"}


def test_a_version_out_of_bounds_is_not_met(checkout: Path) -> None:
    (checkout / "pyproject.toml").write_text(asking_for("pytest>=1", "rich<1"))
    assert unmet_requirements(checkout=checkout) == ["rich<1"]


def test_a_whole_environment_is_left_alone(checkout: Path, steps: list[str]) -> None:
    assert prepare(LEARNER, checkout) == prepare(LEARNER, checkout)
    assert len(steps) == 3


def test_tests_complete_the_learner_s_environment_and_lessons_use_a_developer_s(
    checkout: Path, steps: list[str]
) -> None:
    # when
    prepare(LEARNER, checkout)
    assert not is_whole(DEVELOPER, checkout)
    prepare(DEVELOPER, checkout)
    # then: it was not emptied
    assert steps[3:] == ["installing requirements-dev.lock", "compiling what a lab imports"]
    assert is_whole(DEVELOPER, checkout)
    assert prepare(LEARNER, checkout) and len(steps) == 5


def test_uv_installs_the_lock_where_it_is_on_path(
    checkout: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/bin/{name}")
    prepare(LEARNER, checkout)
    assert steps == ["making an empty one", "installing requirements.lock with uv", "compiling what a lab imports"]


def test_pip_installs_the_lock_where_uv_cannot(
    checkout: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: an index that only pip's settings name
    one_step, said = bootstrap._run, []

    def step(command: list[str], doing: str, *rest: Any, **options: bool) -> None:
        if command[0] == "/bin/uv":
            raise SetupError("no index")
        one_step(command, doing, *rest, **options)

    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(bootstrap, "_run", step)
    # when
    prepare(LEARNER, checkout, say=said.append)
    # then
    assert steps == ["making an empty one", "installing requirements.lock", "compiling what a lab imports"]
    assert "no index; now with pip" in said


def test_a_link_to_another_environment_is_replaced_and_what_it_leads_to_stays(
    checkout: Path, steps: list[str], tmp_path: Path
) -> None:
    # given
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine").touch()
    (checkout / ".venv").symlink_to(tmp_path / "other")
    # when
    prepare(LEARNER, checkout)
    # then
    assert [file.name for file in (tmp_path / "other").iterdir()] == ["mine"]
    assert is_whole(LEARNER, checkout)


@pytest.mark.parametrize("change", ["lock", "python", "stamp", "folder"])
def test_a_stale_or_half_made_environment_is_made_again(checkout: Path, steps: list[str], change: str) -> None:
    # given
    prepare(LEARNER, checkout)
    # when
    if change == "lock":
        (checkout / "requirements.lock").write_text("# something else\n")
    elif change == "python":
        (checkout / ".venv" / "bin" / "python").unlink()
    elif change == "stamp":
        (checkout / ".venv" / "ecrlab-made-from").write_text("half")
    else:
        checkout = checkout.rename(checkout.with_name("moved"))
    # then
    assert not is_whole(LEARNER, checkout)
    prepare(LEARNER, checkout)
    assert is_whole(LEARNER, checkout) and len(steps) == 6


def test_an_interrupted_set_up_counts_for_nothing(
    checkout: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: an environment that was whole, and a second set-up of it that stops half-way
    prepare(LEARNER, checkout)
    monkeypatch.setattr(bootstrap, "_run", lambda *step, **options: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        prepare(LEARNER, checkout, afresh=True)
    # then
    assert not is_whole(LEARNER, checkout)


def test_two_set_ups_in_one_folder_follow_each_other(
    checkout: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    one_step, said = bootstrap._run, []

    def slowly(*step: object, **options: bool) -> None:
        time.sleep(0.2)
        one_step(*step, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(bootstrap, "_run", slowly)
    # when
    both = [threading.Thread(target=prepare, args=(LEARNER, checkout), kwargs={"say": said.append}) for _ in "12"]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    # then
    assert is_whole(LEARNER, checkout)
    assert len(steps) == 3
    assert "another set-up is running in this folder; waiting for it" in said


@pytest.mark.slow
def test_a_failed_step_is_one_sentence_with_the_cure(checkout: Path) -> None:
    # given: a lock that names a package no index has, and no index
    (checkout / "requirements.lock").write_text(f"a-package-nobody-has==1 --hash=sha256:{'0' * 64}\n")
    # when
    done = start(checkout, "env", PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    # then
    assert done.returncode == 2
    assert "no package index answers" in done.stderr and "start again" in done.stderr
    assert "Traceback" not in done.stderr
    assert not is_whole(LEARNER, checkout)


@pytest.mark.parametrize(
    ("said", "cure"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE",
            "not the one in the lock",
        ),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "PIP_CERT"),
        ("NewConnectionError: Temporary failure in name resolution", "connect to the network"),
        ("something\nnobody foresaw", "something / nobody foresaw"),
    ],
)
def test_what_pip_says_becomes_a_cure(said: str, cure: str) -> None:
    assert cure in installers.why(said)


def test_a_python_without_venv_is_told_which_package_brings_it(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.util, "find_spec", lambda name: None)
    with pytest.raises(SetupError, match=r"sudo apt install python3\.\d+-venv"):
        prepare(LEARNER, checkout)


def test_a_full_disk_is_refused_before_anything_is_made(checkout: Path) -> None:
    full = LEARNER._replace(needed_bytes=10**18)
    with pytest.raises(SetupError, match="free some space and start again"):
        prepare(full, checkout)
    assert not (checkout / ".venv").exists()


def test_a_checkout_that_cannot_be_written_is_refused(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.os, "access", lambda *asked: False)
    with pytest.raises(SetupError, match="copy the project to a folder of your own"):
        prepare(LEARNER, checkout)
