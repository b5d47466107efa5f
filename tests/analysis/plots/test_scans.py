"""Findings as tables and pictures: of both kinds of scans, of nothing at all, and of a real push."""

import json

import matplotlib as mpl
import pandas as pd
import pytest

from ecrlab.analysis.plots import scans

mpl.use("agg")

LAYERS = ("sha256:low", "sha256:high")


class Ecr:
    """As much of an ECR client as the functions ask for, with the answer's pages."""

    def __init__(self, *pages):
        self.pages = pages

    def get_paginator(self, _):
        return self

    def paginate(self, **_):
        return self.pages

    def batch_get_image(self, **_):
        manifest = json.dumps({"layers": [{"digest": digest} for digest in LAYERS]})
        return {"images": [{"imageManifest": manifest}]}


def enhanced(cve, severity, *packages, fix="2.0"):
    details = {
        "vulnerabilityId": cve,
        "vulnerablePackages": [
            {"name": name, "version": "1.0", "sourceLayerHash": layer, "fixedInVersion": fix} | more
            for name, layer, more in packages
        ],
    }
    return {"severity": severity, "packageVulnerabilityDetails": details}


def basic(cve, severity):
    attributes = [{"key": "package_version", "value": "1.0-1"}, {"key": "package_name", "value": "expat"}]
    return {"name": cve, "severity": severity, "attributes": attributes}


def page(*findings):
    return {"imageScanFindings": {"enhancedFindings": list(findings)}}


def read(*pages, base_layers=1):
    return scans.findings(Ecr(*pages), "app", "v1", base_layers=base_layers)


def made(**severities):
    """A table with so many findings of each severity."""
    return read(page(*[enhanced("CVE-1", s, ("a", LAYERS[0], {})) for s, n in severities.items() for _ in range(n)]))


def test_the_findings_of_all_pages_come_worst_first_and_are_numbered_from_1():
    found = read(
        page(enhanced("CVE-1", "LOW", ("a", LAYERS[0], {})), enhanced("CVE-2", "UNTRIAGED", ("b", LAYERS[0], {}))),
        page(enhanced("CVE-3", "CRITICAL", ("c", LAYERS[1], {}))),
    )

    assert list(found["id"]) == ["CVE-3", "CVE-1", "CVE-2"]
    assert list(found.index) == [1, 2, 3]
    assert tuple(found.columns) == scans.COLUMNS


def test_a_finding_is_of_the_lowest_layer_that_has_one_of_its_packages():
    found = read(page(enhanced("CVE-1", "HIGH", ("b", LAYERS[1], {}), ("a", LAYERS[0], {}))))

    assert found.loc[1, ["package", "layer", "whose"]].tolist() == ["b, a", 0, "base"]


@pytest.mark.parametrize(("base_layers", "whose"), [(0, "mine"), (1, "mine"), (2, "base")])
def test_what_is_above_the_layers_of_the_base_is_mine(base_layers, whose):
    found = read(page(enhanced("CVE-1", "HIGH", ("a", LAYERS[1], {}))), base_layers=base_layers)

    assert found.loc[1, "whose"] == whose


def test_a_version_is_put_together_as_package_managers_write_it():
    found = read(page(enhanced("CVE-1", "HIGH", ("a", LAYERS[0], {"epoch": 1, "release": "3"}), fix="0:1.0-4")))

    assert found.loc[1, ["version", "fixed in"]].tolist() == ["1:1.0-3", "1.0-4"]


def test_a_fix_that_is_not_available_is_none():
    found = read(page(enhanced("CVE-1", "HIGH", ("a", LAYERS[0], {}), fix="NotAvailable")))

    assert found.loc[1, "fixed in"] == ""
    assert scans.counts(found).to_dict() == {"base: no fix": {"HIGH": 1}}


def test_basic_findings_say_neither_layer_nor_fix():
    found = read({"imageScanFindings": {"findings": [basic("CVE-1", "UNDEFINED")]}})

    assert found.loc[1, ["package", "version", "fixed in", "whose"]].tolist() == ["expat", "1.0-1", "", ""]
    assert found["layer"].isna().all()
    assert scans.counts(found).to_dict() == {"layer and fix not said": {"UNDEFINED": 1}}


def test_counts_have_the_severities_that_occur_worst_first():
    found = made(UNTRIAGED=2, CRITICAL=1, MEDIUM=3)

    assert scans.counts(found).to_dict() == {"base: fix available": {"CRITICAL": 1, "MEDIUM": 3, "UNTRIAGED": 2}}
    assert list(scans.counts(found).index) == ["CRITICAL", "MEDIUM", "UNTRIAGED"]


def test_images_are_compared_in_the_order_given_without_severities_that_none_has():
    table = scans.compare({"v2": made(HIGH=1), "v1": made(HIGH=2, LOW=1), "v3": made()})

    assert table.to_dict("index") == {
        "v2": {"HIGH": 1, "LOW": 0},
        "v1": {"HIGH": 2, "LOW": 1},
        "v3": {"HIGH": 0, "LOW": 0},
    }


def bars(shown):
    """What a picture shows: name of the part -> length in each row."""
    [axes] = shown.axes
    return {bar.get_label(): [patch.get_width() for patch in bar] for bar in axes.containers}


def test_the_picture_shows_what_the_table_says():
    found = read(
        page(
            enhanced("CVE-1", "HIGH", ("a", LAYERS[0], {})),
            enhanced("CVE-2", "HIGH", ("b", LAYERS[1], {})),
            enhanced("CVE-3", "LOW", ("a", LAYERS[0], {})),
        )
    )

    shown = scans.picture("all", found)

    assert bars(shown) == {"base": [1, 1], "mine": [1, 0]}
    assert shown.axes[0].get_title(loc="left") == "all (fix available for all)"


def test_the_picture_says_which_findings_have_a_fix_where_some_have_none():
    fixed = enhanced("CVE-1", "HIGH", ("a", LAYERS[0], {}))
    found = read(page(fixed, enhanced("CVE-2", "LOW", ("b", LAYERS[1], {}), fix="")))

    assert bars(scans.picture("some", found)) == {"base: fix available": [1, 0], "mine: no fix": [0, 1]}


def test_the_picture_of_several_images_shows_what_their_table_says():
    images = {"v1": made(HIGH=2, LOW=1), "v2": made(LOW=1)}

    assert bars(scans.comparison_picture("both", images)) == {"HIGH": [2, 0], "LOW": [1, 1]}


def test_every_severity_has_a_colour_the_worse_the_darker():
    every = dict.fromkeys(scans.SEVERITIES, 1)

    shown = scans.comparison_picture("both", {"v1": made(**every), "v2": made(LOW=1)})

    assert bars(shown) == {name: [1, int(name == "LOW")] for name in scans.SEVERITIES}
    lightness = [sum(rgb[:3]) for rgb in (group[0].get_facecolor() for group in shown.axes[0].containers)]
    rated = lightness[:-2]
    assert rated == sorted(rated)
    assert len(set(lightness)) == len(scans.SEVERITIES)


@pytest.mark.parametrize("pages", [[], [{}], [page()]])
def test_an_image_without_findings_is_a_table_without_rows_and_an_empty_picture(pages):
    found = read(*pages)

    assert isinstance(found, pd.DataFrame)
    assert len(found) == 0
    assert scans.counts(found).empty
    assert bars(scans.picture("clean", found)) == {"no findings": [0]}
    assert bars(scans.comparison_picture("clean", {"v1": found})) == {"no findings": [0]}
