"""`lab.app`: copies of the applications that the lessons build."""

import os
import shutil
from pathlib import Path

import pytest

import ecrlab
from ecrlab.errors import EcrLabError
from ecrlab.machine import originals

APPS = originals.folder() / "apps"


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ecrlab.start() as lab:
        yield lab


def files(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("name", sorted(app.name for app in APPS.iterdir()))
def test_an_application_s_copy_has_its_files(lab, name):
    copy = lab.app(name)

    assert isinstance(copy, Path)
    assert files(copy) == files(APPS / name) != {}
    assert not copy.is_relative_to(APPS)


def test_edits_are_kept_until_a_fresh_copy_is_asked_for(lab):
    copy = lab.app("my-app")
    (copy / "app.py").write_text("print('mine')")
    (copy / "notes").mkdir()
    os.chdir(copy)

    kept = (lab.app("my-app") / "app.py").read_text()
    fresh = lab.app("my-app", fresh=True)

    assert kept == "print('mine')"
    assert files(fresh) == files(APPS / "my-app")
    assert not (fresh / "notes").exists()
    assert Path.cwd().samefile(fresh)
    assert sorted(path.name for path in fresh.parent.iterdir()) == ["my-app"]


def test_the_copy_ends_with_the_lab_and_the_process_leaves_it(lab, tmp_path):
    copy = lab.app("shop")
    os.chdir(copy / "site-packages")

    lab.stop()

    assert not copy.exists()
    assert Path.cwd().samefile(tmp_path)


def test_a_second_lab_does_not_see_the_first_one_s_edits(lab):
    (lab.app("my-app") / "app.py").write_text("print('mine')")

    with ecrlab.start() as other:
        assert files(other.app("my-app")) == files(APPS / "my-app")


def test_a_copy_of_read_only_originals_can_be_edited(lab, tmp_path, monkeypatch):
    shutil.copytree(APPS.parent, tmp_path / "notebooks")
    for path in (tmp_path / "notebooks").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    monkeypatch.setattr(originals, "CHECKOUT", tmp_path)

    copy = lab.app("shop")

    assert all(path.stat().st_mode & 0o200 for path in (copy, *copy.rglob("*")))
    assert files(lab.app("shop", fresh=True)) == files(APPS / "shop")
    for path in (tmp_path / "notebooks").rglob("*"):
        path.chmod(0o755)


@pytest.mark.parametrize("name", ["my-ap", "", ".", "..", "../apps/shop", "/etc", None, 5, []])
def test_an_unknown_name_is_refused_with_the_known_ones(lab, name):
    with pytest.raises(EcrLabError, match="there are hello, museum, my-app, shop"):
        lab.app(name)


def test_a_stopped_lab_has_no_applications(lab):
    lab.stop()
    with pytest.raises(EcrLabError, match=r"was stopped.*ecrlab\.start"):
        lab.app("my-app")


def test_a_kit_without_lessons_says_so(lab, tmp_path, monkeypatch):
    monkeypatch.setattr(originals, "CHECKOUT", tmp_path)
    with pytest.raises(EcrLabError, match="the lessons are not in"):
        lab.app("my-app")


def test_a_registry_that_is_kept_stays_where_the_lesson_began(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):  # the second time, the setup cell runs again in the same kernel
        lab = ecrlab.start(state="my-registry")
        os.chdir(lab.app("my-app"))
        repositories = lab.client("ecr").describe_repositories()["repositories"]
        if not repositories:
            lab.client("ecr").create_repository(repositoryName="my-app")
    lab.stop()

    assert [repository["repositoryName"] for repository in repositories] == ["my-app"]
    assert [path.name for path in tmp_path.iterdir()] == ["my-registry"]
