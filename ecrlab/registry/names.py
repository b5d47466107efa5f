"""The names that ECR accepts for repositories, tags and digests, and the URIs and ARNs of repositories.

Patterns and lengths are those of the botocore models of `ecr` and `ecr-public`; the tag's pattern is the one that ECR's
registry quotes when it rejects a tag.
"""

import hashlib
import re
from collections.abc import Iterable

from ecrlab.oci import manifest
from ecrlab.registry.errors import InvalidParameterException

REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
PUBLIC_REPOSITORY = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9-_.]{0,127}")
DIGEST = manifest.DIGEST
ACCOUNT = re.compile(r"[0-9]{12}")
REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
ROOT = "ROOT"
"""The prefix, in templates and cache rules, of all names that no other prefix fits."""

PUBLIC = "PUBLIC"
"""Stands in place of a Region for an account's registry in Amazon ECR Public. No Region has upper-case letters."""

PUBLIC_REGION = "us-east-1"
"""Where the API of ECR Public is, and CloudTrail's records of it (ECR Public user guide)."""

PUBLIC_HOST = "public.ecr.aws"
ALIAS = re.compile(r"[a-z][a-z0-9]+(?:[._-][a-z0-9]+)*")

# AWS publishes Docker's official images under its own alias. The number of that account is the kit's choice.
DOCKER_ACCOUNT, DOCKER_ALIAS = "000000000001", "docker"

_ARN = re.compile(
    rf"arn:aws[a-z-]*:(?:ecr:(?P<region>{REGION.pattern})|ecr-public:):(?P<account>[0-9]{{12}}):repository/(?P<name>.{{1,256}})",
    re.DOTALL,
)


def check_repository_name(name: str, region: str = "") -> str:
    """Return the name if ECR accepts it: 2 to 256 characters, lower case, `/` between parts.

    In a public registry (`region` is `PUBLIC`) it has at most 205, and one separator between words.

    >>> check_repository_name("team-a/my-app")
    'team-a/my-app'
    """
    pattern, longest = (PUBLIC_REPOSITORY, 205) if region == PUBLIC else (REPOSITORY, 256)
    if not 2 <= len(name) <= longest or not pattern.fullmatch(name):
        # The pattern alone could take long on a hostile name, hence the length first.
        raise InvalidParameterException("repositoryName", f"must satisfy regular expression '{pattern.pattern}'")
    return name


def check_tag(tag: str) -> str:
    """Return the tag if ECR accepts it: 1 to 128 letters, digits, `-`, `_` and `.`; `-` and `.` cannot be the first.

    ECR's API model allows 300 characters and names the pattern below; the OCI distribution specification allows 128.
    """
    if not TAG.fullmatch(tag):
        # UNSURE: whether ECR accepts tags of 129 to 300 characters; no client can pull one, so the lab rejects them.
        raise InvalidParameterException("imageTag", "must satisfy regular expression '[a-zA-Z0-9-_.]+'")
    return tag


def check_digest(digest: str, parameter: str = "imageDigest") -> str:
    """Return the digest if it is well-formed: `sha256:` and 64, or `sha512:` and 128, lower-case hexadecimal digits."""
    if not DIGEST.fullmatch(digest):
        raise InvalidParameterException(
            parameter, "image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"
        )
    return digest


def longest_prefix(prefixes: Iterable[str], name: str) -> str | None:
    """Return the prefix that fits a repository name best, or None. `prod` means `prod/`; `ROOT` fits every name.

    >>> longest_prefix(["ROOT", "prod", "prod/team"], "prod/team/web")
    'prod/team'
    >>> longest_prefix(["prod"], "production"), longest_prefix(["ROOT", "prod"], "production")
    (None, 'ROOT')
    """
    fitting = {
        "" if prefix == ROOT else prefix.removesuffix("/"): prefix
        for prefix in prefixes
        if prefix == ROOT or name.startswith(prefix.removesuffix("/") + "/")
    }
    return fitting[max(fitting, key=len)] if fitting else None


def repository_uri(account_id: str, region: str, name: str) -> str:
    """Return the name of a repository for Docker.

    >>> repository_uri("123456789012", "us-east-1", "my-app")
    '123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app'
    >>> repository_uri("123456789012", PUBLIC, "my-app")
    'public.ecr.aws/h5k0v3i0/my-app'
    """
    below = f"{default_alias(account_id)}/" if region == PUBLIC else ""
    return f"{registry_host(account_id, region)}/{below}{name}"


def registry_host(account_id: str, region: str) -> str:
    """Return the host name of an account's registry in a Region."""
    return PUBLIC_HOST if region == PUBLIC else f"{account_id}.dkr.ecr.{region}.amazonaws.com"


def default_alias(account_id: str) -> str:
    """Return the alias that an account's public registry has in URIs; on AWS a random one of this form."""
    if account_id == DOCKER_ACCOUNT:
        return DOCKER_ALIAS
    number = hashlib.sha256(f"alias {account_id}".encode()).digest()
    return "".join(
        f"{chr(97 + letter % 26)}{digit % 10}" for letter, digit in zip(number[:4], number[4:8], strict=True)
    )


def partition(region: str) -> str:
    """Return the AWS partition of a Region (botocore's partitions).

    >>> partition("eu-west-1"), partition("cn-north-1"), partition("us-gov-west-1")
    ('aws', 'aws-cn', 'aws-us-gov')
    """
    found = re.match(r"cn|us-gov|us-iso[a-z]?|eu-isoe|eusc", region)
    return f"aws-{found[0]}" if found else "aws"


def repository_arn(account_id: str, region: str, name: str) -> str:
    """Return the ARN of a repository.

    >>> repository_arn("123456789012", "us-east-1", "my-app")
    'arn:aws:ecr:us-east-1:123456789012:repository/my-app'
    >>> repository_arn("123456789012", PUBLIC, "my-app")
    'arn:aws:ecr-public::123456789012:repository/my-app'
    """
    service = "ecr-public:" if region == PUBLIC else f"ecr:{region}"
    return f"arn:aws:{service}:{account_id}:repository/{name}"


def read_repository_arn(arn: str) -> tuple[str, str, str] | None:
    """Return account, Region (or `PUBLIC`) and name in the ARN of a repository; None for any other text.

    >>> read_repository_arn("arn:aws:ecr-public::123456789012:repository/team/app")
    ('123456789012', 'PUBLIC', 'team/app')
    """
    found = _ARN.fullmatch(arn)
    return None if found is None else (found["account"], found["region"] or PUBLIC, found["name"])
