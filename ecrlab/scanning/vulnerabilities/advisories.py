"""Sets of advisories, by ecosystem and package: the kit's own, or any OSV download.

A set is indexed into SQLite once. A later scan of an unchanged file, folder or zip finds the index in the user's cache
directory and reads only the rows it needs, so OSV's whole Debian export costs no more than the kit's small set.
`data/SOURCES.md` states the content and the sources of the kit's set.
"""

import hashlib
import json
import os
import sqlite3
import threading
import weakref
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from ecrlab.scanning.errors import AdvisoriesError
from ecrlab.scanning.versions import LANGUAGES
from ecrlab.scanning.vulnerabilities import osv
from ecrlab.scanning.vulnerabilities.osv import Advisory

_FORMAT = 1  # of the index; another one is another file
_LARGEST_RECORD = 16 << 20
_MOST_RECORDS = 2_000_000
_TABLES = """
CREATE TABLE advisory (ecosystem TEXT NOT NULL, package TEXT NOT NULL, record TEXT NOT NULL);
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Advisories:
    """One set of advisories.

    `origin` names it for people, `date` is the day of its newest record (YYYY-MM-DD, empty where nothing in
    it has a date). Made by `embedded` and `load`, or from OSV records with `of`. Safe to use from several
    threads.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        weakref.finalize(self, connection.close)
        self._lock = threading.Lock()
        about = dict(connection.execute("SELECT key, value FROM about"))
        self.origin: str = about["origin"]
        self.date: str = about["date"]
        self.records = int(about["records"])
        self._ecosystems = frozenset(json.loads(about["ecosystems"]))

    @classmethod
    def of(cls, records: Iterable[object], origin: str) -> "Advisories":
        """Index OSV records in memory; raises AdvisoriesError when none of them is usable."""
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        _fill(connection, records, origin)
        return cls(connection)

    def covers(self, ecosystem: str) -> bool:
        """Return whether the set has any row for an ecosystem or release."""
        return ecosystem in self._ecosystems

    @property
    def of_languages_only(self) -> bool:
        """Whether the set covers no distribution, and so cannot judge one."""
        return all(ecosystem.partition(":")[0] in LANGUAGES for ecosystem in self._ecosystems)

    def about(self, ecosystem: str, package: str) -> list[Advisory]:
        """Return the advisories on one package (source or origin name; PyPI as PEP 503 spells it)."""
        query = "SELECT record FROM advisory WHERE ecosystem = ? AND package = ?"
        with self._lock:
            rows = self._connection.execute(query, (ecosystem, package)).fetchall()
        return [advisory for row in rows for advisory in osv.read_record(json.loads(row[0]))]

    def __iter__(self) -> Iterator[Advisory]:
        with self._lock:
            rows = self._connection.execute("SELECT record FROM advisory").fetchall()
        return (advisory for row in rows for advisory in osv.read_record(json.loads(row[0])))


_embedded: list[Advisories] = []
_embedding = threading.Lock()


def embedded() -> Advisories:
    """Return the kit's own set, indexed at first use."""
    with _embedding:
        if not _embedded:
            _embedded.append(Advisories.of(_kit_records(), "the advisories that come with ecrlab"))
        return _embedded[0]


def load(path: str | Path, cache: Path | None = None) -> Advisories:
    """Open a set of OSV advisories: a JSON or JSON-lines file, a folder of such, or a zip as OSV exports it.

    The index is kept in `cache` (default: `ecrlab` in the user's cache directory) under a name that changes
    with the set; where nothing can be written, it is built in memory. Raises AdvisoriesError.
    """
    path = Path(path)
    try:
        name, state = _fingerprint(path)
    except OSError as cause:
        raise AdvisoriesError(f"advisories {path} cannot be read: {cause.strerror}") from cause
    folder = cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ecrlab"
    index = folder / f"advisories-{name}-{state}.sqlite"
    try:
        if not index.exists():
            _build(index, path)
        return Advisories(sqlite3.connect(f"{index.as_uri()}?mode=ro", uri=True, check_same_thread=False))
    except (OSError, sqlite3.Error):
        return Advisories.of(_records(path), str(path))


