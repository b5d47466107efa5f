"""Platforms: how they are written, and which image is for which."""

import pytest

from ecrlab.docker.errors import DockerError
from ecrlab.docker.platforms import choose, default_platform, normalized, suits
from ecrlab.oci.manifest import Descriptor, Manifest
from ecrlab.oci.media_types import OCI


@pytest.mark.parametrize(
    ("offered", "wanted", "fits"),
    [
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm64", "arm64", True),
        ("linux/arm64", "linux/arm", False),
        ("linux/arm/v7", "linux/arm", True),
        ("linux/arm", "linux/arm/v7", False),
        ("linux/amd64", "windows/amd64", False),
        ("unknown/unknown", "linux/amd64", False),
    ],
)
def test_what_can_be_taken_for_what(offered, wanted, fits):
    assert suits(offered, wanted) is fits


@pytest.mark.parametrize("text", ["", "toaster", "linux", "linux/toaster", "linux/arm/v7/x"])
def test_what_is_no_platform_is_refused(text):
    with pytest.raises(DockerError):
        normalized(text)


def test_an_entry_without_a_platform_is_never_chosen():
    anything = Descriptor(OCI.manifest, "a", 1)
    usual = Descriptor(OCI.manifest, "b", 1, {"os": "linux", "architecture": "amd64"})
    index = Manifest(b"", "c", OCI.index, children=(anything, usual))
    assert choose(index, "linux/amd64", "x") == "b"


def test_the_usual_platform_does_not_depend_on_the_machine(monkeypatch):
    monkeypatch.delenv("DOCKER_DEFAULT_PLATFORM", raising=False)
    assert default_platform() == "linux/amd64"
    monkeypatch.setenv("DOCKER_DEFAULT_PLATFORM", "aarch64")
    assert default_platform() == "linux/arm64"
