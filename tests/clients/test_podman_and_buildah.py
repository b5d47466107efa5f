"""Builders without an engine: build FROM scratch, push, pull, mount, many architectures."""

import json
import shutil

import pytest

ENGINES = [
    pytest.param("podman", marks=pytest.mark.client("podman")),
    pytest.param("buildah", marks=pytest.mark.client("buildah")),
]


def build(shell, program: str, image: str, content: str, architecture: str = "amd64") -> None:
    context = shell.home / f"context-{architecture}"
    context.mkdir(exist_ok=True)
    (context / "Containerfile").write_text('FROM scratch\nCOPY content /content\nCMD ["/content"]\n')
    (context / "content").write_text(content)
    verb = "build" if program == "podman" else "bud"
    shell.run(
        *shell.storage(program),
        verb,
        "--isolation=chroot",
        f"--arch={architecture}",
        f"--tag={image}",
        str(context),
    )


def push(shell, program: str, image: str) -> None:
    shell.run(*shell.storage(program), "push", "--tls-verify=false", image)


def pull(shell, program: str, image: str) -> None:
    shutil.rmtree(shell.home / "images")
    shell.run(*shell.storage(program), "pull", "--tls-verify=false", image)


@pytest.mark.parametrize("program", ENGINES)
def test_build_push_and_pull(shell, repository, program):
    image = f"{shell.host}/{repository}:v1"
    shell.login(program)
    build(shell, program, image, "hello from " + program)
    push(shell, program, image)
    digest = shell.digests(repository)["v1"]

    pull(shell, program, image)
    [found] = json.loads(
        shell.run(*shell.storage(program), "images", "--json" if program == "buildah" else "--format=json")
    )
    assert digest in (found.get("digest"), found.get("Digest"))


@pytest.mark.parametrize("program", ENGINES)
def test_a_second_repository_gets_the_layers_by_mount(shell, server, repository, program):
    shell.login(program)
    first, second = f"{shell.host}/{repository}:v1", f"{shell.host}/{repository}-too:v1"
    shell.aws.create_repository(repositoryName=f"{repository}-too")
    build(shell, program, first, "the same layers")
    push(shell, program, first)
    shell.run(*shell.storage(program), "tag", first, second)
    with server.recorder.recording() as exchanges:
        push(shell, program, second)
    assert any("mount=sha256" in exchange.target and exchange.status == 201 for exchange in exchanges)
    assert shell.digests(repository) == shell.digests(f"{repository}-too")


@pytest.mark.parametrize("program", ENGINES)
def test_an_image_of_two_architectures(shell, repository, program):
    shell.login(program)
    storage = shell.storage(program)
    image = f"{shell.host}/{repository}:all"
    shell.run(*storage, "manifest", "create", image)
    for architecture in ("amd64", "arm64"):
        build(shell, program, f"localhost/{architecture}", architecture, architecture)
        shell.run(*storage, "manifest", "add", image, f"containers-storage:localhost/{architecture}")
    shell.run(*storage, "manifest", "push", "--all", "--tls-verify=false", image, f"docker://{image}")

    answer = shell.aws.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": "all"}])
    index = json.loads(answer["images"][0]["imageManifest"])
    assert [child["platform"]["architecture"] for child in index["manifests"]] == ["amd64", "arm64"]
    assert len(shell.aws.describe_images(repositoryName=repository)["imageDetails"]) == 3


@pytest.mark.client("podman")
def test_search_lists_the_tags(shell, repository):
    shell.login("podman")
    image = f"{shell.host}/{repository}"
    build(shell, "podman", f"{image}:v1", "searched")
    push(shell, "podman", f"{image}:v1")
    listed = shell.run(*shell.storage("podman"), "search", "--list-tags", "--tls-verify=false", image)
    assert "v1" in listed
