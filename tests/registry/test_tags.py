"""Which tags may move, in the four modes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.registry import pushes, repositories
from ecrlab.registry.errors import ImageAlreadyExistsException, ImageTagAlreadyExistsException
from ecrlab.registry.repositories import Settings
from ecrlab.registry.tags import is_immutable
from tests.registry.conftest import Client

TAGS = st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9-_.]{0,20}", fullmatch=True)


@pytest.mark.parametrize(
    ("mode", "excluded", "other"),
    [
        ("MUTABLE", False, False),
        ("IMMUTABLE", True, True),
        ("MUTABLE_WITH_EXCLUSION", True, False),
        ("IMMUTABLE_WITH_EXCLUSION", False, True),
    ],
)
def test_each_mode_and_its_exclusions(mode, excluded, other):
    settings = Settings(mode, ("release-*",))

    assert is_immutable(settings, "release-1") is excluded
    assert is_immutable(settings, "dev") is other


@pytest.mark.parametrize(
    ("wildcard", "tag", "matches"),
    [
        ("*", "anything", True),
        ("latest", "latest", True),
        ("latest", "latest2", False),
        ("v*", "v", True),
        ("*-rc*", "v1-rc2", True),
        ("*-rc*", "v1", False),
        ("v1.*", "v1x", False),
        ("a*b*c", "aXbYc", True),
        ("a*b*c", "acb", False),
    ],
)
def test_a_star_stands_for_any_characters_and_nothing_else_is_special(wildcard, tag, matches):
    assert is_immutable(Settings("MUTABLE_WITH_EXCLUSION", (wildcard,)), tag) is matches


@settings(max_examples=50)
@given(TAGS, st.lists(TAGS, max_size=3))
def test_exclusions_turn_one_mode_into_the_other(tag, filters):
    mutable, immutable = (Settings(f"{mode}_WITH_EXCLUSION", tuple(filters)) for mode in ("MUTABLE", "IMMUTABLE"))

    assert is_immutable(mutable, tag) is (tag in filters)
    assert is_immutable(immutable, tag) is (tag not in filters)


def test_docker_cannot_push_an_immutable_tag_again_not_even_the_same_image(registry):
    repositories.create(registry, "app", Settings(image_tag_mutability="IMMUTABLE"))
    app = Client(registry)
    pushed = app.push(b"layer", tag="v1")

    with pytest.raises(ImageTagAlreadyExistsException):
        pushes.put(registry, "app", app.manifest(b"layer"), tag="v1", again=True)
    with pytest.raises(ImageAlreadyExistsException):
        pushes.put(registry, "app", app.manifest(b"layer"), tag="v1")
    assert app.images == {pushed.digest: ("v1",)}
