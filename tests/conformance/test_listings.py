"""What there is: tags, repositories, referrers."""

import re
from urllib.parse import quote

import pytest

from .conftest import OCI_INDEX, OCI_MANIFEST, Answer, Client, Repository, digest_of, encode

SBOM, SIGNATURE = "application/vnd.example.sbom", "application/vnd.example.signature"


def next_page(answer: Answer) -> str | None:
    link = answer.headers["Link"]
    if link is None:
        return None
    found = re.fullmatch(r'<(/v2/[^>]+)>; rel="next"', link)
    assert found is not None
    return found[1]


@pytest.fixture
def tagged(repository: Repository) -> Repository:
    _, body = repository.push_image("b")
    for tag in ("d", "a", "c", "B"):
        repository.put(body, tag)
    return repository


def test_no_tags(repository: Repository) -> None:
    assert repository.ask("GET", "tags/list").json == {"name": repository.name, "tags": []}


def test_tags_of_a_missing_repository(client: Client) -> None:
    answer = client.ask("GET", "/v2/never/created/tags/list")
    assert (answer.status, answer.code) == (404, "NAME_UNKNOWN")


def test_tags_come_in_order(tagged: Repository) -> None:
    answer = tagged.ask("GET", "tags/list")
    assert answer.json["tags"] == ["B", "a", "b", "c", "d"]
    assert next_page(answer) is None


@pytest.mark.parametrize(("last", "rest"), [("a", "bcd"), ("aa", "bcd"), ("d", ""), ("~", ""), ("é", "")])
def test_tags_after_the_last(tagged: Repository, last: str, rest: str) -> None:
    assert tagged.ask("GET", f"tags/list?last={quote(last)}").json["tags"] == list(rest)


def test_tags_page_by_page(tagged: Repository) -> None:
    tags, pages, path = [], 0, f"/v2/{tagged.name}/tags/list?n=2"
    while path:
        answer = tagged.client.ask("GET", path)
        assert len(answer.json["tags"]) <= 2
        tags += answer.json["tags"]
        pages, path = pages + 1, next_page(answer)
    assert (tags, pages) == (["B", "a", "b", "c", "d"], 3)


def test_a_hundred_tags_come_when_nobody_says_how_many(repository: Repository) -> None:
    _, body = repository.push_image("b")
    for n in range(100):
        repository.put(body, f"t{n:03}")
    answer = repository.ask("GET", "tags/list")
    assert answer.json["tags"] == ["b", *(f"t{n:03}" for n in range(99))]
    assert repository.client.ask("GET", next_page(answer) or "").json["tags"] == ["t099"]


def test_no_page_follows_a_full_last_one(tagged: Repository) -> None:
    answer = tagged.ask("GET", "tags/list?n=5")
    assert len(answer.json["tags"]) == 5
    assert next_page(answer) is None


def test_a_page_of_no_tags(tagged: Repository) -> None:
    answer = tagged.ask("GET", "tags/list?n=0")
    assert (answer.json["tags"], next_page(answer)) == ([], None)


@pytest.mark.parametrize("n", ["-1", "many", "1.5", "", "٣", "9" * 30])
def test_a_page_of_what_is_no_number(tagged: Repository, n: str) -> None:
    answer = tagged.ask("GET", f"tags/list?n={quote(n)}")
    assert (answer.status, answer.code) == (400, "PAGINATION_NUMBER_INVALID")


@pytest.mark.private
def test_the_catalog_page_by_page(client: Client, repository: Repository, other_repository: Repository) -> None:
    names, path = [], "/v2/_catalog?n=3"
    while path:
        answer = client.ask("GET", path)
        assert answer.status == 200
        names += answer.json["repositories"]
        path = next_page(answer)
    assert {repository.name, other_repository.name} <= set(names)
    assert names == sorted(names) == client.ask("GET", "/v2/_catalog").json["repositories"]


# Referrers


def about(subject: bytes) -> dict[str, object]:
    return {"mediaType": OCI_MANIFEST, "digest": digest_of(subject), "size": len(subject)}


def test_nothing_refers_to_an_unknown_digest(repository: Repository) -> None:
    answer = repository.ask("GET", f"referrers/{digest_of(b'unknown')}")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == OCI_INDEX
    assert answer.json == {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}


def test_a_manifest_with_a_subject_is_told_that_it_was_understood(repository: Repository) -> None:
    subject, _ = repository.push_image("v1")
    answer = repository.put(repository.image(subject={"mediaType": OCI_MANIFEST, "digest": subject, "size": 1}))
    assert (answer.status, answer.headers["OCI-Subject"]) == (201, subject)
    assert repository.put(repository.image()).headers["OCI-Subject"] is None


def test_referrers_are_listed_and_filtered(repository: Repository) -> None:
    subject, image = repository.push_image("v1")
    sbom = encode(repository.image(artifactType=SBOM, annotations={"made": "today"}, subject=about(image)))
    plain = encode(repository.image(subject=about(image)))
    index = encode(repository.index(image, artifactType=SIGNATURE, subject=about(image)))
    for referrer in (sbom, plain, index):
        repository.put(referrer)

    everything = repository.ask("GET", f"referrers/{subject}")
    assert everything.json["manifests"] == [
        {
            "mediaType": OCI_MANIFEST,
            "digest": digest_of(sbom),
            "size": len(sbom),
            "artifactType": SBOM,
            "annotations": {"made": "today"},
        },
        {
            "mediaType": OCI_MANIFEST,
            "digest": digest_of(plain),
            "size": len(plain),
            "artifactType": "application/vnd.oci.image.config.v1+json",
        },
        {"mediaType": OCI_INDEX, "digest": digest_of(index), "size": len(index), "artifactType": SIGNATURE},
    ]
    assert everything.headers["OCI-Filters-Applied"] is None

    signatures = repository.ask("GET", f"referrers/{subject}?artifactType={quote(SIGNATURE)}")
    assert [found["digest"] for found in signatures.json["manifests"]] == [digest_of(index)]
    assert signatures.headers["OCI-Filters-Applied"] == "artifactType"


def test_a_referrer_may_come_before_its_subject(repository: Repository) -> None:
    image = encode(repository.image())
    referrer = encode(repository.image(subject=about(image)))
    assert repository.put(referrer).headers["OCI-Subject"] == digest_of(image)
    repository.put(image)
    [found] = repository.ask("GET", f"referrers/{digest_of(image)}").json["manifests"]
    assert found["digest"] == digest_of(referrer)


def test_a_deleted_referrer_is_listed_no_more(repository: Repository) -> None:
    subject, image = repository.push_image("v1")
    referrer = encode(repository.image(subject=about(image)))
    repository.put(referrer)
    repository.ask("DELETE", f"manifests/{digest_of(referrer)}")
    assert repository.ask("GET", f"referrers/{subject}").json["manifests"] == []


def test_referrers_of_what_is_no_digest(repository: Repository) -> None:
    answer = repository.ask("GET", "referrers/sha256:bad")
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
