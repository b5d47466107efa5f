"""The choice between a lab and the user's own account, for commands that read a repository.

`--endpoint` names a lab. A terminal that is attached to a lab, or belongs to the kit's JupyterLab, reads a lab and
never falls back to an account. Any other terminal reads the account.
"""

import argparse
import json
import os
import urllib.request
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from ecrlab.lifecycle import aws
from ecrlab.lifecycle.errors import LifecycleError
from ecrlab.lifecycle.files import Unusable
from ecrlab.lifecycle.reading import instant
from ecrlab.machine import environment, running, signing


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
    """Return a boto3 ECR client for a lab, with the keys of this terminal if they are this lab's."""
    import boto3
    from botocore.exceptions import BotoCoreError

    is_attached = os.environ.get("ECRLAB_ENDPOINT") == lab.endpoint
    keys = () if is_attached else (environment.ACCESS_KEY_ID, lab.secret)
    try:
        session = boto3.Session(*keys, region_name=region or environment.REGION)
        return session.client("ecr", endpoint_url=lab.endpoint)
    except (BotoCoreError, ValueError) as error:  # botocore does not check some settings: AWS_MAX_ATTEMPTS=many
        raise Unusable(str(error)) from error


def time_of(client: Any) -> datetime:
    """Return the time of a client's registry; a lab on this machine has its own clock."""
    endpoint = client.meta.endpoint_url
    if urlsplit(endpoint).hostname in environment.LOOPBACK:
        url = f"{endpoint.rstrip('/')}/_ecrlab/clock"
        # Never through a proxy: the lab is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(url, headers=signing.headers("GET", url))
        try:
            with opener.open(request, timeout=10) as answer:
                return instant(json.load(answer)["now"])
        except (OSError, ValueError, KeyError, TypeError, LifecycleError):
            pass
    return datetime.now(UTC)
