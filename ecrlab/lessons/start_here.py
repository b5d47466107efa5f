"""Exercises and cards of 00-start-here."""

from ecrlab.lessons import image_files
from ecrlab.lessons.exercises import Exercise, View
from ecrlab.lessons.questions import Question
from ecrlab.lessons.quizzes import Card, Choice
from ecrlab.machine import originals


def _two_tags(view: View) -> str:
    images, tags = view.images("hello"), view.tags("hello")
    view.require("v1" in tags, "hello has no image tagged v1; run the cells above first")
    wanted = sorted(set(tags) - {"v1"})
    view.require("stable" in tags or not wanted, f"hello has the tag {', '.join(wanted)}, but none called stable")
    view.require(
        "stable" in tags, "hello has no tag stable: docker tag names the image here, docker push sends the tag"
    )
    view.require(
        tags["stable"] == tags["v1"],
        f"stable and v1 point at two different images ({len(images)} in all); tag the same image twice instead",
    )
    return "hello holds one image under v1 and stable; a second tag is a second name, not a second image"


def _your_own(view: View) -> str:
    tags = view.tags("mine")
    view.require("v1" in tags, f"mine has no image tagged v1; its tags: {', '.join(sorted(tags)) or 'none'}")
    hello = view.tags("hello") if "hello" in view.repositories() else {}
    view.require(
        tags["v1"] not in hello.values(),
        "v1 of mine is the image of hello, byte for byte: change hello.sh, save it and build again before you push",
    )
    script = image_files.read(view.ecr, "mine", tags["v1"], "hello.sh")
    view.require(script is not None, "v1 of mine has no file hello.sh: build it in the folder of the application")
    view.require(
        script != (originals.app("hello") / "hello.sh").read_bytes(),
        "hello.sh in v1 of mine is the original one: change it, save it and build again before you push",
    )
    return f"mine holds an image that you changed, {tags['v1'][:19]}…"


EXERCISES = (
    Exercise(
        id="push-a-second-tag",
        task="Give the image a second tag, stable, and push it.",
        judge=_two_tags,
        hints=(
            "An image can have any number of names; docker tag OLD NEW gives one more; docker images lists them.",
            "The name must begin with the registry's host, as it did for v1, and end in :stable.",
        ),
        solution="""
docker tag 123456789012.dkr.ecr.us-east-1.amazonaws.com/hello:v1 \\
  123456789012.dkr.ecr.us-east-1.amazonaws.com/hello:stable
docker push 123456789012.dkr.ecr.us-east-1.amazonaws.com/hello:stable
""",
    ),
    Exercise(
        id="publish-your-own",
        task="Push a changed hello to a repository of your own, mine, as v1.",
        judge=_your_own,
        hints=(
            "Four steps: create-repository, change hello.sh, docker build, docker push.",
            "Build under the full name, 123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:v1, and push that.",
        ),
        solution="""
aws ecr create-repository --repository-name mine
echo 'echo "and goodbye"' >> hello.sh
docker build -q -t 123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:v1 .
docker push 123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:v1
""",
    ),
)

QUESTIONS = (
    Question(
        id="what-a-digest-says",
        question="What does a digest tell you that a tag does not?",
        model="A digest is made from the image's bytes, so it always means the same image, and I can check it myself; "
        "a tag is a name that can point at another image tomorrow.",
    ),
)

CARDS = (
    Card(
        id="start-here/registry",
        question="How many private registries has one AWS account?",
        choices=(
            Choice("One", "One would be too far away for some: a registry lives in one Region."),
            Choice(
                "One in each Region", "A registry is one account in one Region; its host name says both.", right=True
            ),
            Choice("One for each repository", "It is the other way round: a registry holds many repositories."),
        ),
    ),
    Card(
        id="start-here/digest",
        question="From what is the digest of an image made?",
        choices=(
            Choice(
                "From the bytes of its manifest",
                "sha256 of the manifest, which in turn names every layer by digest.",
                right=True,
            ),
            Choice("From its tag", "Tags are names that can move; the digest stays."),
            Choice("From the time of the push", "Push the same image tomorrow, and the digest is the same."),
        ),
    ),
    Card(
        id="start-here/layer-exists",
        question="docker push prints Layer already exists. What has happened?",
        choices=(
            Choice("The push failed", "It is no error: the push goes on, and the image arrives."),
            Choice("The tag was taken", "A taken tag is another message, and only where tags are immutable."),
            Choice(
                "The layer was not sent, because the registry has it",
                "Docker asks for each layer by digest and sends only what is missing.",
                right=True,
            ),
        ),
    ),
    Card(
        id="start-here/where",
        question="In a lesson you push to 123456789012.dkr.ecr.us-east-1.amazonaws.com. Where do the bytes go?",
        choices=(
            Choice(
                "To AWS, if you are logged in there",
                "While the lab runs, its tools have no way to AWS, logged in or not.",
            ),
            Choice("Nowhere: docker push only pretends", "It is a real push over HTTP, with real digests."),
            Choice(
                "To the lab on this machine",
                "The lab's docker command takes every ECR host name for the lab's own registry.",
                right=True,
            ),
        ),
    ),
    Card(
        id="start-here/unknown",
        question="docker pull says: manifest unknown. What is missing?",
        choices=(
            Choice("The repository", "Then the text would be name unknown."),
            Choice("The tag", "The repository is there, and holds no image of that name.", right=True),
            Choice("The login", "Then the text would be no basic auth credentials."),
        ),
    ),
)
