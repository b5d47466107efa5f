"""Which lab a command means: the one named, the attached one, this JupyterLab's own, the only one; never a guess."""

import logging
import os
import shlex
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import ecrlab
from ecrlab.commands.cli import main
from ecrlab.errors import EcrLabError
from ecrlab.machine import running
from ecrlab.machine.bootstrap import CHECKOUT
from ecrlab.machine.environment import DEAD_ENDPOINT
from ecrlab.machine.launchers import NO_LAB
from ecrlab.machine.running import JUPYTER, LabFolder, RunningLab, choose, temporary_folder
from tests.commands.test_serve import ECRLAB, ecr, serving

ONE, TWO, THREE = "http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3"


@pytest.fixture(autouse=True)
def labs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three labs: two of one JupyterLab's kernels and one in a terminal, the newest first, as `find` lists them."""
    listed = [
        RunningLab(THREE, Path("/3"), 3.0, jupyter="a", notebook="notebooks/05-lifecycle-policies.ipynb"),
        RunningLab(TWO, Path("/2"), 2.0),
        RunningLab(ONE, Path("/1"), 1.0, jupyter="b", notebook="notebooks/00-start-here.ipynb"),
    ]
    monkeypatch.setattr(running, "find", lambda: list(listed))


def test_the_one_that_is_named_comes_before_the_attached_one() -> None:
    assert choose(ONE, base={"ECRLAB_ENDPOINT": TWO}).endpoint == ONE
    assert choose(f"{ONE}/", base={}).endpoint == ONE


def test_the_attached_one_comes_before_the_own_and_the_newest() -> None:
    assert choose(base={"ECRLAB_ENDPOINT": TWO, JUPYTER: "a"}).endpoint == TWO


@pytest.mark.parametrize(("jupyter", "meant"), [("a", THREE), ("b", ONE)])
def test_a_terminal_of_a_jupyterlab_means_the_lab_of_its_notebooks(jupyter: str, meant: str) -> None:
    assert choose(base={"ECRLAB_ENDPOINT": DEAD_ENDPOINT, JUPYTER: jupyter}).endpoint == meant


@pytest.mark.parametrize("base", [{}, {JUPYTER: "of another"}, {"ECRLAB_ENDPOINT": DEAD_ENDPOINT}])
def test_among_several_it_asks_and_lists_them(base: dict[str, str]) -> None:
    with pytest.raises(EcrLabError, match="3 labs are running; choose one with --endpoint") as asked:
        choose(base=base)
    lines = str(asked.value).splitlines()[1:]
    assert [line.split()[0] for line in lines] == [THREE, TWO, ONE]
    assert "05-lifecycle-policies" in lines[0] and "terminal" in lines[1]


def test_an_attached_lab_that_has_ended_is_replaced_only_by_attaching_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    # given: one lab is left
    monkeypatch.setattr(running, "find", lambda: [RunningLab(TWO, Path("/2"), 2.0)])
    attached = {"ECRLAB_ENDPOINT": ONE}
    # then
    with pytest.raises(EcrLabError, match=r"has ended, and this terminal is attached to it.*ecrlab env"):
        choose(base=attached)
    assert choose(base=attached, attaching=True).endpoint == TWO


def test_no_lab_and_one_that_is_not_there_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EcrLabError, match=r"no lab is running at http://127\.0\.0\.1:9: start one"):
        choose("http://127.0.0.1:9", base={})
    monkeypatch.setattr(running, "find", list)
    with pytest.raises(EcrLabError, match="no lab is running on this machine: start one"):
        choose(base={})


COMMANDS = {
    "env": ["env"],
    "clock": ["clock", "advance", "13h"],
    "scan": ["scan", "my-app:v1"],
    "report": ["report", "--repository", "my-app"],
    "lifecycle": ["lifecycle", "preview", "--repository", "my-app", "--policy", "/dev/null"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_asks_which_lab_is_meant(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # given: a terminal of a JupyterLab without a lab of its own
    monkeypatch.setenv("ECRLAB_ENDPOINT", DEAD_ENDPOINT)
    policy = tmp_path / "policy.json"
    policy.write_text(
        '{"rules": [{"rulePriority": 1, "action": {"type": "expire"}, "selection":'
        ' {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10}}]}'
    )
    # when
    status = main([str(policy) if word == "/dev/null" else word for word in COMMANDS[name]])
    # then
    said = capsys.readouterr()
    assert status != 0 and said.out == ""
    assert "choose one with --endpoint" in said.err and ONE in said.err


@pytest.mark.slow
def test_two_labs_and_three_terminals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two terminals are attached, each to a lab; the third is not. Labs of other tests are out of sight."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ECRLAB_"))}

    def terminal(script: str) -> subprocess.CompletedProcess[str]:
        script = script.replace("ECRLAB", f"{shlex.quote(sys.executable)} -m ecrlab")
        return subprocess.run(["bash", "-c", script], cwd=CHECKOUT, env=plain, capture_output=True, text=True)

    with serving("--clock", "lab") as (_, older), serving("--clock", "lab") as (_, newer):
        for endpoint, name in ((older, "in-the-older"), (newer, "in-the-newer")):
            ecr(endpoint).create_repository(repositoryName=name)
        seen = "ECRLAB clock advance 1d; aws ecr describe-repositories --query 'repositories[].repositoryName'"
        attached = [terminal(f'eval "$(ECRLAB env --endpoint {lab})"; {seen}') for lab in (older, newer, older)]
        alone = terminal("ECRLAB clock advance 30d; ECRLAB env; ECRLAB scan in-the-older:v1")
        named = terminal(f"ECRLAB clock --endpoint {newer}")

    days = [done.stdout[:10] for done in attached]
    assert days == ["2026-10-02", "2026-10-02", "2026-10-03"], [done.stderr for done in attached]
    assert [("older" in done.stdout, "newer" in done.stdout) for done in attached[:2]] == [(True, False), (False, True)]
    assert alone.stdout == "" and alone.stderr.count("2 labs are running; choose one with --endpoint") == 3
    assert named.stdout.startswith("2026-10-02")


