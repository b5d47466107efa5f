"""Images out of AWS's answers, and every way in which an answer can be broken."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.lifecycle import UnreadableInput
from ecrlab.lifecycle.reading import document, images, instant, manifests
from tests.lifecycle.strategies import JSON

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
INDEX = "application/vnd.oci.image.index.v1+json"


def answer(**facts: Any) -> dict[str, Any]:
    detail = {"imageDigest": "sha256:aa", "imageTags": ["v1"], "imagePushedAt": "2026-09-01T12:00:00Z"}
    return {"imageDetails": [detail | facts]}


@pytest.mark.parametrize(
    "value",
    [
        "2026-09-01T12:00:00Z",
        "2026-09-01T14:00:00+02:00",
        "2026-09-01T12:00:00.000000+00:00",
        NOON.timestamp(),
        int(NOON.timestamp()),
        NOON,
        NOON.astimezone(timezone(timedelta(hours=-7))),
    ],
)
def test_a_date_is_text_seconds_or_a_datetime(value: Any) -> None:
    assert instant(value) == NOON
    assert instant(value).tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("2026-09-01T12:00:00", "needs a time zone"),
        ("2026-09-01", "needs a time zone"),
        (NOON.replace(tzinfo=None), "needs a time zone"),
        ("yesterday", "ISO 8601"),
        (True, "ISO 8601"),
        ([], "ISO 8601"),
        (NOON.timestamp() * 1000, "beyond the calendar"),
        (float("inf"), "beyond the calendar"),
        (float("nan"), "beyond the calendar"),
        ("0001-01-01T00:00:00+10:00", "beyond the calendar"),
    ],
)
def test_any_other_date_is_refused(value: Any, rule: str) -> None:
    with pytest.raises(UnreadableInput, match=rule):
        instant(value)


def test_an_image_has_what_describe_images_tells() -> None:
    [image] = images(
        answer(
            lastRecordedPullTime="2026-09-01T13:00:00Z",
            imageStatus="ARCHIVED",
            lastArchivedAt="2026-09-01T14:00:00Z",
            lastActivatedAt="2026-09-01T15:00:00Z",
            subjectManifestDigest="sha256:bb",
            imageManifestMediaType=INDEX,
            imageSizeInBytes=7,
            somethingNew={"of": "AWS's"},
        )
    )

    assert image.image_digest == "sha256:aa"
    assert image.image_tags == ("v1",)
    assert image.storage_class == "archive"
    dates = (image.pushed_at, image.last_pulled_at, image.last_archived_at, image.last_activated_at)
    assert [date.hour for date in dates if date] == [12, 13, 14, 15]
    assert (image.subject_digest, image.size_in_bytes, image.is_index) == ("sha256:bb", 7, True)


@pytest.mark.parametrize("tags", [None, []])
def test_an_image_without_tags_is_untagged(tags: Any) -> None:
    assert images(answer(imageTags=tags))[0].image_tags == ()


def test_what_an_index_lists_comes_from_its_manifest() -> None:
    index = {"manifests": [{"digest": "sha256:c1"}, {"digest": "sha256:c2"}], "subject": {"digest": "sha256:s"}}
    got = {"images": [{"imageId": {"imageDigest": "sha256:aa"}, "imageManifest": json.dumps(index)}]}

    [image] = images(answer(), manifests(got))

    assert image.children == ("sha256:c1", "sha256:c2")
    assert image.subject_digest == "sha256:s"


@pytest.mark.parametrize(
    ("facts", "place", "rule"),
    [
        ({"imageDigest": None}, "imageDetails[0].imageDigest", "is text"),
        ({"imageDigest": "sha256:\x1b[2J"}, "imageDetails[0].imageDigest", "is text"),
        ({"imagePushedAt": None}, "imageDetails[0].imagePushedAt", "needs the time of its push"),
        ({"imagePushedAt": "2026-09-01T12:00:00"}, "imageDetails[0].imagePushedAt", "needs a time zone"),
        ({"lastArchivedAt": "2026-09-01"}, "imageDetails[0].lastArchivedAt", "needs a time zone"),
        ({"imageStatus": "GONE"}, "imageDetails[0].imageStatus", "ACTIVE, ARCHIVED or ACTIVATING"),
        ({"imageStatus": []}, "imageDetails[0].imageStatus", "ACTIVE, ARCHIVED or ACTIVATING"),
        ({"imageTags": "v1"}, "imageDetails[0].imageTags", "tags are a list"),
        ({"imageTags": ["v1", 2]}, "imageDetails[0].imageTags[1]", "1 to 300 characters, got 2"),
        ({"imageTags": [""]}, "imageDetails[0].imageTags[0]", "1 to 300 characters"),
        ({"imageTags": ["a" * 1_000_000]}, "imageDetails[0].imageTags[0]", "of 1000000 characters"),
        ({"imageTags": ["a\nb"]}, "imageDetails[0].imageTags[0]", "plain text"),
        ({"imageSizeInBytes": "big"}, "imageDetails[0].imageSizeInBytes", "number of bytes"),
    ],
)
def test_a_broken_image_is_refused_with_its_place(facts: dict[str, Any], place: str, rule: str) -> None:
    with pytest.raises(UnreadableInput) as caught:
        images(answer(**facts))

    assert caught.value.place == place
    assert rule in caught.value.rule
    assert len(str(caught.value)) < 300


def test_a_digest_that_occurs_twice_is_refused() -> None:
    twice = {"imageDetails": answer()["imageDetails"] * 2}

    with pytest.raises(UnreadableInput, match=r"imageDetails\[1\]\.imageDigest: .* imageDetails\[0\]"):
        images(twice)


@pytest.mark.parametrize("value", [None, [], {}, {"imageDetails": {}}, {"imageDetails": [7]}, "text"])
def test_what_is_no_answer_of_describe_images_is_refused(value: Any) -> None:
    with pytest.raises(UnreadableInput):
        images(value)


@pytest.mark.parametrize(
    "entry",
    [
        7,
        {},
        {"imageId": {}},
        {"imageId": {"imageDigest": "a"}},
        {"imageId": {"imageDigest": "a"}, "imageManifest": "not JSON"},
        {"imageId": {"imageDigest": "a"}, "imageManifest": "[]"},
        {"imageId": {"imageDigest": "a"}, "imageManifest": '{"manifests": 1}'},
        {"imageId": {"imageDigest": "a"}, "imageManifest": '{"manifests": [{"size": 1}]}'},
        {"imageId": {"imageDigest": "a"}, "imageManifest": "[" * 100_000},
    ],
)
def test_a_broken_manifest_is_refused_with_its_place(entry: Any) -> None:
    with pytest.raises(UnreadableInput) as caught:
        manifests({"images": [entry]})

    assert caught.value.place.startswith("images[0]")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("{", "line 1 column 2: not JSON"),
        ('{"a": NaN}', "not JSON: NaN"),
        ("[" * 100_000, "nested too deeply"),
        ("1" * 10_000, "not JSON"),
        (b'{"a": "\xff"}', "byte 7: not JSON: not text in UTF-8"),
    ],
)
def test_a_text_that_is_not_json_is_refused(text: str | bytes, rule: str) -> None:
    with pytest.raises(UnreadableInput, match=rule):
        document(text)


@settings(max_examples=200)
@given(
    st.sampled_from(
        ["imageDigest", "imageTags", "imagePushedAt", "imageStatus", "subjectManifestDigest", "lastArchivedAt"]
    ),
    JSON,
)
def test_whatever_stands_in_an_image_it_is_read_or_refused(key: str, value: Any) -> None:
    try:
        images(answer(**{key: value}))
    except UnreadableInput as error:
        assert error.place.startswith("imageDetails[0]")