def _build(index: Path, path: Path) -> None:
    index.parent.mkdir(parents=True, exist_ok=True)
    draft = index.with_suffix(f".{os.getpid()}.draft")
    draft.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(draft)) as connection:
            _fill(connection, _records(path), str(path))
        draft.replace(index)  # a scan at the same moment sees the whole index or none
        for stale in index.parent.glob(index.stem.rpartition("-")[0] + "-*.sqlite"):
            if stale != index:
                stale.unlink(missing_ok=True)
    finally:
        draft.unlink(missing_ok=True)


def _fill(connection: sqlite3.Connection, records: Iterable[object], origin: str) -> None:
    count, broken, usable, date = 0, "", False, ""
    ecosystems: set[str] = set()
    connection.executescript(_TABLES)
    for record in records:
        count += 1
        if count > _MOST_RECORDS:
            raise AdvisoriesError(f"{origin} holds more than {_MOST_RECORDS:,} records")
        rows = list(osv.split(record))
        connection.executemany("INSERT INTO advisory VALUES (?, ?, ?)", rows)
        date = max(date, osv.last_change(record))
        ecosystems |= osv.ecosystems(record)
        if not usable:  # one good record is enough; the others are looked into when they are asked for
            read = list(osv.read_record(record))
            broken = broken or next((row.broken for row in read if row.broken), "")
            usable = not read or any(not row.broken for row in read)
    if not usable or not ecosystems:
        raise AdvisoriesError(f"{origin} has nothing usable: {broken or 'no advisory on a package known here'}")
    connection.execute("CREATE INDEX by_package ON advisory (ecosystem, package)")
    facts = {"origin": origin, "date": date, "records": str(count), "ecosystems": json.dumps(sorted(ecosystems))}
    connection.executemany("INSERT INTO about VALUES (?, ?)", facts.items())
    connection.commit()


def _kit_records() -> Iterator[object]:
    lines = (files("ecrlab.scanning") / "data" / "advisories.jsonl").read_text("utf-8").splitlines()
    return (json.loads(line) for line in lines)


def _fingerprint(path: Path) -> tuple[str, str]:
    """Return a hash of the path of a set of advisories, and a hash of its files' sizes and times."""
    name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]
    state = hashlib.sha256(str(_FORMAT).encode())
    for file in _files(path) if path.is_dir() else [path]:
        stat = file.stat()
        state.update(os.fsencode(file) + f" {stat.st_size} {stat.st_mtime_ns} {stat.st_ino}\n".encode())
    return name, state.hexdigest()[:16]


def _files(folder: Path) -> Sequence[Path]:
    return sorted(file for file in folder.rglob("*.json*") if file.suffix in (".json", ".jsonl") and file.is_file())


def _records(path: Path) -> Iterator[object]:
    try:
        if path.is_dir():
            for file in _files(path):
                yield from _read_file(file)
        elif zipfile.is_zipfile(path):
            yield from _read_zip(path)
        else:
            yield from _read_file(path)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as cause:
        raise AdvisoriesError(f"advisories {path} cannot be read: {cause}") from cause


def _read_file(file: Path) -> Iterator[object]:
    if file.suffix == ".jsonl":
        with file.open("rb") as lines:
            for line in iter(lambda: lines.readline(_LARGEST_RECORD + 1), b""):
                yield from _parse(line, file.name)
        return
    with file.open("rb") as stream:
        yield from _parse(stream.read(64 * _LARGEST_RECORD), file.name)


def _read_zip(path: Path) -> Iterator[object]:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.filename.endswith(".json"):
                with archive.open(entry) as stream:
                    yield from _parse(stream.read(_LARGEST_RECORD + 1), entry.filename)


def _parse(data: bytes, name: str) -> Iterator[object]:
    if not data.strip():
        return
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError) as cause:
        raise AdvisoriesError(f"{name} is not JSON, or larger than {_LARGEST_RECORD:,} bytes") from cause
    yield from parsed if isinstance(parsed, list) else [parsed]
