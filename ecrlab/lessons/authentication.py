"""Exercises and cards of 01-authentication."""

import base64
import json
import os
import textwrap
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from ecrlab.lessons.exercises import INSTANT, Exercise, NotYet, View
from ecrlab.lessons.questions import Question
from ecrlab.lessons.quizzes import Card, Choice

IRELAND = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def _expiry(view: View) -> str:
    view.require(
        not isinstance(view.answer, timedelta),
        "that is a length of time; the question is when, so add it to lab.clock.now()",
    )
    try:
        answer = view.answer if isinstance(view.answer, datetime) else datetime.fromisoformat(view.answer)
    except ValueError:
        shown = textwrap.shorten(repr(view.answer), 60, placeholder=" …")
        raise NotYet(f"{shown} is no datetime and no ISO 8601 text such as 2026-10-01T21:00:00+00:00") from None
    if answer.tzinfo is None:
        answer = answer.replace(tzinfo=UTC)
    away = answer - view.clock.now()
    view.require(away > timedelta(0), "that is in the lab's past; lab.clock.now() tells the time there")
    # Tokens show whole seconds, so an answer is right within the minute.
    view.require(
        abs(away - timedelta(hours=12)) < timedelta(minutes=1),
        f"that is {away.total_seconds() / 3600:.1f} hours from now; a token lives for twelve",
    )
    return "a token fetched now lives until " + answer.astimezone(UTC).isoformat(timespec="seconds")


def _ireland(view: View) -> str:
    try:
        config = json.loads((Path(os.environ["DOCKER_CONFIG"]) / "config.json").read_text(encoding="utf-8"))
        logins = {host: str(login["auth"]) for host, login in config.get("auths", {}).items() if login.get("auth")}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        raise NotYet("Docker's config.json is missing or cannot be read, so it has no password at all") from None
    others = f"; Docker has a password for {', '.join(logins)}" if logins else ""
    view.require(IRELAND in logins, f"Docker has no password for {IRELAND}{others}")
    try:
        user, _, password = base64.b64decode(logins[IRELAND], validate=True).decode().partition(":")
        view.require(user == "AWS", f"the user for {IRELAND} is {user}; for ECR it is always AWS")
        expiration = datetime.fromtimestamp(json.loads(base64.b64decode(password))["expiration"], UTC)
    except (ValueError, LookupError, TypeError, OverflowError, OSError):
        raise NotYet(f"what Docker keeps for {IRELAND} is no password that ECR gave; run the pipeline") from None
    view.require(expiration > view.clock.now(), f"the password for {IRELAND} has expired; fetch a fresh one")
    return f"Docker is logged in to {IRELAND}"


def _robot(view: View) -> str:
    view.images("nightly")
    robot = _as_role(view, "robot")
    view.require(
        _may(robot.get_authorization_token), "robot may not fetch a token: ecr:GetAuthorizationToken on resource *"
    )
    for action, call in _push_calls(robot, "nightly").items():
        view.require(_may(call), f"robot may not push to nightly: ecr:{action} is missing")
    for repository in ("hello", "nightly-2"):
        for action, call in _push_calls(robot, repository).items():
            view.require(not _may(call), f"robot also has ecr:{action} for {repository}; nightly is the only one")
    for action in ("ecr:BatchDeleteImage", "ecr:DeleteRepository"):
        answers = view.who_can("nightly", action)
        may = set(answers["principal"][answers["allowed"]])
        view.require(
            "arn:aws:iam::123456789012:role/robot" not in may,
            f"robot also has {action} for nightly; a push needs six actions, and none of them deletes",
        )
    return "robot may push to nightly and nowhere else, and delete nothing"


