import json

import pytest

from ecrlab.scanning import Advisories, scan
from ecrlab.scanning.errors import AdvisoriesError
from ecrlab.scanning.versions import VersionError
from ecrlab.scanning.vulnerabilities import severity
from ecrlab.scanning.vulnerabilities.osv import Interval, canonical_name, read_record
from tests.scanning.making import advisory, file, layer
from tests.scanning.malforming import variants


def only(record):
    (row,) = read_record(record)
    return row


def test_several_events_in_one_range_make_several_intervals():
    events = [{"fixed": "2.0.7"}, {"introduced": "2.1.0"}, {"introduced": "0"}, {"fixed": "2.1.5"}]

    row = only(advisory("GO-1", "Go", "m", *events))

    assert row.intervals == (Interval("0", "2.0.7"), Interval("2.1.0", "2.1.5"))
    assert [bool(row.affects(v)) for v in ("1.0.0", "2.0.7", "2.1.0", "2.1.4", "2.1.5")] == [1, 0, 1, 1, 0]


def test_last_affected_is_affected_and_the_next_is_not():
    row = only(advisory("GHSA-1", "PyPI", "Some_Pkg", {"introduced": "1.0"}, {"last_affected": "1.5"}))

    assert row.package == "some-pkg"
    assert row.affects("1.5") == Interval("1.0", last_affected="1.5")
    assert row.affects("1.5.1") is None
    assert row.affects("0.9") is None


def test_a_range_without_an_end_affects_all_that_follow():
    assert only(advisory("X-1", "npm", "p", {"introduced": "3.0.0"})).affects("99.0.0")


def test_versions_listed_one_by_one_are_affected():
    record = {"id": "X-1", "affected": [{"package": {"ecosystem": "PyPI", "name": "p"}, "versions": ["1.0", "1.2"]}]}

    assert [bool(only(record).affects(v)) for v in ("1.0", "1.1", "1.2")] == [1, 0, 1]


def test_fixed_in_0_means_never_affected_as_alpine_writes_it():
    assert (
        only(advisory("CVE-2020-0001", "Alpine:v3.18", "p", {"introduced": "0"}, {"fixed": "0"})).affects("1-r0")
        is None
    )


@pytest.mark.parametrize(
    ("record", "id", "aliases"),
    [
        ({"id": "GHSA-1", "aliases": ["CVE-2021-44228"]}, "CVE-2021-44228", ("GHSA-1",)),
        ({"id": "DEBIAN-CVE-2021-44228", "upstream": ["CVE-2021-44228"]}, "CVE-2021-44228", ("DEBIAN-CVE-2021-44228",)),
        ({"id": "DSA-1", "upstream": ["CVE-2021-1111", "CVE-2021-2222"]}, "DSA-1", ()),
        ({"id": "PYSEC-1", "aliases": []}, "PYSEC-1", ()),
    ],
)
def test_the_cve_names_an_advisory_where_there_is_just_one(record, id, aliases):
    row = only({**advisory("", "PyPI", "p", {"introduced": "0"}), **record})

    assert (row.id, row.aliases) == (id, aliases)


def test_withdrawn_records_and_unknown_ecosystems_give_nothing():
    assert not list(read_record(advisory("X", "npm", "p", {"introduced": "0"}, withdrawn="2024-01-01T00:00:00Z")))
    assert not list(read_record(advisory("X", "Hackage", "p", {"introduced": "0"})))


@pytest.mark.parametrize(
    "events",
    [
        [{"fixed": "1.0"}],
        [{"introduced": "2.0"}, {"fixed": "1.0"}],
        [{"introduced": "0"}, {"fixed": "no version"}],
        [{"introduced": 3}],
        [{}],
    ],
)
def test_a_broken_range_cannot_be_evaluated_and_says_so(events):
    row = only(advisory("GHSA-broken", "PyPI", "p", *events))

    with pytest.raises(VersionError, match="GHSA-broken"):
        row.affects("1.1")


@pytest.mark.parametrize("record", [None, [], "text", {}, {"id": 7}])
def test_what_is_no_record_is_refused(record):
    with pytest.raises(AdvisoriesError):
        list(read_record(record))


@pytest.mark.parametrize("affected", [None, "x", [None], [{"package": None}], [{"package": {"name": 1}}], [{}]])
def test_records_of_odd_shape_give_nothing(affected):
    assert not list(read_record({"id": "X", "affected": affected}))


VECTOR = {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}


@pytest.mark.parametrize(
    ("more", "severity", "score"),
    [
        ({"severity": [VECTOR]}, "CRITICAL", 9.8),
        ({"severity": [VECTOR, {"type": "Ubuntu", "score": "low"}]}, "LOW", 9.8),
        ({"severity": [{"type": "CVSS_V3", "score": "nonsense"}]}, "UNDEFINED", None),
        ({"database_specific": {"severity": "MODERATE"}}, "MEDIUM", None),
        ({"severity": [VECTOR], "database_specific": {"severity": "LOW"}}, "CRITICAL", 9.8),
        ({}, "UNDEFINED", None),
    ],
)
def test_severity_is_the_distributions_then_by_cvss_then_the_databases_word(more, severity, score):
    row = only(advisory("X", "Ubuntu:22.04:LTS", "p", {"introduced": "0"}, **more))

    assert (row.severity, row.score) == (severity, score)


