"""Submissions: notebooks in folders and zips, as learning platforms export them; nothing of them is trusted."""

import zipfile

import pytest

from ecrlab.errors import EcrLabError
from ecrlab.grading import submissions

LESSON = "02-push-and-pull"


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, body in members.items():
            bundle.writestr(name.replace("__", "/").replace("_", "-") + ".ipynb", body)


def test_a_notebook_a_folder_and_a_zip_are_a_student_each(tmp_path):
    (tmp_path / "ann.ipynb").write_text("1")
    (tmp_path / "Bob").mkdir()
    (tmp_path / "Bob" / "whatever.ipynb").write_text("2")
    zipped(tmp_path / "carl.zip", notebook="3")
    (tmp_path / "dora").mkdir()
    zipped(tmp_path / "dora" / "export.zip", notebook="4")
    (tmp_path / "notes.txt").write_text("ignored")

    found = submissions.find(tmp_path, LESSON)

    assert [(one.student, one.notebook) for one in found] == [
        ("ann", b"1"),
        ("Bob", b"2"),
        ("carl", b"3"),
        ("dora", b"4"),
    ]


def test_one_zip_of_a_whole_class(tmp_path):
    zipped(tmp_path / "class.zip", ann__lesson="1", bob="2")

    found = submissions.find(tmp_path / "class.zip", LESSON)

    assert [(one.student, one.notebook) for one in found] == [("ann", b"1"), ("bob", b"2")]


def test_of_several_notebooks_the_lessons_counts(tmp_path):
    for name in (LESSON, "03-tag-immutability", ".ipynb_checkpoints/02-push-and-pull-checkpoint"):
        path = tmp_path / "ann" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    for name in ("x", "y"):
        path = tmp_path / "bob" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)

    ann, bob = submissions.find(tmp_path, LESSON)

    assert ann.notebook == LESSON.encode()
    assert "several notebooks: bob/x.ipynb, bob/y.ipynb" in bob.problem


def test_nothing_outside_of_the_folder_is_read(tmp_path):
    (tmp_path / "secret.ipynb").write_text("secret")
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ann.ipynb").symlink_to(tmp_path / "secret.ipynb")
    with zipfile.ZipFile(tmp_path / "class" / "bob.zip", "w") as bundle:
        bundle.writestr("../../escaped.ipynb", "outside")
        bundle.writestr("notebook.ipynb", "inside")

    [bob] = submissions.find(tmp_path / "class", LESSON)

    assert (bob.student, bob.notebook) == ("bob", b"inside")
    assert not list(tmp_path.rglob("escaped.ipynb"))


def test_a_bomb_and_a_broken_zip_are_a_problem_of_that_student_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "LARGEST", 1000)
    zipped(tmp_path / "ann.zip", notebook="0" * 1_000_000)
    (tmp_path / "bob.zip").write_text("no zip")
    (tmp_path / "carl.ipynb").write_text("1" * 2000)
    (tmp_path / "dora.ipynb").write_text("1")

    ann, bob, carl, dora = submissions.find(tmp_path, LESSON)

    assert "more than 1000 bytes" in ann.problem
    assert "cannot be read" in bob.problem
    assert "2000 bytes" in carl.problem
    assert not dora.problem


def test_a_folder_without_notebooks_is_an_error(tmp_path):
    with pytest.raises(EcrLabError, match="has no notebook"):
        submissions.find(tmp_path, LESSON)
    with pytest.raises(EcrLabError, match="does not exist"):
        submissions.find(tmp_path / "nothing", LESSON)


def test_seeds_are_read_by_student(tmp_path):
    (tmp_path / "names.csv").write_text("\ufeffstudent,seed\nann, 7\n")
    assert submissions.seeds(tmp_path / "names.csv") == {"ann": "7"}
    assert submissions.seeds(None) == {}


@pytest.mark.parametrize("text", ["name,seed\nann,7\n", "student,seed\nann\n", "\xff\x00"])
def test_a_file_without_seeds_is_an_error(tmp_path, text):
    (tmp_path / "names.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(EcrLabError, match="columns student and seed"):
        submissions.seeds(tmp_path / "names.csv")
