"""Which images Lambda accepts, by whose permission, and in which words it refuses the others."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ecrlab.oci.media_types import DOCKER
from ecrlab.registry import trail
from tests.simulator.accounts import ABROAD, HOME, Account, document
from tests.simulator.client import LAYER, OCI_INDEX, Repository, client_of, digest_of, manifest
from tests.simulator.consumers.functions import READING, REGION, SERVICE, Lab, policy, refused, statement, uri_of

DENIED = (
    403,
    "AccessDeniedException",
    "Lambda does not have permission to access the ECR image. Check the ECR permissions.",
)
NOT_ASSUMED = "The role defined for the function cannot be assumed by Lambda."
TO_FUNCTIONS = {"StringLike": {"aws:sourceArn": f"arn:aws:lambda:{REGION}:{HOME}:function:*"}}
ADDED = {
    "Sid": "LambdaECRImageRetrievalPolicy",
    "Effect": "Allow",
    "Principal": SERVICE,
    "Action": [
        "ecr:BatchGetImage",
        "ecr:DeleteRepositoryPolicy",
        "ecr:GetDownloadUrlForLayer",
        "ecr:GetRepositoryPolicy",
        "ecr:SetRepositoryPolicy",
    ],
    "Condition": TO_FUNCTIONS,
}


def invalid(text: str) -> tuple[int, str, str]:
    return 400, "InvalidParameterValueException", text


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("lambda") / "state")
    yield lab
    lab.server.stop()
    lab.world.close()


@pytest.fixture
def app(lab: Lab) -> Repository:
    return lab.repository()


def statements(repository: Repository) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(repository.get_repository_policy()["policyText"])["Statement"]
    return found


# --- references ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "what"),
    [
        ("{host}/{name}:v2", "does not exist"),
        ("{host}/{name}@sha256:" + "0" * 64, "does not exist"),
        ("{host}/{name}:v1@sha256:" + "0" * 64, "does not exist"),
        ("{host}/nobody/app:v1", "does not exist"),
        ("{host}/{name}", "is not valid"),
        ("{host}/{name}:", "is not valid"),
        ("{host}/{name}@v1", "is not valid"),
        ("{host}:443/{name}:v1", "is not valid"),
        ("{name}:v1", "is not valid"),
        ("public.ecr.aws/lambda/python:3.13", "is not valid"),
        (f"{HOME}.dkr.ecr.eu-west-1.amazonaws.com/{{name}}:v1", "is not valid"),
        (f"{HOME}.dkr.ecr-fips.{REGION}.amazonaws.com/{{name}}:v1", "is not valid"),
        (f"{HOME}.dkr-ecr.{REGION}.on.aws/{{name}}:v1", "is not valid"),
    ],
)
def test_a_source_image_that_is_missing_or_no_image_of_ecr(lab: Lab, app: Repository, uri: str, what: str) -> None:
    app.push(b"layer", tag="v1")
    uri = uri.format(host=uri_of(app).partition("/")[0], name=app.name)

    assert refused(lab.create, "wrong", uri) == invalid(f"Source image {uri} {what}. Provide a valid source image.")
    assert refused(lab.functions.get_function, FunctionName="wrong")[:2] == (404, "ResourceNotFoundException")


def test_an_image_of_another_region_is_not_valid_though_it_is_there(lab: Lab, app: Repository) -> None:
    ecr = client_of(lab.server.endpoint, region="eu-west-1")
    ecr.create_repository(repositoryName=app.name)
    for there in (app, Repository(ecr, app.name)):
        there.set_repository_policy(policyText=policy(statement(*READING, Principal=SERVICE)))
        there.push(b"layer", tag="v1")
    uri = uri_of(app, region="eu-west-1")

    assert refused(lab.create, "far", uri) == invalid(f"Source image {uri} is not valid. Provide a valid source image.")


def test_no_cache_is_asked_for_a_missing_image(lab: Lab, app: Repository) -> None:
    asked: list[Any] = []
    lab.world.image_wanted.add(lambda *wanted: asked.append(wanted))
    lab.world.repository_wanted.add(lambda *wanted: asked.append(wanted))

    for uri in (uri_of(app), uri_of(app).replace("team", "ecr-public")):
        text = f"Source image {uri} does not exist. Provide a valid source image."
        assert refused(lab.create, "cached", uri) == invalid(text)

    assert asked == []


def test_a_reference_with_tag_and_digest_names_the_digest(lab: Lab, app: Repository) -> None:
    digest = app.push(b"layer", tag="v1")

    lab.create("both", uri_of(app, f":v1@{digest}"))

    assert lab.resolved("both") == digest


# --- kinds of images -------------------------------------------------------------------------------------------------


def index(app: Repository, media_type: str = OCI_INDEX, **more: Any) -> str:
    child = {"mediaType": json.loads(manifest())["mediaType"], "digest": app.push(b"layer"), "size": 1, **more}
    return json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": [child]})


def image(app: Repository, layer: str = LAYER, **more: Any) -> str:
    app.push(b"layer")
    described = [{"mediaType": layer, "digest": digest_of(b"layer"), "size": 5}]
    return json.dumps(json.loads(manifest(layers=described)) | more)


ATTESTATION = {
    "platform": {"os": "unknown", "architecture": "unknown"},
    "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
}


@pytest.mark.parametrize(
    "body",
    [
        index,
        lambda app: index(app, DOCKER.index),
        lambda app: index(app, **ATTESTATION),
        lambda app: image(app, artifactType="application/vnd.example.sbom"),
        lambda app: image(app, "application/vnd.oci.image.layer.v1.tar+zstd"),
        lambda app: image(app, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
        lambda app: image(app, "application/vnd.example.wheel"),
    ],
    ids=["index", "list", "attestation", "artifact", "zstd", "foreign", "other"],
)
def test_an_image_of_another_kind_is_not_supported(lab: Lab, app: Repository, body: Any) -> None:
    app.put(body(app), "v1")
    text = f"The image manifest, config or layer media type for the source image {uri_of(app)} is not supported."

    assert refused(lab.create, "kind", uri_of(app)) == invalid(text)


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"mediaType": DOCKER.manifest, "config": {"mediaType": DOCKER.config, "digest": digest_of(b"{}"), "size": 2}},
    ],
    ids=["oci", "docker"],
)
@pytest.mark.parametrize("layer", [LAYER, DOCKER.layer, "application/vnd.oci.image.layer.v1.tar"])
def test_a_plain_image_of_docker_and_of_oci_is_accepted(
    lab: Lab, app: Repository, kind: dict[str, Any], layer: str
) -> None:
    app.put(image(app, layer, **kind), "v1")

    assert lab.create(app.name.replace("/", "-"), uri_of(app))["State"] == "Pending"


# --- permissions -----------------------------------------------------------------------------------------------------


def test_lambda_adds_its_statement_to_the_policy(lab: Lab, app: Repository) -> None:
    app.push(b"layer", tag="v1")
    own = {"Sid": "Own", **statement("ecr:ListImages", Principal={"AWS": ABROAD})}
    app.set_repository_policy(policyText=policy(own))

    lab.create("adds", uri_of(app))
    lab.create("adds-once", uri_of(app))

    assert [one["Sid"] for one in statements(app)] == ["Own", "LambdaECRImageRetrievalPolicy"]
    assert statements(app)[1] == ADDED


def test_a_repository_without_a_policy_has_only_the_added_statement(lab: Lab, app: Repository) -> None:
    app.push(b"layer", tag="v1")

    lab.create("first", uri_of(app))

    kept = json.loads(app.get_repository_policy()["policyText"])
    assert kept == {"Version": "2008-10-17", "Statement": [ADDED]}


@pytest.mark.parametrize("actions", [(), ("ecr:GetRepositoryPolicy",), ("ecr:SetRepositoryPolicy", *READING)])
def test_who_may_not_change_the_policy_needs_it_ready(lab: Lab, app: Repository, actions: tuple[str, ...]) -> None:
    app.push(b"layer", tag="v1")
    _, key, _ = lab.account.user(document("lambda:*", *actions, Resource="*"))
    client = lab.client("lambda", key)
    name = f"ready-{len(actions)}"

    assert refused(lab.create, name, uri_of(app), client) == DENIED
    assert refused(app.get_repository_policy)[1] == "RepositoryPolicyNotFoundException"
    assert refused(lab.functions.get_function, FunctionName=name)[0] == 404

    app.set_repository_policy(policyText=policy(statement(*READING, Principal=SERVICE, Condition=TO_FUNCTIONS)))
    assert lab.create(name, uri_of(app), client)["FunctionName"] == name


@pytest.mark.parametrize("action", READING)
def test_a_deny_wins_and_nothing_is_added(lab: Lab, app: Repository, action: str) -> None:
    app.push(b"layer", tag="v1")
    denying = policy(statement(action, effect="Deny", Principal=SERVICE))
    app.set_repository_policy(policyText=denying)

    assert refused(lab.create, "denied", uri_of(app)) == DENIED
    assert [one["Effect"] for one in statements(app)] == ["Deny"]


ROOT = statement(*READING, Principal={"AWS": f"arn:aws:iam::{ABROAD}:root"})
FOR = {"StringLike": {"aws:sourceArn": f"arn:aws:lambda:{REGION}:{ABROAD}:function:*"}}
THEIRS = statement(*READING, Principal=SERVICE, Condition=FOR)
OURS = statement(*READING, Principal=SERVICE, Condition=TO_FUNCTIONS)
BY_ACCOUNT = statement(*READING, Principal=SERVICE, Condition={"StringEquals": {"aws:SourceAccount": ABROAD}})


@pytest.mark.parametrize(
    ("given", "works"),
    [
        ((), False),
        ((ROOT,), False),
        ((THEIRS,), False),
        ((ROOT, OURS), False),
        ((ROOT, THEIRS), True),
        ((ROOT, BY_ACCOUNT), True),
    ],
    ids=["none", "account", "service", "service-for-another", "both", "both-by-account"],
)
def test_another_account_needs_two_statements(lab: Lab, app: Repository, given: Any, works: bool) -> None:
    app.push(b"layer", tag="v1")
    if given:
        app.set_repository_policy(policyText=policy(*given))
    key, _ = lab.account.assume(f"arn:aws:iam::{ABROAD}:role/OrganizationAccountAccessRole")
    abroad, client = Account(lab.server.endpoint, REGION, key), lab.client("lambda", key)
    name = app.name.replace("/", "-")

    def create() -> Any:
        return lab.create(name, uri_of(app), client, Role=abroad.role())

    if works:
        assert create()["FunctionArn"] == f"arn:aws:lambda:{REGION}:{ABROAD}:function:{name}"
    else:
        assert refused(create) == DENIED


def test_another_account_is_not_told_that_a_repository_is_missing(lab: Lab, app: Repository) -> None:
    assert refused(lab.create, "far", uri_of(app, account=ABROAD)) == DENIED


# --- what ECR records ------------------------------------------------------------------------------------------------


def test_cloudtrail_tells_what_lambda_did_and_for_whom(lab: Lab, app: Repository) -> None:
    app.push(b"layer", tag="v1")

    lab.create("recorded", uri_of(app))

    found = [
        one
        for one in trail.of(lab.world.registry(HOME, REGION), app.name)
        if one["userAgent"] == "lambda.amazonaws.com"
    ]
    assert [(one["eventName"], one["userIdentity"]["type"], one.get("errorCode")) for one in found] == [
        ("GetRepositoryPolicy", "IAMUser", "RepositoryPolicyNotFoundException"),
        ("SetRepositoryPolicy", "IAMUser", None),
        ("BatchGetImage", "AWSService", None),
        ("GetDownloadUrlForLayer", "AWSService", None),
        ("GetDownloadUrlForLayer", "AWSService", None),
    ]
    assert found[2]["userIdentity"]["invokedBy"] == "lambda.amazonaws.com"
    assert app.describe_images()["imageDetails"][0]["lastRecordedPullTime"]


def test_a_role_that_is_missing_is_noticed_before_the_image_is_read(lab: Lab, app: Repository) -> None:
    app.push(b"layer", tag="v1")

    told = refused(lab.create, "roleless", uri_of(app), Role=f"arn:aws:iam::{HOME}:role/nobody")

    assert told == invalid(NOT_ASSUMED)
    assert refused(app.get_repository_policy)[1] == "RepositoryPolicyNotFoundException"


@pytest.mark.parametrize(
    "statements",
    [
        [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}],
        [{"Effect": "Allow", "Principal": SERVICE}, {"Effect": "Deny", "Principal": SERVICE}],
    ],
)
def test_a_role_that_does_not_trust_lambda_is_refused(lab: Lab, app: Repository, statements: list[Any]) -> None:
    app.push(b"layer", tag="v1")
    text = policy(*({**one, "Action": "sts:AssumeRole"} for one in statements))
    role = lab.account.role()
    lab.account.iam.update_assume_role_policy(RoleName=role.rpartition("/")[2], PolicyDocument=text)

    assert refused(lab.create, "untrusted", uri_of(app), Role=role) == invalid(NOT_ASSUMED)
    assert refused(app.get_repository_policy)[1] == "RepositoryPolicyNotFoundException"

    name = app.name.rpartition("/")[2]
    lab.create(name, uri_of(app))
    for wrong in (role, f"{role}-of-nobody"):
        change = refused(lab.functions.update_function_configuration, FunctionName=name, Role=wrong)
        assert change == invalid(NOT_ASSUMED)
    assert lab.functions.get_function_configuration(FunctionName=name)["Role"] == lab.role
