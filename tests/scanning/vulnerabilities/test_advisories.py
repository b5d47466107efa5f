import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from ecrlab.scanning import embedded, load
from ecrlab.scanning.errors import AdvisoriesError
from ecrlab.scanning.vulnerabilities.severity import SEVERITIES
from tests.scanning.making import advisory

RECORD = advisory(
    "CVE-2024-0001", "PyPI", "flask", {"introduced": "0"}, {"fixed": "2.0"}, modified="2024-05-06T07:08:09Z"
)
OTHER = advisory("CVE-2024-0002", "npm", "lodash", {"introduced": "0"}, published="2024-01-02T00:00:00Z")


def test_the_kits_own_set_is_whole_dated_and_names_its_sources():
    kit = embedded()

    rows = list(kit)
    assert sum(len(row.intervals) for row in rows) == 1206
    assert kit.date == "2026-11-25"
    assert not [row for row in rows if row.broken]
    assert {row.severity for row in rows} <= set(SEVERITIES)
    assert kit.covers("Debian:12")
    assert kit.covers("Debian:7")
    assert not kit.covers("Debian:6")


def test_the_kits_set_is_osv_that_can_be_loaded_like_any_other(tmp_path):
    kit = files("ecrlab.scanning") / "data" / "advisories.jsonl"

    assert sorted(map(str, load(str(kit), tmp_path))) == sorted(map(str, embedded()))


@pytest.fixture(params=["file", "list", "lines", "folder", "zip"])
def osv(request, tmp_path):
    """The two records, in each form they may come in."""
    if request.param == "folder":
        (tmp_path / "osv" / "deep").mkdir(parents=True)
        (tmp_path / "osv" / "1.json").write_text(json.dumps(RECORD))
        (tmp_path / "osv" / "deep" / "2.json").write_text(json.dumps(OTHER))
        return tmp_path / "osv"
    if request.param == "zip":
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            archive.writestr("1.json", json.dumps(RECORD))
            archive.writestr("2.json", json.dumps(OTHER))
        return tmp_path / "all.zip"
    if request.param == "lines":
        (tmp_path / "osv.jsonl").write_text(f"{json.dumps(RECORD)}\n\n{json.dumps(OTHER)}\n")
        return tmp_path / "osv.jsonl"
    both = {**RECORD, "affected": [*RECORD["affected"], *OTHER["affected"]]}  # type: ignore[misc]
    records = [RECORD, OTHER] if request.param == "list" else both
    (tmp_path / "osv.json").write_text(json.dumps(records))
    return tmp_path / "osv.json"


def test_osv_is_read_in_every_form_it_comes_in(osv, tmp_path):
    loaded = load(osv, tmp_path / "cache")

    assert [row.id for row in loaded.about("PyPI", "flask")] == ["CVE-2024-0001"]
    assert loaded.about("npm", "lodash")
    assert not loaded.about("PyPI", "lodash")
    assert loaded.date == "2024-05-06"


def test_a_set_is_indexed_once_and_again_when_it_changes(tmp_path):
    source, cache = tmp_path / "osv.json", tmp_path / "cache"
    source.write_text(json.dumps(RECORD))

    load(source, cache)
    (index,) = cache.iterdir()
    made = index.stat().st_mtime_ns
    load(source, cache)
    assert [one.stat().st_mtime_ns for one in cache.iterdir()] == [made]

    source.write_text(json.dumps([RECORD, OTHER]))
    assert load(source, cache).about("npm", "lodash")
    assert len(list(cache.iterdir())) == 1


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "osv.json").write_text(json.dumps(RECORD))

    assert load(tmp_path / "osv.json", tmp_path / "file" / "cache").about("PyPI", "flask")


def test_a_damaged_index_is_made_anew(tmp_path):
    (tmp_path / "osv.json").write_text(json.dumps(RECORD))
    load(tmp_path / "osv.json", tmp_path / "cache")
    (index,) = (tmp_path / "cache").iterdir()
    index.write_bytes(b"no database")

    assert load(tmp_path / "osv.json", tmp_path / "cache").about("PyPI", "flask")


def test_what_was_indexed_comes_back_as_it_was(tmp_path):
    record = advisory("GHSA-1", "PyPI", "p", {"introduced": "1"}, {"last_affected": "2"}, aliases=["CVE-2024-0009"])
    record |= {
        "published": "2024-01-02T03:04:05Z",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"}],
    }
    (tmp_path / "osv.json").write_text(json.dumps(record))

    (row,) = load(tmp_path / "osv.json", tmp_path / "cache").about("PyPI", "p")

    assert (row.id, row.aliases, row.severity, row.score) == ("CVE-2024-0009", ("GHSA-1",), "INFORMATIONAL", 0.0)
    assert row.published == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert row.affects("2")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "nothing usable"),
        (b"{", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b'{"no": "id"}', "with an id"),
        (b"[1, 2]", "with an id"),
        (json.dumps(advisory("X-1", "Hackage", "p", {"introduced": "0"})).encode(), "no advisory on a package known"),
        (json.dumps(advisory("X-1", "PyPI", "p", {"fixed": "1"})).encode(), "advisory X-1: a range has no introduced"),
        (b"PK\x03\x04 no zip", "not JSON"),
    ],
)
def test_what_is_no_osv_is_refused_with_the_reason(tmp_path, content, why):
    (tmp_path / "osv.json").write_bytes(content)

    with pytest.raises(AdvisoriesError, match=why):
        load(tmp_path / "osv.json", tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*"))


def test_a_path_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(AdvisoriesError, match="No such file"):
        load(tmp_path / "missing.zip")


def test_two_scans_may_index_one_set_at_once(tmp_path):
    (tmp_path / "osv.json").write_text(json.dumps(RECORD))
    where = (str(tmp_path / "osv.json"), str(tmp_path / "cache"))
    program = f"from ecrlab.scanning import load; from pathlib import Path; osv, cache = {where}; " + (
        "print(load(osv, Path(cache)).records)"
    )

    running = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) for _ in range(2)]

    assert [one.communicate()[0].strip() for one in running] == [b"1", b"1"]
