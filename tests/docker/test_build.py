"""Builds: a corpus of Dockerfiles as people write them, and one digest from one context everywhere."""

import gzip
import io
import json
import os
import tarfile
import zlib

import pytest

PYTHON = "public.ecr.aws/docker/library/python:3.12-slim-bookworm"
ALPINE = "public.ecr.aws/docker/library/alpine:3.22.6"


@pytest.fixture
def context(lab, tmp_path):
    """A context with a bit of everything."""
    folder = tmp_path / "app"
    for path, text in {
        "app.py": "print('hello')\n",
        "run.sh": "#!/bin/sh\n",
        "requirements.txt": "boto3\n",
        "src/main.py": "main\n",
        "src/lib/one.py": "1\n",
        "src/lib/two.txt": "2\n",
        "secrets/key": "k\n",
        "with space.txt": "s\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("src/main.py")
    return folder


def built(lab, context, dockerfile, *options):
    """Build, and return config and files: path -> (mode, uid, gid, text) of the uppermost layer that has it."""
    (context / "Dockerfile").write_text(dockerfile)
    lab.ok("build", "-q", "-t", "built", *options, ".")
    image = lab.store.get("built")
    files = {}
    for layer in image.manifest.layers:
        with tarfile.open(lab.store.blob_path(layer.digest)) as tar:
            for member in tar:
                text = tar.extractfile(member).read().decode() if member.isfile() else member.linkname or None
                files[member.name] = (oct(member.mode), member.uid, member.gid, text)
    return image.config["config"], files


def refused(lab, context, dockerfile, *options):
    (context / "Dockerfile").write_text(dockerfile)
    return lab.fails("build", *options, ".")


# --- valid shapes ----------------------------------------------------------------------------------------------------

SHAPES = {
    "a python service": (
        f'FROM {PYTHON}\nWORKDIR /app\nCOPY . .\nEXPOSE 8080\nUSER 1000\nCMD ["python", "app.py"]\n',
        {"app/app.py", "app/src/lib/one.py", "etc/os-release"},
        {"Cmd": ["python", "app.py"], "User": "1000", "WorkingDir": "/app", "ExposedPorts": {"8080/tcp": {}}},
    ),
    "one file to a new name": ("FROM scratch\nCOPY app.py /srv/main.py\n", {"srv/main.py"}, {}),
    "one file into a directory": ("FROM scratch\nCOPY app.py /srv/\n", {"srv/app.py"}, {}),
    "a file into a directory that is there": (
        "FROM scratch\nWORKDIR /srv\nCOPY app.py /srv\n",
        {"srv/app.py"},
        {"WorkingDir": "/srv"},
    ),
    "a directory's content": ("FROM scratch\nCOPY src /srv/\n", {"srv/main.py", "srv/lib/one.py"}, {}),
    "several sources": ("FROM scratch\nCOPY app.py run.sh /srv/\n", {"srv/app.py", "srv/run.sh"}, {}),
    "wildcards": ("FROM scratch\nCOPY src/lib/*.py *.tx[t] /srv/\n", {"srv/one.py", "srv/requirements.txt"}, {}),
    "array form with spaces": ('FROM scratch\nCOPY ["with space.txt", "/a b/"]\n', {"a b/with space.txt"}, {}),
    "ADD of a local file": ("FROM scratch\nADD app.py /\n", {"app.py"}, {}),
    "two stages": (
        "FROM scratch AS build\nCOPY src /out\nFROM scratch\nCOPY --from=build /out/lib/*.py /lib/\n",
        {"lib/one.py"},
        {},
    ),
    "a stage by number": ("FROM scratch\nCOPY app.py /x\nFROM scratch\nCOPY --from=0 /x /y\n", {"y"}, {}),
    "a stage that begins with another": (
        "FROM scratch AS base\nENV A=1\nCOPY app.py /\nFROM base\nENV B=2\n",
        {"app.py"},
        {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "A=1", "B=2"]},
    ),
    "a file of another image": (f"FROM scratch\nCOPY --from={ALPINE} /etc/alpine-release /\n", {"alpine-release"}, {}),
    "arguments": (
        "ARG NAME=src\nFROM scratch\nARG NAME\nARG FILE=${NAME}/main.py\nCOPY $FILE ${DEST:-/there/}\n",
        {"there/main.py"},
        {},
    ),
    "environment": (
        'FROM scratch\nENV A=1 B="two words" C=$A\nENV D four words\nENV A=5 E=${A}\nLABEL x.y="${B}" z=\'$A\'\n',
        set(),
        {"Labels": {"x.y": "two words", "z": "$A"}},
    ),
    "shell forms": (
        'FROM scratch\nSHELL ["/bin/bash", "-c"]\nENTRYPOINT exec app\nCMD --help me\n',
        set(),
        {"Entrypoint": ["/bin/bash", "-c", "exec app"], "Cmd": ["/bin/bash", "-c", "--help me"]},
    ),
    "an entry point drops the base's command": (
        f'FROM {PYTHON}\nENTRYPOINT ["app"]\n',
        set(),
        {"Entrypoint": ["app"], "Cmd": None},
    ),
    "ports, volumes, signal, health": (
        "FROM scratch\nEXPOSE 53/udp 8000-8001\nVOLUME /data /log\nSTOPSIGNAL SIGINT\n"
        "HEALTHCHECK --interval=1m30s --retries=3 CMD curl localhost\n",
        set(),
        {
            "ExposedPorts": {"53/udp": {}, "8000/tcp": {}, "8001/tcp": {}},
            "Volumes": {"/data": {}, "/log": {}},
            "StopSignal": "SIGINT",
            "Healthcheck": {"Test": ["CMD-SHELL", "curl localhost"], "Interval": 90_000_000_000, "Retries": 3},
        },
    ),
    "working directories add up": ("FROM scratch\nWORKDIR /a\nWORKDIR b/../c\n", {"a/c"}, {"WorkingDir": "/a/c"}),
    "continuation, comments, escape": (
        "# escape=`\n# syntax=docker/dockerfile:1\nFROM scratch\n# why\nLABEL a=1 `\n  # really\n  b=2\n",
        set(),
        {"Labels": {"a": "1", "b": "2"}},
    ),
}


