"""What the face does when things go wrong below it."""

import hashlib
import logging
import threading

from ecrlab.registry.errors import ServerException
from ecrlab.simulator.v2 import DockerFace


def test_a_bug_is_logged_and_told_without_its_inside(ask, caplog):
    def broken(*_):
        raise ZeroDivisionError("a secret")

    with caplog.at_level(logging.ERROR, "ecrlab.v2"):
        response = ask("GET", "/v2/team/app/tags/list", authorize=broken)
    assert response.status_code == 500
    assert response.json["errors"][0]["code"] == "UNKNOWN"
    assert b"secret" not in response.data
    assert "a secret" in caplog.text


def test_a_full_disk_is_told_and_leaves_the_upload_as_it_was(ask, world, monkeypatch):
    face = DockerFace(world)
    location = ask("POST", "/v2/team/app/blobs/uploads/", face=face).location
    ask("PATCH", location, b"first", face=face)
    upload = world.uploads.find(location.rpartition("/")[2], 1)

    def full(piece):
        raise ServerException("The lab cannot write to its disk: No space left on device.")

    with monkeypatch.context() as broken:
        broken.setattr(type(upload.blob), "write", lambda self, piece: full(piece))
        response = ask("PATCH", location, b"second", face=face)
    assert (response.status_code, response.json["errors"][0]["code"]) == (507, "UNKNOWN")
    assert "No space left" in response.json["errors"][0]["message"]
    digest = "sha256:" + hashlib.sha256(b"first").hexdigest()
    assert ask("PUT", f"{location}?digest={digest}", face=face).status_code == 201


def test_a_piece_for_an_upload_that_is_just_being_completed_is_refused_at_once(ask, world):
    face = DockerFace(world)
    location = ask("POST", "/v2/team/app/blobs/uploads/", face=face).location
    upload = world.uploads.find(location.rpartition("/")[2], 1)
    held, release = threading.Event(), threading.Event()

    def complete():
        with upload.lock:
            held.set()
            assert release.wait(10)

    completing = threading.Thread(target=complete)
    completing.start()
    assert held.wait(10)
    response = ask("PATCH", location, b"more", face=face)
    release.set()
    completing.join()
    assert (response.status_code, response.json["errors"][0]["code"]) == (416, "BLOB_UPLOAD_INVALID")
    assert ask("PATCH", location, b"more", face=face).status_code == 202
