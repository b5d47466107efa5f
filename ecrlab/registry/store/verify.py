"""Checks of a state directory: every byte is read, every reference followed.

    blobs      each file hashes to its own name; an encrypted one, once it is decrypted
    layers     each has its file, of its size (those of a past have none)
    manifests  each hashes to its image's digest and parses
    images     each uses what its manifest names
    tags       each points at an image of its repository
    database   SQLite's own checks

Nothing is changed. The check needs a directory that no server is using, because a server could change what was just
checked.
"""

import contextlib
import hashlib
import json
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ecrlab.oci.manifest import Manifest
from ecrlab.registry import manifest
from ecrlab.registry.errors import DamagedObject, InvalidParameterException, KmsException
from ecrlab.registry.repositories import Repository, from_row
from ecrlab.registry.store import manifests
from ecrlab.registry.store.blob_names import NAME, blob_name
from ecrlab.registry.store.directory import DATABASE, FILES, StateError, claim, examine
from ecrlab.registry.store.encryption import EncryptedFile
from ecrlab.registry.store.keys import KeyService, NoKeys


def _no_keys(db: sqlite3.Connection) -> KeyService:
    del db
    return NoKeys()


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding: `what` it is about (a path, a digest, a tag), and `why` it is wrong."""

    what: str
    why: str
    passes: bool = False
    """Whether nothing is damaged: the next start removes what a killed server had begun, and what is encrypted can be
    checked once its key can be used."""

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


def verify(directory: Path, keys_of: Callable[[sqlite3.Connection], KeyService] = _no_keys) -> Iterator[Problem]:
    """Yield the problems of a state directory; none when it is sound. `keys_of` returns the KMS kept in its database.

    Raises `StateError` when a server is using the directory, it holds no registry, or a start would refuse it.
    """
    database = directory / DATABASE
    if not directory.is_dir():
        raise StateError(f"{directory} holds no registry")
    lock = claim(directory)
    try:
        _, is_new = examine(directory)
        if is_new:
            raise StateError(f"{directory} holds no registry")
        with contextlib.closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            keys = keys_of(db)
            yield from _database(db)
            repositories = yield from _repositories(db)
            yield from _files(db, directory, repositories, keys)
            yield from _images(db, repositories, keys)
            yield from _tags(db)
            yield from _uses(db)
    except sqlite3.DatabaseError as error:
        yield Problem(str(database), f"SQLite cannot read it: {error}")
    finally:
        os.close(lock)


def _database(db: sqlite3.Connection) -> Iterator[Problem]:
    for (answer,) in db.execute("PRAGMA integrity_check"):
        if answer != "ok":
            yield Problem("registry.sqlite", answer)
    for row in db.execute("PRAGMA foreign_key_check"):
        yield Problem("registry.sqlite", f"row {row[1]} of table {row[0]} refers to a missing {row[2]}")


def _repositories(db: sqlite3.Connection) -> Generator[Problem, None, dict[int, Repository]]:
    """Return the repositories by id."""
    found = {}
    for row in db.execute("SELECT * FROM repository"):
        try:
            found[row["id"]] = from_row(row)
        except (ValueError, TypeError, KeyError) as error:
            yield Problem(row["name"], f"its settings cannot be read: {error}")
    return found


def _files(
    db: sqlite3.Connection, directory: Path, repositories: Mapping[int, Repository], keys: KeyService
) -> Iterator[Problem]:
    sizes: dict[str, int] = {}
    owners: dict[str, Repository] = {}
    for row in db.execute("SELECT repository_id, digest, size FROM layer WHERE has_bytes"):
        if (owner := repositories.get(row["repository_id"])) is None:
            continue
        name = blob_name(row["digest"], owner.kms_key)
        owners[name] = owner
        if sizes.setdefault(name, row["size"]) != row["size"]:
            yield Problem(name, "repositories disagree about its size")
    missing = set(sizes)
    for path in sorted(directory.rglob("*")):
        place = path.relative_to(directory)
        if path.is_dir() and not path.is_symlink():
            if place.parts[0] == "uploads" and len(place.parts) > 1:
                yield Problem(str(place), "a folder where uploads are written: no registry made it")
            continue
        if str(place) in FILES:
            continue
        name = f"{place.parts[1]}:{place.name}" if len(place.parts) == 4 and place.parts[0] == "blobs" else ""
        if name not in sizes or place.parts[2] != place.name[:2]:
            is_named = NAME.fullmatch(name) is not None and place.parts[2] == place.name[:2]
            is_known = (len(place.parts) == 2 and place.parts[0] == "uploads") or is_named
            yield Problem(str(place), "a stray file: nothing refers to it", passes=is_known)
            continue
        missing.discard(name)
        yield from _blob(path, name, sizes[name], owners[name], keys)
    for name in sorted(missing):
        yield Problem(name, "a layer without its file")


def _blob(path: Path, name: str, size: int, owner: Repository, keys: KeyService) -> Iterator[Problem]:
    digest = name.partition(".")[0]
    try:
        with path.open("rb") as plain:
            file = plain if owner.kms_key is None else EncryptedFile(plain, keys, owner, name)
            actual = hashlib.file_digest(file, digest.partition(":")[0]).hexdigest()
            length = file.tell()
    except OSError as error:
        yield Problem(name, f"cannot be read: {error.strerror}")
    except KmsException as error:
        yield Problem(name, _locked(error), passes=True)
    except DamagedObject as error:
        yield Problem(name, error.why)
    else:
        if length != size:
            yield Problem(name, f"its file has {length} bytes, the layer {size}")
        elif not digest.endswith(actual):
            yield Problem(name, f"its file hashes to {actual}")


def _locked(error: KmsException) -> str:
    return f"encrypted, and not checked because its KMS key cannot be used: {error.message}"


def _images(db: sqlite3.Connection, repositories: Mapping[int, Repository], keys: KeyService) -> Iterator[Problem]:
    for row in db.execute("SELECT * FROM image ORDER BY id"):
        if (repository := repositories.get(row["repository_id"])) is None:
            continue
        what = f"{repository.name}@{row['digest']}"
        algorithm = row["digest"].partition(":")[0]
        try:
            body = manifests.from_stored(keys, repository, row["digest"], row["manifest"])
            read = manifest.parse(body, row["media_type"], algorithm=algorithm)
        except KmsException as error:
            yield Problem(what, f"its manifest is {_locked(error)}", passes=True)
            continue
        except DamagedObject as error:
            yield Problem(what, f"its manifest is damaged: {error.why}")
            continue
        except InvalidParameterException as error:
            yield Problem(what, f"its manifest does not parse: {error}")
            continue
        if read.digest != row["digest"]:
            yield Problem(what, f"its manifest hashes to {read.digest}")
            continue
        if read.subject != row["subject"]:
            yield Problem(what, "its subject is not its manifest's")
        yield from _references(db, row, read, what)


def _references(db: sqlite3.Connection, row: sqlite3.Row, read: Manifest, what: str) -> Iterator[Problem]:
    layers = db.execute(
        "SELECT digest, size, repository_id FROM json_each(?) AS used LEFT JOIN layer ON layer.id = used.value",
        (row["layers"],),
    ).fetchall()
    children = db.execute(
        "SELECT digest, size, repository_id FROM image_child JOIN image ON image.id = child_id WHERE image_id = ?",
        (row["id"],),
    ).fetchall()
    used = {layer["digest"] for layer in layers}
    if any(other["repository_id"] != row["repository_id"] for other in (*layers, *children)):
        yield Problem(what, "it uses something that its repository does not hold")
    needed = {blob.digest for blob in read.blobs if not blob.is_foreign}
    if not needed <= used <= {blob.digest for blob in read.blobs}:
        yield Problem(what, "the layers it is known to use are not those of its manifest")
    if {child["digest"] for child in children} != {child.digest for child in read.children}:
        yield Problem(what, "the images it is known to list are not those of its manifest")


def _tags(db: sqlite3.Connection) -> Iterator[Problem]:
    for row in db.execute(
        "SELECT tag.name, repository.name AS repository FROM tag "
        "JOIN repository ON repository.id = tag.repository_id "
        "LEFT JOIN image ON image.id = tag.image_id AND image.repository_id = tag.repository_id "
        "WHERE image.id IS NULL"
    ):
        yield Problem(f"{row['repository']}:{row['name']}", "a tag that points at no image of its repository")


def _uses(db: sqlite3.Connection) -> Iterator[Problem]:
    used: Counter[object] = Counter()
    for (layers,) in db.execute("SELECT layers FROM image"):
        used.update(json.loads(layers))
    for row in db.execute("SELECT id, digest, images FROM layer"):
        if row["images"] != used[row["id"]]:
            yield Problem(row["digest"], f"a layer of {used[row['id']]} images, believed to be of {row['images']}")