@pytest.mark.parametrize(("dockerfile", "paths", "settings"), SHAPES.values(), ids=SHAPES.keys())
def test_shapes_that_build(lab, context, dockerfile, paths, settings):
    config, files = built(lab, context, dockerfile)
    assert paths <= set(files)
    assert {key: config.get(key) for key in settings} == settings


def test_values_of_one_line_see_what_was_before_it(lab, context):
    config, _ = built(lab, context, "FROM scratch\nENV A=1\nENV A=5 E=${A}\n")
    assert config["Env"][1:] == ["A=5", "E=1"]


def test_owner_and_mode_are_asked_for(lab, context):
    _, files = built(lab, context, "FROM scratch\nCOPY --chown=1000:2000 --chmod=640 app.py /srv/\nCOPY run.sh /\n")
    assert files["srv"][:3] == ("0o755", 1000, 2000)
    assert files["srv/app.py"][:3] == ("0o640", 1000, 2000)
    assert files["run.sh"][:3] == ("0o755", 0, 0)


def test_an_owner_by_name_is_looked_up_in_the_image(lab, context):
    (context / "passwd").write_text("root:x:0:0::/:\nada:x:1815:100::/:\n")
    (context / "group").write_text("staff:x:50:\n")
    dockerfile = "FROM scratch\nCOPY passwd group /etc/\nCOPY --chown=ada:staff app.py /\n"
    assert built(lab, context, dockerfile)[1]["app.py"][1:3] == (1815, 50)
    assert "unable to find user bob" in refused(lab, context, dockerfile.replace("ada", "bob"))


def test_a_link_inside_a_folder_stays_a_link_and_a_named_one_is_followed(lab, context):
    (context / "src" / "here").symlink_to("main.py")
    _, files = built(lab, context, "FROM scratch\nCOPY src /src/\nCOPY link /followed\n")
    assert files["src/here"] == ("0o777", 0, 0, "main.py")
    assert files["followed"] == ("0o644", 0, 0, "main\n")


