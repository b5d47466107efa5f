"""The environment of a lab: real clients started in it find the lab, and nothing of the user's."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecrlab.machine.environment import (
    ACCESS_KEY_ID,
    DEAD_ENDPOINT,
    LOOPBACK,
    foreign_variables,
    inside_lab,
    lab_environment,
    shell_lines,
    write_files,
)

BOTO3 = [
    sys.executable,
    "-c",
    "import boto3; print(boto3.client('ecr').describe_repositories()['repositories'])",
]
AWS = ["aws", "ecr", "describe-repositories"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory with what a person who works with AWS and Docker has in it."""
    files = {
        ".aws/credentials": "[default]\naws_access_key_id=AKIAREAL\naws_secret_access_key=x\n"
        "[work]\naws_access_key_id=AKIAWORK\naws_secret_access_key=x\n",
        ".aws/config": "[default]\nregion=eu-west-1\noutput=text\n"
        "[profile work]\nregion=eu-west-3\nendpoint_url=http://127.0.0.1:1\n",
        ".aws/cli/alias": "[toplevel]\necr = !echo the alias was read\n",
        ".boto": "[Credentials]\naws_access_key_id=AKIABOTO\naws_secret_access_key=x\n",
        ".docker/config.json": '{"auths": {}, "credsStore": "desktop"}',
    }
    for name, text in files.items():
        path = tmp_path / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "home"


