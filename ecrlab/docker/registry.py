"""A client of registries, as Docker has it: OCI distribution over HTTP, with the authentication that ECR demands.

    GET /v2/  ->  401, Www-Authenticate: Basic …   ->  from now on Authorization: Basic <auth of config.json>
                                        Bearer …   ->  GET the realm for a token (ECR Public)

The client sends the registry's name only as `Host` and connects to ECRLAB_ENDPOINT, which must be an address of this
machine. It rejects a redirect or upload location elsewhere, so nothing leaves the machine.
"""

import hashlib
import http.client
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, urlencode, urlsplit

from ecrlab.docker import credentials
from ecrlab.docker.errors import DockerError, RegistryError
from ecrlab.docker.references import Reference, require_registry
from ecrlab.oci import strict_json
from ecrlab.oci.media_types import MANIFESTS
from ecrlab.oci.strict_json import InvalidJson

NO_LAB = (
    "No lab is running, and the lab's docker talks to nothing else: run `lab = ecrlab.start()` in a notebook, or attach"
    ' this terminal to a running lab with `eval "$(python3 -m ecrlab env)"`.'
)
Body = bytes | BinaryIO | None

_CHUNK = 1 << 20
_LARGEST_DOCUMENT = 4 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """A response with its whole body."""

    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: bytes


def endpoint() -> tuple[str, int]:
    """Return the lab's address and port. Raises `DockerError` if no lab runs or its address is not loopback."""
    url = os.environ.get("ECRLAB_ENDPOINT")
    if not url:
        raise DockerError(NO_LAB)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback or parts.scheme != "http":
        raise DockerError(f"ECRLAB_ENDPOINT must be http:// and an address of this machine, got {url}")
    return ("127.0.0.1" if host == "localhost" else host), port


