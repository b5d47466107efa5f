"""Errors of KMS, by itself or through ECR: keys, grants and key policies."""

from ecrlab.lessons.explanations.entry import Explanation

ENTRIES = (
    Explanation(
        "kms-key-disabled",
        r"key/\S+ is disabled\.",
        "An error occurred (KmsException) when calling the InitiateLayerUpload operation: "
        "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab is disabled.",
        "The repository's images are encrypted with a KMS key that is switched off. Nothing is lost, and nothing can "
        "be pushed or pulled until somebody enables the key.",
        ("somebody disabled the key", "a deletion was cancelled: the key is disabled after that"),
        "aws kms enable-key --key-id KEY, with the ARN of the text.",
        "The same; CloudTrail's DisableKey tells who did it. ECS and EKS cannot start tasks from the images meanwhile.",
    ),
    Explanation(
        "kms-key-not-ready",
        r"key/\S+ is pending (deletion|import)\.|key/\S+ is not pending deletion",
        "An error occurred (KmsException) when calling the CreateRepository operation: "
        "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab is pending deletion.",
        "The state of the key does not allow this. A key that is pending deletion encrypts and decrypts nothing; on "
        "its day it is gone, and with it every image that it encrypts.",
        (
            "somebody scheduled the deletion, 7 to 30 days ahead",
            "a key of origin EXTERNAL whose material was never imported",
        ),
        "aws kms cancel-key-deletion, then aws kms enable-key; do not move the lab's clock past the deletion date "
        "first.",
        "The same. After the day nothing helps: the material of a deleted key is nowhere.",
    ),
    Explanation(
        "kms-key-gone",
        r"Key 'arn:\S+' does not exist",
        "BatchGetImage returned failures: KmsError: Key "
        "'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab' does not exist",
        "There is no key of this id: it is deleted, or was never there. What a deleted key encrypted, nobody reads.",
        (
            "its deletion was scheduled, and the days are over",
            "a typing mistake in the id, or the key of another lab",
        ),
        "None for a deleted key. Push the images again, to a repository with another key.",
        "The same; AWS cannot read them either. Before a deletion, CloudTrail tells when a key was last used.",
    ),
    Explanation(
        "kms-key-by-alias",
        r"Invalid keyId (arn:\S+:)?alias/",
        "An error occurred (NotFoundException) when calling the EnableKey operation: Invalid keyId alias/shop",
        "This operation takes the id or the ARN of a key, and no alias.",
        ("EnableKey, DisableKey, CancelKeyDeletion, EnableKeyRotation and others take no alias; DescribeKey does",),
        "aws kms describe-key --key-id alias/NAME shows the ARN; pass it as --key-id.",
        "The same.",
    ),
    Explanation(
        "kms-alias-name",
        r"calling the (Create|Update)Alias operation: Invalid identifier",
        "An error occurred (ValidationException) when calling the CreateAlias operation: Invalid identifier",
        "An alias must begin with alias/.",
        ("alias/ was forgotten: payments in place of alias/payments",),
        "Write alias/NAME. The key that was made before the alias is there; aws kms list-keys shows it.",
        "The same.",
    ),
    Explanation(
        "kms-key-missing",
        r"Alias arn:\S+ is not found|Invalid keyId|Invalid arn [a-z0-9-]+",
        "An error occurred (KmsException) when calling the CreateRepository operation: Alias "
        "arn:aws:kms:us-east-1:123456789012:alias/shop is not found.",
        "There is no key of this name in this account and Region.",
        (
            "a typing mistake, or an alias without alias/ before it",
            "the key is in another Region: a repository and its key are in the same one",
        ),
        "aws kms list-aliases shows the names; alias/aws/ecr exists from the first repository with KMS on.",
        "The same.",
    ),
    Explanation(
        "kms-grant-missing",
        r"User: ecr\.\S+ is not authorized to perform: kms:",
        "BatchGetImage returned failures: KmsError: User: ecr.us-east-1.amazonaws.com is not authorized to perform: "
        "kms:Decrypt on resource: arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab because "
        "no resource-based policy allows the kms:Decrypt action",
        "ECR itself may not use the key any more. It uses it by two grants, which were made with the repository.",
        ("somebody revoked or retired the repository's grants",),
        "aws kms create-grant with what the repository had: grantee ecr.REGION.amazonaws.com, the operations "
        "GenerateDataKey and Decrypt, and the constraint EncryptionContextSubset aws:ecr:arn=ARN of the repository.",
        "Ask AWS Support: as grantee, create-grant takes users, roles and accounts, and AWS does not describe how to "
        "give ECR its grants back. Revoke none of them.",
    ),
    Explanation(
        "kms-denied",
        "not authorized to perform: kms:",
        "An error occurred (KmsException) when calling the CreateRepository operation: User: "
        "arn:aws:iam::123456789012:user/me is not authorized to perform: kms:CreateGrant on resource: "
        "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab because no identity-based policy "
        "allows the kms:CreateGrant action",
        "KMS refuses this caller this key. Whoever creates a repository with a key needs kms:DescribeKey and "
        "kms:CreateGrant, whoever deletes it kms:RetireGrant; pushing and pulling need none.",
        (
            "neither the key policy nor the caller's own policies allow it",
            "the key policy does not name the account, so the caller's own policies do not count",
            "the key belongs to another account, whose key policy does not let this one in",
            "the key is AWS's own, aws/ecr: no policy of yours helps, people use it only by pulling through ECR",
            "DeleteRepository: the repository is gone all the same, only its grants stayed",
        ),
        "Read the end of the text: it says which kind of policy is missing. Correct the key policy (aws kms "
        "put-key-policy), or the user's.",
        "The same. Grants that stayed: aws kms list-grants, then aws kms retire-grant.",
    ),
    Explanation(
        "kms-policy-refused",
        "will not allow you to update the key policy|The key policy is malformed",
        "An error occurred (MalformedPolicyDocumentException) when calling the PutKeyPolicy operation: The new key "
        "policy will not allow you to update the key policy in the future.",
        "KMS does not accept this key policy: it is none, or it locks out the caller who sets it.",
        (
            "the account's root is not among its principals: then IAM policies do not count, and nobody can mend it",
            "a mistake in the JSON",
        ),
        "Keep the statement of the default policy that names arn:aws:iam::ACCOUNT:root, and add others.",
        "The same. With --bypass-policy-lockout-safety-check only AWS Support can help later.",
    ),
    Explanation(
        "kms-ciphertext-invalid",
        "InvalidCiphertextException|IncorrectKeyException",
        "An error occurred (InvalidCiphertextException) when calling the Decrypt operation:",
        "KMS cannot decrypt these bytes: they, the key or the encryption context are not those of the encryption.",
        (
            "another encryption context than at the encryption, or none; upper and lower case count",
            "the bytes were changed or cut, or are still base64",
        ),
        "Give the same --encryption-context, byte for byte; CloudTrail's GenerateDataKey shows it.",
        "The same.",
    ),
    Explanation(
        "kms-key-kind",
        "EncryptionContext is supported only when creating a grant for a symmetric",
        "An error occurred (KmsException) when calling the CreateRepository operation: EncryptionContext is supported "
        "only when creating a grant for a symmetric encryption key",
        "The key is for signatures or message codes, or asymmetric. ECR needs a symmetric encryption key.",
        ("a key that was made for something else",),
        "aws kms create-key without options makes one of the right kind.",
        "The same.",
    ),
    Explanation(
        "kms-key-with-aes256",
        "Encryption key should not be set for AES256",
        "An error occurred (InvalidParameterException) when calling the CreateRepository operation: Invalid parameter "
        "at 'encryptionConfiguration' failed to satisfy constraint: 'Invalid encryption configuration: Encryption key "
        "should not be set for AES256 encryption.'",
        "A key is given, and encryptionType is AES256, where Amazon S3 keeps the keys.",
        ("encryptionType=KMS was forgotten",),
        "encryptionType=KMS,kmsKey=KEY; or leave the key out.",
        "The same.",
    ),
)
