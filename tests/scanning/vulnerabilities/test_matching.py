import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from ecrlab.scanning import embedded, scan
from ecrlab.scanning.versions import compare
from tests.scanning.making import advisories, advisory, alpine, debian, file, layer, metadata

ROWS = [(row, interval) for row in embedded() for interval in row.intervals]


def just_below(ecosystem: str, version: str) -> str:
    """A version older than the given one, and newer than every release before it, in its ecosystem's grammar."""
    family = ecosystem.partition(":")[0]
    if family == "Alpine":
        head, mark, revision = version.partition("-r")
        return f"{head}-r{int(revision) - 1}" if mark and int(revision) else f"{head}_rc{mark}{revision}"
    if family == "Maven":
        return version.removesuffix(".RELEASE") + "-SNAPSHOT"
    if family in ("npm", "Go"):
        return _semver_below(version.partition("+")[0])
    return version + {"Debian": "~", "PyPI": ".dev0", "RubyGems": ".a"}[family]


def _semver_below(version: str) -> str:
    release, _, pre = version.partition("-")
    if not pre:
        return f"{release}-zzz"
    if pre == "0":  # the lowest of all pre-releases: what is below is of the release before
        major, minor, _ = release.split(".")
        return f"{major}.{int(minor) - 1}.99999" if int(minor) else f"{int(major) - 1}.99999.0"
    stem, _, last = pre.rpartition(".")
    if stem:
        return f"{release}-{stem}.{int(last) - 1}" if last.isdigit() and int(last) else f"{release}-{stem}"
    return f"{release}-0"


def just_above(ecosystem: str, version: str) -> str:
    if ecosystem != "npm":
        return version + ".1"
    stem, _, patch = version.rpartition(".")
    return f"{stem}.{int(patch) + 1}"


def test_for_every_row_the_versions_at_the_fix_and_just_below_fall_on_the_right_side():
    wrong = []
    for row, interval in ROWS:
        if interval.fixed is not None:
            below = just_below(row.ecosystem, interval.fixed)
            sides = (interval.contains(row.ecosystem, below), interval.contains(row.ecosystem, interval.fixed))
        else:
            last = interval.last_affected or ""
            above = just_above(row.ecosystem, last)
            sides = (interval.contains(row.ecosystem, last), interval.contains(row.ecosystem, above))
        if sides != (True, False):
            wrong.append((row.id, row.ecosystem, row.package, interval, sides))

    assert not wrong
    assert len(ROWS) == 1206


def test_for_every_row_the_version_it_begins_with_is_affected_and_one_below_is_not():
    wrong = []
    for row, interval in ROWS:
        if interval.introduced != "0":
            below = just_below(row.ecosystem, interval.introduced)
            if not interval.contains(row.ecosystem, interval.introduced) or interval.contains(row.ecosystem, below):
                wrong.append((row.id, row.package, interval))

    assert not wrong


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is the oracle")
def test_every_debian_fix_stands_where_dpkg_places_it():
    fixes = sorted({interval.fixed for row, interval in ROWS if row.ecosystem.startswith("Debian") and interval.fixed})
    pairs = list(zip(fixes, fixes[7:] + fixes[:7], strict=True))
    script = "\n".join(
        f"dpkg --compare-versions '{left}' lt '{right}' && echo older || echo no" for left, right in pairs
    )

    told = subprocess.run(["sh"], input=script, capture_output=True, text=True, check=True).stdout.split()

    assert [compare("Debian", left, right) < 0 for left, right in pairs] == [answer == "older" for answer in told]


def test_every_row_of_a_release_is_found_in_an_image_just_below_its_fix():
    rows = [(row, interval) for row, interval in ROWS if row.ecosystem == "Debian:12" and interval.fixed]

    for row, interval in rows[::9]:
        for version, there in ((just_below("Debian", interval.fixed), True), (interval.fixed, False)):
            report = scan([layer(*debian(("some-binary", "99", f"{row.package} ({version})")))])
            assert (row.id in [finding.id for finding in report.findings]) is there, (row.id, version)


def test_a_row_concerns_only_its_own_release_and_its_own_ecosystem():
    told = advisories(
        advisory("CVE-2024-0011", "Debian:11", "curl", {"introduced": "0"}, {"fixed": "9"}),
        advisory("CVE-2024-0012", "Debian:12", "curl", {"introduced": "0"}, {"fixed": "9"}),
        advisory("CVE-2024-0013", "Alpine:v3.18", "curl", {"introduced": "0"}, {"fixed": "9"}),
        advisory("CVE-2024-0014", "PyPI", "curl", {"introduced": "0"}, {"fixed": "9"}),
    )

    assert [one.id for one in scan([layer(*debian(("curl", "7")))], advisories=told).findings] == ["CVE-2024-0012"]
    assert [one.id for one in scan([layer(*alpine(("curl", "7-r0", "curl")))], advisories=told).findings] == [
        "CVE-2024-0013"
    ]


