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

import boto3
import pytest

from ecrlab.commands import cli, clock
from ecrlab.errors import EcrLabError
from tests.lifecycle.builders import rule, text

ROOT = Path(__file__).parents[2]
SINKS = {
    "full": "No space left on device",
    "closed": "Bad file descriptor",
    "pipe": "Broken pipe",
}
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
EACH_SINK = [pytest.param("full", marks=needs_full), "closed", "pipe"]
EACH_WAY = [
    pytest.param("full", "", marks=needs_full),
    pytest.param("full", "1", marks=needs_full),
    ("closed", ""),
    ("pipe", "1"),
]
"""A sink, and PYTHONUNBUFFERED: the error comes with the last line, or with the first."""


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


LINT = ["lifecycle", "lint", "policy.json"]
WITHOUT_A_LAB = [
    LINT,
    ["scan", "public.ecr.aws/docker/library/alpine:3.17.1"],
    ["doctor"],
    ["serve", "--port", "0"],
    ["setup", "--help"],
    ["notebooks", "--help"],
    ["tour"],
]
WITH_A_LAB = [["env"], ["clock"], ["report", "--repository", "my-app"]]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of a lab in a process of its own, with an empty repository `my-app`."""
    command = [sys.executable, "-m", "ecrlab", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as lab:
        assert lab.stdout is not None
        address = lab.stdout.readline().strip()
        keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example"}
        ecr = boto3.client("ecr", endpoint_url=address, region_name="us-east-1", **keys)
        ecr.create_repository(repositoryName="my-app")
        yield address
        lab.terminate()
        lab.communicate(timeout=60)


@pytest.mark.parametrize(("name", "unbuffered"), EACH_WAY)
@pytest.mark.parametrize("command", WITHOUT_A_LAB, ids=lambda command: command[0])
def test_output_that_cannot_be_written_is_trouble(
    command: list[str], tmp_path: Path, name: str, unbuffered: str
) -> None:
    (tmp_path / "policy.json").write_text(text(rule(1, ["a*", "b*"], keep=1)))

    assert run(command, tmp_path, name, unbuffered) == (2, f"ecrlab: cannot write: {SINKS[name]}\n")


@pytest.mark.parametrize(("name", "unbuffered"), EACH_WAY)
@pytest.mark.parametrize("command", WITH_A_LAB, ids=lambda command: command[0])
def test_output_about_a_lab_that_cannot_be_written_is_trouble(
    command: list[str], endpoint: str, tmp_path: Path, name: str, unbuffered: str
) -> None:
    refused = run([*command, "--endpoint", endpoint], tmp_path, name, unbuffered)

    assert refused == (2, f"ecrlab: cannot write: {SINKS[name]}\n")


def run(command: list[str], directory: Path, name: str, unbuffered: str) -> tuple[int, str]:
    """Run a command line whose output cannot be written; return its exit status and its standard error."""
    closing = {"preexec_fn": lambda: os.close(1)} if name == "closed" else {}
    with sink(name) as output:
        done = subprocess.run(
            [sys.executable, "-m", "ecrlab", *command],
            cwd=directory,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered, "PYTHONPATH": str(ROOT)},
            timeout=60,
            check=False,
            **closing,  # type: ignore[call-overload]
        )
    return done.returncode, done.stderr


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
