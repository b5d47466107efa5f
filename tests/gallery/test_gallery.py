"""The gallery: digests that never change, images that hold together, package databases that their own tools read."""

import hashlib
import io
import json
import shutil
import subprocess
import tarfile

import pytest

from ecrlab import gallery
from ecrlab.gallery import catalogue

LIBRARY = "docker/library/"
DIGESTS = {
    "alpine:3.14.8": "sha256:eb425a959232e1c4d1a01269dd8172e5bc98a2bcf50c7b301e491b7793e902b6",
    "alpine:3.15.6": "sha256:9ec072fd054b9cfddcd58febd5714d4934f848d3960be478098f710bcc3cedf0",
    "alpine:3.16.3": "sha256:db4a51c2479620d0a5177356d6c4d415dc7a7327a52118302069d047e2d6b2ea",
    "alpine:3.17.1": "sha256:2db537d59ac4f86b32f7bb85eaa169e70f09694f0ec75e279a9448251bfd1a75",
    "alpine:3.21.8": "sha256:35f30e8bf0aa7738e6e20a469fad09ce12482d8d6cd24e7bb60951c78e061372",
    "alpine:3.22.6": "sha256:055ecc71cddde3cbcb6087a7a3afc460e6d2e3e16ad33d2258da481c7ccae398",
    "alpine:3.23.6": "sha256:d4aab452f9743c5ca557a6346b39b3118f7c218a2c54e9d1390635a7f0292820",
    "debian:bookworm-20260824-slim": "sha256:f396e11374274bce5f4ad5224c30b7a67f943a1632b229d1db4649ba307ab9d6",
    "debian:bullseye-20230109-slim": "sha256:80ec1c23891167cc288d175874d8d42e55d0e3cbe23955204ce43d060ff062b6",
    "nginx:1.23.3-alpine-slim": "sha256:0274991a361a6c978aee1b82fac4a6de6998859975d6090b904bbcbefa116b02",
    "node:18-alpine3.16": "sha256:1c660a1279bf158fd1e24d4d8fcc85af147d18a215ac4e1e5dc18b2e2df240b8",
    "python:3.11.1-slim": "sha256:bb9aef3ffcae5c18e3037e70acd2ec3df9c41052577d25d9d47df2e2e0e92155",
    "python:3.11.1-slim-bullseye": "sha256:bb9aef3ffcae5c18e3037e70acd2ec3df9c41052577d25d9d47df2e2e0e92155",
    "python:3.12-slim-bookworm": "sha256:a226a42d41851fdcf23d28f54dc2a0711730f22ff9f49739c6e8634b72b8a450",
    "python:3.12.14-slim-bookworm": "sha256:a226a42d41851fdcf23d28f54dc2a0711730f22ff9f49739c6e8634b72b8a450",
}


def every_tag():
    return [(repository, tag) for repository in gallery.repositories() for tag in gallery.tags(repository)]


def children(repository, tag):
    """The manifests of an image, by architecture."""
    index = json.loads(gallery.manifest(repository, tag).body)
    return {
        child["platform"]["architecture"]: json.loads(gallery.manifest(repository, child["digest"]).body)
        for child in index["manifests"]
    }


def files(repository, tag, architecture="amd64"):
    """What an image holds, the upper layers over the lower ones: text by path."""
    found = {}
    for layer in children(repository, tag)[architecture]["layers"]:
        with tarfile.open(fileobj=io.BytesIO(gallery.blob(repository, layer["digest"]))) as tar:
            found |= {member.name: tar.extractfile(member).read().decode() for member in tar if member.isfile()}
    return found


def config(repository, tag, architecture="amd64"):
    return json.loads(gallery.blob(repository, children(repository, tag)[architecture]["config"]["digest"]))


def test_digests_never_change():
    found = {
        f"{repository.removeprefix(LIBRARY)}:{tag}": gallery.manifest(repository, tag).digest
        for repository, tag in every_tag()
    }
    assert found == DIGESTS


@pytest.mark.parametrize(("repository", "tag"), every_tag())
def test_every_descriptor_of_an_image_leads_to_its_bytes(repository, tag):
    index = gallery.manifest(repository, tag)
    assert index.digest == "sha256:" + hashlib.sha256(index.body).hexdigest()
    for child in json.loads(index.body)["manifests"]:
        found = gallery.manifest(repository, child["digest"])
        assert (found.media_type, len(found.body)) == (child["mediaType"], child["size"])
        manifest = json.loads(found.body)
        for part in (manifest["config"], *manifest["layers"]):
            body = gallery.blob(repository, part["digest"])
            assert part["size"] == len(body)
            assert part["digest"] == "sha256:" + hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(("repository", "tag"), every_tag())
