"""Exercises and cards of 05-lifecycle-policies.

The first six cards are the worked examples of the AWS user guide, examples of lifecycle policies.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ecrlab.lessons.exercises import DIGEST, Exercise, NotYet, View
from ecrlab.lessons.questions import Question
from ecrlab.lessons.quizzes import Card, Choice
from ecrlab.lifecycle import Evaluation, Image, Policy, evaluate, explain, parse

NOW = datetime(2026, 10, 1, tzinfo=UTC)


def _policy(view: View, repository: str) -> Policy:
    view.images(repository)
    try:
        text = view.ecr.get_lifecycle_policy(repositoryName=repository)["lifecyclePolicyText"]
    except view.ecr.exceptions.LifecyclePolicyNotFoundException:
        raise NotYet(f"{repository} has no lifecycle policy; put one with put-lifecycle-policy") from None
    return parse(text)


def _releases(days_between: float, young: bool) -> Iterator[tuple[Image, bool]]:
    """Images for the first exercise, each with whether it should go.

    Releases are so many days apart. Untagged images of less than a day are there only if `young`: a rule that counts
    untagged images cannot treat both cases as it should.
    """
    for n in range(1, 9):
        yield _image(f"v2.{9 - n}", n * days_between), n > 5
    yield _image("v1.0 stable", 400), False
    for tag in ("nightly", "latest", "multi"):
        yield _image(tag, 90), False
    for tag in ("staging", "unstable"):  # a rule for s* or *stable* counts them before stable
        yield _image(tag, 5), False
    for days in (3, 1.5):
        yield _image("", days), True
    for days in (0.9, 0.5) if young else ():
        yield _image("", days), False


def _web(latest: str, days_between: float, young: bool) -> Iterator[tuple[Image, bool]]:
    """Images for the fourth exercise, each with whether it should go.

    One is `latest`, which may have a second tag; releases are so many days apart. Images just within the bounds of
    the text are there only if `young`: a rule that counts images cannot treat both cases as it should.
    """
    for n in range(1, 25):
        yield _image(f"release-{25 - n}", n * days_between), n > 20
    yield _image(latest, 600), False
    for days in (15, 14.5):
        yield _image(f"build-{days:g}", days), True
    for days in (5, 3.5):
        yield _image("", days), True
    for days in (62, 60.5):
        yield _image("try-that", days), True
    if young:
        for tags, days in (("build-1", 1), ("build-13", 13.5), ("", 0.5), ("", 2.5), ("try-this", 59.5)):
            yield _image(tags, days), False


def _image(tags: str, days: float) -> Image:
    return Image(f"sha256:{tags.replace(' ', '-')}-{days}", tuple(tags.split()), NOW - timedelta(days=days))


def _keep_what_runs(view: View) -> str:
    policy = _policy(view, "my-app")
    # Releases day by day and ten days apart: only a count keeps the newest five of both.
    for days_between, young in ((1, True), (10, False)):
        _try(policy, list(_releases(days_between, young)))
    return "five releases stay, stable is safe, and an untagged image goes when it was pushed more than a day ago"


def _tidy_up_web(view: View) -> str:
    policy = _policy(view, "web")
    for latest, days_between, young in (
        ("latest", 20, True),
        ("latest release-0", 30, False),
        ("build-0 latest", 9, True),
    ):
        _try(policy, list(_web(latest, days_between, young)))
    return "latest and twenty releases stay, builds, untagged images and the rest go in time"


def _try(policy: Policy, expected: list[tuple[Image, bool]]) -> None:
    """Raise `NotYet` about the first image that the policy treats otherwise than expected."""
    evaluation = evaluate(policy, [image for image, _ in expected], NOW)
    for image, should_go in expected:
        action = evaluation.verdict(image.image_digest).action
        goes = action is not None and action.type == "expire"
        if goes and not should_go:
            raise NotYet(f"it would delete {_told(image)}. {_because(evaluation, image)}")
        if action is not None and not goes:
            raise NotYet(f"it would archive {_told(image)}; the task is to delete it or to leave it")
        if should_go and not goes:
            raise NotYet(f"it would keep {_told(image)}. {_because(evaluation, image)}")


def _told(image: Image) -> str:
    days = (NOW - image.pushed_at) / timedelta(days=1)
    age = f"pushed {days:g} {'day' if days == 1 else 'days'} ago"
    return (
        f"an image tagged {' and '.join(image.image_tags)}, {age}" if image.image_tags else f"an untagged image, {age}"
    )


def _because(evaluation: Evaluation, image: Image) -> str:
    return explain(evaluation, image.image_digest).rstrip(".")


def _what_could_not_go(view: View) -> str:
    digest = view.answer.rpartition("@")[2].strip()
    failed = _failures(view)
    view.require(failed, "no run of a policy in the trail has failed to delete anything; run the cells above first")
    if digest in failed:
        return f"{digest[:19]}… could not go: {failed[digest].partition(': [')[0]}"
    view.require(
        not any(digest in reason for reason in failed.values()),
        "that is the index; the run could not delete what it lists",
    )
    view.require(
        "sha256:" in digest and len(digest) == 71, f"{digest[:80]!r} is no digest; a digest is sha256: and 64 figures"
    )
    raise NotYet("no run failed to delete the image of that digest; look for lifecycleEventFailureDetails")


def _failures(view: View) -> dict[str, str]:
    """Digest -> reason, of the images that policy runs could not delete."""
    pages = (
        view.client("cloudtrail")
        .get_paginator("lookup_events")
        .paginate(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "PolicyExecutionEvent"}])
    )
    documents = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
    return {
        one["lifecycleEventImage"]["digest"]: one["failureReason"]
        for document in documents
        for one in document["serviceEventDetails"]["lifecycleEventFailureDetails"]
    }


EXERCISES = (
    Exercise(
        id="keep-what-runs",
        task="Give my-app a policy that keeps five releases, deletes untagged images after a day, and never stable.",
        judge=_keep_what_runs,
        hints=(
            "Three rules. That for stable must have the smallest number: the first rule that selects an image decides.",
            "Two rules may not have one number, so make room from the end: rule 2 becomes 3, then 1 becomes 2, "
            "then add the new rule 1.",
            "tag_prefix_list stable, imageCountMoreThan 1: the rule selects the one image and keeps it.",
            "Then v with imageCountMoreThan 5, then untagged with sinceImagePushed 1; no rule for any.",
        ),
        solution="""
