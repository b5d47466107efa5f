"""The tour: every command of the workflow is shown, works, and leaves nothing behind."""

import os
import re
import subprocess
import sys

import pytest

from ecrlab.commands import tour
from ecrlab.machine.bootstrap import CHECKOUT
from tests.chapter import PUT_POLICY


@pytest.fixture(scope="module")
def finished():
    return subprocess.run(
        [sys.executable, "-m", "ecrlab", "tour"],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )


def test_it_ends_well(finished):
    assert finished.returncode == 0, finished.stdout
    assert "Login Succeeded" in finished.stdout
    assert re.search(r"v1\.2\.3: digest: sha256:[0-9a-f]{64} size: \d+", finished.stdout)
    assert "Status: Downloaded newer image" in finished.stdout
    assert '"description": "The scan was completed successfully."' in finished.stdout


def test_each_command_is_shown_before_its_output(finished):
    shown = [finished.stdout.index(f"\n{number}. ") for number in range(1, len(tour.STEPS) + 1)]
    assert shown == sorted(shown)
    assert finished.stdout.index("docker login") < finished.stdout.index("Login Succeeded")
    for step in tour.STEPS:
        assert tour._typed(step.command) in finished.stdout


def test_nothing_is_left_in_the_registry(finished):
    assert re.search(r'"repositories": \[\]\n}', finished.stdout)


def test_the_policy_is_that_of_the_chapter_and_previews_what_then_goes(finished):
    assert PUT_POLICY in [step.command for step in tour.STEPS]
    after = finished.stdout[finished.stdout.index("start-lifecycle-policy-preview") :]
    assert re.findall(r"\|\s+(v1\.2\.\d+)\s*\|\s*EXPIRE\s*\|\s*1\s*\|", after) == ["v1.2.3", "v1.2.4"]
    left = re.search(r"^v1\.2\.5\s.*$", after, re.MULTILINE)
    assert left is not None
    assert left[0].split() == [f"v1.2.{n}" for n in range(5, 15)]


def test_it_can_wait_for_a_teacher(monkeypatch, capfd):
    from ecrlab.commands.cli import main

    shown = []
    monkeypatch.setattr(tour, "STEPS", (tour.Step("One.", "echo one"), tour.Step("Two.", "echo two")))
    monkeypatch.setattr(tour, "_wait_for_enter", lambda: shown.append(capfd.readouterr().out))

    assert main(["tour", "--step"]) == 0
    shown.append(capfd.readouterr().out)
    assert ["one" in text.splitlines() for text in shown] == [False, True, False]
    assert ["two" in text.splitlines() for text in shown] == [False, False, True]


def test_a_command_that_fails_ends_the_tour(monkeypatch, capfd):
    from ecrlab.commands.cli import main

    monkeypatch.setattr(tour, "STEPS", (tour.Step("A mistake.", "false\ntrue"), tour.Step("Not reached.", "true")))

    assert main(["tour"]) == 2
    said = capfd.readouterr()
    assert "Not reached." not in said.out
    assert "the tour stops here" in said.err


def test_the_learners_surroundings_are_put_back(monkeypatch, capfd):
    from ecrlab.commands.cli import main

    monkeypatch.setattr(tour, "STEPS", (tour.Step("Where is AWS?", "echo $AWS_ENDPOINT_URL"),))
    before = dict(os.environ)

    main(["tour"])

    assert "http://127.0.0.1:" in capfd.readouterr().out
    assert dict(os.environ) == before
