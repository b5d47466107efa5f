"""Repositories by the API: made, set, described in pages, deleted."""

from typing import Any

import pytest

from ecrlab.simulator.server import Server
from tests.simulator.client import Repository, client_of, refusal

RULES_OF_NAMES = "Invalid parameter at 'repositoryName' failed to satisfy constraint"


@pytest.mark.operation("ecr:CreateRepository")
def test_a_new_repository_has_the_settings_aws_gives_one(ecr: Any, region: str) -> None:
    repository = ecr.create_repository(repositoryName="team/app")["repository"]
    created_at = repository.pop("createdAt")
    assert repository == {
        "repositoryArn": f"arn:aws:ecr:{region}:123456789012:repository/team/app",
        "registryId": "123456789012",
        "repositoryName": "team/app",
        "repositoryUri": f"123456789012.dkr.ecr.{region}.amazonaws.com/team/app",
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    }
    assert created_at.tzinfo is not None


def test_settings_given_at_creation_are_kept(ecr: Any) -> None:
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    ecr.create_repository(
        repositoryName="app",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
        imageScanningConfiguration={"scanOnPush": True},
    )
    [repository] = ecr.describe_repositories(repositoryNames=["app"])["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert repository["imageTagMutabilityExclusionFilters"] == filters
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}


def test_a_name_is_taken_once_in_a_registry(app: Repository) -> None:
    assert refusal(app.create_repository) == (
        "RepositoryAlreadyExistsException",
        "The repository with name 'app' already exists in the registry with id '123456789012'",
    )


@pytest.mark.parametrize("name", ["", "a", "App", "-app", "app/", "a//b", "app_", "x" * 257, "café", "a b", "app\n"])
def test_names_that_ecr_does_not_take(ecr: Any, name: str) -> None:
    code, message = refusal(ecr.create_repository, repositoryName=name)
    assert code == "InvalidParameterException"
    assert message.startswith(RULES_OF_NAMES)


@pytest.mark.operation("ecr:DescribeRepositories")
def test_repositories_come_by_name_in_pages(ecr: Any) -> None:
    for name in ("cc", "aa", "bb"):
        ecr.create_repository(repositoryName=name)
    first = ecr.describe_repositories(maxResults=2)
    rest = ecr.describe_repositories(maxResults=2, nextToken=first["nextToken"])
    assert [[r["repositoryName"] for r in page["repositories"]] for page in (first, rest)] == [["aa", "bb"], ["cc"]]
    assert "nextToken" not in rest


@pytest.mark.parametrize("token", ["", "AAAA", "é"])
def test_a_token_of_nobodys_is_refused(ecr: Any, token: str) -> None:
    assert refusal(ecr.describe_repositories, nextToken=token)[0] == "InvalidParameterException"


def test_a_page_of_exactly_all_has_no_next(ecr: Any) -> None:
    ecr.create_repository(repositoryName="aa")
    assert "nextToken" not in ecr.describe_repositories(maxResults=1)


def test_describing_a_repository_that_is_not_there(app: Repository) -> None:
    assert refusal(app.ecr.describe_repositories, repositoryNames=["app", "nope"]) == (
        "RepositoryNotFoundException",
        "The repository with name 'nope' does not exist in the registry with id '123456789012'",
    )


def test_names_and_pages_exclude_each_other(ecr: Any) -> None:
    code, _ = refusal(ecr.describe_repositories, repositoryNames=["aa"], maxResults=1)
    assert code == "InvalidParameterException"


def test_regions_share_nothing(app: Repository, server: Server) -> None:
    assert app.ecr.describe_repositories()["repositories"]
    assert client_of(server.endpoint, region="eu-west-9").describe_repositories()["repositories"] == []


@pytest.mark.operation("ecr:DeleteRepository")
def test_a_repository_with_images_is_deleted_by_force_only(app: Repository) -> None:
    app.push(tag="v1")
    assert refusal(app.delete_repository) == (
        "RepositoryNotEmptyException",
        "The repository with name 'app' in registry with id '123456789012' "
        "cannot be deleted because it still contains images",
    )
    assert app.delete_repository(force=True)["repository"]["repositoryName"] == "app"
    assert refusal(app.list_images)[0] == "RepositoryNotFoundException"


