"""What is on this machine: images, inspect, history, tag, rmi; and what the command says of itself."""

import json
import threading

import pytest

from ecrlab.docker.__main__ import COMMANDS
from ecrlab.docker.listing import remove

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture
def built(lab, app):
    """An image `my-app:v1`."""
    lab.ok("build", "-q", "-t", "my-app:v1", ".")
    return lab


def test_images_are_a_table(built):
    image = built.store.get("my-app:v1")
    assert built.ok("images").splitlines() == [
        "REPOSITORY   TAG       IMAGE ID       CREATED      SIZE",
        f"my-app       v1        {image.id[7:19]}   2026-10-01   4.1kB",
    ]


def test_an_image_whose_tag_moved_on_is_left_without_a_name(built, app):
    first = built.store.get("my-app:v1").id
    (app / "app.py").write_text("changed\n")
    built.ok("build", "-q", "-t", "my-app:v1", ".")
    rows = [line.split() for line in built.ok("images").splitlines()[1:]]
    assert [row[:2] for row in rows] == [["my-app", "v1"], ["<none>", "<none>"]]
    assert rows[1][2] == first[7:19]


def test_images_can_be_filtered_and_formatted(built):
    built.ok("tag", "my-app:v1", f"{ECR}/my-app:v1")
    assert built.ok("images", "--format", "{{.Repository}}:{{.Tag}}", "my-app") == "my-app:v1\n"
    assert built.ok("images", "--format", "{{.Repository}}", f"{ECR}/my-app:v2") == "\n"
    assert built.ok("images", "-q").count("\n") == 1
    assert json.loads(built.ok("images", "--format", "json", "my-app"))["Tag"] == "v1"
    assert built.ok("images", "--format", "table {{.Tag}}\t{{.Size}}", "my-app").splitlines()[0] == "TAG       SIZE"
    assert "DIGEST" in built.ok("images", "--digests")


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{.Architecture}}", "amd64"),
        ("{{json .Config.Cmd}}", '["python","app.py"]'),
        ("{{index .RepoTags 0}}", "my-app:v1"),
        ("{{len .RootFS.Layers}} layers", "2 layers"),
        ("{{.Config.Cmd}}", "[python app.py]"),
    ],
)
def test_inspect_takes_templates(built, template, shown):
    assert built.ok("inspect", "--format", template, "my-app:v1") == shown + "\n"


@pytest.mark.parametrize("template", ["{{.Nope}}", "{{upper .RepoTags}}", "{{index .RepoTags 9}}"])
def test_templates_that_make_no_sense_are_refused(built, template):
    assert "template parsing error" in built.fails("inspect", "-f", template, "my-app:v1")


def test_inspect_finds_by_name_and_by_id_and_tells_what_is_missing(built):
    image = built.store.get("my-app:v1")
    for name in ("my-app:v1", image.id, image.id[7:19]):
        assert json.loads(built.ok("image", "inspect", name))[0]["Id"] == image.id
    ran = built.docker("inspect", "nope")
    assert (ran.out, ran.err, ran.status) == ("[]\n", "Error: No such object: nope\n", 1)


def test_the_digest_of_inspect_is_that_of_the_manifest(built):
    (told,) = json.loads(built.ok("inspect", "my-app:v1"))
    assert told["Descriptor"]["digest"] == built.store.get("my-app:v1").digest
    assert told["RepoDigests"] == []


def test_inspect_of_an_index_tells_of_a_platform_and_lists_all(built):
    built.ok("build", "-q", "--platform", "linux/amd64,linux/arm64", "-t", "multi", ".")
    (told,) = json.loads(built.ok("inspect", "multi"))
    assert (told["Architecture"], len(told["Manifests"])) == ("amd64", 2)
    assert built.ok("inspect", "--platform", "arm64", "-f", "{{.Architecture}}", "multi") == "arm64\n"


