"""The lifecycle command as people and pipelines use it: files in, text or JSON out, an exit status."""

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecrlab.commands import cli
from ecrlab.commands.lifecycle import configure, run
from ecrlab.lifecycle import aws
from tests.lifecycle.builders import NOW, rule, text

type_ = "application/vnd.oci.image.index.v1+json"
AT = ("--at", "2026-09-01T09:00:00Z")


def digest(letter: str) -> str:
    return f"sha256:{letter * 64}"


def detail(letter: str, tags: list[str], days: float, **facts: Any) -> dict[str, Any]:
    pushed = (NOW - timedelta(days=days)).isoformat()
    return {"imageDigest": digest(letter), "imageTags": tags, "imagePushedAt": pushed} | facts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a policy, its successor, images and manifests."""
    images = [
        detail("a", ["v1"], 9),
        detail("b", ["v2"], 8, imageManifestMediaType=type_),
        detail("c", [], 8),
        detail("d", [], 3),
    ]
    index = {
        "imageId": {"imageDigest": digest("b")},
        "imageManifest": json.dumps({"manifests": [{"digest": digest("c")}]}),
    }
    (tmp_path / "policy.json").write_text(text(rule(1, ["v*"], keep=1), rule(2, status="untagged", pushed=2)))
    (tmp_path / "new.json").write_text(text(rule(1, ["v*"], keep=2), rule(2, status="untagged", pushed=3)))
    (tmp_path / "images.json").write_text(json.dumps({"imageDetails": images}))
    (tmp_path / "manifests.json").write_text(json.dumps({"images": [index], "failures": []}))
    return tmp_path


Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command line in the folder; the exit status, output and complaints."""
    monkeypatch.chdir(folder)

    def calling(*words: str) -> tuple[int, str, str]:
        parser = argparse.ArgumentParser(prog="ecrlab lifecycle")
        configure(parser)
        status = run(parser.parse_args(words))
        return (status, *capsys.readouterr())

    return calling


IMAGES = ("--images", "images.json", "--manifests", "manifests.json", *AT)
PREVIEW = ("preview", "--policy", "policy.json", *IMAGES)


