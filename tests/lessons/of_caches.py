"""Ways to provoke the errors of pull-through caches; see `provocations`."""

import json
from typing import Any

import ecrlab

PYTHON = {
    "upstream-denied": "cache(secret_arn=secret('{}'))\nprinted = str(pulled('docker-hub/library/alpine'))",
    "upstream-unavailable": "cache(secret_arn=right())\npulled('docker-hub/library/alpine')\n"
    "lab.upstream('docker-hub').down()\nprinted = str(pulled('docker-hub/library/alpine', '3.21.8'))",
    "upstream-limit": "cache(secret_arn=right())\nlab.upstream('docker-hub').limit(1)\n"
    "for tag in ('3.22.6', '3.21.8'):\n    pulled('docker-hub/library/alpine', tag)",
    "upstream-url": "cache('https://quay.io')",
    "upstream-needs-login": "cache()",
    "upstream-login-kind": "cache('quay.io', right())",
    "upstream-secret": "arn = right()\nlab.client('secretsmanager').delete_secret(SecretId=arn)\ncache(secret_arn=arn)",
    "cache-rule-exists": "for _ in 'ab':\n    cache('quay.io')",
    "cache-rule-missing": "ecr.validate_pull_through_cache_rule(ecrRepositoryPrefix='docker-hub')",
}


def names(lab: ecrlab.Lab) -> dict[str, Any]:
    """Return the names that the code of `PYTHON` uses."""
    ecr = lab.client("ecr")

    def secret(value: str) -> str:
        made = lab.client("secretsmanager").create_secret(Name="ecr-pullthroughcache/hub", SecretString=value)
        return str(made["ARN"])

    def right() -> str:
        return secret(json.dumps(lab.upstream("docker-hub").credentials))

    def cache(url: str = "registry-1.docker.io", secret_arn: str = "") -> None:
        login = {"credentialArn": secret_arn} if secret_arn else {}
        ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="docker-hub", upstreamRegistryUrl=url, **login)

    def pulled(name: str, tag: str = "3.22.6") -> Any:
        return ecr.batch_get_image(repositoryName=name, imageIds=[{"imageTag": tag}])

    return {"secret": secret, "cache": cache, "pulled": pulled, "right": right}
