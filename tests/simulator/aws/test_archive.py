"""Images in the archive: how they get there and back, and what they are not good for meanwhile."""

import contextlib
import http.client
from datetime import timedelta

import pytest

from ecrlab.registry.archive import RESTORE
from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.simulator.client import Repository, client_of, digest_of, refusal

REGION = "us-east-1"


@pytest.fixture
def lab(tmp_path):
    """A world of its own, because its clock is moved, and the repository `app` in it."""
    world = World(tmp_path / "state", seed="archive", durable=False)
    server = Server(world)
    ecr = client_of(server.endpoint)
    ecr.create_repository(repositoryName="app")
    yield world, server, Repository(ecr, "app")
    server.stop()
    world.close()


@pytest.fixture
def world(lab):
    return lab[0]


@pytest.fixture
def app(lab):
    return lab[2]


@pytest.fixture
def told(world):
    """What the world tells of, from now on."""
    events = []
    world.events.add(events.append)
    return events


def archive(app, **image_id):
    return app.update_image_storage_class(imageId=image_id, targetStorageClass="ARCHIVE")


def restore(app, **image_id):
    return app.update_image_storage_class(imageId=image_id, targetStorageClass="STANDARD")


def described(app, **asked):
    return {one["imageDigest"]: one["imageStatus"] for one in app.describe_images(**asked)["imageDetails"]}


@pytest.mark.operation("ecr:UpdateImageStorageClass")
def test_an_archived_image_is_out_of_sight_unless_asked_for(app, world) -> None:
    cold, warm = app.push(b"cold", tag="v1"), app.push(b"warm", tag="v2")

    answer = archive(app, imageTag="v1")

    assert answer["imageStatus"] == "ARCHIVED"
    assert answer["imageId"] == {"imageDigest": cold, "imageTag": "v1"}
    assert described(app) == described(app, filter={"imageStatus": "ACTIVE"}) == {warm: "ACTIVE"}
    assert described(app, filter={"imageStatus": "ARCHIVED"}) == {cold: "ARCHIVED"}
    assert described(app, filter={"imageStatus": "ANY"}) == {cold: "ARCHIVED", warm: "ACTIVE"}
    assert described(app, filter={"imageStatus": "ANY", "tagStatus": "UNTAGGED"}) == {}
    assert [one["imageTag"] for one in app.list_images()["imageIds"]] == ["v2"]
    assert [one["imageTag"] for one in app.list_images(filter={"imageStatus": "ARCHIVED"})["imageIds"]] == ["v1"]
    [detail] = app.describe_images(imageIds=[{"imageDigest": cold}])["imageDetails"]
    assert (detail["imageStatus"], detail["lastArchivedAt"]) == ("ARCHIVED", world.clock.now())
    assert "lastActivatedAt" not in detail


def test_an_archived_image_cannot_be_pulled(app, lab) -> None:
    digest = app.push(b"cold", tag="v1")
    archive(app, imageTag="v1")

    answer = app.batch_get_image(imageIds=[{"imageTag": "v1"}])

    assert answer["images"] == []
    [failure] = answer["failures"]
    assert (failure["failureCode"], failure["imageId"]) == ("ImageInaccessible", {"imageTag": "v1"})
    code, message = refusal(app.get_download_url_for_layer, layerDigest=digest_of(b"cold"))
    assert code == "LayerInaccessibleException"
    assert "archived" in message
    for path in (f"manifests/{digest}", "manifests/v1", f"blobs/{digest_of(b'cold')}"):
        for method in ("GET", "HEAD"):
            assert over_docker(lab, method, path) == 404


def test_layers_are_archived_when_only_archived_images_use_them(app) -> None:
    app.push(b"shared", b"cold", tag="v1")
    app.push(b"shared", b"warm", tag="v2")
    archive(app, imageTag="v1")

    found = {
        one["layerDigest"]: one["layerAvailability"]
        for one in app.batch_check_layer_availability(
            layerDigests=[digest_of(body) for body in (b"shared", b"cold", b"warm", b"none")]
        )["layers"]
    }

    assert found == {
        digest_of(b"shared"): "AVAILABLE",
        digest_of(b"cold"): "ARCHIVED",
        digest_of(b"warm"): "AVAILABLE",
        digest_of(b"none"): "UNAVAILABLE",
    }
    assert app.get_download_url_for_layer(layerDigest=digest_of(b"shared"))["downloadUrl"]