def test_a_preview_lists_what_goes(call: Call) -> None:
    status, out, err = call(*PREVIEW)

    assert (status, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert rows[1][:2] + rows[1][-2:] == ["expire", "1", "sha256:aaaaaaaaaaaa", "v1"]
    assert rows[2][:2] + rows[2][-2:] == ["expire", "2", "sha256:dddddddddddd", "(untagged)"]
    assert out.endswith("4 images: 2 would expire, 2 would stay.\n")


def test_a_preview_explains_every_image_when_asked(call: Call) -> None:
    _, out, _ = call(*PREVIEW, "--explain")

    assert "    Kept, for the index sha256:bbbbbbbbbbbb lists it" in out
    assert out.count("    Kept") == 2
    assert out.count("    Expired") == 2


def test_a_preview_in_json_has_the_shape_of_aws(call: Call) -> None:
    status, out, _ = call(*PREVIEW, "--output", "json")

    told = json.loads(out)
    assert status == 0
    assert told["previewResults"][0] == {
        "imageTags": ["v1"],
        "imageDigest": digest("a"),
        "imagePushedAt": "2026-08-23T09:00:00+00:00",
        "action": {"type": "EXPIRE"},
        "appliedRulePriority": 1,
        "storageClass": "STANDARD",
    }
    assert told["summary"] == {"expiringImageTotalCount": 2}
    assert [kept["imageDigest"] for kept in told["kept"]] == [digest("b"), digest("c")]
    assert told["kept"][0]["imageTags"] == ["v2"]
    assert told["kept"][0]["reason"].startswith("Kept by rule 1 (tagged v*: keep the newest 1)")


def test_an_archiving_policy_counts_transitions_as_aws_does(call: Call, folder: Path) -> None:
    (folder / "policy.json").write_text(text(rule(1, pushed=5, archive=True)))

    told = json.loads(call(*PREVIEW, "--output", "json", "--explain")[1])

    assert told["previewResults"][0]["action"] == {"type": "TRANSITION", "targetStorageClass": "ARCHIVE"}
    assert told["summary"] == {
        "expiringImageTotalCount": 0,
        "transitioningImageTotalCounts": [{"targetStorageClass": "ARCHIVE", "imageTotalCount": 2}],
    }
    assert told["previewResults"][0]["reason"].startswith("Archived by rule 1")


def test_without_manifests_an_index_is_a_reason_to_warn(call: Call) -> None:
    status, out, err = call("preview", "--policy", "policy.json", "--images", "images.json", *AT)

    assert status == 0
    assert "3 would expire" in out
    assert "add --manifests" in err


def test_epoch_dates_of_cli_version_1_give_the_same_answer(call: Call, folder: Path) -> None:
    expected = call(*PREVIEW, "--explain")
    answer = json.loads((folder / "images.json").read_text())
    for entry in answer["imageDetails"]:
        entry["imagePushedAt"] = datetime.fromisoformat(entry["imagePushedAt"]).timestamp()
    (folder / "images.json").write_text(json.dumps(answer))

    assert call(*PREVIEW, "--explain") == expected


def test_a_protected_image_that_would_go_is_a_finding(call: Call, folder: Path) -> None:
    (folder / "protect").write_text(
        f"# in use\n\nregistry/shop@{digest('a')}  # production\n{digest('b')}\n{digest('e')}\n"
    )

    status, out, err = call(*PREVIEW, "--protect", "protect")

    assert status == 1
    assert f"PROTECTED, BUT WOULD GO: {digest('a')}" in out
    assert digest("b") not in out
    assert f"{digest('e')} is to be protected, but is not among the images" in err
    assert json.loads(call(*PREVIEW, "--protect", "protect", "--output", "json")[1])["protectedImagesGoing"] == [
        digest("a")
    ]


def test_a_protected_part_of_an_index_goes_in_the_run_after_it(call: Call, folder: Path) -> None:
    (folder / "policy.json").write_text(text(rule(1, pushed=5)))
    (folder / "protect").write_text(digest("c"))

    for words in (PREVIEW, ("diff", "new.json", "policy.json", *IMAGES)):
        status, out, _ = call(*words, "--protect", "protect", "--explain")

        assert status == 1
        assert f"PROTECTED, BUT WOULD GO: {digest('c')} (in the run after its index)" in out
    _, out, _ = call(*PREVIEW, "--explain")
    assert "Kept for this run, for the index sha256:bbbbbbbbbbbb lists it and goes in this very run" in out
    assert "rule 1 marks it, and may act in the next run." in out


def test_a_diff_counts_what_an_edit_newly_deletes(call: Call, folder: Path) -> None:
    status, out, _ = call("diff", "new.json", "policy.json", *IMAGES, "--explain")

    assert status == 0
    assert "keep -> expire (rule 1)" in out
    assert "This edit newly deletes 2 images, newly keeps 0, and takes 0 otherwise, of 4 images." in out
    (folder / "protect").write_text(digest("d"))
    assert call("diff", "new.json", "policy.json", *IMAGES, "--protect", "protect")[0] == 1
    assert call("diff", "policy.json", "new.json", *IMAGES, "--protect", "protect")[0] == 0


def test_a_diff_in_json_tells_old_and_new(call: Call) -> None:
    told = json.loads(call("diff", "policy.json", "new.json", *IMAGES, "--output", "json", "--explain")[1])

    assert [change["imageDigest"] for change in told["newlyKept"]] == [digest("a"), digest("d")]
    assert told["newlyKept"][0]["old"] == {"action": {"type": "EXPIRE"}, "appliedRulePriority": 1}
    assert told["newlyKept"][0]["new"] == {"action": None, "appliedRulePriority": None}
    assert told["newlyKept"][0]["reason"].startswith("Kept by rule 1")
    assert (told["newlyGoing"], told["summary"]["new"]) == ([], {"expiringImageTotalCount": 0})


def test_lint_fails_on_errors_only(call: Call, folder: Path) -> None:
    status, out, _ = call("lint", "policy.json")
    assert (status, out.splitlines()[-1]) == (0, "The policy is valid: 0 errors, 1 warning, 1 note.")

    (folder / "policy.json").write_text(text(rule(1, ["a*", "b*"], keep=1)))
    status, out, _ = call("lint", "policy.json", "--output", "json")
    assert status == 1
    assert json.loads(out)["findings"][0]["code"] == "all-of-a-list"
    assert json.loads(out)["findings"][0]["rulePriority"] == 1


def test_the_command_is_one_of_the_kit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["lifecycle", "lint", str(folder / "policy.json")]) == 0
    assert "The policy is valid" in capsys.readouterr().out
    assert cli.main(["lifecycle", "lint", str(folder / "images.json")]) == 2


