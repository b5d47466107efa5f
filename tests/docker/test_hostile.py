"""Dockerfiles, contexts and images made to hurt: one sentence and exit status 1, in bounded time and memory."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.docker import dockerfile, filesystem, words
from ecrlab.docker.errors import DockerError
from ecrlab.docker.filesystem import FileSystem
from ecrlab.docker.patterns import Ignore, Pattern
from ecrlab.docker.references import parse
from ecrlab.docker.stage import MOST_TEXT
from ecrlab.docker.store import Store
from ecrlab.docker.terminal import plain
from ecrlab.docker.words import expand
from ecrlab.machine.bootstrap import CHECKOUT
from ecrlab.oci.layers import directory, file
from ecrlab.oci.media_types import DOCKER

MEMORY = 2 << 30
"""Address space of a command, in bytes."""


BOUNDED = f"""
import resource, sys
if sys.platform == "linux":
    resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
from ecrlab.docker.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def bounded(*arguments, timeout=60):
    """The docker command in a process of its own, which is ended when it takes absurdly long."""
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
    )
    assert "Traceback" not in done.stderr
    return done


def refused(said, *arguments):
    done = bounded(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr) < 2_000_000


# --- patterns --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", [part * 40 + "b" for part in ("*a", "**/", "**a", "a**/", "*")])
def test_a_pattern_takes_as_many_steps_as_the_path_has_characters(pattern, monkeypatch):
    steps = []
    step = Pattern._step
    monkeypatch.setattr(Pattern, "_step", lambda self, places, char: steps.append(char) or step(self, places, char))

    assert not Pattern(pattern).matches("a" * 2_000)
    assert not Pattern(pattern).matches("a/" * 1_000)
    assert len(steps) <= 4_000


@pytest.mark.parametrize("rule", ["[z-a]", "!a[9-0]b", "x/[b-a]*"])
def test_a_set_that_ends_before_it_begins_is_no_pattern(app, rule):
    with pytest.raises(DockerError, match="syntax error in pattern"):
        Ignore(rule)
    (app / ".dockerignore").write_text(rule)
    refused("syntax error in pattern", "build", ".")


def test_copy_tells_of_a_bad_pattern(app):
    (app / "Dockerfile").write_text("FROM scratch\nCOPY [z-a]* /\n")
    refused("syntax error in pattern", "build", ".")


def test_a_pattern_that_is_hostile_does_not_stop_a_build(app):
    (app / ("a" * 200)).write_text("")
    (app / ".dockerignore").write_text("*a" * 30 + "b\n" + "**/*a" * 20 + "b\n")
    (app / "Dockerfile").write_text("FROM scratch\nCOPY " + "*a" * 30 + "* /\n")
    assert bounded("build", "-q", ".").returncode == 0


# --- the Dockerfile --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FROM scratch\nENV A=" + "x" * 5_000_000, "more than 1048576 characters"),
        ("FROM scratch\nENV A=" + "x" * 70_000, "dockerfile line greater than max allowed size of 65535"),
        ("x" * 60_000, "unknown instruction"),
        ("FROM scratch\nCMD " + "[" * 60_000, None),
        ("FROM scratch\nENV A=" + "${x:-" * 10_000, "nested more than"),
        ("FROM scratch\nENV A=" + "${x:-" * 200 + "}" * 200, "nested more than"),
        ("FROM scratch\nENV A=aaaaaaaa\n" + "ENV A=$A$A\n" * 40, "becomes longer than"),
        ("FROM scratch\nARG A=aaaaaaaa\n" + "ARG A=$A$A\n" * 40, "becomes longer than"),
        ("ARG A=aaaaaaaa\n" + "ARG A=$A$A\n" * 40 + "FROM scratch\n", "becomes longer than"),
        ("FROM scratch\nARG A=" + "a" * 60_000 + "\n" + "LABEL x=$A$A\n" * 4_000, "become longer than"),
        ("FROM scratch\nARG A=" + "a" * 60_000 + "\n" + "ARG B=$A$A\n" * 4_000, "become longer than"),
        ("ARG A=" + "a" * 60_000 + "\n" + "ARG B=$A$A\n" * 4_000 + "FROM scratch", "become longer than"),
        ("FROM scratch AS s0\n" + "".join(f"FROM s{n} AS s{n + 1}\n" for n in range(4_000)), "nested too deeply"),
        ("FROM scratch\n" + "ENV A=1\n" * 6_000, "more than 5000 instructions"),
        ("FROM scratch\nENV " + " \\\n".join(f"A{n}=1" for n in range(60_000)), None),
        ("FROM scratch\nCOPY " + "--a " * 15_000 + "x /", "is not known"),
    ],
)
def test_a_dockerfile_that_is_hostile_is_refused_in_a_sentence(app, text, said):
    (app / "Dockerfile").write_text(text)
    if said is None:
        assert bounded("build", "-q", ".").returncode == 0
    else:
        refused(said, "build", ".")


