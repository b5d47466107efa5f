"""A lab in a process: what it points at itself, what it puts back, what it never touches."""

import json
import os
import shlex
import subprocess
import sys
import textwrap
import urllib.request
from pathlib import Path

import boto3
import pytest

import ecrlab
from ecrlab.machine import running, signing


@pytest.fixture
def lab():
    with ecrlab.start() as lab:
        yield lab


def test_plain_boto3_speaks_to_the_lab(lab):
    boto3.client("ecr").create_repository(repositoryName="my-app")

    [repository] = lab.client("ecr").describe_repositories()["repositories"]

    assert repository["repositoryUri"] == "123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app"


def test_each_region_and_each_lab_begins_empty(lab):
    boto3.client("ecr").create_repository(repositoryName="my-app")
    elsewhere = boto3.client("ecr", region_name="eu-west-1").describe_repositories()["repositories"]

    again = ecrlab.start()
    after = boto3.client("ecr").describe_repositories()["repositories"]
    again.stop()

    assert elsewhere == after == []


def test_the_clock_stands_still_until_something_changes(lab):
    ecr = boto3.client("ecr")
    before = lab.clock.now()
    ecr.describe_repositories()
    unmoved = lab.clock.now()
    created = ecr.create_repository(repositoryName="my-app")["repository"]["createdAt"]

    assert unmoved == before
    assert (created - before).total_seconds() == 1
    assert lab.clock.now() == created


def test_a_token_expires_when_the_clock_says_so(lab):
    expires = boto3.client("ecr").get_authorization_token()["authorizationData"][0]["expiresAt"]

    assert (expires - lab.clock.now()).total_seconds() == 12 * 3600


def test_stop_puts_the_environment_back(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", "https://elsewhere.invalid")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    before = dict(os.environ)

    lab = ecrlab.start()
    inside = dict(os.environ)
    lab.stop()

    assert "AWS_PROFILE" not in inside
    assert "AWS_ENDPOINT_URL_ECR" not in inside
    assert inside["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert dict(os.environ) == before


def test_a_second_start_replaces_the_first_lab():
    first = ecrlab.start()
    second = ecrlab.start()
    try:
        assert "stopped" in repr(first)
        assert "running" in repr(second)
        assert os.environ["AWS_ENDPOINT_URL"] == second.endpoint
        first.stop()
        assert boto3.client("ecr").describe_repositories()["repositories"] == []
    finally:
        second.stop()


def test_a_stopped_lab_leaves_no_folder_behind():
    lab = ecrlab.start()
    folder = next(found.directory for found in running.find() if found.endpoint == lab.endpoint)
    lab.stop()

    assert not folder.exists()


def test_the_folder_of_a_killed_lab_is_swept_by_the_next_start():
    script = "import ecrlab, os, signal; ecrlab.start(); os.kill(os.getpid(), signal.SIGKILL)"
    before = {lab.directory for lab in running.find()}
    killed = subprocess.Popen([sys.executable, "-c", script + ""], cwd=Path(ecrlab.__file__).parents[1])
    killed.wait()
    folders = set(running._folders()) - before

    ecrlab.start().stop()

    assert folders
    assert not any(folder.exists() for folder in folders if not running._is_alive(folder))


def test_a_kept_state_is_there_the_next_time(tmp_path):
    with ecrlab.start(state=tmp_path) as lab:
        lab.client("ecr").create_repository(repositoryName="my-app")
        lab.clock.advance(days=30)
        time_at_the_end = lab.clock.now()

    with ecrlab.start(state=tmp_path) as lab:
        names = [found["repositoryName"] for found in lab.client("ecr").describe_repositories()["repositories"]]
        assert names == ["my-app"]
        assert lab.clock.now() == time_at_the_end


def test_a_state_in_use_is_refused_and_the_lab_that_uses_it_lives_on(tmp_path):
    script = f"import ecrlab; ecrlab.start(state={str(tmp_path)!r})"
    with ecrlab.start(state=tmp_path) as lab:
        other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert "another ecrlab server is using" in other.stderr
        assert lab.client("ecr").describe_repositories()["repositories"] == []


@pytest.mark.parametrize("wrong", [{"at": "yesterday"}, {"docker": "podman"}])
def test_a_wrong_argument_is_refused_and_starts_nothing(wrong):
    before = dict(os.environ)

    with pytest.raises(ecrlab.EcrLabError):
        ecrlab.start(**wrong)

    assert dict(os.environ) == before


def test_a_lab_starts_at_the_time_asked_for():
    with ecrlab.start(at="2024-02-29T12:00") as lab:
        created = lab.client("ecr").create_repository(repositoryName="my-app")["repository"]["createdAt"]

    assert created.isoformat() == "2024-02-29T12:00:01+00:00"


def test_the_same_steps_give_the_same_ids_and_dates():
    def steps():
        with ecrlab.start() as lab:
            ecr = lab.client("ecr")
            repository = ecr.create_repository(repositoryName="my-app")["repository"]
            upload = ecr.initiate_layer_upload(repositoryName="my-app")["uploadId"]
            return repository, upload, boto3.client("sts").get_caller_identity()["UserId"]

    assert steps() == steps()


def test_the_learner_is_who_sts_and_ecr_say(lab):
    assert boto3.client("sts").get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:user/learner"


def test_the_clock_of_another_process_is_moved_only_with_the_labs_header(lab):
    url = lab.endpoint + "/_ecrlab/clock?seconds=3600"
    headers = signing.headers("POST", url)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(url, b"", {**headers, "X-Ecrlab": "2"}))
    refused.value.close()
    before = lab.clock.now()
    with urllib.request.urlopen(urllib.request.Request(url, b"", headers)) as answer:
        now = json.load(answer)["now"]

    assert refused.value.code == 405
    assert (lab.clock.now() - before).total_seconds() == 3600
    assert now == lab.clock.now().isoformat()


SESSION = """
    import os, subprocess, boto3, ecrlab
    lab = ecrlab.start()
    boto3.client("ecr").create_repository(repositoryName="my-app")
    subprocess.run(["aws", "ecr", "describe-repositories"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(
        "aws ecr get-login-password | docker login --username AWS --password-stdin "
        "123456789012.dkr.ecr.us-east-1.amazonaws.com", shell=True, check=True, stdout=subprocess.DEVNULL)
    boto3.client("sts").get_caller_identity()
    lab.stop()
    assert os.environ["AWS_PROFILE"] == "work"
    print("all done")
"""


@pytest.mark.client("strace")
@pytest.mark.client("unshare")
def test_a_session_without_network_touches_nothing_in_the_users_aws_and_docker_folders(tmp_path):
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets nobody make a network namespace")
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "credentials").write_text("[work]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = x\n")
    (home / ".aws" / "config").write_text("[profile work]\nregion = eu-central-1\ncli_history = enabled\n")
    (home / ".docker").mkdir()
    (home / ".docker" / "config.json").write_text('{"credsStore": "desktop"}')
    session = tmp_path / "session.py"
    session.write_text(textwrap.dedent(SESSION))
    trace = tmp_path / "trace"
    environment = {
        **os.environ,
        "HOME": str(home),
        "AWS_PROFILE": "work",
        "PYTHONPATH": str(Path(ecrlab.__file__).parents[1]),
    }
    inside = (
        f"ip link set lo up && exec strace -f -qq -e trace=%file -o {trace} {shlex.quote(sys.executable)} {session}"
    )

    ran = subprocess.run(
        ["unshare", "-rn", "sh", "-c", inside], env=environment, capture_output=True, text=True, check=False
    )

    assert ran.stdout.strip() == "all done", ran.stderr
    touched = [line for line in trace.read_text().splitlines() if f"{home}/.aws" in line or f"{home}/.docker" in line]
    assert touched == []


