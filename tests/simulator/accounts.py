"""Principals made with IAM and STS, and what they are told when they may not."""

import functools
import json

from tests.simulator.client import client_of

HOME, ABROAD = "123456789012", "333333333333"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:*"}})
NO_IDENTITY = "because no identity-based policy allows the {} action"
NO_RESOURCE = "because no resource-based policy allows the {} action"


def document(*actions: str, effect: str = "Allow", **elements) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": list(actions), **elements}]})


@functools.cache
def cached_client(endpoint: str, service: str, **key: str):
    return client_of(endpoint, service, **key)


class Account:
    """Makes principals of one account with IAM and STS, and ECR clients for them."""

    def __init__(self, endpoint: str, region: str, key: str | None = None) -> None:
        self.endpoint, self.region = endpoint, region
        given = {} if key is None else {"key": key}
        self.iam, self.sts = (cached_client(endpoint, service, **given) for service in ("iam", "sts"))
        self.ecr = client_of(endpoint, region=region, **given)

    def client(self, key: str):
        return client_of(self.endpoint, region=self.region, key=key)

    def user(self, *policies: str) -> tuple[str, str, object]:
        """Name, access key and ECR client of a new user."""
        name = f"ann-{self.region}-{len(self.iam.list_users()['Users'])}"
        self.iam.create_user(UserName=name)
        for number, policy in enumerate(policies):
            self.iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=policy)
        key = self.iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
        return name, key, self.client(key)

    def role(self, *policies: str, **settings) -> str:
        """The ARN of a new role."""
        name = f"ci-{self.region}-{len(self.iam.list_roles()['Roles'])}"
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, **settings)["Role"]
        for number, policy in enumerate(policies):
            self.iam.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=policy)
        return made["Arn"]

    def assume(self, role_arn: str, **settings) -> tuple[str, object]:
        """Access key and ECR client of a session of a role."""
        answer = self.sts.assume_role(RoleArn=role_arn, RoleSessionName="build-7", **settings)
        key = answer["Credentials"]["AccessKeyId"]
        return key, self.client(key)


def arn_of(region: str, repository: str = "app", account: str = HOME) -> str:
    return f"arn:aws:ecr:{region}:{account}:repository/{repository}"


def denial(principal: str, action: str, resource: str, tail: str) -> tuple[str, str]:
    text = f"User: {principal} is not authorized to perform: {action} on resource: {resource} {tail}"
    return "AccessDeniedException", text.format(action)
