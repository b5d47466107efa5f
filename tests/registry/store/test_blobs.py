"""A blob is visible only when whole; a piece counts whole or not at all."""

import errno
import os
import stat
from hashlib import sha256, sha512
from types import SimpleNamespace

import pytest

from ecrlab.registry.errors import DamagedObject, KmsException, LimitExceededException, ServerException
from ecrlab.registry.store import blob_writer
from ecrlab.registry.store.blob_names import blob_name
from ecrlab.registry.store.blobs import EMPTY, BlobStore
from ecrlab.registry.store.encryption import SEGMENT
from tests.registry.kms import KEY, OTHER_KEY, Kms

APP, WEB = SimpleNamespace(id=1, kms_key=None), SimpleNamespace(id=2, kms_key=None)
"""Repositories, as far as the store knows them."""

SECRET, VAULT, SAME_KEY = (
    SimpleNamespace(id=number, arn=f"arn:aws:ecr:us-east-1:123456789012:repository/{number}", kms_key=key)
    for number, key in enumerate((KEY, OTHER_KEY, KEY), 3)
)
"""Repositories with a KMS key."""


@pytest.fixture
def blobs(tmp_path):
    return BlobStore(tmp_path, durable=True)


@pytest.fixture(params=[0, 6, 1000], ids=["in a file", "then in a file", "in memory"])
def writer(blobs, request):
    return blobs.writer(APP, "one", hold=request.param)


def content(writer):
    """What is there to be adopted."""
    writer.put_down()
    return writer.path.read_bytes()


def test_a_blob_is_visible_only_after_it_was_adopted(blobs, writer):
    writer.write(b"hello ")
    writer.write(memoryview(b"world"))
    digest = writer.digest()
    assert digest == "sha256:" + sha256(b"hello world").hexdigest()
    assert digest not in blobs and list(blobs) == []

    blobs.sync(writer)
    blobs.adopt(writer, digest)

    assert digest in blobs and list(blobs) == [digest]
    with blobs.open(APP, digest) as file:
        assert file.read() == b"hello world"


def test_repositories_share_the_file_of_the_same_bytes(blobs):
    for repository in (APP, WEB):
        writer = blobs.writer(repository, "one")
        writer.write(b"shared")
        digest = writer.digest()
        assert blobs.has(repository, digest) == (repository is WEB)
        blobs.sync(writer)
        blobs.adopt(writer, digest)

    assert list(blobs) == [digest]
    assert blobs.has(APP, digest) and blobs.has(WEB, digest)
    blobs.remove(digest)
    assert not blobs.has(APP, digest)


def test_the_other_algorithm_reads_what_came_so_far(writer):
    writer.write(b"hello")

    assert writer.digest("sha512") == "sha512:" + sha512(b"hello").hexdigest()


def test_no_bytes_are_a_blob_too(blobs):
    writer = blobs.writer(APP, "empty")
    held = blobs.writer(APP, "held", hold=1)

    blobs.sync(writer)
    blobs.adopt(writer, EMPTY)
    blobs.sync(held)
    blobs.adopt(held, EMPTY)

    assert EMPTY in blobs


def test_what_was_discarded_does_not_come_back_with_the_next_piece(blobs, writer, tmp_path):
    writer.write(b"early")
    writer.discard()

    with pytest.raises(FileNotFoundError):
        writer.write(b"late")
    with pytest.raises(FileNotFoundError):
        blobs.sync(writer)

    assert list((tmp_path / "uploads").iterdir()) == []


def test_what_is_discarded_while_it_is_put_down_is_gone_too(blobs, tmp_path, monkeypatch):
    writer = blobs.writer(APP, "one", hold=1000)
    writer.write(b"early")
    real = os.open
    monkeypatch.setattr(os, "open", lambda *rest: writer.discard() or real(*rest))

    with pytest.raises(FileNotFoundError):
        blobs.sync(writer)

    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_small_blob_is_no_file_until_it_is_finished(blobs, tmp_path):
    writer = blobs.writer(APP, "one", hold=6)
    writer.write(b"small")
    assert list((tmp_path / "uploads").iterdir()) == []

    writer.write(b", not any more")
    assert writer.path.read_bytes() == b"small, not any more"


