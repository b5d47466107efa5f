"""The whole scan, and what it makes of layers nobody should have pushed."""

import gzip
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.scanning import judge, scan, take_inventory
from tests.scanning.making import (
    GZIP,
    PLAIN,
    advisories,
    advisory,
    debian,
    file,
    hardlink,
    layer,
    metadata,
    names,
    stored,
    symlink,
    tar,
)

TAR = tar(
    *debian(("libssl3", "3.0.7-1", "openssl"), ("base", "1")),
    symlink("lib", "usr/lib"),
    file("app/a.dist-info/METADATA", metadata("flask", "1.0")),
    hardlink("app/b.dist-info/METADATA", "app/a.dist-info/METADATA"),
    file("app/.wh.gone"),
)


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, len(TAR) - 1), st.binary(min_size=1, max_size=40)), max_size=4),
    st.integers(0, len(TAR)),
    st.booleans(),
)
def test_whatever_is_in_a_layer_a_scan_ends_with_a_status(changes, kept, compress):
    data = bytearray(TAR)
    for at, noise in changes:
        data[at : at + len(noise)] = noise
    blob = bytes(data[: kept if kept % 3 == 0 else len(data)])

    report = scan([stored(gzip.compress(blob, 1) if compress else blob, GZIP if compress else PLAIN)])

    assert report.status in ("COMPLETE", "FAILED", "UNSUPPORTED_IMAGE")
    assert (report.reason is None) == (report.status == "COMPLETE")


@settings(max_examples=40)
@given(st.integers(0, 5), st.integers(min_value=1))
def test_a_truncated_layer_is_never_complete(layers_above, cut):
    blob = gzip.compress(TAR, 1)
    whole = layer(*debian(("base", "1")))

    layers = [stored(blob[: cut % len(blob)], GZIP), *[whole] * layers_above]

    assert scan(layers).status == "FAILED"


def test_an_image_that_could_not_be_read_has_no_findings_to_take_for_all():
    report = scan([layer(*debian(("libssl3", "3.0.7-1", "openssl"))), stored(b"\x1f\x8b broken", GZIP)])

    assert (report.status, report.packages, report.findings) == ("FAILED", (), ())


def test_an_image_is_read_once_and_judged_as_often_as_the_clock_moves():
    told = advisories(
        advisory("CVE-2024-0001", "Debian:12", "openssl", {"introduced": "0"}, published="2024-06-01T00:00:00Z")
    )
    inventory = take_inventory([stored(gzip.compress(TAR), GZIP)])

    before = judge(inventory, advisories=told, now=datetime(2024, 5, 1, tzinfo=UTC))
    after = judge(inventory, advisories=told, now=datetime(2024, 7, 1, tzinfo=UTC))

    assert names(before.packages) == ["flask 1.0", "libssl3 3.0.7-1", "base 1"]
    assert (len(before.findings), len(after.findings)) == (0, 1)


def test_a_release_that_the_advisories_know_nothing_of_is_unsupported_and_never_clean():
    of_another = advisories(advisory("CVE-2024-0001", "Debian:11", "p", {"introduced": "0"}))

    report = scan([layer(*debian(("p", "1")))], advisories=of_another)

    assert report.status == "UNSUPPORTED_IMAGE"
    assert "know nothing of Debian 12" in (report.reason or "")


def test_advisories_on_languages_alone_judge_those_and_say_so():
    of_python = advisories(advisory("CVE-2024-0001", "PyPI", "flask", {"introduced": "0"}))

    report = scan([stored(gzip.compress(TAR), GZIP)], advisories=of_python)

    assert (report.status, len(report.findings)) == ("COMPLETE", 1)
    assert "Only language packages were judged" in report.notes[0]


def test_a_set_whose_rows_on_a_release_are_withdrawn_still_knows_the_release():
    withdrawn = advisory("CVE-2024-0001", "Debian:12", "p", {"introduced": "0"}, withdrawn="2024-01-01T00:00:00Z")

    report = scan([layer(*debian(("p", "1")))], advisories=advisories(withdrawn))

    assert (report.status, report.findings) == ("COMPLETE", ())


