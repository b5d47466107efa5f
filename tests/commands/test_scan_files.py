"""`python3 -m ecrlab scan` on images in files: what it prints, and the exit status that gates a release."""

import argparse
import io
import json

import pytest
from rich.console import Console

import ecrlab.commands.scan
from ecrlab import scanning
from ecrlab.scanning.errors import TargetError
from ecrlab.scanning.table import print_report
from tests.scanning.making import advisories, advisory, debian, file, layer, metadata, oci_layout, stored

# Facts of the kit's own set: fixed in 3.0.8-1~deb12u1 or before (Debian 12), and in Jinja2 2.11.3.
OLD = layer(*debian(("libexpat1", "2.5.0-1", "expat")))
JINJA = file("srv/a.dist-info/METADATA", metadata("Jinja2", "2.10"))


@pytest.fixture
def scan(capsys, monkeypatch, tmp_path):
    """Run the command as a shell would: exit code, standard output, standard error."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*words):
        parser = argparse.ArgumentParser()
        ecrlab.commands.scan.configure(parser)
        code = ecrlab.commands.scan.run(parser.parse_args([str(word) for word in words]))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def image(tmp_path):
    return oci_layout(tmp_path / "image", [OLD, layer(JINJA)])


@pytest.fixture
def part_read(tmp_path):
    """An image with a gem, which the scanner does not read."""
    return oci_layout(tmp_path / "part-read", [OLD, layer(JINJA, file("usr/x/specifications/r.gemspec"))])


def own(tmp_path, *records):
    (tmp_path / "osv.json").write_text(json.dumps(list(records)))
    return tmp_path / "osv.json"


HIGH = {"database_specific": {"severity": "HIGH"}}
ONE = advisory("CVE-2024-0001", "Debian:12", "expat", {"introduced": "0"}, {"fixed": "2.6"}, aliases=["X-1"], **HIGH)


def test_the_json_has_the_documented_keys(scan, part_read, tmp_path):
    code, out, _ = scan(part_read, "--output", "json", "--advisories", own(tmp_path, ONE))

    report = json.loads(out)
    assert code == 2
    assert list(report) == [
        "schema", "status", "reason", "os", "packages", "findings", "ignored", "unresolved", "not_inventoried",
        "advisories", "notes",
    ]  # fmt: skip
    assert report["os"] == {"id": "debian", "version_id": "12"}
    assert report["packages"][0] == {
        "name": "Jinja2",
        "version": "2.10",
        "ecosystem": "PyPI",
        "source_name": "jinja2",
        "source_version": "2.10",
        "purl": "pkg:pypi/jinja2@2.10",
        "path": "srv/a.dist-info/METADATA",
        "layer_index": 1,
        "layer_digest": report["packages"][0]["layer_digest"],
    }
    assert report["packages"][1]["layer_digest"] == OLD.digest
    assert report["findings"] == [
        {
            "id": "CVE-2024-0001",
            "aliases": ["X-1"],
            "package": "expat",
            "version": "2.5.0-1",
            "fixed_version": "2.6",
            "severity": "HIGH",
            "score": None,
            "layer_index": 0,
        }
    ]
    assert report["not_inventoried"][0]["kind"] == "gem"
    assert report["advisories"]["records"] == 1


def test_the_kits_own_advisories_are_the_default_and_their_date_is_shown(scan, image):
    code, out, _ = scan(image)

    assert code == 0
    assert "CVE-2020-28493" in out  # Jinja2 before 2.11.3
    assert scanning.embedded().date in out
    assert "libexpat1" not in out


@pytest.mark.parametrize("gate", [[], ["--fail-on", "CRITICAL"]])
def test_what_was_not_read_is_named_and_never_clean(scan, part_read, gate):
    code, out, err = scan(part_read, *gate)

    assert code == 2
    assert "Present, not inventoried (gem): usr/x/specifications/r.gemspec" in out
    assert err == "ecrlab scan: the scan is incomplete: gem\n"
    assert scan(part_read, "--fail-on", "LOW")[0] == 1


def test_a_file_or_a_pipe_gets_no_colours_whatever_is_forced(scan, image, tmp_path, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")

    _, out, _ = scan(image, "--advisories", own(tmp_path, ONE))

    assert "CVE-2024-0001" in out
    assert "\x1b" not in out


def test_advisories_without_a_date_are_said_by_name_and_number(scan, image, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    _, out, _ = scan(image, "--advisories", own(tmp_path, ONE).name)

    assert "Judged by osv.json, 1 record." in out


def test_inventory_prints_every_package(scan, image):
    assert "libexpat1" in scan(image, "--inventory")[1]


@pytest.mark.parametrize(("threshold", "code"), [("CRITICAL", 0), ("high", 1), ("LOW", 1), ("UNDEFINED", 1)])
def test_findings_at_or_above_the_threshold_fail_the_gate(scan, image, tmp_path, threshold, code):
    assert scan(image, "--advisories", own(tmp_path, ONE), "--fail-on", threshold)[0] == code


def test_an_exception_opens_the_gate_until_it_expires(scan, image, tmp_path):
    (tmp_path / "allow").write_text(
        "# accepted\n\nx-1 expat until 2026-06-30 # the fix comes in July\nCVE-1 until 2020-01-01\n"
    )
    words = [
        image,
        "--advisories",
        own(tmp_path, ONE),
        "--fail-on",
        "HIGH",
        "--ignore",
        tmp_path / "allow",
        "--output",
        "json",
    ]

    code, out, _ = scan(*words, "--as-of", "2026-06-30")
    report = json.loads(out)
    assert (code, report["findings"], [one["id"] for one in report["ignored"]]) == (0, [], ["CVE-2024-0001"])

    code, out, _ = scan(*words, "--as-of", "2026-07-01")
    assert code == 1
    assert json.loads(out)["notes"] == ["The exception for x-1 expired on 2026-06-30."]


@pytest.mark.parametrize("line", ["CVE-1 until tomorrow", "CVE-1 a b c", "CVE-1 p until 2026-13-01", "CVE-1 until"])
def test_an_allow_list_that_makes_no_sense_is_refused_with_its_line(scan, image, tmp_path, line):
    (tmp_path / "allow").write_text(f"# fine\n{line}\n")

    code, out, err = scan(image, "--ignore", tmp_path / "allow")

    assert (code, out) == (2, "")
    assert "line 2" in err


def test_as_of_a_day_later_advisories_are_not_known(scan, image, tmp_path):
    told = own(tmp_path, {**ONE, "published": "2026-03-01T00:00:00Z"})

    assert "CVE-2024-0001" not in scan(image, "--advisories", told, "--as-of", "2026-02-28")[1]
    assert "CVE-2024-0001" in scan(image, "--advisories", told, "--as-of", "2026-03-01")[1]


@pytest.mark.parametrize(
    ("layers", "status", "why"),
    [
        ([stored(OLD.open().read()[:-20], OLD.media_type)], "FAILED", "truncated"),
        ([layer(file("readme"))], "UNSUPPORTED_IMAGE", "no distribution"),
        (
            [layer(*debian(("p", "1"), release="ID=debian\nVERSION_ID=6"))],
            "UNSUPPORTED_IMAGE",
            "know nothing of Debian 6",
        ),
    ],
)
def test_an_image_that_cannot_be_judged_exits_2_with_the_reason(scan, tmp_path, layers, status, why):
    code, out, err = scan(oci_layout(tmp_path, layers), "--output", "json", "--fail-on", "LOW")

    report = json.loads(out)
    assert (code, report["status"]) == (2, status)
    assert why in report["reason"]
    assert why in err


def test_an_advisory_that_cannot_be_evaluated_is_never_clean(scan, image, tmp_path):
    broken = advisory("CVE-2024-0666", "Debian:12", "expat", {"fixed": "1"})
    other = advisory("CVE-2024-0002", "Debian:12", "other", {"introduced": "0"})

    code, out, _ = scan(image, "--advisories", own(tmp_path, broken, other))

    assert code == 2
    assert "CVE-2024-0666" in out


@pytest.mark.parametrize(
    "words",
    [["no/such/image"], ["x" * 5000], ["a\0b"], [".", "--advisories", "no/such.zip"], [".", "--ignore", "no/such"]],
)
def test_what_is_not_there_exits_2_without_a_report(scan, words):
    code, out, err = scan(*words)

    assert (code, out) == (2, "")
    assert err.startswith("ecrlab scan: ")


def test_an_image_of_a_running_lab_is_asked_of_the_lab(scan, monkeypatch):
    def lab_images(name, platform, endpoint):
        if name != "shop/app:1":
            raise TargetError(f"the lab has no image {name}")
        return [OLD]

    monkeypatch.setattr(ecrlab.commands.scan, "image_layers", lab_images)

    assert "Debian 12: 1 package," in scan("shop/app:1")[1]
    assert scan("shop/app:2")[0] == 2


ESCAPE = "\x1b[2J"


def test_nothing_from_an_image_commands_the_terminal(scan, tmp_path):
    hostile = [
        file("x.dist-info/METADATA", metadata(f"evil{ESCAPE}[red]", "1")),
        file("node_modules/g/package.json", json.dumps({"name": f"g{ESCAPE}", "version": f"1{ESCAPE}"})),
        file(f"app/{ESCAPE}.jar", "no jar"),
        file(f"app/{ESCAPE}.deps.json"),
    ]
    release = f"ID=debian\nVERSION_ID=12{ESCAPE}"
    image = oci_layout(tmp_path, [layer(*debian((f"p{ESCAPE}", "1"), release=release)), layer(*hostile)])
    told = own(tmp_path, advisory(f"X-1{ESCAPE}", "npm", f"g{ESCAPE}", {"introduced": "0"}))

    _, out, err = scan(image, "--inventory")
    _, judged, wrong = scan(image, "--advisories", told)

    assert "\x1b" not in out + err + judged + wrong
    assert "evil\\x1b[2J[red]" in out


def test_what_cannot_be_opened_does_not_command_the_terminal_either(scan, tmp_path):
    layout = oci_layout(tmp_path, [OLD], [layer(JINJA)], names=[f"a{ESCAPE}", "b\nc"])

    code, out, err = scan(layout)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "a\\x1b[2J" in err


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_an_id_stays_on_one_line_in_a_narrow_terminal(tmp_path, columns):
    ids = ["CVE-2024-123456789", "GHSA-jfh8-c2jp-5v3q"]
    records = [
        advisory(one, "Debian:12", "a-package-of-a-very-long-name", {"introduced": "0"}, {"fixed": "3.0.11-1~deb12u2"})
        for one in ids
    ]
    report = scanning.scan(
        [layer(*debian(("a-package-of-a-very-long-name", "3.0.11-1~deb12u1")))], advisories=advisories(*records)
    )
    console = Console(file=io.StringIO(), width=columns, force_terminal=True)

    print_report(report, console, inventory=True)

    shown = console.file.getvalue()
    assert all(one in shown for one in [*ids, "a-package-of-a-very-long-name"])


@pytest.mark.parametrize("platform", ["linux/arm64", "arm64", "linux/arm64/v8", "linux/arm", "windows/amd64"])
def test_an_image_of_another_platform_is_refused(scan, image, platform):
    code, out, err = scan(image, "--platform", platform)

    assert (code, out) == (2, "")
    assert "the image is for linux/amd64, not for " in err


@pytest.mark.parametrize("words", [[], ["--platform", "linux/amd64"], ["--platform", "x86_64"]])
def test_an_image_of_the_platform_asked_for_is_scanned(scan, image, words):
    assert scan(image, *words)[0] == 0


def test_a_platform_that_there_is_not_is_wrong_use(scan, image):
    assert scan(image, "--platform", "linux/z80")[0] == 2
