"""Ways to provoke the errors of encryption keys, with the names of `provocations.names`."""

PYTHON = {
    "kms-key-disabled": "key, secret = encrypted()\nkms.disable_key(KeyId=key)\nsecret.push(b'x')",
    "kms-key-not-ready": "key, secret = encrypted()\nsecret.push(b'x', tag='v1')\n"
    "kms.schedule_key_deletion(KeyId=key)\nprinted = str(secret.batch_get_image(imageIds=[{'imageTag': 'v1'}]))",
    "kms-key-missing": "encrypted('alias/nope')",
    "kms-key-gone": "key, secret = encrypted()\nsecret.push(b'x', tag='v1')\nkms.schedule_key_deletion(KeyId=key)\n"
    "lab.clock.advance(days=31)\nprinted = str(secret.batch_get_image(imageIds=[{'imageTag': 'v1'}]))",
    "kms-key-by-alias": "key, _ = encrypted()\nkms.create_alias(AliasName='alias/shop', TargetKeyId=key)\n"
    "kms.enable_key(KeyId='alias/shop')",
    "kms-alias-name": "kms.create_alias(AliasName='shop', TargetKeyId=kms.create_key()['KeyMetadata']['Arn'])",
    "kms-grant-missing": "key, secret = encrypted()\nfor grant in kms.list_grants(KeyId=key)['Grants']:\n"
    "    kms.revoke_grant(KeyId=key, GrantId=grant['GrantId'])\nsecret.push(b'x')",
    "kms-denied": "user('ecr:*').create_repository(repositoryName='web', encryptionConfiguration="
    "{'encryptionType': 'KMS', 'kmsKey': kms.create_key()['KeyMetadata']['Arn']})",
    "kms-policy-refused": "key, _ = encrypted()\nkms.put_key_policy(KeyId=key, Policy='{}')",
    "kms-ciphertext-invalid": "key, _ = encrypted()\n"
    "kms.decrypt(CiphertextBlob=kms.encrypt(KeyId=key, Plaintext=b'x')['CiphertextBlob'][:-1])",
    "kms-key-kind": "encrypted(kms.create_key(KeyUsage='SIGN_VERIFY', KeySpec='RSA_2048')['KeyMetadata']['Arn'])",
    "kms-key-with-aes256": "ecr.create_repository(repositoryName='web', "
    "encryptionConfiguration={'encryptionType': 'AES256', 'kmsKey': 'alias/nope'})",
}
