"""Where commands that read a repository find it: in a lab, or in the user's own account.

A terminal that a lab has touched (it is attached to one, or belongs to the kit's JupyterLab) means a lab, and never
falls back to an account; any other terminal means the account, unless `--endpoint` names a lab.
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
    """A boto3 client of ECR for the lab or the account that the options and this terminal mean.

    Raises `EcrLabError` when there is no such lab, or AWS cannot be reached.
    """
    if not options.endpoint and "ECRLAB_ENDPOINT" not in os.environ:
        return aws.connect(options.profile, options.region)
    if options.profile:
        raise Unusable("--profile names an account on AWS, and this terminal is a lab's: use another")
    return lab_client(running.choose(options.endpoint), options.region)


def lab_client(lab: running.RunningLab, region: str | None) -> Any:
    """A boto3 client of ECR for a lab, with the keys of this terminal if they are a lab's."""
    import boto3
    from botocore.exceptions import BotoCoreError

    keys = () if "ECRLAB_ENDPOINT" in os.environ else (environment.ACCESS_KEY_ID, environment.SECRET_ACCESS_KEY)
    try:
        session = boto3.Session(*keys, region_name=region or environment.REGION)
        return session.client("ecr", endpoint_url=lab.endpoint)
    except (BotoCoreError, ValueError) as error:  # settings that botocore does not check: AWS_MAX_ATTEMPTS=many
        raise Unusable(str(error)) from error
