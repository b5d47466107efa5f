"""Repository creation templates: as they are kept, and what a push makes of them."""

import json
from typing import Any

import pytest

from ecrlab.registry import creation_templates, lifecycle_policies, repositories
from ecrlab.registry.errors import ValidationException
from ecrlab.registry.world import Registry, World
from tests.simulator.accounts import HOME, Account, arn_of, denial, document
from tests.simulator.client import Repository, client_of, refusal

ROLE = f"arn:aws:iam::{HOME}:role/ecr-templates"
LIFECYCLE = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1},
                "action": {"type": "expire"},
            }
        ]
    }
)
POLICY = document("ecr:BatchGetImage", Principal={"AWS": "210987654321"})
EVERYTHING = {
    "description": "of the team",
    "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
    "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "dev-*"}],
    "encryptionConfiguration": {"encryptionType": "KMS"},
    "resourceTags": [{"Key": "team", "Value": "red"}],
    "repositoryPolicy": POLICY,
    "lifecyclePolicy": LIFECYCLE,
    "customRoleArn": ROLE,
}


@pytest.fixture
def registry(world: World, region: str) -> Registry:
    return world.registry(HOME, region)


def create(ecr: Any, prefix: str, *applied_for: str, **members: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ecr.create_repository_creation_template(
        prefix=prefix, appliedFor=list(applied_for or ("CREATE_ON_PUSH",)), **members
    )
    return answer


def described(ecr: Any, *prefixes: str) -> list[dict[str, Any]]:
    asked = {"prefixes": list(prefixes)} if prefixes else {}
    found: list[dict[str, Any]] = ecr.describe_repository_creation_templates(**asked)["repositoryCreationTemplates"]
    return found


@pytest.mark.operation("ecr:CreateRepositoryCreationTemplate")
def test_a_template_has_the_defaults_of_a_repository(ecr: Any) -> None:
    answer = create(ecr, "prod", "REPLICATION", "CREATE_ON_PUSH")

    template = answer["repositoryCreationTemplate"]
    assert answer["registryId"] == HOME
    assert template.pop("createdAt") == template.pop("updatedAt")
    assert template == {
        "prefix": "prod",
        "appliedFor": ["REPLICATION", "CREATE_ON_PUSH"],
        "imageTagMutability": "MUTABLE",
        "encryptionConfiguration": {"encryptionType": "AES256"},
        "resourceTags": [],
    }


@pytest.mark.operation("ecr:DescribeRepositoryCreationTemplates")
def test_templates_are_listed_by_prefix_in_pages(ecr: Any) -> None:
    for prefix in ("prod", "dev", "ROOT"):
        create(ecr, prefix)

    pages = ecr.get_paginator("describe_repository_creation_templates").paginate(PaginationConfig={"PageSize": 2})
    assert [[one["prefix"] for one in page["repositoryCreationTemplates"]] for page in pages] == [
        ["ROOT", "dev"],
        ["prod"],
    ]
    assert [one["prefix"] for one in described(ecr, "prod", "none")] == ["prod"]
    assert described(ecr, "none") == []


@pytest.mark.parametrize("region", ["us-west-2"])  # KMS is in real Regions only
@pytest.mark.operation("ecr:UpdateRepositoryCreationTemplate")
def test_an_update_changes_what_it_names_and_an_empty_text_removes(ecr: Any) -> None:
    made = create(ecr, "prod", **EVERYTHING)["repositoryCreationTemplate"]

    ecr.update_repository_creation_template(prefix="prod", description="mine", lifecyclePolicy="", repositoryPolicy="")
    [template] = described(ecr, "prod")

    assert template.pop("updatedAt") > made.pop("updatedAt")
    gone = {"lifecyclePolicy", "repositoryPolicy"}
    assert template == {name: made[name] for name in made.keys() - gone} | {"description": "mine"}
    # A mode comes with its filters.
    changed = ecr.update_repository_creation_template(prefix="prod", imageTagMutability="MUTABLE")
    assert changed["repositoryCreationTemplate"]["imageTagMutabilityExclusionFilters"] == []


@pytest.mark.parametrize("region", ["eu-north-1"])
def test_terraforms_provider_finds_what_it_wrote_and_clears_what_was_taken_out(ecr: Any) -> None:
    """Its calls (internal/service/ecr/repository_creation_template.go): an empty text or list for what is gone."""
    create(ecr, "prod", **EVERYTHING)
    [found] = described(ecr, "prod")
    assert json.loads(found["lifecyclePolicy"]) == json.loads(LIFECYCLE)
    assert json.loads(found["repositoryPolicy"]) == json.loads(POLICY)
    assert {name: found[name] for name in EVERYTHING if not name.endswith("Policy")} == {
        name: value for name, value in EVERYTHING.items() if not name.endswith("Policy")
    }

    gone = {"description": "", "customRoleArn": "", "lifecyclePolicy": "", "repositoryPolicy": "", "resourceTags": []}
    ecr.update_repository_creation_template(
        prefix="prod", encryptionConfiguration={"encryptionType": "AES256"}, imageTagMutability="MUTABLE", **gone
    )
    [left] = described(ecr, "prod")
    assert not any(left.get(name) for name in gone)
    ecr.initiate_layer_upload(repositoryName="prod/web")  # the key is gone, too, and so no role is needed
    ecr.delete_repository_creation_template(prefix="prod")
    assert described(ecr, "prod") == []


@pytest.mark.operation("ecr:DeleteRepositoryCreationTemplate")
def test_a_template_is_deleted_and_its_repositories_stay(ecr: Any) -> None:
    create(ecr, "prod")
    ecr.initiate_layer_upload(repositoryName="prod/web")

    assert ecr.delete_repository_creation_template(prefix="prod")["repositoryCreationTemplate"]["prefix"] == "prod"

    assert described(ecr) == []
    assert len(ecr.describe_repositories()["repositories"]) == 1
    assert refusal(ecr.initiate_layer_upload, repositoryName="prod/api")[0] == "RepositoryNotFoundException"
    for missing in (ecr.delete_repository_creation_template, ecr.update_repository_creation_template):
        assert refusal(missing, prefix="prod")[0] == "TemplateNotFoundException"


@pytest.mark.parametrize("again", ["prod", "prod/"])
def test_a_prefix_has_one_template(ecr: Any, again: str) -> None:
    create(ecr, "prod", "REPLICATION")

    code, _ = refusal(ecr.create_repository_creation_template, prefix=again, appliedFor=["CREATE_ON_PUSH"])

    assert code == "TemplateAlreadyExistsException"
    assert [one["appliedFor"] for one in described(ecr)] == [["REPLICATION"]]


AT = "Invalid parameter at '{}' failed to satisfy constraint: '{}'"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"prefix": "Prod"}, None),
        ({"prefix": ""}, None),
        ({"appliedFor": []}, None),
        (
            {"appliedFor": ["PUSH"]},
            AT.format(
                "appliedFor",
                "Member must satisfy enum value set: [REPLICATION, PULL_THROUGH_CACHE, CREATE_ON_PUSH]",
            ),
        ),
        (
            {"imageTagMutability": "IMMUTABLE", **{k: v for k, v in EVERYTHING.items() if k.endswith("Filters")}},
            AT.format(
                "imageTagMutabilityExclusionFilters",
                "ImageTagMutabilityExclusionFilters are not allowed when imageTagMutability is set as IMMUTABLE",
            ),
        ),
        (
            {"encryptionConfiguration": {"encryptionType": "AES256", "kmsKey": "arn:aws:kms:eu-west-1:1:key/x"}},
            None,
        ),
        (
            {"repositoryPolicy": "{}"},
            AT.format("PolicyText", "Invalid repository policy provided"),
        ),
        (
            {"repositoryPolicy": document("ecr:*", Principal={"AWS": f"arn:aws:iam::{HOME}:role/none"})},
            AT.format("PolicyText", "Invalid repository policy provided"),
        ),
        ({"lifecyclePolicy": '{"rules": []}'}, None),
        ({"resourceTags": [{"Key": "aws:x", "Value": ""}]}, None),
    ],
)
def test_a_setting_is_refused_in_the_words_of_its_own_operation(ecr: Any, members: Any, message: str | None) -> None:
    asked = {"prefix": "prod", "appliedFor": ["CREATE_ON_PUSH"]} | members
    code, text = refusal(ecr.create_repository_creation_template, **asked)

    assert code in ("InvalidParameterException", "InvalidTagParameterException")
    assert message is None or text == message
    assert described(ecr) == []


