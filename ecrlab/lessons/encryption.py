"""Exercises and cards of 09-encryption."""

from typing import Any

from ecrlab.lessons.exercises import Exercise, View
from ecrlab.lessons.questions import Question
from ecrlab.lessons.quizzes import Card, Choice


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


def _shop(view: View) -> str:
    key = _key(view, "shop")
    _readable(view, "shop", "v1.2.3")
    view.require(key["KeyState"] == "Enabled", f"the key of shop is in the state {key['KeyState']}")
    attribute = {"AttributeKey": "EventName", "AttributeValue": "CancelKeyDeletion"}
    cancelled = view.client("cloudtrail").lookup_events(LookupAttributes=[attribute])["Events"]
    view.require(cancelled, "nobody has scheduled and cancelled the deletion of a key; run the first cell")
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
            "docker tag gives my-app:v1.2.3 the name of the new repository; then push that name.",
        ),
        solution="""
registry=123456789012.dkr.ecr.us-east-1.amazonaws.com
key=$(aws kms create-key --query KeyMetadata.Arn --output text)
aws kms create-alias --alias-name alias/payments --target-key-id $key
aws ecr create-repository --repository-name payments \\
  --encryption-configuration encryptionType=KMS,kmsKey=alias/payments
docker tag my-app:v1.2.3 $registry/payments:v1.2.3
docker push -q $registry/payments:v1.2.3
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
        task="A repository vault with tags that stay, a key of its own that rotates, and the images v1.2.3 and v1.2.4.",
        judge=_vault,
        hints=(
            "imageTagMutability and encryptionConfiguration both belong to create_repository.",
            "enable_key_rotation takes the ARN of the key; v1.2.4 lies on this machine as an image of shop.",
        ),
        solution="""
registry=123456789012.dkr.ecr.us-east-1.amazonaws.com
key=$(aws kms create-key --query KeyMetadata.Arn --output text)
aws kms create-alias --alias-name alias/vault --target-key-id $key
aws kms enable-key-rotation --key-id $key
aws ecr create-repository --repository-name vault --image-tag-mutability IMMUTABLE \\
  --encryption-configuration encryptionType=KMS,kmsKey=alias/vault
docker tag my-app:v1.2.3 $registry/vault:v1.2.3
docker tag $registry/shop:v1.2.4 $registry/vault:v1.2.4
for tag in v1.2.3 v1.2.4; do docker push -q $registry/vault:$tag; done
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
                "Names are not encrypted, and a running container needs no pull until it is restarted elsewhere.",
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
            Choice("Call an operation that changes the encryption", "ECR has none: the choice is for life."),
            Choice("Turn on the rotation of the old key", "Rotation renews the material; the key stays the same."),
            Choice(
                "Create a repository with that key, and copy the images",
                "Their digests stay the same, so deployments by digest change only the name.",
                right=True,
            ),
        ),
    ),
)
