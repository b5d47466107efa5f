"""What is looked up again and again is remembered, and never for longer than it is true."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ecrlab.registry.store import remembered as remembered_module
from ecrlab.registry.store.database import Store
from ecrlab.registry.store.remembered import Remembered


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "registry.sqlite")
    yield store
    store.close()


@pytest.fixture
def remembered(store: Store) -> Remembered:
    return Remembered(store)


def write(store: Store, value: str) -> None:
    with store.write() as db:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('word', ?)", (value,))


def looker(store: Store) -> Callable[[], str | None]:
    def look() -> str | None:
        with store.read(one=True) as db:
            row = db.execute("SELECT value FROM meta WHERE name = 'word'").fetchone()
        return None if row is None else row[0]

    return look


def never() -> str:
    raise AssertionError("looked up again")


def test_it_is_looked_up_once(store, remembered):
    write(store, "one")

    assert remembered("word", looker(store)) == "one"
    assert remembered("word", never) == "one"


def test_any_change_may_have_touched_it(store, remembered):
    write(store, "one")
    remembered("word", looker(store))

    write(store, "two")

    assert remembered("word", looker(store)) == "two"


def test_a_change_that_says_so_leaves_it_remembered_and_the_next_one_does_not(store, remembered):
    write(store, "one")
    remembered("word", looker(store))

    with store.write():
        store.keep_remembered()

    assert remembered("word", never) == "one"
    write(store, "two")
    assert remembered("word", looker(store)) == "two"


def test_what_is_not_there_is_looked_up_again(store, remembered):
    assert remembered("word", looker(store)) is None

    with store.write() as db:
        db.execute("INSERT INTO meta VALUES ('word', 'new')")
        store.keep_remembered()

    assert remembered("word", looker(store)) == "new"


def test_a_look_that_a_change_overtook_is_not_remembered(store, remembered):
    write(store, "one")

    def slow_look() -> str | None:
        found = looker(store)()
        write(store, "two")
        return found

    assert remembered("word", slow_look) == "one"
    assert remembered("word", looker(store)) == "two"


def test_an_undone_change_was_none(store, remembered):
    write(store, "one")
    remembered("word", looker(store))

    with pytest.raises(sqlite3.OperationalError), store.write() as db:
        db.execute("UPDATE meta SET value = 'two' WHERE name = 'word'")
        db.execute("no SQL")

    assert remembered("word", looker(store)) == "one"


def test_a_forked_child_remembers_nothing_because_it_does_not_see_its_parents_changes(store, remembered):
    write(store, "one")
    remembered("word", looker(store))
    ready, go = os.pipe()

    child = os.fork()
    if child == 0:
        os.read(ready, 1)
        os._exit(0 if remembered("word", looker(store)) == "two" else 1)
    write(store, "two")
    os.write(go, b".")
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


def test_it_does_not_grow_for_ever(store, remembered, monkeypatch):
    monkeypatch.setattr(remembered_module, "MOST", 3)

    for number in range(10):
        assert remembered(number, lambda number=number: number) == number

    assert len(remembered._found) <= 3
