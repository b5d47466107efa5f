"""A sound state directory has no problems; every kind of damage is found and named."""

import sqlite3

import pytest

from ecrlab.registry import repositories
from ecrlab.registry.store.blob_names import blob_name
from ecrlab.registry.store.directory import StateError
from ecrlab.registry.store.verify import verify
from ecrlab.registry.world import World
from tests.registry.conftest import digest_of
from tests.registry.kms import ENCRYPTED, KEY, Kms


@pytest.fixture
def kept(tmp_path, client_for):
    """A directory with tagged and untagged images, an index, a signature and a mounted layer, and no
    server.
    """
    directory = tmp_path / "kept"
    world = World(directory)
    registry = world.registry("123456789012", "us-east-1")
    for name in ("app", "other"):
        repositories.create(registry, name)
    app = client_for(registry)
    first = app.push(b"base", b"one", tag="v1")
    second = app.push(b"base", b"two", tag="v1")
    app.push_index(first, second, tag="all")
    about = {"mediaType": second.media_type, "digest": second.digest, "size": 1}
    app.push(b"signature", subject=about)
    client_for(registry, "other").push(b"base", tag="v1")
    world.close()
    return directory


def problems(directory):
    return [str(problem) for problem in verify(directory)]


def damage(directory, statement):
    db = sqlite3.connect(directory / "registry.sqlite")
    db.execute(statement)
    db.commit()
    db.close()


def blob_of(directory, body):
    [path] = [path for path in (directory / "blobs").glob("*/*/*") if path.read_bytes() == body]
    return path


def test_a_sound_directory_has_no_problems_and_is_left_as_it_is(kept):
    before = {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()}

    assert problems(kept) == []

    assert {path: path.read_bytes() for path in before} == before
    World(kept).close()


def test_a_directory_in_use_is_not_looked_at(kept):
    world = World(kept)

    with pytest.raises(StateError, match="another ecrlab server is using"):
        list(verify(kept))

    world.close()


def test_a_directory_without_a_registry_is_said_to_be_one(tmp_path):
    with pytest.raises(StateError, match="holds no registry"):
        list(verify(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_changed_byte_is_found(kept):
    blob_of(kept, b"one").write_bytes(b"0ne")

    [problem] = problems(kept)

    assert "its file hashes to" in problem


def test_a_truncated_file_is_found(kept):
    blob_of(kept, b"base").write_bytes(b"bas")

    [problem] = problems(kept)

    assert "its file has 3 bytes, the layer 4" in problem


def test_a_missing_file_is_found(kept):
    blob_of(kept, b"base").unlink()

    [problem] = problems(kept)

    assert "a layer without its file" in problem


STRAYS = {
    "blobs/sha256/ab/" + "ab" * 32: True,
    "blobs/sha256/cd/" + "ab" * 32: False,
    "uploads/half": True,
    "notes.txt": False,
}
"""A file that nothing refers to -> whether it is harmless, because a killed server may have left it."""


@pytest.mark.parametrize("place", STRAYS)
def test_a_stray_file_is_found_and_still_there_after_the_next_start(kept, place):
    path = kept / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()

    [problem] = problems(kept)

    assert problem.startswith(f"{place}: a stray file")
    assert [one.passes for one in verify(kept)] == [STRAYS[place]]
    World(kept).close()
    assert path.exists()


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE image SET manifest = CAST('{}' AS BLOB)", "does not parse"),
        (
            "UPDATE image SET manifest = CAST(CAST(manifest AS TEXT) || ' ' AS BLOB) WHERE id = 1",
            "its manifest hashes to",
        ),
        ("UPDATE image SET subject = NULL", "its subject is not its manifest's"),
        ("UPDATE image SET layers = '[]' WHERE id = 1", "the layers it is known to use"),
        (
            "UPDATE image SET layers = json_insert(layers, '$[#]', (SELECT max(id) FROM layer)) WHERE id = 1",
            "its repository does not hold",
        ),
        ("UPDATE layer SET images = 7 WHERE id = 1", "believed to be of 7"),
        ("DELETE FROM image_child", "the images it is known to list"),
        ("UPDATE tag SET image_id = 5 WHERE name = 'all'", "points at no image of its repository"),
        ("UPDATE tag SET image_id = 99 WHERE name = 'all'", "refers to a missing image"),
        ("DELETE FROM layer WHERE id = 1", "the layers it is known to use"),
    ],
)
def test_a_damaged_reference_is_found(kept, statement, finding):
    damage(kept, statement)

    assert any(finding in problem for problem in problems(kept)), problems(kept)


def test_a_broken_database_is_found(kept):
    database = kept / "registry.sqlite"
    body = bytearray(database.read_bytes())
    body[4096:] = b"\xff" * (len(body) - 4096)
    database.write_bytes(body)

    with pytest.raises(StateError, match="cannot be read"):
        problems(kept)


def test_a_folder_among_the_uploads_is_told(kept):
    (kept / "uploads" / "mine").mkdir()

    assert problems(kept) == ["uploads/mine: a folder where uploads are written: no registry made it"]
    World(kept).close()
    assert (kept / "uploads" / "mine").is_dir()


def test_settings_that_cannot_be_read_are_named(kept):
    damage(kept, "UPDATE repository SET settings = '{' WHERE name = 'other'")

    assert problems(kept)[0].startswith("other: its settings cannot be read")


@pytest.fixture
def encrypted(tmp_path, client_for):
    """A directory with a repository that has a KMS key."""
    world = World(tmp_path / "encrypted")
    world.keys = Kms()
    registry = world.registry("123456789012", "us-east-1")
    repositories.create(registry, "app", ENCRYPTED)
    client_for(registry).push(b"layer", tag="v1")
    world.close()
    return tmp_path / "encrypted"


def problems_with_keys(directory):
    return [str(problem) for problem in verify(directory, lambda db: Kms())]


def test_encrypted_objects_are_decrypted(encrypted):
    assert problems_with_keys(encrypted) == []


def test_without_their_key_encrypted_objects_are_no_damage(encrypted):
    found = list(verify(encrypted))

    assert [problem.passes for problem in found] == [True, True, True]  # layer, config, manifest
    assert all("not checked because its KMS key cannot be used: There is no KMS" in problem.why for problem in found)


def test_flipped_bits_of_encrypted_objects_are_named(encrypted):
    name = blob_name(digest_of(b"layer"), KEY)
    path = encrypted / "blobs" / "sha256" / name[7:9] / name[7:]
    stored = path.read_bytes()
    path.write_bytes(stored[:-1] + bytes([stored[-1] ^ 1]))
    damage(encrypted, "UPDATE image SET manifest = CAST(replace(manifest, 'wrapped', 'Wrapped') AS BLOB)")

    found = problems_with_keys(encrypted)
    assert found[0] == f"{name}: segment 0 is not the one that was written"
    assert found[1].startswith("app@sha256:") and found[1].endswith("its header is not the one that was written")
    assert len(found) == 2


def test_bytes_in_clear_where_encrypted_ones_belong_are_named(encrypted):
    name = blob_name(digest_of(b"layer"), KEY)
    (encrypted / "blobs" / "sha256" / name[7:9] / name[7:]).write_bytes(b"layer")

    assert problems_with_keys(encrypted) == [f"{name}: its header is not the one that was written"]
