"""Progress: one small file, changed under a lock, never in a lesson's way."""

import json
import subprocess
import sys

import pytest

from ecrlab.lessons import progress


@pytest.fixture
def kept(monkeypatch, tmp_path):
    monkeypatch.setattr(progress, "_unwritten", progress.Record())
    monkeypatch.setenv("ECRLAB_PROGRESS", str(tmp_path / "deep" / "progress.json"))
    return tmp_path / "deep" / "progress.json"


def test_the_first_time_counts(kept):
    progress.note_check("a", solved=True)
    first = progress.solved()
    progress.note_check("a", solved=True)

    assert progress.solved() == first
    assert list(first) == ["a"]


def test_processes_side_by_side_lose_nothing(kept):
    script = (
        "import sys; from ecrlab.lessons import progress; "
        "[progress.note_check(f'{sys.argv[1]}-{n}', solved=True) for n in range(20)]"
    )
    running = [subprocess.Popen([sys.executable, "-c", script, str(n)]) for n in range(4)]
    for process in running:
        assert process.wait() == 0

    assert len(progress.solved()) == 80


def test_the_last_try_says_whether_a_card_is_missed(kept):
    for right in (False, True, False):
        progress.note_try("a", right=right)
    for right in (False, True):
        progress.note_try("b", right=right)

    assert progress.missed() == ["a"]
    assert sorted(progress.solved()) == ["a", "b"]


def test_a_file_of_before_there_were_tries_is_read(kept):
    kept.parent.mkdir()
    kept.write_text('{"solved": {"a": "2026-01-01T00:00:00+00:00"}}')

    progress.note_try("b", right=False)

    assert list(progress.solved()) == ["a"]
    assert progress.missed() == ["b"]


def test_an_unreadable_file_is_put_aside_and_not_lost(kept):
    kept.parent.mkdir()
    kept.write_text("{ half of it")

    progress.note_check("a", solved=True)

    assert list(json.loads(kept.read_text())["solved"]) == ["a"]
    assert kept.with_name("progress.json.unreadable").read_text() == "{ half of it"


def test_where_nothing_can_be_written_progress_lasts_as_long_as_the_process(kept, monkeypatch):
    monkeypatch.setenv("ECRLAB_PROGRESS", "/dev/null/progress.json")

    progress.note_check("a", solved=True)

    progress.note_try("b", right=False)
    assert list(progress.solved()) == ["a"]
    assert progress.missed() == ["b"]


def test_the_overview_has_a_row_for_each_lesson(kept):
    progress.note_check("push-a-second-tag", solved=True)

    table = progress.progress()

    assert table.loc["00-start-here", "exercises"] == "1 of 2"
    assert table.loc["00-start-here", "questions"] == "0 of 5"
