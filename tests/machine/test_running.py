"""The folder of a lab, and its log when that cannot be written."""

import fcntl
import logging
import shutil
import tempfile
from pathlib import Path

import pytest

from ecrlab.machine.running import LabFolder, sweep

FULL = Path("/dev/full")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = LabFolder()
    yield folder
    folder.remove()


def remove(path):
    shutil.rmtree(path.parent)


def become_a_folder(path):
    path.mkdir()


def be_full(path):
    if not FULL.exists():
        pytest.skip("there is no /dev/full here")
    path.symlink_to(FULL)


@pytest.mark.parametrize("lose", [remove, become_a_folder, be_full])
@pytest.mark.parametrize("logger", ["ecrlab.server", "ecrlab.v2", "moto"])
def test_a_log_that_cannot_be_written_raises_nothing_and_prints_nothing(folder, capfd, lose, logger):
    lose(folder.path / "lab.log")
    for _ in range(2):
        logging.getLogger(logger).error("something failed")
    assert capfd.readouterr() == ("", "")


def test_what_goes_wrong_is_in_the_log(folder):
    logging.getLogger("ecrlab.server").error("something failed")
    assert "ERROR ecrlab.server: something failed" in (folder.path / "lab.log").read_text()


def test_the_sweep_of_another_lab_leaves_one_alone_that_is_starting(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    lock = fcntl.flock

    def late(descriptor, how):
        """Lock, but let the other lab sweep first."""
        if how == fcntl.LOCK_EX:
            sweep()
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)

    folder = LabFolder()

    assert (folder.path / "alive").exists()
    folder.remove()
