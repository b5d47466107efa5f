"""Walls between labs: what another lab of this machine knows, or another user, opens nothing here."""

import http.client
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field

import boto3
import pytest
from botocore.auth import S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import ecrlab
from ecrlab.commands import cli
from ecrlab.lessons import seeds
from ecrlab.machine.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY, new_secret
from ecrlab.registry import names, tokens
from ecrlab.registry.world import World
from ecrlab.simulator import downloads
from ecrlab.simulator.access.callers import DEFAULT_ACCOUNT, LEARNER_ARN
from ecrlab.simulator.server import Server
from tests.simulator.client import Repository

HOST = f"{DEFAULT_ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
REFUSED = (400, 401, 403)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CLOCK, POD = "/_ecrlab/clock?seconds=60", b'{"kind": "Pod", "metadata": {"name": "evil"}}'


@dataclass(frozen=True)
class Asked:
    """A request, in the words of JSON."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    def status(self, host: str) -> int:
        connection = http.client.HTTPConnection(host, timeout=10)
        connection.request(self.method, self.target, self.body or None, self.headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status


def action(name: str) -> dict[str, str]:
    return {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"AmazonEC2ContainerRegistry_V20150921.{name}",
    }


def signed(
    host: str,
    secret: str,
    *,
    key: str = ACCESS_KEY_ID,
    service: str = "ecr",
    method: str = "POST",
    target: str = "/",
    headers: dict[str, str] | None = None,
    body: bytes = b'{"repositoryName": "evil"}',
) -> Asked:
    """A request that botocore signs; the default creates a repository."""
    given = action("CreateRepository") if headers is None else headers
    request = AWSRequest(method, f"http://{host}{target}", headers=given, data=body)
    SigV4Auth(Credentials(key, secret), service, "us-east-1").add_auth(request)
    return Asked(method, target, dict(request.headers), body.decode())


class Stranger:
    """Another lab, which has the same seed, users and images as the one with the walls."""

    def __init__(self, folder) -> None:
        self.secret = new_secret()
        self.world = World(folder, seed=seeds.read(None).ids, durable=False)
        self.server = Server(self.world, secret=self.secret)
        keys = {"aws_access_key_id": ACCESS_KEY_ID, "aws_secret_access_key": self.secret}
        self.client = lambda service: boto3.client(
            service, endpoint_url=self.server.endpoint, region_name="us-east-1", **keys
        )
        self.key = with_a_user(self.client("iam"))

    def token(self, region: str = "us-east-1") -> dict[str, str]:
        """The login of its learner."""
        password, _ = tokens.issue(self.world, DEFAULT_ACCOUNT, region, LEARNER_ARN, ACCESS_KEY_ID)
        return {"Authorization": f"Basic {tokens.base64.b64encode(f'AWS:{password}'.encode()).decode()}"}


def with_a_user(iam) -> dict[str, str]:
    iam.create_user(UserName="ann")
    iam.put_user_policy(
        UserName="ann",
        PolicyName="all",
        PolicyDocument='{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}',
    )
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    stranger = Stranger(tmp_path_factory.mktemp("stranger") / "state")
    yield stranger
    stranger.server.stop()
    stranger.world.close()


@pytest.fixture(scope="module")
def lab(stranger):
    with ecrlab.start() as lab:
        lab.key = with_a_user(boto3.client("iam"))
        ecr = boto3.client("ecr")
        ecr.create_repository(repositoryName="inner")
        Repository(ecr, "inner").push(b"x", tag="v1")
        boto3.client("ecr-public").create_repository(repositoryName="outer")
        boto3.client("s3").create_bucket(Bucket="bucket")
        lab.account("222233334444", name="staging")
        yield lab


@pytest.fixture(scope="module")
def host(lab):
    return lab.endpoint.removeprefix("http://")


@pytest.fixture(scope="module")
def attempts(lab, host, stranger) -> dict[str, Asked]:
    """What a stranger can try; with the lab's own secrets each would be answered."""
    theirs = stranger.secret
    digest = Repository(boto3.client("ecr"), "inner").layer(b"x")
    url = downloads.url(stranger.world.registry(DEFAULT_ACCOUNT, "us-east-1"), host, "inner", digest)
    bucket = AWSRequest("GET", f"http://{host}/bucket")
    S3SigV4QueryAuth(Credentials(ACCESS_KEY_ID, theirs), "s3", "us-east-1", expires=60).add_auth(bucket)
    alias = boto3.client("ecr-public").describe_registries()["registries"][0]["aliases"][0]["name"]
    login = stranger.token(names.PUBLIC)["Authorization"].removeprefix("Basic ")
    create = signed(host, theirs)
    user = {"headers": FORM, "body": b"Action=CreateUser&UserName=evil&Version=2010-05-08"}
    return {
        "ECR, unsigned": Asked("POST", "/", action("CreateRepository"), create.body),
        "ECR, a stranger's key": signed(host, theirs, key="AKIAIOSFODNN7EXAMPLE"),
        "ECR, the right key": create,
        "ECR, the secret of open labs": signed(host, SECRET_ACCESS_KEY),
        "ECR, no secret": signed(host, ""),
        "ECR, the signature of another request": Asked("POST", "/", create.headers, '{"repositoryName": "evil-2"}'),
        "ECR, a user of the same name": signed(
            host, stranger.key["aws_secret_access_key"], key=lab.key["aws_access_key_id"]
        ),
        "ECR, by proxy": Asked("POST", f"http://{host}/", create.headers, create.body),
        "ECR Public": signed(
            host,
            theirs,
            service="ecr-public",
            headers=action("x") | {"X-Amz-Target": "SpencerFrontendService.CreateRepository"},
        ),
        "IAM": signed(host, theirs, service="iam", **user),
        "IAM, unsigned": Asked("POST", "/", FORM, user["body"].decode()),
        "STS": signed(
            host,
            theirs,
            service="sts",
            headers=FORM,
            body=b"Action=AssumeRole&Version=2011-06-15&RoleSessionName=evil"
            b"&RoleArn=arn:aws:iam::222233334444:role/OrganizationAccountAccessRole",
        ),
        "STS, as a web identity": Asked(
            "POST",
            "/",
            FORM,
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=evil&WebIdentityToken=evil"
            "&RoleArn=arn:aws:iam::222233334444:role/OrganizationAccountAccessRole",
        ),
        "S3": signed(host, theirs, service="s3", method="PUT", target="/evil", headers={}, body=b""),
        "S3, a presigned URL": Asked("GET", bucket.url.removeprefix(f"http://{host}")),
        "S3, unsigned": Asked("GET", "/bucket"),
        "the clock, to read": Asked("GET", "/_ecrlab/clock"),
        "the clock": Asked("POST", CLOCK, {"X-Ecrlab": "1"}),
        "the clock, signed": signed(host, theirs, service="ecrlab", target=CLOCK, headers={"X-Ecrlab": "1"}, body=b""),
        "pods, to read": Asked("GET", "/_ecrlab/kubernetes/pods"),
        "pods": Asked("POST", "/_ecrlab/kubernetes/pods", {"X-Ecrlab": "1"}, POD.decode()),
        "pods, signed": signed(
            host,
            theirs,
            service="ecrlab",
            target="/_ecrlab/kubernetes/pods",
            headers={"X-Ecrlab": "1"},
            body=POD,
        ),
        "a pull, without a login": Asked("GET", "/v2/inner/manifests/v1"),
        "a pull, with a token": Asked("GET", "/v2/inner/manifests/v1", stranger.token()),
        "a push, with a token": Asked("POST", "/v2/inner/blobs/uploads/", stranger.token()),
        "a pull, by proxy": Asked("GET", f"http://{HOST}/v2/inner/manifests/v1", stranger.token()),
        "a public push, anonymous": Asked("POST", f"/v2/{alias}/outer/blobs/uploads/", {"Host": names.PUBLIC_HOST}),
        "a public push, with a token": Asked(
            "POST",
            f"/v2/{alias}/outer/blobs/uploads/",
            {"Host": names.PUBLIC_HOST, "Authorization": f"Bearer {login}"},
        ),
        "a layer": Asked("GET", url.removeprefix(f"http://{host}")),
        "a layer, unsigned": Asked("GET", url.removeprefix(f"http://{host}").partition("?")[0]),
        "a private repository in the gallery": Asked("GET", f"/gallery/{alias}/inner"),
        "moto's own API": Asked("POST", "/moto-api/reset"),
    }


