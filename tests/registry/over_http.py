"""The client of `conftest`, over HTTP: layers and manifests by `/v2/`, the rest by the AWS API."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from ecrlab.machine.environment import ACCESS_KEY_ID
from ecrlab.oci.manifest import Manifest
from ecrlab.oci.media_types import MANIFESTS, OCI
from ecrlab.registry import manifest
from tests.registry.conftest import REGION, Client, digest_of


class Refused(Exception):
    """The server refused, with an AWS exception class or a registry code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


@dataclass(frozen=True)
class Pushed:
    """What `push_index` and the callers need of an image."""

    digest: str
    media_type: str


class HttpClient:
    """Pushes to one repository of a running server; one connection, one thread."""

    def __init__(self, endpoint: str, name: str = "app") -> None:
        self.name = name
        self._address = urlsplit(endpoint)
        self._connection = HTTPConnection(self._address.hostname, self._address.port, timeout=60)
        token = self.aws("GetAuthorizationToken")["authorizationData"][0]["authorizationToken"]
        self._login = {"Authorization": f"Basic {token}"}

    def aws(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation of the AWS API."""
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"AmazonEC2ContainerRegistry_V20150921.{operation}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/20260901/{REGION}/ecr/aws4_request, "
            "SignedHeaders=host, Signature=0",
        }
        _, body, _ = self._ask("POST", "/", json.dumps(parameters).encode(), headers)
        return json.loads(body)

    def create(self, encryption: str = "AES256") -> None:
        self.aws("CreateRepository", repositoryName=self.name, encryptionConfiguration={"encryptionType": encryption})

    def layer(self, body: bytes) -> None:
        _, _, headers = self._v2("POST", "blobs/uploads/")
        place = urlsplit(headers["Location"]).path
        self._ask("PATCH", place, body, self._login)
        self._ask("PUT", f"{place}?digest={digest_of(body)}", b"", self._login)

    def push(self, *bodies: bytes, tag: str | None = None, config: bytes = b"{}") -> Pushed:
        for body in (config, *bodies):
            self.layer(body)
        return self.put(Client.manifest(self, *bodies, config=config), tag)

    def push_index(self, *children: Pushed, tag: str | None = None) -> Pushed:
        listed = [{"mediaType": c.media_type, "digest": c.digest, "size": 1} for c in children]
        document = {"schemaVersion": 2, "mediaType": OCI.index, "manifests": listed}
        return self.put(manifest.parse(json.dumps(document).encode()), tag)

    def put(self, pushed: Manifest, tag: str | None = None) -> Pushed:
        headers = {"Content-Type": pushed.media_type}
        self._v2("PUT", f"manifests/{tag or pushed.digest}", pushed.body, headers)
        return Pushed(pushed.digest, pushed.media_type)

    def find(self, digest: str) -> Pushed:
        _, _, headers = self._v2("HEAD", f"manifests/{digest}", headers={"Accept": ", ".join(MANIFESTS)})
        return Pushed(digest, headers["Content-Type"])

    def delete(self, *, tag: str | None = None, digest: str | None = None) -> list[str]:
        image_id = {"imageTag": tag} if tag else {"imageDigest": digest}
        answer = self.aws("BatchDeleteImage", repositoryName=self.name, imageIds=[image_id])
        return [failure["failureCode"] for failure in answer["failures"]]

    @property
    def images(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        page: dict[str, str] = {}
        while True:
            answer = self.aws("DescribeImages", repositoryName=self.name, maxResults=1000, **page)
            found |= {image["imageDigest"]: tuple(image.get("imageTags", ())) for image in answer["imageDetails"]}
            if not answer.get("nextToken"):
                return found
            page = {"nextToken": answer["nextToken"]}

    def close(self) -> None:
        self._connection.close()

    def _v2(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Any:
        return self._ask(method, f"/v2/{self.name}/{path}", body, self._login | (headers or {}))

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise Refused(answer.status, _code(content))
        return answer.status, content, answer.headers


def _code(content: bytes) -> str:
    if not content:
        return ""
    document = json.loads(content)
    return document["errors"][0]["code"] if "errors" in document else document["__type"].rpartition("#")[2]