@pytest.mark.operation("ecr:PutImageScanningConfiguration")
def test_scan_on_push_is_switched(app: Repository) -> None:
    answer = app.put_image_scanning_configuration(imageScanningConfiguration={"scanOnPush": True})
    assert answer["imageScanningConfiguration"] == {"scanOnPush": True}
    [repository] = app.ecr.describe_repositories(repositoryNames=["app"])["repositories"]
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}


@pytest.mark.operation("ecr:PutImageTagMutability")
def test_tags_that_were_free_to_move_can_be_fixed_from_now_on(app: Repository) -> None:
    app.push(b"one", tag="v1")
    app.push(b"two", tag="v1")
    assert app.put_image_tag_mutability(imageTagMutability="IMMUTABLE")["imageTagMutability"] == "IMMUTABLE"
    code, message = refusal(lambda: app.push(b"three", tag="v1"))
    assert code == "ImageTagAlreadyExistsException"
    assert "'v1' already exists in the 'app' repository and cannot be overwritten" in message


@pytest.mark.parametrize(
    ("mode", "movable", "fixed"),
    [
        ("MUTABLE", ["v1", "latest"], []),
        ("IMMUTABLE", [], ["v1", "latest"]),
        ("IMMUTABLE_WITH_EXCLUSION", ["latest", "dev-7", "v1.beta"], ["v1", "latest-1", "devil"]),
        ("MUTABLE_WITH_EXCLUSION", ["v1", "latest-1", "devil"], ["latest", "dev-7", "v1.beta"]),
    ],
)
def test_the_four_modes(app: Repository, mode: str, movable: list[str], fixed: list[str]) -> None:
    filters = [{"filterType": "WILDCARD", "filter": wildcard} for wildcard in ("latest", "v*.beta", "dev-*")]
    excluding = {"imageTagMutabilityExclusionFilters": filters} if mode.endswith("EXCLUSION") else {}
    answer = app.put_image_tag_mutability(imageTagMutability=mode, **excluding)
    assert answer.get("imageTagMutabilityExclusionFilters", []) == excluding.get(
        "imageTagMutabilityExclusionFilters", []
    )
    for tag in movable + fixed:
        app.push(tag.encode(), tag=tag)
    for tag in movable:
        app.push(tag.encode() + b"!", tag=tag)
    for tag in fixed:
        assert refusal(lambda tag=tag: app.push(tag.encode() + b"!", tag=tag))[0] == "ImageTagAlreadyExistsException"


@pytest.mark.parametrize(
    ("mode", "wildcards"),
    [
        ("IMMUTABLE_WITH_EXCLUSION", []),
        ("MUTABLE", ["dev-*"]),
        ("IMMUTABLE_WITH_EXCLUSION", ["a*b*c*d"]),
        ("IMMUTABLE_WITH_EXCLUSION", ["a"] * 6),
        ("IMMUTABLE_WITH_EXCLUSION", ["a/b"]),
        ("SOMETIMES", []),
    ],
)
def test_modes_and_filters_that_do_not_go_together(app: Repository, mode: str, wildcards: list[str]) -> None:
    filters = [{"filterType": "WILDCARD", "filter": wildcard} for wildcard in wildcards]
    excluding = {"imageTagMutabilityExclusionFilters": filters} if filters else {}
    code, _ = refusal(app.put_image_tag_mutability, imageTagMutability=mode, **excluding)
    assert code == "InvalidParameterException"
    [repository] = app.ecr.describe_repositories(repositoryNames=["app"])["repositories"]
    assert repository["imageTagMutability"] == "MUTABLE"


def test_the_texts_about_modes_and_filters_are_those_of_ecr(app: Repository) -> None:
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    for mode, given, said in (
        ("IMMUTABLE", {"imageTagMutabilityExclusionFilters": filters}, "are not allowed"),
        ("MUTABLE_WITH_EXCLUSION", {}, "can't be null"),
    ):
        message = refusal(app.put_image_tag_mutability, imageTagMutability=mode, **given)[1]
        wanted = f"ImageTagMutabilityExclusionFilters {said} when imageTagMutability is set as {mode}'"
        assert message.endswith(f"constraint: '{wanted}")
