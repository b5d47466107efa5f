"""Exercises and cards of 10-ecr-public-and-caches."""

import json
from typing import Any

from ecrlab import gallery
from ecrlab.lessons.exercises import Exercise, View
from ecrlab.lessons.questions import Question
from ecrlab.lessons.quizzes import Card, Choice

PRODUCTION = {"nginx": "1.23.3-alpine-slim", "python": "3.12-slim-bookworm"}
"""What production runs: names and tags below docker-hub/library/."""

PINNED = "pinned/docker/library/python"


def _published(view: View) -> str:
    public = view.client("ecr-public", region_name="us-east-1")
    named = {"repositoryName": "which-version"}
    try:
        about: dict[str, Any] = public.get_repository_catalog_data(**named)["catalogData"]
    except public.exceptions.ClientError:
        about = {}
        there = [one["repositoryName"] for one in public.describe_repositories()["repositories"]]
        others = f"there is {', '.join(there)}" if there else "there is none at all"
        view.require("which-version" in there, f"there is no public repository which-version; {others}")
    view.require(about.get("description"), "which-version has no description in its catalog data")
    view.require(about.get("usageText"), "which-version has no usageText in its catalog data")
    found = public.describe_image_tags(**named)["imageTagDetails"]
    tags = {one["imageTag"]: one["imageDetail"]["imageDigest"] for one in found}
    for tag in ("v1", "latest"):
        view.require(tag in tags, f"which-version has no tag {tag}; its tags: {', '.join(tags) or 'none'}")
    view.require(tags["v1"] == tags["latest"], "v1 and latest of which-version are two images; tag one image twice")
    lesson = _published_by_the_lesson(public)
    view.require(lesson, "the public repository my-app has no image v1.2.3 to compare with; run the cells above first")
    view.require(
        tags["v1"] == lesson,
        "v1 of which-version is another image than v1.2.3 of my-app, which is built from the same folder; build it "
        "there, with its files as they were",
    )
    return "everybody can read what which-version is, and pull it"


def _published_by_the_lesson(public: Any) -> str | None:
    """Return the digest of the image of the folder, which the lesson pushed before."""
    try:
        [image] = public.describe_images(repositoryName="my-app", imageIds=[{"imageTag": "v1.2.3"}])["imageDetails"]
    except public.exceptions.ClientError:
        return None
    return str(image["imageDigest"])


def _ready(view: View) -> str:
    for name, tag in PRODUCTION.items():
        repository = f"docker-hub/library/{name}"
        view.require(repository in view.repositories(), f"nothing of library/{name} is cached; pull it as {repository}")
        tags = view.tags(repository)
        view.require(tag in tags, f"{repository} has no image tagged {tag}; its tags: {', '.join(tags) or 'none'}")
        upstream = gallery.manifest(f"docker/library/{name}", tag)
        view.require(
            upstream is not None and tags[tag] == upstream.digest,
            f"{tag} of {repository} is not the image of Docker Hub; delete it, and pull it through the cache",
        )
    return "what production runs is in the cache, so it can be deployed while Docker Hub is down"