@pytest.fixture
def base(home: Path) -> dict[str, str]:
    """The environment of that person, at work."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "HOME": str(home),
        "AWS_PROFILE": "work",
        "AWS_SESSION_TOKEN": "a-real-token",
        "AWS_ENDPOINT_URL_ECR": "http://127.0.0.1:1",
        "AWS_CA_BUNDLE": "/nowhere/ca.pem",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/",
        "AWS_REGION": "eu-west-2",
    }


class Listener(BaseHTTPRequestHandler):
    """Answers every request as an ECR without repositories, and keeps who asked."""

    def do_POST(self) -> None:
        self.server.asked_by.append(self.headers["Authorization"])  # type: ignore[attr-defined]
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"repositories": []}')

    def log_message(self, *arguments: object) -> None:
        """Be quiet."""


@pytest.fixture
def listener() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        server.asked_by = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("command", [AWS, BOTO3], ids=["aws", "boto3"])
def test_a_client_finds_the_lab_and_nothing_of_the_user_s(
    command: list[str], listener: HTTPServer, home: Path, base: dict[str, str], tmp_path: Path
) -> None:
    # given
    before = sorted(home.rglob("*"))
    write_files(tmp_path / "lab", base=base)
    variables = inside_lab(f"http://127.0.0.1:{listener.server_port}", tmp_path / "lab", base=base)
    # when
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    # then
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in ("[]", json.dumps({"repositories": []}, indent=4))
    [authorization] = listener.asked_by  # type: ignore[attr-defined]
    assert f"Credential={ACCESS_KEY_ID}/" in authorization and "/us-east-1/ecr/" in authorization
    assert sorted(home.rglob("*")) == before


@pytest.mark.parametrize("command", [AWS, BOTO3], ids=["aws", "boto3"])
def test_without_a_lab_a_client_fails_at_once_and_says_what_is_missing(
    command: list[str], base: dict[str, str], tmp_path: Path
) -> None:
    # given
    write_files(tmp_path / "lab", base=base)
    # when
    variables = inside_lab(DEAD_ENDPOINT, tmp_path / "lab", base=base)
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    # then
    assert done.returncode != 0
    assert "Could not connect to the endpoint URL" in done.stderr and "no-lab-is-running" in done.stderr


def test_a_shell_whose_start_up_files_name_another_aws_is_brought_back(base: dict[str, str], tmp_path: Path) -> None:
    # given
    write_files(tmp_path / "lab", base=base)
    variables = lab_environment(DEAD_ENDPOINT, tmp_path / "lab", base=base)
    user = (
        "export AWS_PROFILE=work AWS_ENDPOINT_URL_ECR=x BOTO_CONFIG=y PATH=/usr/bin:/bin\n"
        "alias aws='echo mine'; docker() { echo mine; }\n"
    )
    ask = "echo ${!AWS_*}; type -t aws; type -t docker; command -v aws; echo $PATH\n"
    # when
    script = f"shopt -s expand_aliases\n{user}{shell_lines(variables)}{ask}"
    done = subprocess.run(["bash", "-c", script], env=base, capture_output=True, text=True)
    # then
    names, *rest = done.stdout.splitlines()
    assert names.split() == sorted(name for name in variables if name.startswith("AWS_"))
    assert "alias" not in rest and "function" not in rest
    assert str(tmp_path / "lab" / "bin" / "aws") in rest
    assert rest[-1] == variables["PATH"]
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "sh", "zsh"])
def test_every_shell_can_be_attached(shell: str, base: dict[str, str], tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    # given
    lines = shell_lines(lab_environment(DEAD_ENDPOINT, tmp_path / "a lab", base=base))
    # when
    script = 'eval "$LINES_OF_THE_LAB"; env'
    done = subprocess.run(
        [shell, "-ec", script],
        env=base | {"LINES_OF_THE_LAB": lines, "BOTO_CONFIG": "y"},
        capture_output=True,
        text=True,
    )
    # then
    said = done.stdout.splitlines()
    assert done.stderr == ""
    assert f"AWS_CONFIG_FILE={tmp_path}/a lab/aws/config" in said
    assert not any(line.startswith(("AWS_PROFILE", "AWS_ENDPOINT_URL_ECR", "BOTO_CONFIG")) for line in said)


def test_every_variable_that_names_another_aws_is_removed(base: dict[str, str], tmp_path: Path) -> None:
    ours = lab_environment(DEAD_ENDPOINT, tmp_path, base=base)
    inside = inside_lab(DEAD_ENDPOINT, tmp_path, base=base)
    assert {name for name in inside if name.startswith("AWS_")} == {n for n in ours if n.startswith("AWS_")}
    assert "AWS_PROFILE" in foreign_variables(base) and "HOME" not in foreign_variables(base)


@given(st.lists(st.sampled_from(["intranet", ".corp", "127.0.0.1", "localhost", "10.0.0.0/8"]), unique=True))
def test_loopback_needs_no_proxy_and_the_rest_stays(hosts: list[str]) -> None:
    variables = lab_environment(DEAD_ENDPOINT, Path("/lab"), base={"no_proxy": ", ".join(hosts)})
    listed = variables["no_proxy"].split(",")
    assert listed == variables["NO_PROXY"].split(",")
    assert listed[: len(hosts)] == hosts
    assert sorted(set(listed)) == sorted({*hosts, *LOOPBACK}) and len(set(listed)) == len(listed)


def test_no_proxy_for_anyone_stays_so() -> None:
    assert lab_environment(DEAD_ENDPOINT, Path("/lab"), base={"NO_PROXY": "*"})["no_proxy"] == "*"


def test_logins_survive_a_second_writing(base: dict[str, str], tmp_path: Path) -> None:
    write_files(tmp_path, base=base)
    (tmp_path / "docker" / "config.json").write_text('{"auths": {"me": {}}}')
    write_files(tmp_path, base=base)
    assert (tmp_path / "docker" / "config.json").read_text() == '{"auths": {"me": {}}}'


@pytest.mark.client("skopeo")
@pytest.mark.client("strace")
@pytest.mark.parametrize(
    "command",
    [
        ["skopeo", "inspect", "--tls-verify=false", "docker://127.0.0.1:9/my-app:v1"],
        ["podman", "pull", "--tls-verify=false", "127.0.0.1:9/my-app:v1"],
        ["buildah", "pull", "--tls-verify=false", "127.0.0.1:9/my-app:v1"],
    ],
    ids=["skopeo", "podman", "buildah"],
)
def test_container_clients_do_not_fall_back_to_the_user_s_logins(
    command: list[str], home: Path, base: dict[str, str], tmp_path: Path
) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    # given: logins wherever containers-auth.json(5) looks for them
    places = [home / ".config" / "containers", tmp_path / "runtime" / "containers", home / ".docker"]
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
        (place / "auth.json").write_text('{"auths": {"127.0.0.1:9": {"auth": "bWU6cmVhbA=="}}}')
    (home / ".dockercfg").write_text('{"127.0.0.1:9": {"auth": "bWU6cmVhbA=="}}')
    variables = base | {"XDG_RUNTIME_DIR": str(tmp_path / "runtime")}
    write_files(tmp_path / "lab", base=base)
    inside = inside_lab(DEAD_ENDPOINT, tmp_path / "lab", base=variables)
    trace = tmp_path / "trace"
    # when
    traced = ["strace", "-f", "-qq", "-e", "trace=openat", "-o", str(trace), *command]
    done = subprocess.run(traced, env=inside, capture_output=True, text=True)
    # then: it tried, with the lab's logins alone
    opened = trace.read_text()
    assert "refused" in done.stderr and str(tmp_path / "lab" / "registry-auth.json") in opened
    assert [path for path in (*places, home / ".dockercfg") if f'"{path}' in opened] == []
