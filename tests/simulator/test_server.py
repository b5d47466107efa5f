"""What the thread that leads may begin to answer by itself, while everybody else waits."""

import pytest

from ecrlab.simulator.dispatch import is_for_docker

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20261001/us-east-1/ses/aws4_request, SignedHeaders=host, Signature=0"


@pytest.mark.parametrize(
    ("path", "authorization", "expected"),
    [
        ("/v2", "", True),
        ("/v2/", "Basic abc", True),
        ("/v2/app/blobs/sha256:0", "Bearer abc", True),
        ("/v2x", "", False),
        ("/", "", False),
        ("/", SIGNED, False),
        ("/v2/email/outbound-emails", SIGNED, False),
    ],
)
def test_it_speaks_the_protocol_of_docker_registries_and_is_not_for_moto(path, authorization, expected):
    assert is_for_docker({"PATH_INFO": path, "HTTP_AUTHORIZATION": authorization}) == expected