class Registry:
    """A client of one registry host in the lab; as a context manager it closes its connection."""

    def __init__(self, name: str):
        self.name = name
        self._address = endpoint()
        own = {f"{host}:{self._address[1]}" for host in ("127.0.0.1", "localhost")}
        if name.startswith(("127.0.0.1:", "localhost:")) and name not in own:
            raise DockerError(f"{name} is not the lab, which listens on port {self._address[1]}")
        self._hosts = own | {name, f"{self._address[0]}:{self._address[1]}"}
        self._connection = http.client.HTTPConnection(*self._address, timeout=300)
        self._authorization: str | None = None
        self._authenticated = False

    @classmethod
    def of(cls, reference: Reference) -> "Registry":
        """Return a client of the registry in a name. Raises `DockerError` for a host outside the lab."""
        require_registry(reference)
        return cls(reference.domain)

    def __enter__(self) -> "Registry":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    # --- logins --------------------------------------------------------------------------------------------------

    def login(self, auth: str) -> Answer:
        """Ask whether the registry accepts these credentials, and return its answer.

        Raises `RegistryError` if it issues no token for them.
        """
        answer = self._send("GET", "/v2/", {"Authorization": f"Basic {auth}"})
        scheme, parameters = _challenge(answer.headers.get("Www-Authenticate", ""))
        if scheme != "bearer":
            return answer
        return self._send("GET", "/v2/", {"Authorization": f"Bearer {self._token(parameters, auth)}"})

    def authenticate(self) -> None:
        """Authenticate once: read the challenge of the registry, and store the header for all later requests."""
        if self._authenticated:
            return
        self._authenticated = True
        answer = self._send("GET", "/v2/")
        if answer.status != 401:
            return
        scheme, parameters = _challenge(answer.headers.get("Www-Authenticate", ""))
        auth = credentials.stored(self.name)
        if scheme == "bearer":
            self._authorization = f"Bearer {self._token(parameters, auth)}"
        elif auth is None:
            raise DockerError("no basic auth credentials")
        else:
            self._authorization = f"Basic {auth}"

    def _token(self, parameters: dict[str, str], auth: str | None) -> str:
        query = urlencode([(key, parameters[key]) for key in ("service", "scope") if key in parameters])
        target = self._own_target(parameters.get("realm", ""))
        answer = self._send("GET", f"{target}?{query}", {"Authorization": f"Basic {auth}"} if auth else {})
        document = _json(answer.body) if answer.status == 200 else {}
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str):
            raise _refusal(answer)
        return token

    # --- manifests -----------------------------------------------------------------------------------------------

    def resolve(self, path: str, reference: str) -> tuple[str, str, bytes]:
        """Return media type, digest and bytes of a manifest by tag or digest, verified."""
        self.authenticate()
        asked = reference
        accept = {"Accept": ", ".join(MANIFESTS)}
        if not reference.startswith("sha256:"):
            head = self._send("HEAD", f"/v2/{path}/manifests/{reference}", accept)
            if head.status == 200:
                asked = head.headers.get("Docker-Content-Digest", reference)
        answer = self._expect(200, "GET", f"/v2/{path}/manifests/{asked}", accept)
        digest = "sha256:" + hashlib.sha256(answer.body).hexdigest()
        if asked.startswith("sha256:") and asked != digest:
            raise DockerError(f"manifest verification failed for digest {asked}")
        return answer.headers.get("Content-Type", ""), digest, answer.body

    def put_manifest(self, path: str, reference: str, media_type: str, body: bytes) -> None:
        """Store a manifest under a tag or its own digest."""
        self._expect(201, "PUT", f"/v2/{path}/manifests/{reference}", {"Content-Type": media_type}, body)

    def tags(self, path: str) -> list[str]:
        """Return all tags of a repository, page by page."""
        self.authenticate()
        found: list[str] = []
        target = f"/v2/{path}/tags/list"
        for _ in range(1_000):
            answer = self._expect(200, "GET", target)
            found += [str(tag) for tag in _json(answer.body).get("tags") or []]
            following = re.match(r"<([^>]+)>", answer.headers.get("Link", ""))
            if following is None:
                return found
            target = self._own_target(following[1])
        raise DockerError(f"{self.name}/{path} lists tags without end")

    def document(self, path: str, digest: str) -> dict[str, Any]:
        """Return the JSON object in a small blob, such as a config; empty if it holds another value."""
        with _unbroken(), self._blob(f"/v2/{path}/blobs/{digest}") as response:
            body = response.read(_LARGEST_DOCUMENT + 1)
        return _json(body) if "sha256:" + hashlib.sha256(body).hexdigest() == digest else {}

    # --- blobs ---------------------------------------------------------------------------------------------------

    def has_blob(self, path: str, digest: str) -> bool:
        """Tell whether the repository has a blob."""
        self.authenticate()
        answer = self._send("HEAD", f"/v2/{path}/blobs/{digest}")
        if answer.status in (200, 307):
            return True
        # A rejected HEAD has no body with a reason; the rejection of the following POST has one.
        if answer.status in (400, 403, 404):
            return False
        raise _refusal(answer)

    def mount(self, path: str, digest: str, source: str) -> str | None:
        """Mount a blob from another repository. Returns None on success, else the location for an upload."""
        query = urlencode({"from": source, "mount": digest})
        answer = self._send("POST", f"/v2/{path}/blobs/uploads/?{query}", {"Content-Length": "0"})
        if answer.status == 201:
            return None
        if answer.status != 202:
            raise _refusal(answer)
        return self._own_target(answer.headers.get("Location", ""))

    def upload(self, path: str, digest: str, content: Path, location: str | None = None) -> None:
        """Upload a blob: POST for a location, PATCH with the bytes, PUT with the digest."""
        self.authenticate()
        if location is None:
            answer = self._expect(202, "POST", f"/v2/{path}/blobs/uploads/", {"Content-Length": "0"})
            location = self._own_target(answer.headers.get("Location", ""))
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(content.stat().st_size)}
        with content.open("rb") as opened:
            # ECR itself answers 201, against the specification.
            answer = self._expect((202, 201), "PATCH", location, headers, opened)
        location = self._own_target(answer.headers.get("Location", "")) if "Location" in answer.headers else location
        joined = f"{location}{'&' if '?' in location else '?'}digest={quote(digest, safe='')}"
        self._expect(201, "PUT", joined, {"Content-Length": "0"})

    def download(self, path: str, digest: str, out: BinaryIO) -> None:
        """Write a blob to `out`. Raises `DockerError` if the bytes do not match the digest."""
        self.authenticate()
        sha256 = hashlib.sha256()
        with _unbroken(), self._blob(f"/v2/{path}/blobs/{digest}") as response:
            while chunk := response.read(_CHUNK):
                sha256.update(chunk)
                out.write(chunk)
        if f"sha256:{sha256.hexdigest()}" != digest:
            raise DockerError(f"filesystem layer verification failed for digest {digest}")

    @contextmanager
    def _blob(self, target: str) -> Iterator[http.client.HTTPResponse]:
        for _ in range(5):
            response = self._begin("GET", target)
            if response.status == 200:
                yield response
                return
            answer = _read(response)
            if answer.status not in (301, 302, 303, 307, 308):
                raise _refusal(answer)
            target = self._own_target(answer.headers.get("Location", ""))
        raise DockerError(f"{self.name} redirects in circles")

    # --- HTTP ----------------------------------------------------------------------------------------------------

    def _expect(
        self,
        status: int | tuple[int, ...],
        method: str,
        target: str,
        headers: dict[str, str] | None = None,
        body: Body = None,
    ) -> Answer:
        answer = self._send(method, target, headers, body)
        if answer.status not in (status if isinstance(status, tuple) else (status,)):
            raise _refusal(answer)
        return answer

    def _send(self, method: str, target: str, headers: dict[str, str] | None = None, body: Body = None) -> Answer:
        with _unbroken():
            return _read(self._begin(method, target, headers, body))

    def _begin(
        self, method: str, target: str, headers: dict[str, str] | None = None, body: Body = None
    ) -> http.client.HTTPResponse:
        sent = {"Host": self.name, "User-Agent": "ecrlab-docker", "Accept-Encoding": "identity"}
        if self._authorization:
            sent["Authorization"] = self._authorization
        try:
            self._connection.request(method, target, body, sent | (headers or {}))
            return self._connection.getresponse()
        except (BrokenPipeError, ConnectionResetError):
            # The registry may reject a request before the whole body is sent; its answer can still be read.
            return self._connection.getresponse()
        except OSError as error:
            raise DockerError(
                f"nothing answers at the lab's address {self._address[0]}:{self._address[1]}"
                f" ({error.strerror or error}): run `lab = ecrlab.start()` again"
            ) from error

    def _own_target(self, location: str) -> str:
        """Return path and query of a URL in an answer. Raises `DockerError` if it leads to another host."""
        parts = urlsplit(location)
        if not location or parts.netloc not in ("", *self._hosts):
            raise DockerError(f"{self.name} points to {parts.netloc or 'nowhere'}, where the lab does not go")
        return parts.path + (f"?{parts.query}" if parts.query else "")


