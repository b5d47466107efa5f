"""Layers out: whole, in part, and not at all."""

import os

import pytest

from .conftest import Repository, digest_of

BODY = os.urandom(2048)


@pytest.fixture
def blob(repository: Repository) -> str:
    return repository.push_blob(BODY)


def test_head_says_what_get_would_bring(repository: Repository, blob: str) -> None:
    answer = repository.ask("HEAD", f"blobs/{blob}")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Length"] == "2048"
    assert answer.headers["Docker-Content-Digest"] == blob
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_get(repository: Repository, blob: str) -> None:
    answer = repository.ask("GET", f"blobs/{blob}", headers={"Accept-Encoding": "gzip"})
    assert (answer.status, answer.body) == (200, BODY)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Length"] == "2048"
    assert "Content-Encoding" not in answer.headers


def test_a_large_blob_comes_back_as_it_went(repository: Repository) -> None:
    body = os.urandom(2_500_000)
    digest = repository.push_blob(body)
    assert repository.ask("GET", f"blobs/{digest}").body == body
    part = repository.ask("GET", f"blobs/{digest}", headers={"Range": "bytes=1000-2000999"})
    assert (part.status, part.body) == (206, body[1000:2_001_000])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_missing_blob(repository: Repository, method: str) -> None:
    answer = repository.ask(method, f"blobs/{digest_of(b'missing')}")
    assert answer.status == 404
    if method == "GET":
        assert answer.code == "BLOB_UNKNOWN"
    else:
        assert answer.body == b""


def test_a_blob_of_another_repository_is_not_here(repository: Repository, other_repository: Repository) -> None:
    digest = other_repository.push_blob(b"elsewhere")
    assert repository.ask("GET", f"blobs/{digest}").status == 404


def test_what_is_no_digest(repository: Repository) -> None:
    answer = repository.ask("GET", "blobs/sha256:bad")
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=500-1499", 500, 1499),
        ("bytes=500-", 500, 2047),
        ("bytes=-500", 1548, 2047),
        ("bytes=2000-5000", 2000, 2047),
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, 2047),
        ("bytes=2047-2047", 2047, 2047),
        ("bytes=-5000", 0, 2047),
    ],
)
def test_a_range(repository: Repository, blob: str, asked: str, first: int, last: int) -> None:
    answer = repository.ask("GET", f"blobs/{blob}", headers={"Range": asked})
    assert (answer.status, answer.body) == (206, BODY[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/2048"
    assert answer.headers["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", ["bytes=500-0", "bytes=5000-10000", "bytes=2048-", "bytes=-0"])
def test_a_range_that_cannot_be_satisfied(repository: Repository, blob: str, asked: str) -> None:
    answer = repository.ask("GET", f"blobs/{blob}", headers={"Range": asked})
    assert answer.status == 416
    assert answer.headers["Content-Range"] == "bytes */2048"


@pytest.mark.parametrize("asked", ["lines=0-5", "bytes", "bytes=a-b", "bytes=0-5,10-15", "bytes=--5"])
def test_a_range_that_is_none_is_ignored(repository: Repository, blob: str, asked: str) -> None:
    answer = repository.ask("GET", f"blobs/{blob}", headers={"Range": asked})
    assert (answer.status, answer.body) == (200, BODY)


def test_a_range_of_other_bytes_than_these_is_ignored(repository: Repository, blob: str) -> None:
    headers = {"Range": "bytes=0-5", "If-Range": '"something else"'}
    assert repository.ask("GET", f"blobs/{blob}", headers=headers).status == 200
    headers["If-Range"] = repository.ask("HEAD", f"blobs/{blob}").headers["ETag"]
    assert repository.ask("GET", f"blobs/{blob}", headers=headers).status == 206


def test_no_range_of_nothing(repository: Repository) -> None:
    digest = repository.push_blob(b"")
    assert repository.ask("GET", f"blobs/{digest}", headers={"Range": "bytes=0-"}).status == 416