def test_copy_goes_through_a_link_of_the_base(lab, context):
    (context / "src" / "bin").symlink_to("lib")
    _, files = built(lab, context, "FROM scratch\nCOPY src /\nCOPY app.py /bin/\n")
    assert files["lib/app.py"][3] == "print('hello')\n"
    assert files["bin"][3] == "lib"


def test_dockerignore_keeps_files_out_and_takes_some_back(lab, context):
    rules = "# comment\nsecrets\n**/*.txt\n!src/lib/two.txt\nDockerfile\n.dockerignore\n"
    (context / ".dockerignore").write_text(rules)
    _, files = built(lab, context, "FROM scratch\nCOPY . /\n")
    inside = {"src", "src/main.py", "src/lib", "src/lib/one.py", "src/lib/two.txt"}
    assert set(files) == {"app.py", "run.sh", "link"} | inside
    assert '"/requirements.txt": not found' in refused(lab, context, "FROM scratch\nCOPY requirements.txt /\n")


def test_onbuild_happens_in_the_next_build(lab, context):
    built(lab, context, "FROM scratch\nONBUILD COPY app.py /later/\n")
    lab.ok("tag", "built", "parent")
    config, files = built(lab, context, "FROM parent\n")
    assert "later/app.py" in files
    assert "OnBuild" not in config


def test_only_the_stages_that_are_needed_are_built(lab, context):
    dockerfile = "FROM scratch AS tests\nRUN pytest\nFROM scratch AS app\nCOPY app.py /\nFROM scratch\nCOPY run.sh /\n"
    _, files = built(lab, context, dockerfile, "--target", "app")
    assert set(files) == {"app.py"}


def test_build_arguments_and_platform_variables(lab, context):
    dockerfile = "FROM scratch\nARG WHO=nobody\nARG TARGETARCH\nLABEL who=$WHO arch=$TARGETARCH\n"
    config, _ = built(lab, context, dockerfile, "--build-arg", "WHO=ada", "--platform", "arm64")
    assert config["Labels"] == {"who": "ada", "arch": "arm64"}
    assert "[Warning] One or more build-args [NOT] were not consumed" in lab.ok("build", "--build-arg", "NOT=1", ".")


def test_a_stage_may_be_for_the_machine_that_builds(lab, context):
    dockerfile = (
        f"FROM --platform=$BUILDPLATFORM {ALPINE} AS build\nARG TARGETARCH\nWORKDIR /out/$TARGETARCH\n"
        f"FROM {ALPINE}\nARG TARGETARCH\nCOPY --from=build /out /\nLABEL arch=$TARGETARCH\n"
    )
    config, files = built(lab, context, dockerfile, "--platform", "linux/arm64")
    assert "arm64" in files
    assert "A:aarch64" in files["lib/apk/db/installed"][3]
    assert config["Labels"] == {"arch": "arm64"}


def test_a_local_base_for_another_platform_is_told(lab, context):
    built(lab, context, "FROM scratch\n")
    lab.ok("tag", "built", "parent")
    said = refused(lab, context, "FROM parent\n", "--platform", "arm64")
    assert "parent is here for linux/amd64, and this stage is for linux/arm64" in said


def test_a_base_brings_its_history_and_its_layers(lab, context):
    built(lab, context, f"FROM {PYTHON}\nCOPY app.py /\n")
    shown = lab.ok("history", "built")
    assert "COPY app.py / # buildkit" in shown.splitlines()[1]
    assert "A stand-in made by ecrlab for python:3.12-slim-bookworm" in shown


# --- refusals --------------------------------------------------------------------------------------------------------