@contextmanager
def _unbroken() -> Iterator[None]:
    """Report an answer that ends too early, or is not HTTP, as a `DockerError`."""
    try:
        yield
    except (http.client.HTTPException, ConnectionError) as error:
        raise DockerError(f"the lab's registry broke off in the middle: {type(error).__name__}") from error


def _read(response: http.client.HTTPResponse) -> Answer:
    body = response.read(_LARGEST_DOCUMENT + 1)
    if len(body) > _LARGEST_DOCUMENT:
        raise DockerError("the registry's answer is larger than 4 MiB")
    return Answer(response.status, response.reason, response.headers, body)


def _challenge(header: str) -> tuple[str, dict[str, str]]:
    """Return the scheme of a `Www-Authenticate` header in lower case, and its parameters."""
    scheme, _, parameters = header.partition(" ")
    return scheme.lower(), dict(re.findall(r'(\w+)="([^"]*)"', parameters))


def _json(body: bytes) -> dict[str, Any]:
    try:
        return strict_json.read_object(body)
    except InvalidJson:
        return {}


def _refusal(answer: Answer) -> RegistryError:
    """Return the error that Docker prints for an unexpected answer."""
    errors = _json(answer.body).get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        code, text = str(errors[0].get("code", "unknown")), str(errors[0].get("message", ""))
        return RegistryError(code, text, answer.status)
    if answer.status == 401:
        return RegistryError("UNAUTHORIZED", "authentication required", 401)
    if 400 <= answer.status < 500 and answer.body:
        text = answer.body.decode("utf-8", "replace").strip()
        return RegistryError("", f"error parsing HTTP {answer.status} response body: {json.dumps(text)}", answer.status)
    return RegistryError("", f"received unexpected HTTP status: {answer.status} {answer.reason}", answer.status)
