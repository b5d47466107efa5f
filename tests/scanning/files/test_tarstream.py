import contextlib
import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.scanning.errors import LayerError
from ecrlab.scanning.files.tarstream import TarStream
from tests.scanning.making import file, folder, hardlink, symlink, tar

STYLES = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]


def walk(archive: bytes, piece: int = 700, entries: int = 1000):
    stream = TarStream((archive[at : at + piece] for at in range(0, len(archive), piece)), entries)
    return [
        (
            entry.name.decode(errors="replace").rstrip("/"),
            entry.kind,
            entry.link.decode(errors="replace"),
            stream.read(1 << 30),
        )
        for entry in stream
    ]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("piece", [1, 512, 513, 100_000])
def test_every_style_of_tar_gives_the_same_entries(style, piece):
    long = "/".join(["a-long-folder"] * 9) + "/end"
    members = [folder("etc"), file(long, b"x" * 700), symlink("etc/a", "b"), hardlink("etc/b", long[:90]), file("e")]

    seen = walk(tar(*members, style=style), piece)

    assert seen == [
        ("etc", "directory", "", b""),
        (long, "file", "", b"x" * 700),
        ("etc/a", "symlink", "b", b""),
        ("etc/b", "hardlink", long[:90], b""),
        ("e", "file", "", b""),
    ]


paths = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=300)


@settings(max_examples=60)
@given(st.lists(st.tuples(paths, st.binary(max_size=1200)), max_size=5), st.sampled_from(STYLES[1:]))
def test_what_tarfile_writes_is_read_as_tarfile_reads_it(contents, style):
    archive = tar(*(file(name, data) for name, data in contents), style=style)

    with tarfile.open(fileobj=io.BytesIO(archive)) as reference:
        expected = [(member.name, reference.extractfile(member).read()) for member in reference]  # type: ignore[union-attr]
    assert [(name, data) for name, _, _, data in walk(archive)] == [(name.rstrip("/"), data) for name, data in expected]


@settings(max_examples=100)
@given(st.binary(max_size=2000), st.integers(0, 2000))
def test_noise_is_refused_and_never_crashes(noise, at):
    archive = bytearray(tar(file("etc/passwd", b"root" * 50), symlink("x" * 120, "y")))
    archive[at : at + len(noise)] = noise

    with contextlib.suppress(LayerError):
        walk(bytes(archive))


def test_pax_sizes_beyond_octal_and_base_256_sizes_are_understood():
    huge = tarfile.TarInfo("huge")
    huge.size = 9 << 30
    for style in STYLES[1:]:
        header = huge.tobuf(style)
        stream = TarStream(iter([header + bytes(512)]), 10)

        with pytest.raises(LayerError, match="truncated"):
            for entry in stream:
                assert entry.size == 9 << 30


def test_a_gnu_sparse_entry_is_passed_over_with_its_map():
    sparse = tarfile.TarInfo("image.raw")
    sparse.type, sparse.size = tarfile.GNUTYPE_SPARSE, 512
    header = bytearray(sparse.tobuf(tarfile.GNU_FORMAT))
    header[482] = 1
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)

    seen = walk(bytes(header) + bytes(512) + b"d" * 512 + tar(file("after")))

    assert [name for name, *_ in seen] == ["image.raw", "after"]


def broken(at: int, field: bytes) -> bytes:
    header = bytearray(tar(file("etc/passwd", b"root"))[:512])
    header[at : at + len(field)] = field
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + bytes(1024)


@pytest.mark.parametrize(
    ("archive", "why"),
    [
        (broken(124, b"99999999999\0"), "size of"),
        (broken(124, b"\xff" * 12), "claims an entry of -1 bytes"),
        (broken(124, b"\x80" + b"\x7f" * 11), "claims an entry"),
        (tar(file("etc/passwd", b"root"))[:514], "truncated"),
        (tar(file("a"))[:300], "truncated"),
        (b"\x01" * 1024, "checksum"),
        (bytes(512) + tar(file("hidden")), "lone block of zeros"),
    ],
)
def test_absurd_headers_are_refused(archive, why):
    with pytest.raises(LayerError, match=why):
        walk(archive)


@pytest.mark.parametrize("records", [b"11 path=xy\0", b"999 path=x\n", b"path=x\n", b"9 size=-1\n", b"00000000 a=b\n"])
def test_malformed_pax_records_are_refused(records):
    info = tarfile.TarInfo("pax")
    info.type, info.size = b"x", len(records)
    archive = info.tobuf(tarfile.USTAR_FORMAT) + records.ljust(512, b"\0") + tar(file("a"))

    with pytest.raises(LayerError):
        walk(archive)


def test_more_entries_than_allowed_are_refused():
    with pytest.raises(LayerError, match="more entries"):
        walk(tar(*(file(f"f{number}") for number in range(20))), entries=10)


def test_global_pax_records_rename_nothing():
    info = tarfile.TarInfo("global")
    records = b"24 path=etc/os-release!\n"
    info.type, info.size = b"g", len(records)
    archive = info.tobuf(tarfile.USTAR_FORMAT) + records.ljust(512, b"\0") + tar(file("etc/motd"))

    assert [name for name, *_ in walk(archive)] == ["etc/motd"]
