"""What the thread that leads may answer by itself, while everybody else waits."""

import pytest

from ecrlab.registry.world import World

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20261001/us-east-1/ses/aws4_request, SignedHeaders=host, Signature=0"


def environ(method, path, query="", authorization=""):
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_AUTHORIZATION": authorization,
    }


@pytest.mark.parametrize(
    "said",
    [
        environ("GET", "/v2/", authorization="Basic abc"),
        environ("GET", "/v2/app/blobs/sha256:0"),
        environ("HEAD", "/v2/app/manifests/v1"),
        environ("POST", "/v2/app/blobs/uploads/"),
        environ("PATCH", "/v2/app/blobs/uploads/1"),
    ],
)
def test_looking_and_beginning_are_quick_unless_a_night_is_to_be_lived_through_first(server, monkeypatch, said):
    assert server._is_quick(said)
    monkeypatch.setattr(World, "is_behind", True)
    assert not server._is_quick(said)


@pytest.mark.parametrize(
    "said",
    [
        environ("PUT", "/v2/app/manifests/v1"),
        environ("PUT", "/v2/app/blobs/uploads/1", "digest=sha256:0"),
        environ("POST", "/v2/app/blobs/uploads/", "digest=sha256:0"),
        environ("POST", "/v2/app/blobs/uploads/", "mount=sha256:0&from=base"),
        environ("DELETE", "/v2/app/manifests/v1"),
        environ("POST", "/"),
        environ("GET", "/"),
        environ("POST", "/v2/email/outbound-emails", authorization=SIGNED),
    ],
)
def test_what_waits_for_a_disk_or_for_moto_is_not_quick(server, said):
    assert not server._is_quick(said)