def _pinned(view: View) -> str:
    rules = view.ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"]
    upstreams = {one["ecrRepositoryPrefix"].rstrip("/"): one["upstreamRegistryUrl"] for one in rules}
    view.require("pinned" in upstreams, f"no cache rule has the prefix pinned; prefixes: {', '.join(upstreams) or '-'}")
    view.require(
        upstreams["pinned"] == "public.ecr.aws", f"pinned is a cache of {upstreams['pinned']}, not of public.ecr.aws"
    )
    templates = view.ecr.describe_repository_creation_templates()["repositoryCreationTemplates"]
    fitting = [
        one
        for one in templates
        if (one["prefix"] == "ROOT" or f"{PINNED}/".startswith(one["prefix"].rstrip("/") + "/"))
        and "PULL_THROUGH_CACHE" in one["appliedFor"]
    ]
    view.require(fitting, f"no creation template for PULL_THROUGH_CACHE fits {PINNED}")
    tags = view.tags(PINNED)
    view.require("3.12-slim-bookworm" in tags, f"{PINNED} has no image tagged 3.12-slim-bookworm")
    [settings] = view.ecr.describe_repositories(repositoryNames=[PINNED])["repositories"]
    mode = settings["imageTagMutability"]
    view.require(
        mode == "IMMUTABLE", f"tags of {PINNED} can move ({mode}); a template acts only when a repository is made"
    )
    try:
        policy = json.loads(view.ecr.get_lifecycle_policy(repositoryName=PINNED)["lifecyclePolicyText"])
    except view.ecr.exceptions.LifecyclePolicyNotFoundException:
        policy = {"rules": []}
    view.require(policy["rules"], f"{PINNED} has no lifecycle policy; it comes from the template, too")
    expiring = [one["selection"] for one in policy["rules"] if one["action"]["type"] == "expire"]
    wanted = {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 90}
    view.require(
        wanted in expiring,
        f"no rule of {PINNED} expires any image 90 days after its push",
    )
    return "pinned keeps every tag as it was, and forgets what is older than 90 days"


EXERCISES = (
    Exercise(
        id="publish-a-tool",
        task="A public repository which-version with a description and a usage text; v1 and latest are one image.",
        judge=_published,
        hints=(
            "Log in with aws ecr-public first; describe-repositories has the URI. Both texts are catalog data.",
            "Build once, docker tag gives the second name, and both names are pushed.",
        ),
        solution="""
aws ecr-public create-repository --region us-east-1 --repository-name which-version \\
  --catalog-data '{"description": "Says its version.", "usageText": "docker run -p 8080:8080 IMAGE"}'
public=$(aws ecr-public describe-repositories --region us-east-1 --repository-names which-version \\
  --query 'repositories[0].repositoryUri' --output text)
aws ecr-public get-login-password --region us-east-1 | \\
  docker login --username AWS --password-stdin public.ecr.aws
docker build -q -t $public:v1 .
docker tag $public:v1 $public:latest
docker push -q $public:v1 && docker push -q $public:latest
""",
    ),
    Exercise(
        id="ready-for-an-outage",
        task="Cache library/nginx:1.23.3-alpine-slim and library/python:3.12-slim-bookworm of Docker Hub.",
        judge=_ready,
        hints=(
            "A cache brings an image when somebody pulls it, and not before.",
            'The function pull does it: pull("before the outage", "NAME:TAG").',
        ),
        solution="""
pull("before the outage: nginx", "nginx:1.23.3-alpine-slim")
pull("before the outage: python", "python:3.12-slim-bookworm")
lab.check("ready-for-an-outage")
""",
    ),
    Exercise(
        id="a-cache-that-stays",
        task="A cache pinned of public.ecr.aws: immutable tags, images expire 90 days after their push, python in it.",
        judge=_pinned,
        hints=(
            "The settings come from a creation template (lesson 07), applied for PULL_THROUGH_CACHE, before the pull.",
            "public.ecr.aws needs no secret. If pinned/docker/library/python is there before the template, delete it.",
        ),
        solution="""
rule = {
    "rulePriority": 1,
    "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 90},
    "action": {"type": "expire"},
}
ecr.create_repository_creation_template(
    prefix="pinned",
    appliedFor=["PULL_THROUGH_CACHE"],
    imageTagMutability="IMMUTABLE",
    lifecyclePolicy=json.dumps({"rules": [rule]}),
)
ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="pinned", upstreamRegistryUrl="public.ecr.aws")
image = {"imageTag": "3.12-slim-bookworm"}
ecr.batch_get_image(repositoryName="pinned/docker/library/python", imageIds=[image])
lab.check("a-cache-that-stays")
""",
    ),
)