def test_lint_looks_at_images_if_it_gets_some(call: Call, folder: Path) -> None:
    (folder / "policy.json").write_text(text(rule(1, pushed=1)))

    assert "releases-go" not in call("lint", "policy.json")[1]
    answer = json.dumps({"imageDetails": [detail("a", ["v1.0"], 9)]})
    (folder / "images.json").write_text(answer)
    status, out, _ = call("lint", "policy.json", "--images", "images.json", *AT)
    assert (status, "releases-go" in out) == (1, True)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("not JSON".ljust(100), "policy.json: line 1 column 1: Invalid parameter at 'LifecyclePolicyText'"),
        ("x" * 50_000_000, "policy.json: Invalid parameter at 'LifecyclePolicyText'"),
        (text(rule(1, keep=1, color=1)), "policy.json: rules[0].selection: Invalid parameter"),
        (text(rule(1, keep=0)), "policy.json: rules[0].selection.countNumber: Invalid parameter"),
        ("[" * 30_000, "policy.json: objects or arrays are nested too deeply: more than 100 levels: Invalid parameter"),
    ],
)
@pytest.mark.parametrize("words", [("lint", "policy.json"), PREVIEW, ("diff", "new.json", "policy.json", *IMAGES)])
def test_a_policy_that_aws_would_refuse_is_named_with_its_place(
    call: Call, folder: Path, content: str, says: str, words: tuple[str, ...]
) -> None:
    (folder / "policy.json").write_text(content)

    status, out, err = call(*words)

    assert (status, out) == (2, "")
    assert says in err
    assert len(err) < 500


def test_lint_in_json_tells_that_a_policy_is_not_valid(call: Call, folder: Path) -> None:
    (folder / "policy.json").write_text(text(rule(1, keep=0)))

    status, out, _ = call("lint", "policy.json", "--output", "json")

    assert (status, json.loads(out)["valid"]) == (2, False)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("images.json", b"{", "images.json: line 1 column 2: not JSON"),
        ("images.json", b"\xff", "images.json: byte 0: not text in UTF-8"),
        ("images.json", b'{"imageDetails": [{"imageDigest": "a"}]}', "imageDetails[0].imagePushedAt: an image needs"),
        ("manifests.json", b'{"images": [{}]}', "manifests.json: images[0]: an image needs an imageId"),
        ("protect", b"latest\n", 'protect: line 1: one digest a line, got "latest"'),
        ("policy.json", None, "policy.json: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_place(
    call: Call, folder: Path, name: str, content: bytes | None, says: str
) -> None:
    (folder / "protect").write_text("")
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)

    status, out, err = call(*PREVIEW, "--protect", "protect")

    assert (status, out) == (2, "")
    assert says in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--images", "images.json", "--at", "2026-09-01T09:00"), "--at: a date needs a time zone"),
        (("--images", "images.json", "--compare-with-aws"), "--compare-with-aws needs --repository"),
        (("--repository", "shop", "--manifests", "manifests.json"), "--manifests goes with --images"),
    ],
)
def test_options_that_do_not_go_together_are_refused(call: Call, words: tuple[str, ...], says: str) -> None:
    status, out, err = call("preview", "--policy", "policy.json", *words)

    assert (status, out) == (2, "")
    assert says in err


# With a repository in an account


