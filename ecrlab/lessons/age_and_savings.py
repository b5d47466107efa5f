"""Exercises and cards of 06-age-and-savings."""

import json
from typing import Any

from ecrlab.analysis.costs import risks, savings, storage
from ecrlab.analysis.inventory import running
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.analysis.inventory.units import format_bytes
from ecrlab.lessons.exercises import BYTES, Exercise, NotYet, View
from ecrlab.lessons.questions import Question
from ecrlab.lessons.quizzes import Card, Choice
from ecrlab.lifecycle import parse

MOST_LEFT = 5_000_000_000
"""Bytes that a policy may leave; in a shop of larger images, half as many again as `THRIFTY` leaves."""

RELEASES_KEPT = 10
"""How many of the newest releases a policy must keep."""

_DAYS: tuple[tuple[dict[str, Any], int], ...] = (
    ({"tagStatus": "tagged", "tagPatternList": ["v*"]}, 365),
    ({"tagStatus": "tagged", "tagPatternList": ["main-*"]}, 30),
    ({"tagStatus": "tagged", "tagPatternList": ["pr-*"]}, 14),
    ({"tagStatus": "untagged"}, 14),
)
_RULES = [
    {
        "rulePriority": number,
        "selection": {**chosen, "countType": "sinceImagePushed", "countUnit": "days", "countNumber": days},
        "action": {"type": "expire"},
    }
    for number, (chosen, days) in enumerate(_DAYS, start=1)
]
THRIFTY = parse(json.dumps({"rules": _RULES}))
"""The policy of the solution."""


def _repository(view: View) -> str:
    """The repository of the exercises: that of the release which a partner of the shop runs."""
    partners = [one for one in _definitions(view) if one["family"].endswith("-partner")]
    there = view.repositories()
    names = [one.repository for one in running.found_in(partners) if one.repository in there]
    if not names or names[0] is None:
        raise NotYet('the shop is not in the registry; load it with lab.load("a-year-of-ci", seed=7)')
    return names[0]


def _count(view: View) -> str:
    repository = _repository(view)
    snapshot = view.storage(repository)
    true = storage.stored(snapshot).least
    view.require(true, f"{repository} stores nothing; start the lab and the lesson again")
    answer = int(view.answer)
    sums = {
        storage.sum_of_sizes(snapshot): "the sum of imageSizeInBytes, which counts a shared layer again and again",
        sum(one.size_in_bytes for one in snapshot.images if not one.is_index): (
            "the sum without the indexes; shared layers are still counted again and again"
        ),
        sum(storage.own(snapshot).values()): "what the images hold alone; the shared layers are stored too, once",
    }
    view.require(answer == true, f"{answer:,} is {sums.get(answer, 'not what its layers come to, each counted once')}")
    return f"{repository} stores {format_bytes(true)}, each layer once"


