"""A policy to hand over: the text that was tested, and two ways to apply it, the AWS CLI and Terraform.

Both read the text from the same file, so that what is applied is what was tested, byte for byte.
"""

import json
import re
import shlex

from ecrlab.lifecycle.policy import Policy

POLICY, SCRIPT, TERRAFORM = "policy.json", "apply.sh", "main.tf"


def files(policy: Policy, repository: str) -> dict[str, str]:
    """The three files by their names; they belong into one folder."""
    return {POLICY: as_json(policy), SCRIPT: as_script(repository), TERRAFORM: as_terraform(repository)}


def as_json(policy: Policy) -> str:
    """The policy's text, laid out to be read and reviewed, rules in their order.

    >>> from ecrlab.lifecycle import parse
    >>> keep = '{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", '
    >>> print(as_json(parse(keep + '"countNumber": 10}, "action": {"type": "expire"}}]}')).splitlines()[3])
          "rulePriority": 1,
    """
    return json.dumps(json.loads(policy.minified()), indent=2, ensure_ascii=False) + "\n"


def as_script(repository: str) -> str:
    """The commands that let AWS say first what the policy would do, and then apply it."""
    name = f"--repository-name {shlex.quote(repository)}"
    text = f"--lifecycle-policy-text file://{POLICY}"
    return f"""\
#!/usr/bin/env bash
set -eu
aws ecr start-lifecycle-policy-preview {name} {text} --query status --output text
aws ecr wait lifecycle-policy-preview-complete {name}
aws ecr get-lifecycle-policy-preview {name} --query summary
read -rp "Apply it? Expired images do not come back. [yes/no] " answer || true
[ "$answer" = yes ] && aws ecr put-lifecycle-policy {name} {text} --query repositoryName --output text
"""


def as_terraform(repository: str) -> str:
    """The same as a resource of Terraform's AWS provider."""
    return f"""\
resource "aws_ecr_lifecycle_policy" "{_identifier(repository)}" {{
  repository = "{repository}"
  policy     = file("${{path.module}}/{POLICY}")
}}
"""


def _identifier(repository: str) -> str:
    """A repository's name as Terraform can name a resource.

    >>> _identifier("team-a/my.app"), _identifier("7days")
    ('team-a_my_app', '_7days')
    """
    name = re.sub(r"[^0-9A-Za-z_-]", "_", repository)
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"
