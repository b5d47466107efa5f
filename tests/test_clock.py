"""Lab time stands until it is told to move, and never goes back."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ecrlab.clock
from ecrlab.clock import CHANGE, LAST, START, ClockError, LabClock, WallClock


def test_a_lab_clock_stands_still():
    clock = LabClock()
    assert clock.now() == clock.now() == START


def test_it_moves_by_a_second_when_a_change_is_done_and_not_before():
    clock = LabClock()

    instant = clock.after_change()
    assert instant == START + CHANGE and clock.now() == START

    clock.settle(instant)
    assert clock.now() == instant


def test_a_change_that_ends_after_the_clock_was_moved_does_not_move_it_back():
    clock = LabClock()
    instant = clock.after_change()
    later = clock.advance(days=1)

    clock.settle(instant)

    assert clock.now() == later


def test_travelling_goes_to_an_instant_in_any_zone():
    clock = LabClock()
    there = datetime(2026, 12, 24, 20, tzinfo=timezone(timedelta(hours=2)))

    assert clock.travel_to(there) == datetime(2026, 12, 24, 18, tzinfo=UTC)
    assert clock.travel_to("2026-12-24T18:00:01") == datetime(2026, 12, 24, 18, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "move",
    [
        lambda clock: clock.advance(seconds=-1),
        lambda clock: clock.advance(days=1e9),
        lambda clock: clock.advance(days=1e300),
        lambda clock: clock.advance(days=float("nan")),
        lambda clock: clock.advance(days=4_000_000),
        lambda clock: clock.travel_to(START - CHANGE),
        lambda clock: clock.travel_to("9999-12-31"),
        lambda clock: clock.travel_to("0001-01-01T00:00:00+05:00"),
        lambda clock: clock.travel_to("tomorrow"),
    ],
)
def test_what_clocks_cannot_do_is_refused_and_moves_nothing(move):
    clock = LabClock()

    with pytest.raises(ClockError):
        move(clock)

    assert clock.now() == START


def test_a_clock_cannot_start_where_its_calendar_ends():
    with pytest.raises(ClockError, match="9998"):
        LabClock(LAST + CHANGE)


def test_changes_and_expiries_have_room_at_the_end_of_the_calendar():
    clock = LabClock()
    clock.travel_to(LAST)

    clock.settle(clock.after_change())

    assert clock.now() + timedelta(days=30) > LAST


@settings(max_examples=30)
@given(st.lists(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)), max_size=10))
def test_advancing_adds_up(steps):
    clock = LabClock()
    for step in steps:
        clock.advance(seconds=0, microseconds=step // timedelta(microseconds=1))

    assert clock.now() == START + sum(steps, timedelta(0))


def test_no_advance_is_lost_between_threads():
    clock = LabClock()

    def advance():
        for _ in range(1000):
            clock.advance(seconds=1)

    threads = [threading.Thread(target=advance) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert clock.now() == START + timedelta(seconds=8000)


def test_wall_time_is_now_to_the_millisecond():
    now = WallClock().now()

    assert now.microsecond % 1000 == 0
    assert timedelta(0) <= datetime.now(UTC) - now < timedelta(minutes=1)


def test_no_change_is_earlier_than_the_one_before_though_wall_time_is_set_back(monkeypatch):
    clock = WallClock()
    first = clock.after_change()
    clock.settle(first)
    monkeypatch.setattr(WallClock, "now", lambda self: first - timedelta(hours=1))

    assert clock.after_change() == first
    assert ecrlab.clock.WallClock().after_change() < first
