"""Each error that has an explanation is provoked on a running lab, and `lab.why()` explains this one."""

import subprocess

import pytest

import ecrlab
from ecrlab.lessons.cells import choose, described
from ecrlab.lessons.explanations.lookup import CHAPTERS, explain, find
from ecrlab.lifecycle import parse
from ecrlab.lifecycle.errors import InvalidLifecyclePolicy
from tests.lessons import errors_page, provocations

ALL = {one.id: one for entries in CHAPTERS.values() for one in entries}


def test_each_error_is_provoked_or_quoted_and_none_twice() -> None:
    ways = [*provocations.PYTHON, *provocations.SHELL, *provocations.CELL, *provocations.QUOTED]

    assert sorted(ways) == sorted(ALL)
    assert len(ALL) == sum(map(len, CHAPTERS.values()))


# A lab for each takes a minute together: a newcomer's tests try every fifth.
@pytest.mark.parametrize(
    "id", [pytest.param(one, marks=pytest.mark.slow if n % 5 else []) for n, one in enumerate(provocations.PYTHON)]
)
def test_an_error_in_a_cell_of_python_is_explained(id, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with ecrlab.start() as lab:
        names = provocations.names(lab)
        error = None
        try:
            exec(provocations.PYTHON[id], names)
        except BaseException as raised:
            error = raised
        if "printed" in names:
            error = names["printed"].strip()
        lab.why(error)

    assert_explains(id, capsys.readouterr().out)


@pytest.mark.slow
@pytest.mark.parametrize("id", provocations.SHELL)
def test_an_error_in_a_cell_of_shell_is_explained(id, tmp_path, capsys):
    with ecrlab.start() as lab:
        lab.client("ecr").create_repository(repositoryName="app")
        script = provocations.LOGGED_IN + provocations.SHELL[id]
        ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=tmp_path)
        lab.why(choose(subprocess.CalledProcessError(1, "bash"), ran.stderr.splitlines()))

    assert_explains(id, capsys.readouterr().out)


@pytest.mark.parametrize("id", provocations.CELL)
def test_a_cell_of_shell_that_prints_nothing_is_explained_by_its_status(id):
    error = subprocess.CalledProcessError(provocations.CELL[id], "bash")

    assert_explains(id, explain(choose(error, [])))


@pytest.mark.parametrize("id", ALL)
def test_the_example_of_an_error_is_this_error(id):
    assert_explains(id, explain(ALL[id].example))


def assert_explains(id, page):
    one = ALL[id]
    _, *parts = one.page("").splitlines()
    assert page.splitlines()[-len(parts) :] == parts, page


def test_a_policy_that_the_kit_refuses_is_explained_as_ecr_refuses_it():
    with pytest.raises(InvalidLifecyclePolicy) as refused:
        parse(provocations.POLICY.replace("10", '"10"'))

    assert_explains("lifecycle-invalid", explain(described(refused.value)))


def test_an_unknown_error_is_not_explained_by_a_guess():
    assert find("the moon is in the wrong phase") is None
    assert "There is no explanation for this one" in explain("the moon is in the wrong phase")


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("ResourceInitializationError: unable to pull secrets …", "ecs-token-denied"),
        ('Failed to pull image "my-app:v9": no basic auth credentials', "pod-no-credentials"),
        ('Failed to pull image "my-app:v9": my-app:v9: not found', "pod-image-missing"),
        ('Failed to pull image "my-app:v9": no match for platform in manifest: not found', "pod-platform"),
        ('Failed to pull image "my-app:v9"', "pod-waits"),
        ("no basic auth credentials", "no-basic-auth"),
    ],
)
def test_a_text_that_somebody_shortened_is_still_this_error(text, id):
    found = find(text)

    assert found is not None
    assert found.id == id


@pytest.mark.parametrize("text", ["The", "", "An error occurred (Invalid"])
def test_a_beginning_that_several_errors_share_is_none(text):
    assert find(text) is None


def test_an_error_that_follows_another_is_explained_only_where_it_stands_alone():
    follows = "Error: Cannot perform an interactive login from a non TTY device"
    first = "The config profile (nobody) could not be found"

    assert choose(None, [first, follows]) == first
    assert choose(None, [follows, first]) == first
    assert choose(None, [follows]) == follows


def test_what_a_cell_prints_without_an_error_is_none():
    assert choose(None, ["WARNING! Your credentials are stored unencrypted", "Login Succeeded"]) is None


def test_a_caught_exception_is_named_as_python_prints_it():
    assert described(KeyError("imageTags")) == "KeyError: 'imageTags'"


def test_docs_errors_md_is_the_page_of_these_explanations():
    assert errors_page.PAGE.read_text(encoding="utf-8") == errors_page.render(), (
        "run python -m tests.lessons.errors_page"
    )
