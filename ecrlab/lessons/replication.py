"""Exercises and cards of 07-replication."""

from dataclasses import replace
from typing import Any

from ecrlab.lessons.exercises import Exercise, View
from ecrlab.lessons.questions import Question
from ecrlab.lessons.quizzes import Card, Choice
from ecrlab.registry.replication import matches

IRELAND, FRANKFURT, SYDNEY = "eu-west-1", "eu-central-1", "ap-southeast-2"
BACKUP = "222233334444"


def _copies(view: View, repository: str) -> dict[tuple[str, str], bool]:
    """Where rules copy a repository to: (account, Region) -> whether deletions go there, too."""
    found: dict[tuple[str, str], bool] = {}
    for rule in view.ecr.describe_registry()["replicationConfiguration"]["rules"]:
        if matches(rule, repository):
            deletes = rule.get("deleteReplication", {}).get("enabled", False)
            for one in rule["destinations"]:
                there = (one["registryId"], one["region"])
                found[there] = found.get(there, False) or deletes
    return found


def _account(view: View) -> str:
    account: str = view.ecr.describe_registry()["registryId"]
    return account


def _in(view: View, region: str) -> View:
    """The same view of another Region's registry."""
    return replace(view, ecr=view.client("ecr", region_name=region))


def _there(view: View, region: str, repository: str) -> View:
    there = _in(view, region)
    view.require(repository in there.repositories(), f"{region} has no repository {repository}")
    return there


def _require_what_was_copied(view: View) -> None:
    """Require the rules that the lesson put for my-app."""
    copies = _copies(view, "my-app")
    for there, section in (
        ((_account(view), IRELAND), "A rule"),
        ((BACKUP, "us-east-1"), "A backup in another account"),
    ):
        view.require(
            there in copies,
            f"my-app is not copied to {' in '.join(reversed(there))}, as in the section “{section}”: "
            "put_replication_configuration replaces all rules, so put the earlier ones, too",
        )


def _copy_the_shop(view: View) -> str:
    account = _account(view)
    for name in ("bike/stock", "bike/search", "bike/a-new-one"):
        copies = _copies(view, name)
        for region in (IRELAND, FRANKFURT):
            view.require((account, region) in copies, f"no rule copies {name} to {region}")
            view.require(not copies[account, region], f"deletions in {name} are copied to {region}, too")
    for name in ("bikes", "bike-shed/door"):
        too_many = sorted(region for _, region in _copies(view, name) if region in (IRELAND, FRANKFURT))
        view.require(not too_many, f"a rule also copies a repository named {name}: a filter is the beginning of a name")
    _require_what_was_copied(view)
    return "bike/… goes to Ireland and Frankfurt, and my-app where it went before"


def _to_sydney(view: View) -> str:
    here = view.tags("my-app")
    view.require(here, "my-app has no tagged image in us-east-1; run the cells above first")
    there = _there(view, SYDNEY, "my-app")
    [settings] = there.ecr.describe_repositories(repositoryNames=["my-app"])["repositories"]
    mode = settings["imageTagMutability"]
    view.require(mode == "IMMUTABLE", f"tags of my-app may move in {SYDNEY} ({mode})")
    copied = there.tags("my-app")
    for tag, digest in here.items():
        view.require(tag in copied, f"{SYDNEY} lacks {tag}")
        view.require(copied[tag] == digest, f"{tag} is another image in {SYDNEY} than in us-east-1")
    view.require(
        (_account(view), SYDNEY) in _copies(view, "my-app"),
        f"all is there, but no rule copies what is pushed to my-app from now on to {SYDNEY}",
    )
    _require_what_was_copied(view)
    return f"all {len(copied)} tags of my-app are in Sydney, and stay what they are"


