import gzip
import io
import random

import pytest

from ecrlab.scanning.errors import LayerError, UnsupportedImageError
from ecrlab.scanning.files.layers import LayerSource, Limits, tar_pieces
from tests.scanning.making import GZIP, PLAIN, ZSTD, file, stored, tar

TAR = tar(file("etc/motd", b"hello " * 5000), file("etc/issue", "x"))


def expand(layer: LayerSource, limits: Limits | None = None) -> bytes:
    return b"".join(tar_pieces(layer, limits or Limits()))


@pytest.mark.parametrize("size", [1, 511, 512, 7000, len(TAR)])
def test_a_layer_of_many_gzip_members_is_read_to_its_end(size):
    members = [gzip.compress(TAR[at : at + size]) for at in range(0, len(TAR), max(size, len(TAR) // 50))]
    whole = b"".join(TAR[at : at + size] for at in range(0, len(TAR), max(size, len(TAR) // 50)))

    assert expand(stored(b"".join(members), GZIP)) == whole


def test_plain_gzip_and_zstd_give_the_same_tar():
    zstandard = pytest.importorskip("zstandard")
    frames = zstandard.compress(TAR[:9000]) + zstandard.compress(TAR[9000:])

    assert expand(stored(TAR, PLAIN)) == expand(stored(gzip.compress(TAR), GZIP)) == expand(stored(frames, ZSTD)) == TAR


def test_zlib_alone_reads_what_isal_reads(monkeypatch):
    import zlib

    monkeypatch.setattr("ecrlab.scanning.files.layers._gzip_engine", zlib)

    assert expand(stored(gzip.compress(TAR) + bytes(300), GZIP)) == TAR


def test_zstd_without_its_library_names_the_cure(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)

    with pytest.raises(LayerError, match=r"pip install 'ecrlab\[zstd\]'"):
        expand(stored(b"\x28\xb5\x2f\xfd" + bytes(20), ZSTD))


def test_zero_padding_after_the_last_gzip_member_is_no_fault():
    assert expand(stored(gzip.compress(TAR) + bytes(1000), GZIP)) == TAR


@pytest.mark.parametrize("kept", [1, 9, 100, -9, -1])
def test_a_truncated_gzip_layer_is_refused_though_its_digest_is_right(kept):
    with pytest.raises(LayerError, match="truncated"):
        expand(stored(gzip.compress(TAR)[:kept], GZIP) if kept != 1 else stored(b"\x1f\x8b", GZIP))


@pytest.mark.parametrize("kept", [1000, -3000, -400, -1])
def test_a_truncated_zstd_layer_is_refused_though_its_digest_is_right(kept):
    noise = random.Random(1).randbytes(5000)
    blob = pytest.importorskip("zstandard").compress(tar(file("noise", noise)))

    with pytest.raises(LayerError, match=r"truncated|corrupt"):
        expand(stored(blob[:kept], ZSTD))


def test_garbage_after_the_gzip_stream_is_refused():
    with pytest.raises(LayerError, match="corrupt gzip"):
        expand(stored(gzip.compress(TAR) + b"garbage" * 10, GZIP))


def test_a_flipped_byte_is_refused():
    blob = bytearray(gzip.compress(TAR))
    blob[len(blob) // 2] ^= 0xFF

    with pytest.raises(LayerError):
        expand(stored(bytes(blob), GZIP))


def test_bytes_of_another_digest_are_refused():
    other = stored(gzip.compress(b"other"), GZIP)
    layer = LayerSource(other.digest, GZIP, lambda: io.BytesIO(gzip.compress(TAR)))

    with pytest.raises(LayerError, match="another digest"):
        expand(layer)


@pytest.mark.parametrize(
    ("blob", "told"), [(TAR, GZIP), (gzip.compress(TAR), PLAIN), (gzip.compress(TAR), ZSTD), (b"", GZIP)]
)
def test_a_compression_other_than_the_media_type_announces_is_refused(blob, told):
    with pytest.raises(LayerError, match="announced as"):
        expand(stored(blob, told))


def test_a_layer_that_is_no_file_system_is_unsupported():
    with pytest.raises(UnsupportedImageError, match="no file system layer"):
        expand(stored(TAR, "application/vnd.cncf.helm.chart.content.v1.tar+gzip"))


def test_a_bomb_is_refused_before_it_has_gone_off():
    bomb = gzip.compress(bytes(8 << 20))

    with pytest.raises(LayerError, match="refused as a bomb"):
        expand(stored(bomb, GZIP), Limits(expanded_floor=1 << 20, expansion=20))


def test_a_blob_that_cannot_be_opened_is_a_layer_that_cannot_be_read():
    def missing():
        raise FileNotFoundError("no such blob")

    with pytest.raises(LayerError, match="cannot be opened"):
        expand(LayerSource("sha256:" + "0" * 64, GZIP, missing))