def test_a_restore_takes_twenty_minutes_of_the_lab_s_time(app, lab, world) -> None:
    digest = app.push(b"cold", tag="v1")
    archive(app, imageTag="v1")

    assert restore(app, imageDigest=digest)["imageStatus"] == "ACTIVATING"
    asked = world.clock.now()
    world.clock.travel_to(asked + timedelta(minutes=19, seconds=50))
    assert described(app, filter={"imageStatus": "ACTIVATING"}) == {digest: "ACTIVATING"}
    assert app.batch_get_image(imageIds=[{"imageTag": "v1"}])["failures"]
    assert refusal(lambda: archive(app, imageTag="v1"))[0] == "ImageStorageClassUpdateNotSupportedException"

    world.clock.travel_to(asked + RESTORE)
    [detail] = app.describe_images()["imageDetails"]
    assert (detail["imageStatus"], detail["lastActivatedAt"]) == ("ACTIVE", asked + RESTORE)
    assert detail["lastArchivedAt"] < asked
    assert app.batch_get_image(imageIds=[{"imageTag": "v1"}])["images"]
    assert over_docker(lab, "GET", "manifests/v1") == 200
    assert archive(app, imageTag="v1")["imageStatus"] == "ARCHIVED"


def test_pushing_the_same_image_again_restores_it_at_once(app, world) -> None:
    digest = app.push(b"cold", tag="v1")
    pushed_at = world.clock.now()
    for again in ({"tag": "v1"}, {"tag": "v2"}, {}):
        archive(app, imageDigest=digest)
        assert app.push(b"cold", **again) == digest
        [detail] = app.describe_images()["imageDetails"]
        assert detail["imageStatus"] == "ACTIVE"
        assert (detail["imagePushedAt"], detail["lastActivatedAt"]) == (pushed_at, world.clock.now())
    assert detail["imageTags"] == ["v1", "v2"]


def test_an_immutable_tag_restores_its_own_image_but_still_does_not_move(app) -> None:
    app.push(b"cold", tag="v1")
    archive(app, imageTag="v1")
    app.put_image_tag_mutability(imageTagMutability="IMMUTABLE")

    assert refusal(lambda: app.push(b"other", tag="v1"))[0] == "ImageTagAlreadyExistsException"
    app.push(b"cold", tag="v1")

    assert list(described(app).values()) == ["ACTIVE"]
    assert refusal(lambda: app.push(b"cold", tag="v1"))[0] == "ImageAlreadyExistsException"


def test_what_cannot_be_is_refused_and_changes_nothing(app, world) -> None:
    digest = app.push(b"warm", tag="v1")
    before = world.clock.now()
    code, message = refusal(lambda: restore(app, imageTag="v1"))
    assert (code, message) == (
        "ImageStorageClassUpdateNotSupportedException",
        f"The image with digest '{digest}' is in the standard storage class already",
    )
    assert refusal(lambda: archive(app, imageTag="nope"))[0] == "ImageNotFoundException"
    assert refusal(lambda: archive(app))[0] == "InvalidParameterException"
    assert refusal(app.update_image_storage_class, imageId={"imageTag": "v1"}, targetStorageClass="GLACIER")[0] == (
        "InvalidParameterException"
    )
    assert world.clock.now() == before
    archive(app, imageTag="v1")
    assert refusal(lambda: archive(app, imageTag="v1"))[0] == "ImageStorageClassUpdateNotSupportedException"


def test_what_an_index_lists_is_archived_after_the_index(app) -> None:
    child = app.push(b"amd64")
    index = app.push_index(child, tag="v1")

    assert refusal(lambda: archive(app, imageDigest=child)) == (
        "ImageStorageClassUpdateNotSupportedException",
        f"Requested image referenced by manifest list: [{index}]",
    )
    archive(app, imageDigest=index)
    archive(app, imageDigest=child)
    assert set(described(app, filter={"imageStatus": "ANY"}).values()) == {"ARCHIVED"}


def test_an_archived_image_can_be_deleted_with_its_layers(app, world) -> None:
    digest = app.push(b"cold", tag="v1")
    archive(app, imageTag="v1")

    assert app.batch_delete_image(imageIds=[{"imageDigest": digest}])["failures"] == []

    assert described(app, filter={"imageStatus": "ANY"}) == {}
    assert digest_of(b"cold") not in world.blobs


def test_a_new_image_may_push_an_archived_layer_anew(app) -> None:
    app.push(b"cold", tag="v1")
    archive(app, imageTag="v1")

    new = app.push(b"cold", b"more", tag="v2")

    assert described(app) == {new: "ACTIVE"}
    assert app.get_download_url_for_layer(layerDigest=digest_of(b"cold"))["downloadUrl"]


