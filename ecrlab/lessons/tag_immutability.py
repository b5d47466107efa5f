"""Exercises and cards of 03-tag-immutability."""

from typing import Any

from ecrlab.lessons.exercises import Exercise, NotYet, View
from ecrlab.lessons.questions import Question
from ecrlab.lessons.quizzes import Card, Choice
from ecrlab.registry.repositories import Settings
from ecrlab.registry.tags import is_immutable

MAY_MOVE, MUST_STAY = ("latest", "dev-7", "dev-alice"), ("v1.2.3", "v2", "latest-7", "my-dev-7", "develop")


def _settings(view: View, repository: str) -> Settings:
    there = view.repositories()
    others = f"; there is {', '.join(there)}" if there else "; the registry is empty"
    view.require(repository in there, f"there is no repository named {repository}{others}")
    [found] = view.ecr.describe_repositories(repositoryNames=[repository])["repositories"]
    filters: list[dict[str, Any]] = found.get("imageTagMutabilityExclusionFilters", [])
    return Settings(found["imageTagMutability"], tuple(one["filter"] for one in filters))


def _shop(view: View) -> str:
    settings = _settings(view, "shop")
    for tag in MUST_STAY:
        view.require(is_immutable(settings, tag), f"{tag} may move in shop ({_said(settings)})")
    for tag in MAY_MOVE:
        view.require(not is_immutable(settings, tag), f"{tag} may not move in shop ({_said(settings)})")
    for tag in _examples(settings):
        view.require(tag == "latest" or tag.startswith("dev-"), f"{tag} may move in shop ({_said(settings)})")
    return "in shop only latest and dev-… may move"


def _examples(settings: Settings) -> list[str]:
    """Return a tag that each exclusion filter matches."""
    return [wanted.replace("*", "7") for wanted in settings.exclusion_filters]


def _said(settings: Settings) -> str:
    filters = ", ".join(settings.exclusion_filters)
    return f"{settings.image_tag_mutability}: {filters}" if filters else settings.image_tag_mutability


def _roll_back(view: View) -> str:
    images = sorted(view.images("web"), key=lambda image: image["imagePushedAt"])
    view.require(len(images) > 1, "web has had no second image yet; run the cells above first")
    monday, tuesday = images[0], images[1]
    there = view.tags("web")
    view.require(
        "latest" in there, "web has no tag latest; an image is deleted with its last tag, but a new tag is easy"
    )
    if there["latest"] == tuesday["imageDigest"]:
        raise NotYet("latest is still Tuesday's image")
    view.require(
        there["latest"] == monday["imageDigest"],
        "latest is a third image; do not build anew, point the tag at the one that is there",
    )
    return f"latest is Monday's image again, {monday['imageDigest'][:19]}…"


def _catalog(view: View) -> str:
    settings = _settings(view, "catalog")
    for tag in ("v1", "v2", "dev", "latest-7"):
        view.require(is_immutable(settings, tag), f"{tag} may move in catalog ({_said(settings)})")
    view.require(not is_immutable(settings, "latest"), f"latest may not move in catalog ({_said(settings)})")
    for tag in _examples(settings):
        view.require(tag == "latest", f"{tag} may move in catalog ({_said(settings)})")
    tags = view.tags("catalog")
    missing = [tag for tag in ("v1", "v2", "latest") if tag not in tags]
    view.require(not missing, f"catalog has no tag {' and no tag '.join(missing)}")
    view.require(tags["v1"] != tags["v2"], "v1 and v2 are the same image: change app.py and build again in between")
    view.require(tags["latest"] == tags["v1"], "latest is not the image of v1")
    return "in catalog the releases stay, and latest is the image of v1"