class Stub:
    """A boto3 ECR client that knows one repository, and has a preview of its own opinion."""

    def __init__(self, details: list[dict[str, Any]], results: list[dict[str, Any]]) -> None:
        self.pages = {
            "describe_images": {"imageDetails": details},
            "get_lifecycle_policy_preview": {"previewResults": results},
        }
        self.started: list[dict[str, Any]] = []
        self.meta = argparse.Namespace(endpoint_url="https://api.ecr.eu-west-1.amazonaws.com")

    def get_paginator(self, operation: str) -> Any:
        page = self.pages[operation]
        return argparse.Namespace(paginate=lambda **_: iter([page]))

    def start_lifecycle_policy_preview(self, **arguments: Any) -> None:
        self.started.append(arguments)

    def get_waiter(self, name: str) -> Any:
        assert name == "lifecycle_policy_preview_complete"
        return argparse.Namespace(wait=lambda **_: None)


def result(letter: str, priority: int) -> dict[str, Any]:
    return {"imageDigest": digest(letter), "action": {"type": "EXPIRE"}, "appliedRulePriority": priority}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stub]:
    """Put a stub in the place of the account; images are dated from the real present, which AWS's preview needs."""

    def placing(*results: dict[str, Any]) -> Stub:
        present = datetime.now(UTC) - NOW
        facts = [("a", ["v1"], 9.0), ("b", ["v2"], 8.0), ("c", [], 2.5), ("d", [], 30.0)]
        details = [detail(*fact) for fact in facts]
        for each in details:
            each["imagePushedAt"] = datetime.fromisoformat(each["imagePushedAt"]) + present
        stub = Stub(details, list(results))
        monkeypatch.delenv("ECRLAB_ENDPOINT")  # a terminal of the user's own
        monkeypatch.setattr(aws, "connect", lambda profile, region: {("prod", "eu-west-1"): stub}[profile, region])
        return stub

    return placing


REPOSITORY = ("--repository", "shop", "--profile", "prod", "--region", "eu-west-1")
COMPARE = ("preview", "--policy", "policy.json", *REPOSITORY, "--compare-with-aws")


def test_a_repository_of_the_account_is_read_and_agrees(call: Call, account: Callable[..., Stub], folder: Path) -> None:
    stub = account(result("a", 1), result("c", 2), result("d", 2))

    status, out, _ = call(*COMPARE)

    assert status == 0
    assert "AWS's preview: 0 disagreements." in out
    assert stub.started == [{"repositoryName": "shop", "lifecyclePolicyText": (folder / "policy.json").read_text()}]


def test_without_comparison_nothing_is_started(call: Call, account: Callable[..., Stub]) -> None:
    stub = account()

    assert call("preview", "--policy", "policy.json", *REPOSITORY)[0] == 0
    assert call("diff", "policy.json", "new.json", *REPOSITORY)[0] == 0
    assert call("lint", "policy.json", *REPOSITORY)[0] == 0
    assert stub.started == []


def test_an_aws_that_disagrees_is_a_finding(call: Call, account: Callable[..., Stub]) -> None:
    account(result("a", 1), result("b", 1), result("c", 2))

    status, out, _ = call(*COMPARE)

    assert status == 1
    assert f"{digest('b')}: here keep, AWS expire by rule 1\n" in out
    assert f"{digest('d')}: here expire by rule 2, AWS keep\n" in out


def test_an_aws_that_reads_its_own_documents_otherwise_is_told_but_no_finding(
    call: Call, account: Callable[..., Stub]
) -> None:
    account(result("a", 1), result("d", 2))

    status, out, _ = call(*COMPARE, "--output", "json")

    assert status == 0
    [told] = json.loads(out)["disagreements"]
    assert (told["imageDigest"], told["ours"], told["theirs"]) == (digest("c"), "expire by rule 2", "keep")
    assert "days of the calendar" in told["doubt"]


@pytest.mark.parametrize("words", [("preview", "--policy", "new.json"), ("diff", "policy.json", "new.json")])
def test_a_repository_is_judged_at_the_time_of_its_registry(
    call: Call, account: Callable[..., Stub], monkeypatch: pytest.MonkeyPatch, folder: Path, words: tuple[str, ...]
) -> None:
    account()
    for name, days in (("policy.json", 900), ("new.json", 300)):
        (folder / name).write_text(text(rule(1, pushed=days)))
    later = datetime.now(UTC) + timedelta(days=400)
    monkeypatch.setattr("ecrlab.commands.account.time_of", lambda client: later)

    _, out, _ = call(*words, *REPOSITORY, "--explain")

    assert "pushed 40" in out
