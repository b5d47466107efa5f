"""Other clients and the lab's docker understand each other's images, to the digest."""

import hashlib
import os
import subprocess

import pytest

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"

pytestmark = pytest.mark.client("skopeo")


def skopeo(*arguments, home, check=True):
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    return subprocess.run(
        ["skopeo", "--insecure-policy", *arguments], env=environment, capture_output=True, text=True, check=check
    )


@pytest.fixture
def address(lab):
    """The lab as skopeo names it, with a repository, and the password."""
    lab.create("my-app", "from-skopeo")
    lab.login()
    return os.environ["ECRLAB_ENDPOINT"].removeprefix("http://")


@pytest.mark.parametrize("options", [[], ["--platform", "linux/amd64,linux/arm64"], ["--provenance=true"]])
def test_skopeo_takes_what_docker_pushed(lab, app, address, tmp_path, options):
    lab.ok("build", "-q", "-t", f"{ECR}/my-app:v1", *options, ".")
    lab.ok("push", f"{ECR}/my-app:v1")
    target = tmp_path / "copy"
    source = f"docker://{address}/my-app:v1"
    credentials = f"--src-creds=AWS:{lab.password()}"
    skopeo("copy", "--all", "--src-tls-verify=false", credentials, source, f"dir:{target}", home=tmp_path)
    copied = (target / "manifest.json").read_bytes()
    assert "sha256:" + hashlib.sha256(copied).hexdigest() == lab.store.get(f"{ECR}/my-app:v1").digest


@pytest.mark.parametrize("kind", [None, "oci"])
def test_docker_takes_what_skopeo_pushed(lab, app, address, tmp_path, kind):
    lab.ok("build", "-q", "-t", f"{ECR}/my-app:v1", ".")
    lab.ok("push", f"{ECR}/my-app:v1")
    credentials = [f"--{side}-creds=AWS:{lab.password()}" for side in ("src", "dest")]
    options = ["--src-tls-verify=false", "--dest-tls-verify=false", *([f"--format={kind}"] if kind else [])]
    names = [f"docker://{address}/my-app:v1", f"docker://{address}/from-skopeo:v1"]
    skopeo("copy", *options, *credentials, *names, home=tmp_path)
    lab.ok("pull", f"{ECR}/from-skopeo:v1")
    ours, theirs = lab.store.get(f"{ECR}/my-app:v1"), lab.store.get(f"{ECR}/from-skopeo:v1")
    # Asked for another format, skopeo writes manifest and config anew; the layers are the same bytes.
    assert (theirs.digest == ours.digest) is (kind is None)
    assert [layer.digest for layer in theirs.manifest.layers] == [layer.digest for layer in ours.manifest.layers]
    assert lab.ok("inspect", "-f", "{{.Config.Cmd}}", f"{ECR}/from-skopeo:v1") == "[python app.py]\n"
