"""What a registry does by itself at midnight: every night that matters, in order, and none twice."""

from datetime import UTC, datetime, timedelta

import pytest

from ecrlab.clock import LabClock
from ecrlab.registry import repositories
from ecrlab.registry.nights import DAY
from ecrlab.registry.service_event import ServiceEvent
from ecrlab.registry.world import World

EVENING = datetime(2026, 10, 1, 23, 59, 58, tzinfo=UTC)
MIDNIGHT = datetime(2026, 10, 2, tzinfo=UTC)


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path, LabClock(EVENING), seed="test")
    yield world
    world.close()


def every_night(world):
    """A job that wants to be done again each night, and the list of what it was told and what the clock showed."""
    seen = []

    def job(midnight):
        seen.append((midnight, world.clock.now()))
        return midnight + DAY

    world.nights.add(job)
    return seen


def test_the_nights_of_a_long_advance_are_lived_through_in_order(world):
    seen = every_night(world)

    world.clock.advance(days=3)

    assert seen == [(MIDNIGHT + n * DAY, MIDNIGHT + n * DAY) for n in range(3)]
    assert world.clock.now() == EVENING + timedelta(days=3)


def test_a_midnight_is_lived_through_when_the_clock_stops_at_it(world):
    seen = every_night(world)

    world.clock.travel_to(MIDNIGHT)
    world.clock.advance(hours=23)

    assert [midnight for midnight, _ in seen] == [MIDNIGHT]


def test_nights_that_no_job_wants_are_passed_over_but_for_the_first_and_the_last(world):
    seen = []

    def job(midnight):
        seen.append(midnight)
        # Wanted again some time on the fifth day, and then never.
        return MIDNIGHT + timedelta(days=4, hours=1) if len(seen) == 1 else None

    world.nights.add(job)

    world.clock.advance(days=3650)

    assert seen == [MIDNIGHT, MIDNIGHT + 5 * DAY, MIDNIGHT + 3649 * DAY]


def test_a_change_that_crosses_midnight_is_noticed_by_the_next_request(world):
    seen = every_night(world)
    registry = world.registry("123456789012", "us-east-1")
    for name in ("one", "two"):
        repositories.create(registry, name)
    assert seen == []

    world.keep_up()
    world.keep_up()

    assert [midnight for midnight, _ in seen] == [MIDNIGHT]


def test_what_happens_at_night_takes_no_time_and_carries_midnight(world):
    def job(midnight):
        with world.change(at=midnight) as change:
            change.db.execute("INSERT INTO meta VALUES ('seen', ?)", (change.at,))

    world.nights.add(job)

    world.clock.travel_to(MIDNIGHT)

    with world.store.read() as db:
        assert db.execute("SELECT value FROM meta WHERE name = 'seen'").fetchone()[0] == MIDNIGHT.timestamp()
    assert world.clock.now() == MIDNIGHT


def test_a_kept_world_does_not_live_through_a_night_twice(tmp_path):
    first = World(tmp_path / "state", LabClock(EVENING), seed="test")
    seen = every_night(first)
    first.clock.advance(days=1)
    first.close()

    again = World(tmp_path / "state", LabClock(EVENING), seed="test")
    seen_again = every_night(again)
    again.clock.advance(days=1)
    again.close()

    assert [midnight for midnight, _ in seen + seen_again] == [MIDNIGHT, MIDNIGHT + DAY]


def test_a_job_that_fails_is_not_done_again_for_the_same_night(world):
    def broken(midnight):
        raise ValueError(midnight)

    world.nights.add(broken)

    with pytest.raises(ValueError):
        world.clock.travel_to(MIDNIGHT)
    world.keep_up()


def test_events_are_told_after_the_change_is_kept_and_not_when_it_fails(world):
    told = []
    event = ServiceEvent("123456789012", "us-east-1", 0.0, "ECR Image Action", {"action-type": "PUSH"})

    def listen(event):
        with world.store.read() as db:
            told.append((event, db.execute("SELECT count(*) FROM meta WHERE name = 'kept'").fetchone()[0]))

    world.events.add(listen)

    with pytest.raises(ZeroDivisionError), world.change() as change:
        change.events.append(event)
        raise ZeroDivisionError
    with world.change() as change:
        change.db.execute("INSERT INTO meta VALUES ('kept', '')")
        change.events.append(event)

    assert told == [(event, 1)]
