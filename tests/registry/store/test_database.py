"""One change is whole or nothing; a look sees one state."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import ecrlab.registry.store.database
from ecrlab.registry.errors import ServerException
from ecrlab.registry.store.database import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "registry.sqlite")
    yield store
    store.close()


def remember(store: Store, value: str) -> None:
    with store.write() as db:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('word', ?)", (value,))


def recall(store: Store) -> str | None:
    with store.read() as db:
        row = db.execute("SELECT value FROM meta WHERE name = 'word'").fetchone()
    return None if row is None else row[0]


def test_a_change_is_there_for_the_next_look_and_the_next_process(store, tmp_path):
    remember(store, "kept")

    assert recall(store) == "kept"
    again = Store(tmp_path / "registry.sqlite")
    assert recall(again) == "kept"
    again.close()


def test_an_error_inside_a_change_undoes_it(store):
    remember(store, "before")

    with pytest.raises(ZeroDivisionError), store.write() as db:
        db.execute("UPDATE meta SET value = 'after'")
        raise ZeroDivisionError

    assert recall(store) == "before"
    remember(store, "usable")
    assert recall(store) == "usable"


def test_a_look_sees_one_state_while_changes_go_on(store):
    remember(store, "old")

    with store.read() as db:
        first = db.execute("SELECT value FROM meta").fetchone()[0]
        remember(store, "new")
        second = db.execute("SELECT value FROM meta").fetchone()[0]

    assert (first, second) == ("old", "old")
    assert recall(store) == "new"


def test_an_error_inside_a_look_gives_its_connection_back(store):
    for _ in range(100):
        with pytest.raises(ZeroDivisionError), store.read():
            raise ZeroDivisionError

    assert len(store._readers) == 1


def test_a_failed_statement_inside_a_look_costs_its_connection(store):
    with pytest.raises(sqlite3.OperationalError), store.read() as db:
        db.execute("SELECT nonsense FROM nowhere")

    assert store._readers == []
    assert recall(store) is None


def test_many_looks_at_once_leave_few_connections(store):
    together = threading.Barrier(30)

    def look() -> None:
        with store.read():
            together.wait(10)

    threads = [threading.Thread(target=look) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(store._readers) == ecrlab.registry.store.database.IDLE_READERS


def test_writers_queue_and_no_update_is_lost(store):
    remember(store, "0")

    def count() -> None:
        for _ in range(50):
            with store.write() as db:
                number = int(db.execute("SELECT value FROM meta WHERE name = 'word'").fetchone()[0])
                db.execute("UPDATE meta SET value = ? WHERE name = 'word'", (str(number + 1),))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert recall(store) == "400"


def test_a_closed_store_stays_closed(store):
    store.close()

    with pytest.raises(ServerException, match="stopped"), store.write():
        pass
    with pytest.raises(ServerException, match="stopped"), store.read():
        pass


def test_a_look_that_outlives_the_store_leaves_no_connection(store):
    with store.read():
        store.close()

    assert store._readers == []


def test_a_database_of_another_layout_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "registry.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()

    with pytest.raises(sqlite3.DatabaseError, match="layout 999"):
        Store(path)

    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT * FROM sqlite_master").fetchall() == []
