"""The progress of a class: files of learners become a table and a page; what is in them is not trusted."""

import csv
import io
import json

import pytest

from ecrlab.commands.cli import main
from ecrlab.errors import EcrLabError
from ecrlab.lessons import class_board, progress

SECOND_TAG = "push-a-second-tag"


def write(folder, name, **members):
    path = folder / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"solved": {}, **members}))
    return path


@pytest.fixture
def own(monkeypatch, tmp_path):
    monkeypatch.setattr(progress, "_unwritten", progress.Record())
    path = tmp_path / "own" / "progress.json"
    monkeypatch.setenv("ECRLAB_PROGRESS", str(path))
    return path


@pytest.mark.parametrize(
    ("members", "state"),
    [
        ({}, "open"),
        ({"hints": {SECOND_TAG: 1}}, "begun"),
        ({"checks": {SECOND_TAG: 2}}, "begun"),
        ({"checks": {SECOND_TAG: 3}}, "stuck"),
        ({"solutions": {SECOND_TAG: "2026-01-01"}}, "stuck"),
        ({"solved": {SECOND_TAG: "2026-01-02"}, "checks": {SECOND_TAG: 5}}, "solved"),
        ({"solved": {SECOND_TAG: "2026-01-02"}, "solutions": {SECOND_TAG: "2026-01-01"}}, "shown"),
        ({"solved": {SECOND_TAG: "2026-01-02"}, "solutions": {SECOND_TAG: "2026-01-03"}}, "solved"),
    ],
)
def test_each_exercise_has_a_state(tmp_path, members, state):
    write(tmp_path, "ann", **members)

    [ann] = class_board.collect(str(tmp_path / "*.json"))

    assert ann.name == "ann"
    assert ann.state(SECOND_TAG) == state


def test_a_lesson_leaves_what_the_board_shows(own):
    from ecrlab.lessons.exercises import Desk, LabStopped, NotYet

    def stopped(answer):
        raise LabStopped("stopped")

    def nothing(answer):
        raise NotYet("nothing is there")

    Desk(stopped).check(SECOND_TAG)  # a stopped lab is no try
    desk = Desk(nothing)
    desk.check(SECOND_TAG)
    desk.hint(SECOND_TAG)
    desk.solution(SECOND_TAG)

    record = progress.recorded()
    assert (record.checks, record.hints, list(record.solutions)) == ({SECOND_TAG: 1}, {SECOND_TAG: 1}, [SECOND_TAG])
    progress.note_check(SECOND_TAG, solved=True)
    progress.note_check(SECOND_TAG, solved=True)
    assert progress.recorded().checks == {SECOND_TAG: 2}


def test_files_called_progress_have_the_names_of_their_folders(tmp_path):
    for name in ("zoe", "Ann"):
        write(tmp_path / name, "progress")
    write(tmp_path / "other" / "zoe", "progress")

    names = [learner.name for learner in class_board.collect(str(tmp_path / "**/progress.json"))]

    assert names[-1] == "Ann" or names[0] == "Ann"
    assert len(set(names)) == 3  # two of the name zoe are told apart by their paths


def test_the_csv_has_a_row_for_each_learner_and_exercise(tmp_path, capsys):
    write(tmp_path, "ann", solved={SECOND_TAG: "2026-01-02"}, checks={SECOND_TAG: 2}, hints={SECOND_TAG: 1})
    write(tmp_path, "=cmd|' /C calc'!A0")

    assert main(["progress", "--collect", str(tmp_path / "*.json"), "--output", "csv"]) == 0

    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    [row] = [row for row in rows if row["learner"] == "ann" and row["exercise"] == SECOND_TAG]
    assert (row["state"], row["checks"], row["hints"], row["solution shown"]) == ("solved", "2", "1", "no")
    assert not any(row["learner"].startswith("=") for row in rows)  # no formula for a spreadsheet


def test_the_page_escapes_names_and_says_who_is_stuck(tmp_path, capsys):
    write(tmp_path, "<script>alert(1)<", checks={SECOND_TAG: 9})
    write(tmp_path, "ann", solved={SECOND_TAG: "2026-01-02"})

    assert main(["progress", "--collect", str(tmp_path / "*.json"), "--output", "html"]) == 0

    page = capsys.readouterr().out
    assert "<script" not in page
    assert f"<strong>{SECOND_TAG}</strong>: &lt;script&gt;alert(1)&lt;" in page
    assert "1 of 2" in page


@pytest.mark.parametrize("text", ["", "[]", "{", '{"solved": 1}', '{"solved": {}, "checks": {"a": "x"}}', "[" * 9999])
def test_a_file_that_is_no_progress_is_named(tmp_path, text, capsys):
    (tmp_path / "bob.json").write_text(text)

    assert main(["progress", "--collect", str(tmp_path / "*.json")]) == 2

    assert "bob.json: not a file of ecrlab's progress" in capsys.readouterr().err


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(class_board, "LARGEST", 100)
    write(tmp_path, "bob", solved={str(number): "now" for number in range(100)})

    with pytest.raises(EcrLabError, match="larger than 100 bytes"):
        class_board.collect(str(tmp_path / "*.json"))


def test_a_pattern_without_files_is_an_error(tmp_path, capsys):
    assert main(["progress", "--collect", str(tmp_path / "*.json")]) == 2

    assert "no file matches" in capsys.readouterr().err


def test_recording_can_be_exported_deleted_and_switched_off(own, capsys):
    progress.note_check(SECOND_TAG, solved=True)
    assert main(["progress", "--export"]) == 0
    assert list(json.loads(capsys.readouterr().out)["solved"]) == [SECOND_TAG]

    assert main(["progress", "--reset"]) == 0
    assert progress.solved() == {}
    progress.note_try("a", right=True)
    assert list(progress.solved()) == ["a"]

    assert main(["progress", "--off"]) == 0
    progress.note_try("a", right=True)
    progress.note_check(SECOND_TAG, solved=False)
    assert progress.recorded() == progress.Record(off=True)
    assert "off" in capsys.readouterr().out

    assert main(["progress", "--on"]) == 0
    progress.note_try("a", right=True)
    assert list(progress.solved()) == ["a"]
    assert main(["progress", "--on"]) == 0
    assert list(progress.solved()) == ["a"]  # it deletes nothing when recording is on


def test_a_file_that_cannot_be_written_is_an_error_of_the_command(monkeypatch, capsys):
    monkeypatch.setenv("ECRLAB_PROGRESS", "/dev/null/progress.json")

    assert main(["progress", "--reset"]) == 2

    assert "cannot be written" in capsys.readouterr().err
