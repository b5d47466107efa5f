"""`ecrlab lab`: what it refuses, and what it asks of JupyterLab."""

import argparse
import socket
import sys
from pathlib import Path

import pytest

from ecrlab.commands import lab
from ecrlab.errors import EcrLabError


def test_a_taken_port_is_refused_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EcrLabError, match=f"port {port} cannot be used .*leave --port out"):
            lab.run(argparse.Namespace(port=port, no_browser=True, work=None))


def test_a_machine_without_a_display_only_prints_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    options = argparse.Namespace(port=None, no_browser=False)
    assert "--no-browser" in lab.command(options, Path("/work"))
    monkeypatch.setenv("DISPLAY", ":0")
    assert "--no-browser" not in lab.command(options, Path("/work"))


def test_a_package_without_its_lessons_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecrlab.machine.originals.CHECKOUT", tmp_path)
    with pytest.raises(EcrLabError, match="copy of the whole project"):
        lab.run(argparse.Namespace(port=None, no_browser=True, work=str(tmp_path / "work")))
    assert list(tmp_path.iterdir()) == []
