"""The exported policy is the tested one, it reads back as the same rules, and the script works where it runs."""

import json
import subprocess
from typing import Any

import pytest
from hypothesis import given

import ecrlab
from ecrlab.lifecycle import export, parse
from tests.lifecycle.builders import policy, rule
from tests.lifecycle.strategies import policies

TEXT = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 2,
                "description": "ältere",
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 50},
                "action": {"type": "expire"},
            },
            {
                "rulePriority": 1,
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 1,
                },
                "action": {"type": "expire"},
            },
        ]
    }
)


def test_the_policy_is_the_one_that_was_tested_in_the_order_of_its_rules():
    written = export.files(parse(TEXT), "my-app")["policy.json"]

    assert [rule["rulePriority"] for rule in json.loads(written)["rules"]] == [1, 2]
    assert parse(written).rules == parse(TEXT).rules
    assert "ältere" in written


def test_terraform_reads_the_same_file():
    text = export.files(parse(TEXT), "team/my-app")["main.tf"]

    assert text.splitlines()[0] == 'resource "aws_ecr_lifecycle_policy" "team_my-app" {'
    assert '  repository = "team/my-app"' in text
    assert 'file("${path.module}/policy.json")' in text


@pytest.fixture
def folder(tmp_path):
    for name, text in export.files(parse(TEXT), "team/my-app").items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("answer", "is_applied"), [("yes", True), ("no", False), ("", False)])
def test_the_script_previews_asks_and_applies(folder, answer, is_applied):
    with ecrlab.start() as lab:
        ecr = lab.client("ecr")
        ecr.create_repository(repositoryName="team/my-app")

        ran = subprocess.run(["bash", "apply.sh"], cwd=folder, input=answer, capture_output=True, text=True)

        assert (ran.returncode == 0) == is_applied
        assert "expiringImageTotalCount" in ran.stdout
        if is_applied:
            kept = ecr.get_lifecycle_policy(repositoryName="team/my-app")["lifecyclePolicyText"]
            assert kept == parse(TEXT).minified()
        else:
            with pytest.raises(ecr.exceptions.LifecyclePolicyNotFoundException):
                ecr.get_lifecycle_policy(repositoryName="team/my-app")


def test_the_script_stops_at_the_first_refusal(folder):
    with ecrlab.start():
        ran = subprocess.run(["bash", "apply.sh"], cwd=folder, input="yes", capture_output=True, text=True)

    assert ran.returncode != 0
    assert "RepositoryNotFoundException" in ran.stderr
    assert "Apply it?" not in ran.stdout + ran.stderr


@given(policies())
def test_what_is_written_reads_back_as_the_same_rules(rules: list[dict[str, Any]]) -> None:
    read = policy(*rules)

    assert parse(export.policy_text(read)).rules == read.rules


def test_the_keys_are_those_of_aws_and_none_is_superfluous() -> None:
    rules = [
        rule(1, tagPrefixList=["v"], status="tagged", keep=10) | {"description": "Keep ten"},
        rule(2, ["prod*"], unused=30),
        rule(3, status="any", archived=90),
    ]

    assert json.loads(export.policy_text(policy(*rules))) == {"rules": rules}
