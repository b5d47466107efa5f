"""Exercises and cards of 08-cross-account-access."""

from typing import TYPE_CHECKING

from ecrlab.lessons.exercises import Exercise, View
from ecrlab.lessons.questions import Question
from ecrlab.lessons.quizzes import Card, Choice

if TYPE_CHECKING:
    import pandas as pd

STAGING, PARTNER = "222233334444", "444455556666"
DEPLOY = f"arn:aws:iam::{STAGING}:role/deploy"
ADMINISTRATOR = f"arn:aws:iam::{STAGING}:role/OrganizationAccountAccessRole"
LAMBDA = "lambda.amazonaws.com"
PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
)


def _those_who_may(view: View, repository: str, action: str, source_arn: str = "", **role: str) -> set[str]:
    """Return the principals that may take an action; `session` names that of a role. Raises `NotYet` without the
    repository.
    """
    view.images(repository)
    answers: pd.DataFrame = view.who_can(repository, action, source_arn=source_arn, **role)
    return set(answers["principal"][answers["allowed"]])


def _is_at_home(principal: str) -> bool:
    return principal.startswith("arn:aws:iam::123456789012:")


def _only_deploy(view: View) -> str:
    for action in PULL:
        may = _those_who_may(view, "shop", action)
        view.require(DEPLOY in may, f"staging's role deploy may not call {action} in shop: both sides must allow it")
        others = sorted(one for one in may if one != DEPLOY and not _is_at_home(one))
        view.require(not others, f"{_listed(others)} may call {action} in shop, too; name the role, not its account")
        view.require(
            DEPLOY in _those_who_may(view, "shop", action, session="another"),
            f"only one session of staging's role deploy may call {action} in shop; name the role, {DEPLOY}",
        )
    for action in PUSH:
        others = sorted(one for one in _those_who_may(view, "shop", action) if not _is_at_home(one))
        view.require(not others, f"{_listed(others)} may call {action} in shop; it should only pull")
    return "of other accounts, staging's role deploy alone pulls from shop"


def _freeze(view: View) -> str:
    uploading = sorted(_those_who_may(view, "my-app", "ecr:InitiateLayerUpload"))
    putting = sorted(_those_who_may(view, "my-app", "ecr:PutImage"))
    view.require(
        putting or not uploading,
        "no image can be pushed, but layers can still be uploaded: deny ecr:InitiateLayerUpload, too",
    )
    view.require(
        uploading or not putting,
        "no layer can be uploaded, but an image of layers that are there can still be pushed: deny ecr:PutImage, too",
    )
    view.require(
        not uploading,
        f"{_listed(uploading)} may call ecr:InitiateLayerUpload in my-app; "
        "a Deny for every principal stops also the owner",
    )
    for action in PULL:
        may = sorted(_those_who_may(view, "my-app", action))
        for principal in (DEPLOY, ADMINISTRATOR):
            view.require(
                principal in may, f"{principal} may not call {action} in my-app; a freeze stops pushes, not pulls"
            )
    return "nobody pushes to my-app, and staging still pulls"


def _tools(view: View) -> str:
    functions = {account: f"arn:aws:lambda:us-east-1:{account}:function:web" for account in (STAGING, PARTNER)}
    for action in PULL:
        view.require(
            ADMINISTRATOR in _those_who_may(view, "tools", action),
            f"staging's administrator may not call {action} in tools",
        )
        view.require(
            LAMBDA in _those_who_may(view, "tools", action, functions[STAGING]),
            f"Lambda may not call {action} in tools for a function of staging; it is a principal of its own",
        )
        may = _those_who_may(view, "tools", action, functions[PARTNER])
        others = sorted(one for one in may if STAGING not in one and one != LAMBDA and not _is_at_home(one))
        view.require(not others, f"{_listed(others)} may call {action} in tools, and is not of staging")
        view.require(LAMBDA not in may, f"Lambda may call {action} in tools also for a function of {PARTNER}")
    for action in (*PUSH, "ecr:BatchDeleteImage"):
        may = _those_who_may(view, "tools", action, functions[STAGING])
        others = sorted(one for one in may if not _is_at_home(one))
        view.require(not others, f"{_listed(others)} may call {action} in tools; it should only pull")
    return "staging and its functions pull from tools, and nobody of another account does more"


def _listed(principals: list[str]) -> str:
    return " and ".join(principals)


