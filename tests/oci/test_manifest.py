"""One reader of manifests, for the registry, the scanner and the docker command alike."""

import json

import pytest

from ecrlab.oci.manifest import Descriptor, InvalidManifest, NotJson, UnknownMediaType, read
from ecrlab.oci.media_types import DOCKER, OCI

DIGEST = f"sha256:{1:064}"
CONFIG = {"mediaType": OCI.config, "digest": DIGEST, "size": 2}
LAYER = {"mediaType": OCI.layer, "digest": f"sha256:{2:064}", "size": 10}


def written(**members: object) -> bytes:
    return json.dumps({"schemaVersion": 2} | members).encode()


def test_an_image_has_a_config_and_layers() -> None:
    image = read(written(mediaType=OCI.manifest, config=CONFIG, layers=[LAYER]))

    assert image.config == Descriptor(OCI.config, DIGEST, 2)
    assert image.layers == (Descriptor(OCI.layer, f"sha256:{2:064}", 10),)
    assert image.blobs == (image.config, *image.layers)
    assert image.is_container_image and not image.is_index


def test_an_index_says_which_image_is_for_which_platform() -> None:
    platform = {"os": "linux", "architecture": "arm", "variant": "v7"}
    child = {"mediaType": OCI.manifest, "digest": DIGEST, "size": 9, "platform": platform, "annotations": {"a": "b"}}
    index = read(written(mediaType=DOCKER.index, manifests=[child]))

    assert index.is_index and not index.is_container_image and index.blobs == ()
    assert (index.children[0].platform_name, index.children[0].annotations) == ("linux/arm/v7", {"a": "b"})


@pytest.mark.parametrize(("members", "kind"), [({"config": CONFIG}, OCI.manifest), ({"manifests": []}, OCI.index)])
def test_the_members_tell_the_kind_where_nothing_else_does(members: dict[str, object], kind: str) -> None:
    assert read(written(**members), by_members=True).media_type == kind
    with pytest.raises(UnknownMediaType, match="no mediaType"):
        read(written(**members))


def test_an_artifact_is_no_container_image() -> None:
    chart = {**CONFIG, "mediaType": "application/vnd.cncf.helm.config.v1+json"}

    assert not read(written(mediaType=OCI.manifest, config=chart)).is_container_image
    assert not read(written(mediaType=OCI.manifest, config=CONFIG, artifactType="a/b")).is_container_image


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b" " * 5_000_000])
def test_what_is_no_json_object_is_told_apart(body: bytes) -> None:
    with pytest.raises(NotJson):
        read(body)


def test_blobs_have_at_most_63_bits_of_bytes_together() -> None:
    foreign = {**LAYER, "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar", "size": 2**62}

    assert read(written(mediaType=OCI.manifest, config=CONFIG, layers=[foreign])).layers[0].is_foreign
    with pytest.raises(InvalidManifest, match="together"):
        read(written(mediaType=OCI.manifest, config=CONFIG, layers=[foreign, foreign]))
