"""Every command line ends in a sentence and status 2 when its output has nowhere to go."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

import pytest

from ecrlab.commands import cli, clock
from ecrlab.errors import EcrLabError
from tests.lifecycle.builders import rule, text

SINKS = {
    "full": "No space left on device",
    "closed": "Bad file descriptor",
    "pipe": "Broken pipe",
}
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
EACH_SINK = [pytest.param("full", marks=needs_full), "closed", "pipe"]


@contextlib.contextmanager
def sink(name: str) -> Iterator[IO[str] | None]:
    """An output that takes nothing."""
    if name == "closed":
        yield None
        return
    if name == "full":
        output = os.fdopen(os.open("/dev/full", os.O_WRONLY), "w", encoding="utf-8")
    else:
        reading, writing = os.pipe()
        os.close(reading)
        output = os.fdopen(writing, "w", encoding="utf-8")
    try:
        yield output
    finally:
        # What it still holds is not this test's.
        with contextlib.suppress(OSError):
            output.close()


@pytest.mark.parametrize("name", EACH_SINK)
@pytest.mark.parametrize("command", [*cli.COMMANDS, None])
def test_help_that_cannot_be_written_is_trouble(
    command: str | None, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with sink(name) as output:
        monkeypatch.setattr(sys, "stdout", output)

        status = cli.main([command, "--help"] if command else ["--help"])

    assert (status, capsys.readouterr().err) == (2, f"ecrlab: cannot write: {SINKS[name]}\n")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("name", EACH_SINK)
def test_findings_that_cannot_be_written_are_trouble_not_findings(tmp_path: Path, name: str, unbuffered: str) -> None:
    (tmp_path / "policy.json").write_text(text(rule(1, ["a*", "b*"], keep=1)))
    closing = {"preexec_fn": lambda: os.close(1)} if name == "closed" else {}
    with sink(name) as output:
        done = subprocess.run(
            [sys.executable, "-m", "ecrlab", "lifecycle", "lint", tmp_path / "policy.json"],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            check=False,
            **closing,  # type: ignore[call-overload]
        )

    assert (done.returncode, done.stderr) == (2, f"ecrlab: cannot write: {SINKS[name]}\n")


class Broken(BaseHTTPRequestHandler):
    """A lab that answers 500 with a page."""

    def do_GET(self) -> None:
        body = b"<h1>Internal Server Error</h1>"
        self.send_response(500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_a_lab_that_answers_500_is_told_of_in_a_sentence() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Broken)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        with pytest.raises(EcrLabError, match="answers 500 Internal Server Error"):
            clock._ask(endpoint, None)
    finally:
        server.shutdown()
        server.server_close()
