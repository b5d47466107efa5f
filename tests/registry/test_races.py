"""Sixteen clients at one repository: every update counts, one image wins an immutable tag, no index loses a
child.
"""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from ecrlab.registry import images, layers, repositories
from ecrlab.registry.errors import (
    EcrError,
    ImageTagAlreadyExistsException,
    ReferencedImagesNotFoundException,
    RepositoryNotFoundException,
)
from ecrlab.registry.store.verify import verify
from tests.registry.lives import live

CLIENTS = 16


def at_once(function, arguments):
    """What many threads got by calling a function at once."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(function, arguments))


def test_of_many_images_racing_for_one_immutable_tag_exactly_one_wins(app):
    repositories.update(app.registry, "app", image_tag_mutability="IMMUTABLE")

    def push(number):
        try:
            return app.push(b"%d" % number, tag="release").digest
        except ImageTagAlreadyExistsException:
            return None

    for _ in range(5):
        won = [digest for digest in at_once(push, range(CLIENTS)) if digest]
        assert len(won) == 1
        assert images.find(app.registry, "app", images.ImageId(tag="release")).digest == won[0]
        app.delete(digest=won[0])


def test_no_push_is_lost_and_a_tag_is_where_somebody_put_it(app):
    def push(number):
        return app.push(b"shared", b"%d" % number, tag="latest").digest

    pushed = at_once(push, range(100))

    assert set(app.images) == set(pushed)
    assert [tags for tags in app.images.values() if tags] == [("latest",)]
    assert [image.pushed_at for image in images.describe(app.registry, "app")] == sorted(
        {image.pushed_at for image in images.describe(app.registry, "app")}
    )


def test_an_index_is_never_left_without_a_child(app, world):
    def push_index_or_delete_child(number):
        child = app.push(b"%d" % (number // 2 % 8))
        if number % 2:
            return app.delete(digest=child.digest)
        try:
            return [app.push_index(child).digest]
        except ReferencedImagesNotFoundException:
            return []

    outcomes = [outcome for outcomes in at_once(push_index_or_delete_child, range(160)) for outcome in outcomes]

    assert "ImageReferencedByManifestList" in outcomes
    world.close()
    assert list(verify(world.directory)) == []


def test_lives_that_share_layers_do_not_disturb_each_other(world, registry, client_for):
    names = [f"life-{number}" for number in range(CLIENTS)]

    def one(name):
        repositories.create(registry, name)
        life = live(client_for(registry, name), name)
        for _ in range(12):
            next(life)

    at_once(one, names)

    world.collector.collect(grace=False)
    world.close()
    assert list(verify(world.directory)) == []


def test_a_repository_may_go_at_any_moment(world, registry, client_for):
    def use(number):
        chance = random.Random(number)
        app = client_for(registry, "app")
        try:
            if chance.random() < 0.3:
                repositories.create(registry, "app")
            elif chance.random() < 0.2:
                repositories.delete(registry, "app", force=True)
            else:
                app.push(b"shared", b"%d" % number, tag="latest")
                app.delete(tag="latest")
        except EcrError as error:
            expected = ("Repository", "UploadNotFound", "LayersNotFound", "ImageNotFound")
            assert error.code.startswith(expected), error

    at_once(use, range(300))

    with pytest.raises(RepositoryNotFoundException):
        repositories.delete(registry, "app", force=True)
        layers.begin_upload(registry, "app")
    world.collector.collect(grace=False)
    world.close()
    assert list(verify(world.directory)) == []
    assert not [path for path in (world.directory / "blobs").rglob("*") if path.is_file()]
