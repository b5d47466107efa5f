"""The files of `deploy/` and `.binder/`: they fit what reads them, each other, and what the guide counts."""

import math
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest
import yaml
from jupyterhub.spawner import Spawner
from jupyterhub.traitlets import ByteSpecification
from packaging.version import Version
from traitlets.config import Config

from ecrlab.machine.environment import DEAD_ENDPOINT
from ecrlab.machine.originals import FIRST_LESSON, lessons
from ecrlab.machine.requirements import CHECKOUT
from tests.deploy import one_machine

DEPLOY = CHECKOUT / "deploy"
GUIDE = (DEPLOY / "README.md").read_text()
CHART = yaml.safe_load((CHECKOUT / "tests" / "deploy" / "chart-4.3.yaml").read_text())


def values() -> dict:
    return yaml.safe_load((DEPLOY / "kubernetes.yaml").read_text())


def locked(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), re.MULTILINE))


def bytes_of(size: str) -> int:
    return ByteSpecification().validate(None, size)


def test_the_chart_accepts_the_values() -> None:
    jsonschema.Draft7Validator.check_schema(CHART)
    jsonschema.validate(values(), CHART)


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("singleuser.memory.garantee", "1G"),
        ("singleuser.cpu.limit", "2"),
        ("singleuser.default_url", "/lab"),
        ("cull.timeout", "30m"),
        ("hub.concurrentSpawnLimits", 64),
        ("scheduling.userPlaceholder.replicas", None),
    ],
)
def test_the_chart_refuses_a_misspelt_name_and_another_type(path: str, wrong: object) -> None:
    changed = values()
    *folders, name = path.split(".")
    inner = changed
    for folder in folders:
        inner = inner[folder]
    inner[name] = wrong
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed, CHART)


def test_the_values_are_those_of_the_guide_and_its_sum_is_right() -> None:
    user, places = values()["singleuser"], 300 + values()["scheduling"]["userPlaceholder"]["replicas"]
    memory, cpu = user["memory"], user["cpu"]
    assert [bytes_of(memory["guarantee"]), bytes_of(memory["limit"])] == [2**29, 2**31]
    assert (cpu["guarantee"], cpu["limit"], values()["cull"]["timeout"]) == (0.1, 2, 1800)
    by_memory, by_cpu = int(29 * 2**30 / bytes_of(memory["guarantee"])), int(7.5 / cpu["guarantee"])
    assert f"29 GiB / 0.5 GiB = {by_memory} learners" in GUIDE
    assert f"7.5 CPU / 0.1 CPU = {by_cpu}" in GUIDE
    assert f"{places} places / {by_memory} = {math.ceil(places / by_memory)} nodes" in GUIDE
    assert f"{places} / 25 = {math.ceil(places / 25)} nodes" in GUIDE
    assert bytes_of(memory["guarantee"]) == one_machine.PLANNED_MIB * 2**20


def test_a_home_is_where_the_image_has_it_and_the_first_lesson_is_there() -> None:
    dockerfile, user = (DEPLOY / "Dockerfile").read_text(), values()["singleuser"]
    assert f"HOME={user['storage']['homeMountPath']}\n" in dockerfile and f"--uid {user['uid']} " in dockerfile
    assert user["defaultUrl"].endswith(f"/{FIRST_LESSON}.ipynb")


def test_a_hub_adds_to_the_learners_packages_and_changes_none() -> None:
    hub, learner = locked(DEPLOY / "requirements.lock"), locked(CHECKOUT / "requirements.lock")
    developer = locked(CHECKOUT / "requirements-dev.lock")
    assert hub.keys() & learner.keys() == set()
    assert {name: developer[name] for name in hub} == hub
    assert {"jupyterhub", "jupyterhub-idle-culler", "nbgitpuller"} <= hub.keys()


def test_the_servers_jupyterhub_is_of_the_charts_generation() -> None:
    assert Version(locked(DEPLOY / "requirements.lock")["jupyterhub"]).major == 5
    assert "JupyterHub 5.4" in (DEPLOY / "kubernetes.yaml").read_text()


def test_every_file_that_the_image_copies_is_in_the_checkout() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert len(copied) >= 5 and all((CHECKOUT / name).exists() for name in copied)


