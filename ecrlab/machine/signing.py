"""Signatures of requests to a lab's own API, below `/_ecrlab/`: Signature Version 4 for the service `ecrlab`.

A private lab answers no others. The secret is that of the lab at this address, if it is one of this user's. Standard
library only: the lab's kubectl starts without botocore. Source: IAM user guide, create a signed AWS API request.
"""

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import urlsplit

from ecrlab.machine import running
from ecrlab.machine.environment import ACCESS_KEY_ID, REGION

ALGORITHM = "AWS4-HMAC-SHA256"


def headers(method: str, url: str, body: bytes = b"") -> dict[str, str]:
    """Return the headers of a request; to an address that is no lab of this user's without a signature.

    `url` has a plain path, and its query in the order of the names.
    """
    needed, parts = {"X-Ecrlab": "1"}, urlsplit(url)
    secret = next((lab.secret for lab in running.find() if lab.endpoint == f"http://{parts.netloc}"), None)
    if secret is None:
        return needed
    date = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{date[:8]}/{REGION}/ecrlab/aws4_request"
    signed = f"host:{parts.netloc}\nx-amz-date:{date}\n\nhost;x-amz-date"
    request = "\n".join([method, parts.path, parts.query, signed, hashlib.sha256(body).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), "\n".join([ALGORITHM, date, scope, hashlib.sha256(request.encode()).hexdigest()])):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"{ALGORITHM} Credential={ACCESS_KEY_ID}/{scope}, SignedHeaders=host;x-amz-date, Signature={key.hex()}"
    return needed | {"X-Amz-Date": date, "Authorization": credential}