REFUSED = {
    "RUN": ("FROM scratch\nRUN pip install boto3\n", "do that step yourself before the build and COPY what it made", 2),
    "ADD of a URL": ("FROM scratch\nADD https://example.com/x /\n", "download the file beside the Dockerfile", 2),
    "ADD of an archive": ("FROM scratch\nADD app.tar.gz /\n", "unpack it beside the Dockerfile and COPY the folder", 2),
    "a here-document": ("FROM scratch\nCOPY <<EOF /x\nhi\nEOF\n", "put the text into a file and COPY it", 2),
    "Docker Hub": ("FROM python:3.12\n", f"use {PYTHON}", 1),
    "another registry": ("FROM ghcr.io/a/b\n", "ghcr.io is not in the lab's world", 1),
    "no such base": ("FROM public.ecr.aws/docker/library/python:9\n", "manifest unknown", 1),
    "a base that the gallery has otherwise": (
        "FROM public.ecr.aws/docker/library/alpine:3.22\n",
        "The lab's gallery has public.ecr.aws/docker/library/alpine with the tags 3.14.8, 3.15.6",
        1,
    ),
    "unknown instruction": ("FROM scratch\nCOPYY a b\n", "unknown instruction: COPYY (did you mean COPY?)", 2),
    "no FROM": ("COPY a b\n", "no build stage in current context", 1),
    "nothing": ("", "the Dockerfile cannot be empty", 0),
    "missing file": ("FROM scratch\nCOPY nope.txt /\n", '"/nope.txt": not found', 2),
    "several files to one name": ("FROM scratch\nCOPY app.py run.sh /x\n", "must be a directory and end with a /", 2),
    "COPY of nothing": ("FROM scratch\nCOPY app.py\n", "requires at least two arguments", 2),
    "bad port": ("FROM scratch\nEXPOSE web\n", "invalid containerPort: web", 2),
    "bad mode": ("FROM scratch\nCOPY --chmod=rwx app.py /\n", "should be octal string", 2),
    "bad label": ("FROM scratch\nLABEL a=1 b\n", "can't find = in", 2),
    "unknown flag": ("FROM scratch\nCOPY --parents app.py /\n", "--parents is not known", 2),
    "bad variable": ("FROM scratch\nENV A=${B\n", "unsupported modifier", 2),
    "empty base": ("ARG BASE\nFROM ${BASE}\n", "invalid reference format", 2),
    "a reference to a later stage": ("FROM scratch\nCOPY --from=2 /a /b\n", "Docker Hub", 2),
}


@pytest.mark.parametrize(("dockerfile", "said", "line"), REFUSED.values(), ids=REFUSED.keys())
def test_shapes_that_are_refused(lab, context, dockerfile, said, line):
    text = refused(lab, context, dockerfile)
    excerpt, _, last = text.rpartition("ERROR: failed to build: failed to solve: ")
    assert said in last
    assert not line or excerpt.startswith(f"Dockerfile:{line}\n")
    assert lab.ok("images", "-q").strip() == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], 'unable to prepare context: path "nowhere" not found'),
        (["-f", "Nope", "."], "failed to read dockerfile: open Nope: no such file or directory"),
        (["-t", "Bad", "."], 'invalid tag "Bad"'),
        (["--platform", "toaster", "."], 'failed to parse platform "toaster"'),
        (["--sbom=true", "."], "leave --sbom out"),
        (["--target", "nope", "."], 'target stage "nope" could not be found'),
        (["https://github.com/a/b.git"], "builds from a folder of this machine only"),
    ],
)
def test_command_lines_that_are_refused(lab, app, arguments, said):
    assert said in lab.fails("build", *arguments)


def test_a_link_out_of_the_context_is_refused(lab, context, tmp_path):
    (tmp_path / "outside").write_text("secret")
    (context / "escape").symlink_to("../outside")
    assert "forbidden path outside the build context" in refused(lab, context, "FROM scratch\nCOPY escape /\n")
    assert '"/outside": not found' in refused(lab, context, "FROM scratch\nCOPY ../outside /\n")


# --- one digest ------------------------------------------------------------------------------------------------------


