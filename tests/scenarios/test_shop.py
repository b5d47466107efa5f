"""A shop's past is a plausible one, and could have happened in a registry; so could its futures."""

import hashlib
import json
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings, strategies

from ecrlab.oci.media_types import OCI
from ecrlab.registry import manifest
from ecrlab.registry.names import check_repository_name, check_tag
from ecrlab.scenarios import draw

LAST = date(2026, 9, 30)
SEEDS = (1, 7, 42)


@pytest.fixture(scope="module", params=SEEDS)
def shop(request):
    return draw(request.param, LAST)


@pytest.fixture(scope="module")
def pushes(shop):
    return [push for day in shop.past for push in day.pushes]


@pytest.fixture(scope="module")
def images(pushes):
    """Repository and digest -> the first push of that image."""
    first = {}
    for push in pushes:
        first.setdefault((push.repository_name, push.image_digest), push)
    return first


def future(shop, number=0, days=90):
    return list(islice(shop.future(number), days))


def test_a_manifest_is_true(pushes):
    for push in pushes:
        read = manifest.parse(push.manifest, push.media_type)
        assert push.image_digest == "sha256:" + hashlib.sha256(push.manifest).hexdigest() == read.digest
        assert [(one.digest, one.size) for one in read.blobs] == list(push.blobs)
        assert tuple(one.digest for one in read.children) == push.children
        assert (read.subject, push.artifact_type) in (
            (push.subject_digest, read.artifact_type),
            (None, None),
        )


def test_sizes_add_up(pushes, images):
    for push in pushes:
        children = [images[push.repository_name, child].size_in_bytes for child in push.children]
        assert push.size_in_bytes == (max(children) if children else sum(size for _, size in push.blobs))
        assert push.size_in_bytes > 0


def test_what_an_image_refers_to_was_pushed_before_it(pushes, images):
    for push in pushes:
        for digest in (*push.children, *filter(None, [push.subject_digest])):
            assert images[push.repository_name, digest].pushed_at < push.pushed_at


def test_a_layer_has_one_size(pushes):
    sizes = defaultdict(set)
    for push in pushes:
        for digest, size in push.blobs:
            sizes[digest].add(size)

    assert {len(each) for each in sizes.values()} == {1}


def test_pushes_come_one_after_the_other_and_pulls_after_what_they_pull(shop, images):
    pushed = [push.pushed_at for day in shop.past for push in day.pushes]
    pulls = [pull for day in shop.past for pull in day.pulls]

    assert pushed == sorted(set(pushed))
    assert [pull.pulled_at for pull in pulls] == sorted(pull.pulled_at for pull in pulls)
    assert all(images[pull.repository_name, pull.image_digest].pushed_at < pull.pulled_at for pull in pulls)


def test_a_day_holds_what_happens_on_it(shop):
    assert [day.date for day in shop.past] == [LAST - timedelta(days=left) for left in range(364, -1, -1)]
    for day in shop.past:
        instants = [push.pushed_at for push in day.pushes] + [pull.pulled_at for pull in day.pulls]
        assert {instant.astimezone(UTC).date() for instant in instants} <= {day.date}


def test_only_tags_that_may_move_do(shop, pushes):
    immutable = {one.name for one in shop.repositories if one.is_immutable}
    at = {}
    moved = set()
    for push in pushes:
        for tag in push.image_tags:
            check_tag(tag)
            if at.setdefault((push.repository_name, tag), push.image_digest) != push.image_digest:
                moved.add((push.repository_name, tag.split("-")[0]))
            at[push.repository_name, tag] = push.image_digest

    assert immutable
    assert {family for _, family in moved} == {"latest", "pr", "bookworm"}
    assert {tag for name, tag in moved if name in immutable} <= {"latest", "pr"}


def test_there_is_all_that_a_registry_gathers(shop, pushes, images):
    families = Counter(tag.split("-")[0] for push in pushes for tag in push.image_tags)
    kinds = Counter(push.artifact_type for push in images.values())

    assert 4000 < len(images) < 9000
    assert 5 <= len({check_repository_name(one.name) for one in shop.repositories}) <= 9
    assert min(families[family] for family in ("main", "latest", "pr", "nightly", "bookworm")) > 50
    assert sum(name.startswith("v") and name.endswith(".0") for name in families) > 50
    assert sum(name.startswith("v") and not name.endswith(".0") for name in families) > 10
    assert min(kinds["application/spdx+json"], kinds["application/vnd.dev.sigstore.bundle.v0.3+json"]) > 100
    assert sum(bool(push.children) for push in images.values()) > 500
    assert {push.media_type for push in images.values()} >= {OCI.manifest, OCI.index}


