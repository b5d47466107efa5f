"""Exercises and cards of 09-encryption."""

import json
from typing import Any

from ecrlab.lessons.exercises import Exercise, View
from ecrlab.lessons.questions import Question
from ecrlab.lessons.quizzes import Card, Choice

TIDIED = 30
"""Days until the key of shop goes, as the exercise schedules it; the lesson's own drill names 7."""

YEAR = 365


def _repository(view: View, name: str) -> dict[str, Any]:
    """Return the description of a repository. Raises `NotYet` without it."""
    view.images(name)
    [found] = view.ecr.describe_repositories(repositoryNames=[name])["repositories"]
    return dict(found)


def _key(view: View, repository: str) -> dict[str, Any]:
    """Return what KMS tells about the customer managed key of a repository. Raises `NotYet` without one."""
    encryption = _repository(view, repository)["encryptionConfiguration"]
    view.require(
        encryption["encryptionType"] == "KMS",
        f"{repository} is encrypted with {encryption['encryptionType']}; its encryption is chosen when it is created",
    )
    kms = view.client("kms")
    try:
        key: dict[str, Any] = kms.describe_key(KeyId=encryption["kmsKey"])["KeyMetadata"]
    except kms.exceptions.NotFoundException:
        key = {}
    view.require(key, f"the key of {repository} is deleted, and its images are lost")
    view.require(
        key["KeyManager"] == "CUSTOMER", f"the key of {repository} is the AWS managed key aws/ecr; name a key of yours"
    )
    return key


def _key_named(view: View, repository: str, alias: str) -> dict[str, Any]:
    """Return the key of a repository. Raises `NotYet` unless the alias is its name."""
    key = _key(view, repository)
    pages = view.client("kms").get_paginator("list_aliases").paginate(KeyId=key["KeyId"])
    names = [one["AliasName"] for page in pages for one in page["Aliases"]]
    view.require(alias in names, f"{alias} is not the key of {repository}; that is {', '.join(names) or key['KeyId']}")
    return key


def _readable(view: View, repository: str, tag: str) -> str:
    """Return the digest of an image that can be pulled. Raises `NotYet` without it."""
    there = view.tags(repository)
    view.require(tag in there, f"{repository} has no image tagged {tag}")
    answer = view.ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
    reasons = [failure["failureReason"] for failure in answer["failures"]]
    view.require(not reasons, f"{tag} of {repository} cannot be read: {' '.join(reasons).rstrip('.')}")
    return there[tag]


def _payments(view: View) -> str:
    _key_named(view, "payments", "alias/payments")
    copy = _readable(view, "payments", "v1.2.3")
    original = view.tags("my-app").get("v1.2.3")
    view.require(original, "my-app has no image tagged v1.2.3; run the cells above first")
    view.require(copy == original, "v1.2.3 of payments is another image than that of my-app: copy it, do not build it")
    return "payments has its own key, and the digest of v1.2.3 is that of my-app"


def _windows(view: View, key_arn: str) -> list[int]:
    """Return the days ahead at which somebody scheduled the deletion of a key, as CloudTrail recorded them."""
    attribute = {"AttributeKey": "EventName", "AttributeValue": "ScheduleKeyDeletion"}
    events = view.client("cloudtrail").lookup_events(LookupAttributes=[attribute])["Events"]
    records = [json.loads(one["CloudTrailEvent"]) for one in events]
    return [
        one["responseElements"]["pendingWindowInDays"]
        for one in records
        if one.get("responseElements") and one["responseElements"]["keyId"] == key_arn
    ]


def _shop(view: View) -> str:
    key = _key(view, "shop")
    view.require(
        TIDIED in _windows(view, key["Arn"]),
        "run the first cell; nobody has scheduled the deletion that the exercise is about",
    )
    _readable(view, "shop", "v1.2.3")
    view.require(key["KeyState"] == "Enabled", f"the key of shop is in the state {key['KeyState']}")
    return "shop is readable again, and its key is enabled"


def _vault(view: View) -> str:
    key = _key_named(view, "vault", "alias/vault")
    mode = _repository(view, "vault")["imageTagMutability"]
    view.require(mode == "IMMUTABLE", f"the tags of vault can be moved: it is {mode}")
    sharing = [
        one["repositoryName"]
        for one in view.ecr.describe_repositories()["repositories"]
        if one["encryptionConfiguration"].get("kmsKey") == key["Arn"] and one["repositoryName"] != "vault"
    ]
    view.require(not sharing, f"{', '.join(sharing)} uses the key of vault, too")
    rotation = view.client("kms").get_key_rotation_status(KeyId=key["KeyId"])
    view.require(rotation["KeyRotationEnabled"], "the key of vault does not rotate")
    days = rotation.get("RotationPeriodInDays", YEAR)
    view.require(days == YEAR, f"the key of vault rotates every {days} days; a year has {YEAR}")
    view.require(
        _readable(view, "vault", "v1.2.3") != _readable(view, "vault", "v1.2.4"), "v1.2.3 and v1.2.4 are the same image"
    )
    return "vault has a key of its own that rotates, and two releases that stay"


