"""Cases of the exercises on encryption: keys, and repositories that they encrypt."""

from tests.lessons.case import HOST, LOGIN, Case

OWN_KEY = """
kms = lab.client("kms")


def own_key(alias):
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName=alias, TargetKeyId=arn)
    return arn
"""

IMAGES = f"""{LOGIN}aws ecr create-repository --repository-name my-app --encryption-configuration encryptionType=KMS
docker build -q -t my-app:v1.2.3 .
docker tag my-app:v1.2.3 {HOST}/my-app:v1.2.3 && docker push -q {HOST}/my-app:v1.2.3
sed -i.old s/1.2.3/1.2.4/ app.py && docker build -q -t {HOST}/shop:v1.2.4 .
docker tag my-app:v1.2.3 {HOST}/shop:v1.2.3
"""


def key(alias):
    """Create a key with an alias; the shell variable `key` holds its ARN."""
    return f"""key=$(aws kms create-key --query KeyMetadata.Arn --output text)
aws kms create-alias --alias-name {alias} --target-key-id $key
"""


def repository(name, encryption, *options):
    return f"""aws ecr create-repository --repository-name {name} {" ".join(options)} \\
    --encryption-configuration {encryption}
"""


def push(source, target):
    return f"docker tag {source} {HOST}/{target} && docker push -q {HOST}/{target}\n"


SHOP = (
    IMAGES
    + key("alias/shop")
    + repository("shop", "encryptionType=KMS,kmsKey=alias/shop")
    + f"docker push -q {HOST}/shop:v1.2.3\n"
)


def schedule(days):
    return f"aws kms schedule-key-deletion --key-id $key --pending-window-in-days {days}\n"


DRILL = schedule(7) + "aws kms cancel-key-deletion --key-id $key; aws kms enable-key --key-id $key\n"
SHOP_KEY = (
    "shop_key = lab.client('kms').describe_key(KeyId='alias/shop')['KeyMetadata']['Arn']\nkms = lab.client('kms')\n"
)


def shop(code):
    return f"{code}\nlab.check('bring-the-shop-back')"


PAYMENTS = key("alias/payments") + repository("payments", "encryptionType=KMS,kmsKey=alias/payments")
V123 = push("my-app:v1.2.3", "vault:v1.2.3")
V124 = push(f"{HOST}/shop:v1.2.4", "vault:v1.2.4")
ROTATE = "aws kms enable-key-rotation --key-id $key\n"


def vault(*options, name="alias/vault"):
    return key(name) + repository("vault", f"encryptionType=KMS,kmsKey={name}", *options)


IMMUTABLE = "--image-tag-mutability IMMUTABLE"

CASES = {
    "payments-under-its-own-key": Case(
        app="my-app",
        scene=IMAGES,
        cells=OWN_KEY,
        wrong={
            "there is no repository named payments; there is my-app": "true",
            "payments is encrypted with AES256": repository("payments", "encryptionType=AES256"),
            "is the AWS managed key aws/ecr": repository("payments", "encryptionType=KMS"),
            "alias/payments is not the key of payments; that is alias/pay": key("alias/pay")
            + repository("payments", "encryptionType=KMS,kmsKey=alias/pay"),
            "payments has no image tagged v1.2.3": PAYMENTS,
            "v1.2.3 of payments is another image": PAYMENTS + push(f"{HOST}/shop:v1.2.4", "payments:v1.2.3"),
            "v1.2.3 of payments cannot be read: .* is disabled": PAYMENTS
            + push("my-app:v1.2.3", "payments:v1.2.3")
            + "aws kms disable-key --key-id $key",
        },
        right=(
            key("alias/payments")
            + repository("payments", "encryptionType=KMS,kmsKey=$key")
            + push("my-app:v1.2.3", "payments:v1.2.3"),
        ),
    ),
    "bring-the-shop-back": Case(
        app="my-app",
        scene=SHOP + DRILL + schedule(30),
        cells=SHOP_KEY,
        wrong={
            "v1.2.3 of shop cannot be read: .* is pending deletion": "true",
            "v1.2.3 of shop cannot be read: .* is disabled": shop("kms.cancel_key_deletion(KeyId=shop_key)"),
            "the key of shop is deleted, and its images are lost": shop("lab.clock.advance(days=31)"),
            "shop is encrypted with AES256": "aws ecr delete-repository --force --repository-name shop\n"
            + repository("shop", "encryptionType=AES256")
            + push("my-app:v1.2.3", "shop:v1.2.3"),
            "run the first cell; nobody has scheduled": "aws ecr delete-repository --force --repository-name shop\n"
            + key("alias/other")
            + repository("shop", "encryptionType=KMS,kmsKey=alias/other")
            + push("my-app:v1.2.3", "shop:v1.2.3")
            + DRILL,
        },
        right=(
            "key=$(aws kms describe-key --key-id alias/shop --query KeyMetadata.KeyId --output text)\n"
            "aws kms cancel-key-deletion --key-id $key && aws kms enable-key --key-id $key",
        ),
    ),
    "a-vault": Case(
        app="my-app",
        scene=IMAGES,
        cells=OWN_KEY,
        wrong={
            "there is no repository named vault; there is my-app": "true",
            "the tags of vault can be moved: it is MUTABLE": vault() + ROTATE + V123 + V124,
            "alias/vault is not the key of vault": vault(IMMUTABLE, name="alias/volt") + ROTATE + V123 + V124,
            "the key of vault rotates every 90 days": vault(IMMUTABLE)
            + ROTATE.replace("--key-id", "--rotation-period-in-days 90 --key-id")
            + V123
            + V124,
            "the key of vault does not rotate": vault(IMMUTABLE) + V123 + V124,
            "vault has no image tagged v1.2.4": vault(IMMUTABLE) + ROTATE + V123,
            "v1.2.3 and v1.2.4 are the same image": vault(IMMUTABLE)
            + ROTATE
            + V123
            + push("my-app:v1.2.3", "vault:v1.2.4"),
            "books uses the key of vault, too": vault(IMMUTABLE)
            + ROTATE
            + V123
            + V124
            + repository("books", "encryptionType=KMS,kmsKey=$key"),
        },
        right=(
            vault()
            + "aws ecr put-image-tag-mutability --repository-name vault "
            + IMMUTABLE
            + "\n"
            + V123
            + V124
            + ROTATE,
        ),
    ),
}
