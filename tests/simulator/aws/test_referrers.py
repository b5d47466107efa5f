"""ListImageReferrers: what is about an image."""

import pytest

from tests.simulator.client import OCI_MANIFEST, Repository, digest_of, refusal

SIGNATURE, SBOM = "application/vnd.example.signature", "application/spdx+json"


def attach(app: Repository, subject: str, body: bytes, kind: str) -> str:
    """Push an artifact about an image; give its digest."""
    about = {"mediaType": OCI_MANIFEST, "digest": subject, "size": 1}
    return app.push(body, subject=about, artifactType=kind, annotations={"made": "here"})


@pytest.mark.operation("ecr:ListImageReferrers")
def test_what_is_about_an_image_is_listed_with_it(app: Repository) -> None:
    subject = app.push(b"image", tag="v1")
    signature, sbom = attach(app, subject, b"1", SIGNATURE), attach(app, subject, b"2", SBOM)
    attach(app, digest_of(b"another"), b"3", SBOM)
    found = app.list_image_referrers(subjectId={"imageDigest": subject})["referrers"]
    assert [referrer["digest"] for referrer in found] == [signature, sbom]
    body = app.batch_get_image(imageIds=[{"imageDigest": signature}])["images"][0]["imageManifest"]
    assert found[0] == {
        "digest": signature,
        "mediaType": OCI_MANIFEST,
        "artifactType": SIGNATURE,
        "size": len(body),
        "annotations": {"made": "here"},
        "artifactStatus": "ACTIVE",
    }


def test_referrers_by_type_and_status(app: Repository) -> None:
    subject = digest_of(b"an image that is pushed later, or never")
    attach(app, subject, b"1", SIGNATURE)
    sbom = attach(app, subject, b"2", SBOM)
    for criteria, expected in [
        ({"artifactTypes": [SBOM]}, [sbom]),
        ({"artifactTypes": [SBOM, "other"], "artifactStatus": "ANY"}, [sbom]),
        ({"artifactStatus": "ARCHIVED"}, []),
        ({"artifactTypes": ["other"]}, []),
    ]:
        answer = app.list_image_referrers(subjectId={"imageDigest": subject}, filter=criteria)
        assert [referrer["digest"] for referrer in answer["referrers"]] == expected


def test_referrers_come_twenty_to_a_page(app: Repository) -> None:
    subject = digest_of(b"subject")
    digests = [attach(app, subject, b"%d" % n, SBOM) for n in range(22)]
    first = app.list_image_referrers(subjectId={"imageDigest": subject})
    rest = app.list_image_referrers(subjectId={"imageDigest": subject}, nextToken=first["nextToken"])
    found = [[referrer["digest"] for referrer in page["referrers"]] for page in (first, rest)]
    assert found == [digests[:20], digests[20:]]
    assert "nextToken" not in rest
    assert refusal(app.list_image_referrers, subjectId={"imageDigest": subject}, maxResults=51)[0] == (
        "InvalidParameterException"
    )


def test_a_subject_is_a_digest(app: Repository) -> None:
    code, _ = refusal(app.list_image_referrers, subjectId={"imageDigest": "v1"})
    assert code == "InvalidParameterException"