def _outlive(view: View) -> str:
    here = view.tags("ledger")
    _require_two_images(view, here)
    there = _there(view, IRELAND, "ledger").tags("ledger")
    _require_two_images(view, there)
    for tag in ("v1", "v2"):
        view.require(tag in there, f"ledger has no {tag} in {IRELAND}")
    view.require(here.get("v2") == there["v2"], "v2 of ledger is not the same image in both Regions")
    view.require("v1" not in here, "us-east-1 still has v1 of ledger")
    copies = _copies(view, "ledger")
    view.require((_account(view), IRELAND) in copies, f"no rule copies ledger to {IRELAND}")
    view.require(not copies[_account(view), IRELAND], "the rule for ledger copies deletions, too; the next one hits v1")
    return "v1 of ledger is gone in us-east-1, and Ireland still has it"


def _require_two_images(view: View, tags: dict[str, str]) -> None:
    same = "v1" in tags and tags["v1"] == tags.get("v2")
    view.require(not same, "v1 and v2 are the same image: change a line of app.py and build again in between")


EXERCISES = (
    Exercise(
        id="copy-the-shop",
        task="Let pushes to every repository bike/… go to eu-west-1 and eu-central-1, without deletions; my-app stays.",
        judge=_copy_the_shop,
        hints=(
            "describe_registry returns the rules of now; add one to the list, and put all of them.",
            "The filter bike would also fit bikes. One rule can have two destinations.",
        ),
        solution="""
rules = ecr.describe_registry()["replicationConfiguration"]["rules"]
both = {
    "destinations": [
        {"region": "eu-west-1", "registryId": lab.account_id},
        {"region": "eu-central-1", "registryId": lab.account_id},
    ],
    "repositoryFilters": [{"filter": "bike/", "filterType": "PREFIX_MATCH"}],
}
ecr.put_replication_configuration(replicationConfiguration={"rules": [*rules, both]})
lab.check("copy-the-shop")
""",
    ),
    Exercise(
        id="to-sydney",
        task="Bring all tags of my-app to ap-southeast-2, today's and tomorrow's, into an IMMUTABLE repository; what "
        "is replicated now goes on.",
        judge=_to_sydney,
        hints=(
            'Sydney has a client of its own: lab.client("ecr", region_name="ap-southeast-2").',
            "First the repository (or a creation template), then a rule, then the backfill; each is a line or two.",
        ),
        solution="""
sydney = lab.client("ecr", region_name="ap-southeast-2")
sydney.create_repository(repositoryName="my-app", imageTagMutability="IMMUTABLE")
there = {"region": "ap-southeast-2", "registryId": lab.account_id}
rules = ecr.describe_registry()["replicationConfiguration"]["rules"]
my_app = [{"filter": "my-app", "filterType": "PREFIX_MATCH"}]
rules.append({"destinations": [there], "repositoryFilters": my_app})
ecr.put_replication_configuration(replicationConfiguration={"rules": rules})
backfill(there)
lab.check("to-sydney")
""",
    ),
    Exercise(
        id="outlive-the-original",
        task="Let v1 of ledger be gone in us-east-1, and still be in eu-west-1; v2 is in both.",
        judge=_outlive,
        hints=(
            "The rule comes before the push. Ask for the status of v1 until it is COMPLETE, then delete v1: only the "
            "lab copies first what is under way.",
            "Deletions are copied only by a rule with deleteReplication; look whether one fits the name ledger.",
        ),
        solution="""
registry=123456789012.dkr.ecr.us-east-1.amazonaws.com
aws ecr get-login-password | docker login --username AWS --password-stdin $registry
aws ecr create-repository --repository-name ledger
# All rules of now, and one more. (In a cell of Python you need only what stands between the ENDs.)
python3 - << END
import boto3

ecr = boto3.client("ecr")
rules = ecr.describe_registry()["replicationConfiguration"]["rules"]
ledger = {
    "destinations": [{"region": "eu-west-1", "registryId": "123456789012"}],
    "repositoryFilters": [{"filter": "ledger", "filterType": "PREFIX_MATCH"}],
}
ecr.put_replication_configuration(replicationConfiguration={"rules": [*rules, ledger]})
END
docker build -q -t $registry/ledger:v1 . && docker push -q $registry/ledger:v1
echo '# second release' >> app.py
docker build -q -t $registry/ledger:v2 . && docker push -q $registry/ledger:v2
status=IN_PROGRESS
while [ "$status" = IN_PROGRESS ]; do
  status=$(aws ecr describe-image-replication-status --repository-name ledger --image-id imageTag=v1 \\
    --query 'replicationStatuses[0].status' --output text)
  sleep 1
done
[ "$status" = COMPLETE ] && \\
aws ecr batch-delete-image --repository-name ledger --image-ids imageTag=v1
""",
    ),
)