def _save(view: View) -> str:
    repository = _repository(view)
    snapshot = view.storage(repository)
    thrifty = storage.stored(savings.settle(snapshot, THRIFTY).after).least
    return _leave(view, repository, snapshot, max(MOST_LEFT, thrifty * 3 // 2))


def _bring_down(view: View) -> str:
    view.require("bike/forecast" in view.repositories(), "there is no repository named bike/forecast; load the shop")
    snapshot = view.storage("bike/forecast")
    return _leave(view, "bike/forecast", snapshot, storage.stored(snapshot).least // 5)


def _leave(view: View, repository: str, snapshot: Snapshot, most: int) -> str:
    """Judge a repository's policy: it leaves at most so many bytes, and deletes no new release and nothing in use."""
    try:
        text = view.ecr.get_lifecycle_policy(repositoryName=repository)["lifecyclePolicyText"]
    except view.ecr.exceptions.LifecyclePolicyNotFoundException:
        raise NotYet(f"{repository} has no lifecycle policy; put one with ecr.put_lifecycle_policy") from None
    effect = savings.settle(snapshot, parse(text))
    found, lost = running.resolve(snapshot, running.found_in(_definitions(view)))
    if lost:
        raise NotYet(f"{lost[0].text} runs, and its image is gone already; start the lab and the lesson again")
    for risk in risks.risks(effect, found):
        name = " ".join(risk.image.image_tags) or f"the untagged {risk.image.image_digest[7:19]}"
        rule = f"rule {risk.rule.rule_priority} ({risk.rule.in_words})"
        where = f"runs as {risk.where[0]}" if risk.where else "was pulled in the last seven days"
        raise NotYet(f"{rule} deletes {name}, which {where}")
    releases = [one for one in snapshot.images if any(tag.startswith("v") for tag in one.image_tags)]
    newest = sorted(releases, key=lambda one: one.pushed_at)[-RELEASES_KEPT:]
    kept = {one.image_digest for one in effect.after.images}
    for release in newest:
        name = " ".join(release.image_tags)
        view.require(release.image_digest in kept, f"it deletes {name}, one of the newest {RELEASES_KEPT} releases")
    left = storage.stored(effect.after).least
    view.require(
        left <= most,
        f"it leaves {format_bytes(left)} of {format_bytes(storage.stored(snapshot).least)}; "
        f"at most {format_bytes(most)} should stay",
    )
    return f"your policy leaves {format_bytes(left)}, the newest releases, and all that runs or was pulled last week"


def _definitions(view: View) -> list[dict[str, Any]]:
    """The task definitions of ECS."""
    ecs = view.client("ecs")
    arns = [arn for page in ecs.get_paginator("list_task_definitions").paginate() for arn in page["taskDefinitionArns"]]
    return [ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"] for arn in arns]


EXERCISES = (
    Exercise(
        id="count-the-layers",
        task="How many bytes does bike/search really store? Hand in the number.",
        judge=_count,
        answer=BYTES,
        hints=(
            'lab.storage("bike/search") knows the layers of each image (.layers) and the bytes of each layer (.sizes).',
            "Gather the digests of all layers in a set, and add up their sizes.",
        ),
        solution="""
search = lab.storage("bike/search")
layers = {layer for image in search.layers.values() for layer in image}
answer = sum(search.sizes[layer] for layer in layers)
lab.check("count-the-layers", answer)
""",
    ),
    Exercise(
        id="save-and-break-nothing",
        task="Give bike/search a policy that leaves at most 5 GB stored, keeps the newest ten releases, and deletes "
        "nothing that runs or was pulled last week.",
        judge=_save,
        hints=(
            "risks.risks names what your policy deletes although it runs; a task definition may name an old release.",
            "Releases cost little, because they share layers: keep them by age, a year long, instead of by number.",
        ),
        solution="""
search = {"rules": [
    rule(1, "Keep a year of releases", "v*", AGE, 365),
    rule(2, "Keep a month of main", "main-*", AGE, 30),
    rule(3, "Keep two weeks of pull requests", "pr-*", AGE, 14),
    rule(4, "Delete untagged after two weeks", None, AGE, 14),
]}
ecr.put_lifecycle_policy(repositoryName="bike/search", lifecyclePolicyText=json.dumps(search))
lab.check("save-and-break-nothing")
""",
    ),
    Exercise(
        id="bring-it-down",
        task="Bring bike/forecast down to a fifth of its bytes, keep the newest ten releases, and delete nothing "
        "that runs or was pulled last week.",
        judge=_bring_down,
        hints=(
            'lab.storage("bike/forecast") and ages.by_family say which families there are, and how old they are.',
            "A release shares its model with builds of main and of pull requests, and keeps it when these are gone: "
            "keep ten releases, not twenty.",
            "Keep a month of main and two weeks of pull requests, as in the lesson.",
        ),
        solution="""
forecast = {"rules": [
    rule(1, "Keep 10 releases", "v*", COUNT, 10),
    rule(2, "Keep a month of main", "main-*", AGE, 30),
    rule(3, "Keep two weeks of pull requests", "pr-*", AGE, 14),
]}
ecr.put_lifecycle_policy(repositoryName="bike/forecast", lifecyclePolicyText=json.dumps(forecast))
lab.check("bring-it-down")
""",
    ),
)

QUESTIONS = (
    Question(
        id="fifty-gigabytes",
        question='"We delete 500 images of 100 MB, that frees 50 GB." What do you answer?',
        model="The size of an image counts all its layers, but a layer that several images have is stored once and "
        "goes only with the last of them, so count what the images hold alone; and ask first which of them run.",
    ),
)

CARDS = (
    Card(
        id="age-and-savings/old",
        question="An image was pushed 200 days ago and last pulled 190 days ago. May it go?",
        choices=(
            Choice("Yes, nobody needs it", "A task that started 190 days ago pulled it then, and still runs."),
            Choice(
                "Only if nothing runs it",
                "A pull is a start. ECS, EKS and Lambda know what runs; ECR and its policies do not.",
                right=True,
            ),
            Choice("No, images must be kept for a year", "How long is for you to decide; ECR keeps them for ever."),
        ),
    ),
    Card(
        id="age-and-savings/sum",
        question="Ten images of 100 MB share 95 MB of layers. How much does the repository store?",
        choices=(
            Choice("1,000 MB", "That is the sum of imageSizeInBytes: it counts the shared 95 MB ten times."),
            Choice("145 MB", "95 MB once, and ten times the 5 MB that each image has alone.", right=True),
            Choice("95 MB", "The 5 MB that each image has alone are stored too."),
        ),
    ),
    Card(
        id="age-and-savings/last-rule",
        question="Images A and B share 90 MB of layers, and each holds 10 MB alone. Rule 1 deletes A, then rule 2 "
        "deletes B. How much does each rule free?",
        choices=(
            Choice("100 MB and 100 MB", "The shared 90 MB are stored once, so they cannot be freed twice."),
            Choice("100 MB and 10 MB", "B still uses the shared 90 MB when A goes, so rule 1 cannot free them."),
            Choice(
                "10 MB and 100 MB",
                "A shared layer goes with the last image that has it. So judge the policy, not one rule.",
                right=True,
            ),
        ),
    ),
    Card(
        id="age-and-savings/year",
        question="A policy keeps images of the last 30 days. How does storage go on in a year of steady work?",
        choices=(
            Choice("It falls to nothing", "New images come each day, and each stays for 30 days."),
            Choice("It grows as before, but slower", "As many images go each day as come, once the policy has run."),
            Choice(
                "It falls once, and then stays about level",
                "Level means: it follows how much is built in a month, not how long you have been building.",
                right=True,
            ),
        ),
    ),
    Card(
        id="age-and-savings/untagged",
        question="A rule deletes untagged images after a day. Which of these can it delete?",
        choices=(
            Choice(
                "An image that runs by its digest",
                "Its tag has moved on, and a policy does not see what runs. Give such an image a tag.",
                right=True,
            ),
            Choice(
                "A part of an index that has a tag",
                "Not while the index is there: it holds its parts. When the index goes, they go after it.",
            ),
            Choice(
                "A release that nobody ever pulled", "It has a tag, so the rule does not select it, however old it is."
            ),
        ),
    ),
    Card(
        id="age-and-savings/apply",
        question="You apply the policy by mistake to another repository. What can you do?",
        choices=(
            Choice("Delete the policy tomorrow", "Within 24 hours it has run, and expired images do not come back."),
            Choice(
                "Delete it at once, and hope",
                "It acts within 24 hours, not at once. A preview (start-lifecycle-policy-preview) changes nothing.",
                right=True,
            ),
            Choice("Restore the images from the archive", "Only a transition archives; what expires is gone."),
        ),
    ),
)