def test_the_bounds_themselves_are_allowed():
    deep = "${x:-" * words.DEEPEST + "end" + "}" * words.DEEPEST
    assert expand(deep, {}) == "end"
    assert len(expand("$A$A", {"A": "a" * (words.LONGEST // 2)})) == words.LONGEST
    assert MOST_TEXT > words.LONGEST
    line = "ENV A=" + "x" * (dockerfile.LONGEST_LINE - 6)
    assert len(dockerfile.parse(f"FROM scratch\n{line}")) == 2


# --- the context -----------------------------------------------------------------------------------------------------


def test_links_in_a_circle_are_no_file(app):
    (app / "one").symlink_to("two")
    (app / "two").symlink_to("one")
    (app / "Dockerfile").write_text("FROM scratch\nCOPY one /\n")
    done = bounded("build", ".")
    assert done.returncode == 1
    assert '"/one": ' in done.stderr


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore"])
def test_a_file_of_the_build_that_is_a_link_to_itself(app, name):
    (app / name).unlink(missing_ok=True)
    (app / name).symlink_to(name)
    assert bounded("build", "-q", ".").returncode == (1 if name == "Dockerfile" else 0)


@pytest.mark.slow
def test_twenty_thousand_files_take_no_longer_than_they_must(app):
    for number in range(200):
        (app / "data" / str(number)).mkdir(parents=True)
        for name in range(100):
            (app / "data" / str(number) / f"{name}.txt").touch()
    (app / "Dockerfile").write_text(
        "FROM scratch AS one\nCOPY data /data/\nCOPY data /data/\nFROM scratch\nCOPY --from=one /data /again/\n"
    )
    assert bounded("build", "-q", ".").returncode == 0


paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
steps = st.tuples(st.sampled_from(["file", "directory", "whiteout", "opaque"]), paths)


@settings(max_examples=300)
@given(st.lists(steps, max_size=12))
def test_a_file_system_is_what_its_entries_say(changes):
    files, plainly = FileSystem(), {}
    for kind, path in changes:
        folder, _, name = path.rpartition("/")
        gone = folder if kind == "opaque" else path
        if kind != "directory":
            plainly = {
                key: value for key, value in plainly.items() if not (key.startswith(f"{gone}/") or (not gone and key))
            }
        if kind == "whiteout":
            plainly.pop(path, None)
            files.add(file(f"{folder}/.wh.{name}".lstrip("/"), ""))
        elif kind == "opaque":
            files.add(file(f"{folder}/.wh..wh..opq".lstrip("/"), ""))
        else:
            plainly[path] = kind
            files.add(file(path, "") if kind == "file" else directory(path))

    assert {path: entry.kind for path, entry in files.entries.items() if path} == plainly
    for path in ["", "a", "b", "a/b", "a/b/c"]:
        below = sorted(key for key in plainly if not path or key.startswith(f"{path}/"))
        assert [entry.path for entry in files.below(path)] == below
        if path:
            assert files.is_directory(path) is (plainly[path] == "directory" if path in plainly else bool(below))


# --- images ----------------------------------------------------------------------------------------------------------


def an_image(lab, layer: bytes, name="base", **config):
    """Put an image of one layer into the store."""
    store = Store.from_environment()
    document = {"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": ["sha256:" + "0" * 64]}} | config
    body = json.dumps(document).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": DOCKER.manifest,
        "config": {"mediaType": DOCKER.config, "digest": store.add(body), "size": len(body)},
        "layers": [{"mediaType": DOCKER.layer, "digest": store.add(layer), "size": len(layer)}],
    }
    digest = store.add(json.dumps(manifest).encode())
    store.keep(digest, parse(name).with_tag())
    return digest


def header(name: bytes, kind: bytes, size: int) -> bytes:
    info = tarfile.TarInfo(name.decode())
    info.type, info.size = kind, size
    return info.tobuf(tarfile.PAX_FORMAT)


def bomb(kind: bytes, size: int) -> bytes:
    """A layer whose extended header has `size` bytes, most of them zero: little when compressed."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as squeezed:
        squeezed.write(header(b"x", kind, size))
        for _ in range(size >> 20):
            squeezed.write(bytes(1 << 20))
    return out.getvalue()


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_is_a_bomb_is_not_read(lab, app, kind):
    an_image(lab, bomb(kind, 64 << 20))
    (app / "Dockerfile").write_text("FROM base\nCOPY app.py /\n")
    refused("extended header", "build", ".")


def test_a_base_has_at_most_so_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(filesystem, "MOST", 3)
    with tarfile.open(tmp_path / "layer", "w") as tar:
        for number in range(4):
            tar.addfile(tarfile.TarInfo(str(number)))
    with pytest.raises(DockerError, match="more than 3 files"):
        FileSystem().add_layer(tmp_path / "layer")


def test_headers_within_headers_are_no_traceback(tmp_path):
    one = header(b"x", tarfile.GNUTYPE_LONGNAME, 2) + b"a\0".ljust(512, b"\0")
    (tmp_path / "layer").write_bytes(one * 20_000)
    with pytest.raises(DockerError, match="cannot be read"):
        FileSystem().add_layer(tmp_path / "layer")


EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e"


def test_what_images_say_does_nothing_to_the_terminal(lab, app):
    config = {"config": {"Labels": {"a": EVIL}, "Cmd": [EVIL]}, "author": EVIL, "created": EVIL, "comment": EVIL}
    step = {"created": EVIL, "created_by": EVIL, "comment": EVIL}
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w:gz"):
        pass
    an_image(lab, layer.getvalue(), **config, history=[step])
    (app / "Dockerfile").write_text(f"FROM base\nLABEL b={EVIL}\nCOPY {EVIL} /\n")
    for command in (
        ["history", "--no-trunc", "base"],
        ["inspect", "base"],
        ["inspect", "-f", "{{.Author}} {{.Config.Labels}} {{json .Config}}", "base"],
        ["images"],
        ["images", "--format", "{{.CreatedSince}}"],
        ["build", "."],
        ["pull", EVIL],
        [EVIL],
        ["images", f"--{EVIL}"],
    ):
        done = bounded(*command)
        assert not set(done.stdout + done.stderr) & set(EVIL) - set("[2J]0;owned31m"), command


def test_plain_text_stays_as_it_is():
    assert plain("a\tb\n\u00e9\u20ac\U0001f600") == "a\tb\n\u00e9\u20ac\U0001f600"
    assert plain("\udcff\x00\r") == "\\udcff\\u0000\\u000d"


@pytest.mark.parametrize(
    "config",
    [
        {"config": []},
        {"config": {"Env": "A=1"}},
        {"config": {"Env": [1]}},
        {"config": {"Labels": {"a": 1}}},
        {"config": {"OnBuild": [[]]}},
        {"history": {}},
        {"history": [1]},
        {"history": [{"created_by": 1}]},
        {"rootfs": []},
        {"rootfs": {"diff_ids": 7}},
        {"created": 7},
        {"os": []},
        {"author": {}},
        {"rootfs": None},
    ],
)
@pytest.mark.parametrize("command", [["inspect", "base"], ["history", "base"], ["images"], ["build", "."]])
def test_a_config_of_other_types_is_no_traceback(lab, app, config, command):
    an_image(lab, b"", **config)
    (app / "Dockerfile").write_text("FROM base\nENV B=2\nLABEL c=d\n")
    ran = lab.docker(*command)
    assert ran.status in (0, 1)
    assert ran.status == 0 or len(ran.err.splitlines()) < 12


def test_deep_json_is_no_traceback(lab, app):
    folder = Path(os.environ["DOCKER_CONFIG"])
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text('{"auths": ' + "[" * 100_000 + "]" * 100_000 + "}")
    refused("not valid JSON", "logout", "123456789012.dkr.ecr.us-east-1.amazonaws.com")
