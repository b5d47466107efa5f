"""Public repositories by the API: made, described, deleted; and what they have in common with private ones: nothing."""

from typing import Any

import pytest

from ecrlab.registry import names
from tests.simulator.client import refusal

ALIAS = names.default_alias("123456789012")


@pytest.mark.operation("ecr-public:CreateRepository")
def test_a_new_public_repository_has_a_name_for_all_the_world_and_no_region(public: Any) -> None:
    answer = public.create_repository(repositoryName="team/app")
    created_at = answer["repository"].pop("createdAt")
    assert answer["repository"] == {
        "repositoryArn": "arn:aws:ecr-public::123456789012:repository/team/app",
        "registryId": "123456789012",
        "repositoryName": "team/app",
        "repositoryUri": f"public.ecr.aws/{ALIAS}/team/app",
    }
    assert created_at.tzinfo is not None
    assert answer["catalogData"] == {}


@pytest.mark.operation("ecr-public:DescribeRepositories")
def test_public_repositories_come_by_name_in_pages(public: Any) -> None:
    for name in ("cc", "aa", "bb"):
        public.create_repository(repositoryName=name)
    first = public.describe_repositories(maxResults=2)
    rest = public.describe_repositories(maxResults=2, nextToken=first["nextToken"])
    assert [[r["repositoryName"] for r in page["repositories"]] for page in (first, rest)] == [["aa", "bb"], ["cc"]]
    assert public.describe_repositories(repositoryNames=["bb"])["repositories"] == [first["repositories"][1]]
    assert refusal(public.describe_repositories, repositoryNames=["nope"]) == (
        "RepositoryNotFoundException",
        "The repository with name 'nope' does not exist in the registry with id '123456789012'",
    )


def test_private_and_public_repositories_share_nothing(client: Any, public: Any) -> None:
    private = client("ecr")
    for name in ("aa", "bb"):
        private.create_repository(repositoryName=name)
        public.create_repository(repositoryName=name)
    there, here = private.describe_repositories(maxResults=1), public.describe_repositories(maxResults=1)
    assert there["repositories"][0]["repositoryUri"].startswith("123456789012.dkr.ecr.us-east-1.")
    assert here["repositories"][0]["repositoryUri"] == f"public.ecr.aws/{ALIAS}/aa"
    # Not even the tokens of their pages.
    assert refusal(public.describe_repositories, nextToken=there["nextToken"])[0] == "InvalidParameterException"


@pytest.mark.parametrize("name", ["a", "App", "a__b", "a--b", "app/", "a//b", "x" * 206, "app\n"])
def test_names_that_ecr_public_does_not_take(public: Any, name: str) -> None:
    code, message = refusal(public.create_repository, repositoryName=name)
    assert code == "InvalidParameterException"
    assert message.startswith("Invalid parameter at 'repositoryName' failed to satisfy constraint")
    assert public.describe_registries()["registries"][0]["aliases"] == []


@pytest.mark.parametrize("region", ["us-west-2", "eu-west-1"])
def test_the_api_is_in_us_east_1_only(client: Any, region: str) -> None:
    assert refusal(client(region=region).create_repository, repositoryName="app") == (
        "UnsupportedCommandException",
        "CreateRepository command is only supported in us-east-1",
    )
    assert client().describe_repositories()["repositories"] == []


def test_a_name_is_taken_once_in_a_public_registry(public: Any) -> None:
    public.create_repository(repositoryName="app")
    assert refusal(public.create_repository, repositoryName="app") == (
        "RepositoryAlreadyExistsException",
        "The repository with name 'app' already exists in the registry with id '123456789012'",
    )
