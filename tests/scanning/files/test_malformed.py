"""Images on disk that are malformed at any place: a refusal or a failed scan with one sentence, never a traceback."""

import gzip
import hashlib
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecrlab.scanning import ScanError, open_target, take_inventory
from tests.scanning.making import debian, file, folder, layer, symlink, tar
from tests.scanning.malforming import changed, variants

LAYER = layer(*debian(("base", "1")))
PLAIN = gzip.decompress(LAYER.open().read())
CONFIG = {
    "architecture": "amd64",
    "os": "linux",
    "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(PLAIN).hexdigest()]},
}
ODD_BYTES = [
    b"", b"{", b"\xff\xfe\0", b"\0" * 100, b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000, b"NaN", b"nul", b'"text"',
    b'{"a": 1, "a": 2}',
]  # fmt: skip


def outcome(path: Path, **choice: str) -> str:
    """How the scan of an image ends: its status, or "refused"; anything but a ScanError is a traceback."""
    try:
        return take_inventory(open_target(path, **choice)).status
    except ScanError as refused:
        assert str(refused)
        return "refused"


class Layout:
    """An OCI layout whose documents can be any bytes, their digests made to fit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "blobs" / "sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        stored = LAYER.open().read()
        self.layer = {"mediaType": LAYER.media_type, "digest": self.blob(stored), "size": len(stored)}

    def blob(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        (self.path / "blobs" / "sha256" / digest).write_bytes(data)
        return f"sha256:{digest}"

    def config(self, data: bytes) -> dict[str, Any]:
        media_type = "application/vnd.oci.image.config.v1+json"
        return {"mediaType": media_type, "digest": self.blob(data), "size": len(data)}

    def manifest(self, config: bytes) -> dict[str, Any]:
        media_type = "application/vnd.oci.image.manifest.v1+json"
        return {"schemaVersion": 2, "mediaType": media_type, "config": self.config(config), "layers": [self.layer]}

    def index(self, manifest: bytes) -> dict[str, Any]:
        media_type = "application/vnd.oci.image.manifest.v1+json"
        listed = {"mediaType": media_type, "digest": self.blob(manifest), "size": len(manifest)}
        more = {
            "annotations": {"org.opencontainers.image.ref.name": "v1"},
            "platform": {"os": "linux", "architecture": "amd64"},
        }
        return {"schemaVersion": 2, "manifests": [listed | more]}

    def write(self, part: str = "", data: bytes = b"") -> Path:
        config = data if part == "config" else json.dumps(CONFIG).encode()
        manifest = data if part == "manifest" else json.dumps(self.manifest(config)).encode()
        index = data if part == "index" else json.dumps(self.index(manifest)).encode()
        (self.path / "index.json").write_bytes(index)
        return self.path

    def document(self, part: str) -> Any:
        config = json.dumps(CONFIG).encode()
        manifest = self.manifest(config)
        return {"config": CONFIG, "manifest": manifest, "index": self.index(json.dumps(manifest).encode())}[part]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


def test_the_layout_is_fine_as_it_is(layout: Layout) -> None:
    assert outcome(layout.write()) == "COMPLETE"


@pytest.mark.parametrize("part", ["index", "manifest", "config"])
def test_a_document_of_a_layout_may_have_anything_anywhere(layout: Layout, part: str) -> None:
    for odd in variants(layout.document(part)):
        end = outcome(layout.write(part, json.dumps(odd).encode()), reference="v1", platform="linux/amd64")
        assert end in ("COMPLETE", "FAILED", "UNSUPPORTED_IMAGE", "refused")


@pytest.mark.parametrize("part", ["index", "manifest", "config"])
@pytest.mark.parametrize("odd", ODD_BYTES)
def test_a_document_of_a_layout_may_be_any_bytes(layout: Layout, part: str, odd: bytes) -> None:
    assert outcome(layout.write(part, odd), platform="linux/amd64") == "refused"


@pytest.mark.parametrize("part", ["index", "manifest"])
def test_what_an_image_needs_is_missed(layout: Layout, part: str) -> None:
    document = layout.document(part)
    needed = {
        "index": [("manifests",), ("manifests", 0, "digest")],
        "manifest": [("config",), ("config", "digest"), ("layers",)],
    }
    for place in needed[part]:
        odd = changed(document, place, lambda inner, key: inner.pop(key))
        assert outcome(layout.write(part, json.dumps(odd).encode())) in ("refused", "UNSUPPORTED_IMAGE")


def blobs(layout: Layout) -> list[Path]:
    return sorted((layout.path / "blobs" / "sha256").iterdir())


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def to_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def to_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("spoil", [Path.unlink, to_folder, to_loop, to_pipe, lambda path: path.write_bytes(b"other")])
def test_a_file_of_a_layout_may_be_gone_or_no_file_or_another(layout: Layout, spoil: Callable[[Path], None]) -> None:
    layout.write()
    for number in range(-1, len(blobs(layout))):
        again = Layout(layout.path.with_name(f"layout-{number}"))
        again.write()
        spoil(blobs(again)[number] if number >= 0 else again.path / "index.json")
        assert outcome(again.path) in ("refused", "FAILED")
        if number >= 0 and spoil is not to_pipe:
            assert outcome(archived(again.path)) in ("refused", "FAILED")


def archived(path: Path) -> Path:
    with tarfile.open(path.with_suffix(".tar"), "w") as archive:
        archive.add(path, ".")
    return path.with_suffix(".tar")


@pytest.mark.parametrize("share", [0.001, 0.1, 0.3, 0.6])
def test_an_archive_may_be_cut_off(layout: Layout, share: float) -> None:
    whole = archived(layout.write())
    data = whole.read_bytes().rstrip(b"\0")
    whole.write_bytes(data[: int(len(data) * share)])

    assert outcome(whole) in ("refused", "FAILED", "UNSUPPORTED_IMAGE")


def test_an_archive_may_have_any_byte_changed(layout: Layout) -> None:
    whole = archived(layout.write())
    data = whole.read_bytes()
    for place in range(0, len(data.rstrip(b"\0")), 97):
        whole.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        outcome(whole)


@pytest.mark.parametrize("packed", ["gzip", "zstd"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_layer_may_be_cut_off_and_its_digest_fit(layout: Layout, packed: str, share: float) -> None:
    zstandard = pytest.importorskip("zstandard")
    data = gzip.compress(PLAIN, mtime=0) if packed == "gzip" else zstandard.compress(PLAIN)
    data = data[: int(len(data) * share)]
    media_type = f"application/vnd.oci.image.layer.v1.tar+{packed}"
    layout.layer = {"mediaType": media_type, "digest": layout.blob(data), "size": len(data)}

    assert outcome(layout.write()) == "FAILED"


def saved(path: Path, manifest: bytes, config: bytes) -> Path:
    members = [file("manifest.json", manifest), file("config.json", config), file("layer.tar", PLAIN)]
    path.write_bytes(tar(*members, folder("d"), symlink("loop", "loop")))
    return path


SAVED = [{"Config": "config.json", "RepoTags": ["app:1"], "Layers": ["layer.tar"]}]


def test_the_archive_of_docker_save_is_fine_as_it_is(tmp_path: Path) -> None:
    path = saved(tmp_path / "saved.tar", json.dumps(SAVED).encode(), json.dumps(CONFIG).encode())

    assert outcome(path, reference="app:1", platform="linux/amd64") == "COMPLETE"


@pytest.mark.parametrize("part", ["manifest", "config"])
def test_a_document_of_docker_save_may_have_anything_anywhere(tmp_path: Path, part: str) -> None:
    path = tmp_path / "saved.tar"
    good = {"manifest": SAVED, "config": CONFIG}
    odds = [json.dumps(odd).encode() for odd in variants(good[part])]
    for odd in [*odds, *ODD_BYTES]:
        data = {key: json.dumps(value).encode() for key, value in good.items()} | {part: odd}
        for choice in ({}, {"reference": "app:1"}, {"platform": "linux/amd64"}):
            outcome(saved(path, data["manifest"], data["config"]), **choice)


@pytest.mark.parametrize("name", ["gone", "d", "loop", "../x", "/etc/passwd", "", "."])
@pytest.mark.parametrize("member", ["Config", "Layers"])
def test_docker_save_may_name_what_is_no_file(tmp_path: Path, name: str, member: str) -> None:
    manifest = [{**SAVED[0], member: name if member == "Config" else [name]}]
    path = saved(tmp_path / "saved.tar", json.dumps(manifest).encode(), json.dumps(CONFIG).encode())

    assert outcome(path) == "refused"


def test_no_name_leads_out_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "layer.tar").write_bytes(PLAIN)
    (tmp_path / "saved").mkdir()
    manifest = [{"Config": "../config.json", "Layers": [str(tmp_path / "layer.tar")]}]
    (tmp_path / "saved" / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(ScanError, match="leads out"):
        open_target(tmp_path / "saved")


def test_what_is_neither_file_nor_folder_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(ScanError, match="neither a file nor a folder"):
        open_target(tmp_path / "pipe")