mine = lab.edit_policy("my-app", course)
mine.edit(2, rule_priority=3)
mine.edit(1, rule_priority=2, count_number=5)
mine.add(rule_priority=1, tag_status="tagged", tag_prefix_list="stable",
         count_type="imageCountMoreThan", count_number=1)
ecr.put_lifecycle_policy(repositoryName="my-app", lifecyclePolicyText=mine.policy)
lab.check("keep-what-runs")
""",
    ),
    Exercise(
        id="what-could-not-go",
        task="Find in the trail one of the images that ECR could not delete, because another image lists it.",
        judge=_what_could_not_go,
        answer=DIGEST,
        hints=(
            'runs[-1] is the last run of a policy; its "serviceEventDetails" has what it did, and what failed.',
            "Each of the lifecycleEventFailureDetails has a lifecycleEventImage, and that its digest.",
        ),
        solution="""
failed = runs[-1]["serviceEventDetails"]["lifecycleEventFailureDetails"]
answer = failed[0]["lifecycleEventImage"]["digest"]
lab.check("what-could-not-go", answer)
""",
    ),
    Exercise(
        id="tidy-up-web",
        task="Give web a policy: latest and twenty releases stay, builds, untagged images and the rest go in time.",
        judge=_tidy_up_web,
        hints=(
            "The image that is latest may have another tag too: the rule that shields it comes first.",
            "A rule for any image comes last, and shields must stand before it.",
        ),
        solution="""
