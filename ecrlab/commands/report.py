"""Report the ages and costs of repositories, the savings of a policy, and the running images that it would take.

The command reads repositories of your own account with ordinary credentials, or of a running lab: the one that
--endpoint names, or that this terminal is attached to. It changes nothing. It needs the IAM actions ecr:DescribeImages
and ecr:BatchGetImage.

On AWS, reading manifests counts as pulling. The report shows the pull times from before, but afterwards each image has
today's as its lastRecordedPullTime, also for rules that archive images by their last pull. To prevent that, exempt your
role with aws ecr register-pull-time-update-exclusion.

The report simulates the next year from the pushes of the last 90 days. It does not read a repository's present policy;
pass its text with --policy.

Exit status: 0 no finding; 1 the policy would take a running image; 2 unusable input, no such repository, no access, or
output that cannot be written.

examples:
  python3 -m ecrlab report --repository my-app --output html > report.html
  aws ecs describe-tasks --cluster shop --tasks ... > running.json
  python3 -m ecrlab report --repository my-app --policy policy.json --running running.json
"""

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from ecrlab.analysis.costs import prices
from ecrlab.analysis.inventory import running
from ecrlab.analysis.inventory.reading import read
from ecrlab.analysis.inventory.running import Reference
from ecrlab.analysis.report.json_document import as_json
from ecrlab.analysis.report.report import Report, as_text
from ecrlab.commands import account
from ecrlab.errors import EcrLabError
from ecrlab.lifecycle import Policy
from ecrlab.lifecycle.files import Unusable, about, policy_of, text_of

CLEAN, FINDINGS, UNUSABLE = 0, 1, 2


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ecrlab report`."""
    add = parser.add_argument
    add("--repository", nargs="+", action="extend", required=True, metavar="NAME", help="one or several")
    add("--policy", type=Path, metavar="FILE", help="a lifecycle policy, in the form of put-lifecycle-policy")
    add(
        "--running",
        type=Path,
        metavar="FILE",
        help="running images: references, one on each line, or JSON of aws ecs describe-tasks,"
        " describe-task-definition, kubectl get pods or aws lambda get-function",
    )
    add("--prices", type=Path, metavar="FILE", help=f"in place of {prices.OURS.name} of this kit")
    account.configure(parser)
    add("--output", choices=("table", "json", "html"), default="table")


def run(options: argparse.Namespace) -> int:
    """Print the report, and return the exit status."""
    try:
        table, policy = prices.load(options.prices), _policy(options.policy)
        references = _references(options.running)
        client = account.connect(options)
        at = account.time_of(client)
        names = list(dict.fromkeys(options.repository))
        reports = [Report(_read(client, name, at), table, policy, references) for name in names]
        _print(reports, options.output)
    except EcrLabError as error:
        print(f"ecrlab report: {error}", file=sys.stderr)
        return UNUSABLE
    harmed = dict.fromkeys(where for report in reports for risk in report.harmed for where in risk.where)
    for where in harmed:
        print(f"ecrlab report: it runs, but would go: {where}", file=sys.stderr)
    return FINDINGS if harmed else CLEAN


def _print(reports: list[Report], output: str) -> None:
    if output == "json":
        print(json.dumps(as_json(reports), indent=2))
    elif output == "html":
        import matplotlib as mpl

        # Pictures for a file need no screen.
        mpl.use("agg")
        from ecrlab.analysis.report.html_page import page

        print(page(reports), end="")
    else:
        for line in as_text(reports):
            print(line)


def _read(client: Any, name: str, at: datetime) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return read(client, name, at=at)
    except (BotoCoreError, ClientError) as error:
        # Some of botocore's texts have several lines.
        raise Unusable(f"{name}: {' '.join(str(error).split())}") from error


def _policy(path: Path | None) -> Policy | None:
    return None if path is None else policy_of(path)


def _references(path: Path | None) -> list[Reference]:
    if path is None:
        return []
    with about(path):
        return running.references(text_of(path))
