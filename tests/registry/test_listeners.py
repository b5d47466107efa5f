"""Listeners are told of pushes, deletions and events, and one that fails concerns nobody else."""

import logging

import pytest

from ecrlab.registry import archive, deletions, images, repositories
from ecrlab.registry.errors import AccessDeniedException
from ecrlab.registry.images import ImageId
from ecrlab.registry.listeners import Listeners, Suppliers


def broken(*_):
    raise ZeroDivisionError("this listener is broken")


@pytest.fixture
def pushed(world):
    told = []
    world.after_push.add(broken)
    world.after_push.add(lambda registry, repository, image: told.append((repository.name, image.digest, image.tags)))
    return told


@pytest.fixture
def deleted(world):
    told = []
    world.after_deletion.add(broken)
    world.after_deletion.add(lambda registry, repository, digests: told.append((repository.name, digests)))
    return told


def test_a_push_is_announced_after_its_commit(app, world, pushed, caplog):
    there = []
    world.after_push.add(lambda registry, repository, image: there.extend(images.describe(registry, repository.name)))

    image = app.push(b"layer", tag="v1")

    assert pushed == [("app", image.digest, ("v1",))]
    assert [one.digest for one in there] == [image.digest]
    assert "this listener is broken" in caplog.text


def test_a_push_that_changes_nothing_is_not_told(app, pushed):
    app.push(b"layer", tag="v1")
    pushed.clear()

    app.push(b"layer", tag="v1")

    assert pushed == []


def test_a_new_tag_and_a_restore_are_told_as_pushes(app, registry, pushed):
    image = app.push(b"layer", tag="v1")
    app.push(b"layer", tag="v2")
    archive.update(registry, "app", ImageId(tag="v1"), archive.ARCHIVE)
    archive.update(registry, "app", ImageId(tag="v1"), archive.STANDARD)

    assert [tags for _, _, tags in pushed] == [("v1",), ("v1", "v2"), ("v1", "v2")]
    assert {digest for _, digest, _ in pushed} == {image.digest}


def test_deleted_images_are_told_and_lost_tags_are_not(app, registry, deleted, caplog):
    image = app.push(b"layer", tag="v1")
    app.push(b"layer", tag="v2")

    deletions.delete(registry, "app", [ImageId(tag="v1")])
    assert deleted == []
    deletions.delete(registry, "app", [ImageId(tag="v2"), ImageId(tag="none")])

    assert deleted == [("app", [image.digest])]
    assert app.images == {}
    assert "this listener is broken" in caplog.text


def test_the_images_of_a_deleted_repository_are_told(app, registry, deleted):
    pushed = [app.push(body).digest for body in (b"one", b"two")]

    repositories.delete(registry, "app", force=True)

    assert deleted == [("app", pushed)]


def test_an_event_is_told_although_another_listener_fails(app, world, caplog):
    told = []
    world.events.add(broken)
    world.events.add(told.append)

    image = app.push(b"layer", tag="v1")

    assert [event.detail["image-digest"] for event in told] == [image.digest]
    assert app.images == {image.digest: ("v1",)}
    assert "this listener is broken" in caplog.text


def test_a_listener_is_added_once():
    told, listeners = [], Listeners()

    listeners.add(told.append)
    listeners.add(told.append)
    listeners.tell("it")

    assert told == ["it"]


def test_listeners_are_asked_until_one_has_it(caplog):
    asked, listeners = [], Suppliers()
    assert not listeners and listeners.ask("it") is None

    listeners.add(broken)
    listeners.add(lambda what: asked.append("first"))
    listeners.add(lambda what: what.upper())
    listeners.add(lambda what: asked.append("never"))

    with caplog.at_level(logging.ERROR):
        assert listeners.ask("it") == "IT"
    assert asked == ["first"]
    assert "this listener is broken" in caplog.text


def test_a_listener_that_is_asked_may_refuse():
    listeners = Suppliers()

    def refuse(what):
        raise AccessDeniedException("arn", "ecr:CreateRepository", what)

    listeners.add(refuse)

    with pytest.raises(AccessDeniedException):
        listeners.ask("it")
