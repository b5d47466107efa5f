"""Dockerfiles as instructions, and the words in them; compared with Docker's own parser where that is installed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.docker.dockerfile import DockerfileError, parse
from ecrlab.docker.errors import DockerError
from ecrlab.docker.words import expand, split

SHAPES = {
    "one line": "FROM scratch",
    "lower case and comments": "# a comment\nfrom scratch as base\n  # another\n\tcopy a b\n",
    "continuation": "FROM scratch\nENV A=1 \\\n    B=2 \\\n\n    # in between\n    C=3\nUSER me\n",
    "trailing space after the escape": "FROM scratch\nLABEL a=b \\  \n  c=d\n",
    "escape directive": "# escape=`\nFROM scratch\nLABEL path=C:\\x `\n  more=y\n",
    "syntax directive": "# syntax=docker/dockerfile:1\nFROM scratch\n",
    "json": 'FROM scratch\nCMD ["python", "-m", "app"]\nENTRYPOINT [ "a b" ]\nVOLUME ["/data"]\n',
    "json that is none": "FROM scratch\nCMD [ -f x ] && y\n",
    "flags": "FROM --platform=linux/amd64 scratch\nCOPY --from=0 --chown=1:2 a b\n",
    "windows line ends": "FROM scratch\r\nENV A=1 \\\r\n B=2\r\n",
    "two escapes at the end": "FROM scratch\nSTOPSIGNAL 9\\\\\nUSER me\n",
    "tabs": "FROM\tscratch\nEXPOSE 80\t90\n",
    "spaces in a path": 'FROM scratch\nCOPY ["a b", "c d/"]\n',
    "byte order mark": "\ufeffFROM scratch\n",
    "quotes": "FROM scratch\nENV A=\"x y\" B='z $A' C=d\\ e\n",
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_it_reads_as_dockers_own_parser_does(text):
    official = pytest.importorskip("dockerfile")
    found = [(step.name, tuple(step.flags.items()), step.json is not None, step.line) for step in parse(text)]
    expected = [
        (
            command.cmd.upper(),
            tuple(tuple(flag[2:].split("=", 1)) for flag in command.flags),
            command.json,
            command.start_line,
        )
        for command in official.parse_string(text)
    ]
    assert found == expected


def test_a_logical_line_is_joined_without_the_comments_in_it():
    (_, env, user) = parse(SHAPES["continuation"])
    assert env.words == ["A=1", "B=2", "C=3"]
    assert (user.name, user.line) == ("USER", 7)


def test_an_escape_directive_leaves_backslashes_alone():
    (_, label) = parse(SHAPES["escape directive"])
    assert label.words == ["path=C:\\x", "more=y"]
    assert expand(label.words[0], {}, label.escape) == "path=C:\\x"


def test_what_only_looks_like_an_array_is_a_command():
    assert parse(SHAPES["json that is none"])[1].json is None


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 0, "the Dockerfile cannot be empty"),
        ("# only a comment\n", 0, "the Dockerfile cannot be empty"),
        ("FROM scratch\nCOPPY a b\n", 2, "unknown instruction: COPPY (did you mean COPY?)"),
        ("FROM scratch\nEXPOSE\n", 2, "EXPOSE requires at least one argument"),
        ("FROM scratch\nCOPY <<EOF /x\nhello\nEOF\n", 2, "put the text into a file and COPY it"),
        ("# escape=x\nFROM scratch\n", 0, "invalid ESCAPE 'x'"),
    ],
)
def test_refusals_name_the_line(text, line, said):
    with pytest.raises(DockerfileError) as caught:
        parse(text)
    assert said in str(caught.value)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("$A", "one"),
        ("${A}b", "oneb"),
        ("$Ab", ""),
        ("${NONE:-x${A}y}", "xoney"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${A:+set}", "set"),
        ("${NONE:+set}", ""),
        ("${EMPTY+set}", "set"),
        ("'$A'", "$A"),
        ('"$A b"', "one b"),
        (r"\$A", "$A"),
        (r"\\$A", "\\one"),
        (r'"a\nb\""', 'a\\nb"'),
        ("a$", "a$"),
        ("'it'\"'s\"", "it's"),
    ],
)
def test_expansion_is_a_shells(word, value):
    assert expand(word, {"A": "one", "EMPTY": ""}) == value


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("${A", "unsupported modifier"),
        ("${}", "bad substitution"),
        ("${NONE:?is needed}", "NONE: is needed"),
        ("${A/x/y}", "unsupported modifier (/x) in substitution"),
        ("'open", "unexpected end of statement while looking for matching '"),
        ("${A:-open", "missing '}'"),
    ],
)
def test_bad_expansions_are_refused(word, said):
    with pytest.raises(DockerError) as caught:
        expand(word, {"A": "one"})
    assert said in str(caught.value)


@settings(max_examples=80)
@given(st.lists(st.text("ab'\" $\\{}", max_size=6), max_size=5))
def test_words_without_special_characters_survive_quoting(texts):
    quoted = ["'" + text.replace("'", "") + "'" for text in texts]
    words = split(" ".join(quoted))
    assert [expand(word, {}) for word in words] == [text.replace("'", "") for text in texts]


@settings(max_examples=150)
@given(st.text("FROM scatch\n\t\\#`[]\"'=<$-", max_size=80))
def test_any_text_is_read_or_refused(text):
    try:
        parse(text)
    except DockerError as refused:
        assert str(refused)