def test_an_attached_terminal_whose_lab_has_ended_reaches_no_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: an engine's docker in the PATH
    (tmp_path / "docker").write_text("#!/bin/sh\necho the engine\n")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with serving() as (_, endpoint):
        lines = subprocess.run(
            [*ECRLAB, "env", "--endpoint", endpoint], cwd=CHECKOUT, capture_output=True, text=True
        ).stdout
    # when: the lab has ended, and its folder is swept
    for folder in tmp_path.glob("ecrlab-lab-*"):
        subprocess.run(["rm", "-r", folder], check=True)
    for command, says in (
        ("docker ps", "no lab is running here"),
        ("kubectl get pods", "no lab with kubectl is running"),
    ):
        done = subprocess.run(["bash", "-c", f"{lines}\n{command}"], capture_output=True, text=True)
        # then
        assert done.returncode == 1 and done.stdout == ""
        assert says in done.stderr and "ecrlab env" in done.stderr


@pytest.mark.parametrize(("docker", "reached"), [("lab", False), ("system", True)])
def test_only_a_lab_that_asks_for_it_uses_the_installed_docker(
    docker: str, reached: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: JupyterLab's environment, where `docker` says that no lab is running
    engine = tmp_path / "docker"
    engine.write_text("#!/bin/sh\necho the engine\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{NO_LAB}:{tmp_path}:{os.environ['PATH']}")
    # when
    with ecrlab.start(docker=docker):  # type: ignore[arg-type]
        done = subprocess.run(["docker", "ps"], capture_output=True, text=True)
    # then
    assert (done.stdout == "the engine\n") is reached


def test_the_files_of_a_lab_are_its_owner_s_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # given: a state folder that everybody may read, with a database that everybody could
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    (state / "registry.sqlite").touch(mode=0o644)
    # when
    with ecrlab.start(state=state) as lab:
        lab.client("ecr").create_repository(repositoryName="my-app")
        logging.getLogger("ecrlab").warning("for the log")
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode)
            for folder in (state, *tmp_path.glob("ecrlab-lab-*"))
            for path in folder.rglob("*")
            if path.is_file()
        }
    # then
    assert {"registry.sqlite", "registry.sqlite-wal", "registry.sqlite-shm", "lab.json", "lab.log"} <= set(modes)
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}


@pytest.mark.parametrize("cause", ["not a folder", "separator"])
def test_temporary_files_that_cannot_be_are_one_sentence(
    cause: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / ("a:b" if cause == "separator" else "file")
    folder.mkdir() if cause == "separator" else folder.touch()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with pytest.raises(EcrLabError, match="TMPDIR"):
        LabFolder()
    assert list(folder.parent.rglob("ecrlab-lab-*")) == []


def test_a_full_temporary_folder_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **options: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    for ask in (LabFolder, lambda: temporary_folder("x").__enter__()):
        with pytest.raises(
            EcrLabError, match=r"No space left on device.*free some space there, or name another folder"
        ):
            ask()


def test_a_lab_whose_files_are_deleted_says_so_to_both_faces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with ecrlab.start() as lab:
        lab.client("ecr").create_repository(repositoryName="my-app")
        login = lab.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
        # when: somebody cleans the temporary folder
        subprocess.run(["rm", "-r", *tmp_path.glob("ecrlab-lab-*")], check=True)
        # then
        for operation in ("describe_repositories", "get_authorization_token"):
            with pytest.raises(Exception, match=r"files of this lab were deleted .*start a new lab"):
                getattr(lab.client("ecr"), operation)()
        assert "files of this lab were deleted" in answer_to(f"{lab.endpoint}/v2/my-app/tags/list", login)
    with ecrlab.start() as lab:
        assert lab.client("ecr").describe_repositories()["repositories"] == []


def answer_to(url: str, login: str) -> str:
    """What a Docker client is answered."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": f"Basic {login}"})) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()
