"""What lies on the disk, as a table and a picture: random bytes differ, what is shown of them does not."""

import os
from types import SimpleNamespace

import matplotlib as mpl
import pytest

from ecrlab.analysis.plots.at_rest import BLOCK, MOST_BLOCKS, AtRest, by_block, entropy

mpl.use("agg")

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"


def stored(repository: str, kind: str, sample: bytes, key: str | None = None) -> SimpleNamespace:
    header = None if key is None else SimpleNamespace(kms_key=key, size=400)
    size = len(sample)
    return SimpleNamespace(
        repository=repository,
        kind=kind,
        digest="sha256:" + "a1" * 32,
        size=size,
        stored=size + 428 * (key is not None),
        header=header,
        sample=sample,
    )


def looked_at() -> AtRest:
    return AtRest(
        [
            stored("secret", "manifest", os.urandom(700), KEY),
            stored("secret", "layer", os.urandom(70 * BLOCK + 5), KEY),
            stored("my-app", "layer", bytes(2 * BLOCK) + b"some text, some words\n" * 100),
        ]
    )


@pytest.mark.parametrize("attempt", range(20))
def test_random_bytes_from_a_block_on_have_8_bits(attempt: int) -> None:
    assert entropy(os.urandom(BLOCK)) == 8
    assert by_block(os.urandom(5 * BLOCK + attempt)) == [8] * 5


def test_less_than_a_block_is_not_judged() -> None:
    assert entropy(os.urandom(BLOCK - 1)) is None
    assert by_block(os.urandom(BLOCK - 1)) == []


def test_the_table_has_a_row_for_each_object() -> None:
    table = looked_at().table()

    assert list(table.columns) == ["repository", "object", "digest", "key", "bytes", "on disk", "bits"]
    assert list(table.loc[2]) == ["secret", "layer", "a1" * 6, KEY[-36:], 71_685, 72_113, "8"]
    assert list(table["bits"]) == ["", "8", "3"]
    assert list(table["key"]) == [KEY[-36:], KEY[-36:], ""]


def test_the_picture_is_the_same_each_time_though_the_bytes_are_not() -> None:
    one, other = (looked_at().picture() for _ in range(2))

    one.canvas.draw()
    other.canvas.draw()
    assert bytes(one.canvas.buffer_rgba()) == bytes(other.canvas.buffer_rgba())
    [axes] = one.axes
    assert len(axes.patches) == MOST_BLOCKS + 4
    assert [text.get_text() for text in axes.texts] == ["700 B: too short to tell"]
    assert axes.get_xlim() == (0, MOST_BLOCKS)
    assert [text.get_text() for text in one.legends[0].get_texts()] == ["0 or 1", "2 or 3", "8"]


def test_the_picture_is_told_in_words_too() -> None:
    assert looked_at().picture().get_label() == (
        "3 objects on the disk, 2 of them encrypted. secret manifest a1a1a1a, key 11111111: too short to tell. "
        "secret layer a1a1a1a, key 11111111: 8 bits. my-app layer a1a1a1a, in clear: 0 to 3 bits"
    )


def test_nothing_on_the_disk_is_a_picture_too() -> None:
    empty = AtRest([])

    assert repr(empty) == "<0 objects on the disk, 0 of them encrypted>"
    assert len(empty.table()) == 0
    assert empty.picture().get_label() == "0 objects on the disk, 0 of them encrypted"
