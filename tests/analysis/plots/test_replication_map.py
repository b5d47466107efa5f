"""The map of registries: rows, arrows and cells say what the registries hold."""

import re

import boto3
import matplotlib.pyplot as plt
import pytest

import ecrlab
from ecrlab.analysis.inventory.frames import short
from ecrlab.analysis.plots import replication_map
from tests.simulator.client import Repository

ACCOUNT = "123456789012"


@pytest.fixture
def lab():
    with ecrlab.start() as lab:
        yield lab


@pytest.fixture
def registries(lab):
    """Two Regions: a rule copies `app` from the first to the second, and v1 is older than the rule."""
    home, ireland = boto3.client("ecr"), boto3.client("ecr", region_name="eu-west-1")
    home.create_repository(repositoryName="app")
    app = Repository(home, "app")
    app.push(b"old", tag="v1")
    put(home, {"destinations": [{"region": "eu-west-1", "registryId": ACCOUNT}]})
    app.push(b"new", tag="v2")
    lab.clock.advance(minutes=30)
    return {"home": home, "ireland": ireland}


def put(ecr, *rules):
    ecr.put_replication_configuration(replicationConfiguration={"rules": list(rules)})


def digest(ecr, tag):
    [found] = ecr.describe_images(repositoryName="app", imageIds=[{"imageTag": tag}])["imageDetails"]
    return found["imageDigest"]


def test_the_table_has_each_tag_where_it_is_and_nothing_where_it_is_not(registries):
    found = replication_map.show("app", registries).table()

    assert list(found.index) == ["v1", "v2"]
    assert re.fullmatch(
        short(digest(registries["home"], "v1")) + r", image since 2026-10-01 09:00:\d\d", found.loc["v1", "home"]
    )
    assert found.loc["v1", "ireland"] == ""
    assert found.loc["v2", "ireland"].startswith(short(digest(registries["home"], "v2")))


def test_an_image_without_a_tag_has_a_row_of_its_own_below_the_tags(registries):
    Repository(registries["home"], "app").push(b"newest", tag="v1")

    found = replication_map.show("app", registries).table()

    assert list(found.index) == ["v1", "v2", "no tag"]
    assert found.loc["no tag", "home"] != ""
    assert found.loc["no tag", "ireland"] == ""


def test_an_image_without_a_row_where_it_has_a_tag_is_not_said_to_be_missing(registries):
    home, ireland = (Repository(registries[name], "app") for name in ("home", "ireland"))
    ireland.push(b"old", tag="v2")
    home.push(b"newest", tag="v3")

    shown = replication_map.show("app", registries).picture()

    [axes] = shown.axes
    texts = [text.get_text() for text in axes.texts]
    assert texts.count("–") == 1  # the image of v2 of home, which has no tag in Ireland
    plt.close(shown)


def test_rows_are_in_the_order_of_their_names_and_numbers(registries):
    app = Repository(registries["home"], "app")
    for tag in ("v10", "v9", "live"):
        app.push(tag.encode(), tag=tag)

    assert list(replication_map.show("app", registries).table().index) == ["live", "v1", "v2", "v9", "v10"]


def test_a_digest_keeps_its_colour_when_an_older_image_goes(registries):
    def colour_of_v2():
        shown = replication_map.show("app", registries).picture()
        row = [label.get_text() for label in shown.axes[0].get_yticklabels()].index("v2")
        [colour, _] = [bar.get_facecolor() for bar in shown.axes[0].patches if bar.get_y() == row - 0.38]
        plt.close(shown)
        return colour

    before = colour_of_v2()
    registries["home"].batch_delete_image(repositoryName="app", imageIds=[{"imageTag": "v1"}])

    assert colour_of_v2() == before


def test_arrows_are_the_rules_about_the_repository(registries):
    there = {"region": "eu-west-1", "registryId": ACCOUNT}
    other = [{"filter": "web", "filterType": "PREFIX_MATCH"}]

    def arrows():
        home, ireland = replication_map.show("app", registries).places
        assert ireland.copies_to == {}
        return home.copies_to

    assert arrows() == {(ACCOUNT, "eu-west-1"): False}
    put(registries["home"], {"destinations": [there], "deleteReplication": {"enabled": True}})
    assert arrows() == {(ACCOUNT, "eu-west-1"): True}
    put(registries["home"], {"destinations": [there], "repositoryFilters": other})
    assert arrows() == {}


def test_a_repository_that_is_nowhere_is_an_empty_map(registries):
    found = replication_map.show("nothing", registries)

    assert found.table().empty
    found.picture()
    plt.close("all")


def test_the_picture_says_the_same_in_words_and_its_texts_do_not_touch(registries):
    found = replication_map.show("app", {**registries, "again": registries["home"]})

    shown = found.picture()

    v1, v2 = (short(digest(registries["home"], tag)) for tag in ("v1", "v2"))
    assert f"home: v1 is {v1}, v2 is {v2}; ireland: v2 is {v2}; again:" in shown.get_label()
    shown.canvas.draw()
    boxes = [text.get_window_extent() for text in shown.axes[0].texts if text.get_text()]
    assert len(boxes) == 3 * 2 + 3 * 2 + 2  # heads, cells, arrows
    for k, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[k + 1 :])
    plt.close(shown)


def test_reading_is_no_pull(registries):
    replication_map.show("app", registries)

    [_, newer] = registries["home"].describe_images(repositoryName="app")["imageDetails"]
    assert "lastRecordedPullTime" not in newer
