"""The hub of `deploy/jupyterhub_config.py`, with three learners at once."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from ecrlab.machine import originals
from tests.deploy import one_machine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.client("configurable-http-proxy"),
    pytest.mark.client("unshare"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes users, and namespaces for them"),
]

LEARNERS = ["learner1", "learner2", "learner3"]


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    command = [*one_machine.ALONE, sys.executable, "-m", "tests.deploy.one_machine", str(len(LEARNERS))]
    ended = subprocess.run(command, cwd=one_machine.CHECKOUT, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_the_hub_admits_learners_with_their_password_only(seen: dict[str, Any]) -> None:
    assert seen["strangers"] == [f"{one_machine.HUB}/hub/login"] * 2


def test_each_learner_begins_at_the_first_lesson(seen: dict[str, Any]) -> None:
    first = f"lab/tree/{originals.FIRST_LESSON}.ipynb"
    assert seen["pages"] == [f"{one_machine.HUB}/user/{name}/{first}" for name in LEARNERS]


def test_each_learner_works_in_a_lab_and_a_folder_of_their_own(seen: dict[str, Any]) -> None:
    for number, (name, work) in enumerate(zip(LEARNERS, seen["work"], strict=True)):
        assert work == {
            "uid": one_machine.FIRST_UID + number,
            "folder": f"/home/{name}/work",
            "lessons": [lesson.name for lesson in originals.lessons()],
            "repositories": [name],
            "cli": name,
            "labs": True,
        }


def test_what_is_too_much_or_of_others_is_refused_and_nobody_else_notices(seen: dict[str, Any]) -> None:
    attempts = ("memory", "threads", "kill", "/home/learner2", str(one_machine.STATE))
    assert seen["too much"] == dict.fromkeys(attempts, "refused")
    assert seen["still there"] == ["True"] * 3


def test_a_server_needs_no_more_memory_than_the_pages_for_teachers_say(seen: dict[str, Any]) -> None:
    assert max(seen["memory"]) < one_machine.PLANNED_MIB


def test_the_culler_ends_servers_and_leaves_no_process(seen: dict[str, Any]) -> None:
    assert seen["left after culling"] == [0, 0, 0]
