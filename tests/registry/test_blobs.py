"""A blob is visible only when whole; a piece counts whole or not at all."""

from hashlib import sha256, sha512

import pytest

from ecrlab.registry import blobs as blobs_module
from ecrlab.registry.blobs import EMPTY, BlobStore
from ecrlab.registry.errors import LimitExceededException


@pytest.fixture
def blobs(tmp_path):
    return BlobStore(tmp_path, durable=True)


def test_a_blob_is_visible_only_after_it_was_adopted(blobs):
    writer = blobs.writer("one")
    writer.write(b"hello ")
    writer.write(memoryview(b"world"))
    digest = writer.digest()
    assert digest == "sha256:" + sha256(b"hello world").hexdigest()
    assert digest not in blobs and list(blobs) == []

    blobs.sync(writer)
    blobs.adopt(writer, digest)

    assert digest in blobs and list(blobs) == [digest]
    with blobs.open(digest) as file:
        assert file.read() == b"hello world"


def test_the_other_algorithm_reads_the_file(blobs):
    writer = blobs.writer("one")
    writer.write(b"hello")

    assert writer.digest("sha512") == "sha512:" + sha512(b"hello").hexdigest()


def test_no_bytes_are_a_blob_too(blobs):
    writer = blobs.writer("empty")
    blobs.adopt(writer, EMPTY)

    assert EMPTY in blobs


def test_what_was_discarded_does_not_come_back_with_the_next_piece(blobs, tmp_path):
    writer = blobs.writer("one")
    writer.discard()

    with pytest.raises(FileNotFoundError):
        writer.write(b"late")

    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_piece_that_fails_half_way_leaves_no_byte(blobs, monkeypatch):
    writer = blobs.writer("one")
    writer.write(b"good")
    real = blobs_module.os.pwrite
    calls = []

    def half_then_interrupt(file, data, offset):
        calls.append(offset)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return real(file, data[:2], offset)

    with monkeypatch.context() as patched:
        patched.setattr(blobs_module.os, "pwrite", half_then_interrupt)
        with pytest.raises(KeyboardInterrupt):
            writer.write(b"bad piece")

    assert writer.path.read_bytes() == b"good" and writer.size == 4
    writer.write(b" again")
    assert writer.path.read_bytes() == b"good again"
    assert writer.digest() == "sha256:" + sha256(b"good again").hexdigest()


def test_a_blob_can_go_back_to_where_it_stood(blobs):
    writer = blobs.writer("one")
    writer.write(b"keep")
    mark = writer.mark()
    writer.write(b" and forget")

    writer.rewind(mark)
    writer.write(b"!")

    assert writer.path.read_bytes() == b"keep!"
    assert writer.digest() == "sha256:" + sha256(b"keep!").hexdigest()


def test_a_layer_beyond_the_largest_is_refused_and_stays_as_it_was(blobs, monkeypatch):
    monkeypatch.setattr(blobs_module, "LARGEST", 10)
    writer = blobs.writer("one")
    writer.write(b"0123456789")

    with pytest.raises(LimitExceededException, match="at most 10 bytes"):
        writer.write(b"!")

    assert writer.size == 10


def test_what_a_dead_process_was_writing_is_swept(tmp_path):
    BlobStore(tmp_path, durable=True).writer("half").write(b"half")

    BlobStore(tmp_path, durable=True)

    assert list((tmp_path / "uploads").iterdir()) == []
