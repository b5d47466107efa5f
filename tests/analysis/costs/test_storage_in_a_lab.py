"""Bytes computed from the API's answers, held against the files that lie in the registry's folder."""

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ecrlab
from ecrlab.analysis.costs import storage
from ecrlab.analysis.costs.bounds import Bounds
from ecrlab.analysis.inventory import reading
from ecrlab.analysis.inventory.snapshot import doubts
from tests.simulator.client import Repository, digest_of, manifest

BLOBS = [bytes([65 + n]) * size for n, size in enumerate((1, 20, 300, 4000, 50_000))]


@pytest.fixture
def lab(tmp_path):
    with ecrlab.start(state=tmp_path) as lab:
        yield lab


@pytest.fixture
def repository(lab):
    ecr = boto3.client("ecr")
    ecr.create_repository(repositoryName="my-app")
    return Repository(ecr, "my-app")


def read(lab, name="my-app"):
    return reading.read(lab.client("ecr"), name, at=lab.clock.now())


def on_disk(tmp_path):
    """The bytes of all files in the blob directory, counted by hand."""
    return sum(path.stat().st_size for path in (tmp_path / "blobs").rglob("*") if path.is_file())


def test_what_is_stored_and_freed_is_what_lies_on_the_disk(lab, repository, tmp_path):
    one = repository.push(BLOBS[0], BLOBS[3], tag="v1", config=b'{"n": 1}')
    two = repository.push(BLOBS[0], BLOBS[4], tag="v2", config=b'{"n": 2}')
    index = repository.push_index(one, two, tag="all")
    repository.push(BLOBS[2], subject={"mediaType": "x/y", "digest": one, "size": 1}, config=b'{"n": 3}')

    before = read(lab)
    assert storage.stored(before) == Bounds.exactly(on_disk(tmp_path))
    assert on_disk(tmp_path) == 1 + 4000 + 50_000 + 300 + 3 * len('{"n": 1}')

    wish = [index, two]
    freed = storage.freed(before, wish)
    for digest in wish:
        repository.batch_delete_image(imageIds=[{"imageDigest": digest}])

    assert on_disk(tmp_path) == storage.stored(before).least - freed.least
    assert storage.stored(read(lab)) == Bounds.exactly(on_disk(tmp_path))


def test_what_an_index_holds_is_refused_by_ecr_as_it_is_here(lab, repository, tmp_path):
    child = repository.push(BLOBS[3])
    repository.push_index(child, tag="v1")
    stood = on_disk(tmp_path)

    gone = storage.departure(read(lab), [child])
    answer = repository.batch_delete_image(imageIds=[{"imageDigest": child}])

    assert [failure["failureCode"] for failure in answer["failures"]] == ["ImageReferencedByManifestList"]
    assert list(gone.held) == [child]
    assert on_disk(tmp_path) == stood


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    made_of=st.lists(st.sets(st.integers(0, 4), min_size=1), min_size=1, max_size=5),
    deleted=st.sets(st.integers(0, 4)),
)
def test_it_is_so_for_any_images(lab, repository, tmp_path, made_of, deleted):
    # A layer that a client asked about and then did not use is kept for a while; so nothing is asked for in vain.
    repository.ecr.delete_repository(repositoryName="my-app", force=True)
    repository.ecr.create_repository(repositoryName="my-app")
    digests = [
        repository.push(*[BLOBS[k] for k in sorted(layers)], tag=f"v{n}", config=b'{"n": %d}' % n)
        for n, layers in enumerate(made_of)
    ]
    wish = {digests[n] for n in deleted if n < len(digests)}

    before = read(lab)
    freed = storage.freed(before, wish)
    stood = on_disk(tmp_path)
    for digest in wish:
        repository.batch_delete_image(imageIds=[{"imageDigest": digest}])

    assert storage.stored(before) == Bounds.exactly(stood)
    assert freed == Bounds.exactly(stood - on_disk(tmp_path))


def test_the_disk_holds_a_layer_of_two_repositories_once_as_blob_mounting_does(lab, repository, tmp_path):
    repository.push(BLOBS[3], tag="v1")
    repository.ecr.create_repository(repositoryName="other")
    Repository(repository.ecr, "other").push(BLOBS[3], BLOBS[2], tag="v1")

    both = [read(lab), read(lab, "other")]

    assert storage.stored_together(both, mounting=True) == Bounds.exactly(on_disk(tmp_path))
    assert storage.stored_together(both, mounting=False) == Bounds.exactly(on_disk(tmp_path) + 4000 + 2)


def test_pull_times_are_those_from_before_the_look(lab, repository):
    repository.push(BLOBS[0], tag="v1")

    assert read(lab).images[0].last_pulled_at is None
    assert read(lab).images[0].last_pulled_at is not None


def test_a_lab_can_be_read_without_a_pull(lab, repository):
    repository.push(BLOBS[0], tag="v1")

    assert lab.storage("my-app").images == lab.storage("my-app").images
    assert lab.storage("my-app").images[0].last_pulled_at is None
    assert lab.storage("my-app").taken_at == lab.clock.now()
    assert storage.stored(lab.storage("my-app")) == storage.stored(read(lab))


def test_an_empty_repository_is_read_as_empty(lab, repository):
    assert len(read(lab)) == 0
    assert doubts(read(lab)) == []


def test_a_manifest_that_contradicts_another_about_a_layer_is_not_believed(lab, repository):
    repository.push(BLOBS[3], tag="v1")
    lie = manifest(BLOBS[3]).replace(": 4000", ": 5")
    repository.put(lie, "v2")

    snapshot = read(lab)

    assert list(snapshot.unread.values()) == [reading.CONTRADICTORY]
    assert snapshot.sizes[digest_of(BLOBS[3])] == 4000
