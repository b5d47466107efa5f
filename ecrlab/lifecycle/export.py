"""A policy outside the kit: its JSON text, and two ways to apply it, the AWS CLI and Terraform.

Both read the text from the same file, so they apply the tested policy byte for byte.
"""

import json
import re
import shlex
from collections.abc import Iterable
from typing import Any

from ecrlab.lifecycle.policy import STANDARD, TAGGED, TRANSITION, Policy, Rule

POLICY, SCRIPT, TERRAFORM = "policy.json", "apply.sh", "main.tf"


def policy_text(rules: Iterable[Rule]) -> str:
    """Return the JSON text of rules, in the order given: the way back from `parse`.

    It writes only the members that AWS allows with a rule's tag status, count type and action (AWS user guide,
    lifecycle policy properties): no list of tags for `any`, a `countUnit` for ages only. `parse` decides whether AWS
    accepts the whole.
    """
    return json.dumps({"rules": [_rule(rule) for rule in rules]}, indent=2, ensure_ascii=False)


def _rule(rule: Rule) -> dict[str, Any]:
    described = {"description": rule.description} if rule.description else {}
    return {"rulePriority": rule.rule_priority, **described, "selection": _selection(rule), "action": _action(rule)}


def _selection(rule: Rule) -> dict[str, Any]:
    chosen = rule.selection
    told: dict[str, Any] = {"tagStatus": chosen.tag_status}
    if chosen.tag_status == TAGGED:
        # With no list at all AWS asks for one; with both it asks for only one.
        lists = {"tagPatternList": chosen.tag_pattern_list, "tagPrefixList": chosen.tag_prefix_list}
        told |= {name: list(entries) for name, entries in lists.items() if entries}
    if chosen.storage_class != STANDARD:
        told["storageClass"] = chosen.storage_class
    told["countType"] = chosen.count_type
    if not chosen.counts:
        told["countUnit"] = "days"
    told["countNumber"] = chosen.count_number
    return told


def _action(rule: Rule) -> dict[str, str]:
    told = {"type": rule.action.type}
    if rule.action.type == TRANSITION and rule.action.target_storage_class:
        told["targetStorageClass"] = rule.action.target_storage_class
    return told


def files(policy: Policy, repository: str) -> dict[str, str]:
    """Return the three files by name; they belong in one folder."""
    return {POLICY: as_json(policy), SCRIPT: as_script(repository), TERRAFORM: as_terraform(repository)}


def as_json(policy: Policy) -> str:
    """Return the policy's text, indented for review, with its rules by priority.

    >>> from ecrlab.lifecycle import parse
    >>> keep = '{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", '
    >>> print(as_json(parse(keep + '"countNumber": 10}, "action": {"type": "expire"}}]}')).splitlines()[3])
          "rulePriority": 1,
    """
    return json.dumps(json.loads(policy.minified()), indent=2, ensure_ascii=False) + "\n"


def as_script(repository: str) -> str:
    """Return a script that first shows AWS's preview of the policy and then applies it."""
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
    """Return the policy as a resource of Terraform's AWS provider."""
    return f"""\
resource "aws_ecr_lifecycle_policy" "{_identifier(repository)}" {{
  repository = "{repository}"
  policy     = file("${{path.module}}/{POLICY}")
}}
"""


def _identifier(repository: str) -> str:
    """Return a repository's name in the form that Terraform accepts for a resource.

    >>> _identifier("team-a/my.app"), _identifier("7days")
    ('team-a_my_app', '_7days')
    """
    name = re.sub(r"[^0-9A-Za-z_-]", "_", repository)
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"
