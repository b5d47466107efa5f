"""What layers add up to, layers being hostile."""

import io
import tarfile

import pytest

from ecrlab.docker import filesystem
from ecrlab.docker.errors import DockerError
from ecrlab.docker.filesystem import FileSystem
from ecrlab.oci.layers import Entry, directory, file


def stacked(*layers):
    files = FileSystem()
    for layer in layers:
        for entry in layer:
            files.add(entry)
    return files


def tarball(path, *members):
    """A tar with members given as name and what to set."""
    with tarfile.open(path, "w:gz") as tar:
        for name, settings in members:
            member = tarfile.TarInfo(name)
            for key, value in settings.items():
                setattr(member, key, value)
            tar.addfile(member, io.BytesIO(b"x" * min(member.size, 100)))
    return path


def test_an_upper_file_hides_the_lower():
    files = stacked([directory("a"), file("a/b", "old")], [file("a/b", "new")])
    assert files.entries["a/b"].content == b"new"


def test_a_whiteout_removes_a_file_or_all_of_a_directory():
    below = [directory("a"), file("a/b", ""), file("a/c", ""), directory("d"), file("d/e", "")]
    files = stacked(below, [file("a/.wh.b", ""), file(".wh.d", "")])
    assert set(files.entries) == {"", "a", "a/c"}


def test_an_opaque_directory_begins_anew():
    files = stacked([directory("a"), file("a/b", "")], [file("a/.wh..wh..opq", ""), file("a/c", "")])
    assert set(files.entries) == {"", "a", "a/c"}


def test_a_file_in_place_of_a_directory_takes_away_what_was_in_it():
    files = stacked([directory("a"), file("a/b", "")], [file("a", "")])
    assert set(files.entries) == {"", "a"}


def test_links_are_followed_within_the_image():
    files = stacked(
        [
            Entry("bin", "link", target="usr/bin"),
            Entry("etc/os", "link", target="../usr/lib/os"),
            Entry("abs", "link", target="/etc/os"),
            Entry("up", "link", target="../../../../x"),
        ]
    )
    assert files.resolve("/bin/sh") == "usr/bin/sh"
    assert files.resolve("abs") == "usr/lib/os"
    assert files.resolve("up") == "x"


def test_links_in_a_circle_are_refused():
    files = stacked([Entry("a", "link", target="b"), Entry("b", "link", target="a")])
    with pytest.raises(DockerError) as caught:
        files.resolve("a")
    assert "too many links" in str(caught.value)


def test_entries_that_climb_out_and_devices_are_left_out(tmp_path):
    files = FileSystem()
    layer = tarball(
        tmp_path / "layer",
        ("../../etc/passwd", {}),
        ("/./abs", {}),
        (".hidden", {}),
        ("null", {"type": tarfile.CHRTYPE}),
        ("hard", {"type": tarfile.LNKTYPE, "linkname": "./.hidden"}),
        ("dangling", {"type": tarfile.LNKTYPE, "linkname": "nowhere"}),
    )
    files.add_layer(layer)
    assert set(files.entries) == {"", "abs", ".hidden", "hard"}


def test_a_layer_that_is_no_tar_or_too_large_is_refused(tmp_path, monkeypatch):
    (tmp_path / "junk").write_bytes(b"\x1f\x8bjunk")
    with pytest.raises(DockerError):
        FileSystem().add_layer(tmp_path / "junk")
    monkeypatch.setattr(filesystem, "LARGEST", 10)
    with pytest.raises(DockerError) as caught:
        FileSystem().add_layer(tarball(tmp_path / "big", ("big", {"size": 11})))
    assert "too much for a build without an engine" in str(caught.value)
