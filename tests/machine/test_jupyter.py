"""JupyterLab as the kit starts it: the first notebook, this machine only, and no AWS within reach."""

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from ecrlab.errors import EcrLabError
from ecrlab.machine import jupyter
from ecrlab.machine.environment import DEAD_ENDPOINT


class Lab:
    """A running JupyterLab, spoken to as its page in the browser does."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.address, self.token = re.match(r"(http://[^/]+)/.*token=(\w+)", url).groups()  # type: ignore[union-attr]

    def ask(self, path: str, method: str = "GET", body: bytes | None = None) -> Any:
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.address}{path}", method=method, headers=headers, data=body)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def socket(self, path: str) -> websocket.WebSocket:
        url = f"{self.address.replace('http', 'ws', 1)}{path}?token={self.token}"
        return websocket.create_connection(url, timeout=10, origin=self.address)

    def run(self, code: str) -> str:
        """Run code in a new kernel and return what it prints."""
        kernel = self.ask("/api/kernels", "POST", b'{"name": "python3"}')
        channel = self.socket(f"/api/kernels/{kernel['id']}/channels")
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        header = {
            "msg_id": "1",
            "msg_type": "execute_request",
            "session": "1",
            "username": "",
            "version": "5.3",
        }
        message = {
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
            "channel": "shell",
        }
        channel.send(json.dumps(message))
        while True:
            said = json.loads(channel.recv())
            if said["msg_type"] in ("stream", "error"):
                channel.close()
                return said["content"].get("text") or "\n".join(said["content"]["traceback"])

    def type(self, line: str, wanted: str) -> re.Match[str]:
        """Type a line in a new terminal and wait until the screen shows what is wanted (a regular expression)."""
        terminal = self.ask("/api/terminals", "POST")
        channel = self.socket(f"/terminals/websocket/{terminal['name']}")
        channel.send(json.dumps(["stdin", f"{line}\r"]))
        screen = ""
        while not (found := re.search(wanted, screen)):
            kind, *text = json.loads(channel.recv())
            screen += text[0] if kind == "stdout" else ""
        channel.close()
        return found


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a person who works with AWS: a profile here, another one in the shell's start-up file."""
    home = tmp_path_factory.mktemp("home")
    (home / ".bashrc").write_text("export AWS_PROFILE=from-bashrc PATH=/usr/bin:/bin\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "JUPYTER"))}
    return kept | {"HOME": str(home), "AWS_PROFILE": "work", "AWS_ACCESS_KEY_ID": "AKIAREAL"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, user: dict[str, str]) -> Iterator[Lab]:
    # given: JupyterLab, started as `python3 -m ecrlab lab --no-browser` starts it
    folder = tmp_path_factory.mktemp("jupyter")
    options = argparse.Namespace(port=None, no_browser=True)
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(
            jupyter.command(options), env=jupyter.prepare(folder, base=user), stdout=log, stderr=log
        )
        try:
            deadline = time.monotonic() + 60
            while not (url := re.search(r"http://127\S+token=\w+", (folder / "log").read_text())):
                assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.05)
            yield Lab(url[0])
        finally:
            process.terminate()
            process.wait(30)


def test_the_address_opens_the_first_notebook_on_this_machine_only(lab: Lab) -> None:
    assert re.match(r"http://127\.0\.0\.1:\d+/lab/tree/notebooks/00-start-here\.ipynb\?token=", lab.url)


def test_news_and_updates_are_off(lab: Lab) -> None:
    answer = lab.ask("/lab/api/settings/@jupyterlab/apputils-extension:notification")
    shown = {name: field["default"] for name, field in answer["schema"]["properties"].items()}
    assert shown["fetchNews"] == "false" and shown["checkForUpdates"] is False
    assert lab.ask("/lab/api/news") == {"news": []}
    assert lab.ask("/lab/api/update") == {"notification": None}


def test_kernels_are_this_python_and_cannot_reach_aws(lab: Lab) -> None:
    code = "import os, sys, ecrlab; print(sys.prefix, *sorted(n for n in os.environ if n.startswith('AWS_')))\n"
    prefix, *names = lab.run(code).split()
    assert prefix == sys.prefix
    assert "AWS_PROFILE" not in names and "AWS_ENDPOINT_URL" in names


def test_terminals_cannot_reach_aws_whatever_the_user_s_shell_sets(lab: Lab) -> None:
    line = 'echo "<${AWS_PROFILE-none} $AWS_ENDPOINT_URL $(command -v aws)>"'
    profile, endpoint, aws = lab.type(line, wanted=r"<([a-z-]+) (\S+) (\S+)>").groups()
    assert (profile, endpoint) == ("none", DEAD_ENDPOINT)
    assert aws.endswith("/no-lab/bin/aws")


def test_the_user_s_own_settings_are_left_alone(lab: Lab, user: dict[str, str]) -> None:
    written = {path.name for path in Path(user["HOME"]).iterdir()}
    assert written.isdisjoint({".jupyter", ".ipython", ".local", ".npm", ".aws", ".docker"})


def test_a_taken_port_is_refused_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EcrLabError, match=f"port {port} cannot be used .*leave --port out"):
            jupyter.run(argparse.Namespace(port=port, no_browser=True))


def test_a_machine_without_a_display_only_prints_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    options = argparse.Namespace(port=None, no_browser=False)
    assert "--no-browser" in jupyter.command(options)
    monkeypatch.setenv("DISPLAY", ":0")
    assert "--no-browser" not in jupyter.command(options)


def test_a_package_without_its_lessons_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecrlab.machine.jupyter.CHECKOUT", tmp_path)
    with pytest.raises(EcrLabError, match="copy of the whole project"):
        jupyter.run(argparse.Namespace(port=None, no_browser=True))
