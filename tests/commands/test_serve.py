"""`ecrlab serve`: a server of its own, as a person at a terminal meets it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

import ecrlab
from ecrlab.machine.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from tests.chapter import PUT_POLICY
from tests.simulator.client import Repository, refusal

CHECKOUT = Path(ecrlab.__file__).parents[1]
ECRLAB = [sys.executable, "-m", "ecrlab"]


@contextlib.contextmanager
def serving(*options: str, **surroundings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server with these options, and its endpoint."""
    server = subprocess.Popen(
        [*ECRLAB, "serve", *options],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **surroundings},
    )
    try:
        assert server.stdout is not None
        yield server, server.stdout.readline().strip()
    finally:
        server.kill()
        server.communicate()


def ecr(endpoint, *keys):
    return boto3.Session(*keys).client("ecr", endpoint_url=endpoint)


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Labs of other tests are out of sight: they run among other temporary files."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_first_line_is_the_endpoint_and_a_signal_ends_it_cleanly(temporary, ending):
    with serving() as (server, endpoint):
        ecr(endpoint, "any", "key").create_repository(repositoryName="my-app")
        told = server.stdout.readline()
        server.send_signal(ending)
        _, errors = server.communicate(timeout=30)

    assert told == "It accepts any access key, from every user of this machine (see --private).\n"
    assert endpoint.startswith("http://127.0.0.1:")
    assert server.returncode == 0
    assert errors == ""
    assert list(temporary.glob("ecrlab-lab-*")) == []


def test_a_private_server_tells_its_secret_and_accepts_no_other(temporary):
    with serving("--private") as (server, endpoint):
        lines = [server.stdout.readline() for _ in range(12)]
        secret = next(line for line in lines if "AWS_SECRET_ACCESS_KEY=" in line).strip().partition("=")[2]
        [found] = temporary.glob("ecrlab-lab-*/lab.json")
        right, wrong = (ecr(endpoint, ACCESS_KEY_ID, given) for given in (secret, SECRET_ACCESS_KEY))

        assert lines[0] == "It accepts only the keys below.\n"
        assert (json.loads(found.read_text())["secret"], len(secret)) == (secret, 40)
        assert right.describe_repositories()["repositories"] == []
        assert refusal(wrong.describe_repositories)[0] == "InvalidSignatureException"


def test_what_was_acknowledged_is_there_after_a_kill(temporary):
    state = str(temporary / "state")
    with serving("--state", state) as (server, endpoint):
        ecr(endpoint).create_repository(repositoryName="my-app")
        token = ecr(endpoint).get_authorization_token()["authorizationData"][0]["authorizationToken"]
        server.kill()
        server.wait()

    with serving("--state", state) as (_, endpoint):
        [found] = ecr(endpoint).describe_repositories()["repositories"]
        again = urllib.request.Request(f"{endpoint}/v2/", headers={"Authorization": f"Basic {token}"})
        with urllib.request.urlopen(again) as answer:
            assert answer.status == 200

    assert found["repositoryName"] == "my-app"


