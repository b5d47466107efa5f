"""The report on real repositories: what it says, what it asks for, and when it refuses."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import boto3
import pytest
from botocore.stub import Stubber

import ecrlab
from ecrlab.analysis.costs import prices, risks
from ecrlab.analysis.inventory import reading, running
from ecrlab.analysis.report import html_page
from ecrlab.analysis.report.json_document import as_json
from ecrlab.analysis.report.report import Report, as_text, for_people
from ecrlab.commands import account, cli, report
from ecrlab.lifecycle import parse
from ecrlab.machine.bootstrap import CHECKOUT
from tests.analysis.repositories import NOW, image, manifest, repository
from tests.lifecycle.builders import rule, text
from tests.simulator.client import Repository

KEEP_ONE = text(rule(1, keep=1))


@pytest.fixture
def lab():
    with ecrlab.start() as lab:
        yield lab


@pytest.fixture
def shop(lab):
    """Two repositories with a base in common; the older image of `my-app` would go where one is kept."""
    ecr = boto3.client("ecr")
    digests = {}
    for name in ("my-app", "other"):
        ecr.create_repository(repositoryName=name)
        pushes = Repository(ecr, name)
        digests[name, "v1"] = pushes.push(b"base" * 100, b"one", tag="v1", config=b'{"n": 1}')
        lab.clock.advance(days=40)
        digests[name, "v2"] = pushes.push(b"base" * 100, b"two", tag="v2", config=b'{"n": 2}')
    return digests


def ask(capsys, *arguments):
    status = cli.main(["report", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_it_says_age_size_and_cost_of_a_running_lab_by_the_labs_clock(lab, shop, capsys):
    status, out, err = ask(capsys, "--repository", "my-app")

    assert (status, err) == (0, "")
    assert out.startswith(
        "my-app: 2 images, 422 B stored (the sizes of its images add up to 822 B), under 0.01 USD a month"
    )
    assert "the oldest is of 80 days" in out
    assert "Compare them with your own bill" in out


def test_json_is_for_programs(lab, shop, capsys, tmp_path):
    (tmp_path / "policy.json").write_text(KEEP_ONE)

    status, out, _ = ask(
        capsys, "--repository", "my-app", "other", "--policy", tmp_path / "policy.json", "--output", "json"
    )
    told = json.loads(out)
    mine = told["repositories"][0]

    assert status == 0
    assert mine["bytes"] == {"least": 422, "most": 422}
    assert mine["sumOfImageSizes"] == 822
    assert mine["policy"]["rules"][0]["bytesFreed"] == {"least": 11, "most": 11}
    assert mine["policy"]["after"]["imageCount"] == 1
    assert sorted(one["bytesOfItsOwn"] for one in mine["images"]) == [11, 11]
    assert set(mine["projection"]) == {"no policy", "the policy"}
    assert told["together"] == {"bytes": {"least": 844, "most": 844}, "bytesIfMounted": {"least": 422, "most": 422}}
    assert told["prices"]["currency"] == "USD"


def test_an_image_that_runs_and_would_go_is_a_finding(lab, shop, capsys, tmp_path):
    (tmp_path / "policy.json").write_text(KEEP_ONE)
    (tmp_path / "running.txt").write_text(f"my-app@{shop['my-app', 'v1']}  # web\nmy-app:v9\n")

    status, out, err = ask(
        capsys,
        *("--repository", "my-app", "--policy", tmp_path / "policy.json"),
        *("--running", tmp_path / "running.txt"),
    )

    assert status == 1
    assert err == f"ecrlab report: it runs, but would go: my-app@{shop['my-app', 'v1']}\n"
    assert "At risk:" in out
    assert "my-app:v9 is said to run, but my-app does not have it" in out


def test_what_runs_and_stays_is_no_finding(lab, shop, capsys, tmp_path):
    (tmp_path / "policy.json").write_text(KEEP_ONE)
    (tmp_path / "running.txt").write_text("my-app:v2\nother:v1\n")

    status, _, err = ask(
        capsys,
        *("--repository", "my-app", "--policy", tmp_path / "policy.json"),
        *("--running", tmp_path / "running.txt"),
    )

    assert (status, err) == (0, "")


def test_it_asks_for_nothing_but_what_it_says_in_its_help(lab, shop, capsys):
    with lab.transcript() as said:
        ask(capsys, "--repository", "my-app", "other")

    asked = {f"ecr:{exchange.asked.rpartition('.')[2]}" for exchange in said.exchanges if exchange.asked}
    assert asked == set(reading.ACTIONS)
    assert all(action in report.__doc__ for action in reading.ACTIONS)


@pytest.mark.parametrize(
    ("option", "content", "said"),
    [
        ("--policy", "{" + " " * 100, "Could not map policyString into LifecyclePolicy"),
        ("--policy", '{"rules": []}' + " " * 100, "Lifecycle policy validation failure"),
        ("--running", "not a reference\n", "line 1: one image reference a line"),
        ("--prices", "{}", "archive is missing"),
        ("--prices", "money", "not JSON"),
        ("--prices", "\ufeff{}", "not JSON"),
        ("--prices", "[" * 100_000, "not JSON"),
        ("--prices", '{"archive": {"minimum_days": 1%s}}' % ("0" * 400), "archive.minimum_days: a number is needed"),
        ("--prices", '{"archive": {"minimum_days": 1%s}}' % ("0" * 5000), "not JSON"),
        ("--prices", '{"archive": {"minimum_days": 90}, "title": "\\ud800"}', "title: a text is needed"),
        ("--policy", "[" * 30_000, "Could not map policyString into LifecyclePolicy"),
        ("--running", "[" * 100_000, "begins as JSON, but is none"),
        ("--running", '{"image": "\\ud800"}', "JSON without an image"),
        ("--running", '{"image": 1%s}' % ("0" * 5000), "begins as JSON, but is none"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(lab, shop, capsys, tmp_path, option, content, said):
    (tmp_path / "file").write_text(content)

    status, out, err = ask(capsys, "--repository", "my-app", option, tmp_path / "file")

    assert (status, out) == (2, "")
    assert "file: " in err
    assert said in err


@pytest.mark.parametrize("option", ["--policy", "--running", "--prices"])
def test_a_file_that_is_not_there_is_named(lab, shop, capsys, option):
    status, _, err = ask(capsys, "--repository", "my-app", option, "nowhere")

    assert status == 2
    assert "nowhere: No such file" in err


def test_a_repository_that_is_not_there_is_answered_by_ecr(lab, capsys):
    status, out, err = ask(capsys, "--repository", "nowhere")

    assert (status, out) == (2, "")
    assert "The repository with name 'nowhere' does not exist in the registry with id '123456789012'" in err


def test_an_empty_repository_has_a_report(lab, capsys):
    boto3.client("ecr").create_repository(repositoryName="empty")

    for output in ("table", "json", "html"):
        status, out, _ = ask(capsys, "--repository", "empty", "--output", output)
        assert status == 0
        assert "nothing was ever pushed" in out


def test_it_runs_as_a_command_of_its_own(lab, shop):
    done = subprocess.run(
        [sys.executable, "-m", "ecrlab", "report", "--repository", "my-app", "--output", "json"],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        env=os.environ,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["repositories"][0]["takenAt"] == lab.clock.now().isoformat()


@pytest.fixture
def client():
    return boto3.client("ecr", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


@pytest.mark.parametrize("code", ["AccessDeniedException", "RepositoryNotFoundException"])
def test_what_aws_refuses_is_told_in_its_words(client, capsys, monkeypatch, code):
    monkeypatch.setattr(report.account, "connect", lambda options: client)
    with Stubber(client) as service:
        service.add_client_error("describe_images", code, "because")
        status, out, err = ask(capsys, "--repository", "my-app")

    assert (status, out) == (2, "")
    assert f"my-app: An error occurred ({code})" in err


@pytest.mark.parametrize(
    ("name", "value"),
    [("AWS_ENDPOINT_URL", "foo"), ("AWS_ENDPOINT_URL", "http://[::1"), ("AWS_MAX_ATTEMPTS", "many")],
)
def test_settings_that_boto3_cannot_use_are_trouble(capsys, monkeypatch, name, value):
    monkeypatch.delenv("ECRLAB_ENDPOINT", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv(name, value)

    status, out, err = ask(capsys, "--repository", "my-app")

    assert (status, out) == (2, "")
    assert err.startswith("ecrlab report: ") and err.count("\n") == 1


def test_a_name_that_no_repository_can_have_is_trouble_in_one_line(lab, capsys):
    status, out, err = ask(capsys, "--repository", "a")

    assert (status, out) == (2, "")
    assert "a: Parameter validation failed" in err and err.count("\n") == 1


def test_a_real_account_is_on_the_time_of_this_machine(client):
    assert abs(account.time_of(client) - datetime.now(UTC)) < timedelta(minutes=1)


# The page


class Page(HTMLParser):
    """What there is in a page: its elements with their attributes, and its text."""

    def __init__(self, text_):
        super().__init__()
        self.elements, self.words = [], []
        self.feed(text_)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(self.words)

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


HOSTILE = repository(
    image("sha256:" + "a" * 64, "v1", 40, size_in_bytes=9),
    image("sha256:" + "b" * 64, '<script>alert("v2")</script>', 1, size_in_bytes=9),
    layers={"sha256:" + "a" * 64: "l2", "sha256:" + "b" * 64: "l2 l3"},
)


def test_the_page_needs_nothing_from_outside_and_has_words_for_each_picture():
    report = Report(HOSTILE, prices.load(), parse(KEEP_ONE), [running.parse("my-app:v1")])
    page = Page(html_page.page([report]))

    assert not {"script", "link", "iframe", "object", "a"} & {tag for tag, _ in page.elements}
    assert len(page.of("img")) == 5
    assert all(one["src"].startswith("data:image/png;base64,") and len(one["alt"]) > 40 for one in page.of("img"))
    assert "default-src 'none'" in page.of("meta")[2]["content"]
    assert page.of("html") == [{"lang": "en"}]
    assert [tag for tag, _ in page.elements if tag in ("h1", "h2")] == ["h1", "h2", "h2"]
    assert len(page.of("caption")) == len(page.of("table")) >= 6
    text_ = "".join(page.words)
    assert '<script>alert("v2")</script>' in text_
    assert "1 image that runs would go." in text_
    assert "What there is to doubt" in text_


def test_the_same_report_is_the_same_page():
    def made():
        return html_page.page([Report(HOSTILE, prices.load(), parse(KEEP_ONE))])

    assert made() == made()


def test_unknown_bytes_are_unknown_on_every_output():
    dark = reading.snapshot("my-app", NOW, [image("sha256:" + "a" * 64, "v1", size_in_bytes=5000)], {})
    report = Report(dark, prices.load())

    assert "0 B to 5.0 kB stored" in next(as_text([report]))
    assert as_json([report])["repositories"][0]["bytes"] == {"least": 0, "most": 5000}
    assert as_json([report])["repositories"][0]["images"][0]["bytesOfItsOwn"] is None
    assert "<td>unknown</td>" in html_page.page([report])


@pytest.mark.parametrize(
    ("pulls", "words"),
    [
        ([None, None], ["never", "never"]),
        ([None, NOW - timedelta(days=2)], ["never", "2.0"]),
        ([NOW + timedelta(days=2), None], ["in the future", "never"]),
    ],
    ids=["nothing was pulled", "one was", "a clock is wrong"],
)
def test_what_has_no_number_has_a_word_in_text_and_page(pulls, words):
    digests = ["sha256:" + letter * 64 for letter in "ab"]
    images = [
        image(one, days=40, last_pulled_at=pull, size_in_bytes=7) for one, pull in zip(digests, pulls, strict=True)
    ]
    texts = {digests[0]: manifest(("sha256:l", 5))}
    policy = parse(text(rule(1, pushed=30)))
    report = Report(
        reading.snapshot("my-app", NOW, images, texts), prices.load(), policy, list(map(running.parse, digests))
    )
    page = html_page.page([report])
    said = "\n".join(as_text([report]))

    at_risk = for_people(risks.table(report.risks, report.snapshot), report.snapshot).set_index("digest")
    assert list(at_risk.loc[["a" * 12, "b" * 12], "pulled (days ago)"]) == words
    for word in words:
        assert word in said[said.index("At risk:") :]
        assert f"<td>{word}</td>" in page
    assert "<td>unknown</td>" in page
    assert not {"None", "NaN", "nan", "&lt;NA&gt;", "<NA>"} & set(re.findall(r"[\w&;<>]+", said + Page(page).text))
