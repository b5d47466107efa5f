"""The secrets of pull-through cache rules, in moto's Secrets Manager."""

from ecrlab.registry import iam
from ecrlab.registry.pull_through_cache import ROLE, SERVICE
from ecrlab.registry.pull_through_copies import role_session
from ecrlab.registry.pull_through_errors import (
    SecretNotFoundException,
    UnableToAccessSecretException,
    UnableToDecryptSecretValueException,
)
from ecrlab.registry.world import Registry
from ecrlab.simulator.moto import seams

OWN_KEY = "alias/aws/secretsmanager"
"""The one key that ECR can decrypt with (AWS user guide, storing your upstream repository credentials)."""


def read(registry: Registry, arn: str) -> str:
    """Return the value of a secret for ECR's service-linked role in this registry.

    Raises `SecretNotFoundException`; `UnableToAccessSecretException` if it is scheduled for deletion or its policy
    denies the role; `UnableToDecryptSecretValueException` for one with a customer managed key.
    """
    secret = seams.secret(registry.world, arn)
    if secret is None:
        raise SecretNotFoundException
    if secret.is_deleted() or _is_denied(registry, arn, secret.policy):
        raise UnableToAccessSecretException
    if secret.kms_key_id is not None and not secret.kms_key_id.endswith(OWN_KEY):
        raise UnableToDecryptSecretValueException
    version = secret.versions.get(secret.default_version_id, {})
    return str(version.get("secret_string", ""))


def _is_denied(registry: Registry, arn: str, policy: str | None) -> bool:
    """Tell whether the policy of a secret denies the role to read it; its own policy allows it to."""
    if policy is None:
        return False
    role = f"arn:aws:iam::{registry.account_id}:role/aws-service-role/{SERVICE}/{ROLE}"
    principal = iam.Principal(role_session(registry), registry.account_id, role)
    try:
        document = iam.parse(policy)
    except iam.PolicyError:
        # Secrets Manager rejects such a policy; moto does not.
        return False
    request = iam.Request(principal, "secretsmanager:GetSecretValue", arn, registry.account_id)
    return document.denies(request) is not None
