"""Layers: a tar and a gzip that every other program reads, and whose bytes hang on nothing but the files."""

import gzip
import hashlib
import io
import random
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.oci import layers


def written(entries):
    out = io.BytesIO()
    return layers.write_layer(entries, out), out.getvalue()


def gzipped(data):
    out = io.BytesIO()
    stream = layers.Gzip(out)
    stream.write(data)
    stream.close()
    return out.getvalue()


@settings(max_examples=60)
@given(
    st.lists(
        st.binary(max_size=300) | st.builds(lambda b, n: bytes([b]) * n, st.integers(0, 255), st.integers(0, 40000))
    )
)
def test_gzip_gives_back_what_went_in(pieces):
    data = b"".join(pieces)
    assert gzip.decompress(gzipped(data)) == data


@pytest.mark.parametrize("size", [0, 1, 3, 4, layers.BLOCK - 1, layers.BLOCK, layers.BLOCK + 1, 3 * layers.BLOCK + 7])
@pytest.mark.parametrize("alphabet", [1, 2, 256])
def test_gzip_at_the_edges_of_its_blocks(size, alphabet):
    data = bytes(random.Random(size).choices(range(alphabet), k=size))
    assert gzip.decompress(gzipped(data)) == data


def test_what_repeats_gets_smaller_and_what_does_not_hardly_grows():
    assert len(gzipped(b"the same line again\n" * 5000)) < 5000
    noise = random.Random(1).randbytes(200_000)
    assert len(gzipped(noise)) < len(noise) + 200


def test_these_bytes_never_change():
    """Pinned, because every digest of the lab follows from them."""
    text = "".join(f"{number * number}\n" for number in range(9000)) + "\0" * 50000
    assert (
        hashlib.sha256(gzipped(text.encode())).hexdigest()
        == "1de73bd41b48c28a58e3a7b6b6fcb1605d0c9220b0867c780d3a128574f10966"
    )


def test_a_layer_is_known_by_the_digests_of_its_gzip_and_of_its_tar():
    layer, body = written([layers.file("a", "hello")])
    tar = gzip.decompress(body)
    assert layer.digest == "sha256:" + hashlib.sha256(body).hexdigest()
    assert layer.diff_id == "sha256:" + hashlib.sha256(tar).hexdigest()
    assert layer.size == len(body)


def test_other_programs_read_names_of_every_kind(tmp_path):
    long = "d/" * 60 + "x" * 150
    big = tmp_path / "big"
    big.write_bytes(b"0123456789" * 100_000)
    _, body = written(
        [
            layers.directory("d", 0o700),
            layers.file(long, "long"),
            layers.file("d/é", "accent", 0o755),
            layers.Entry("link", "link", 0o777, target="y" * 130),
            layers.Entry("d/owned", "file", 0o600, big, uid=1000, gid=3_000_000),
        ]
    )
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        members = {member.name: member for member in tar}
        assert tar.extractfile(long).read() == b"long"
        assert tar.extractfile("d/owned").read() == big.read_bytes()
    assert list(members) == ["d", long, "d/owned", "d/é", "link"]
    assert members["link"].linkname == "y" * 130
    assert (members["d/owned"].uid, members["d/owned"].gid, members["d/owned"].mode) == (
        1000,
        3_000_000,
        0o600,
    )
    assert {member.mtime for member in members.values()} == {0}


def test_order_does_not_matter_and_the_later_of_two_wins():
    one, two, other = layers.file("a", "1"), layers.file("b", "2"), layers.file("a", "other")
    assert written([one, two]) == written([two, one])
    assert written([other, one]) == written([one])
