"""Layers in: every way to push one, and everything that can be wrong with it."""

import os

import pytest

from .conftest import Answer, Repository, digest_of, with_digest

ALGORITHMS = pytest.mark.parametrize("algorithm", ["sha256", "sha512"])


def assert_stored(repository: Repository, answer: Answer, body: bytes, digest: str) -> None:
    assert answer.status == 201
    assert answer.headers["Docker-Content-Digest"] == digest
    got = repository.client.ask("GET", answer.location)
    assert (got.status, got.body) == (200, body)
    assert got.headers["Docker-Content-Digest"] == digest


def assert_refused(repository: Repository, answer: Answer, digest: str) -> None:
    assert (answer.status, answer.code) == (400, "BLOB_UPLOAD_INVALID")
    assert answer.message == "None of the provided layer digests match the calculated layer digest"
    assert repository.ask("HEAD", f"blobs/{digest}").status == 404


def patch(repository: Repository, location: str, body: bytes, first: int) -> Answer:
    content_range = f"{first}-{first + len(body) - 1}"
    return repository.client.ask("PATCH", location, body, {"Content-Range": content_range})


@ALGORITHMS
def test_post_only(repository: Repository, algorithm: str) -> None:
    body = os.urandom(512)
    digest = digest_of(body, algorithm)
    answer = repository.ask("POST", f"blobs/uploads/?digest={digest}", body)
    assert_stored(repository, answer, body, digest)


@ALGORITHMS
def test_post_and_put(repository: Repository, algorithm: str) -> None:
    body = os.urandom(512)
    digest = digest_of(body, algorithm)
    answer = repository.client.ask("PUT", with_digest(repository.begin(), digest), body)
    assert_stored(repository, answer, body, digest)


@ALGORITHMS
def test_one_chunk(repository: Repository, algorithm: str) -> None:
    body = os.urandom(512)
    digest = digest_of(body, algorithm)
    answer = patch(repository, repository.begin(), body, 0)
    assert (answer.status, answer.headers["Range"]) == (202, "0-511")
    answer = repository.client.ask("PUT", with_digest(answer.location, digest))
    assert_stored(repository, answer, body, digest)


@ALGORITHMS
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_stream(repository: Repository, algorithm: str, chunked: bool) -> None:
    body = os.urandom(3_000_000)
    digest = digest_of(body, algorithm)
    pieces = (body[at : at + 32_768] for at in range(0, len(body), 32_768))
    headers = {"Transfer-Encoding": "chunked"} if chunked else None
    answer = repository.client.ask("PATCH", repository.begin(), pieces if chunked else body, headers, chunked=chunked)
    assert (answer.status, answer.headers["Range"]) == (202, "0-2999999")
    answer = repository.client.ask("PUT", with_digest(answer.location, digest))
    assert_stored(repository, answer, body, digest)


@ALGORITHMS
@pytest.mark.parametrize("last_in_put", [False, True], ids=["patch", "put"])
def test_three_chunks(repository: Repository, algorithm: str, last_in_put: bool) -> None:
    body = os.urandom(3000)
    digest = digest_of(body, algorithm)
    location = repository.begin()
    for first in (0, 1000):
        answer = patch(repository, location, body[first : first + 1000], first)
        assert (answer.status, answer.headers["Range"]) == (202, f"0-{first + 999}")
        location = answer.location
    if last_in_put:
        answer = repository.client.ask(
            "PUT", with_digest(location, digest), body[2000:], {"Content-Range": "2000-2999"}
        )
    else:
        answer = patch(repository, location, body[2000:], 2000)
        answer = repository.client.ask("PUT", with_digest(answer.location, digest))
    assert_stored(repository, answer, body, digest)


