"""What a push leaves behind, how a tag finds it, and when it goes."""

import pytest

from ecrlab.oci.media_types import DOCKER
from ecrlab.registry import deletions, images, pushes, repositories
from ecrlab.registry.errors import (
    ImageAlreadyExistsException,
    ImageDigestDoesNotMatchException,
    ImageNotFoundException,
    ImageTagAlreadyExistsException,
    InvalidParameterException,
    LayersNotFoundException,
    LimitExceededException,
    ReferencedImagesNotFoundException,
    RepositoryNotFoundException,
)
from ecrlab.registry.images import ImageId

NOWHERE = "sha256:" + "0" * 64


def test_a_pushed_image_has_the_digest_of_its_bytes_and_the_size_of_its_blobs(app, world):
    pushed = app.manifest(b"base", b"top!")
    for body in (b"{}", b"base", b"top!"):
        app.layer(body)

    image = app.put(pushed, "v1")

    assert image.digest == pushed.digest and app.find(image.digest).body == pushed.body
    assert image.size == len(b"{}" + b"base" + b"top!")
    assert image.tags == ("v1",)
    assert image.pushed_at == world.clock.now().timestamp()


def test_a_layer_listed_twice_counts_once(app):
    assert app.push(b"base", b"base").size == len(b"{}" + b"base")


def test_an_index_has_the_size_of_its_largest_manifest(app):
    small, large = app.push(b"s"), app.push(b"large")

    assert app.push_index(small, large).size == large.size


def test_moving_a_tag_leaves_the_old_image_untagged(app):
    old, new = app.push(b"old", tag="v1"), app.push(b"new", tag="v1")

    assert app.images == {old.digest: (), new.digest: ("v1",)}


def test_tags_of_an_image_are_in_the_order_in_which_they_came_to_it(app):
    image = app.push(b"one", tag="zebra")
    app.push(b"one", tag="ant")
    app.push(b"two", tag="zebra")
    app.push(b"one", tag="zebra")

    assert app.images[image.digest] == ("ant", "zebra")


def test_another_tag_does_not_make_an_image_younger(app, world):
    old = app.push(b"one", tag="v1")
    world.clock.advance(days=40)

    assert app.push(b"one", tag="stable").pushed_at == old.pushed_at


def test_pushing_again_changes_nothing_and_takes_no_time(app, world):
    app.push(b"one", tag="v1")
    before = world.clock.now()

    app.put(app.manifest(b"one"), "v1")

    assert world.clock.now() == before


def test_put_image_refuses_what_changes_nothing(app):
    pushed = app.manifest(b"one")
    app.push(b"one", tag="v1")

    with pytest.raises(ImageAlreadyExistsException, match="and tag 'v1' already exists"):
        pushes.put(app.registry, "app", pushed, tag="v1")
    with pytest.raises(ImageAlreadyExistsException, match="already exists in the repository"):
        pushes.put(app.registry, "app", pushed)


def test_an_immutable_tag_stays_where_it_is(app):
    repositories.update(app.registry, "app", image_tag_mutability="IMMUTABLE")
    image = app.push(b"one", tag="v1")

    with pytest.raises(ImageTagAlreadyExistsException):
        app.push(b"two", tag="v1")

    assert app.images == {image.digest: ("v1",)}


def test_a_manifest_needs_its_layers(app):
    with pytest.raises(LayersNotFoundException) as caught:
        app.put(app.manifest(b"missing", b"missing"))

    assert str(caught.value).count(app.manifest(b"missing").blobs[1].digest) == 1
    assert app.images == {}


def test_a_layer_of_another_repository_is_not_there(app, client_for):
    repositories.create(app.registry, "other")
    client_for(app.registry, "other").push(b"base")

    with pytest.raises(LayersNotFoundException):
        app.put(app.manifest(b"base"))


def test_a_foreign_layer_may_live_elsewhere(app):
    app.layer(b"{}")
    foreign = {
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "digest": NOWHERE,
        "size": 1000,
    }

    assert app.put(app.manifest(layers=[foreign])).size == 1000 + len(b"{}")


def test_an_index_needs_its_images(app):
    pushed = app.push(b"one")
    app.delete(digest=pushed.digest)

    with pytest.raises(ReferencedImagesNotFoundException):
        app.push_index(pushed)


def test_the_expected_digest_must_be_the_one(app):
    app.layer(b"{}")
    with pytest.raises(ImageDigestDoesNotMatchException):
        pushes.put(app.registry, "app", app.manifest(), digest=NOWHERE)


def test_an_image_has_at_most_a_thousand_tags(app, monkeypatch):
    monkeypatch.setattr(pushes, "MOST_TAGS", 3)
    for number in range(3):
        image = app.push(b"one", tag=f"v{number}")

    with pytest.raises(LimitExceededException, match="at most 3 tags"):
        app.push(b"one", tag="v3")

    assert len(app.images[image.digest]) == 3


def test_deleting_by_tag_takes_the_tag_and_with_the_last_one_the_image(app):
    image = app.push(b"one", tag="v1")
    app.push(b"one", tag="v2")

    assert app.delete(tag="v1") == []
    assert app.images == {image.digest: ("v2",)}
    assert app.delete(tag="v2") == []
    assert app.images == {}


