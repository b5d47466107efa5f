"""An exercise's lab and scene; `aws` is one that is imported already."""

import pytest

import ecrlab
from tests.lessons.case import prepare
from tests.warm_aws import warm


@pytest.fixture(scope="session", autouse=True)
def warm_aws():
    with warm():
        yield


@pytest.fixture
def lab(monkeypatch, tmp_path):
    monkeypatch.setenv("ECRLAB_PROGRESS", str(tmp_path / "progress.json"))
    with ecrlab.start() as lab:
        yield lab


@pytest.fixture
def scene(lab, monkeypatch, tmp_path):
    return lambda case: prepare(lab, case, tmp_path / "app", monkeypatch)