@ALGORITHMS
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("wrong", [0, 500, 2000])
def test_a_chunk_out_of_order_is_refused_and_the_upload_goes_on(
    repository: Repository, algorithm: str, method: str, wrong: int
) -> None:
    body = os.urandom(3000)
    digest = digest_of(body, algorithm)
    location = patch(repository, repository.begin(), body[:1000], 0).location
    target = with_digest(location, digest) if method == "PUT" else location

    chunk = body[wrong : wrong + 1000]
    answer = repository.client.ask(method, target, chunk, {"Content-Range": f"{wrong}-{wrong + len(chunk) - 1}"})
    assert answer.status == 416
    assert answer.headers["Range"] == "0-999"

    stands = repository.client.ask("GET", answer.location)
    assert (stands.status, stands.headers["Range"], stands.body) == (204, "0-999", b"")

    answer = patch(repository, stands.location, body[1000:], 1000)
    answer = repository.client.ask("PUT", with_digest(answer.location, digest))
    assert_stored(repository, answer, body, digest)


def test_the_first_chunk_must_be_the_first(repository: Repository) -> None:
    answer = patch(repository, repository.begin(), b"late", 10)
    assert (answer.status, answer.headers["Range"]) == (416, "0-0")
    assert (answer.code, answer.message) == ("BLOB_UPLOAD_INVALID", "First byte of the layer part is 10 instead of 0")


@pytest.mark.parametrize("content_range", ["", "junk", "5", "9-3", "0--1", "0-99999999999999999999", "bytes=0-1-2"])
def test_a_content_range_that_is_none_is_refused(repository: Repository, content_range: str) -> None:
    answer = repository.client.ask("PATCH", repository.begin(), b"x", {"Content-Range": content_range})
    assert (answer.status, answer.code) == (400, "SIZE_INVALID")


def test_a_content_range_that_disagrees_with_the_length_is_refused(repository: Repository) -> None:
    location = repository.begin()
    for body, how in ((b"12345", {}), (iter([b"123", b"45"]), {"Transfer-Encoding": "chunked"})):
        headers = {"Content-Range": "0-9", **how}
        answer = repository.client.ask("PATCH", location, body, headers, chunked=bool(how))
        assert (answer.status, answer.code) == (400, "SIZE_INVALID")
    assert repository.client.ask("GET", location).headers["Range"] == "0-0"


@ALGORITHMS
def test_the_empty_blob(repository: Repository, algorithm: str) -> None:
    digest = digest_of(b"", algorithm)
    answer = repository.client.ask("PUT", with_digest(repository.begin(), digest), b"")
    assert_stored(repository, answer, b"", digest)
    assert repository.ask("HEAD", f"blobs/{digest}").headers["Content-Length"] == "0"


def test_the_blob_of_an_empty_object(repository: Repository) -> None:
    assert repository.push_blob(b"{}") == digest_of(b"{}")


def test_a_blob_twice(repository: Repository) -> None:
    assert repository.push_blob(b"again") == repository.push_blob(b"again")


# Mounts


@pytest.mark.private
def test_mount(repository: Repository, other_repository: Repository) -> None:
    body = os.urandom(512)
    digest = other_repository.push_blob(body)
    answer = repository.ask("POST", f"blobs/uploads/?mount={digest}&from={other_repository.name}")
    assert_stored(repository, answer, body, digest)


@pytest.mark.private
def test_mount_without_a_source(repository: Repository, other_repository: Repository) -> None:
    body = os.urandom(512)
    digest = other_repository.push_blob(body)
    assert_stored(repository, repository.ask("POST", f"blobs/uploads/?mount={digest}"), body, digest)


@pytest.mark.parametrize("source", ["", "&from=no/such/repository", "&from=NOT%20A%20NAME"])
def test_mount_of_what_is_missing_becomes_an_upload(repository: Repository, source: str) -> None:
    body = os.urandom(512)
    digest = digest_of(body)
    answer = repository.ask("POST", f"blobs/uploads/?mount={digest}{source}")
    assert answer.status == 202
    answer = repository.client.ask("PUT", with_digest(answer.location, digest), body)
    assert_stored(repository, answer, body, digest)


def test_mount_of_what_is_no_digest(repository: Repository) -> None:
    answer = repository.ask("POST", "blobs/uploads/?mount=sha256:bad&from=x")
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")


