"""Whatever is sent: an answer in the registry's form, never a server error, a page of HTML or a traceback."""

import json
import string
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import OCI_INDEX, OCI_MANIFEST, Answer, Client, Repository, digest_of

soon = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

GOOD = digest_of(b"")
WORDS = st.one_of(
    st.text(max_size=40),
    st.text(alphabet=string.ascii_letters + string.digits + "/:@%._-+~ \\*", max_size=300),
    st.sampled_from(
        [
            "..",
            "../../etc/passwd",
            "a/../b",
            "latest",
            "sha256:" + "a" * 64,
            "sha256:" + "A" * 64,
            "sha256:",
            "a" * 5000,
            "%00",
            "\x00",
            "\r\nX: y",
            "{}",
            "-",
            "_",
            "a//b",
            "x" * 129,
            GOOD,
            "é" * 64,
        ]
    ),
)
MEDIA_TYPES = st.sampled_from([OCI_MANIFEST, OCI_INDEX, "application/json", "", "text/html", "x" * 500])


def assert_civil(answer: Answer) -> None:
    """An answer that a client can make sense of."""
    assert answer.status < 500, answer.body
    assert "html" not in (answer.headers["Content-Type"] or "")
    assert b"Traceback" not in answer.body
    if answer.status >= 400 and answer.body and answer.headers["Content-Type"] == "application/json":
        assert answer.code.isupper()


@soon
@given(
    method=st.sampled_from(["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "BREW"]),
    parts=st.lists(
        st.one_of(WORDS, st.sampled_from(["blobs", "uploads", "manifests", "tags", "list", "referrers"])),
        max_size=6,
    ),
    body=st.binary(max_size=50),
)
def test_any_path(client: Client, method: str, parts: list[str], body: bytes) -> None:
    path = "/".join(quote(part, safe="/:") for part in parts)
    assert_civil(client.ask(method, f"/v2/{path}", body))


@soon
@given(
    place=st.sampled_from(["blobs/{}", "manifests/{}", "referrers/{}", "blobs/uploads/{}"]),
    method=st.sampled_from(["GET", "HEAD", "PUT", "PATCH", "DELETE"]),
    word=WORDS,
)
def test_any_reference(client: Client, place: str, method: str, word: str) -> None:
    path = place.format(quote(word, safe=":"))
    assert_civil(client.ask(method, f"/v2/{a_repository(client)}/{path}", b"x" if method[0] == "P" else None))


@soon
@given(
    place=st.sampled_from(["tags/list", "blobs/uploads/", "referrers/" + GOOD, "_catalog"]),
    query=st.dictionaries(
        st.one_of(st.sampled_from(["n", "last", "digest", "mount", "from", "artifactType"]), WORDS), WORDS, max_size=4
    ),
)
def test_any_query(client: Client, place: str, query: dict[str, str]) -> None:
    text = "&".join(f"{quote(name)}={quote(value)}" for name, value in query.items())
    path = place if place == "_catalog" else f"{a_repository(client)}/{place}"
    method = "POST" if "uploads" in place else "GET"
    assert_civil(client.ask(method, f"/v2/{path}?{text}"))


@soon
@given(
    name=st.sampled_from(["Range", "Content-Range", "Accept", "If-Range", "Content-Type", "Authorization", "Host"]),
    value=st.one_of(
        st.text(alphabet=string.printable.replace("\r", "").replace("\n", ""), max_size=80),
        st.text(alphabet="bytes=0123456789-,/* ", max_size=30).map("bytes={}".format),
        st.binary(max_size=30).map(lambda raw: "Basic " + raw.hex()),
    ),
)
def test_any_header(client: Client, name: str, value: str) -> None:
    value = value.replace("\x0b", " ").replace("\x0c", " ")
    repository = a_repository(client)
    answer = client.ask("GET", f"/v2/{repository}/blobs/{GOOD}", headers={name: value})
    assert_civil(answer)
    answer = client.ask("PUT", f"/v2/{repository}/manifests/v1", b"{}", headers={name: value})
    assert_civil(answer)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
DESCRIPTORS = st.one_of(
    JSON,
    st.fixed_dictionaries(
        {},
        optional={
            "mediaType": st.one_of(MEDIA_TYPES, JSON),
            "digest": st.one_of(WORDS, JSON),
            "size": st.one_of(st.integers(), st.sampled_from([2**63, 2**64, 1e300, True]), JSON),
        },
    ),
)
MANIFESTS = st.fixed_dictionaries(
    {},
    optional={
        "schemaVersion": st.one_of(st.just(2), JSON),
        "mediaType": st.one_of(MEDIA_TYPES, JSON),
        "config": DESCRIPTORS,
        "layers": st.one_of(st.lists(DESCRIPTORS, max_size=3), JSON),
        "manifests": st.one_of(st.lists(DESCRIPTORS, max_size=3), JSON),
        "subject": DESCRIPTORS,
        "artifactType": JSON,
        "annotations": JSON,
    },
)


@soon
@given(manifest=st.one_of(MANIFESTS, JSON), media_type=MEDIA_TYPES)
def test_any_manifest(client: Client, manifest: object, media_type: str) -> None:
    body = json.dumps(manifest).encode("utf-8", "surrogatepass")
    answer = client.ask("PUT", f"/v2/{a_repository(client)}/manifests/v1", body, {"Content-Type": media_type})
    assert_civil(answer)
    if answer.status == 201:
        assert client.ask("GET", answer.location).body == body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"schemaVersion": NaN}',
        b'{"schemaVersion": 2, "schemaVersion": 2}',
        b'{"schemaVersion": 2, "annotations": {"a": "\\ud800"}}',
        b'{"schemaVersion": 1' + b"0" * 100_000 + b"}",
        b'{"schemaVersion": 2, "manifests": [' + b"{}," * 1_000_000 + b"{}]}",
        b"\xef\xbb\xbf{}",
        b"null",
        b'"text"',
    ],
    ids=[
        "empty",
        "binary",
        "deep list",
        "deep object",
        "NaN",
        "twice",
        "surrogate",
        "huge number",
        "long",
        "bom",
        "null",
        "text",
    ],
)
def test_manifests_that_hurt(repository: Repository, body: bytes) -> None:
    answer = repository.ask("PUT", "manifests/v1", body, {"Content-Type": OCI_INDEX})
    assert (answer.status, answer.code) == (405, "UNSUPPORTED")


@pytest.mark.parametrize("name", ["UPPER", "a", "-a", "a..b", "a/", "a//b", "x" * 257, "a/../../etc", "é", "a%00b"])
def test_names_that_no_repository_has(client: Client, name: str) -> None:
    answer = client.ask("POST", f"/v2/{quote(name, safe='/%')}/blobs/uploads/")
    assert (answer.status, answer.code) == (400, "NAME_INVALID")


def a_repository(client: Client) -> str:
    """One repository for all examples."""
    if not hasattr(client, "bad_input"):
        client.bad_input = client.new_repository()
    return client.bad_input
