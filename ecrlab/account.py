"""Another account of the lab, or another role: a profile in the lab's own AWS configuration.

    [profile staging]
    role_arn = arn:aws:iam::222233334444:role/OrganizationAccountAccessRole
    source_profile = learner

boto3 and the AWS CLI assume the role by themselves, as they do on AWS (AWS CLI user guide, using an IAM role).
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ecrlab.errors import EcrLabError
from ecrlab.machine import environment
from ecrlab.machine.running import in_temporary_files
from ecrlab.surroundings import set_variables, variables

ACCOUNT_ID = re.compile(r"[0-9]{12}", re.ASCII)
PROFILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Account:
    """A principal that the learner can act as. Made by `lab.account("222233334444", name="staging")`.

    `account_id` has 12 digits; `name` is the AWS profile, for `aws --profile staging …`.
    """

    def __init__(self, account_id: str, name: str) -> None:
        self.account_id = account_id
        self.name = name

    @property
    def host(self) -> str:
        """The host name of its registry, for Docker."""
        return f"{self.account_id}.dkr.ecr.{environment.REGION}.amazonaws.com"

    def client(self, service: str, **settings: Any) -> Any:
        """A boto3 client that acts as this principal; `settings` are those of `boto3.client` (`region_name` …)."""
        import boto3

        return boto3.Session(profile_name=self.name).client(service, **settings)

    @contextlib.contextmanager
    def environment(self) -> Iterator[None]:
        """Act as this principal while the block runs, with plain boto3 and with `aws`. Docker keeps its logins."""
        # Keys in the environment would win over the profile.
        inside = {"AWS_PROFILE": self.name, "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
        before = variables(inside)
        set_variables(inside)
        try:
            yield
        finally:
            set_variables(before)

    def __repr__(self) -> str:
        return f"<account {self.account_id}, profile {self.name}>"


def enter(directory: Path, account_id: str, name: str, role_arn: str | None, secret: str) -> Account:
    """Write the profile into the lab's folder, and return who acts by it: the role, or without one the learner.

    `secret` is the learner's.
    Raises `EcrLabError` for an invalid account number or profile name.
    """
    if not isinstance(account_id, str) or not ACCOUNT_ID.fullmatch(account_id):
        raise EcrLabError(f'an account has 12 digits, as in lab.account("222233334444"), got {account_id!r}')
    if not isinstance(name, str) or not PROFILE.fullmatch(name) or name in ("default", "learner"):
        raise EcrLabError(f"a profile has a name of letters, digits, '.', '_' and '-', got {name!r}")
    with in_temporary_files():
        environment.write_profile(directory, name, role_arn, secret)
    return Account(account_id, name)
