"""One world, one directory, one clock: what was done survives, what failed did not happen, and takes no
time.
"""

import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from ecrlab.clock import START, LabClock, WallClock
from ecrlab.registry import repositories, tokens
from ecrlab.registry.errors import EcrError, InvalidParameterException
from ecrlab.registry.store.directory import StateError
from ecrlab.registry.world import World


def test_a_directory_serves_one_world_at_a_time(tmp_path):
    first = World(tmp_path)
    with pytest.raises(StateError, match="another ecrlab server is using"):
        World(tmp_path)

    first.close()
    World(tmp_path).close()


def test_a_world_that_could_not_open_lets_go_of_its_directory(tmp_path):
    (tmp_path / "registry.sqlite").write_bytes(b"this is no database, however long one looks at it" * 100)
    for _ in range(2):
        with pytest.raises(StateError, match="cannot be read"):
            World(tmp_path)

    (tmp_path / "registry.sqlite").unlink()
    World(tmp_path).close()


def test_a_directory_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="cannot keep a registry in"):
        World(tmp_path / "file" / "state")


def test_closing_twice_is_closing_once(tmp_path):
    world = World(tmp_path)
    world.close()
    world.close()


def test_a_forked_child_does_not_keep_the_directory(tmp_path):
    world = World(tmp_path)
    ready, go = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        os.read(ready, 1)
        os._exit(0)
    world.close()

    World(tmp_path).close()

    os.close(go)
    os.close(ready)
    os.waitpid(child, 0)


def test_each_change_takes_one_second_and_a_failed_one_none(world, registry):
    clock = world.clock
    repositories.create(registry, "one")
    repositories.create(registry, "two")
    with pytest.raises(EcrError):
        repositories.create(registry, "two")

    created = [repository.created_at for repository in repositories.describe(registry)]

    assert created == [START.timestamp() + 1, START.timestamp() + 2]
    assert clock.now().timestamp() == START.timestamp() + 2


def test_a_kept_world_goes_on_where_its_clock_stood(tmp_path):
    clock = LabClock()
    world = World(tmp_path, clock)
    repositories.create(world.registry("123456789012", "us-east-1"), "app")
    clock.advance(days=30)
    world.close()

    again = World(tmp_path, LabClock())

    assert again.clock.now() == clock.now()
    again.close()


def test_a_world_on_wall_time_keeps_none(tmp_path):
    world = World(tmp_path, WallClock())
    repositories.create(world.registry("123456789012", "us-east-1"), "app")
    world.close()

    again = World(tmp_path, LabClock(datetime(2000, 1, 1, tzinfo=UTC)))

    assert again.clock.now().year == 2000
    again.close()


def test_with_a_seed_ids_repeat_and_tokens_never_do(tmp_path):
    def first_words(name, seed):
        world = World(tmp_path / name, LabClock(), seed=seed)
        words = world.new_id(), tokens.issue(world, "123456789012", "us-east-1", "arn", "key")
        world.close()
        return words

    one, same, other = first_words("a", "seed"), first_words("b", "seed"), first_words("c", "other")
    assert one[0] == same[0] != other[0] and one[1] != same[1]
    assert first_words("d", None)[0] != first_words("e", None)[0]


def test_a_kept_world_still_knows_its_tokens_and_its_key_is_nobody_elses(tmp_path):
    directory = tmp_path / "kept"
    world = World(directory)
    password, _ = tokens.issue(world, "123456789012", "us-east-1", "arn", "key")
    world.close()

    again = World(directory)

    assert tokens.check(again, password).account_id == "123456789012"
    assert directory.stat().st_mode & 0o077 == 0
    again.close()


@pytest.mark.parametrize("account", ["", "12345", "1234567890123", "12345678901x", "../../etc"])
def test_an_account_has_twelve_digits(world, account):
    with pytest.raises(InvalidParameterException):
        world.registry(account, "us-east-1")


def test_the_lock_says_so_across_processes(tmp_path):
    world = World(tmp_path)
    program = "import sys, pathlib; from ecrlab.registry.world import World; World(pathlib.Path(sys.argv[1]))"

    other = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True)

    assert other.returncode == 1 and "another ecrlab server is using" in other.stderr
    world.close()
