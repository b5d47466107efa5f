"""Follow an image through Amazon ECR in the terminal, from login to clean-up, in under a minute.

The tour shows each command, runs it, and prints its own output. You would type the same commands on AWS. Here they use
a lab of their own, which the tour deletes at its end.

examples:
  python3 -m ecrlab tour
  python3 -m ecrlab tour --step   wait for Enter before each command, to talk about it
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from ecrlab.errors import EcrLabError
from ecrlab.machine import environment, originals
from ecrlab.machine.bootstrap import importable_from
from ecrlab.machine.requirements import CHECKOUT, how_to_install, program
from ecrlab.machine.running import temporary_folder


class Step(NamedTuple):
    """A command, and a sentence that explains it."""

    because: str
    command: str


STEPS = (
    Step(
        "Authenticate Docker to ECR: a password for twelve hours, through a pipe so that nobody sees it.",
        """\
aws ecr get-login-password --region us-east-1 | \\
  docker login --username AWS --password-stdin \\
  123456789012.dkr.ecr.us-east-1.amazonaws.com""",
    ),
    Step(
        "Create a repository as for production: scanned, encrypted with a key of KMS, its tags immutable.",
        """\
aws ecr create-repository \\
  --repository-name my-app \\
  --image-scanning-configuration scanOnPush=true \\
  --encryption-configuration encryptionType=KMS \\
  --image-tag-mutability IMMUTABLE""",
    ),
    Step("Build the image from the Dockerfile in this folder.", "docker build -t my-app:v1.2.3 ."),
    Step(
        "Tag it with its repository's address, and push it.",
        """\
docker tag my-app:v1.2.3 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:v1.2.3
docker push 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:v1.2.3""",
    ),
    Step(
        "List what is in the repository.",
        """\
aws ecr describe-images \\
  --repository-name my-app \\
  --query 'imageDetails[*].[imageTags[0],imagePushedAt,imageSizeInBytes]' \\
  --output table""",
    ),
    Step(
        "Read the findings of the scan on push. (Another scan, with start-image-scan, is possible a day later.)",
        """\
aws ecr wait image-scan-complete --repository-name my-app --image-id imageTag=v1.2.3
aws ecr describe-image-scan-findings \\
  --repository-name my-app \\
  --image-id imageTag=v1.2.3""",
    ),
    Step(
        "Pull it, as a new server would.",
        """\
docker rmi my-app:v1.2.3 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:v1.2.3
docker pull 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:v1.2.3""",
    ),
    Step(
        "Release eleven more versions, as a pipeline does, so that there is something to clean up.",
        """\
for n in 4 5 6 7 8 9 10 11 12 13 14; do
  image=123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:v1.2.$n
  docker build --quiet --label release=$n --tag $image . && docker push --quiet $image
done""",
    ),
    Step(
        "Expire old images automatically: keep the last ten releases, and untagged images for a day.",
        """\
aws ecr put-lifecycle-policy \\
  --repository-name my-app \\
  --lifecycle-policy-text '{
    "rules": [
      {
        "rulePriority": 1,
        "description": "Keep last 10 tagged images",
        "selection": {
          "tagStatus": "tagged",
          "tagPrefixList": ["v"],
          "countType": "imageCountMoreThan",
          "countNumber": 10
        },
        "action": {"type": "expire"}
      },
      {
        "rulePriority": 2,
        "description": "Delete untagged after 1 day",
        "selection": {
          "tagStatus": "untagged",
          "countType": "sinceImagePushed",
          "countUnit": "days",
          "countNumber": 1
        },
        "action": {"type": "expire"}
      }
    ]
  }'""",
    ),
    Step(
        "Preview what the policy would delete.",
        """\
aws ecr start-lifecycle-policy-preview --repository-name my-app --query status
aws ecr wait lifecycle-policy-preview-complete --repository-name my-app
aws ecr get-lifecycle-policy-preview \\
  --repository-name my-app \\
  --query 'previewResults[*].[imageTags[0],action.type,appliedRulePriority]' \\
  --output table""",
    ),
    Step(
        "ECR acts within a day; the clock of a lab can be moved. Two releases are gone.",
        """\
python3 -m ecrlab clock advance 1d
aws ecr describe-images --repository-name my-app --query 'imageDetails[*].imageTags[0]' --output text""",
    ),
    Step(
        "Clean up: the repository, with the image in it.",
        "aws ecr delete-repository --repository-name my-app --force --query repository.repositoryUri",
    ),
    Step("Nothing is left.", "aws ecr describe-repositories"),
)
"""The life of an image, from the first login to the clean-up."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ecrlab tour`."""
    parser.add_argument("--step", action="store_true", help="wait for Enter before each command")


def run(options: argparse.Namespace) -> int:
    """Show and run the steps in order. Raises `EcrLabError` if a command fails, and without an AWS CLI."""
    import ecrlab

    if environment.aws_cli(os.environ) is None:
        raise EcrLabError(f"the tour needs the AWS CLI; to install it: {how_to_install('aws')}")
    # The terminal's width never adds line breaks to a command.
    console = Console(highlight=False, soft_wrap=True)
    with temporary_folder("ecrlab-tour-") as folder, ecrlab.start():
        work = shutil.copytree(originals.app("my-app"), folder / "my-app")
        for number, step in enumerate(STEPS, start=1):
            console.print(f"\n{number}. {step.because}", style="bold", markup=False)
            console.print(_typed(step.command), style="cyan", markup=False)
            if options.step:
                _wait_for_enter()
            _run(step.command, work)
    console.print(f"\nNext: {program()} opens the lessons, which explain each of these steps.", markup=False)
    return 0


def _typed(command: str) -> str:
    r"""Return a command as it appears after a prompt; continuation lines are indented.

    >>> print(_typed("echo one \\\n  two\necho three"))
    $ echo one \
        two
    $ echo three
    """
    prompt, lines = "$ ", []
    for line in command.splitlines():
        lines.append(prompt + line)
        prompt = "  " if line.endswith("\\") else "$ "
    return "\n".join(lines)


def _run(command: str, folder: Path) -> None:
    """Run a command with our own output stream."""
    sys.stdout.flush()
    inside = importable_from(CHECKOUT, dict(os.environ))
    status = subprocess.run(["sh", "-e", "-c", command], cwd=folder, env=inside, check=False).returncode
    if status:
        raise EcrLabError(f"the tour stops here: the command above failed with exit status {status}")


def _wait_for_enter() -> None:
    """Wait for Enter, or for the end of the input."""
    sys.stdout.flush()
    sys.stdin.readline()