def test_a_learner_publishes_an_image_and_shows_it(lab):
    made = boto3.client("ecr-public").create_repository(
        repositoryName="hello", catalogData={"description": "Says hello"}
    )["repository"]
    uri = made["repositoryUri"]
    script = f"""
    aws ecr-public get-login-password --region us-east-1 | \\
        docker login --username AWS --password-stdin public.ecr.aws
    printf 'FROM scratch\\nCOPY Dockerfile /\\n' > {lab.app("hello")}/Dockerfile
    docker build -q -t {uri}:v1 {lab.app("hello")} && docker push -q {uri}:v1
    docker logout public.ecr.aws && docker rmi {uri}:v1 && docker pull -q {uri}:v1
    """
    done = subprocess.run(["bash", "-ec", script], capture_output=True, text=True)
    assert done.stdout.startswith("Login Succeeded\n"), done.stderr
    assert done.stdout.endswith(f"{uri}:v1\n"), done.stderr

    name = uri.removeprefix("public.ecr.aws/")
    assert repr(lab.gallery(name)).startswith(f"{uri}  Says hello\n  v1  ")
    assert repr(lab.gallery(uri)) == repr(lab.gallery(name))
    assert uri in repr(lab.gallery())
    with pytest.raises(ecrlab.EcrLabError, match="has no public repository 'hello'"):
        lab.gallery("hello")
    with urllib.request.urlopen(f"{lab.endpoint}/gallery/{name}") as page:
        assert b"Says hello" in page.read()

    lab.limits(public_pulls_per_second=0.5)
    done = subprocess.run(["bash", "-c", f"for i in 1 2 3; do docker pull -q {uri}:v1; done"], capture_output=True)
    assert done.stderr == b"Error response from daemon: toomanyrequests: Rate exceeded\n"
    lab.limits()
    assert subprocess.run(["docker", "pull", "-q", f"{uri}:v1"]).returncode == 0


def test_a_limit_is_a_number_above_0(lab):
    for limit in (0, -1, float("nan"), float("inf"), "1", True):
        with pytest.raises(ecrlab.EcrLabError, match="public_pulls_per_second must be a number above 0"):
            lab.limits(public_pulls_per_second=limit)
