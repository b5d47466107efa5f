"""The names that ECR accepts for repositories, tags and digests, and the URIs and ARNs of repositories.

Patterns and lengths are those of the botocore model of `ecr`; the tag's pattern is the one that ECR's registry quotes
when it rejects a tag.
"""

import re

from ecrlab.oci import manifest
from ecrlab.registry.errors import InvalidParameterException

REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9-_.]{0,127}")
DIGEST = manifest.DIGEST
ACCOUNT = re.compile(r"[0-9]{12}")
REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")


def check_repository_name(name: str) -> str:
    """Return the name if ECR accepts it: 2 to 256 characters, lower case, `/` between parts.

    >>> check_repository_name("team-a/my-app")
    'team-a/my-app'
    """
    if not 2 <= len(name) <= 256 or not REPOSITORY.fullmatch(name):
        # The pattern alone could take long on a hostile name, hence the length first.
        raise InvalidParameterException("repositoryName", f"must satisfy regular expression '{REPOSITORY.pattern}'")
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


def repository_uri(account_id: str, region: str, name: str) -> str:
    """Return the name of a repository for Docker.

    >>> repository_uri("123456789012", "us-east-1", "my-app")
    '123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app'
    """
    return f"{registry_host(account_id, region)}/{name}"


def registry_host(account_id: str, region: str) -> str:
    """Return the host name of an account's registry in a Region."""
    return f"{account_id}.dkr.ecr.{region}.amazonaws.com"


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
    """
    return f"arn:aws:ecr:{region}:{account_id}:repository/{name}"
