"""Policies and lists as people have them: wrapped by AWS, marked by an editor, several at once, from a pipe."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.commands.test_lifecycle import PREVIEW, Call, call, digest, folder

__all__ = ["call", "folder"]


@pytest.mark.parametrize("name", ["protect", "policy.json", "images.json", "manifests.json"])
def test_a_byte_order_mark_is_not_part_of_a_file(call: Call, folder: Path, name: str) -> None:
    (folder / "protect").write_text(digest("a"))
    expected = call(*PREVIEW, "--protect", "protect")
    (folder / name).write_bytes(b"\xef\xbb\xbf" + (folder / name).read_bytes())

    assert expected[0] == 1
    assert call(*PREVIEW, "--protect", "protect") == expected


def held(policy: str) -> list[Any]:
    """A policy in the documents in which AWS hands it out or takes it."""
    properties = {"LifecyclePolicy": {"LifecyclePolicyText": policy}}
    repository = {"Type": "AWS::ECR::Repository", "Properties": properties}
    return [
        {"lifecyclePolicyText": policy, "repositoryName": "a", "registryId": "123456789012"},
        {"repositoryName": "a", "lifecyclePolicyText": policy},
        {"Resources": {"Other": {"Type": "AWS::SQS::Queue"}, "Repo": repository}},
        repository,
        properties,
    ]


@pytest.mark.parametrize("number", range(5))
def test_a_policy_is_read_from_what_aws_wraps_it_in(call: Call, folder: Path, number: int) -> None:
    expected = call(*PREVIEW)
    bare = (folder / "policy.json").read_text()
    (folder / "policy.json").write_text(json.dumps(held(bare)[number]))

    assert call(*PREVIEW) == expected


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"Resources": {name: held("{}")[3] for name in "ab"}}, "holds 2 lifecycle policies"),
        ({"lifecyclePolicyText": {"rules": []}}, "is no text"),
        ({"lifecyclePolicyText": "{}" * 60}, "Could not map policyString"),
        ({"Resources": []}, "missing required properties"),
    ],
)
def test_what_holds_no_single_policy_is_refused(call: Call, folder: Path, document: Any, says: str) -> None:
    (folder / "policy.json").write_text(json.dumps(document) + " " * 100)

    status, _, err = call("lint", "policy.json")

    assert (status, says in err) == (2, True)


def test_lint_takes_several_policies_and_the_standard_input(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "bad.json").write_text("{}")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((folder / "new.json").read_bytes())))

    status, out, err = call("lint", "policy.json", "bad.json", "-")

    assert (status, out.count("The policy is valid"), "bad.json" in err) == (2, 2, True)
    told = json.loads(call("lint", "policy.json", "bad.json", "--output", "json")[1])
    assert [(each["file"], each["valid"]) for each in told] == [("policy.json", True), ("bad.json", False)]