def test_the_same_app_has_one_digest_whatever_the_umask_folder_time_and_order(lab, tmp_path):
    digests = set()
    for number, (umask, when) in enumerate([(0o002, 1), (0o077, 2_000_000_000)]):
        folder = tmp_path / f"copy {number}"
        before = os.umask(umask)
        try:
            folder.mkdir()
            for name in ("b.py", "a.py") if number else ("a.py", "b.py"):
                (folder / name).write_text(name)
                os.utime(folder / name, (when, when))
            (folder / "Dockerfile").write_text(f"FROM {PYTHON}\nWORKDIR /app\nCOPY *.py /app/\n")
        finally:
            os.umask(before)
        lab.ok("build", "-q", "-t", f"copy:{number}", str(folder))
        digests.add(lab.store.get(f"copy:{number}").digest)
    assert len(digests) == 1


def test_no_library_of_this_machine_squeezes_the_layers(lab, app, monkeypatch):
    def other_build_of_zlib(*_, **__):
        raise AssertionError("the bytes would be those of this machine's zlib")

    for name in ("compress", "compressobj"):
        monkeypatch.setattr(zlib, name, other_build_of_zlib)
    lab.ok("build", "-q", "-t", "x", ".")


def test_a_pinned_digest(lab, app):
    """Lessons print digests: this one must not change."""
    lab.ok("build", "-t", "my-app", ".")
    assert lab.store.get("my-app").digest == "sha256:cb791e3c6ef8293eda0eee64cec2a446a7a237daaf5954e68780199573fd2358"


def test_line_ends_of_a_windows_checkout_do_not_matter(lab, app):
    def layers():
        lab.ok("build", "-q", "-t", "x", ".")
        return lab.store.get("x").manifest.layers

    as_written = layers()
    (app / "app.py").write_bytes((app / "app.py").read_bytes().replace(b"\n", b"\r\n"))
    (app / "Dockerfile").write_bytes((app / "Dockerfile").read_bytes().replace(b"\n", b"\r\n"))
    assert layers() == as_written


@pytest.mark.parametrize("content", [b"\0\r\n", b"mixed\r\nends\n", b"lone\rreturn\r\n"])
def test_other_bytes_are_never_touched(lab, app, content):
    (app / "app.py").write_bytes(content)
    lab.ok("build", "-q", "-t", "x", ".")
    body = gzip.decompress(lab.store.blob_path(lab.store.get("x").manifest.layers[-1].digest).read_bytes())
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        assert tar.extractfile("app/app.py").read() == content


def test_the_date_is_fixed_or_that_of_source_date_epoch(lab, app, monkeypatch):
    lab.ok("build", "-q", "-t", "x", ".")
    assert lab.ok("inspect", "-f", "{{.Created}}", "x") == "2026-10-01T09:00:00Z\n"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    lab.ok("build", "-q", "-t", "x", ".")
    assert lab.ok("inspect", "-f", "{{.Created}}", "x") == "1970-01-01T00:00:00Z\n"


def test_progress_reads_like_buildkits_without_times(lab, app):
    lab.ok("build", "-q", "-t", "once", ".")
    image = lab.store.get("once").id
    steps = ["[internal] load build definition from Dockerfile", "[internal] load build context", "[1/3] FROM scratch"]
    steps += ["[2/3] WORKDIR /app", "[3/3] COPY app.py ."]
    told = [f"#{number} {step}\n#{number} DONE\n\n" for number, step in enumerate(steps, 1)]
    told.append(f"#6 exporting to image\n#6 exporting layers done\n#6 writing image {image} done\n")
    told.append("#6 naming to docker.io/library/my-app:v1 done\n#6 DONE\n")
    assert lab.ok("build", "-t", "my-app:v1", ".") == "".join(told)


def test_one_platform_makes_a_docker_manifest(lab, app):
    lab.ok("build", "-q", "-t", "x", ".")
    manifest = json.loads(lab.store.get("x").manifest.body)
    assert manifest["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert manifest["config"]["mediaType"] == "application/vnd.docker.container.image.v1+json"
    assert {layer["mediaType"] for layer in manifest["layers"]} == {"application/vnd.docker.image.rootfs.diff.tar.gzip"}