EXERCISES = (
    Exercise(
        id="payments-under-its-own-key",
        task="A repository payments with a customer managed key alias/payments, and my-app's v1.2.3 in it.",
        judge=_payments,
        hints=(
            "The function own_key makes the key; the repository shop was made with such a one.",
            "docker tag gives v1.2.3 of the registry's my-app the name of the new repository; then push that name.",
        ),
        solution="""
payments = {"encryptionType": "KMS", "kmsKey": own_key("alias/payments")}
ecr.create_repository(repositoryName="payments", encryptionConfiguration=payments)
registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
!docker tag {registry}/my-app:v1.2.3 {registry}/payments:v1.2.3
!docker push -q {registry}/payments:v1.2.3
lab.check("payments-under-its-own-key")
""",
    ),
    Exercise(
        id="bring-the-shop-back",
        task="Somebody has scheduled the deletion of the key of shop: make its images readable again.",
        judge=_shop,
        hints=(
            'state_of("shop") shows KMS\'s sentence, and describe_key the state of the key.',
            "It takes two calls: one undoes the deletion, one makes the key usable.",
        ),
        solution="""
kms.cancel_key_deletion(KeyId=shop_key)
kms.enable_key(KeyId=shop_key)
lab.check("bring-the-shop-back")
""",
    ),
    Exercise(
        id="a-vault",
        task="A repository vault: tags that stay, a key of its own that rotates every year, images v1.2.3 and v1.2.4.",
        judge=_vault,
        hints=(
            "imageTagMutability and encryptionConfiguration both belong to create_repository.",
            "kms.enable_key_rotation takes the ARN of the key; v1.2.4 lies on this machine as an image of shop.",
        ),
        solution="""
vault_key = own_key("alias/vault")
kms.enable_key_rotation(KeyId=vault_key)
vault = {"encryptionType": "KMS", "kmsKey": vault_key}
ecr.create_repository(repositoryName="vault", imageTagMutability="IMMUTABLE", encryptionConfiguration=vault)
registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
!docker tag {registry}/my-app:v1.2.3 {registry}/vault:v1.2.3
!docker tag {registry}/shop:v1.2.4 {registry}/vault:v1.2.4
!docker push -q {registry}/vault:v1.2.3
!docker push -q {registry}/vault:v1.2.4
lab.check("a-vault")
""",
    ),
)

QUESTIONS = (
    Question(
        id="why-ecr-5-reports",
        question="Security Hub's control ECR.5 reports my-app, although it is encrypted with KMS. Why, and what do you "
        "do?",
        model="Its key is aws/ecr, which AWS manages, and the control asks for a customer managed key; encryption "
        "cannot be changed, so you create a repository with a key of yours and copy the images there.",
    ),
)

CARDS = (
    Card(
        id="encryption/which-key",
        question="A repository is created with encryptionType=KMS and no kmsKey. What encrypts it?",
        choices=(
            Choice("The AWS managed key aws/ecr of your account", "ECR creates it at first use.", right=True),
            Choice("Nothing, until you name a key", "Every repository of ECR is encrypted."),
            Choice("A key of Amazon S3", "That is AES256, the default when you do not ask for KMS."),
        ),
    ),
    Card(
        id="encryption/envelope",
        question="What lies beside an encrypted layer, so that it can be decrypted later?",
        choices=(
            Choice("Its data key in clear", "Then whoever has the disk could read the layer."),
            Choice("Its data key, wrapped by KMS", "Only KMS unwraps it, for those that it allows.", right=True),
            Choice("The KMS key", "It never leaves KMS on AWS; it encrypts data keys, not layers."),
        ),
    ),
    Card(
        id="encryption/disabled",
        question="The key of a repository is disabled. What still works?",
        choices=(
            Choice("Pulls, because layers are only read", "Reading needs Decrypt, and KMS refuses that."),
            Choice("Pushes, because new layers get new data keys", "A data key comes from the same disabled key."),
            Choice(
                "To list tags and digests, and containers that run",
                "Names are not encrypted with your key; a running container needs no pull until it moves elsewhere.",
                right=True,
            ),
        ),
    ),
    Card(
        id="encryption/permissions",
        question="A deployment role pulls from a repository with a customer managed key. Which KMS permission does "
        "it need?",
        choices=(
            Choice("kms:Decrypt on the key", "ECR decrypts, by a grant, not the role."),
            Choice("None", "ECR uses the grants that were made with the repository.", right=True),
            Choice("kms:CreateGrant on the key", "That one is for whoever creates the repository."),
        ),
    ),
    Card(
        id="encryption/another-key",
        question="The images of a repository must be under another key. What do you do?",
        choices=(
            Choice("Call an operation that changes the encryption", "ECR has none: creating decides once and for all."),
            Choice("Turn on the rotation of the old key", "Rotation renews the material; the key stays the same."),
            Choice(
                "Create a repository with that key, and copy the images",
                "The digests stay the same; the name is new, and settings and policies have to be set again.",
                right=True,
            ),
        ),
    ),
)
