""".dockerignore: what stays out of a build."""

import pytest

from ecrlab.docker.patterns import Ignore, Pattern


@pytest.mark.parametrize(
    ("rules", "ignored", "kept"),
    [
        ("*.md", ["a.md"], ["docs/a.md", "a.mdx"]),
        ("**/*.md", ["a.md", "docs/deep/a.md"], ["a.txt"]),
        ("docs", ["docs", "docs/a", "docs/a/b"], ["docs2", "my/docs"]),
        ("/docs/", ["docs/a"], ["my/docs/a"]),
        ("*/temp*", ["a/temp.txt", "a/temporary/b"], ["temp.txt", "a/b/temp"]),
        ("temp?", ["temp1"], ["temp", "temp12"]),
        ("**", ["a", "a/b"], []),
        ("a[0-9].txt", ["a1.txt"], ["ab.txt"]),
        ("*.md\n!README.md", ["a.md"], ["README.md"]),
        ("*.md\n!README*.md\nREADME-secret.md", ["README-secret.md", "x.md"], ["README-x.md"]),
        ("docs\n!docs/keep", ["docs/a"], ["docs/keep", "docs/keep/b"]),
        ("# docs\n\n  ./a  \n", ["a"], ["docs", "# docs"]),
        (r"a\*b", ["a*b"], ["axb"]),
        ("a.b", ["a.b"], ["axb"]),
    ],
)
def test_rules(rules, ignored, kept):
    found = Ignore(rules)
    assert [path for path in ignored + kept if found.ignores(path)] == ignored


def test_a_set_that_is_never_closed_is_a_bracket():
    assert Pattern("a[b").matches("a[b")
