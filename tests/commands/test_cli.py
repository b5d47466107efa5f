"""The command line: every command is found, explained, and fails in a sentence."""

import argparse
import importlib
import sys
from types import ModuleType

import pytest

import ecrlab
from ecrlab.commands import cli
from ecrlab.errors import EcrLabError


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A command `try` of this test's own; its `run` is for the test to give."""
    module = ModuleType("ecrlab_try", "Try a thing.")
    module.configure = lambda parser: parser.add_argument("--port", type=int)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ecrlab_try", module)
    monkeypatch.setitem(cli.COMMANDS, "try", cli.Command("ecrlab_try", "try a thing"))
    return module


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"\n  {name} " in said for name in cli.COMMANDS)
    assert "examples:" in said


def test_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"ecrlab {ecrlab.__version__}\n"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main([name, "--help"])
    assert stopped.value.code == 0
    assert f"usage: python3 -m ecrlab {name}" in capsys.readouterr().out
    assert importlib.import_module(cli.COMMANDS[name].module).__doc__


@pytest.mark.parametrize(("typed", "offered"), [("lba", "did you mean lab?"), ("xyz", "there are lab, test, setup")])
def test_an_unknown_command_gets_the_near_one_or_the_list(
    typed: str, offered: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([typed]) == 2
    said = capsys.readouterr().err
    assert f"no command '{typed}'" in said and offered in said and "--help" in said


def test_options_without_a_command_are_the_lab_s(command: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setitem(cli.COMMANDS, "lab", cli.COMMANDS["try"])
    command.run = lambda options: options.port  # type: ignore[attr-defined]
    # then
    assert cli.main(["--port", "17"]) == 17


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (EcrLabError("port 1 is taken"), 2, "ecrlab: port 1 is taken\n"),
        (OSError(28, "No space left on device"), 2, "ecrlab: cannot write: No space left on device\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_stops_a_command_is_told_without_a_traceback(
    command: ModuleType, capsys: pytest.CaptureFixture[str], error: BaseException, status: int, text: str
) -> None:
    # given
    def run(options: argparse.Namespace) -> int:
        raise error

    command.run = run  # type: ignore[attr-defined]
    # then
    assert cli.main(["try"]) == status
    assert capsys.readouterr().err == text


def test_a_defect_is_not_hidden(command: ModuleType) -> None:
    command.run = lambda options: 1 // 0  # type: ignore[attr-defined]
    with pytest.raises(ZeroDivisionError):
        cli.main(["try"])
