"""What is encrypted comes back byte for byte from any position, or not at all."""

import io
import os
import random
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecrlab.registry.errors import DamagedObject, KmsException
from ecrlab.registry.store.encryption import (
    CHECKSUM,
    NONCE,
    SEGMENT,
    TAG,
    EncryptedFile,
    Encryptor,
    decrypt,
    encrypt,
    read_header,
)
from tests.registry.kms import KEY, OTHER_KEY, Kms

ARN = "arn:aws:ecr:us-east-1:123456789012:repository/app"
APP = SimpleNamespace(id=1, arn=ARN, kms_key=KEY)
CONTEXT = {"aws:ecr:arn": ARN, "aws:s3:arn": "arn:aws:s3:::a-bucket/an-object"}
STORED = NONCE + SEGMENT + TAG

DATA = random.Random("bytes").randbytes(4 * SEGMENT)
near_borders = st.one_of(
    st.integers(0, 4 * SEGMENT), st.builds(lambda n, d: max(n * SEGMENT + d, 0), st.integers(0, 3), st.integers(-2, 2))
)


def stored(plaintext: bytes) -> bytes:
    return encrypt(Kms(), APP, plaintext, CONTEXT)


def opened(file: bytes) -> EncryptedFile:
    return EncryptedFile(io.BytesIO(file), Kms(), APP, "sha256:0a1b")


@given(size=near_borders, start=near_borders, length=near_borders)
def test_any_range_is_that_of_the_plaintext(size: int, start: int, length: int) -> None:
    file = opened(stored(DATA[:size]))

    file.seek(start)
    assert file.read(length) == DATA[:size][start : start + length]
    assert file.read() == DATA[:size][start + length :]
    assert file.seek(0, io.SEEK_END) == size


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(near_borders, st.booleans()), max_size=8))
def test_pieces_and_steps_back_leave_what_was_meant(tmp_path, steps) -> None:
    encryptor = Encryptor(Kms(), APP, CONTEXT)
    meant = b""
    with (tmp_path / "object").open("w+b") as file:
        for number, goes_back in steps:
            if goes_back:
                meant = meant[:number]
                encryptor.rewind(file.fileno(), len(meant))
            else:
                meant += DATA[:number]
                encryptor.append(file.fileno(), DATA[:number])
            assert b"".join(encryptor.plaintext(file.fileno())) == meant
        encryptor.append(file.fileno(), b"", ends=True)
        file.seek(0)
        found = file.read()

    assert decrypt(Kms(), APP, found, "sha256:0a1b") == meant


@given(size=near_borders.filter(lambda size: size < 3 * SEGMENT), chance=st.randoms(use_true_random=False))
def test_a_flipped_bit_anywhere_is_an_error_that_names_the_object(size, chance) -> None:
    file = bytearray(stored(DATA[:size]))
    header = read_header(io.BytesIO(bytes(file)), "").size
    for place in (chance.randrange(header), chance.randrange(header, len(file)), chance.randrange(len(file))):
        file[place] ^= 1 << chance.randrange(8)
        with pytest.raises(DamagedObject, match="sha256:0a1b is damaged"):
            opened(bytes(file)).read()
        file = bytearray(stored(DATA[:size]))


@given(size=near_borders, cut=st.integers(1, 2 * STORED))
def test_an_object_that_was_cut_is_not_even_opened(size: int, cut: int) -> None:
    file = stored(DATA[:size])

    with pytest.raises(DamagedObject):
        opened(file[:-cut])


def test_an_object_that_was_cut_between_two_segments_is_not_even_opened() -> None:
    file = stored(DATA)

    with pytest.raises(DamagedObject, match="segment 2 is not"):
        opened(file[:-STORED])


def test_segments_that_changed_places_are_an_error() -> None:
    file = stored(DATA)
    begin = read_header(io.BytesIO(file), "").size
    first, second, rest = file[begin : begin + STORED], file[begin + STORED : begin + 2 * STORED], begin + 2 * STORED

    with pytest.raises(DamagedObject, match="segment 0 is not"):
        opened(file[:begin] + second + first + file[rest:]).read()


def test_segments_of_another_object_with_the_same_key_are_an_error() -> None:
    one, other = stored(DATA), stored(DATA)
    begin = read_header(io.BytesIO(one), "").size

    with pytest.raises(DamagedObject, match="segment 3 is not"):
        opened(one[:begin] + other[begin:])


def test_a_segment_that_is_written_again_has_another_nonce(tmp_path) -> None:
    encryptor = Encryptor(Kms(), APP, CONTEXT)
    nonces = []
    with (tmp_path / "object").open("w+b") as file:
        for _ in range(3):
            encryptor.append(file.fileno(), DATA)
            file.seek(0)
            begin = read_header(file, "").size
            nonces += [os.pread(file.fileno(), NONCE, begin + index * STORED) for index in range(3)]
            encryptor.rewind(file.fileno(), 0)

    assert len(set(nonces)) == len(nonces) == 9


def test_the_same_bytes_are_encrypted_differently_each_time() -> None:
    one, other = stored(DATA), stored(DATA)

    assert len(one) == len(other) == read_header(io.BytesIO(one), "").size + len(DATA) + 4 * (NONCE + TAG)
    assert one[-STORED:] != other[-STORED:]


def test_the_header_tells_key_and_context_and_no_plaintext_key() -> None:
    file = stored(b"secret")
    header = read_header(io.BytesIO(file), "")

    assert (header.kms_key, header.context) == (KEY, CONTEXT)
    assert header.size == file.index(b"\n") + 1 + CHECKSUM
    key = Kms().unwrap(APP, header.wrapped, CONTEXT)
    assert key not in file and b"secret" not in file


def test_a_key_that_cannot_be_used_is_its_own_error_and_closes_the_file() -> None:
    kms = Kms()
    kms.disabled.add(KEY)
    file = io.BytesIO(stored(b"secret"))

    with pytest.raises(KmsException, match="is disabled"):
        EncryptedFile(file, kms, APP, "sha256:0a1b")
    assert file.closed


def test_an_object_under_another_key_than_its_repositorys_is_an_error() -> None:
    other = SimpleNamespace(id=2, arn=ARN, kms_key=OTHER_KEY)

    with pytest.raises(DamagedObject, match=r"encrypted with .*1111.*, not with .*2222"):
        EncryptedFile(io.BytesIO(stored(b"secret")), Kms(), other, "sha256:0a1b")