def _as_role(view: View, name: str) -> Any:
    """Return an ECR client with temporary keys of a role."""
    iam, sts = view.client("iam"), view.client("sts")
    try:
        role = iam.get_role(RoleName=name)["Role"]["Arn"]
        keys = sts.assume_role(RoleArn=role, RoleSessionName="check")["Credentials"]
    except iam.exceptions.NoSuchEntityException:
        raise NotYet(f"there is no role named {name}") from None
    return boto3.client(
        "ecr",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def _push_calls(ecr: Any, repository: str) -> dict[str, Callable[[], Any]]:
    """The actions of a push, each as a call that stores nothing."""
    nothing, upload = "sha256:" + "0" * 64, {"repositoryName": repository, "uploadId": str(uuid.UUID(int=0))}
    return {
        "BatchCheckLayerAvailability": lambda: ecr.batch_check_layer_availability(
            repositoryName=repository, layerDigests=[nothing]
        ),
        "InitiateLayerUpload": lambda: ecr.initiate_layer_upload(repositoryName=repository),
        "UploadLayerPart": lambda: ecr.upload_layer_part(partFirstByte=0, partLastByte=0, layerPartBlob=b"0", **upload),
        "CompleteLayerUpload": lambda: ecr.complete_layer_upload(layerDigests=[nothing], **upload),
        "PutImage": lambda: ecr.put_image(repositoryName=repository, imageManifest="{}"),
    }


def _may(call: Callable[[], Any]) -> bool:
    """Whether a call is not refused for want of a permission; any other error means that it may be made."""
    try:
        call()
    except ClientError as refused:
        return bool(refused.response["Error"]["Code"] != "AccessDeniedException")
    return True


EXERCISES = (
    Exercise(
        id="expiry-of-a-token",
        task="Say when a token fetched now would expire.",
        judge=_expiry,
        answer=INSTANT,
        hints=(
            "lab.clock.now() is the time in the lab, and a token lives for a fixed number of hours.",
            "Or let ECR tell: get_authorization_token() names the instant in expiresAt.",
        ),
        solution="""
answer = ecr.get_authorization_token()["authorizationData"][0]["expiresAt"]
lab.check("expiry-of-a-token", answer)
""",
    ),
    Exercise(
        id="log-in-to-ireland",
        task="Log Docker in to the registry in eu-west-1.",
        judge=_ireland,
        hints=(
            "A token belongs to the Region that issued it: --region must be eu-west-1.",
            "Docker keeps a password for one host name; Ireland's has eu-west-1 where Virginia's has us-east-1.",
        ),
        solution="""
aws ecr get-login-password --region eu-west-1 | \\
  docker login --username AWS --password-stdin \\
  123456789012.dkr.ecr.eu-west-1.amazonaws.com
""",
    ),
    Exercise(
        id="a-role-that-pushes",
        task="Make a repository nightly, and a role robot that may push there and nowhere else, and delete nothing.",
        judge=_robot,
        hints=(
            "aws iam create-role makes the role with its trust policy, aws iam put-role-policy writes what it may do.",
            "The token is on resource *; the other five actions are on "
            "arn:aws:ecr:us-east-1:123456789012:repository/nightly.",
        ),
        solution="""
aws ecr create-repository --repository-name nightly
aws iam create-role --role-name robot --assume-role-policy-document '{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}]}'
aws iam put-role-policy --role-name robot --policy-name push --policy-document '{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
  {"Effect": "Allow", "Resource": "arn:aws:ecr:us-east-1:123456789012:repository/nightly", "Action": [
    "ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload", "ecr:PutImage"]}]}'
""",
    ),
)

QUESTIONS = (
    Question(
        id="why-it-fails-tomorrow",
        question="docker push works today and fails tomorrow morning, while aws still works. Why?",
        model="aws signs every request with my keys, but Docker only has the password that ECR issued at the login, "
        "and that one expires after twelve hours unless somebody logs in again.",
    ),
)

CARDS = (
    Card(
        id="authentication/how",
        question="How do you authenticate Docker to ECR?",
        choices=(
            Choice(
                "docker login with your AWS access key as user and password",
                "The registry never sees your access key; it wants a token that ECR issued.",
            ),
            Choice(
                "aws ecr get-login-password, piped to docker login with the ECR registry URL",
                "The first command fetches a token with your AWS credentials, the second keeps it for that host.",
                right=True,
            ),
            Choice(
                "Nothing: Docker finds your AWS credentials by itself",
                "Only with a credential helper, which does the same behind the scenes.",
            ),
        ),
    ),
    Card(
        id="authentication/lifetime",
        question="A nightly job logged in at 20:00. At which time does its push begin to fail?",
        choices=(
            Choice("At 08:00", "Twelve hours after the token was issued.", right=True),
            Choice("At midnight", "Dates do not matter, only the hours since the token was issued."),
            Choice(
                "Never, each push renews the token", "Nothing renews it; after twelve hours somebody must log in again."
            ),
        ),
    ),
    Card(
        id="authentication/texts",
        question="docker push says: no basic auth credentials. What is wrong?",
        choices=(
            Choice("The token has expired", "Then the text would say so, with denied in front."),
            Choice(
                "Docker has no password for this host name",
                "It may have one for another account or Region: those are other host names.",
                right=True,
            ),
            Choice("You lack the permission to push", "That text names you, the action and the repository."),
        ),
    ),
    Card(
        id="authentication/scope",
        question="What may Docker do with a token that the role reader fetched?",
        choices=(
            Choice("Everything in the account", "A token opens no more doors than the principal who fetched it."),
            Choice("What the role reader may do", "The token is bound to the principal.", right=True),
            Choice("Only pull, as every token", "A token of somebody who may push can push."),
        ),
    ),
    Card(
        id="authentication/region",
        question="Your images are in us-east-1, your AWS CLI is set to eu-west-1. Which part of the login matters?",
        choices=(
            Choice(
                "--region us-east-1: token and host name must be of one Region",
                "ECR answers the login of a token of another Region with 400 Bad Request.",
                right=True,
            ),
            Choice("None, tokens are global", "They are issued by one Region for that Region."),
            Choice("The Region of the machine that pushes", "Where the machine stands plays no part."),
        ),
    ),
)
