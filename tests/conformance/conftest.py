"""A real server, and a client that says exactly what it is told to say."""

import base64
import hashlib
import itertools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

PUBLIC = "public.ecr.aws"
SPECIFICATION = ("test_listings", "test_manifests", "test_pull_blobs", "test_push_blobs")
"""The modules whose tests a public repository passes too."""

_names = itertools.count(1)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of the one error that the body tells."""
        [error] = self.json["errors"]
        return error["code"]

    @property
    def message(self) -> str:
        [error] = self.json["errors"]
        return error["message"]

    @property
    def location(self) -> str:
        return self.headers["Location"]


class Client:
    """Plain HTTP to one server, with a registry token."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.address = (urlsplit(endpoint).hostname, urlsplit(endpoint).port)
        self.aws = boto3.client("ecr", endpoint_url=endpoint, region_name="us-east-1")
        token = self.aws.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        self.authorization = {"Authorization": f"Basic {token}"}
        self.password = base64.b64decode(token).decode().partition(":")[2]
        self._connection = HTTPConnection(*self.address, timeout=20)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        *,
        anonymous: bool = False,
        chunked: bool = False,
    ) -> Answer:
        sent = {**({} if anonymous else self.authorization), **(headers or {})}
        try:
            self._connection.request(method, path, body, sent, encode_chunked=chunked)
            response = self._connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except Exception:
            self._connection.close()
            raise

    def new_repository(self, **settings: Any) -> str:
        name = f"conformance/repo-{next(_names)}"
        self.aws.create_repository(repositoryName=name, **settings)
        return name

    def raw(self) -> socket.socket:
        """A connection for what no HTTP library would send."""
        return socket.create_connection(self.address, timeout=20)


class PublicClient(Client):
    """The same at public.ecr.aws, with the token of a login."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.aws = boto3.client("ecr-public", endpoint_url=endpoint, region_name="us-east-1")
        login = self.aws.get_authorization_token()["authorizationData"]["authorizationToken"]
        self.authorization = {"Host": PUBLIC, "Authorization": f"Basic {login}"}
        self.authorization["Authorization"] = f"Bearer {self.ask('GET', '/token/').json['token']}"

    def new_repository(self, **settings: Any) -> str:
        name = f"conformance/repo-{next(_names)}"
        made = self.aws.create_repository(repositoryName=name, **settings)["repository"]
        return made["repositoryUri"].removeprefix(f"{PUBLIC}/")


class Repository:
    """One fresh repository, and the usual things done to it."""

    def __init__(self, client: Client, **settings: Any) -> None:
        self.client = client
        self.name = client.new_repository(**settings)

    def ask(self, method: str, rest: str, *args: Any, **kwargs: Any) -> Answer:
        return self.client.ask(method, f"/v2/{self.name}/{rest}", *args, **kwargs)

    def begin(self) -> str:
        answer = self.ask("POST", "blobs/uploads/")
        assert answer.status == 202
        return answer.location

    def push_blob(self, body: bytes, algorithm: str = "sha256") -> str:
        """POST and PUT; gives the digest."""
        digest = digest_of(body, algorithm)
        answer = self.client.ask("PUT", with_digest(self.begin(), digest), body)
        assert answer.status == 201, answer.body
        return digest

    def descriptor(self, body: bytes, media_type: str, algorithm: str = "sha256") -> dict[str, Any]:
        return {
            "mediaType": media_type,
            "digest": self.push_blob(body, algorithm),
            "size": len(body),
        }

    def image(self, layers: int = 1, algorithm: str = "sha256", **members: Any) -> dict[str, Any]:
        """A manifest whose config and layers have been pushed."""
        return {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.descriptor(os.urandom(64), OCI_CONFIG, algorithm),
            "layers": [self.descriptor(os.urandom(512), OCI_LAYER, algorithm) for _ in range(layers)],
            **members,
        }

    def put(self, manifest: dict[str, Any] | bytes, reference: str | None = None, **kwargs: Any) -> Answer:
        """PUT of a manifest, by default under its own digest."""
        body = manifest if isinstance(manifest, bytes) else encode(manifest)
        media_type = json.loads(body)["mediaType"]
        reference = reference or digest_of(body)
        return self.ask("PUT", f"manifests/{reference}", body, {"Content-Type": media_type}, **kwargs)

    def push_image(self, reference: str | None = None, **members: Any) -> tuple[str, bytes]:
        """A whole small image; gives its digest and manifest."""
        body = encode(self.image(**members))
        assert self.put(body, reference).status == 201
        return digest_of(body), body

    def index(self, *manifests: bytes, **members: Any) -> dict[str, Any]:
        children = [
            {"mediaType": json.loads(body)["mediaType"], "digest": digest_of(body), "size": len(body)}
            for body in manifests
        ]
        return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children, **members}


def digest_of(body: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"


def encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=3).encode()


def with_digest(location: str, digest: str) -> str:
    joint = "&" if "?" in location else "?"
    return f"{location}{joint}digest={digest.replace(':', '%3A')}"


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    state = tmp_path_factory.mktemp("state")
    process = subprocess.Popen(
        [sys.executable, "-m", "ecrlab", "serve", "--state", str(state / "registry")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process, process.stdout as out:
        yield out.readline().strip()
        process.terminate()
        process.wait(20)
    assert process.returncode == 0
    # Nothing was left outside of the registry's own directory.
    assert [path.name for path in state.iterdir()] == ["registry"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "private: what ECR Public lacks, or says in other words")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    module = metafunc.module.__name__.rpartition(".")[2]
    is_private = metafunc.definition.get_closest_marker("private")
    if "client" in metafunc.fixturenames and module in SPECIFICATION and not is_private:
        metafunc.parametrize("client", [Client, PublicClient], ids=["private", "public"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def client(request: pytest.FixtureRequest, endpoint: str) -> Client:
    # One for each module: between two of them a connection could be idle for longer than the server waits.
    # A new registry of ECR mounts no layers; the specification's behaviours are those of one that does.
    boto3.client("ecr", endpoint_url=endpoint).put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
    kind: type[Client] = getattr(request, "param", Client)
    return kind(endpoint)


@pytest.fixture
def repository(client: Client) -> Repository:
    return Repository(client)


@pytest.fixture
def other_repository(client: Client) -> Repository:
    return Repository(client)