EXERCISES = (
    Exercise(
        id="only-deploy-pulls",
        task="Let staging's role deploy, and nobody else of another account, pull from a repository shop.",
        judge=_only_deploy,
        hints=(
            "A principal can be an account, arn:aws:iam::222233334444:root, or one role of it.",
            "Two actions make a pull; deploy's own policy allows them already, for every repository of production.",
        ),
        solution="""
with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
    ecr.create_repository(repositoryName="shop")
deploy_only = {"AWS": "arn:aws:iam::222233334444:role/deploy"}
text = policy({"Sid": "Deploy", "Effect": "Allow", "Principal": deploy_only, "Action": PULL})
ecr.set_repository_policy(repositoryName="shop", policyText=text)
lab.check("only-deploy-pulls")
""",
    ),
    Exercise(
        id="freeze",
        task="Freeze my-app: nobody pushes, not even production's administrator; staging still pulls.",
        judge=_freeze,
        hints=(
            'Keep a statement that lets staging pull, and add one with the effect Deny and the principal "*".',
            "A push starts with ecr:InitiateLayerUpload and ends with ecr:PutImage; deny both.",
        ),
        solution="""
pulls = {"Sid": "Staging", "Effect": "Allow", "Principal": STAGING, "Action": PULL}
freeze = {"Sid": "Freeze", "Effect": "Deny", "Principal": "*", "Action": PUSH}
ecr.set_repository_policy(repositoryName="my-app", policyText=policy(pulls, freeze))
lab.check("freeze")
""",
    ),
    Exercise(
        id="tools-for-staging",
        task="A repository tools from which staging and its Lambda functions pull, and nobody else outside.",
        judge=_tools,
        hints=(
            "Two statements: the account, and the service principal lambda.amazonaws.com with a condition.",
            "StringLike on aws:sourceArn ties the service to the functions of one account.",
        ),
        solution="""
with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
    ecr.create_repository(repositoryName="tools")
of_staging = {"StringLike": {"aws:sourceArn": "arn:aws:lambda:*:222233334444:function:*"}}
people = {"Effect": "Allow", "Principal": STAGING, "Action": PULL}
fetching = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": PULL}
text = policy(people, fetching | {"Condition": of_staging})
ecr.set_repository_policy(repositoryName="tools", policyText=text)
lab.check("tools-for-staging")
""",
    ),
)

QUESTIONS = (
    Question(
        id="why-both-sides",
        question="Why must both accounts allow a pull, and not only the one that owns the repository?",
        model="The owner decides who may have its images, and the other account decides what its own people and roles "
        "may do; neither can give permissions in the name of the other.",
    ),
)

CARDS = (
    Card(
        id="cross-account-access/silent",
        question="A pull ends in: because no resource-based policy allows the ecr:BatchGetImage action. Who mends it?",
        choices=(
            Choice(
                "Who administers the role that pulls", "Its side allowed the action already; else you read another end."
            ),
            Choice("The owner of the repository, in its policy", "The repository is the silent side.", right=True),
            Choice("Nobody; it is forbidden", "A prohibition reads: with an explicit deny."),
        ),
    ),
    Card(
        id="cross-account-access/identity",
        question="The repository policy allows another account to pull. Its new role, without any policy, …",
        choices=(
            Choice(
                "may pull: the account is allowed",
                "The account may hand that right on to its roles; it has not done so yet.",
            ),
            Choice("may pull only by digest", "Permissions are about repositories, not about tags and digests."),
            Choice("may not pull", "Between accounts the role's own policy must allow it, too.", right=True),
        ),
    ),
    Card(
        id="cross-account-access/star",
        question='A repository policy allows ecr:BatchGetImage to the principal "*", without a condition. Who may?',
        choices=(
            Choice(
                "Principals of every AWS account whose own side allows it, and all of the owner's account",
                "Millions of accounts; a condition such as aws:PrincipalOrgID makes it one organization.",
                right=True,
            ),
            Choice(
                "Everybody, also without credentials",
                "Each request to a private repository is signed or bears a token; no repository policy gives one.",
            ),
            Choice("All roles of the owner's account only", "A star has no account in it."),
        ),
    ),
    Card(
        id="cross-account-access/lambda",
        question="Staging's people may pull by aws:PrincipalOrgID. A function of staging is made from the image. It …",
        choices=(
            Choice("works: staging is in the organization", "The service pulls, and it belongs to no organization."),
            Choice(
                "needs a statement for lambda.amazonaws.com as well",
                "Tie it to functions of staging by aws:sourceArn.",
                right=True,
            ),
            Choice("needs an execution role that may pull", "The execution role plays no part in pulling the image."),
        ),
    ),
    Card(
        id="cross-account-access/trail",
        question="Staging pulls from production. In which account's CloudTrail is the record?",
        choices=(
            Choice("Only in staging's: it made the call", "The owner of the repository must be able to see it, too."),
            Choice("In both", "Each account reads who pulled, and from which repository.", right=True),
            Choice("Only in production's: its image was pulled", "The account that calls gets its record as well."),
        ),
    ),
)