QUESTIONS = (
    Question(
        id="independent-of-docker-hub",
        question="A colleague says: with the cache we no longer depend on Docker Hub. What is true, and what is not?",
        model="What was pulled through the cache once can be pulled while Docker Hub is down or limits us; but what "
        "nobody has pulled yet still needs Docker Hub, a tag that moves there moves here a day later, and what a "
        "lifecycle policy has expired must come again.",
    ),
)

CARDS = (
    Card(
        id="public/who-pulls",
        question="A repository of ECR Public has no policy. Who may pull from it, and who may push?",
        choices=(
            Choice("Nobody, until a policy names somebody", "So it is with a private repository and other accounts."),
            Choice(
                "Everybody pulls; your own account pushes, if its policies allow it",
                "Reading is always open. A repository policy can let another account push.",
                right=True,
            ),
            Choice("Everybody with an AWS account does both", "A pull needs no account, and a push needs yours."),
        ),
    ),
    Card(
        id="public/stale-login",
        question="A pull of a public image ends in: Your authorization token has expired. What is the shortest cure?",
        choices=(
            Choice("docker logout public.ecr.aws", "Docker sends no login then, and a pull needs none.", right=True),
            Choice(
                "A repository policy that allows everybody to pull",
                "Everybody may already. Docker sent a login that is over, and that one is refused.",
            ),
            Choice("Wait an hour", "A token does not become younger."),
        ),
    ),
    Card(
        id="public/limit",
        question="Fifty build machines behind one address get toomanyrequests: Rate exceeded from public.ecr.aws. What "
        "helps for good?",
        choices=(
            Choice("Another Region for the builds", "ECR Public has one API and the same limits everywhere."),
            Choice("docker logout on each machine", "Without a login the limit is lowest, for all of them together."),
            Choice(
                "A login, or a cache in your own registry",
                "The limit of those who log in is higher, and a cache asks once for all machines.",
                right=True,
            ),
        ),
    ),
    Card(
        id="cache/what-a-rule-brings",
        question="You create a cache rule docker-hub. What is in your registry a minute later?",
        choices=(
            Choice("The official images of Docker Hub", "A rule copies nothing by itself."),
            Choice("An empty repository docker-hub", "The prefix is the beginning of names, and no repository."),
            Choice(
                "Nothing new",
                "The first pull of an image makes its repository, and brings the image with all its platforms.",
                right=True,
            ),
        ),
    ),
    Card(
        id="cache/a-day",
        question="The cache last asked for a tag on Monday at 9. Upstream moves it at 10. Who gets the new image "
        "first?",
        choices=(
            Choice("Who pulls at 11: the digest differs", "The cache cannot know: it does not ask for 24 hours."),
            Choice(
                "Who pulls first on Tuesday after 9",
                "The cache last asked a day ago then, so it asks upstream again before it answers.",
                right=True,
            ),
            Choice("Nobody; a cached tag stays as it is", "Only an immutable tag stays."),
        ),
    ),
    Card(
        id="cache/down",
        question="Docker Hub is down, and the cache last asked for a cached tag two days ago. What does a pull get?",
        choices=(
            Choice("The cached image", "Asking upstream in vain changes nothing; the image is served.", right=True),
            Choice("An error, because the cache asked too long ago", "It would be so if the image were not cached."),
            Choice("The image of another upstream", "A rule has one upstream."),
        ),
    ),
    Card(
        id="cache/permission",
        question="A new role pulls cached images. For an image that nobody has pulled it reads: name unknown. Why?",
        choices=(
            Choice("Docker Hub has no such image", "Then a colleague with more rights could not pull it either."),
            Choice(
                "The role lacks ecr:CreateRepository or ecr:BatchImportUpstreamImage",
                "Without them the cache does not act, and ECR says what is true: there is no such repository.",
                right=True,
            ),
            Choice("The role lacks ecr:GetAuthorizationToken", "Then it could not log in."),
        ),
    ),
)
