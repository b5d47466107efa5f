"""Who gets which request, and that nobody waits for another's disk."""

import hashlib
import threading
import urllib.request

import pytest

from ecrlab.registry.store.blobs import BlobStore
from ecrlab.simulator.dispatch import is_for_docker
from tests.simulator.client import client_of

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


def test_while_a_layer_comes_to_the_disk_others_are_answered(server, region, monkeypatch):
    ecr = client_of(server.endpoint, "ecr", region)
    ecr.create_repository(repositoryName="app")
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    syncing, go_on = threading.Event(), threading.Event()
    sync = BlobStore.sync

    def slowly(store, written):
        syncing.set()
        assert go_on.wait(10)
        sync(store, written)

    monkeypatch.setattr(BlobStore, "sync", slowly)

    def ask(method, path, body=None):
        headers = {"Authorization": f"Basic {token}", "Content-Type": "application/octet-stream"}
        request = urllib.request.Request(f"{server.endpoint}{path}", body, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers

    _, headers = ask("POST", "/v2/app/blobs/uploads/")
    digest = "sha256:" + hashlib.sha256(b"layer").hexdigest()
    statuses = []
    path = f"{headers['Location']}?digest={digest}"
    pushing = threading.Thread(target=lambda: statuses.append(ask("PUT", path, b"layer")[0]))
    pushing.start()
    assert syncing.wait(10)
    assert ask("GET", "/v2/")[0] == 200
    go_on.set()
    pushing.join()
    assert statuses == [201]