def test_layers_are_shared_as_builds_share_them(images):
    bytes_of = {digest: size for push in images.values() for digest, size in push.blobs}
    added_up = sum(push.size_in_bytes for push in images.values() if not push.children)

    assert 3 < added_up / sum(bytes_of.values()) < 20
    homes = defaultdict(set)
    for name, digest in ((name, digest) for (name, _), push in images.items() for digest, _ in push.blobs):
        homes[digest].add(name)
    assert sum(len(names) > 1 for names in homes.values()) > 100, "the shop's base is in the images built upon it"


def test_something_forgotten_runs(shop, images):
    last_pull = {(pull.repository_name, pull.image_digest): pull.pulled_at for day in shop.past for pull in day.pulls}
    tags = {}
    for push in (push for day in shop.past for push in day.pushes):
        tags |= {(push.repository_name, tag): push.image_digest for tag in push.image_tags}
    idle = {
        task.family.split("-")[-1]: datetime(2026, 10, 1, tzinfo=UTC)
        - last_pull[task.repository_name, task.image_digest]
        for task in shop.tasks
    }
    [demo] = [task for task in shop.tasks if task.family.endswith("-demo")]

    assert len(shop.tasks) == len(shop.repositories) - 1 + 3
    assert idle["partner"] > timedelta(days=180)
    assert timedelta(days=90) < idle["demo"]
    assert idle["report"] < timedelta(days=32)
    assert demo.reference == f"@{demo.image_digest}"
    assert demo.image_digest not in {digest for (name, _), digest in tags.items() if name == demo.repository_name}
    for task in shop.tasks:
        assert (task.repository_name, task.image_digest) in images
        if task.reference.startswith(":"):
            assert tags[task.repository_name, task.reference[1:]] == task.image_digest


def test_a_seed_gives_the_same_shop_again_and_another_seed_another(shop):
    again, other = draw(shop.seed, LAST), draw(shop.seed + 1, LAST)

    assert (again.past, again.tasks, again.repositories) == (shop.past, shop.tasks, shop.repositories)
    assert not {p.image_digest for day in other.past for p in day.pushes} & {
        p.image_digest for day in shop.past for p in day.pushes
    }


def test_every_python_and_every_machine_makes_the_same_shop():
    """When this digest changes, the outputs of the lessons that load a history change with it."""
    script = (
        "import hashlib; from datetime import date; from itertools import islice; from ecrlab.scenarios import draw\n"
        "shop = draw(7, date(2026, 9, 30), days=60)\n"
        "text = repr((shop.past, shop.tasks, list(islice(shop.future(3), 30))))\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    ran = [
        subprocess.run([sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True)
        for seed in ("1", "2")
    ]

    assert {one.stdout.strip() for one in ran} == {
        "ecc5e42c19aecf52cd4f388d2a02b147b7b30516d107fbefd7fa4b395c456147"
    }, ran[0].stderr


def test_a_future_goes_on_where_the_past_ends_at_its_rate(shop, pushes):
    days = future(shop, days=365)
    first = {push.image_digest for push in pushes}
    coming = [push for day in days for push in day.pushes]

    assert [day.date for day in days] == [LAST + timedelta(days=ahead) for ahead in range(1, 366)]
    assert 0.8 < len(coming) / len(pushes) < 1.25
    assert any(not day.deployments for day in days)
    assert any(day.deployments for day in days)
    known = set(first)
    for push in coming:
        assert {*push.children, *filter(None, [push.subject_digest])} <= known
        known.add(push.image_digest)


def test_one_number_gives_the_same_future_and_another_one_another(shop):
    assert future(shop, 1) == future(shop, 1)
    assert future(shop, 1) != future(shop, 2)
    assert [day.date for day in future(shop, 1)] == [day.date for day in future(shop, 2)]


def test_asking_for_a_future_changes_nothing(shop):
    before = repr(shop), shop.past, future(shop, 5)
    for _ in zip(range(30), shop.future(4), strict=False):
        pass

    assert before == (repr(shop), shop.past, future(shop, 5))


@given(seed=strategies.integers(0, 10**9), last=strategies.dates(date(2020, 1, 1), date(2035, 12, 31)))
@settings(max_examples=15)
def test_any_seed_gives_a_shop_on_any_day(seed, last):
    shop = draw(seed, last, days=40)
    pushed = [push.pushed_at for day in (*shop.past, *future(shop, seed, 5)) for push in day.pushes]

    assert pushed == sorted(set(pushed))
    assert len(shop.tasks) >= len(shop.repositories) - 1


@pytest.mark.parametrize("days", [1, 2, 14])
def test_a_past_can_be_short(days):
    shop = draw(7, LAST, days=days)

    assert len(shop.past) == days
    assert json.loads(shop.past[0].pushes[0].manifest)["schemaVersion"] == 2
    assert future(shop, days=3)
