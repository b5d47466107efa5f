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

    assert [(one.student, one.read()) for one in found] == [
        ("ann", b"1"),
        ("Bob", b"2"),
        ("carl", b"3"),
        ("dora", b"4"),
    ]


def test_one_zip_of_a_whole_class(tmp_path):
    zipped(tmp_path / "class.zip", ann__lesson="1", bob="2")

    found = submissions.find(tmp_path / "class.zip", LESSON)

    assert [(one.student, one.read()) for one in found] == [("ann", b"1"), ("bob", b"2")]


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

    assert ann.read() == LESSON.encode()
    assert "several notebooks: bob/x.ipynb, bob/y.ipynb" in bob.problem


def test_nothing_outside_of_the_folder_is_read(tmp_path):
    (tmp_path / "secret.ipynb").write_text("secret")
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ann.ipynb").symlink_to(tmp_path / "secret.ipynb")
    with zipfile.ZipFile(tmp_path / "class" / "bob.zip", "w") as bundle:
        bundle.writestr("../../escaped.ipynb", "outside")
        bundle.writestr("notebook.ipynb", "inside")

    [bob] = submissions.find(tmp_path / "class", LESSON)

    assert (bob.student, bob.read()) == ("bob", b"inside")
    assert not list(tmp_path.rglob("escaped.ipynb"))


def test_a_bomb_and_a_broken_zip_are_a_problem_of_that_student_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "LARGEST", 1000)
    zipped(tmp_path / "ann.zip", notebook="0" * 1_000_000)
    (tmp_path / "bob.zip").write_text("no zip")
    (tmp_path / "carl.ipynb").write_text("1" * 2000)
    (tmp_path / "dora.ipynb").write_text("1")
    zipped(tmp_path / "eve.zip", notebook="2" * 900)
    damaged = bytearray((tmp_path / "eve.zip").read_bytes())
    damaged[50:54] = b"\xff" * 4
    (tmp_path / "eve.zip").write_bytes(damaged)

    ann, bob, carl, dora, eve = submissions.find(tmp_path, LESSON)

    for one, problem in (
        (ann, "more than 1000 bytes"),
        (bob, "cannot be read"),
        (carl, "more than 1000 bytes"),
        (eve, "cannot be read"),
    ):
        with pytest.raises(EcrLabError, match=problem):
            one.read()
    assert dora.read() == b"1"


def test_a_lesson_in_the_name_of_a_folder_does_not_count(tmp_path):
    for name in ("exercise", "notes"):
        (tmp_path / f"{LESSON} ann").mkdir(exist_ok=True)
        (tmp_path / f"{LESSON} ann" / f"{name}.ipynb").write_text(name)

    [ann] = submissions.find(tmp_path, LESSON)

    assert "several notebooks" in ann.problem


def test_a_name_is_one_student_however_it_is_encoded(tmp_path):
    (tmp_path / "J\u0061\u0308rvi").mkdir()
    (tmp_path / "J\u0061\u0308rvi" / f"{LESSON}.ipynb").write_text("1")
    (tmp_path / "names.csv").write_text("student,seed\nJ\u00e4rvi,7\n")

    [found] = submissions.find(tmp_path, LESSON)

    assert submissions.read_seeds(tmp_path / "names.csv")[found.student] == "7"


@pytest.mark.parametrize(
    ("rows", "says"),
    [("ann,7\nbob,8\nann,9\n", "more than once: ann"), ("ann,a\x07b\n", "ann: the seed must be printable")],
)
def test_seeds_that_would_give_wrong_grades_are_an_error(tmp_path, rows, says):
    (tmp_path / "names.csv").write_text(f"student,seed\n{rows}")
    with pytest.raises(EcrLabError, match=says):
        submissions.read_seeds(tmp_path / "names.csv")


def test_a_folder_without_notebooks_is_an_error(tmp_path):
    with pytest.raises(EcrLabError, match="has no notebook"):
        submissions.find(tmp_path, LESSON)
    with pytest.raises(EcrLabError, match="does not exist"):
        submissions.find(tmp_path / "nothing", LESSON)


def test_seeds_are_read_by_student(tmp_path):
    (tmp_path / "names.csv").write_text("\ufeffstudent,seed\nann, 7\n")
    assert submissions.read_seeds(tmp_path / "names.csv") == {"ann": "7"}
    assert submissions.read_seeds(None) == {}


@pytest.mark.parametrize("text", ["name,seed\nann,7\n", "student,seed\nann\n", "\xff\x00"])
def test_a_file_without_seeds_is_an_error(tmp_path, text):
    (tmp_path / "names.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(EcrLabError, match="columns student and seed"):
        submissions.read_seeds(tmp_path / "names.csv")