def test_bytes_that_cannot_be_put_down_leave_no_file_and_are_not_lost(blobs, tmp_path, monkeypatch):
    writer = blobs.writer(APP, "one", hold=1000)
    writer.write(b"kept")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(ServerException, match="No space left"):
            blobs.sync(writer)

    assert list((tmp_path / "uploads").iterdir()) == []
    assert content(writer) == b"kept"


def test_the_bytes_are_synced_before_the_name(blobs, writer, monkeypatch):
    done = []
    real = os.fsync

    def fsync(file):
        done.append("directory" if stat.S_ISDIR(os.fstat(file).st_mode) else "file")
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    writer.write(b"hello world")

    blobs.sync(writer)
    assert done == ["file"]
    blobs.adopt(writer, writer.digest())
    assert done == ["file", "directory", "directory"]  # the second, because the first is new


def test_a_piece_that_fails_half_way_leaves_no_byte(blobs, monkeypatch):
    writer = blobs.writer(APP, "one")
    writer.write(b"good")
    real = os.pwrite
    calls = []

    def half_then_interrupt(file, data, offset):
        calls.append(offset)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return real(file, data[:2], offset)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", half_then_interrupt)
        with pytest.raises(KeyboardInterrupt):
            writer.write(b"bad piece")

    assert writer.path.read_bytes() == b"good" and writer.size == 4
    writer.write(b" again")
    assert writer.path.read_bytes() == b"good again"
    assert writer.digest() == "sha256:" + sha256(b"good again").hexdigest()


def test_a_blob_can_go_back_to_where_it_stood(writer):
    writer.write(b"keep")
    mark = writer.mark()
    writer.write(b" and forget")

    writer.rewind(mark)
    writer.write(b"!")

    assert content(writer) == b"keep!"
    assert writer.digest() == "sha256:" + sha256(b"keep!").hexdigest()


def test_large_pieces_are_hashed_in_their_order_while_the_next_ones_come(blobs, monkeypatch):
    monkeypatch.setattr(blob_writer, "BESIDE", 4)
    pieces = [bytes([number]) * (number % 7) for number in range(100)]
    writer = blobs.writer(APP, "one")
    for piece in pieces:
        writer.write(piece)
    mark = writer.mark()
    assert writer.digest() == "sha256:" + sha256(b"".join(pieces)).hexdigest()

    writer.write(b"forget this")
    writer.rewind(mark)
    writer.write(b"but keep this")

    whole = b"".join(pieces) + b"but keep this"
    assert content(writer) == whole
    assert writer.digest() == "sha256:" + sha256(whole).hexdigest()


def test_a_layer_beyond_the_largest_is_refused_and_stays_as_it_was(writer, monkeypatch):
    monkeypatch.setattr(blob_writer, "LARGEST", 10)
    writer.write(b"0123456789")

    with pytest.raises(LimitExceededException, match="at most 10 bytes"):
        writer.write(b"!")

    assert writer.size == 10


def test_only_what_a_named_run_was_writing_is_removed(tmp_path):
    for run in ("first", "second"):
        BlobStore(tmp_path, durable=True, run=run).writer(APP, "half").put_down()
    (tmp_path / "uploads" / "notes.txt").touch()
    (tmp_path / "uploads" / "folder.first").mkdir()

    BlobStore(tmp_path, durable=True, run="third").remove_uploads_of("first")

    left = {path.name for path in (tmp_path / "uploads").iterdir()}
    assert left == {"half.second", "notes.txt", "folder.first"}


