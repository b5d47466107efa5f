"""The choice between a lab and the user's own account, for commands that read a repository.

`--endpoint` names a lab. A terminal that is attached to a lab, or belongs to the kit's JupyterLab, reads a lab and
never falls back to an account. Any other terminal reads the account.
"""

import argparse
import os
from typing import Any

from ecrlab.lifecycle import aws
from ecrlab.lifecycle.files import Unusable
from ecrlab.machine import environment, running


def configure(parser: argparse.ArgumentParser, of: str = "") -> None:
    """Declare the options that name an account or a lab; `of` ends their help."""
    parser.add_argument("--profile", help=f"the AWS profile{of}")
    parser.add_argument("--region", help=f"the Region{of}")
    parser.add_argument(
        "--endpoint", help="read a lab (default: the one that this terminal is attached to, or else your account)"
    )


def connect(options: argparse.Namespace) -> Any:
    """Return a boto3 ECR client for the lab or the account that the options and this terminal name.

    Raises `EcrLabError` if there is no such lab, or AWS cannot be reached.
    """
    if not options.endpoint and "ECRLAB_ENDPOINT" not in os.environ:
        return aws.connect(options.profile, options.region)
    if options.profile:
        raise Unusable("--profile names an account on AWS, and this terminal is a lab's: use another")
    return lab_client(running.choose(options.endpoint), options.region)


def lab_client(lab: running.RunningLab, region: str | None) -> Any:
    """Return a boto3 ECR client for a lab, with the keys of this terminal if they are a lab's."""
    import boto3
    from botocore.exceptions import BotoCoreError

    keys = () if "ECRLAB_ENDPOINT" in os.environ else (environment.ACCESS_KEY_ID, environment.SECRET_ACCESS_KEY)
    try:
        session = boto3.Session(*keys, region_name=region or environment.REGION)
        return session.client("ecr", endpoint_url=lab.endpoint)
    except (BotoCoreError, ValueError) as error:  # botocore does not check some settings: AWS_MAX_ATTEMPTS=many
        raise Unusable(str(error)) from error
