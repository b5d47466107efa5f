"""The registry remembers who moved which tag when, also of what is gone."""

import pytest

from ecrlab.registry import deletions, pushes, repositories, tag_history
from ecrlab.registry.errors import ImageTagAlreadyExistsException
from ecrlab.registry.images import ImageId

ALICE, CI = "arn:aws:iam::123456789012:user/alice", "arn:aws:iam::123456789012:role/ci"


def told(app):
    """The events of a repository, without when and by whom."""
    return [(event.what, event.tag, event.before, event.after) for event in tag_history.of(app.registry, app.name)]


def test_a_tag_that_moves_is_told_with_the_image_it_left(app):
    old, new = app.push(b"old", tag="v1"), app.push(b"new", tag="v1")

    assert told(app) == [("pushed", "v1", None, old.digest), ("pushed", "v1", old.digest, new.digest)]


def test_a_second_tag_and_an_image_without_a_tag_are_told(app):
    one = app.push(b"one", tag="v1")
    app.push(b"one", tag="stable")
    two = app.push(b"two")

    assert told(app)[1:] == [("tagged", "stable", None, one.digest), ("pushed", None, None, two.digest)]


def test_an_event_tells_when_and_by_whom(app, world):
    app.layer(b"{}"), app.layer(b"one")
    pushes.put(app.registry, "app", app.manifest(b"one"), tag="v1", by=CI)
    deletions.delete(app.registry, "app", [ImageId(tag="v1")], by=ALICE)

    pushed, deleted = tag_history.of(app.registry, "app")
    assert (pushed.by, deleted.by) == (CI, ALICE)
    assert deleted.at == pushed.at + 1 == world.clock.now().timestamp()


def test_deleting_one_tag_of_several_is_told_apart_from_deleting_the_image(app):
    image = app.push(b"one", tag="v1")
    for tag in ("v2", "v3"):
        app.push(b"one", tag=tag)
    app.delete(tag="v2")
    app.delete(digest=image.digest)

    assert told(app)[3:] == [
        ("untagged", "v2", image.digest, None),
        ("deleted", "v1", image.digest, None),
        ("deleted", "v3", image.digest, None),
    ]


def test_an_untagged_image_that_goes_is_told_without_a_tag(app):
    image = app.push(b"one")
    app.delete(digest=image.digest)

    assert told(app)[-1] == ("deleted", None, image.digest, None)


def test_what_changes_nothing_is_not_told(app):
    app.push(b"one", tag="v1")
    app.push(b"one", tag="v1")
    app.push(b"one")
    app.delete(tag="v2")

    assert len(told(app)) == 1


def test_what_was_refused_is_not_told(app):
    app.push(b"one", tag="v1")
    repositories.update(app.registry, "app", image_tag_mutability="IMMUTABLE")

    with pytest.raises(ImageTagAlreadyExistsException):
        app.push(b"two", tag="v1")
    assert len(told(app)) == 1


def test_the_history_outlives_the_repository(app):
    tagged, untagged = app.push(b"one", tag="v1"), app.push(b"two")
    repositories.delete(app.registry, "app", force=True, by=ALICE)
    repositories.create(app.registry, "app")

    assert told(app)[2:] == [("deleted", "v1", tagged.digest, None), ("deleted", None, untagged.digest, None)]
    assert tag_history.of(app.registry)[-1].by == ALICE


def test_each_registry_and_each_repository_has_a_history_of_its_own(app, client_for, world):
    app.push(b"one", tag="v1")
    repositories.create(app.registry, "other")
    client_for(app.registry, "other").push(b"one", tag="v1")

    assert [event.repository for event in tag_history.of(app.registry)] == ["app", "other"]
    assert [event.repository for event in tag_history.of(app.registry, "other")] == ["other"]
    assert tag_history.of(app.registry, "third") == []
    assert tag_history.of(world.registry("123456789012", "eu-west-1")) == []


def test_the_history_is_kept_with_the_state(tmp_path, client_for):
    from ecrlab.registry.world import World

    first = World(tmp_path / "kept", seed="test")
    registry = first.registry("123456789012", "us-east-1")
    repositories.create(registry, "app")
    client_for(registry).push(b"one", tag="v1")
    first.close()

    second = World(tmp_path / "kept", seed="test")
    assert [event.tag for event in tag_history.of(second.registry("123456789012", "us-east-1"))] == ["v1"]
    second.close()
