"""Uploads end when they are completed, cancelled, forgotten or their repository goes; none waits for a slow
client.
"""

import threading
from types import SimpleNamespace

import pytest

import ecrlab.registry.store.uploads
from ecrlab.registry.errors import LimitExceededException
from ecrlab.registry.store.blobs import BlobStore
from ecrlab.registry.store.uploads import Uploads

APP, WEB = SimpleNamespace(id=1, kms_key=None), SimpleNamespace(id=2, kms_key=None)


@pytest.fixture
def uploads(tmp_path):
    return Uploads(BlobStore(tmp_path, durable=False))


def test_an_upload_is_found_only_in_its_own_repository(uploads):
    upload = uploads.begin("one", APP)

    assert uploads.find("one", 1) is upload
    assert uploads.find("one", 2) is None
    assert uploads.find("two", 1) is None


def test_an_upload_that_ends_leaves_no_file(uploads, tmp_path):
    upload = uploads.begin("one", APP)
    upload.blob.write(b"half")

    uploads.end(upload)

    assert upload.is_over and uploads.find("one", 1) is None
    assert list((tmp_path / "uploads").iterdir()) == []


def test_ending_an_upload_does_not_wait_for_who_holds_it(uploads):
    upload = uploads.begin("one", APP)
    held, done = threading.Event(), threading.Event()

    def slow_client():
        with upload.lock:
            held.set()
            done.wait(10)

    thread = threading.Thread(target=slow_client)
    thread.start()
    held.wait(10)

    uploads.end_all(1)  # would hang here

    done.set()
    thread.join()
    assert upload.is_over


def test_only_the_uploads_of_one_repository_end_with_it(uploads):
    mine, other = uploads.begin("one", APP), uploads.begin("two", WEB)

    uploads.end_all(1)

    assert mine.is_over and not other.is_over
    assert uploads.any_into(2) and not uploads.any_into(1)


def test_an_upload_nobody_touches_is_dropped(uploads, monkeypatch):
    idle, busy = uploads.begin("idle", APP), uploads.begin("busy", APP)
    long_ago = -ecrlab.registry.store.uploads.IDLE_SECONDS - 1
    idle.touched += long_ago
    busy.touched += long_ago

    held, done = threading.Event(), threading.Event()

    def at_work():
        with busy.lock:
            held.set()
            done.wait(10)

    thread = threading.Thread(target=at_work)
    thread.start()
    held.wait(10)
    uploads.begin("next", APP)
    done.set()
    thread.join()

    assert idle.is_over and not busy.is_over


def test_open_uploads_are_bounded(uploads, monkeypatch):
    monkeypatch.setattr(ecrlab.registry.store.uploads, "MOST_OPEN", 2)
    first = uploads.begin("one", APP)
    uploads.begin("two", APP)

    with pytest.raises(LimitExceededException, match="2 layer uploads are open"):
        uploads.begin("three", APP)

    uploads.end(first)
    uploads.begin("three", APP)


def test_many_open_uploads_take_no_memory_that_grows_with_them(uploads, monkeypatch):
    monkeypatch.setattr(ecrlab.registry.store.uploads, "MOST_HELD", 2)
    opened = [uploads.begin(f"upload-{number}", APP) for number in range(3)]

    for upload in opened:
        upload.blob.write(b"small")

    assert [upload.blob.path.exists() for upload in opened] == [False, False, True]
