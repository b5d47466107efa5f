"""Which upstream repository a name stands for, and which rules ECR accepts."""

import pytest

from ecrlab.registry import pull_through_cache
from ecrlab.registry.errors import InvalidParameterException, LimitExceededException
from ecrlab.registry.pull_through_cache import MOST_RULES, matching, upstream_name
from ecrlab.registry.pull_through_errors import UnsupportedUpstreamRegistryException
from ecrlab.registry.world import Registry, World
from tests.registry.conftest import ACCOUNT, REGION

PRIVATE = "111122223333.dkr.ecr.us-east-1.amazonaws.com"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:ecr-pullthroughcache/x-abcdef"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ecr/pull"


@pytest.fixture
def registry(world: World) -> Registry:
    return world.registry(ACCOUNT, REGION)


def create(registry: Registry, prefix: str, url: str = "quay.io", **more: str) -> dict[str, object]:
    rule = {"ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": url, **more}
    return pull_through_cache.create(registry, pull_through_cache.checked(registry, rule))


def refused(registry: Registry, url: str, **more: str) -> tuple[str, str]:
    with pytest.raises((UnsupportedUpstreamRegistryException, InvalidParameterException)) as refusal:
        create(registry, more.pop("prefix", "app"), url, **more)
    assert pull_through_cache.describe(registry) == []
    return refusal.value.code, refusal.value.message


# The table of the user guide, customizing repository prefixes for ECR to ECR pull through cache, and more.
@pytest.mark.parametrize(
    ("prefix", "upstream", "name", "expected"),
    [
        ("ecr-public", None, "ecr-public/my-app/image1", "my-app/image1"),
        ("ecr-public/", None, "ecr-public/my-app/image1", "my-app/image1"),
        ("ROOT", "ROOT", "my-app/image1", "my-app/image1"),
        ("ROOT", None, "image1", "image1"),
        ("team-a", "team-a", "team-a/myapp/image1", "team-a/myapp/image1"),
        ("my-app", "upstream-app", "my-app/image1", "upstream-app/image1"),
        ("my-app", "upstream/app/", "my-app/image1", "upstream/app/image1"),
        ("my-app", None, "my-app/my-app/x", "my-app/x"),
    ],
)
def test_a_name_stands_for_one_upstream(registry, prefix, upstream, name, expected):
    create(registry, prefix, **({} if upstream is None else {"upstreamRepositoryPrefix": upstream}))
    rule = matching(registry, name)
    assert rule is not None
    assert upstream_name(rule, name) == expected


def test_the_longest_prefix_decides_and_a_prefix_ends_with_a_slash(registry):
    for prefix in ("ROOT", "prod", "prod/team/"):
        create(registry, prefix)
    found = {name: matching(registry, name) for name in ("prod/team/x", "prod/teams/x", "prod/x", "production", "prod")}
    assert {name: rule and rule["ecrRepositoryPrefix"] for name, rule in found.items()} == {
        "prod/team/x": "prod/team/",
        "prod/teams/x": "prod",
        "prod/x": "prod",
        "production": "ROOT",
        "prod": "ROOT",
    }
    pull_through_cache.delete(registry, "ROOT")
    assert matching(registry, "production") is None


@pytest.mark.parametrize(
    ("url", "more", "said"),
    [
        ("registry.example.com", {}, "The upstream registry URL registry.example.com is invalid. Specify a valid"),
        ("https://quay.io", {}, "The upstream registry URL https://quay.io is invalid."),
        ("Quay.io", {}, "The upstream registry URL Quay.io is invalid."),
        ("quay.io/team", {}, "The upstream registry URL quay.io/team is invalid."),
        (f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com", {}, "Upstream registry URL cannot be the same as the cache"),
        ("ghcr.io", {}, "The specified upstream registry requires authentication. Specify a valid Secrets Manager ARN"),
        ("x.azurecr.io", {}, "The specified upstream registry requires authentication."),
        ("quay.io", {"credentialArn": SECRET}, "The specified upstream registry doesn't require authentication"),
        ("quay.io", {"customRoleArn": ROLE}, "Upstream registry URL and provided credential type do not match"),
        ("ghcr.io", {"customRoleArn": ROLE}, "Upstream registry URL and provided credential type do not match"),
        (PRIVATE, {"credentialArn": SECRET}, "Upstream registry URL and provided credential type do not match"),
        (PRIVATE, {}, "The specified upstream registry requires authentication. Specify a valid IAM role ARN"),
        (
            "ghcr.io",
            {"credentialArn": SECRET, "upstreamRegistry": "docker-hub"},
            "Invalid input: Upstream registry URL and entered upstream registry do not match. "
            "Please verify input and try again.",
        ),
    ],
)
def test_an_upstream_that_ecr_cannot_cache_is_rejected(registry, url, more, said):
    code, text = refused(registry, url, **more)
    assert code == "UnsupportedUpstreamRegistryException"
    assert text.startswith(said)


@pytest.mark.parametrize(
    ("url", "more", "said"),
    [
        ("ghcr.io", {"credentialArn": SECRET.replace(REGION, "eu-west-1")}, "verify the secret exists in the same"),
        ("ghcr.io", {"credentialArn": SECRET.replace(ACCOUNT, "111122223333")}, "verify the secret exists in the same"),
        (PRIVATE, {"customRoleArn": ROLE.replace(ACCOUNT, "111122223333")}, "in the account of the registry"),
        (PRIVATE, {"customRoleArn": "pull"}, "in the account of the registry"),
        ("quay.io", {"prefix": "ROOT", "upstreamRepositoryPrefix": "team"}, "when ecrRepositoryPrefix is ROOT"),
    ],
)
def test_a_member_that_does_not_fit_is_rejected(registry, url, more, said):
    code, text = refused(registry, url, **more)
    assert (code, said in text) == ("InvalidParameterException", True)


@pytest.mark.parametrize(
    ("url", "more", "name"),
    [
        ("public.ecr.aws", {}, "ecr-public"),
        ("registry.k8s.io", {}, "k8s"),
        ("cgr.dev", {"credentialArn": SECRET}, "chainguard"),
        ("my-team.azurecr.io", {"credentialArn": SECRET}, "azure-container-registry"),
        (PRIVATE, {"customRoleArn": ROLE}, "ecr"),
        (f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com", {}, "ecr"),
    ],
)
def test_the_name_of_an_upstream_follows_from_its_url(registry, url, more, name):
    rule = create(registry, "app", url, **more)
    assert (rule["upstreamRegistry"], rule["upstreamRepositoryPrefix"]) == (name, "ROOT")


def test_a_wrong_name_of_an_open_upstream_is_accepted(registry):
    assert create(registry, "app", "quay.io", upstreamRegistry="k8s")["upstreamRegistry"] == "k8s"


def test_a_registry_has_room_for_fifty_rules(registry):
    for number in range(MOST_RULES):
        create(registry, f"p{number}")
    with pytest.raises(LimitExceededException):
        create(registry, "another")
    assert len(pull_through_cache.describe(registry)) == MOST_RULES == 50
