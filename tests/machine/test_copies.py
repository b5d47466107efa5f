"""The learner's copies: made without outputs, never changed by the kit, put aside and never lost."""

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from ecrlab.errors import EcrLabError
from ecrlab.machine import copies, originals

LESSON = "03-tag-immutability"


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """A checkout of the test's own, whose lessons may change."""
    shutil.copytree(originals.folder(), tmp_path / "kit" / "notebooks")
    monkeypatch.setattr(originals, "CHECKOUT", tmp_path / "kit")
    monkeypatch.setattr(copies, "CHECKOUT", tmp_path / "kit")
    return tmp_path / "kit"


@pytest.fixture
def work(kit):
    work = copies.work_folder(None)
    assert copies.bring(work) == []
    return work


def names(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(str(path.relative_to(folder)) for path in files)


def edit(path, text="# mine"):
    """Add a cell, as a learner does."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(text))
    nbformat.write(notebook, path)
    return path.read_bytes()


def test_the_first_start_copies_every_lesson_without_outputs_and_every_application(kit, work):
    assert work == kit / "work"
    assert names(work) == sorted([*names(kit / "notebooks"), ".originals.json"])
    for original in originals.lessons():
        was, copy = (nbformat.read(path, as_version=4) for path in (original, work / original.name))
        nbformat.validate(copy)
        code = [cell for cell in copy.cells if cell.cell_type == "code"]
        assert [cell.source for cell in copy.cells] == [cell.source for cell in was.cells]
        assert [cell.metadata for cell in copy.cells] == [cell.metadata for cell in was.cells]
        assert any(cell.get("outputs") for cell in was.cells)
        assert not any(cell.outputs or cell.execution_count for cell in code)


def test_a_later_start_changes_nothing(work):
    mine = edit(work / f"{LESSON}.ipynb")
    (work / "apps" / "hello" / "hello.sh").write_text("echo mine\n")
    before = {name: (work / name).read_bytes() for name in names(work)}

    assert copies.bring(work) == []

    assert {name: (work / name).read_bytes() for name in names(work)} == before
    assert (work / f"{LESSON}.ipynb").read_bytes() == mine


def test_a_later_original_is_offered_once_beside_the_copy(kit, work):
    mine = edit(work / f"{LESSON}.ipynb")
    edit(kit / "notebooks" / f"{LESSON}.ipynb", "# later")
    (kit / "notebooks" / "apps" / "hello" / "hello.sh").write_text("echo later\n")

    offers = copies.bring(work)

    assert offers == [work / f"{LESSON}-newer.ipynb", work / "apps" / "hello-newer"]
    assert "# later" in offers[0].read_text()
    assert (offers[1] / "hello.sh").read_text() == "echo later\n"
    assert (work / f"{LESSON}.ipynb").read_bytes() == mine
    assert copies.bring(work) == []
    offers[0].unlink()
    assert copies.bring(work) == []


def test_a_third_original_does_not_replace_the_second(kit, work):
    edit(kit / "notebooks" / f"{LESSON}.ipynb", "# second")
    [second] = copies.bring(work)
    mine = edit(second)
    edit(kit / "notebooks" / f"{LESSON}.ipynb", "# third")

    assert copies.bring(work) == [work / f"{LESSON}-newer-2.ipynb"]
    assert second.read_bytes() == mine


def test_other_outputs_make_no_later_original(kit, work):
    original = kit / "notebooks" / f"{LESSON}.ipynb"
    notebook = nbformat.read(original, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text="other")]
    nbformat.write(notebook, original)

    assert copies.bring(work) == []


def test_a_deleted_copy_comes_back(work):
    (work / f"{LESSON}.ipynb").unlink()
    copies.bring(work)
    assert (work / f"{LESSON}.ipynb").read_bytes() == originals.cleared(originals.lesson(LESSON).read_bytes())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', "\0"])
def test_a_damaged_record_loses_nothing(work, text):
    mine = edit(work / f"{LESSON}.ipynb")
    (work / ".originals.json").write_text(text)

    assert copies.bring(work) == [work / f"{LESSON}-newer.ipynb"]
    assert (work / f"{LESSON}.ipynb").read_bytes() == mine
    assert copies.bring(work) == []


def test_a_reset_puts_a_fresh_copy_in_place_and_the_old_one_aside(work):
    copy = work / f"{LESSON}.ipynb"
    fresh = copy.read_bytes()
    first = edit(copy)

    assert copies.reset(work, LESSON) == [(copy, work / f"{LESSON}-old.ipynb")]
    assert copies.reset(work, LESSON) == []
    second = edit(copy, "# second")
    assert copies.reset(work, LESSON) == [(copy, work / f"{LESSON}-old-2.ipynb")]

    assert copy.read_bytes() == fresh
    assert (work / f"{LESSON}-old.ipynb").read_bytes() == first
    assert (work / f"{LESSON}-old-2.ipynb").read_bytes() == second


def test_a_reset_of_everything_touches_only_what_has_changes(work):
    mine = edit(work / "00-start-here.ipynb")
    (work / "apps" / "hello" / "mine.txt").write_text("mine")

    done = copies.reset(work)

    assert done == [
        (work / "00-start-here.ipynb", work / "00-start-here-old.ipynb"),
        (work / "apps" / "hello", work / "apps" / "hello-old"),
    ]
    assert (work / "00-start-here-old.ipynb").read_bytes() == mine
    assert (work / "apps" / "hello-old" / "mine.txt").read_text() == "mine"
    assert copies.bring(work) == []


def test_a_reset_takes_the_later_original_that_is_then_not_offered(kit, work):
    edit(kit / "notebooks" / f"{LESSON}.ipynb", "# later")

    [(copy, _)] = copies.reset(work, LESSON)

    assert "# later" in copy.read_text()
    assert copies.bring(work) == []


def test_resets_at_the_same_time_lose_nothing(tmp_path):
    work = tmp_path / "my work"
    copies.bring(work)
    mine = edit(work / f"{LESSON}.ipynb")
    command = [sys.executable, "-m", "ecrlab", "reset", "--work", str(work)]

    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(4)]

    assert [process.wait(60) for process in running] == [0] * 4
    kept = [path.read_bytes() for path in work.glob(f"{LESSON}-old*.ipynb")]
    assert kept == [mine]


def test_an_unknown_lesson_is_refused_with_the_known_ones(work):
    with pytest.raises(EcrLabError, match=r"no lesson '03'; there are 00-start-here, 01-"):
        copies.reset(work, "03")


def test_a_full_disk_is_told_and_loses_nothing(work, monkeypatch):
    copy = work / f"{LESSON}.ipynb"
    mine = edit(copy)
    before = names(work)

    def full(files, path):
        path.write_bytes(b"{")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(originals, "write", full)
    with pytest.raises(EcrLabError, match=r"No space left.*--work"):
        copies.reset(work, LESSON)

    assert copy.read_bytes() == mine
    assert names(work) == before


def run(*arguments, **settings):
    command = [sys.executable, "-m", "ecrlab", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **settings)


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


@pytest.mark.parametrize("command", [["reset"], ["lab", "--no-browser"]])
def test_a_work_folder_that_cannot_be_used_is_one_sentence(tmp_path, command):
    file = tmp_path / "file"
    file.write_text("mine")
    for folder in (str(file), str(file / "below"), "", str(originals.folder()), str(originals.folder() / "apps")):
        done = run(*command, "--work", folder)
        assert (done.returncode, done.stdout) == (2, ""), done
        assert done.stderr.startswith("ecrlab: ") and done.stderr.count("\n") == 1, done.stderr
        assert "--work" in done.stderr
    assert file.read_text() == "mine"


def test_a_disk_that_fills_up_is_one_sentence(tmp_path):
    done = run("reset", "--work", str(tmp_path / "work"), preexec_fn=small_files)

    assert done.returncode == 2
    assert done.stderr.startswith("ecrlab: the copies of the lessons cannot be written in ")
    assert done.stderr.count("\n") == 1
    assert list((tmp_path / "work").glob("*.ipynb")) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_work_folder_is_one_sentence(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(EcrLabError, match="cannot be written"):
        copies.bring(tmp_path)
    tmp_path.chmod(0o755)


def test_reset_prints_what_it_did(tmp_path):
    assert "00-start-here.ipynb: a fresh copy\n" in run("reset", "--work", str(tmp_path)).stdout
    edit(tmp_path / f"{LESSON}.ipynb")
    done = run("reset", LESSON, "--work", str(tmp_path))
    assert done.stdout == f"{LESSON}.ipynb: a fresh copy; yours is {LESSON}-old.ipynb\n"
    assert run("reset", "--work", str(tmp_path)).stdout == "nothing to do: there are no changes\n"


def test_an_installed_kit_has_its_copies_in_the_user_s_data_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(originals, "CHECKOUT", tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    monkeypatch.setattr(sys, "platform", "linux")
    assert copies.home({}) == tmp_path / ".local" / "share" / "ecrlab"
    assert copies.home({"XDG_DATA_HOME": "relative"}) == tmp_path / ".local" / "share" / "ecrlab"
    assert copies.home({"XDG_DATA_HOME": "/data"}) == Path("/data/ecrlab")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert copies.home({}) == tmp_path / "Library" / "Application Support" / "ecrlab"


def test_the_record_is_small_and_names_no_place(work):
    record = json.loads((work / ".originals.json").read_text())
    assert {len(given) for given in record.values()} == {1}
    assert str(work) not in json.dumps(record)