@pytest.mark.parametrize(
    ("region", "applied_for"),
    [("us-west-1", "REPLICATION"), ("us-east-2", "PULL_THROUGH_CACHE"), ("sa-east-1", "CREATE_ON_PUSH")],
)
def test_a_repository_gets_all_settings_of_its_template(ecr: Any, registry: Registry, applied_for: Any) -> None:
    create(ecr, "prod", applied_for, **EVERYTHING)

    made = creation_templates.create_from_template(registry, "prod/web", applied_for)

    [shown] = ecr.describe_repositories()["repositories"]
    assert made == repositories.find(registry, "prod/web")
    assert shown["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert shown["imageTagMutabilityExclusionFilters"] == EVERYTHING["imageTagMutabilityExclusionFilters"]
    assert shown["encryptionConfiguration"]["encryptionType"] == "KMS"
    key = shown["encryptionConfiguration"]["kmsKey"]
    aliases = client_of(ecr.meta.endpoint_url, "kms", registry.region).list_aliases(KeyId=key)["Aliases"]
    assert [alias["AliasName"] for alias in aliases] == ["alias/aws/ecr"]
    assert ecr.list_tags_for_resource(resourceArn=made.arn)["tags"] == EVERYTHING["resourceTags"]
    assert json.loads(ecr.get_repository_policy(repositoryName="prod/web")["policyText"]) == json.loads(POLICY)
    kept = lifecycle_policies.get(registry, "prod/web")
    assert json.loads(kept.text) == json.loads(LIFECYCLE)


@pytest.mark.parametrize(
    ("name", "by", "description"),
    [
        ("prod/team/a", "PULL_THROUGH_CACHE", "team"),
        ("prod/a", "PULL_THROUGH_CACHE", "prod"),
        ("prod/team/a", "REPLICATION", "prod"),
        ("production", "PULL_THROUGH_CACHE", "root"),
        ("prod", "PULL_THROUGH_CACHE", "root"),
        ("dev/a", "REPLICATION", None),
    ],
)
def test_the_longest_prefix_with_the_scenario_wins(
    ecr: Any, registry: Registry, name: str, by: Any, description: str | None
) -> None:
    create(ecr, "prod", "PULL_THROUGH_CACHE", "REPLICATION", description="prod")
    create(ecr, "prod/team", "PULL_THROUGH_CACHE", description="team")
    create(ecr, "ROOT", "PULL_THROUGH_CACHE", description="root")

    found = creation_templates.matching(registry, name, by)

    assert (found or {}).get("description") == description
    assert creation_templates.create_from_template(registry, name, by).name == name


@pytest.mark.parametrize(
    ("region", "members"),
    [
        ("me-south-1", {"resourceTags": EVERYTHING["resourceTags"]}),
        ("me-central-1", {"encryptionConfiguration": {"encryptionType": "KMS"}}),
    ],
)
def test_tags_and_kms_need_a_role_when_the_repository_is_made(ecr: Any, registry: Registry, members: Any) -> None:
    create(ecr, "prod", **members)

    assert refusal(ecr.initiate_layer_upload, repositoryName="prod/web")[0] == "ValidationException"
    with pytest.raises(ValidationException, match="customRoleArn"):
        creation_templates.create_from_template(registry, "prod/web", "CREATE_ON_PUSH")
    assert ecr.describe_repositories()["repositories"] == []
    ecr.update_repository_creation_template(prefix="prod", customRoleArn=ROLE)
    ecr.initiate_layer_upload(repositoryName="prod/web")


def test_a_push_makes_the_repository_and_a_pull_makes_none(ecr: Any) -> None:
    create(ecr, "ROOT", imageTagMutability="IMMUTABLE")
    create(ecr, "cache", "PULL_THROUGH_CACHE")
    pushed = Repository(ecr, "dev/web")

    assert refusal(pushed.batch_get_image, imageIds=[{"imageTag": "v1"}])[0] == "RepositoryNotFoundException"
    pushed.push(b"layer", tag="v1")

    assert [one["imageTagMutability"] for one in ecr.describe_repositories()["repositories"]] == ["IMMUTABLE"]
    assert refusal(ecr.initiate_layer_upload, repositoryName="Dev")[0] == "InvalidParameterException"


def test_the_pusher_may_push_and_create_the_repository(home: Account) -> None:
    create(home.ecr, "dev")
    pushing = "ecr:InitiateLayerUpload"
    for allowed, missing in ((pushing, "ecr:CreateRepository"), ("ecr:CreateRepository", pushing)):
        name, _, ecr = home.user(document(allowed, Resource="*"))
        assert refusal(ecr.initiate_layer_upload, repositoryName="dev/web") == denial(
            f"arn:aws:iam::{HOME}:user/{name}",
            missing,
            arn_of(home.region, "dev/web"),
            "because no identity-based policy allows the {} action",
        )
    assert [one["repositoryName"] for one in home.ecr.describe_repositories()["repositories"]] == ["app"]
    _, _, ecr = home.user(document(pushing, "ecr:CreateRepository", Resource="*"))
    ecr.initiate_layer_upload(repositoryName="dev/web")


def test_the_author_of_a_template_may_do_what_it_does(home: Account) -> None:
    actions = ["ecr:CreateRepositoryCreationTemplate", "ecr:CreateRepository"]
    _, _, ecr = home.user(document(*actions, Resource="*"))

    for member, text, missing in (
        ("lifecyclePolicy", LIFECYCLE, "ecr:PutLifecyclePolicy"),
        ("repositoryPolicy", POLICY, "ecr:SetRepositoryPolicy"),
    ):
        asked = {"prefix": "dev", "appliedFor": ["CREATE_ON_PUSH"], member: text}
        code, said = refusal(ecr.create_repository_creation_template, **asked)
        assert (code, f"perform: {missing} on resource: *" in said) == ("AccessDeniedException", True)
    create(ecr, "dev")
    assert [one["prefix"] for one in described(home.ecr)] == ["dev"]