QUESTIONS = (
    Question(
        id="copy-or-backup",
        question="my-app is replicated to eu-west-1. Why is that no backup, and what would be one?",
        model="A deletion may be replicated, so is a bad push where tags may move, and an administrator of the account "
        "can delete both; a backup is a copy in another account, with immutable tags and a rule that does not "
        "replicate deletions.",
    ),
)


def _card(name: str, question: str, *choices: tuple[str, str] | tuple[str, str, bool]) -> Card:
    made: list[Any] = [Choice(*choice) for choice in choices]
    return Card(id=f"replication/{name}", question=question, choices=tuple(made))


CARDS = (
    _card(
        "what-is-copied",
        "An IMMUTABLE repository with scan on push is replicated to a Region that lacks it. What does the copy have?",
        ("The same digest, tags and settings", "Digest and tags, yes; settings and policies are not copied."),
        (
            "The same digest and tags, and default settings",
            "So its tags may move. A creation template in that Region gives the settings when the repository is made.",
            True,
        ),
        ("The same tags at a new digest", "A digest names the bytes, and these are the same everywhere."),
    ),
    _card(
        "older-images",
        "A rule is put today. When is the image that was pushed last week in the other Region?",
        ("Within half an hour", "That is how long pushes after the rule usually take."),
        ("At its next pull", "A pull copies nothing to another registry."),
        ("After a backfill", "A rule is about pushes after it; a backfill brings what is older.", True),
    ),
    _card(
        "status",
        "describe-image-replication-status returns an empty list for an image. What do you know?",
        (
            "No rule was about the image when it was pushed",
            "Older than the rule, or a name that no filter fits. A failed copy would be listed as FAILED.",
            True,
        ),
        ("The copy failed", "Then the list would have its destination, with the status FAILED and a code."),
        ("It was copied to all Regions", "There would be a COMPLETE for each destination."),
    ),
    _card(
        "deletions",
        "deleteReplication is on. At the source the last tag of an image is removed. What goes in the other Region?",
        ("The tag of that name", "So it would be if the image had another tag at the source."),
        ("The image with all its tags there", "Also tags that only that Region has: live goes with v1.2.3.", True),
        ("Nothing, until the next push", "Deletions are replicated by themselves, as pushes are."),
    ),
    _card(
        "other-account",
        "A copy to another account is FAILED, AccessDeniedException. Where do you look, and what is missing?",
        (
            "In the source's IAM: a policy for the pusher",
            "The push succeeded. It is replication's role that is denied.",
        ),
        (
            "In the other account's CloudTrail: its registry policy",
            "It must allow ecr:ReplicateImage, and ecr:CreateRepository unless the repository is there.",
            True,
        ),
        ("In the other account's repository policy", "The repository does not even exist yet; the registry decides."),
    ),
    _card(
        "region-down",
        "us-east-1 is down, and eu-west-1 has the image. What changes in the name you deploy by digest?",
        ("Only the Region in the host name", "The digest is the same; but the login is another one.", True),
        (
            "The digest, as it is another registry",
            "A digest depends on the bytes only, not on the registry that holds them.",
        ),
        ("Nothing, ECR finds the nearest copy", "A name leads to just one registry: its account, in its Region."),
    ),
)
