"""JupyterLab as the kit starts it: the first notebook, this machine only, and no AWS within reach."""

import argparse
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from ecrlab.commands.lab import command
from ecrlab.machine import copies, jupyter, originals
from ecrlab.machine.environment import DEAD_ENDPOINT
from tests.commands.test_serve import serving


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
    """The environment of a person who works with AWS and Jupyter: a profile here, another one in the shell's start-up
    file, and settings that open Jupyter to the network.
    """
    home = tmp_path_factory.mktemp("home")
    (home / "settings").mkdir()
    opened = {"ServerApp": {"ip": "0.0.0.0", "allow_origin": "*"}, "IdentityProvider": {"token": "known"}}
    (home / "settings" / "jupyter_server_config.json").write_text(json.dumps(opened))
    (home / "startup.py").write_text("import os\nos.environ['AWS_PROFILE'] = 'from-startup'\n")
    (home / ".bashrc").write_text("export AWS_PROFILE=from-bashrc PATH=/usr/bin:/bin\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "JUPYTER"))}
    return (
        kept
        | {"HOME": str(home), "AWS_PROFILE": "work", "AWS_ACCESS_KEY_ID": "AKIAREAL"}
        | {
            "JUPYTER_CONFIG_PATH": str(home / "settings"),
            "JUPYTER_TOKEN": "known",
            "JUPYTER_PORT": "1",
            "PYTHONSTARTUP": str(home / "startup.py"),
        }
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, user: dict[str, str]) -> Iterator[Lab]:
    # given: JupyterLab, started as `python3 -m ecrlab lab --no-browser` starts it
    folder = tmp_path_factory.mktemp("jupyter")
    work = tmp_path_factory.mktemp("my work") / ".hidden" / "work [1]"
    copies.bring(work)
    options = argparse.Namespace(port=None, no_browser=True)
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(
            command(options, work), env=jupyter.prepare(folder, base=user), stdout=log, stderr=log
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


def test_the_address_opens_the_first_lesson_on_this_machine_only(lab: Lab) -> None:
    assert re.match(r"http://127\.0\.0\.1:\d+/lab/tree/00-start-here\.ipynb\?token=", lab.url)


def test_the_files_are_the_learner_s_copies(lab: Lab) -> None:
    shown = [file["name"] for file in lab.ask("/api/contents/")["content"]]
    assert sorted(shown) == [*(path.name for path in originals.lessons()), "apps"]
    opened = lab.ask("/api/contents/00-start-here.ipynb")["content"]
    assert not any(cell.get("outputs") for cell in opened["cells"])


def test_the_user_s_token_and_search_path_do_not_open_it(lab: Lab) -> None:
    assert lab.token != "known"
    request = urllib.request.Request(f"{lab.address}/api/kernels", headers={"Authorization": "token known"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    refused.value.close()
    assert refused.value.code == 403


def test_news_and_updates_are_off(lab: Lab) -> None:
    answer = lab.ask("/lab/api/settings/@jupyterlab/apputils-extension:notification")
    shown = {name: field["default"] for name, field in answer["schema"]["properties"].items()}
    assert shown["fetchNews"] == "false" and shown["checkForUpdates"] is False
    assert lab.ask("/lab/api/news") == {"news": []}
    assert lab.ask("/lab/api/update") == {"notification": None}


def test_kernels_are_this_python_and_cannot_reach_aws(lab: Lab) -> None:
    code = (
        "import os, sys, ecrlab; print(sys.prefix, *sorted(n for n in os.environ if n.startswith('AWS_')), sep='\\n')\n"
    )
    prefix, *names = lab.run(code).splitlines()
    assert prefix == sys.prefix
    assert "AWS_PROFILE" not in names and "AWS_ENDPOINT_URL" in names


def test_terminals_cannot_reach_aws_whatever_the_user_s_shell_sets(lab: Lab) -> None:
    line = 'echo "<${AWS_PROFILE-none} $AWS_ENDPOINT_URL $(command -v aws)>"'
    profile, endpoint, aws = lab.type(line, wanted=r"<([a-z-]+) (\S+) (\S+)>").groups()
    assert (profile, endpoint) == ("none", DEAD_ENDPOINT)
    assert aws.endswith("/no-lab/bin/aws")


def test_docker_without_a_lab_says_how_to_attach(lab: Lab) -> None:
    code = "import subprocess\nprint(subprocess.run(['docker', 'ps'], capture_output=True, text=True).stderr)\n"
    assert "no lab is running here" in lab.run(code)
    assert lab.type("docker ps", wanted=r"no lab is running here")


def test_a_terminal_means_the_lab_of_this_jupyterlab_s_notebook(lab: Lab) -> None:
    assert "127.0.0.1" in lab.run("import ecrlab\nprint(ecrlab.start().endpoint)\n")
    with serving():  # a newer lab, of a terminal elsewhere, on wall time
        assert lab.type("python3 -m ecrlab clock", wanted=r"2026-10-01T09:00:00")


def test_the_user_s_own_settings_are_left_alone(lab: Lab, user: dict[str, str]) -> None:
    written = {path.name for path in Path(user["HOME"]).iterdir()}
    assert written.isdisjoint({".jupyter", ".ipython", ".local", ".npm", ".aws", ".docker"})
