"""Tags on repositories."""

from typing import Any

import pytest

from tests.simulator.client import Repository, refusal


@pytest.fixture
def arn(app: Repository, region: str) -> str:
    return f"arn:aws:ecr:{region}:123456789012:repository/app"


def tags_of(app: Repository, arn: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in app.ecr.list_tags_for_resource(resourceArn=arn)["tags"]}


@pytest.mark.operation("ecr:ListTagsForResource")
def test_tags_given_at_creation_are_listed(ecr: Any) -> None:
    tags = [{"Key": "team", "Value": "red"}, {"Key": "empty", "Value": ""}]
    arn = ecr.create_repository(repositoryName="tagged", tags=tags)["repository"]["repositoryArn"]
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == tags


@pytest.mark.operation("ecr:TagResource")
def test_a_tag_is_added_or_given_another_value(app: Repository, arn: str) -> None:
    app.ecr.tag_resource(resourceArn=arn, tags=[{"Key": "team", "Value": "red"}, {"Key": "a", "Value": "b"}])
    app.ecr.tag_resource(resourceArn=arn, tags=[{"Key": "team", "Value": "blue"}])
    assert tags_of(app, arn) == {"team": "blue", "a": "b"}


@pytest.mark.operation("ecr:UntagResource")
def test_tags_are_taken_off(app: Repository, arn: str) -> None:
    app.ecr.tag_resource(resourceArn=arn, tags=[{"Key": "team", "Value": "red"}, {"Key": "a", "Value": "b"}])
    app.ecr.untag_resource(resourceArn=arn, tagKeys=["team", "never there"])
    assert tags_of(app, arn) == {"a": "b"}


def test_a_repository_has_at_most_fifty(app: Repository, arn: str) -> None:
    fifty = [{"Key": f"key-{n}", "Value": "x"} for n in range(50)]
    app.ecr.tag_resource(resourceArn=arn, tags=fifty)
    code, _ = refusal(app.ecr.tag_resource, resourceArn=arn, tags=[{"Key": "one more", "Value": "x"}])
    assert code == "TooManyTagsException"
    assert len(tags_of(app, arn)) == 50


@pytest.mark.parametrize(
    "tags",
    [
        [{"Key": "", "Value": "x"}],
        [{"Key": "k" * 129, "Value": "x"}],
        [{"Key": "k", "Value": "v" * 257}],
        [{"Key": "aws:mine", "Value": "x"}],
        [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}],
    ],
)
def test_tags_that_aws_does_not_take(app: Repository, arn: str, tags: list[dict[str, str]]) -> None:
    assert refusal(app.ecr.tag_resource, resourceArn=arn, tags=tags)[0] == "InvalidTagParameterException"
    assert tags_of(app, arn) == {}


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ("app", "InvalidParameterException"),
        ("arn:aws:ecr:us-east-1:123456789012:repository/app", "InvalidParameterException"),
        ("arn:aws:s3:{region}:123456789012:repository/app", "InvalidParameterException"),
        ("arn:aws:ecr:{region}:123:repository/app", "InvalidParameterException"),
        ("arn:aws:ecr:{region}:123456789012:repository/", "InvalidParameterException"),
        ("arn:aws:ecr:{region}:123456789012:repository/nope", "RepositoryNotFoundException"),
        ("arn:aws:ecr:{region}:210987654321:repository/app", "AccessDeniedException"),
    ],
)
def test_arns_of_no_repository_here(app: Repository, region: str, resource: str, code: str) -> None:
    assert refusal(app.ecr.list_tags_for_resource, resourceArn=resource.format(region=region))[0] == code