def test_referrers_follow_their_subject_at_midnight(app, world, told) -> None:
    kept, gone = app.push(b"kept", tag="v1"), app.push(b"gone", tag="v2")
    notes = {subject: referrer_of(app, subject) for subject in (kept, gone)}
    on_a_note = referrer_of(app, notes[gone])
    early = referrer_of(app, digest_of(b"not there yet"))
    archive(app, imageDigest=kept)
    app.batch_delete_image(imageIds=[{"imageDigest": gone}])
    told.clear()
    assert described(app).keys() == {*notes.values(), on_a_note, early}

    world.clock.advance(days=1)

    assert described(app, filter={"imageStatus": "ANY"}) == {
        kept: "ARCHIVED",
        notes[kept]: "ARCHIVED",
        on_a_note: "ACTIVE",
        early: "ACTIVE",
    }
    assert [(event.detail_type, event.detail["action-type"], event.detail["image-digest"]) for event in told] == [
        ("ECR Image Action", "DELETE", notes[gone]),
        ("ECR Referrer Action", "UPDATE_STORAGE_CLASS", notes[kept]),
    ]
    world.clock.advance(days=1)
    assert on_a_note not in described(app)
    world.clock.advance(days=30)
    assert described(app) == {early: "ACTIVE"}


def test_a_subject_that_came_back_keeps_what_is_about_it(app, world) -> None:
    subject = app.push(b"back", tag="v1")
    note = referrer_of(app, subject)
    app.batch_delete_image(imageIds=[{"imageDigest": subject}])
    app.push(b"back", tag="v1")

    world.clock.advance(days=5)

    assert described(app).keys() == {note, subject}


def test_referrers_are_listed_by_their_status(app) -> None:
    subject = app.push(b"subject", tag="v1")
    note = referrer_of(app, subject)
    archive(app, imageDigest=note)

    def listed(**criteria):
        answer = app.list_image_referrers(subjectId={"imageDigest": subject}, filter=criteria)
        return [(one["digest"], one["artifactStatus"]) for one in answer["referrers"]]

    assert listed() == listed(artifactStatus="ACTIVE") == []
    assert listed(artifactStatus="ARCHIVED") == listed(artifactStatus="ANY") == [(note, "ARCHIVED")]


def test_eventbridge_hears_of_it(app, told, world) -> None:
    digest = app.push(b"cold", tag="v1")
    archive(app, imageTag="v1")
    restore(app, imageTag="v1")
    world.clock.advance(hours=1)
    app.batch_delete_image(imageIds=[{"imageTag": "v1"}])

    common = {"result": "SUCCESS", "repository-name": "app", "image-digest": digest}
    about = common | {
        "action-type": "UPDATE_STORAGE_CLASS",
        "manifest-media-type": "application/vnd.oci.image.manifest.v1+json",
        "artifact-media-type": "application/vnd.oci.image.config.v1+json",
    }
    pushed, archived, restored, deleted = told
    assert {event.detail_type for event in told} == {"ECR Image Action"}
    assert (pushed.account_id, pushed.region, pushed.resources) == ("123456789012", REGION, ())
    assert pushed.detail == common | {"action-type": "PUSH", "image-tag": "v1"}
    assert archived.detail == about | {"target-storage-class": "ARCHIVE"}
    last_activated = restored.detail.pop("last-activated-at")
    assert restored.detail == about | {"target-storage-class": "STANDARD"}
    assert last_activated == "2026-10-01T09:20:04Z"
    assert deleted.detail == common | {"action-type": "DELETE", "image-tag": "v1"}


def test_what_is_refused_or_changes_nothing_is_not_told(app, told) -> None:
    digest = app.push(b"1", tag="v1")
    told.clear()

    refusal(lambda: app.push(b"1", tag="v1"))
    refusal(lambda: restore(app, imageTag="v1"))
    app.batch_delete_image(imageIds=[{"imageTag": "nope"}])
    assert told == []

    app.push(b"1", tag="v2")
    app.batch_delete_image(imageIds=[{"imageTag": "v1"}])
    app.batch_delete_image(imageIds=[{"imageDigest": digest}])
    actions = [(event.detail["action-type"], event.detail["image-tag"]) for event in told]
    assert actions == [("PUSH", "v2"), ("DELETE", "v1"), ("DELETE", "v2")]


def referrer_of(app, subject):
    return app.push(subject.encode(), subject={"mediaType": "x", "digest": subject, "size": 1})


def over_docker(lab, method, path):
    """The status that a Docker client gets."""
    _, server, app = lab
    token = app.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    connection = http.client.HTTPConnection(server.endpoint.removeprefix("http://"), timeout=20)
    with contextlib.closing(connection):
        connection.request(method, f"/v2/app/{path}", headers={"Authorization": f"Basic {token}"})
        with connection.getresponse() as answer:
            return answer.status
