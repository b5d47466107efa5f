"""The glossary: every term is defined, its page is the code's, and each lesson links its terms where they are new."""

import json
import re
from pathlib import Path

import pytest

import ecrlab
from ecrlab.lessons import catalogue, glossary

CHECKOUT = Path(__file__).parents[2]


def test_the_page_is_what_the_code_says():
    assert (CHECKOUT / "docs/glossary.md").read_text(encoding="utf-8") == glossary.page()


@pytest.mark.parametrize("term", glossary.TERMS)
def test_a_term_is_defined_in_one_sentence(term):
    meaning = glossary.define(term)
    assert meaning.endswith(".")
    assert not re.search(r"\. [A-Z]", meaning)
    assert re.search(rf"\b{term.split()[0].lower()[:5]}", meaning.lower())


@pytest.mark.parametrize(
    ("asked", "term"),
    [
        ("Digests", "digest"),
        (" repositories ", "repository"),
        ("diff-id", "diff id"),
        ("INDEXES", "index"),
        ("cve", "CVE"),
    ],
)
def test_a_term_is_found_in_other_spellings(asked, term):
    assert glossary.define(asked) == glossary.TERMS[term].meaning


@pytest.mark.parametrize("asked", ["degist", "", "teapot", None, "x" * 1000])
def test_an_unknown_term_is_a_sentence_that_names_similar_ones(asked):
    with pytest.raises(glossary.UnknownTerm, match=r"did you mean|lists all terms"):
        glossary.define(asked)


def test_a_lab_prints_the_meaning(capsys):
    with ecrlab.start() as lab:
        lab.define("manifests")
        lab.define("degist")
    meaning, unknown = capsys.readouterr().out.splitlines()
    assert meaning == glossary.TERMS["manifest"].meaning
    assert unknown.startswith("✗ the glossary has no 'degist'; did you mean ")
    assert "digest" in unknown


def prose(notebook):
    cells = json.loads((CHECKOUT / f"notebooks/{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


@pytest.mark.parametrize("term", glossary.TERMS)
def test_a_term_is_linked_once_in_the_lesson_that_uses_it_first(term):
    link = f"](../docs/glossary.md#{glossary.anchor(term)})"
    lessons = list(catalogue.MODULES)
    assert [notebook for notebook in lessons if link in prose(notebook)] == [glossary.TERMS[term].lesson]
    assert prose(glossary.TERMS[term].lesson).count(link) == 1


def test_every_link_to_the_glossary_leads_to_a_term():
    anchors = {glossary.anchor(term) for term in glossary.TERMS}
    linked = {
        anchor for notebook in catalogue.MODULES for anchor in re.findall(r"glossary\.md#([^)]+)\)", prose(notebook))
    }
    assert linked <= anchors
