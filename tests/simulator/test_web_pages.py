"""A web page of another origin neither changes nor reads a lab, whichever path and method it tries."""

import http.client
from email.header import decode_header
from urllib.parse import urlsplit

import pytest

from ecrlab.machine.environment import ACCESS_KEY_ID
from tests.simulator.client import client_of

SIGNED = (
    f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/20261001/us-east-1/{{}}/aws4_request, SignedHeaders=host, Signature=0"
)
FORM = "application/x-www-form-urlencoded"
CREATE = {
    "X-Amz-Target": "AmazonEC2ContainerRegistry_V20150921.CreateRepository",
    "Authorization": SIGNED.format("ecr"),
}

USER = b"Action=CreateUser&UserName=evil&Version=2010-05-08"

WAYS_IN = {
    "the AWS face": ("POST", "/", CREATE, b'{"repositoryName": "evil"}'),
    "the Docker face": ("POST", "/v2/app/blobs/uploads/", {}, b""),
    "the clock": ("POST", "/_ecrlab/clock?seconds=60", {"X-Ecrlab": "1"}, b""),
    "the clock, to read": ("GET", "/_ecrlab/clock", {}, b""),
    "a layer": ("GET", "/_ecrlab/layers/sha256:0", {}, b""),
    "IAM": (
        "POST",
        "/",
        {"Content-Type": FORM, "Authorization": SIGNED.format("iam")},
        USER,
    ),
    "IAM unsigned": ("POST", "/", {"Content-Type": FORM}, USER),
    "S3": ("PUT", "/evil-bucket", {"Authorization": SIGNED.format("s3")}, b""),
    "moto's own API": ("POST", "/moto-api/reset", {}, b""),
    "a preflight": ("OPTIONS", "/", {"Access-Control-Request-Method": "POST"}, b""),
}
PAGES = {
    "of a site": {"Origin": "https://example.com"},
    "of a file or a sandbox": {"Origin": "null"},
    "of another port": {"Origin": "http://127.0.0.1:8888"},
    "without an origin": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "of another port, without an origin": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    "that leads there": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
}


def ask(endpoint, method, path, headers, body=None):
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=30)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    read = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return read


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("way", WAYS_IN)
def test_a_foreign_page_is_refused(server, way, page):
    method, path, headers, body = WAYS_IN[way]
    status, answered, text = ask(server.endpoint, method, path, headers | PAGES[page], body)
    assert (status, text) == (403, b"ecrlab answers no web page of another site\n")
    assert not [name for name in answered if name.startswith("access-control-")]


def test_a_preflight_request_is_never_approved(server):
    status, headers, _ = ask(server.endpoint, "OPTIONS", "/", {"Access-Control-Request-Method": "POST"})
    assert status == 204
    assert not [name for name in headers if name.startswith("access-control-")]


def test_people_may_follow_a_link_to_the_greeting(server):
    status, _, text = ask(server.endpoint, "GET", "/", PAGES["that leads there"])
    assert status == 200
    assert text.startswith(b"This is ecrlab")


@pytest.mark.parametrize("browser", [{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}, {"Accept": "text/html"}])
def test_a_stored_page_runs_no_script_and_is_a_download(server, browser):
    s3 = client_of(server.endpoint, "s3")
    s3.create_bucket(Bucket="pages")
    s3.put_object(
        Bucket="pages",
        Key="x.html",
        Body=b"<script>",
        ContentType="text/html",
        ContentDisposition="inline",
        ACL="public-read",
    )
    status, headers, body = ask(server.endpoint, "GET", "/pages/x.html", browser)
    assert (status, body) == (200, b"<script>")
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"] == "attachment"
    assert not [name for name in headers if name.startswith("access-control-")]
    # and a client that is no browser gets what was stored
    assert s3.get_object(Bucket="pages", Key="x.html")["ContentDisposition"] == "inline"


def test_metadata_beyond_ascii_comes_back_encoded(server):
    s3 = client_of(server.endpoint, "s3")
    s3.create_bucket(Bucket="words")
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "words", "Key": "a", "ContentType": "x/y"})
    parts = urlsplit(url)
    asked = {"Content-Type": "x/y", "x-amz-meta-word": "na\u00efve \u2192".encode().decode("latin-1")}
    status, _, text = ask(server.endpoint, "PUT", f"{parts.path}?{parts.query}", asked, b"bytes")
    assert status == 200, text
    [(encoded, charset)] = decode_header(s3.head_object(Bucket="words", Key="a")["Metadata"]["word"])
    assert encoded.decode(charset) == "na\u00efve \u2192"