def test_debians_urgency_goes_before_the_vector():
    record = advisory("X", "Debian:12", "p", {"introduced": "0"}, severity=[VECTOR])
    record["affected"][0]["ecosystem_specific"] = {"urgency": "unimportant"}  # type: ignore[index]

    assert only(record).severity == "INFORMATIONAL"


def test_only_pypi_names_are_spelled_anew():
    assert canonical_name("PyPI", "Zope.Interface__x") == "zope-interface-x"
    assert canonical_name("npm", "@Scope/Name_x") == "@Scope/Name_x"


def test_a_score_of_cvss_2_is_rated_by_its_own_scale():
    ratings = [{"type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:C/I:C/A:C"}]

    assert severity.judge(ratings) == ("HIGH", 10.0, "AV:N/AC:L/Au:N/C:C/I:C/A:C")
    ratings.append({"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"})
    assert severity.judge(ratings)[:2] == ("CRITICAL", 9.8)


@pytest.mark.parametrize(
    ("ecosystem", "said", "affected", "spared"),
    [
        ("npm", "< 0.19.3", "0.19.2", "0.19.3"),
        ("npm", "<= 1.2.3", "1.2.3", "1.2.4"),
        ("npm", "= 1.1.0", "1.1.0", "1.1.1"),
        ("npm", ">= 1.0.0, < 1.5.0", "1.4.9", "1.5.0"),
        ("Maven", "<= 2.14.1", "2.14.1", "2.15.0"),
        ("PyPI", "<2.0", "2.0rc1", "2.0"),
        ("RubyGems", "<= 3.1.0", "3.1.0", "3.1.1"),
        ("Go", "< 1.2.3", "1.2.3-rc.1", "1.2.3"),
    ],
)
@pytest.mark.parametrize("place", ["package", "range"])
def test_github_says_in_a_field_of_its_own_where_a_range_without_a_fix_ends(ecosystem, said, affected, spared, place):
    record = advisory("GHSA-x", ecosystem, "p", {"introduced": "0"})
    told = record["affected"][0]  # type: ignore[index]
    (told if place == "package" else told["ranges"][0])["database_specific"] = {
        "last_known_affected_version_range": said
    }

    row = only(record)

    assert row.affects(affected)
    assert row.affects(affected).fixed is None
    assert row.affects(spared) is None


@pytest.mark.parametrize("said", ["", "unknown", "< no version", "> 1.0", 7, None, ["< 1"]])
def test_an_end_that_cannot_be_understood_leaves_the_range_open(said):
    record = advisory("GHSA-x", "npm", "p", {"introduced": "0"})
    record["affected"][0]["database_specific"] = {"last_known_affected_version_range": said}  # type: ignore[index]

    assert only(record).affects("99.0.0")


def test_a_fix_goes_before_the_last_known_range():
    record = advisory("GHSA-x", "npm", "p", {"introduced": "0"}, {"fixed": "2.0.0"})
    record["affected"][0]["database_specific"] = {"last_known_affected_version_range": "< 1.0.0"}  # type: ignore[index]

    assert only(record).affects("1.5.0")


def test_the_highest_limit_ends_a_range_and_fixes_nothing():
    row = only(advisory("X", "npm", "p", {"introduced": "0"}, {"limit": "1.0.0"}, {"limit": "2.0.0"}))

    assert row.affects("1.9.0")
    assert row.affects("1.9.0").fixed is None
    assert row.affects("2.0.0") is None
    assert only(advisory("X", "npm", "p", {"introduced": "0"}, {"limit": "*"})).affects("9.0.0")


def test_a_record_may_have_anything_anywhere():
    record = advisory(
        "GHSA-x", "npm", "p", {"introduced": "0"}, {"fixed": "1.0.0"}, {"limit": "3.0.0"}, aliases=["CVE-1"]
    )
    record |= {"upstream": ["CVE-2"], "published": "2024-01-01", "modified": "2024-01-01", "severity": [VECTOR]}
    affected = record["affected"][0]  # type: ignore[index]
    affected |= {"versions": ["0.9.0"], "ecosystem_specific": {"urgency": "low"}}
    affected["database_specific"] = {"score": 3.0, "exploit": "kev", "last_known_affected_version_range": "< 2"}
    package = [layer(file("node_modules/p/package.json", '{"name": "p", "version": "0.9.0"}'))]

    for odd in variants([record]):
        try:
            report = scan(package, advisories=Advisories.of(odd if isinstance(odd, list) else [odd], "odd"))
        except AdvisoriesError as refused:
            assert str(refused)
        else:
            assert json.dumps(report.to_json())


@pytest.mark.parametrize("versions", [7, "1.0.0", {"1.0.0": None}, True])
def test_versions_that_are_no_list_leave_the_question_open(versions):
    record = advisory("GHSA-x", "npm", "p", {"introduced": "2.0.0"})
    record["affected"][0]["versions"] = versions  # type: ignore[index]

    with pytest.raises(VersionError, match="no list"):
        only(record).affects("1.0.0")