def test_the_guide_makes_users_as_the_test_of_the_hub_does() -> None:
    assert one_machine.NEW_USER.format(name="ada") in GUIDE


def test_in_an_exam_each_learner_has_a_seed_of_their_own() -> None:
    [line] = re.findall(r"^c\.Spawner\.environment = .*$", GUIDE, re.MULTILINE)
    config = Config()
    exec(line, {"c": config})
    seen = []
    for name in ("ada", "bob"):
        spawner = Spawner(config=config)
        spawner.user = SimpleNamespace(name=name)
        seen.append({key: value(spawner) if callable(value) else value for key, value in spawner.environment.items()})
    assert seen == [{"ECRLAB_EXAM": "1", "ECRLAB_SEED": name} for name in ("ada", "bob")]


START = [sys.executable, str(DEPLOY / "start.py")]
SHOWN = "import os, json; print(json.dumps([os.getcwd(), sorted(os.listdir()), dict(os.environ)]))"


def start(home: Path, *command: str, script: list[str] = START, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"HOME": str(home)} | variables
    return subprocess.run(
        [*script, *command], cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("script", [START, [str(CHECKOUT / ".binder" / "start")]], ids=["hub", "binder"])
def test_a_server_starts_among_copies_of_the_lessons_and_out_of_reach_of_aws(script: list[str], tmp_path: Path) -> None:
    told = {"JUPYTERHUB_API_TOKEN": "of this server", "JUPYTER_PATH": "/elsewhere", "AWS_PROFILE": "work"}
    ended = start(tmp_path, sys.executable, "-c", SHOWN, script=script, **told)
    assert ended.returncode == 0, ended.stderr
    folder, files, variables = yaml.safe_load(ended.stdout)
    assert folder == str(tmp_path / "work")
    assert [name for name in files if name.endswith(".ipynb")] == [lesson.name for lesson in lessons()]
    assert variables["JUPYTERHUB_API_TOKEN"] == "of this server" and "JUPYTER_PATH" not in variables
    assert variables["AWS_ENDPOINT_URL"] == DEAD_ENDPOINT and "AWS_PROFILE" not in variables
    assert Path(variables["JUPYTER_CONFIG_DIR"]).is_relative_to(tmp_path)


def test_a_start_that_cannot_work_says_why(tmp_path: Path) -> None:
    assert start(tmp_path).stderr.startswith("usage: ")
    missing = start(tmp_path, "no-such-server")
    assert (missing.returncode, missing.stderr) == (1, "ecrlab: no-such-server: No such file or directory\n")
    (tmp_path / "work").rename(tmp_path / "elsewhere")
    (tmp_path / "work").touch()
    full = start(tmp_path, "true")
    assert full.returncode == 1 and "the copies of the lessons cannot be written" in full.stderr


def test_repo2docker_makes_binders_image_of_the_lock(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "--user-id=1000", "--user-name=ada", "."]
    environment = os.environ | {"HOME": str(tmp_path)}
    ended = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    image = ended.stdout + ended.stderr
    assert "python=3.12" in image
    for step in (
        '-r ".binder/requirements.txt"',
        "RUN ./.binder/postBuild",
        'R2D_ENTRYPOINT="${REPO_DIR}/.binder/start"',
    ):
        assert step in image
    assert "environment.yml" not in image  # no conda has tried it
    assert "-r ../requirements.lock\n" in (CHECKOUT / ".binder" / "requirements.txt").read_text()


def test_binders_last_step_runs() -> None:
    subprocess.run(["bash", "-n", ".binder/postBuild"], cwd=CHECKOUT, check=True)
    assert os.access(CHECKOUT / ".binder" / "postBuild", os.X_OK)
    assert os.access(CHECKOUT / ".binder" / "start", os.X_OK)


def test_a_devcontainer_runs_notebooks_in_the_kits_environment() -> None:
    container = yaml.safe_load((CHECKOUT / ".devcontainer" / "devcontainer.json").read_text())
    code = container["customizations"]["vscode"]
    assert code["extensions"] == ["ms-python.python", "ms-toolsai.jupyter"]
    assert code["settings"]["python.defaultInterpreterPath"] == "${containerWorkspaceFolder}/.venv/bin/python"
    assert container["postCreateCommand"] == "python3 -m ecrlab setup"  # makes that environment