def test_history_tells_which_step_made_which_layer(built):
    lines = built.ok("history", "my-app:v1").splitlines()
    assert [line.split()[2] for line in lines[1:]] == ["CMD", "COPY", "WORKDIR"]
    assert [line.split("#")[0].rstrip()[-4:] for line in lines[2:3]] == ["py ."]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tag", "nope", "x"], "Error response from daemon: No such image: nope:latest"),
        (
            ["tag", "my-app:v1", "A:b"],
            'Error parsing reference: "A:b" is not a valid repository/tag: invalid reference format:'
            " repository name (library/A) must be lowercase",
        ),
        (["rmi", "nope"], "Error response from daemon: No such image: nope:latest"),
        (["history", "nope"], "Error response from daemon: No such image: nope:latest"),
        (["push", f"my-app@sha256:{'0' * 64}"], "cannot push a digest reference"),
    ],
)
def test_names_that_do_not_lead_anywhere(built, arguments, said):
    assert built.fails(*arguments) == said


def test_rmi_takes_the_name_first_and_the_image_with_its_last(built):
    image = built.store.get("my-app:v1")
    built.ok("tag", "my-app:v1", "other:v1")
    assert built.ok("rmi", "other:v1") == "Untagged: other:v1\n"
    assert built.ok("rmi", "my-app:v1") == f"Untagged: my-app:v1\nDeleted: {image.id}\n"
    assert not any((built.store.root / "blobs" / "sha256").iterdir())


def test_rmi_keeps_what_another_image_needs(built, app):
    (app / "Dockerfile").write_text("FROM my-app:v1\nLABEL a=b\n")
    built.ok("build", "-q", "-t", "child", ".")
    built.ok("rmi", "my-app:v1")
    child = built.store.get("child")
    assert all(built.store.has(digest) for digest in built.store.needed_by(child))


def test_rmi_sweeps_nothing_while_a_build_is_under_way(built):
    store = built.store
    with store.adding():
        fresh = store.add(b"a layer of an image that has no name yet")
        removing = threading.Thread(target=remove, args=(store, "my-app:v1"))
        removing.start()
        removing.join(0.1)
        assert store.has(fresh)
        assert store.find("my-app:v1")
    removing.join()
    assert not store.has(fresh)


def test_rmi_by_id_must_be_forced_when_there_are_several_names(built):
    image = built.store.get("my-app:v1")
    built.ok("tag", "my-app:v1", "other:v1")
    assert "must be forced" in built.fails("rmi", image.id[7:19])
    assert "Deleted" in built.ok("rmi", "-f", image.id[7:19])


# --- the command itself ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["version"], ["info"], ["--help"], []])
def test_it_says_what_it_is(lab, arguments):
    said = lab.ok(*arguments)
    assert "the lab's docker command, not Docker" in said
    assert "It runs no containers" in said


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(lab, name):
    said = lab.ok(*name.split(), "--help")
    assert said.startswith(f"Usage:  docker {name}")
    assert COMMANDS[name].summary in said


@pytest.mark.parametrize("name", ["run", "ps", "exec", "compose", "save"])
def test_what_needs_an_engine_is_refused_in_one_sentence(lab, name):
    said = lab.fails(name, "x")
    assert said.startswith(f"docker {name} needs an engine, and the lab's docker has none")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("arguments", "said", "status"),
    [
        (["frob"], "docker: unknown command: docker frob\n\nRun 'docker --help' for more information\n", 1),
        (["push"], "docker: 'docker push' requires 1 argument\n\nUsage:  docker push [OPTIONS] NAME[:TAG]\n", 1),
        (["tag", "a"], "docker: 'docker tag' requires 2 arguments\n", 1),
        (["images", "a", "b"], "docker: 'docker images' requires at most 1 argument\n", 1),
        (["rmi"], "docker: 'docker rmi' requires at least 1 argument\n", 1),
        (["images", "--frob"], "unknown flag: --frob\n", 125),
        (["build", "-t"], "flag needs an argument: -t\n", 125),
        (["build", "-Z", "."], "unknown shorthand flag: 'Z' in -Z\n", 125),
    ],
)
def test_bad_command_lines_are_told_as_docker_does(lab, arguments, said, status):
    ran = lab.docker(*arguments)
    assert ran.err.startswith(said)
    assert ran.status == status


@pytest.mark.parametrize(("long", "short"), [("image ls", "images"), ("image rm my-app:v1", "rmi my-app:v1")])
def test_the_long_names_of_commands_do_the_same(built, long, short):
    said = built.ok(*long.split())
    if "rm" in long:
        built.ok("build", "-q", "-t", "my-app:v1", ".")
    assert built.ok(*short.split()) == said


def test_a_damaged_store_is_told(built):
    (built.store.root / "state.json").write_text("{")
    assert "is damaged" in built.fails("images")
