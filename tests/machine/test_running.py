"""The folder of a lab, and its log when that cannot be written."""

import logging
import shutil
import tempfile
from pathlib import Path

import pytest

from ecrlab.machine.running import LabFolder

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