EXERCISES = (
    Exercise(
        id="let-some-tags-move",
        task="Make a repository shop where only latest and dev-… may move.",
        judge=_shop,
        hints=(
            "It is one of the two modes with exclusions: most tags stay, a few are excluded from that.",
            "A filter without * means just that tag; a * stands for any characters, or none.",
        ),
        solution="""
aws ecr create-repository --repository-name shop \\
  --image-tag-mutability IMMUTABLE_WITH_EXCLUSION \\
  --image-tag-mutability-exclusion-filters \\
  filterType=WILDCARD,filter=latest filterType=WILDCARD,filter='dev-*'
""",
    ),
    Exercise(
        id="roll-back",
        task="Point latest of web at Monday's image again.",
        judge=_roll_back,
        hints=(
            'Monday\'s image is still there; its digest is in the variable monday, and in lab.show("web").',
            "The function point of the lesson does it in one line: tag, digest, repository.",
        ),
        solution="""
point("latest", monday, "web")
lab.check("roll-back")
""",
    ),
    Exercise(
        id="a-catalog-of-releases",
        task="Make a repository catalog with releases v1 and v2 that stay, and a latest that may move.",
        judge=_catalog,
        hints=(
            "The mode with one filter first, then two builds with a change in between, each pushed under its tag.",
            "docker tag gives the image of v1 the name that ends in :latest; then push that name.",
        ),
        solution="""
registry=123456789012.dkr.ecr.us-east-1.amazonaws.com
aws ecr create-repository --repository-name catalog \\
  --image-tag-mutability IMMUTABLE_WITH_EXCLUSION \\
  --image-tag-mutability-exclusion-filters filterType=WILDCARD,filter=latest
docker build -q -t $registry/catalog:v1 .
echo '# second release' >> app.py
docker build -q -t $registry/catalog:v2 .
docker tag $registry/catalog:v1 $registry/catalog:latest
for tag in v1 v2 latest; do docker push -q $registry/catalog:$tag; done
""",
    ),
)

QUESTIONS = (
    Question(
        id="what-to-write-down",
        question="The repository is IMMUTABLE. Why should a deployment still write down the digest, not the tag?",
        model="Somebody who may delete images or change the mode can give the tag to another image, but no one can "
        "make the same digest mean other bytes.",
    ),
)

CARDS = (
    Card(
        id="tag-immutability/what",
        question="What is image tag immutability?",
        choices=(
            Choice(
                "Once an image is pushed with a tag, that tag cannot be overwritten",
                "It prevents that different code is deployed under the same tag by accident.",
                right=True,
            ),
            Choice("An image's layers cannot be changed", "That is always so: another content has another digest."),
            Choice(
                "A tagged image cannot be deleted",
                "It can; who may do so is a question of the permission ecr:BatchDeleteImage.",
            ),
        ),
    ),
    Card(
        id="tag-immutability/latest",
        question="Two servers run web:latest, started on Monday and on Wednesday. What do you know?",
        choices=(
            Choice("Both run the newest image", "Nobody tells a running server that a tag has moved."),
            Choice("Both run the same image", "Only if nobody pushed latest in between; the tag does not say."),
            Choice(
                "Only that each runs what latest was when it pulled",
                "Write down the digest, and you know which image it is.",
                right=True,
            ),
        ),
    ),
    Card(
        id="tag-immutability/again",
        question="A pipeline pushes the very same image twice as v1.2.3 to an IMMUTABLE repository. The second push …",
        choices=(
            Choice(
                "succeeds, because nothing changes", "It would in a mutable repository; here the taken tag is enough."
            ),
            Choice(
                "fails: tag invalid",
                "Look whether the tag is there before you push, and compare digests.",
                right=True,
            ),
            Choice("makes a second, untagged image", "The same bytes have the same digest: there is only one image."),
        ),
    ),
    Card(
        id="tag-immutability/filters",
        question="IMMUTABLE_WITH_EXCLUSION with the filters latest and dev-*: which of these taken tags may move?",
        choices=(
            Choice("v2", "No filter matches it, so it stays where it is."),
            Choice("latest-2", "A filter matches the whole tag; latest without a * is just latest."),
            Choice("dev-2", "dev-* matches it: excluded from immutability, it may move.", right=True),
        ),
    ),
    Card(
        id="tag-immutability/moved-anyway",
        question="In an IMMUTABLE repository v1 is another image than last week. How can that be?",
        choices=(
            Choice(
                "Somebody deleted the tag and pushed it again",
                "A deleted tag is free. CloudTrail on AWS, lab.history() here, tell who did it.",
                right=True,
            ),
            Choice(
                "The repository was MUTABLE for a while",
                "Only the mode at the moment of the push counts, and the mode can be changed.",
                right=True,
            ),
            Choice("Somebody pushed with --force", "There is no such option; a push cannot overrule the registry."),
        ),
    ),
)
