"""The doctor: what is wrong is said with the cure, and counts."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecrlab.commands import doctor
from ecrlab.commands.cli import main
from ecrlab.commands.doctor import Finding
from ecrlab.machine.bootstrap import CHECKOUT
from ecrlab.registry.world import World


def test_a_machine_that_runs_the_tests_has_nothing_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "nothing is wrong" in said
    assert "AWS_ENDPOINT_URL=http://127.0.0.1:PORT" in said
    assert str(CHECKOUT) in said


def test_one_wrong_thing_is_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # given
    def examine(state: Path | None) -> Iterator[Finding]:
        yield Finding("ok", "python", "3.11")
        yield Finding("WRONG", "aws", "not found")

    monkeypatch.setattr(doctor, "examine", examine)
    # then
    assert main(["doctor"]) == 1
    assert "1 wrong" in capsys.readouterr().out


def test_the_user_s_variables_are_named_and_their_values_are_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-real-token")
    main(["doctor"])
    said = capsys.readouterr().out
    assert "AWS_SESSION_TOKEN" in said and "a-real-token" not in said


def test_a_network_file_system_is_warned_of(tmp_path: Path) -> None:
    # given
    table = tmp_path / "mounts"
    table.write_text("/dev/sda / ext4 rw 0 0\nserver:/home /mnt/my\\040home nfs4 rw 0 0\n")
    mounts = doctor.file_systems(table)
    # then
    assert doctor.file_system_of(Path("/mnt/my home/lab"), mounts) == "nfs4"
    assert doctor.file_system_of(Path("/mnt/other"), mounts) == "ext4"
    good, warning = doctor.storage("state", tmp_path, "nfs4")
    assert (good.grade, warning.grade) == ("ok", "note")
    assert "nfs4" in warning.text and "on a disk of this machine" in warning.text


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_it_will_be_in(tmp_path: Path) -> None:
    [finding] = doctor.storage("state", tmp_path / "a" / "b", "ext4")
    assert finding.grade == "ok"


def test_a_full_disk_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "NEEDED_BYTES", 10**18)
    [finding] = doctor.storage("state", tmp_path, "ext4")
    assert finding.grade == "WRONG" and "free some space" in finding.text


def test_a_home_that_is_not_writable_is_worth_a_note(tmp_path: Path) -> None:
    assert doctor.home(tmp_path).grade == doctor.home(tmp_path / "new").grade == "ok"
    finding = doctor.home(Path("/dev/null/home"))
    assert finding.grade == "note" and "ECRLAB_PROGRESS" in finding.text


def test_a_client_that_is_missing_or_does_not_run_is_worth_a_note(tmp_path: Path) -> None:
    broken = tmp_path / "skopeo"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    for finding in (doctor.client("skopeo", None), doctor.client("skopeo", str(broken))):
        assert finding.grade == "note" and "not needed" in finding.text


def test_an_extra_that_is_half_there_is_wrong_and_one_that_is_absent_worth_a_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given: an installed kit
    missing = {"": [], "aws": ["awscli>=1.46"], "lab": ["awscli>=1.46", "pandas>=2.3"]}
    monkeypatch.setattr(doctor, "unmet_requirements", lambda extra, checkout: missing[extra])
    monkeypatch.setattr(doctor, "is_installed", lambda package: package == "jupyterlab")
    # when
    core, aws, lab = doctor.parts(CHECKOUT)
    # then
    assert (core.grade, aws.grade, lab.grade) == ("ok", "note", "WRONG")
    assert lab.text.endswith("missing: awscli>=1.46, pandas>=2.3: pip install 'ecrlab[lab]'")


def test_a_kit_without_a_package_of_its_own_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "unmet_requirements", lambda extra, checkout: ["moto>=5.2.5"])
    core, aws, lab = doctor.parts(CHECKOUT)
    assert core.grade == "WRONG" and core.text.endswith("lacks moto>=5.2.5: pip install ecrlab")
    assert aws.grade == lab.grade == "ok"


@pytest.mark.parametrize("command", [["/no/such/python"], [sys.executable, "-m", "no_such_module"]])
def test_an_aws_cli_that_does_not_run_is_wrong_and_the_cure_is_told(command: list[str]) -> None:
    finding = doctor.aws_cli(command)
    assert finding.grade == "WRONG"
    assert "does not run (" in finding.text and "`python3 -m ecrlab setup --again`" in finding.text


def test_an_old_sqlite_is_wrong_and_a_new_python_worth_a_note() -> None:
    assert doctor.sqlite((3, 34, 1)).grade == "WRONG"
    assert doctor.python((3, 14), "python3.14").grade == "note"


def test_what_a_killed_server_had_begun_is_worth_a_note_and_the_registry_is_ok(tmp_path):
    World(tmp_path).close()
    (tmp_path / "uploads" / "half").touch()

    assert [finding.grade for finding in doctor.state_directory(tmp_path)] == ["note", "ok"]


def test_what_is_nobodys_is_wrong(tmp_path):
    World(tmp_path).close()
    (tmp_path / "notes.txt").touch()

    assert [finding.grade for finding in doctor.state_directory(tmp_path)] == ["WRONG"]
