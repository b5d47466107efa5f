"""The errors of pull-through caches, of their rules and of the upstreams behind them.

Classes are those of the botocore model of `ecr`. CloudFormation shows the texts of rejected rules without their class
(badmintoncryer/cdk-preflight, rules that were deployed in September 2026).
"""

from ecrlab.registry.errors import EcrError


class PullThroughCacheRuleAlreadyExistsException(EcrError):
    """The prefix has a rule."""

    def __init__(self, prefix: str, registry_id: str) -> None:
        # UNSURE: the exact text is not public.
        super().__init__(
            f"The pull through cache rule with Amazon ECR repository prefix '{prefix}' already exists in the registry "
            f"with id '{registry_id}'"
        )


class PullThroughCacheRuleNotFoundException(EcrError):
    """The prefix has no rule."""

    def __init__(self, prefix: str, registry_id: str) -> None:
        # UNSURE: the exact text is not public.
        super().__init__(
            f"The pull through cache rule with Amazon ECR repository prefix '{prefix}' does not exist in the registry "
            f"with id '{registry_id}'"
        )


class UnsupportedUpstreamRegistryException(EcrError):
    """The upstream is none that ECR can cache, or its credentials do not fit it."""


class SecretNotFoundException(EcrError):
    """Secrets Manager has no secret of that ARN."""

    def __init__(self) -> None:
        # UNSURE: the texts of these three are those of the model's documentation.
        super().__init__(
            "The ARN of the secret specified in the pull through cache rule was not found. Update the pull through "
            "cache rule with a valid secret ARN and try again."
        )


class UnableToAccessSecretException(EcrError):
    """The secret is scheduled for deletion, or its resource policy denies ECR to read it."""

    def __init__(self) -> None:
        super().__init__(
            "The secret is unable to be accessed. Verify the resource permissions for the secret and try again."
        )


class UnableToDecryptSecretValueException(EcrError):
    """The secret is encrypted with a customer managed key."""

    def __init__(self) -> None:
        super().__init__(
            "The secret is accessible but is unable to be decrypted. Verify the resource permissions and try again."
        )


class UnableToGetUpstreamImageException(EcrError):
    """The upstream did not supply an image; `failure` is BatchGetImage's code for it (ImageFailureCode)."""

    failure = ""

    @property
    def code(self) -> str:
        """One class for clients of the API."""
        return "UnableToGetUpstreamImageException"


class UpstreamImageNotFound(UnableToGetUpstreamImageException):
    """The upstream has no image of that name and tag or digest."""

    failure = "ImageNotFound"

    def __init__(self) -> None:
        super().__init__("Requested image not found")


class UpstreamAccessDenied(UnableToGetUpstreamImageException):
    """The upstream rejects the credentials of the rule, or hides what they may not see."""

    failure = "UpstreamAccessDenied"

    def __init__(
        self,
        # AWS's text as aws/containers-roadmap#2354 quotes it. UNSURE: whether it goes on after this.
        message: str = "The authentication to the upstream registry failed. Verify that the credentials provided in "
        "the pull through cache rule are correct, and try again.",
    ) -> None:
        super().__init__(message)


class UpstreamTooManyRequests(UnableToGetUpstreamImageException):
    """The upstream limits how often its images are pulled."""

    failure = "UpstreamTooManyRequests"

    def __init__(self) -> None:
        # UNSURE: the exact text is not public.
        super().__init__("The upstream registry rejected the request, because its rate limit was exceeded.")


class UpstreamUnavailable(UnableToGetUpstreamImageException):
    """The upstream does not answer."""

    failure = "UpstreamUnavailable"

    def __init__(self) -> None:
        # UNSURE: the exact text is not public.
        super().__init__("The upstream registry is unavailable. Wait and try again.")
