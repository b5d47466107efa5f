"""Functions with container images: the digest that stays, updates that fail, and what is told of a lost image."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ecrlab.analysis.costs import prices
from ecrlab.analysis.inventory import reading
from ecrlab.analysis.inventory.running import references
from ecrlab.analysis.report.report import Report
from ecrlab.lifecycle import parse
from ecrlab.simulator.consumers import lambda_images
from tests.simulator.client import Repository
from tests.simulator.consumers.functions import SERVICE, Lab, policy, refused, statement, uri_of

DELETED = "The function is trying to use a deleted image."
DENIED = "The function does not have permission to access the specified image."
TOO_LARGE = "SizeLimitExceeded: Uncompressed container image size exceeds 10 GiB limit"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("lambda") / "state")
    yield lab
    lab.server.stop()
    lab.world.close()


@pytest.fixture
def app(lab: Lab) -> Repository:
    return lab.repository()


@pytest.fixture
def name(lab: Lab, app: Repository) -> str:
    """A function with the image `v1` of the repository `app`."""
    app.push(b"layer", tag="v1")
    function: str = lab.create(app.name.replace("/", "-"), uri_of(app))["FunctionName"]
    return function


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("main.py", "def handler(event, context): ...")
    return out.getvalue()


# --- digests ---------------------------------------------------------------------------------------------------------


def test_a_function_is_pending_and_then_active(lab: Lab, app: Repository) -> None:
    digest = app.push(b"layer", tag="v1")

    told = lab.create("hello", uri_of(app))
    assert (told["State"], told["StateReason"], told["StateReasonCode"]) == (
        "Pending",
        "The function is being created.",
        "Creating",
    )
    lab.functions.get_waiter("function_active_v2").wait(FunctionName="hello")
    found = lab.functions.get_function(FunctionName="hello")
    assert found["Code"] == {
        "RepositoryType": "ECR",
        "ImageUri": uri_of(app),
        "ResolvedImageUri": uri_of(app, f"@{digest}"),
    }
    assert found["Configuration"]["CodeSha256"] == digest.partition(":")[2]
    assert found["Configuration"]["CodeSize"] == 0


def test_a_moved_tag_changes_nothing_until_the_code_is_updated(lab: Lab, app: Repository, name: str) -> None:
    before = lab.resolved(name)
    moved = app.push(b"newer", tag="v1")
    assert lab.resolved(name) == before

    lab.clock.advance(hours=1)
    told = lab.functions.update_function_code(FunctionName=name, ImageUri=uri_of(app))
    assert told["LastUpdateStatus"] == "InProgress"
    assert told["LastModified"] == f"{lab.clock.now():%Y-%m-%dT%H:%M:%S.000+0000}"
    lab.functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    assert lab.resolved(name) == moved != before


def test_a_version_keeps_its_image(lab: Lab, app: Repository, name: str) -> None:
    first, second = lab.resolved(name), app.push(b"second", tag="v2")

    assert lab.functions.publish_version(FunctionName=name)["Version"] == "1"
    told = lab.functions.update_function_code(FunctionName=name, ImageUri=uri_of(app, ":v2"), Publish=True)

    assert (told["Version"], told["FunctionArn"].rpartition(":")[2]) == ("2", "2")
    assert [lab.resolved(name, Qualifier=one) for one in ("1", "2", "$LATEST")] == [first, second, second]
    found = lab.functions.list_functions(FunctionVersion="ALL")["Functions"]
    assert [one["Version"] for one in found if one["FunctionName"] == name] == ["$LATEST", "1", "2"]


def test_a_dry_run_finds_what_is_wrong_and_changes_nothing(lab: Lab, app: Repository, name: str) -> None:
    before = lab.resolved(name)
    app.push(b"other", tag="v2")

    lab.functions.update_function_code(FunctionName=name, ImageUri=uri_of(app, ":v2"), DryRun=True)
    assert refused(lab.functions.update_function_code, FunctionName=name, ImageUri=uri_of(app, ":v3"), DryRun=True)
    assert lab.resolved(name) == before


# --- updates that fail -----------------------------------------------------------------------------------------------


def test_a_refused_update_leaves_the_old_code(lab: Lab, app: Repository, name: str) -> None:
    before = lab.functions.get_function(FunctionName=name)["Code"]
    app.push_index(app.push(b"child"), tag="many")

    for tag in ("nope", "many"):
        assert refused(lab.functions.update_function_code, FunctionName=name, ImageUri=uri_of(app, f":{tag}"))[0] == 400

    assert lab.functions.get_function(FunctionName=name)["Code"] == before
    assert lab.state(name) == ("Active", None)


def test_an_image_that_is_too_large_fails_afterwards(
    lab: Lab, app: Repository, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, _ = lab.resolved(name), app.push(b"much too large", tag="v2")
    monkeypatch.setattr(lambda_images, "LARGEST", 10)

    told = lab.functions.update_function_code(FunctionName=name, ImageUri=uri_of(app, ":v2"), Publish=True)
    assert told["Version"] == "$LATEST"
    told = lab.functions.get_function_configuration(FunctionName=name)
    assert last_update(told) == ("Failed", TOO_LARGE, "InvalidImage")
    assert lab.resolved(name) == before
    assert told["State"] == "Active"

    lab.create("large", uri_of(app, ":v2"))
    told = lab.functions.get_function_configuration(FunctionName="large")
    assert (told["State"], told["StateReason"], told["StateReasonCode"]) == ("Failed", TOO_LARGE, "InvalidImage")


def last_update(told: dict[str, Any]) -> tuple[str, str, str]:
    return told["LastUpdateStatus"], told["LastUpdateStatusReason"], told["LastUpdateStatusReasonCode"]


def test_settings_cannot_change_while_the_image_is_lost(lab: Lab, app: Repository, name: str) -> None:
    app.batch_delete_image(imageIds=[{"imageTag": "v1"}])

    begun = lab.functions.update_function_configuration(FunctionName=name, MemorySize=512)
    told = lab.functions.get_function_configuration(FunctionName=name)

    assert begun["LastUpdateStatus"] == "InProgress"
    assert "LastUpdateStatusReasonCode" not in begun
    assert last_update(told) == ("Failed", DELETED, "ImageDeleted")
    assert told["MemorySize"] == 128
    app.push(b"layer", tag="v1")
    assert lab.functions.update_function_configuration(FunctionName=name, MemorySize=512)["MemorySize"] == 512
    assert lab.functions.get_function_configuration(FunctionName=name)["LastUpdateStatus"] == "Successful"


# --- lost images -----------------------------------------------------------------------------------------------------


def forbid(lab: Lab, app: Repository) -> None:
    app.set_repository_policy(policyText=policy(statement("ecr:BatchGetImage", effect="Deny", Principal=SERVICE)))


def archive(lab: Lab, app: Repository) -> None:
    app.update_image_storage_class(imageId={"imageTag": "v1"}, targetStorageClass="ARCHIVE")


@pytest.mark.parametrize(
    ("lose", "code", "reason"),
    [
        (lambda lab, app: app.batch_delete_image(imageIds=[{"imageTag": "v1"}]), "ImageDeleted", DELETED),
        (lambda lab, app: app.delete_repository(force=True), "ImageDeleted", DELETED),
        (lambda lab, app: app.delete_repository_policy(), "ImageAccessDenied", DENIED),
        (forbid, "ImageAccessDenied", DENIED),
        (archive, "ImageAccessDenied", DENIED),
    ],
    ids=["image", "repository", "policy", "deny", "archive"],
)
def test_a_function_fails_with_its_image(
    lab: Lab, app: Repository, name: str, lose: Callable[[Lab, Repository], None], code: str, reason: str
) -> None:
    assert lab.state(name) == ("Active", None)

    lose(lab, app)

    told = lab.functions.get_function_configuration(FunctionName=name)
    assert (told["State"], told["StateReasonCode"], told["StateReason"]) == ("Failed", code, reason)
    assert told["LastUpdateStatus"] == "Successful"
    assert refused(lab.functions.invoke, FunctionName=name) == (
        409,
        "ResourceConflictException",
        "The operation cannot be performed at this time. The function is currently in the following state: Failed",
    )


def test_an_archived_image_is_no_source(lab: Lab, app: Repository) -> None:
    app.push(b"layer", tag="v1")
    archive(lab, app)

    told = refused(lab.create, "archived", uri_of(app))[2]
    assert told == f"Source image {uri_of(app)} is not valid. Provide a valid source image."


def test_a_key_that_cannot_be_used_denies_the_image(lab: Lab) -> None:
    kms = lab.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    secret = lab.repository(encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key})
    secret.push(b"layer", tag="v1")
    lab.create("secret", uri_of(secret))

    kms.disable_key(KeyId=key)
    assert lab.state("secret") == ("Failed", "ImageAccessDenied")
    assert refused(lab.create, "secret-2", uri_of(secret))[:2] == (403, "AccessDeniedException")
    kms.enable_key(KeyId=key)
    assert lab.state("secret") == ("Active", None)


RULES = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1},
            "action": {"type": "expire"},
        }
    ]
}


def test_a_night_takes_what_runs_and_the_report_had_said_so(lab: Lab, app: Repository, name: str) -> None:
    for layer in (b"second", b"third"):
        app.push(layer, tag="v1")
    text, running = json.dumps(RULES), json.dumps(lab.functions.get_function(FunctionName=name), default=str)
    snapshot = reading.read(lab.ecr, app.name, at=lab.clock.now())

    [harmed] = Report(snapshot, prices.load(None), parse(text), references(running)).harmed
    app.put_lifecycle_policy(lifecyclePolicyText=text)
    assert lab.state(name) == ("Active", None)
    lab.clock.advance(days=1)

    assert harmed.image.image_digest == lab.resolved(name)
    assert lab.state(name) == ("Failed", "ImageDeleted")


# --- what does not run, and .zip files -------------------------------------------------------------------------------


def test_nothing_is_invoked(lab: Lab, name: str) -> None:
    lab.functions.create_function(
        FunctionName="zip", Role=lab.role, Runtime="python3.13", Handler="main.handler", Code={"ZipFile": zipped()}
    )
    for function in (name, "zip"):
        assert refused(lab.functions.invoke, FunctionName=function) == (
            400,
            "UnsupportedOperation",
            f"ecrlab runs no code: the function {function} cannot be invoked here. GetFunction returns what Lambda "
            "would run",
        )
    assert lab.state("zip") == ("Active", None)
    assert lab.functions.update_function_code(FunctionName="zip", ZipFile=zipped())["LastUpdateStatus"] == "Successful"


ZIP = {"PackageType": "Zip", "Runtime": "python3.13", "Handler": "main.handler"}


@pytest.mark.parametrize(
    ("members", "text"),
    [
        (
            {"PackageType": "Zip"},
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ),
        (ZIP, "Please provide a source for function code."),
        ({"Code": {}}, "Please provide a source for function code."),
        (
            {"Handler": "main.handler"},
            "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
        ),
    ],
)
def test_a_package_type_that_does_not_fit_the_code(
    lab: Lab, app: Repository, members: dict[str, Any], text: str
) -> None:
    app.push(b"layer", tag="v1")

    assert refused(lab.create, "unfit", uri_of(app), **members) == (400, "InvalidParameterValueException", text)


def test_a_function_does_not_change_its_package_type(lab: Lab, app: Repository, name: str) -> None:
    lab.functions.create_function(FunctionName="stays", Role=lab.role, Code={"ZipFile": zipped()}, **ZIP)
    update = lab.functions.update_function_code

    assert refused(update, FunctionName=name, ZipFile=zipped())[2] == (
        "Please provide ImageUri when updating a function with packageType Image."
    )
    assert refused(update, FunctionName="stays", ImageUri=uri_of(app))[2] == (
        "Please don't provide ImageUri when updating a function with packageType Zip."
    )


def test_a_key_that_nobody_has_any_more_creates_nothing(lab: Lab, app: Repository) -> None:
    app.push(b"layer", tag="v1")
    user, key, _ = lab.account.user()
    lab.account.iam.delete_access_key(UserName=user, AccessKeyId=key)

    told = refused(lab.create, "keyless", uri_of(app), lab.client("lambda", key))

    assert told[1:] == ("UnrecognizedClientException", "The security token included in the request is invalid.")