web = {"rules": [
    rule(1, "tagged", 1, tagPrefixList=["latest"]),
    rule(2, "tagged", 20, tagPrefixList=["release-"]),
    rule(3, "tagged", 14, "sinceImagePushed", tagPrefixList=["build-"]),
    rule(4, "untagged", 3, "sinceImagePushed"),
    rule(5, "any", 60, "sinceImagePushed"),
]}
ecr.create_repository(repositoryName="web")
ecr.put_lifecycle_policy(repositoryName="web", lifecyclePolicyText=json.dumps(web))
lab.check("tidy-up-web")
""",
    ),
)

QUESTIONS = (
    Question(
        id="before-a-rule-for-any",
        question='Somebody proposes one rule, "any image goes after 30 days". What do you ask before it applies?',
        model="Which old images are still needed (releases, latest, what runs by tag or by digest), and what a preview "
        "of the rule says about them; those get a rule of a smaller number that selects them.",
    ),
)

CARDS = (
    Card(
        id="lifecycle-policies/multiple-rules-a",
        question="A [beta-1, prod-1] is 10 days old, B [beta-2, prod-2] 9, C [beta-3] 8. "
        "Rule 1 keeps one prod*, rule 2 keeps one beta*. What goes?",
        choices=(
            Choice(
                "A",
                "Rule 1 deletes A. B is the newest prod*, so rule 1 keeps it, and rule 2 may not touch it.",
                right=True,
            ),
            Choice("A and B", "Rule 2 marks B, but rule 1 selects B and keeps it: a shield."),
            Choice("Nothing", "Two images are prod*, and rule 1 keeps only the newest of them."),
        ),
    ),
    Card(
        id="lifecycle-policies/multiple-rules-b",
        question="A [beta-1, prod-1] is 10 days old, B [beta-2, prod-2] 9, C [beta-3] 8. "
        "Now rule 1 keeps one beta*, rule 2 keeps one prod*. What goes?",
        choices=(
            Choice("A", "All three are beta*: rule 1 keeps only the newest one, C."),
            Choice("A and B", "Rule 1 deletes both. Rule 2 has nothing left to decide.", right=True),
            Choice("A, by rule 2", "Rule 1 selects A first, and deletes it; one rule acts on an image."),
        ),
    ),
    Card(
        id="lifecycle-policies/one-rule-a",
        question="A [alpha-1] is 12 days old, B [beta-1] 11, C [alpha-2, beta-2] 10, D [alpha-3] 4, E [beta-3] 3, "
        "F [alpha-4, beta-4] 2. One rule with the list alpha*, beta*: older than 5 days. What goes?",
        choices=(
            Choice("A, B and C", "A list is an AND: A has no beta tag, B no alpha tag, so the rule selects neither."),
            Choice("C", "C and F have a tag for both entries, and only C is older than five days.", right=True),
            Choice("Nothing", "C has a tag for every entry of the list, and is ten days old."),
        ),
    ),
    Card(
        id="lifecycle-policies/one-rule-b",
        question="A [alpha-1, beta-1, gamma-1] is 10 days old, B [alpha-2, beta-2] 9, C [alpha-3, beta-3, gamma-2] 8. "
        "One rule with the list alpha*, beta* keeps one. What goes?",
        choices=(
            Choice("A and B", "All three have both tags; the newest, C, stays. Further tags do no harm.", right=True),
            Choice("B", "A is selected too: gamma-1 is not in the list, but the list asks only for alpha* and beta*."),
            Choice("A", "The rule keeps one image, not two."),
        ),
    ),
    Card(
        id="lifecycle-policies/all-images-a",
        question="A (tagged) is 4 days old, B (tagged) 3, C (untagged) 2, D (tagged) 1. "
        "One rule for any image keeps one. What goes?",
        choices=(
            Choice(
                "A, B and C", "With any, tagged and untagged images are counted together; D is the newest.", right=True
            ),
            Choice("A and B", "C is older than D, and any selects what has no tag, too."),
            Choice("C", "any does not begin with what is untagged; it begins with what is old."),
        ),
    ),
    Card(
        id="lifecycle-policies/all-images-b",
        question="A [alpha-1, beta-1] is 96 hours old, B (untagged) 72, C [alpha-2] 48, D [git-hash] 20, "
        "E (untagged) 19. Rule 1 keeps one alpha*, rule 2 deletes untagged images older than a day, "
        "rule 3 keeps one of any. What goes?",
        choices=(
            Choice(
                "A, B and D",
                "A by rule 1, B by rule 2, D by rule 3. C and E are shielded by rules 1 and 2.",
                right=True,
            ),
            Choice("A and B", "D is nobody's but rule 3's, and E, as young, fills the one place that rule 3 keeps."),
            Choice("A, B, C and D", "Rule 1 selects C and keeps it; rule 3 may not touch it."),
        ),
    ),
    Card(
        id="lifecycle-policies/when",
        question="You apply a policy and see at once that it is wrong. What do you know?",
        choices=(
            Choice(
                "It has not run yet, most likely: delete it now",
                "ECR acts within 24 hours; lastEvaluatedAt tells whether it has. A preview first would have told you.",
                right=True,
            ),
            Choice(
                "It has run already", "PutLifecyclePolicy only stores the text; ECR acts on it later, within 24 hours."
            ),
            Choice(
                "What it deletes can be restored", "Only what was archived can be; an expired image is gone for good."
            ),
        ),
    ),
    Card(
        id="lifecycle-policies/shield",
        question="Rule 1 keeps 100 images tagged v*, rule 2 deletes any image older than 30 days. "
        "What becomes of v1.0, two years old, the only release?",
        choices=(
            Choice("Rule 2 deletes it", "Rule 1 selects it and leaves it, so no later rule may touch it."),
            Choice("It stays", "A rule shields what it selects, even if it deletes nothing itself.", right=True),
            Choice("Rule 1 deletes it", "It is number 1 of 1, and a hundred may stay."),
        ),
    ),
    Card(
        id="lifecycle-policies/retag",
        question="A rule deletes what was pushed more than 30 days ago. You give an old image a new tag. Then …",
        choices=(
            Choice("it is young again", "The age is that of the push of the image; a tag changes nothing about it."),
            Choice("it goes all the same", "Shield it: a rule of smaller number that selects the new tag.", right=True),
            Choice("only the old tag goes", "A policy deletes images, with all their tags."),
        ),
    ),
    Card(
        id="lifecycle-policies/in-use",
        question="Which of these keeps an image that a policy marks?",
        choices=(
            Choice("A running ECS service or pod uses it", "ECR does not ask. The next start of the service fails."),
            Choice(
                "An index that is still there lists it", "The deletion is refused, and recorded as failed.", right=True
            ),
            Choice("It was pulled an hour ago", "Only sinceImagePulled looks at pulls, and it archives."),
        ),
    ),
    Card(
        id="lifecycle-policies/check",
        question="How do you find out that a changed policy would delete what runs, before it does?",
        choices=(
            Choice("Apply it in a test account", "Its images differ: the outcome depends on what is there."),
            Choice(
                "Preview the new text against the repository, and compare with the digests in use",
                "start-lifecycle-policy-preview takes a text; ecrlab lifecycle preview --protect compares.",
                right=True,
            ),
            Choice("Ask CloudTrail", "It tells what a run did, afterwards. Then it is too late."),
        ),
    ),
)