def test_an_image_says_that_it_is_a_stand_in_and_has_no_programs(repository, tag):
    for architecture in gallery.PLATFORMS:
        assert config(repository, tag, architecture)["history"][-1]["comment"].startswith("A stand-in made by ecrlab")
        assert "A stand-in" in files(repository, tag, architecture)["etc/ecrlab-stand-in"]
    assert not [path for path in files(repository, tag) if "bin/" in path]


def test_history_and_layers_of_a_config_agree():
    for repository, tag in every_tag():
        found = config(repository, tag)
        with_layer = [step for step in found["history"] if not step.get("empty_layer")]
        assert len(with_layer) == len(found["rootfs"]["diff_ids"])


def test_an_image_built_on_another_of_the_gallery_shares_its_layer():
    below = children("docker/library/debian", "bullseye-20230109-slim")["amd64"]["layers"]
    above = children("docker/library/python", "3.11.1-slim")["amd64"]["layers"]
    assert above[: len(below)] == below
    assert len(above) == len(below) + 1


def test_settings_are_those_that_were_published():
    found = config("docker/library/nginx", "1.23.3-alpine-slim")
    assert found["config"]["Entrypoint"] == ["/docker-entrypoint.sh"]
    assert found["config"]["Cmd"] == ["nginx", "-g", "daemon off;"]
    assert "NGINX_VERSION=1.23.3" in found["config"]["Env"]
    assert found["created"] == "2023-01-09T18:39:41.114129153Z"


def test_the_debian_release_is_the_point_release_of_its_packages():
    assert files("docker/library/debian", "bullseye-20230109-slim")["etc/debian_version"] == "11.6\n"
    assert files("docker/library/debian", "bookworm-20260824-slim")["etc/debian_version"] == "12.15\n"


def test_a_dpkg_stanza_names_the_source_only_where_it_differs():
    stanzas = files("docker/library/debian", "bookworm-20260824-slim")["var/lib/dpkg/status"].split("\n\n")
    by_name = {stanza.split("\n")[0]: stanza for stanza in stanzas}
    assert "Source:" not in by_name["Package: apt"]
    assert "Source: acl\n" in by_name["Package: libacl1"]
    assert "Source: bash (5.2.15-2)\nVersion: 5.2.15-2+b" in by_name["Package: bash"]


def test_the_arm64_list_differs_only_in_the_architecture():
    amd, arm = (
        files("docker/library/python", "3.12-slim-bookworm", architecture)["var/lib/dpkg/status"]
        for architecture in gallery.PLATFORMS
    )
    assert amd != arm
    assert arm.replace("Architecture: arm64", "Architecture: amd64") == amd


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="no dpkg on this machine")
@pytest.mark.parametrize("tag", gallery.tags("docker/library/python"))
def test_dpkg_itself_reads_the_database(tag, tmp_path):
    (tmp_path / "status").write_text(files("docker/library/python", tag)["var/lib/dpkg/status"])
    ran = subprocess.run(
        [
            "dpkg-query",
            f"--admindir={tmp_path}",
            "-W",
            "-f=${Package} ${Version} ${source:Package} ${source:Version}\n",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    (name,) = [name for name, facts in catalogue.images().items() if tag in facts.tags]
    expected = {f"{p.name} {p.version} {p.source} {p.source_version}" for p in catalogue.packages(name)}
    assert set(ran.stdout.splitlines()) == expected


def test_an_apk_stanza_has_the_letters_of_apk():
    installed = files("docker/library/alpine", "3.17.1")["lib/apk/db/installed"]
    assert "P:libssl3\nV:3.0.7-r2\nA:x86_64\nI:622592\nL:Apache-2.0\no:openssl\n\n" in installed


@pytest.mark.parametrize("name", catalogue.images())
def test_each_list_has_as_many_packages_as_were_published(name):
    published = {
        "debian-bullseye-20230109-slim": 96,
        "debian-bookworm-20260824-slim": 88,
        "python-3.11.1-slim": 105,
    }
    published |= {"python-3.12-slim-bookworm": 105, "node-18-alpine3.16": 16, "nginx-1.23.3-alpine-slim": 19}
    published |= {f"alpine-{version}": 14 for version in ("3.14.8", "3.15.6", "3.16.3")}
    published |= {"alpine-3.17.1": 15, "alpine-3.21.8": 15, "alpine-3.22.6": 16, "alpine-3.23.6": 16}
    assert len(catalogue.packages(name)) == published[name]


def test_what_is_not_in_the_gallery_is_none():
    other = gallery.manifest("docker/library/alpine", "3.17.1").digest
    assert gallery.tags("docker/library/nothing") == []
    assert gallery.manifest("docker/library/debian", "latest") is None
    assert gallery.manifest("docker/library/debian", other) is None
    assert gallery.blob("docker/library/debian", "sha256:" + "0" * 64) is None