def test_tokens_of_one_server_are_nothing_to_another(temporary):
    with serving() as (_, one), serving() as (_, other):
        token = ecr(one).get_authorization_token()["authorizationData"][0]["authorizationToken"]
        request = urllib.request.Request(f"{other}/v2/", headers={"Authorization": f"Basic {token}"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        refused.value.close()

    assert refused.value.code in (400, 401, 403)


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_a_port_that_cannot_be_is_refused_in_one_sentence(temporary, port):
    ran = subprocess.run([*ECRLAB, "serve", "--port", port], cwd=CHECKOUT, capture_output=True, text=True)
    assert ran.returncode == 2 and ran.stdout == ""
    assert ran.stderr == f"ecrlab: a port is a number from 1 to 65535 (0: any free one), got {port}\n"


def test_a_taken_port_is_said_in_one_sentence(temporary):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ran = subprocess.run(
            [*ECRLAB, "serve", "--port", port], cwd=CHECKOUT, capture_output=True, text=True, check=False
        )

    assert ran.returncode == 2
    assert ran.stderr.strip().splitlines() == [
        f"ecrlab: port {port} of 127.0.0.1 is taken; choose another, or none for a free one"
    ]


def test_a_state_directory_serves_one_server_at_a_time(temporary):
    state = str(temporary / "state")
    with serving("--state", state) as (_, endpoint):
        ran = subprocess.run(
            [*ECRLAB, "serve", "--state", state], cwd=CHECKOUT, capture_output=True, text=True, check=False
        )
        assert ecr(endpoint).describe_repositories()["repositories"] == []

    assert ran.returncode == 2
    assert "another ecrlab server is using" in ran.stderr


@pytest.mark.parametrize("name", ["", " ", "theirs"])
def test_a_folder_that_is_not_a_registrys_is_refused_and_left_alone(temporary, name):
    (temporary / "theirs").mkdir()
    (temporary / "theirs" / "uploads").write_text("years of work")
    ran = subprocess.run(
        [*ECRLAB, "serve", "--state", name],
        cwd=temporary,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode != 0
    assert "Traceback" not in ran.stderr
    assert ("is not empty" if name == "theirs" else "the name of the folder is empty") in ran.stderr
    assert (temporary / "theirs" / "uploads").read_text() == "years of work"


def test_a_terminal_attaches_and_moves_the_clock(temporary):
    script = """
        eval "$("$PYTHON" -m ecrlab env)"
        aws ecr create-repository --repository-name my-app --query repository.createdAt --output text
        docker version | grep --only-matching 'ecrlab docker'
        "$PYTHON" -m ecrlab clock
        "$PYTHON" -m ecrlab clock advance 30d
        "$PYTHON" -m ecrlab clock travel-to 2020-01-01
    """
    with serving("--clock", "lab"):
        ran = subprocess.run(
            ["bash", "-c", script],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHON": sys.executable},
        )

    assert ran.stdout.replace("ecrlab docker\n", "", 1).split() == [
        "2026-10-01T09:00:01+00:00",
        "2026-10-01T09:00:01+00:00",
        "2026-10-31T09:00:01+00:00",
    ]
    assert "ecrlab docker\n" in ran.stdout
    assert ran.stderr.strip() == (
        "ecrlab: time only moves forward: it is 2026-10-31T09:00:01+00:00, past 2020-01-01T00:00:00+00:00"
    )


def test_a_clock_on_wall_time_is_not_moved(temporary):
    with serving():
        ran = subprocess.run(
            [*ECRLAB, "clock", "advance", "1d"], cwd=CHECKOUT, capture_output=True, text=True, check=False
        )

    assert ran.returncode == 2
    assert "serve --clock lab" in ran.stderr


def test_without_a_lab_there_is_nothing_to_attach_to(temporary):
    ran = subprocess.run([*ECRLAB, "env"], cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert ran.returncode == 2
    assert "no lab is running" in ran.stderr


@pytest.mark.parametrize(
    ("service", "call"),
    [
        (
            "iam",
            [
                "simulate-principal-policy",
                "--policy-source-arn",
                "arn:aws:iam::123456789012:user/x",
                "--action-names",
                "ecr:PutImage",
            ],
        ),
        ("cloudtrail", ["list-imports"]),
        ("ecr", ["get-signing-configuration"]),
        ("eks", ["list-addons", "--cluster-name", "x"]),
    ],
)
def test_what_is_not_simulated_is_said_in_a_line_and_not_in_html(temporary, service, call):
    with serving() as (_, endpoint):
        ran = subprocess.run(
            ["aws", "--endpoint-url", endpoint, service, *call], capture_output=True, text=True, check=False
        )

    assert ran.returncode != 0
    assert "<" not in ran.stderr
    assert "does not simulate" in ran.stderr


REST = """
aws ecr start-lifecycle-policy-preview --repository-name my-app --query status
aws ecr wait lifecycle-policy-preview-complete --repository-name my-app
aws ecr get-lifecycle-policy-preview --repository-name my-app --query 'previewResults[].imageTags[]' --output text
"""


@pytest.mark.parametrize("clock", ["lab", pytest.param("wall", marks=pytest.mark.slow)])
def test_the_course_s_policy_keeps_ten_releases(temporary, clock):
    with serving("--clock", clock) as (_, endpoint):
        ecr(endpoint).create_repository(repositoryName="my-app")
        app = Repository(ecr(endpoint), "my-app")
        for n in range(12):
            app.push(b"%d" % n, tag=f"v{n}")
        app.push(b"latest", tag="latest")
        here = {**os.environ, "AWS_ENDPOINT_URL": endpoint, "AWS_PAGER": ""}
        said = subprocess.run(
            ["sh", "-ec", f"{PUT_POLICY}\n{REST}"], env=here, capture_output=True, text=True, check=False
        )
        moved = subprocess.run(
            [*ECRLAB, "clock", "--endpoint", endpoint, "advance", "1d"], cwd=CHECKOUT, capture_output=True, check=False
        )
        left = [tag for [tag] in app.images().values()]

    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[-2:] == ['"IN_PROGRESS"', "v0\tv1"]
    assert json.loads(said.stdout[: said.stdout.index('"IN_PROGRESS"')])["repositoryName"] == "my-app"
    if clock == "lab":
        assert left == [*(f"v{n}" for n in range(2, 12)), "latest"]
    else:
        assert moved.returncode != 0
        assert len(left) == 13