# Cancelling


def test_cancel(repository: Repository) -> None:
    location = repository.begin()
    repository.client.ask("PATCH", location, b"some")
    assert repository.client.ask("DELETE", location).status == 204
    for method in ("GET", "PATCH", "DELETE"):
        answer = repository.client.ask(method, location, b"x" if method == "PATCH" else None)
        assert (answer.status, answer.code) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_an_upload_is_known_in_its_own_repository_only(repository: Repository, other_repository: Repository) -> None:
    upload = repository.begin().rpartition("/")[2]
    assert other_repository.ask("GET", f"blobs/uploads/{upload}").status == 404


def test_a_finished_upload_is_gone(repository: Repository) -> None:
    location = repository.begin()
    assert repository.client.ask("PUT", with_digest(location, digest_of(b"x")), b"x").status == 201
    assert repository.client.ask("GET", location).status == 404


# Bad digests: in each of the ways to push, nothing is stored


@ALGORITHMS
def test_bad_digest_post_only(repository: Repository, algorithm: str) -> None:
    digest = digest_of(b"right", algorithm)
    assert_refused(repository, repository.ask("POST", f"blobs/uploads/?digest={digest}", b"wrong"), digest)


@ALGORITHMS
def test_bad_digest_post_and_put(repository: Repository, algorithm: str) -> None:
    digest = digest_of(b"right", algorithm)
    answer = repository.client.ask("PUT", with_digest(repository.begin(), digest), b"wrong")
    assert_refused(repository, answer, digest)


@ALGORITHMS
def test_bad_digest_chunked(repository: Repository, algorithm: str) -> None:
    digest = digest_of(b"right", algorithm)
    location = patch(repository, repository.begin(), b"wrong", 0).location
    assert_refused(repository, repository.client.ask("PUT", with_digest(location, digest)), digest)


@ALGORITHMS
def test_bad_digest_chunked_and_put_chunk(repository: Repository, algorithm: str) -> None:
    digest = digest_of(b"right", algorithm)
    location = patch(repository, repository.begin(), b"wro", 0).location
    answer = repository.client.ask("PUT", with_digest(location, digest), b"ng", {"Content-Range": "3-4"})
    assert_refused(repository, answer, digest)


@ALGORITHMS
def test_bad_digest_stream(repository: Repository, algorithm: str) -> None:
    digest = digest_of(b"right", algorithm)
    location = repository.client.ask("PATCH", repository.begin(), b"wrong").location
    assert_refused(repository, repository.client.ask("PUT", with_digest(location, digest)), digest)


def test_after_a_bad_last_chunk_the_right_one_may_follow(repository: Repository) -> None:
    digest = digest_of(b"right")
    location = repository.client.ask("PATCH", repository.begin(), b"ri").location
    assert repository.client.ask("PUT", with_digest(location, digest), b"ver").status == 400
    answer = repository.client.ask("PUT", with_digest(location, digest), b"ght")
    assert_stored(repository, answer, b"right", digest)


@pytest.mark.parametrize(
    "digest", ["", "sha256", "sha256:", "sha256:abc", "sha256:" + "g" * 64, "md5:" + "a" * 32, "../../x:" + "a" * 64]
)
def test_what_is_no_digest(repository: Repository, digest: str) -> None:
    answer = repository.client.ask("PUT", f"{repository.begin()}?digest={digest}", b"x")
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")


def test_a_put_without_a_digest(repository: Repository) -> None:
    answer = repository.client.ask("PUT", repository.begin(), b"x")
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")


@pytest.mark.private
def test_a_repository_must_be_created_before_anything_is_pushed(client) -> None:
    answer = client.ask("POST", "/v2/never/created/blobs/uploads/")
    assert (answer.status, answer.code) == (404, "NAME_UNKNOWN")
    assert answer.message == (
        "The repository with name 'never/created' does not exist in the registry with id '123456789012'"
    )
