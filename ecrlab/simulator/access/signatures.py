"""The wall of a private lab: it answers a request only if a secret of this lab signs it, by Signature Version 4.

    the learner's key            the lab's own secret
    the key of a user            the secret that IAM returned with it
    the key of a session         the secret that STS returned with it, and its session token

The signature is in the header `Authorization`, or in the query of a presigned URL. botocore's own signer computes it
again from the parts of the request that the client signed. The key must be known first, as on AWS. The wall keeps no
signature, and checks the age of presigned URLs only. Sources: IAM user guide, create a signed AWS API request; S3 API
reference, authenticating requests (AWS Signature Version 4).
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from ecrlab.machine.environment import ACCESS_KEY_ID
from ecrlab.registry.errors import EcrError
from ecrlab.registry.world import World
from ecrlab.simulator.access.callers import (
    MissingAuthenticationTokenException,
    Signature,
    UnrecognizedClientException,
    backends,
    identify,
    read_signature,
    session_of,
)
from ecrlab.simulator.moto import seams

UNSIGNED = ("UNSIGNED-PAYLOAD", "STREAMING-")
"""How values of X-Amz-Content-SHA256 begin under which the body as it is sent has no part in the signature."""

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)

IN_XML = {
    "MissingAuthenticationTokenException": ("MissingAuthenticationToken", "Request is missing Authentication Token"),
    "UnrecognizedClientException": ("InvalidClientTokenId", "The security token included in the request is invalid."),
    "ExpiredTokenException": ("ExpiredToken", "The security token included in the request is expired"),
    "InvalidSignatureException": ("SignatureDoesNotMatch", MISMATCH),
}
"""The class of an error of a JSON service -> code and text of services that answer in XML, such as IAM and STS."""

IN_S3 = {
    "MissingAuthenticationTokenException": ("AccessDenied", "Access Denied"),
    "UnrecognizedClientException": (
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
    "ExpiredTokenException": ("ExpiredToken", "The provided token has expired."),
    "InvalidSignatureException": (
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing "
        "method.",
    ),
    "ExpiredUrl": ("AccessDenied", "Request has expired"),
}
"""The same for S3 (S3 API reference, error responses)."""

_PARTS = re.compile(r"(SignedHeaders|Signature)=([^,\s]+)")
_DATE = "%Y%m%dT%H%M%SZ"


class InvalidSignatureException(EcrError):
    """The signature is not that of this request with the secret of its key."""

    def __init__(self) -> None:
        super().__init__(MISMATCH)


class ExpiredUrl(EcrError):
    """The seconds of a presigned URL are over."""

    def __init__(self) -> None:
        # UNSURE: class and text of services other than S3, for which few clients presign.
        super().__init__("Request has expired")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says about its signature. `expires` are the seconds of a presigned URL, None in a header."""

    scope: Signature
    date: str
    headers: Sequence[str]
    signature: str
    token: str
    expires: str | None = None


def read_claim(environ: Mapping[str, Any]) -> Claim | None:
    """Return what a request says about its signature, or None if it has none of Version 4."""
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    if (scope := read_signature(authorization)) is not None:
        parts = dict(_PARTS.findall(authorization))
        date, token = environ.get("HTTP_X_AMZ_DATE", ""), environ.get("HTTP_X_AMZ_SECURITY_TOKEN", "")
        return Claim(scope, date, parts.get("SignedHeaders", "").split(";"), parts.get("Signature", ""), token)
    query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    scope = read_signature(f"{query.get('X-Amz-Algorithm')} Credential={query.get('X-Amz-Credential')}")
    if scope is None:
        return None
    names = ("X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Expires")
    date, headers, signature, token, expires = (query.get(name, "") for name in names)
    return Claim(scope, date, headers.split(";"), signature, token, expires)


class Wall:
    """Decides which requests a lab answers: with a secret those that it signs, without one all."""

    def __init__(self, world: World, secret: str | None) -> None:
        self._world = world
        self._secret = secret

    def refusal(self, environ: Mapping[str, Any], body: bytes) -> EcrError | None:
        """Return why a request is refused, or None."""
        if self._secret is None:
            return None
        claim = read_claim(environ)
        if claim is None:
            return MissingAuthenticationTokenException()
        try:
            secret = self._secret_of(claim)
        except EcrError as unknown:
            return unknown
        expected = _signature(claim, secret, environ, body)
        if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
            return InvalidSignatureException()
        return ExpiredUrl() if claim.expires is not None and _is_over(claim.date, claim.expires) else None

    def _secret_of(self, claim: Claim) -> str:
        """Return the secret of a key. Raises `UnrecognizedClientException` and `ExpiredTokenException`."""
        access_key, token = claim.scope.access_key, ""
        if access_key == ACCESS_KEY_ID:
            secret = self._secret
        else:
            account_id, secret = self._issued(access_key)
            identify(access_key)
            if (session := session_of(account_id, access_key)) is not None:
                token = session.session_token
        if secret is None or not hmac.compare_digest(claim.token.encode(), token.encode()):
            raise UnrecognizedClientException
        return secret

    def _issued(self, access_key: str) -> tuple[str, str | None]:
        """Return the account and the secret of a key that IAM or STS of this lab issued."""
        # moto's services may still be those of an earlier lab of this process.
        for account_id, iam in backends("iam") if seams.owner() is self._world else ():
            if (key := iam.access_keys.get(access_key)) is not None:
                return account_id, key.secret_access_key
        return "", None


def _signature(claim: Claim, secret: str, environ: Mapping[str, Any], body: bytes) -> str:
    """Return the signature that the request must have."""
    scope = claim.scope
    is_s3 = scope.service == "s3"  # which takes the path as it is sent
    signer = (S3SigV4Auth if is_s3 else SigV4Auth)(Credentials(scope.access_key, secret), scope.service, scope.region)
    headers = HTTPHeaders()
    for name in claim.headers:
        headers[name] = _header(environ, name)
    told = environ.get("HTTP_X_AMZ_CONTENT_SHA256", UNSIGNED[0] if is_s3 and claim.expires is not None else "")
    digest = told if told.startswith(UNSIGNED) else hashlib.sha256(body).hexdigest()
    # The client has chosen what to sign.
    signer.headers_to_sign, signer.payload = (lambda _: headers), (lambda _: digest)
    request = AWSRequest(environ["REQUEST_METHOD"], _url(environ["RAW_URI"], claim))
    request.context["timestamp"] = claim.date
    signature: str = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return signature


def _header(environ: Mapping[str, Any], name: str) -> str:
    variable = name.upper().replace("-", "_")
    value = environ.get(variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{variable}", "")
    return str(value).encode("latin-1").decode(errors="replace")  # WSGI carries a client's UTF-8 bytes as Latin-1


def _url(target: str, claim: Claim) -> str:
    """Return the URL that the client signed. A client that uses the lab as its proxy sends a whole URL."""
    path, _, query = re.sub(r"(?i)^https?://[^/?]*", "", target).partition("?")
    pairs = [pair for pair in query.split("&") if claim.expires is None or not pair.startswith("X-Amz-Signature=")]
    return f"http://lab/{path.removeprefix('/')}?{'&'.join(pairs)}"


def _is_over(date: str, seconds: str) -> bool:
    """Tell whether a presigned URL has expired, or says nothing readable about it."""
    try:
        until = datetime.strptime(date, _DATE).replace(tzinfo=UTC) + timedelta(seconds=int(seconds))
    except (ValueError, OverflowError):
        return True
    return datetime.now(UTC) >= until