def test_deleting_by_digest_takes_all_tags(app):
    image = app.push(b"one", tag="v1")
    app.push(b"one", tag="v2")

    gone, failures = deletions.delete(app.registry, "app", [ImageId(digest=image.digest)])

    assert gone == [ImageId(image.digest, "v1"), ImageId(image.digest, "v2")] and failures == []
    assert app.images == {} and images.tags(app.registry, "app") == []


def test_an_image_of_an_index_goes_only_after_the_index(app):
    child = app.push(b"one", tag="v1")
    index = app.push_index(child, tag="all")

    assert app.delete(digest=child.digest) == ["ImageReferencedByManifestList"]
    assert app.delete(tag="v1") == ["ImageReferencedByManifestList"]
    assert app.delete(digest=index.digest) == []
    assert app.delete(digest=child.digest) == []


@pytest.mark.parametrize(
    ("image_id", "code"),
    [
        (ImageId(), "MissingDigestAndTag"),
        (ImageId(digest="latest"), "InvalidImageDigest"),
        (ImageId(tag="-no"), "InvalidImageTag"),
        (ImageId(tag="nowhere"), "ImageNotFound"),
        (ImageId(digest=NOWHERE), "ImageNotFound"),
        (ImageId(digest=NOWHERE, tag="v1"), "ImageTagDoesNotMatchDigest"),
    ],
)
def test_what_cannot_be_served_says_why(app, image_id, code):
    app.push(b"one", tag="v1")

    found, failures = images.pull(app.registry, "app", [image_id])

    assert found == [] and [failure.code for failure in failures] == [code]
    assert deletions.delete(app.registry, "app", [image_id])[1][0].code == code


def test_one_bad_id_does_not_spoil_the_others(app):
    image = app.push(b"one", tag="v1")

    found, failures = images.pull(app.registry, "app", [ImageId(tag="nowhere"), ImageId(tag="v1")])

    assert [pulled.digest for pulled in found] == [image.digest] and len(failures) == 1


def test_a_pull_is_recorded_once_a_day(app, world):
    app.push(b"one", tag="v1")
    first = world.clock.now().timestamp()

    def pulled_at():
        images.pull(app.registry, "app", [ImageId(tag="v1")])
        return app.find(next(iter(app.images))).pulled_at

    assert pulled_at() == first
    world.clock.advance(hours=23)
    assert pulled_at() == first
    world.clock.advance(hours=1)
    assert pulled_at() == world.clock.now().timestamp()


def test_listing_goes_on_where_it_stopped_though_images_come_and_go(app):
    digests = [app.push(b"%d" % number).digest for number in range(6)]

    first = images.describe(app.registry, "app", most=3)
    app.delete(digest=digests[2])
    app.delete(digest=digests[3])
    app.push(b"late")
    rest = images.describe(app.registry, "app", after=first[-1].id)

    assert [image.digest for image in first] == digests[:3]
    assert [image.digest for image in rest][:2] == digests[4:] and len(rest) == 3


def test_tagged_and_untagged_can_be_told_apart(app):
    old, new = app.push(b"old", tag="v1"), app.push(b"new", tag="v1")

    assert [image.digest for image in images.describe(app.registry, "app", tagged=True)] == [new.digest]
    assert [image.digest for image in images.describe(app.registry, "app", tagged=False)] == [old.digest]


def test_ids_are_one_for_each_tag_and_one_for_each_image_without(app):
    old, new = app.push(b"old", tag="v1"), app.push(b"new", tag="v1")
    app.push(b"new", tag="v2")
    expected = [ImageId(old.digest), ImageId(new.digest, "v1"), ImageId(new.digest, "v2")]

    ids, after = [], (0, 0)
    while page := images.list_ids(app.registry, "app", after=after, most=1):
        [(image_id, after)] = page
        ids.append(image_id)

    assert ids == expected
    assert [i for i, _ in images.list_ids(app.registry, "app", tagged=True)] == expected[1:]
    assert [i for i, _ in images.list_ids(app.registry, "app", tagged=False)] == expected[:1]


def test_tags_are_listed_in_lexical_order_from_where_one_left_off(app):
    for tag in ("b", "B", "a", "1", "_x"):
        app.push(b"one", tag=tag)

    assert images.tags(app.registry, "app") == ["1", "B", "_x", "a", "b"]
    assert images.tags(app.registry, "app", after="B", most=2) == ["_x", "a"]


def test_nothing_is_found_where_there_is_nothing(app, registry):
    with pytest.raises(ImageNotFoundException):
        app.find(NOWHERE)
    for look in (images.describe, images.list_ids, images.tags):
        with pytest.raises(RepositoryNotFoundException):
            look(registry, "nowhere")
    with pytest.raises(RepositoryNotFoundException):
        pushes.put(registry, "nowhere", app.manifest())
    with pytest.raises(InvalidParameterException):
        pushes.put(registry, "app", app.manifest(), tag="no spaces")


def test_the_newest_image_says_what_a_layer_is(app):
    body = b"layer"
    app.push(body)
    media_type = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    app.put(app.manifest(body, layers=[{"mediaType": media_type, "digest": app.layer(body).digest, "size": 5}]))

    assert app.layer(body).media_type == media_type


def test_a_docker_manifest_is_an_image_like_any_other(app):
    app.layer(b"{}")
    pushed = app.manifest(mediaType=DOCKER.manifest)

    assert app.put(pushed, "v1").media_type == DOCKER.manifest
