"""One reader of JSON: what two programs could read differently, or nobody can store, is rejected."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.oci import strict_json
from ecrlab.oci.strict_json import DEEPEST, LARGEST_INTEGER, InvalidJson, read

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{} {}",
        '{"a": 1, "a": 1}',
        '[{"b": {"a": 1, "\\u0061": 2}}]',
        "NaN",
        "[-Infinity]",
        '"\\ud800"',
        '{"\\uDFFF": 1}',
        '"\ud800"',
        "1e400",
        "-1e400",
        str(LARGEST_INTEGER + 1),
        str(-LARGEST_INTEGER - 2),
        "9" * 1_000_000,
        "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
        '{"a":' * (DEEPEST + 1) + "1" + "}" * (DEEPEST + 1),
        "[" * 100_000,
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        "\ufeff{}",
    ],
)
def test_what_is_not_strict_json_is_rejected_as_text_and_as_bytes(text):
    with pytest.raises(InvalidJson):
        read(text)
    with pytest.raises(InvalidJson):
        read(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32-be", "utf-8-sig"])
def test_bytes_are_utf_8_without_a_mark(encoding):
    assert json.loads('{"a": 1}'.encode(encoding)) == {"a": 1}  # Python's reader guesses
    with pytest.raises(InvalidJson):
        read('{"a": 1}'.encode(encoding))


def test_a_text_at_every_bound_is_read():
    assert read("[" * DEEPEST + "]" * DEEPEST)
    assert read(f"[{LARGEST_INTEGER}, -{LARGEST_INTEGER}, 1e308]")[0] == LARGEST_INTEGER
    assert read('"\\ud83d\\ude00"') == "\N{GRINNING FACE}"
    assert len(read(json.dumps([{}] * 10_000))) == 10_000
    assert read("[1]", largest=3) == [1]
    with pytest.raises(InvalidJson, match="more than 2 bytes"):
        read("[1]", largest=2)


def test_the_error_names_the_place():
    with pytest.raises(InvalidJson) as error:
        read('{\n"a" 1}')
    assert error.value.place == "line 2 column 5"


@pytest.mark.parametrize("text", ["[]", "null", '"x"', "1"])
def test_an_object_is_asked_for(text):
    with pytest.raises(InvalidJson, match="object"):
        strict_json.read_object(text)


@settings(max_examples=100)
@given(values, st.booleans())
def test_whatever_python_writes_strictly_is_read_as_it_was(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only, allow_nan=False)
    assert read(text) == read(text.encode()) == value


@settings(max_examples=100)
@given(st.binary() | st.text())
def test_junk_is_read_or_rejected(junk):
    try:
        json.dumps(read(junk), ensure_ascii=False, allow_nan=False).encode()
    except InvalidJson:
        return