def put(blobs, owner, body):
    """Store a blob for a repository; give its digest."""
    writer = blobs.writer(owner, "put")
    writer.write(body)
    digest = writer.digest()
    blobs.sync(writer)
    blobs.adopt(writer, digest)
    return digest


@pytest.fixture
def kms(blobs):
    blobs.keys = Kms()
    return blobs.keys


BODY = b"a secret " * SEGMENT


@pytest.mark.parametrize("hold", [0, 6, 10 * len(BODY)], ids=["in a file", "then in a file", "in memory"])
def test_an_encrypted_blob_is_written_and_read_like_any_other(blobs, kms, hold, tmp_path):
    writer = blobs.writer(SECRET, "one", hold=hold)
    writer.write(BODY[:5])
    mark = writer.mark()
    writer.write(BODY[:SEGMENT] * 2)
    writer.rewind(mark)
    writer.write(memoryview(BODY)[5:])
    digest = "sha512:" + sha512(BODY).hexdigest()
    assert writer.digest("sha512") == digest
    blobs.sync(writer)
    blobs.adopt(writer, digest)

    assert list(blobs) == [blob_name(digest, KEY)]
    assert blobs.has(SECRET, digest) and blobs.has(SAME_KEY, digest)
    assert not blobs.has(VAULT, digest) and not blobs.has(APP, digest)
    for owner in (SECRET, SAME_KEY):
        with blobs.open(owner, digest) as file:
            assert file.read() == BODY
    assert b"secret" not in blobs.path(blob_name(digest, KEY)).read_bytes()


def test_a_piece_that_fails_leaves_an_encrypted_upload_as_it_was(blobs, kms, monkeypatch):
    writer = blobs.writer(SECRET, "one")
    writer.write(BODY[: 3 * SEGMENT])
    real = os.pwrite
    calls = []

    def full(file, data, offset):
        calls.append(offset)
        if len(calls) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data[:100_000], offset)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(ServerException, match="No space left"):
            writer.write(BODY[3 * SEGMENT :])

    writer.write(BODY[3 * SEGMENT :])
    digest = writer.digest()
    blobs.sync(writer)
    blobs.adopt(writer, digest)
    with blobs.open(SECRET, digest) as file:
        assert file.read() == BODY


def test_an_upload_without_a_usable_key_is_not_begun(blobs, kms, tmp_path):
    kms.disabled.add(KEY)

    with pytest.raises(KmsException, match="is disabled"):
        blobs.writer(SECRET, "one")
    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.parametrize("source", [APP, SECRET], ids=["plain", "encrypted"])
@pytest.mark.parametrize("target", [WEB, VAULT, SAME_KEY], ids=["to plain", "to another key", "to the same key"])
def test_a_copy_is_under_the_key_of_its_repository(blobs, kms, source, target, tmp_path):
    digest = put(blobs, source, BODY)

    blobs.copy(source, target, digest)

    assert set(blobs) == {blob_name(digest, source.kms_key), blob_name(digest, target.kms_key)}
    with blobs.open(target, digest) as file:
        assert file.read() == BODY
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_damaged_blob_is_not_copied(blobs, kms, tmp_path):
    digest = put(blobs, APP, BODY)
    blobs.path(digest).write_bytes(b"another " * SEGMENT)

    with pytest.raises(DamagedObject, match="another digest"):
        blobs.copy(APP, SECRET, digest)
    assert not blobs.has(SECRET, digest) and list((tmp_path / "uploads").iterdir()) == []


def test_an_unknown_encrypted_file_is_removed_if_it_is_under_the_key_of_its_name(blobs, kms):
    digest = put(blobs, SECRET, BODY)
    name, other = blob_name(digest, KEY), blob_name(digest, OTHER_KEY)
    blobs.path(other).write_bytes(blobs.path(name).read_bytes())
    kms.disabled.add(KEY)

    for one in (name, other):
        blobs.remove_if_whole(one)

    assert list(blobs) == [other]
