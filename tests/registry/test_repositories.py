"""Repositories are made, found, changed and deleted, each in its own account and Region."""

import pytest

from ecrlab.registry import repositories
from ecrlab.registry.errors import (
    InvalidParameterException,
    RepositoryAlreadyExistsException,
    RepositoryNotEmptyException,
    RepositoryNotFoundException,
)
from ecrlab.registry.repositories import Settings


def test_a_repository_is_found_by_its_name_with_uri_and_arn(registry):
    repositories.create(registry, "team/app")

    found = repositories.find(registry, "team/app")

    assert found.uri == "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app"
    assert found.arn == "arn:aws:ecr:us-east-1:123456789012:repository/team/app"
    assert found.settings == Settings()


def test_settings_are_kept_as_given(registry):
    settings = Settings("IMMUTABLE_WITH_EXCLUSION", ("dev-*",), True, "KMS", "key", (("team", "a"),))

    repositories.create(registry, "app", settings)

    assert repositories.find(registry, "app").settings == settings


def test_one_setting_changes_and_the_others_stay(registry):
    repositories.create(registry, "app", Settings(scan_on_push=True))

    changed = repositories.update(registry, "app", image_tag_mutability="IMMUTABLE")

    assert changed.settings == Settings("IMMUTABLE", scan_on_push=True) == repositories.find(registry, "app").settings


def test_a_name_is_taken_once_in_an_account_and_region(registry, world):
    repositories.create(registry, "app")

    with pytest.raises(RepositoryAlreadyExistsException):
        repositories.create(registry, "app")
    repositories.create(world.registry("210987654321", "us-east-1"), "app")
    repositories.create(world.registry("123456789012", "eu-west-1"), "app")
    assert [r.name for r in repositories.describe(registry)] == ["app"]


@pytest.mark.parametrize("name", ["", "a", "App", "-app", "app/", "app//x", "../app", "a" * 257, "app\n"])
def test_a_bad_name_is_refused(registry, name):
    with pytest.raises(InvalidParameterException):
        repositories.create(registry, name)
    assert repositories.describe(registry) == []


def test_repositories_are_listed_by_name_a_page_at_a_time(registry):
    for name in ("cc", "aa", "bb"):
        repositories.create(registry, name)

    first = repositories.describe(registry, most=2)
    rest = repositories.describe(registry, after=first[-1].name)

    assert [r.name for r in first + rest] == ["aa", "bb", "cc"]
    assert [r.name for r in repositories.describe(registry, ["cc", "aa", "cc"])] == ["cc", "aa"]
    with pytest.raises(RepositoryNotFoundException, match="'nowhere'"):
        repositories.describe(registry, ["aa", "nowhere"])


def test_a_repository_with_images_is_deleted_only_by_force(app, world):
    child = app.push(b"one", tag="v1")
    app.push_index(child, tag="all")

    with pytest.raises(RepositoryNotEmptyException):
        repositories.delete(app.registry, "app")
    assert len(app.images) == 2

    repositories.delete(app.registry, "app", force=True)
    with pytest.raises(RepositoryNotFoundException):
        repositories.find(app.registry, "app")
    assert list(world.blobs) == []


def test_a_repository_made_again_is_empty(app):
    app.push(b"one", tag="v1")
    repositories.delete(app.registry, "app", force=True)

    repositories.create(app.registry, "app")

    assert app.images == {}