def state(lab):
    repositories = boto3.client("ecr").describe_repositories()["repositories"]
    users = [user["UserName"] for user in boto3.client("iam").list_users()["Users"]]
    return repositories, users, boto3.client("s3").list_buckets()["Buckets"], lab.clock.now()


def test_nothing_of_another_lab_opens_this_one(lab, host, attempts):
    before = state(lab)

    let_in = {name: status for name, asked in attempts.items() if (status := asked.status(host)) not in REFUSED}

    assert let_in == {"a private repository in the gallery": 404}
    assert state(lab) == before


def test_two_labs_give_the_same_user_the_same_key_and_another_secret(lab, stranger):
    assert lab.key["aws_access_key_id"] == stranger.key["aws_access_key_id"]
    assert lab.key["aws_secret_access_key"] != stranger.key["aws_secret_access_key"]
    assert boto3.client("sts", **lab.key).get_caller_identity()["Arn"].endswith(":user/ann")


def test_the_labs_own_ways_in_stay_open(lab, host, capsys):
    """The same requests as a stranger's, with this lab's secret."""
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    before = lab.clock.now()

    own = signed(host, secret, headers=action("DescribeRepositories"), body=b"{}")
    by_proxy = Asked("POST", f"http://{host}/", own.headers, own.body)
    assert [own.status(host), by_proxy.status(host)] == [200, 200]
    assert cli.main(["clock", "--endpoint", lab.endpoint, "advance", "1h"]) == 0
    assert capsys.readouterr().out.strip() == lab.clock.now().isoformat() != before.isoformat()
    assert lab.account("222233334444", name="staging").client("sts").get_caller_identity()["Account"] == "222233334444"


