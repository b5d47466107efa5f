import gzip
import hashlib
import json
import tarfile

import pytest

from ecrlab.oci.manifest import Manifest
from ecrlab.oci.media_types import OCI
from ecrlab.scanning import open_target, scan
from ecrlab.scanning.errors import LayerError, TargetError, UnsupportedImageError
from ecrlab.scanning.files.targets import layers_of
from tests.scanning.making import debian, file, folder, layer, names, oci_layout, symlink, tar

BASE = layer(*debian(("base", "1")))
LEADING_OUT = '{"schemaVersion": 2, "manifests": [{"digest": "sha256:../x"}]}'
MORE = layer(debian(("base", "1"), ("more", "2"))[1])


def installed(path, **choice):
    return names(scan(open_target(path, **choice)).packages)


def test_an_oci_layout_is_read_as_a_folder_and_as_a_tar(tmp_path):
    layout = oci_layout(tmp_path / "layout", [BASE, MORE])
    with tarfile.open(tmp_path / "layout.tar", "w") as archive:
        archive.add(layout, ".")

    assert installed(layout) == installed(tmp_path / "layout.tar") == ["base 1", "more 2"]


def docker_save(path, *layers: bytes, tags=("app:1",), old_style=False):
    config = {"rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(one).hexdigest() for one in layers]}}
    members = [file("config.json", json.dumps(config))]
    for number, one in enumerate(layers):
        if old_style and number:
            members += [
                folder(f"l{number}"),
                symlink(f"l{number}/layer.tar", "../shared/layer.tar"),
                file("shared/layer.tar", one),
            ]
        else:
            members.append(file(f"l{number}/layer.tar", one))
    paths = [f"l{number}/layer.tar" for number in range(len(layers))]
    members.append(
        file("manifest.json", json.dumps([{"Config": "config.json", "RepoTags": list(tags), "Layers": paths}]))
    )
    path.write_bytes(tar(*members))
    return path


@pytest.mark.parametrize("old_style", [False, True])
def test_an_archive_of_docker_save_is_read(tmp_path, old_style):
    plain = [gzip.decompress(one.open().read()) for one in (BASE, MORE)]

    saved = docker_save(tmp_path / "saved.tar", *plain, old_style=old_style)

    assert installed(saved) == ["base 1", "more 2"]
    assert open_target(saved)[0].digest == "sha256:" + hashlib.sha256(plain[0]).hexdigest()


def test_a_saved_layer_of_other_bytes_than_its_configuration_says_fails(tmp_path):
    saved = docker_save(tmp_path / "saved.tar", gzip.decompress(BASE.open().read()))
    saved.write_bytes(saved.read_bytes().replace(b"Version: 1", b"Version: 2"))

    assert scan(open_target(saved)).status == "FAILED"


def test_of_several_images_one_is_chosen_by_name_and_none_by_chance(tmp_path):
    layout = oci_layout(tmp_path, [BASE], [BASE, MORE], names=["app:old", "app:new"])

    assert installed(layout, reference="app:new") == ["base 1", "more 2"]
    with pytest.raises(TargetError, match="app:old"):
        open_target(layout)
    with pytest.raises(TargetError, match="0 images"):
        open_target(layout, reference="app:none")


def test_of_several_platforms_the_one_asked_for_is_read_and_attestations_are_not(tmp_path):
    layout = oci_layout(tmp_path, [BASE], [BASE, MORE], [MORE])
    index = json.loads((layout / "index.json").read_text())
    for listed, architecture in zip(index["manifests"], ["amd64", "arm64", "unknown"], strict=True):
        listed["platform"] = {"os": "linux" if architecture != "unknown" else "unknown", "architecture": architecture}
    (layout / "index.json").write_text(json.dumps(index))

    assert installed(layout) == ["base 1"]
    assert installed(layout, platform="linux/arm64") == ["base 1", "more 2"]


def test_a_layout_whose_index_is_behind_an_index_is_read(tmp_path):
    layout = oci_layout(tmp_path, [BASE])
    inner = (layout / "index.json").read_bytes()
    digest = hashlib.sha256(inner).hexdigest()
    (layout / "blobs" / "sha256" / digest).write_bytes(inner)
    outer = {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": f"sha256:{digest}", "size": len(inner)}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [outer]}))

    assert installed(layout) == ["base 1"]


def test_a_manifest_of_an_unknown_kind_beside_the_image_is_passed_over(tmp_path):
    layout = oci_layout(tmp_path, [BASE])
    index = json.loads((layout / "index.json").read_text())
    other = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.other+json"}).encode()
    digest = hashlib.sha256(other).hexdigest()
    (layout / "blobs" / "sha256" / digest).write_bytes(other)
    index["manifests"].append({"mediaType": "x", "digest": f"sha256:{digest}", "size": len(other)})
    (layout / "index.json").write_text(json.dumps(index))

    assert installed(layout) == ["base 1"]


def test_a_manifest_of_other_bytes_than_its_digest_says_is_refused(tmp_path):
    layout = oci_layout(tmp_path, [BASE])
    (listed,) = json.loads((layout / "index.json").read_text())["manifests"]
    manifest = layout / "blobs" / listed["digest"].replace(":", "/")
    manifest.write_text(manifest.read_text() + " ")

    with pytest.raises(LayerError, match="another digest"):
        open_target(layout)


def test_a_missing_layer_fails_the_scan(tmp_path):
    layout = oci_layout(tmp_path, [BASE])
    (layout / "blobs" / BASE.digest.replace(":", "/")).unlink()

    report = scan(open_target(layout))

    assert report.status == "FAILED"
    assert "cannot be opened" in (report.reason or "")


def test_a_layer_that_is_a_link_to_itself_fails_the_scan(tmp_path):
    layout = oci_layout(tmp_path / "layout", [BASE])
    blob = layout / "blobs" / BASE.digest.replace(":", "/")
    blob.unlink()
    blob.symlink_to(blob.name)
    with tarfile.open(tmp_path / "layout.tar", "w") as archive:
        archive.add(layout, ".")

    assert scan(open_target(layout)).status == "FAILED"
    assert scan(open_target(tmp_path / "layout.tar")).status == "FAILED"


@pytest.mark.parametrize(
    ("config", "artifact"),
    [
        ("application/vnd.cncf.helm.config.v1+json", None),
        ("application/vnd.oci.image.config.v1+json", "application/spdx+json"),
    ],
)
def test_an_artifact_that_is_no_image_is_unsupported(config, artifact):
    image = Manifest(b"", "", OCI.manifest, artifact_type=artifact or config)

    with pytest.raises(UnsupportedImageError, match="no container image"):
        layers_of(image, lambda digest: BASE.open())


@pytest.mark.parametrize(
    "layers", [[{}], [{"digest": "sha256:../../etc/passwd", "mediaType": "x"}], ["x"], [{"digest": 1}]]
)
def test_a_layer_without_a_proper_digest_is_refused(tmp_path, layers):
    layout = oci_layout(tmp_path, [BASE])
    index = json.loads((layout / "index.json").read_text())
    blob = layout / "blobs" / index["manifests"][0]["digest"].replace(":", "/")
    data = json.dumps(json.loads(blob.read_text()) | {"layers": layers}).encode()
    index["manifests"][0]["digest"] = "sha256:" + hashlib.sha256(data).hexdigest()
    (blob.parent / hashlib.sha256(data).hexdigest()).write_bytes(data)
    (layout / "index.json").write_text(json.dumps(index))

    with pytest.raises(TargetError, match="cannot be read: layers"):
        open_target(layout)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("x.tar", b"no tar at all", "cannot be read"),
        ("x.tar.gz", gzip.compress(b"x", mtime=0), "gunzip it first"),
        ("x.tar", tar(file("readme")), "neither an OCI image layout nor"),
        ("x.tar", tar(file("index.json", "{")), "cannot be read"),
        ("x.tar", tar(file("index.json", "[" * 100_000)), "cannot be read"),
        (
            "x.tar",
            tar(file("index.json", '{"schemaVersion": 2, "manifests": [{"digest": "sha256:../x"}]}')),
            "invalid digest",
        ),
        ("x.tar", tar(file("index.json", bytes(5 << 20))), "larger than"),
        ("x.tar", tar(file("manifest.json", "[]")), "0 images"),
        ("x.tar", tar(file("manifest.json", '[{"Config": "gone"}]')), "there is no file gone"),
        ("x.tar", tar(symlink("manifest.json", "manifest.json")), "no file in it"),
    ],
)
def test_what_is_no_image_is_refused_with_the_reason(tmp_path, name, content, why):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(TargetError, match=why):
        open_target(tmp_path / name)
