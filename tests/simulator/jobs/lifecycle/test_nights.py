"""Nights that pass: in order, quickly, and whatever goes wrong in one of them."""

import json
import logging
import time
import urllib.request
from datetime import UTC, datetime, timedelta

from ecrlab.clock import WallClock
from ecrlab.registry.world import World
from ecrlab.simulator.jobs import lifecycle
from ecrlab.simulator.server import Server
from tests.lifecycle.builders import rule
from tests.simulator.client import Repository, client_of
from tests.simulator.jobs.lifecycle.days import ACCOUNT, EVE, MIDNIGHT, REGION, put, status_of_all
from tests.simulator.jobs.lifecycle.events import service_events


def test_the_days_are_lived_through_in_order(app, clock):
    """Each day's image goes two days later, whatever the size of the step."""
    put(app, rule(1, pushed=2))
    for n in range(5):
        app.push(b"%d" % n, tag=f"v{n}")
        clock.advance(days=1)
    left = [tags for [tags] in app.images().values()]
    assert left == ["v3", "v4"] or left == ["v2", "v3", "v4"]

    clock.advance(days=90)

    assert app.images() == {}


def test_a_step_of_ninety_days_does_what_ninety_steps_do(lab, clock):
    _, ecr = lab
    outcomes = []
    for name, steps in (("at-once", [90]), ("daily", [1] * 90)):
        ecr.create_repository(repositoryName=name)
        shelf = Repository(ecr, name)
        child = shelf.push(b"child")
        shelf.push_index(child, tag="v0")
        shelf.push(b"release", tag="release-1")
        put(
            shelf,
            rule(1, ["v*"], pushed=7),
            rule(2, ["release*"], pushed=10, archive=True),
            rule(3, status="untagged", pushed=1),
        )
        begun = clock.now()
        for days in steps:
            clock.advance(days=days)
        documents = service_events(lab[0].registry(ACCOUNT, REGION), name)
        outcomes.append(
            [
                (
                    (datetime.fromisoformat(one["eventTime"]).date() - begun.date()).days,
                    one["serviceEventDetails"]["lifecycleEventImageActions"] != [],
                )
                for one in documents
            ]
        )
        assert len(status_of_all(shelf)) == 1
        put(shelf, rule(1, ["nothing"], keep=1))
    assert outcomes[0] == outcomes[1] == [(2, False), (8, True), (9, True), (11, True)]


def test_a_decade_passes_quickly(app, clock):
    for n in range(120):
        app.push(b"%d" % n, tag=f"v{n}")
        clock.advance(hours=12)
    put(app, rule(1, pushed=365))
    begun = time.perf_counter()

    clock.advance(days=3650)

    assert time.perf_counter() - begun < 20
    assert app.images() == {}


def test_a_policy_that_breaks_is_logged_and_stops_nobody(lab, clock, monkeypatch, caplog):
    _, ecr = lab
    for name in ("broken", "whole"):
        ecr.create_repository(repositoryName=name)
        shelf = Repository(ecr, name)
        shelf.push(b"1", tag="v1")
        shelf.push(b"2", tag="v2")
        put(shelf, rule(1, keep=1))
    real = lifecycle.all_images

    def shelf_of(db, repository, now):
        if repository.name == "broken":
            raise ValueError("a bug")
        return real(db, repository, now)

    monkeypatch.setattr(lifecycle, "all_images", shelf_of)
    with caplog.at_level(logging.ERROR, "ecrlab.lifecycle"):
        clock.advance(days=1)

    assert len(Repository(ecr, "broken").images()) == 2
    assert len(shelf.images()) == 1
    assert "the lifecycle policy of broken failed" in caplog.text


def test_two_faces_of_a_world_run_each_policy_once(app, clock, world, registry):
    Server(world).stop()
    app.push(b"1", tag="v1")
    app.push(b"2", tag="v2")
    put(app, rule(1, keep=1))

    clock.advance(days=1)

    assert len(service_events(registry)) == 1


def test_on_wall_time_the_first_request_after_midnight_finds_the_work_done(tmp_path):
    now = EVE

    class Wall(WallClock):
        def now(self):
            return now

    world = World(tmp_path / "state", Wall(), durable=False)
    server = Server(world)
    ecr = client_of(server.endpoint)
    ecr.create_repository(repositoryName="app")
    app = Repository(ecr, "app")
    for n in range(3):
        app.push(b"%d" % n, tag=f"v{n}")
    put(app, rule(1, keep=1))
    assert len(app.images()) == 3

    now = MIDNIGHT + timedelta(minutes=5)

    assert [tags for [tags] in app.images().values()] == ["v2"]
    assert app.get_lifecycle_policy()["lastEvaluatedAt"] == MIDNIGHT
    server.stop()
    world.close()


def test_a_docker_client_finds_the_work_done_as_well(lab, app, clock):
    world, ecr = lab
    for n in range(3):
        app.push(b"%d" % n, tag=f"v{n}")
    put(app, rule(1, keep=1))
    # Each change takes a second; the next request is the first after midnight.
    clock.travel_to(datetime(2026, 10, 1, 23, 59, 59, tzinfo=UTC))
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    ecr.create_repository(repositoryName="other")
    assert clock.now() == world.nights.next

    request = urllib.request.Request(f"{ecr.meta.endpoint_url}/v2/app/tags/list")
    request.add_header("Authorization", f"Basic {token}")

    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["tags"] == ["v2"]
    assert world.nights.next == datetime(2026, 10, 3, tzinfo=UTC)
