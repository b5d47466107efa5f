import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.client("skopeo")


def push(shell, layout: Path, repository: str, tag: str = "v1") -> str:
    return shell.skopeo(
        "copy", "--dest-tls-verify=false", f"oci:{layout}:v1", f"docker://{shell.host}/{repository}:{tag}"
    )


def test_login_push_and_pull_byte_for_byte(shell, repository, layout):
    assert "Login Succeeded" in shell.login("skopeo")
    push(shell, layout, repository)

    back = shell.home / "back"
    shell.skopeo("copy", "--src-tls-verify=false", f"docker://{shell.host}/{repository}:v1", f"oci:{back}:v1")

    pushed = {path.name: path.read_bytes() for path in (layout / "blobs/sha256").iterdir()}
    pulled = {path.name: path.read_bytes() for path in (back / "blobs/sha256").iterdir()}
    assert pushed == pulled
    [entry] = json.loads((layout / "index.json").read_text())["manifests"]
    assert shell.digests(repository) == {"v1": entry["digest"]}


def test_inspect_and_list(shell, repository, layout):
    shell.login("skopeo")
    push(shell, layout, repository)
    push(shell, layout, repository, "v2")
    url = f"docker://{shell.host}/{repository}"
    seen = json.loads(shell.skopeo("inspect", "--tls-verify=false", f"{url}:v2"))
    assert seen["Digest"] == shell.digests(repository)["v2"]
    assert seen["RepoTags"] == ["v1", "v2"]
    assert json.loads(shell.skopeo("list-tags", "--tls-verify=false", url))["Tags"] == ["v1", "v2"]


def test_delete(shell, repository, layout):
    shell.login("skopeo")
    push(shell, layout, repository)
    shell.skopeo("delete", "--tls-verify=false", f"docker://{shell.host}/{repository}:v1")
    assert shell.digests(repository) == {}


def test_a_copy_within_the_registry_mounts_its_layers(shell, repository, layout):
    shell.login("skopeo")
    push(shell, layout, repository)
    shell.aws.create_repository(repositoryName=f"{repository}-too")
    shell.skopeo(
        "copy",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        f"docker://{shell.host}/{repository}:v1",
        f"docker://{shell.host}/{repository}-too:v1",
    )
    assert shell.digests(f"{repository}-too") == shell.digests(repository)


def test_what_a_learner_sees_without_a_repository(shell, layout):
    shell.login("skopeo")
    done = shell.attempt(
        "skopeo",
        "copy",
        "--dest-tls-verify=false",
        f"oci:{layout}:v1",
        f"docker://{shell.host}/no/such:v1",
    )
    assert done.returncode != 0
    assert "name unknown: The repository with name 'no/such' does not exist in the registry with id" in done.stderr


def test_what_a_learner_sees_of_an_immutable_tag(shell, repository, layout):
    repository += "/immutable"
    shell.aws.create_repository(repositoryName=repository, imageTagMutability="IMMUTABLE")
    shell.login("skopeo")
    push(shell, layout, repository)
    done = shell.attempt(
        "skopeo",
        "copy",
        "--dest-tls-verify=false",
        f"oci:{layout}:v1",
        f"docker://{shell.host}/{repository}:v1",
    )
    assert done.returncode != 0
    assert f"tag invalid: The image tag 'v1' already exists in the '{repository}' repository" in done.stderr


def test_what_a_learner_sees_without_login(shell, repository):
    done = shell.attempt("skopeo", "list-tags", "--tls-verify=false", f"docker://{shell.host}/{repository}")
    assert done.returncode != 0
    assert "unauthorized" in done.stderr.lower() or "authentication required" in done.stderr