def test_a_fix_carried_back_into_an_older_version_is_a_fix():
    told = advisories(
        advisory("CVE-2023-0286", "Debian:12", "openssl", {"introduced": "0"}, {"fixed": "3.0.8-1~deb12u1"})
    )

    assert not scan([layer(*debian(("libssl3", "3.0.8-1~deb12u1", "openssl")))], advisories=told).findings
    assert scan([layer(*debian(("libssl3", "3.0.7-1", "openssl")))], advisories=told).findings


def test_a_source_package_is_one_finding_whatever_was_built_from_it():
    told = advisories(advisory("CVE-2024-0001", "Debian:12", "glibc", {"introduced": "0"}, {"fixed": "2.37"}))
    base = layer(*debian(("libc6", "2.36", "glibc")))
    more = layer(*debian(("libc-bin", "2.36", "glibc"), ("libc6", "2.36", "glibc")))

    (finding,) = scan([base, more], advisories=told).findings

    assert (finding.package, finding.version, finding.fixed_version) == ("glibc", "2.36", "2.37")
    assert sorted(package.name for package in finding.packages) == ["libc-bin", "libc6"]
    assert (finding.layer_index, finding.layer_digest) == (0, base.digest)


def test_records_of_one_cve_are_one_finding_with_the_most_that_is_known():
    told = advisories(
        advisory("PYSEC-1", "PyPI", "flask", {"introduced": "0"}, {"fixed": "1.1"}, aliases=["CVE-2024-0001"]),
        advisory(
            "GHSA-1", "PyPI", "Flask", {"introduced": "0"}, {"fixed": "1.2"}, aliases=["CVE-2024-0001"],
            database_specific={"severity": "HIGH"},
        ),
        advisory("CVE-1", "Debian:12", "base", {"introduced": "0"}, {"fixed": "0"}),
    )  # fmt: skip
    image = layer(*debian(("base", "1")), file("flask-1.0.dist-info/METADATA", metadata("Flask", "1.0")))

    (finding,) = scan([image], advisories=told).findings

    assert (finding.id, finding.aliases, finding.severity) == ("CVE-2024-0001", ("GHSA-1", "PYSEC-1"), "HIGH")
    assert (finding.package, finding.fixed_version) == ("flask", "1.2")


def test_an_advisory_is_known_from_its_publication_on_and_an_undated_one_always():
    told = advisories(
        advisory("CVE-2024-0001", "Debian:12", "p", {"introduced": "0"}, published="2024-06-01T00:00:00Z"),
        advisory("CVE-2024-0002", "Debian:12", "p", {"introduced": "0"}),
    )
    image = [layer(*debian(("p", "1")))]

    def known(now):
        return [finding.id for finding in scan(image, advisories=told, now=now).findings]

    assert known(datetime(2024, 5, 31, tzinfo=UTC)) == ["CVE-2024-0002"]
    assert known(datetime(2024, 6, 1, tzinfo=UTC)) == known(None) == ["CVE-2024-0001", "CVE-2024-0002"]


def test_an_advisory_that_cannot_be_evaluated_is_set_apart():
    told = advisories(
        advisory("CVE-2024-0001", "Debian:12", "p", {"fixed": "1"}),
        advisory("CVE-2024-0002", "Debian:12", "q", {"introduced": "0"}, {"fixed": "2"}),
    )

    report = scan([layer(*debian(("p", "1"), ("q", "not a version")))], advisories=told)

    assert not report.findings
    assert [(one.id, one.package) for one in report.unresolved] == [("CVE-2024-0001", "p"), ("CVE-2024-0002", "q")]


def test_findings_come_worst_first():
    told = advisories(
        *(
            advisory(f"CVE-2024-000{n}", "Debian:12", "p", {"introduced": "0"}, database_specific={"severity": word})
            for n, word in enumerate(["low", "critical", "", "high"])
        )
    )

    report = scan([layer(*debian(("p", "1")))], advisories=told)

    assert [one.severity for one in report.findings] == ["CRITICAL", "HIGH", "LOW", "UNDEFINED"]
    assert report.severity_counts == {"CRITICAL": 1, "HIGH": 1, "LOW": 1, "UNDEFINED": 1}


def test_a_security_update_with_a_tilde_is_not_older_than_its_own_fix():
    # DSA-5123-1: the fix for Debian 11 sorts before 5.2.5-2.1, the version of unstable that has it too.
    def found(version):
        release = 'ID=debian\nVERSION_ID="11"\n'
        image = [layer(*debian(("liblzma5", version, "xz-utils"), release=release))]
        return "CVE-2022-1271" in [finding.id for finding in scan(image).findings]

    assert found("5.2.5-2")
    assert not found("5.2.5-2.1~deb11u1")
