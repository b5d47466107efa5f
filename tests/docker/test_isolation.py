"""The lab's docker can reach nothing but the lab, whatever names, redirects and settings say."""

import hashlib
import json
import os
import random
import subprocess
import sys

import pytest

from ecrlab.oci.media_types import OCI

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"

WATCHED = """
import os, sys
port = int(os.environ["ECRLAB_ENDPOINT"].rpartition(":")[2])

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto") and arguments[1] != ("127.0.0.1", port):
        os.write(2, f"LEFT THE MACHINE: {arguments[1]}".encode()); os._exit(99)
    if event in ("socket.getaddrinfo", "socket.gethostbyname") and arguments[0] != "127.0.0.1":
        os.write(2, f"LOOKED UP {arguments[0]}".encode()); os._exit(99)

sys.addaudithook(watch)
from ecrlab.docker.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["login", "-u", "AWS", "-p", "x", ECR],
        ["login", "-u", "AWS", "-p", "x"],
        ["login", "-u", "me", "-p", "x", "registry.example.com"],
        ["pull", "public.ecr.aws/docker/library/alpine:3.22.6"],
        ["pull", "alpine"],
        ["pull", "ghcr.io/a/b"],
        ["pull", f"{ECR}/my-app:v1"],
        ["pull", "999999999999.dkr.ecr.eu-central-1.amazonaws.com/x"],
        ["pull", "123456789012.dkr-ecr.us-east-1.on.aws/x"],
        ["push", "my-app:v1"],
        ["push", f"{ECR}/my-app:v1"],
        ["manifest", "inspect", "python:3.12"],
        ["build", "--push", "-t", f"{ECR}/my-app:v1", "."],
        ["images"],
        ["version"],
    ],
)
def test_no_command_leaves_the_lab_even_with_a_proxy_set(lab, app, arguments):
    lab.ok("build", "-q", "-t", "my-app:v1", ".")
    lab.ok("tag", "my-app:v1", f"{ECR}/my-app:v1")
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "ALL_PROXY"), "http://proxy.example:3128")
    ran = subprocess.run(
        [sys.executable, "-c", WATCHED, *arguments],
        env=os.environ | proxies,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in (0, 1), ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "url",
    ["http://example.com", "http://10.0.0.1:80", "https://127.0.0.1:1", "http://127.0.0.1:x", "http://[::g]", "x"],
)
def test_an_endpoint_elsewhere_is_refused(lab, monkeypatch, url):
    monkeypatch.setenv("ECRLAB_ENDPOINT", url)
    assert "must be http:// and an address of this machine" in lab.fails("pull", f"{ECR}/my-app")


def test_without_a_lab_it_says_so_and_what_to_do(lab, monkeypatch):
    monkeypatch.delenv("ECRLAB_ENDPOINT")
    said = lab.fails("pull", f"{ECR}/my-app")
    assert said.startswith("No lab is running")
    assert "ecrlab.start()" in said


def test_a_lab_that_has_ended_is_told(lab, monkeypatch):
    monkeypatch.setenv("ECRLAB_ENDPOINT", "http://127.0.0.1:9")
    assert "nothing answers at the lab's address 127.0.0.1:9" in lab.fails("pull", f"{ECR}/my-app")


def test_the_users_own_docker_folder_is_never_used(lab, monkeypatch):
    monkeypatch.delenv("DOCKER_CONFIG")
    assert "never uses your own ~/.docker" in lab.fails("images")


def test_this_machine_by_address_is_the_lab_only_on_its_own_port(lab, app):
    lab.create("my-app")
    lab.login()
    own = os.environ["ECRLAB_ENDPOINT"].removeprefix("http://")
    assert lab.docker("login", "-u", "AWS", "-p", lab.password(), own).status == 0
    lab.ok("build", "-q", "-t", f"{own}/my-app:v1", ".")
    assert "v1: digest: sha256:" in lab.ok("push", f"{own}/my-app:v1")
    assert "127.0.0.1:9 is not the lab" in lab.fails("pull", "127.0.0.1:9/my-app")


# --- a registry that lies --------------------------------------------------------------------------------------------


def answers(**by_method):
    """A WSGI application that gives one answer a method: status, headers, body."""

    def app(environ, start_response):
        status, headers, body = by_method.get(environ["REQUEST_METHOD"], ("200 OK", {}, b""))
        if environ["PATH_INFO"] == "/v2/":
            status, headers, body = "200 OK", {}, b"{}"
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(status, [*headers.items(), ("Content-Length", str(len(body)))])
        return [body]

    return app


def test_an_upload_location_elsewhere_is_refused(lab, app):
    lab.ok("build", "-q", "-t", f"{ECR}/my-app:v1", ".")
    lab.recorder.app = answers(
        HEAD=("404 Not Found", {}, b""), POST=("202 Accepted", {"Location": "https://evil.example/upload"}, b"")
    )
    said = lab.fails("push", f"{ECR}/my-app:v1")
    assert said == f"{ECR} points to evil.example, where the lab does not go"


def test_a_redirect_elsewhere_is_refused(lab):
    digest = "sha256:" + "0" * 64
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": 1}
    manifest = json.dumps({"schemaVersion": 2, "config": config, "layers": []}).encode()

    def app(environ, start_response):
        if "blobs" in environ["PATH_INFO"]:
            return answers(GET=("307 Temporary Redirect", {"Location": "http://evil.example/x"}, b""))(
                environ, start_response
            )
        return answers(GET=("200 OK", {}, manifest))(environ, start_response)

    lab.recorder.app = app
    assert lab.fails("pull", f"{ECR}/my-app:v1") == f"{ECR} points to evil.example, where the lab does not go"


def a_manifest(**members: object) -> bytes:
    return json.dumps({"schemaVersion": 2} | members).encode()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"not json", "the registry's manifest cannot be read"),
        (b"[]", "not a JSON object"),
        (b"{}", "schemaVersion must be 2"),
        (a_manifest(config="x"), "config must be a descriptor"),
        (a_manifest(config={"mediaType": "a/b", "digest": f"sha256:{0:064}", "size": 1}), "unsupported media type a/b"),
        (
            a_manifest(config={"mediaType": OCI.config, "digest": "../../x", "size": 1}),
            "config has an invalid digest",
        ),
        (a_manifest(mediaType=OCI.index, manifests=[]), "no matching manifest"),
        (b"x" * (4 << 20) + b"xx", "larger than 4 MiB"),
    ],
)
def test_manifests_that_make_no_sense_are_refused(lab, body, said):
    lab.recorder.app = answers(GET=("200 OK", {}, body))
    assert said in lab.fails("pull", f"{ECR}/my-app:v1")


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        ("500 Oops", b"", "received unexpected HTTP status: 500 Oops"),
        (
            "429 Too Many Requests",
            b'{"errors":[{"code":"TOOMANYREQUESTS","message":"Rate exceeded"}]}',
            "toomanyrequests",
        ),
        ("403 Forbidden", b"Your Authorization Token has expired.", "error parsing HTTP 403 response body"),
        ("401 Unauthorized", b"Not Authorized\n", "unauthorized: authentication required"),
    ],
)
def test_other_answers_are_told_as_docker_does(lab, status, body, said):
    lab.recorder.app = answers(GET=(status, {}, body), HEAD=(status, {}, b""))
    assert said in lab.fails("pull", f"{ECR}/my-app:v1")


def test_a_download_that_ends_too_early_is_told_and_leaves_no_trace(lab):
    config = b'{"rootfs": {"diff_ids": []}}'
    descriptor = {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": "sha256:" + hashlib.sha256(config).hexdigest(),
        "size": len(config),
    }
    manifest = json.dumps({"schemaVersion": 2, "config": descriptor, "layers": []}).encode()

    def app(environ, start_response):
        if "blobs" not in environ["PATH_INFO"]:
            return answers(GET=("200 OK", {}, manifest))(environ, start_response)
        start_response("200 OK", [("Content-Length", str(len(config))), ("Connection", "close")])
        return [config[:-1]]

    lab.recorder.app = app
    assert "verification failed for digest" in lab.fails("pull", f"{ECR}/my-app:v1")
    assert not [path for path in lab.store.root.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_a_refusal_that_comes_before_a_large_layer_is_sent_is_still_read(lab, app):
    (app / "app.py").write_bytes(random.Random(1).randbytes(8 << 20))
    lab.create("my-app")
    lab.login()
    lab.ok("build", "-q", "-t", f"{ECR}/my-app:v1", ".")
    real = lab.recorder.app

    def refuses_without_reading(environ, start_response):
        if environ["REQUEST_METHOD"] != "PATCH":
            return real(environ, start_response)
        body = b'{"errors":[{"code":"DENIED","message":"not so large"}]}'
        start_response("403 Forbidden", [("Content-Length", str(len(body))), ("Connection", "close")])
        return [body]

    lab.recorder.app = refuses_without_reading
    said = lab.fails("push", f"{ECR}/my-app:v1")
    assert said in ("denied: not so large", "the lab's registry broke off in the middle: ConnectionResetError")


def test_a_bearer_challenge_is_answered_with_a_token_of_the_same_registry(lab):
    asked = []

    def app(environ, start_response):
        asked.append((environ["PATH_INFO"], environ.get("QUERY_STRING"), environ.get("HTTP_AUTHORIZATION")))
        if environ["PATH_INFO"] == "/token/":
            start_response("200 OK", [])
            return [b'{"token": "abc"}']
        if environ.get("HTTP_AUTHORIZATION") != "Bearer abc":
            challenge = f'Bearer realm="https://{ECR}/token/",service="public.ecr.aws",scope="aws"'
            start_response("401 Unauthorized", [("Www-Authenticate", challenge), ("Content-Length", "0")])
            return [b""]
        return answers(GET=("404 Not Found", {}, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no"}]}'))(
            environ, start_response
        )

    lab.recorder.app = app
    assert "manifest unknown: no" in lab.fails("pull", f"{ECR}/my-app:v1")
    assert ("/token/", "service=public.ecr.aws&scope=aws", None) in asked
