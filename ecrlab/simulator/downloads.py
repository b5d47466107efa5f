"""Downloads of layers: signed addresses that work for an hour without credentials.

On AWS GetDownloadUrlForLayer returns a pre-signed URL of an object in ECR's S3 bucket. S3 answers errors in XML:
AuthorizationQueryParametersError, SignatureDoesNotMatch, "Request has expired" or NoSuchKey. Here the address is on the
lab's own port:

    http://127.0.0.1:PORT/_ecrlab/layers/ACCOUNT/REGION/REPOSITORY/sha256:…?X-Amz-Date=…&X-Amz-Expires=3600&…
"""

import hashlib
import hmac
import http
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, urlencode

from ecrlab.registry import repositories
from ecrlab.registry.errors import DamagedObject, KmsException, RepositoryNotFoundException
from ecrlab.registry.world import Registry, World
from ecrlab.simulator.v2.wire import Slice

PREFIX = "/_ecrlab/layers/"

LIFETIME = timedelta(hours=1)
"""The X-Amz-Expires of the example in the AWS CLI reference."""

MOST_SECONDS = 604_800
"""The longest lifetime of a pre-signed URL: seven days. See S3 API reference, authenticating requests using query
parameters."""

MALFORMED = (
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
    "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
)

_DATE = "%Y%m%dT%H%M%SZ"


def url(registry: Registry, host: str, repository_name: str, digest: str) -> str:
    """Return an address of a layer's bytes at `host` (`127.0.0.1:5000`), valid for an hour of the lab's time."""
    date = registry.world.clock.now().strftime(_DATE)
    key = f"{registry.account_id}/{registry.region}/{repository_name}/{digest}"
    expires = str(int(LIFETIME.total_seconds()))
    query = {
        "X-Amz-Date": date,
        "X-Amz-Expires": expires,
        "X-Amz-Signature": _signature(registry.world, key, date, expires),
    }
    return f"http://{host}{PREFIX}{key}?{urlencode(query)}"


class Downloads:
    """The WSGI application that serves those addresses."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        key = environ["PATH_INFO"].removeprefix(PREFIX)
        query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        refusal = self._refusal(environ["REQUEST_METHOD"], key, query)
        if refusal is not None:
            return _send_error(start_response, *refusal)
        try:
            file = self._open(key)
        except DamagedObject as error:
            return _send_error(start_response, 500, "InternalError", error.message)
        except (FileNotFoundError, RepositoryNotFoundException):
            return _send_error(start_response, 404, "NoSuchKey", "The specified key does not exist.")
        except KmsException as error:
            # S3 names errors of KMS thus (Amazon S3 user guide, troubleshooting access denied errors).
            return _send_error(start_response, 400, f"KMS.{error.members['kmsError']}", error.message)
        size = file.seek(0, 2)
        headers = [("Content-Type", "application/octet-stream"), ("Content-Length", str(size))]
        start_response("200 OK", headers)
        if environ["REQUEST_METHOD"] == "HEAD":
            file.close()
            return []
        return Slice(file, range(size))

    def _open(self, key: str) -> BinaryIO:
        where, _, digest = key.rpartition("/")
        account_id, region, name = where.split("/", 2)
        repository = repositories.find(self._world.registry(account_id, region), name)
        return self._world.blobs.open(repository, digest)

    def _refusal(self, method: str, key: str, query: dict[str, str]) -> tuple[int, str, str] | None:
        if method not in ("GET", "HEAD"):
            return 405, "MethodNotAllowed", "The specified method is not allowed against this resource."
        if not query.keys() & {"X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature"}:
            return 403, "AccessDenied", "Access Denied"
        try:
            date, expires, signature = (query[name] for name in ("X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature"))
            since = datetime.strptime(date, _DATE).replace(tzinfo=UTC)
            lifetime = timedelta(seconds=_seconds(expires))
        except (KeyError, ValueError):
            # UNSURE: S3 has a text for each parameter; this is the text for a missing one.
            return 400, "AuthorizationQueryParametersError", MALFORMED
        expected = _signature(self._world, key, date, expires)
        if not hmac.compare_digest(_bytes(signature), expected.encode()):
            message = "The request signature we calculated does not match the signature you provided."
            return 403, "SignatureDoesNotMatch", message
        if self._world.clock.now() - since >= lifetime:
            return 403, "AccessDenied", "Request has expired"
        return None


def _send_error(start_response: Any, status: int, code: str, message: str) -> list[bytes]:
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    ).encode()
    headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
    start_response(f"{status} {http.HTTPStatus(status).phrase}", headers)
    return [body]


def _seconds(expires: str) -> int:
    """Read X-Amz-Expires. Raises `ValueError` for anything but 0 to 604800 (seven days), the range that S3 accepts."""
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 6 and int(expires) <= MOST_SECONDS):
        raise ValueError(expires)
    return int(expires)


def _signature(world: World, key: str, date: str, expires: str) -> str:
    return hmac.digest(world.token_key, _bytes(f"layer {key} {date} {expires}"), hashlib.sha256).hex()


def _bytes(text: str) -> bytes:
    """Encode a client's text, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")
