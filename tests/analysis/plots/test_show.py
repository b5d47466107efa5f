"""The registry as a picture and as a table: who has a name, who is left behind, who shares what."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import boto3
import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

import ecrlab
from ecrlab.analysis.inventory import reading
from ecrlab.analysis.inventory.kinds import INDEX, PART, REFERRER, TAGGED, UNTAGGED, listing
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.analysis.plots import show, tag_history
from ecrlab.lifecycle import Image
from ecrlab.registry.tag_history import Event

mpl.use("agg")

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LIST = "application/vnd.oci.image.index.v1+json"


def digest_of(body):
    return "sha256:" + hashlib.sha256(body).hexdigest()


def descriptor(media_type, body):
    return {"mediaType": media_type, "digest": digest_of(body), "size": len(body)}


class Pushes:
    """Pushes to one repository with boto3 alone."""

    def __init__(self, ecr, name="my-app"):
        self.ecr, self.name = ecr, name
        ecr.create_repository(repositoryName=name)

    def image(self, *layers, tag=None, config=b"{}", **more):
        for body in (config, *layers):
            self._layer(body)
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor("application/vnd.oci.image.config.v1+json", config),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", body) for body in layers],
        }
        return self._put(document | more, tag)

    def index(self, *images, tag=None):
        listed = [
            image | {"platform": {"os": "linux", "architecture": name}}
            for image, name in zip(images, ("amd64", "arm64"), strict=True)
        ]
        return self._put({"schemaVersion": 2, "mediaType": LIST, "manifests": listed}, tag)

    def about(self, subject, kind):
        return self.image(kind.encode(), subject=subject, artifactType=kind)

    def _layer(self, body):
        where = {"repositoryName": self.name}
        asked = self.ecr.batch_check_layer_availability(layerDigests=[digest_of(body)], **where)
        if asked["layers"] and asked["layers"][0]["layerAvailability"] == "AVAILABLE":
            return
        where["uploadId"] = self.ecr.initiate_layer_upload(**where)["uploadId"]
        self.ecr.upload_layer_part(partFirstByte=0, partLastByte=len(body) - 1, layerPartBlob=body, **where)
        self.ecr.complete_layer_upload(layerDigests=[digest_of(body)], **where)

    def _put(self, document, tag):
        text = json.dumps(document)
        named = {"imageTag": tag} if tag else {}
        self.ecr.put_image(repositoryName=self.name, imageManifest=text, **named)
        return descriptor(document["mediaType"], text.encode())


@pytest.fixture
def lab():
    with ecrlab.start() as lab:
        yield lab
    plt.close("all")


@pytest.fixture
def pushes(lab):
    return Pushes(boto3.client("ecr"))


def texts(figure):
    return {text.get_text() for axes in figure.axes for text in axes.texts}


def test_an_image_that_lost_its_tag_is_told_from_one_that_an_index_lists_and_one_about_another(lab, pushes):
    pushes.image(b"old", tag="v1")
    pushes.image(b"new", tag="v1")
    index = pushes.index(pushes.image(b"amd64"), pushes.image(b"arm64"), tag="v2")
    pushes.about(index, "application/spdx+json")

    table = lab.show("my-app").table()

    assert list(table["kind"]) == [UNTAGGED, TAGGED, INDEX, PART, PART, REFERRER]
    assert list(table["remark"])[3:] == ["linux/amd64", "linux/arm64", "application/spdx+json"]
    assert set(table["of"][3:]) == {table["digest"][3]} == {index["digest"][7:19]}


def test_what_is_about_an_image_that_is_not_there_stands_alone(lab, pushes):
    pushes.about(descriptor(MANIFEST, b"nowhere"), "application/spdx+json")

    [entry] = listing(lab.show("my-app").repositories[0])
    assert (entry.kind, entry.parent, entry.depth) == (REFERRER, None, 0)


def test_bytes_are_shared_when_another_image_of_the_repository_has_them(lab, pushes):
    pushes.image(b"base" * 10, b"one", tag="v1", config=b'{"n":1}')
    pushes.image(b"base" * 10, b"other", tag="v2", config=b'{"n":2}')
    Pushes(pushes.ecr, "elsewhere").image(b"one", tag="v1")

    table = lab.show("my-app").table()

    assert list(table["bytes"]) == [40 + 3 + 7, 40 + 5 + 7]
    assert list(table["shared"]) == [40, 40]


def test_an_archived_image_is_shown_and_its_layers_are_not_known(lab, pushes):
    pushes.image(b"active", tag="v2")
    digest = pushes.image(b"archived", tag="v1")["digest"]
    where = {"repositoryName": "my-app", "imageId": {"imageDigest": digest}}
    pushes.ecr.update_image_storage_class(targetStorageClass="ARCHIVE", **where)

    shown = lab.show()

    assert list(shown.table()["tags"]) == ["v2", "v1"]
    assert {"image", "image, archived", "8 B to 18 B stored"} <= {
        text.rpartition("tags, ")[2] for text in texts(shown.picture())
    }


def test_ages_are_of_the_labs_clock(lab, pushes):
    pushes.image(b"one", tag="v1")
    lab.clock.advance(days=3)
    pushes.image(b"two", tag="v2")

    assert list(lab.show("my-app").table()["age"]) == ["3 days", "0 s"]


def test_looking_is_no_pull_in_the_lab(lab, pushes):
    pushes.image(b"one", tag="v1")
    lab.show().table()

    [detail] = pushes.ecr.describe_images(repositoryName="my-app")["imageDetails"]
    assert "lastRecordedPullTime" not in detail


def test_any_client_will_do_and_then_manifests_are_asked_of_it_in_portions(lab, pushes, monkeypatch):
    monkeypatch.setattr(reading, "MOST_IDS", 2)
    for number in range(3):
        pushes.image(b"base", str(number).encode(), tag=f"v{number}")

    shown = show.show(pushes.ecr, now=lab.clock.now())

    assert len(shown) == 3
    assert shown.table().equals(lab.show().table())


def test_the_picture_names_tags_digests_and_ages(lab, pushes):
    image = pushes.image(b"one", tag="v1")
    pushes.image(b"two", tag="latest")

    said = texts(lab.show().picture())

    assert {"my-app", "v1", "latest", image["digest"][7:19], "0 s"} <= said


@pytest.mark.parametrize("repositories", [0, 1, 20])
def test_a_registry_with_nothing_in_it_can_be_shown(lab, repositories):
    for number in range(repositories):
        lab.client("ecr").create_repository(repositoryName=f"empty-{number}")

    shown = lab.show()

    assert len(shown) == len(shown.table()) == 0
    assert {"The registry is empty."} if not repositories else {"empty-0", "empty"} <= texts(shown.picture())


def test_a_repository_that_is_not_there_is_answered_by_ecr(lab):
    with pytest.raises(lab.client("ecr").exceptions.RepositoryNotFoundException):
        lab.show("my-ap")


START = datetime(2026, 10, 1, tzinfo=UTC)


def repository(name, images, step=timedelta(hours=7)):
    """A repository with that many images, every third one without a tag, all with one base."""
    digests = [digest_of(f"{name} {number}".encode()) for number in range(images)]
    described = [
        Image(digest, () if number % 3 == 0 else (f"v{number}",), START + step * number, size_in_bytes=1010)
        for number, digest in enumerate(digests)
    ]
    layers = {digest: ("sha256:base", f"sha256:{number}") for number, digest in enumerate(digests)}
    sizes = {"sha256:base": 1000} | {f"sha256:{number}": 10 for number in range(images)}
    return Snapshot(name, START, tuple(described), layers, sizes, image_tag_mutability="MUTABLE")


def marks(figure):
    """How many images are drawn."""
    return sum(
        len(line.get_xdata())
        for axes in figure.axes
        for line in axes.lines
        if line.get_marker() in "oDs^" and line.get_markerfacecolor() != show.style.INK
    )


@pytest.mark.parametrize(
    "repositories",
    [
        [repository("one", 1)],
        [repository("one", 40)],
        [repository("one", 61)],
        [repository("one", 200)],
        [repository("all at once", 200, step=timedelta(0))],
        [repository(f"service-{number:02}", 20) for number in range(10)],
    ],
    ids=["1", "40", "61", "200", "200 at one instant", "10 repositories of 20"],
)
def test_every_image_has_a_mark_however_many_there_are(repositories):
    shown = show.Show(repositories, START + timedelta(days=90))

    figure = shown.picture()
    figure.canvas.draw()

    assert marks(figure) == len(shown)
    assert figure.get_figheight() < 16
    plt.close(figure)


def test_of_very_many_repositories_the_fullest_are_drawn_and_the_title_says_so():
    repositories = [repository(f"service-{number:02}", 1 + number) for number in range(40)]

    figure = show.Show(repositories, START).picture()

    assert "(the 30 fullest are shown)" in figure.get_suptitle()
    assert marks(figure) == sum(range(11, 41))


def test_many_shared_layers_leave_room_for_the_heaviest():
    sizes = {f"sha256:{number:02}": number + 1 for number in range(30)}
    images = [Image(digest_of(tag.encode()), (tag,), START, size_in_bytes=1) for tag in ("v1", "v2")]
    wide = Snapshot("wide", START, tuple(images), {image.image_digest: tuple(sizes) for image in images}, sizes)

    columns = show.columns_of(show.shared_layers(wide, listing(wide)), wide)

    assert set(columns) == set(list(sizes)[10:])
    assert max(columns.values()) < show.END


def test_the_history_draws_one_row_for_each_tag_and_one_for_each_image_left_behind(lab, pushes):
    old = pushes.image(b"old", tag="latest")
    pushes.image(b"new", tag="latest")
    pushes.image(b"new", tag="v2")

    figure = tag_history.picture(lab.history("my-app"))

    [axes] = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["latest", "v2", "no tag"]
    assert old["digest"][7:19] in texts(figure)
    assert axes.get_xlabel() and axes.get_ylabel()


def test_a_history_of_several_repositories_is_one_table_but_no_picture(lab, pushes):
    pushes.image(b"one", tag="v1")
    Pushes(pushes.ecr, "other").image(b"one", tag="v1")

    assert list(lab.history()["repository"]) == ["my-app", "other"]
    with pytest.raises(ValueError, match="choose one"):
        tag_history.picture(lab.history())


def test_the_history_says_who_did_it(lab, pushes):
    pushes.image(b"one", tag="v1")

    assert list(lab.history("my-app")["by"]) == ["user/learner"]


def test_a_long_history_shows_what_changed_last():
    events = [Event(float(n), "my-app", "pushed", f"v{n}", None, digest_of(b"%d" % n), "") for n in range(30)]

    figure = tag_history.picture(tag_history.table(events))

    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert rows == [f"v{number}" for number in range(6, 30)]
    assert "24 of 30 rows" in figure.axes[0].get_title(loc="left")
