"""The report on real repositories: what it says, what it asks for, and when it refuses."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import boto3
import pytest
from botocore.stub import Stubber

import ecrlab
from ecrlab.analysis.costs import prices, storage
from ecrlab.analysis.inventory import reading
from ecrlab.analysis.inventory.running import parse as reference
from ecrlab.analysis.report import html_page
from ecrlab.analysis.report.report import Report, as_json, as_text
from ecrlab.commands import cli, report
from ecrlab.lifecycle import parse
from ecrlab.machine.bootstrap import CHECKOUT
from tests.analysis.repositories import NOW, image, repository
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


# A real account, with the answers of the service put in its mouth


@pytest.fixture
def client():
    return boto3.client("ecr", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


def manifest(*layers, **more):
    blobs = [{"mediaType": "x/y", "digest": digest, "size": size} for digest, size in layers]
    return json.dumps({"config": {"mediaType": "x/y", "digest": "sha256:c", "size": 7}, "layers": blobs} | more)


def details(digest, **facts):
    return {"imageDigest": digest, "imagePushedAt": NOW - timedelta(days=9), "imageSizeInBytes": 100} | facts


def given(digest, text_):
    return {"imageId": {"imageDigest": digest}, "imageManifest": text_}


def read_with(client, pages, images, failures=()):
    with Stubber(client) as service:
        for number, page in enumerate(pages, 1):
            more = {"nextToken": "more"} if number < len(pages) else {}
            service.add_response("describe_images", {"imageDetails": page} | more)
        service.add_response("batch_get_image", {"images": images, "failures": list(failures)})
        snapshot = reading.read(client, "my-app", at=NOW)
        service.assert_no_pending_responses()
    return snapshot


def test_all_that_cannot_be_read_is_unknown_with_its_reason(client):
    foreign = manifest(("sha256:f", 3)).replace('"x/y"', '"application/vnd.docker.image.rootfs.foreign.diff.tar"')
    pages = [
        [details("sha256:good"), details("sha256:archived", imageStatus="ARCHIVED"), details("sha256:lost")],
        [details("sha256:odd"), details("sha256:v1"), details("sha256:foreign"), details("sha256:index")],
    ]
    images = [
        given("sha256:good", manifest(("sha256:l", 50), ("sha256:l", 50), ("sha256:zero", 0))),
        given("sha256:odd", "not JSON"),
        given("sha256:v1", json.dumps({"schemaVersion": 1, "fsLayers": [{"blobSum": "sha256:l"}]})),
        given("sha256:foreign", foreign),
        given("sha256:index", json.dumps({"manifests": [{"digest": "sha256:good"}, {"digest": "sha256:gone"}]})),
    ]
    failures = [{"imageId": {"imageDigest": "sha256:lost"}, "failureCode": "ImageInaccessible", "failureReason": ""}]

    snapshot = read_with(client, pages, images, failures)
    told = "\n".join(Report(snapshot, prices.load()).doubts)

    assert storage.stored(snapshot).least == 57
    assert storage.stored(snapshot).most == 57 + 5 * 100
    assert snapshot.layers["sha256:index"] == ()
    assert snapshot.unread["sha256:lost"] == "ECR gives no manifest of them (ImageInaccessible)"
    assert snapshot.unread["sha256:archived"] == reading.ARCHIVED
    assert snapshot.unread["sha256:odd"] == snapshot.unread["sha256:v1"] == reading.MALFORMED
    assert snapshot.unread["sha256:foreign"] == reading.FOREIGN
    assert "indexes list 1 image that the repository does not hold" in told


@pytest.mark.parametrize(
    "blob",
    [
        {"digest": "sha256:l", "size": -1},
        {"digest": "sha256:l", "size": 2**63},
        {"digest": "sha256:l", "size": True},
        {"digest": "sha256:l", "size": "5"},
        {"digest": "sha256:l"},
        {"size": 5},
        None,
        [],
    ],
)
def test_a_layer_without_a_size_that_can_be_makes_its_image_unknown(blob):
    body = json.dumps({"config": {"digest": "sha256:c", "size": 7}, "layers": [blob]})

    snapshot = reading.snapshot("my-app", NOW, [image("sha256:a", size_in_bytes=9)], {"sha256:a": body})

    assert snapshot.unread == {"sha256:a": reading.MALFORMED}


def test_one_manifest_may_not_contradict_itself_about_a_layer():
    body = manifest(("sha256:l", 5), ("sha256:l", 6))

    snapshot = reading.snapshot("my-app", NOW, [image("sha256:a", size_in_bytes=9)], {"sha256:a": body})

    assert snapshot.unread == {"sha256:a": reading.CONTRADICTORY}


def test_an_older_botocore_is_not_asked_for_what_it_does_not_know(client, monkeypatch):
    model = client.meta.service_model.operation_model("DescribeImages").input_shape.members["filter"]
    monkeypatch.delitem(model.members, "imageStatus")
    with Stubber(client) as service:
        service.add_response("describe_images", {"imageDetails": []}, {"repositoryName": "my-app"})

        assert len(reading.read(client, "my-app", at=NOW)) == 0


def test_manifests_come_a_hundred_at_a_time(client):
    digests = [f"sha256:{n:064x}" for n in range(101)]
    with Stubber(client) as service:
        service.add_response("describe_images", {"imageDetails": [details(digest) for digest in digests]})
        for some in (digests[:100], digests[100:]):
            wanted = {
                "repositoryName": "my-app",
                "imageIds": [{"imageDigest": digest} for digest in some],
                "acceptedMediaTypes": list(reading.MEDIA_TYPES),
            }
            images = [given(digest, manifest((f"l{digest}", 1))) for digest in some]
            service.add_response("batch_get_image", {"images": images, "failures": []}, wanted)

        assert storage.stored(reading.read(client, "my-app", at=NOW)).least == 7 + 101


@pytest.mark.parametrize("code", ["AccessDeniedException", "RepositoryNotFoundException"])
def test_what_aws_refuses_is_told_in_its_words(client, capsys, monkeypatch, code):
    monkeypatch.setattr(report.account, "connect", lambda options: client)
    with Stubber(client) as service:
        service.add_client_error("describe_images", code, "because")
        status, out, err = ask(capsys, "--repository", "my-app")

    assert (status, out) == (2, "")
    assert f"my-app: An error occurred ({code})" in err


def test_a_real_account_is_on_the_time_of_this_machine(client):
    assert abs(report.now(client) - datetime.now(UTC)) < timedelta(minutes=1)


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

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


HOSTILE = repository(
    image("sha256:" + "a" * 64, "v1", 40, size_in_bytes=9),
    image("sha256:" + "b" * 64, '<script>alert("v2")</script>', 1, size_in_bytes=9),
    layers={"sha256:" + "a" * 64: "l2", "sha256:" + "b" * 64: "l2 l3"},
)


def test_the_page_needs_nothing_from_outside_and_has_words_for_each_picture():
    report = Report(HOSTILE, prices.load(), parse(KEEP_ONE), [reference("my-app:v1")])
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