def test_the_secret_is_only_in_files_of_its_user_and_in_no_output(lab, capsys):
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    folder = lab._folder.path
    assert cli.main(["env", "--endpoint", lab.endpoint]) == 0
    assert f"export AWS_SECRET_ACCESS_KEY={secret}\n" in capsys.readouterr().out

    files = [path for path in folder.rglob("*") if path.is_file()]
    holding = {path.relative_to(folder).as_posix(): path for path in files if secret.encode() in path.read_bytes()}
    assert sorted(holding) == ["aws/credentials", "lab.json"]
    assert {oct(path.stat().st_mode & 0o777) for path in holding.values()} == {"0o600"}
    assert folder.stat().st_mode & 0o777 == 0o700
    found = next(one for one in ecrlab.machine.running.find() if one.endpoint == lab.endpoint)
    assert found.secret == secret
    assert secret not in f"{lab!r} {found!r} {found} {files}"


STRANGER = """
import encodings.idna, http.client, json, os, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
host, folder, pid, attempts = json.load(sys.stdin)
statuses = {}
for name, (method, target, headers, body) in attempts.items():
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request(method, target, body or None, headers)
    statuses[name] = connection.getresponse().status
    connection.close()
read = []
for path in (folder + "/lab.json", folder + "/aws/credentials", folder + "/lab.log", f"/proc/{pid}/environ"):
    try:
        read.append(open(path, "rb").read().decode())
    except OSError:
        pass
print(json.dumps([os.getuid(), statuses, read]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_of_this_machine_gets_no_further(lab, host, attempts):
    before = state(lab)
    tries = {name: list(asdict(asked).values()) for name, asked in attempts.items()}
    told = json.dumps([host, str(lab._folder.path), os.getpid(), tries])

    ran = subprocess.run([sys.executable, "-c", STRANGER], input=told, capture_output=True, text=True)

    assert ran.returncode == 0, ran.stderr
    user, statuses, read = json.loads(ran.stdout)
    assert (user, read) == (65534, [])
    assert [name for name, status in statuses.items() if status not in (*REFUSED, 404)] == []
    assert len(statuses) == len(attempts) and state(lab) == before