@pytest.mark.parametrize(
    ("release", "now", "said"),
    [
        ('ID=debian\nVERSION_ID="12"', None, []),
        ('ID=debian\nVERSION_ID="11"', None, ["ECR itself still scans Debian 11, but calls it discontinued."]),
        ('ID=debian\nVERSION_ID="11"', datetime(2026, 1, 1, tzinfo=UTC), []),
        ('ID=debian\nVERSION_ID="11"', datetime(2027, 10, 1, tzinfo=UTC), ["ECR itself does not scan Debian 11."]),
        (
            'ID=debian\nVERSION_ID="7"',
            None,
            ["Debian 7 is not among the operating systems that ECR is documented to scan."],
        ),
    ],
)
def test_a_release_that_ecr_itself_has_given_up_is_said_to_be_so(release, now, said):
    told = advisories(
        *(advisory(f"X-{release}", f"Debian:{release}", "p", {"introduced": "0"}) for release in (7, 11, 12))
    )

    report = scan([layer(*debian(("q", "1"), release=release))], advisories=told, now=now)

    assert report.status == "COMPLETE"
    assert list(report.notes) == said


def test_language_packages_alone_are_judged_without_a_distribution():
    image = [layer(file("flask.dist-info/METADATA", metadata("flask", "0.1")))]

    assert (scan(image).status, scan(image).os) == ("COMPLETE", None)
    assert scan(image, languages=False).status == "UNSUPPORTED_IMAGE"


UNLISTED = "{} is not among the operating systems that ECR is documented to scan."


@pytest.mark.parametrize(
    ("name", "version", "said"),
    [
        *(
            (name, version, [])
            for name in ("rhel", "rocky", "almalinux", "ol")
            for version in ("8.9", "9.4", "10")
        ),
        *(
            (name, version, [])
            for name, version in [
                ("amzn", "2023"), ("sles", "15.7"), ("sles", "16.0"), ("photon", "4.0"), ("photon", "5.0"),
                ("azurelinux", "3.0"), ("fedora", "43"), ("fedora", "44"), ("minimos", "20260101"), ("echo", "2"),
            ]
        ),
        ("amzn", "2", ["ECR itself still scans Amazon Linux 2, but calls it discontinued."]),
        ("rhel", "7.9", [UNLISTED.format("Red Hat Enterprise Linux 7.9")]),
        ("arch", "", [UNLISTED.format("arch")]),
    ],
)  # fmt: skip
def test_what_is_said_of_ecr_is_true_of_what_is_not_judged_here_too(name, version, said):
    release = file("etc/os-release", f"ID={name}\nVERSION_ID={version}")
    image = [layer(release, file("var/lib/rpm/rpmdb.sqlite", "SQLite"))]

    report = scan(image)

    assert report.status == "UNSUPPORTED_IMAGE"
    assert [note for note in report.notes if "ECR" in note] == said


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("Amazon Linux release 2023.4.20240416 (Amazon Linux)", "Amazon Linux 2023.4.20240416"),
        ("Oracle Linux Server release 8.9", "Oracle Linux 8.9"),
        ("Rocky Linux release 9.3 (Blue Onyx)", "Rocky Linux 9.3"),
        ("AlmaLinux release 9.4 (Seafoam Ocelot)", "AlmaLinux 9.4"),
        ("Red Hat Enterprise Linux release 9.4 (Plow)", "Red Hat Enterprise Linux 9.4"),
        ("Fedora release 43 (Container Image)", "Fedora 43"),
    ],
)
def test_the_older_release_files_say_the_same(line, title):
    report = scan([layer(file("etc/redhat-release", line), file("var/lib/rpm/rpmdb.sqlite", "SQLite"))])

    assert report.os is not None
    assert (report.os.title, report.notes) == (title, ())
