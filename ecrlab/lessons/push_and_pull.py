"""Exercises and cards of 02-push-and-pull."""

import json
from typing import Any

from ecrlab.lessons import image_files
from ecrlab.lessons.exercises import DIGEST, Exercise, View
from ecrlab.lessons.questions import Question
from ecrlab.lessons.quizzes import Card, Choice
from ecrlab.oci.media_types import INDEXES

AGAIN = (
    "The tag is taken now and cannot move: delete it with aws ecr batch-delete-image --repository-name my-app "
    "--image-ids imageTag=v1.2.5, then correct it, build and push again"
)
"""How to undo a wrong push in a repository with immutable tags."""


def _layers(view: View, tag: str) -> list[str]:
    answer = view.ecr.batch_get_image(repositoryName="my-app", imageIds=[{"imageTag": tag}])
    manifest: dict[str, Any] = json.loads(answer["images"][0]["imageManifest"])
    view.require("layers" in manifest, f"{tag} is an index of several platforms, not one image. {AGAIN}")
    return [layer["digest"] for layer in manifest["layers"]]


def _patch(view: View) -> str:
    tags = view.tags("my-app")
    view.require("v1.2.3" in tags, "my-app has no image tagged v1.2.3; run the cells above first")
    near = [tag for tag in tags if "1.2.5" in tag]
    view.require("v1.2.5" in tags, f"the tag is {near[0]}, not v1.2.5" if near else "my-app has no tag v1.2.5")
    same = next((tag for tag in tags if tag not in near and tags[tag] == tags["v1.2.5"]), None)
    view.require(
        same is None, f"v1.2.5 is the same image as {same}: app.py was not changed or not built again. {AGAIN}"
    )
    old, new = _layers(view, "v1.2.3"), _layers(view, "v1.2.5")
    shared = len(set(old) & set(new))
    view.require(shared, f"v1.2.5 shares no layer with v1.2.3: it was built from another Dockerfile. {AGAIN}")
    view.require(
        shared >= len(old) - 1,
        f"v1.2.5 shares only {shared} of {len(old)} layers: more than app.py was changed. {AGAIN}",
    )
    app = image_files.read(view.ecr, "my-app", tags["v1.2.5"], "app.py")
    view.require(app is not None, f"v1.2.5 has no file app.py. {AGAIN}")
    view.require(app and b"1.2.5" in app, f"app.py in v1.2.5 names another version than 1.2.5. {AGAIN}")
    return f"v1.2.5 is a new image that shares {shared} of its {len(new)} layers with v1.2.3"


def _left_behind(view: View) -> str:
    images = view.images("playground")
    children = _children(view, images)
    untagged = [image["imageDigest"] for image in images if not image.get("imageTags")]
    left = [digest for digest in untagged if digest not in children]
    view.require(left, "playground has no image that lost its tag; push two images under one tag first")
    answer = view.answer.rpartition("@")[2].strip()
    view.require(answer.startswith("sha256:"), f"{answer[:80]} is no digest; those of ECR begin with sha256:")
    tagged = {image["imageDigest"]: image["imageTags"][0] for image in images if image.get("imageTags")}
    view.require(
        answer not in tagged, f"that image is the one tagged {tagged.get(answer)}; look for the one without a tag"
    )
    view.require(answer not in children, "that image never had a tag: it is a part of an index, which has the tag")
    whole = len("sha256:") + 64
    view.require(len(answer) >= whole, "that digest is not whole: 64 hexadecimal digits follow sha256:")
    view.require(answer in left, "playground has no image of that digest")
    return f"{answer[:19]}… has no tag any more, and is still there"


def _children(view: View, images: list[dict[str, Any]]) -> set[str]:
    """The digests that the indexes among these images list."""
    indexes = [{"imageDigest": image["imageDigest"]} for image in images if image["imageManifestMediaType"] in INDEXES]
    if not indexes:
        return set()
    answer = view.ecr.batch_get_image(repositoryName="playground", imageIds=indexes[:100])
    manifests = [json.loads(image["imageManifest"]) for image in answer["images"]]
    return {child["digest"] for manifest in manifests for child in manifest.get("manifests", [])}


def _two_processors(view: View) -> str:
    tags = view.tags("site")
    view.require("v1" in tags, f"site has no image tagged v1; its tags: {', '.join(sorted(tags)) or 'none'}")
    answer = view.ecr.batch_get_image(repositoryName="site", imageIds=[{"imageTag": "v1"}])
    manifest = json.loads(answer["images"][0]["imageManifest"])
    view.require("manifests" in manifest, "v1 of site is one image, for one kind of processor; an index lists several")
    platforms = {f"{one['platform']['os']}/{one['platform']['architecture']}" for one in manifest["manifests"]}
    missing = sorted({"linux/amd64", "linux/arm64"} - platforms)
    view.require(not missing, f"v1 of site has no image for {' and '.join(missing)}")
    view.require("unknown/unknown" not in platforms, "v1 of site has an attestation: build with --provenance=false")
    for one in manifest["manifests"]:
        processor = one["platform"]["architecture"]
        view.require(
            image_files.read(view.ecr, "site", one["digest"], "app.py") is not None,
            f"the image for linux/{processor} has no file app.py: build it in the folder of my-app",
        )
    return "site has one tag for two processors, with the application for both"


EXERCISES = (
    Exercise(
        id="push-a-patch",
        task="Push a changed app.py as v1.2.5, sharing the lower layers.",
        judge=_patch,
        hints=(
            "The three steps are the same as for v1.2.4: change the file, build under the full name, push.",
            "The full name is 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:v1.2.5.",
        ),
        solution="""
sed -i.old 's/1.2.4/1.2.5/' app.py
docker build -q -t 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:v1.2.5 .
docker push 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:v1.2.5
""",
    ),
    Exercise(
        id="find-the-ghost",
        task="Hand in the digest of the image that the tag v1 of playground left behind.",
        judge=_left_behind,
        answer=DIGEST,
        hints=(
            "The image is still listed: look for the row without a tag.",
            "describe_images takes a filter: filter={'tagStatus': 'UNTAGGED'}.",
        ),
        solution="""
untagged = ecr.describe_images(repositoryName="playground", filter={"tagStatus": "UNTAGGED"})
ghost = untagged["imageDetails"][0]["imageDigest"]
lab.check("find-the-ghost", ghost)
""",
    ),
    Exercise(
        id="one-tag-two-processors",
        task="Publish my-app in a repository site for linux/amd64 and linux/arm64 under the tag v1.",
        judge=_two_processors,
        hints=(
            "docker build takes --platform with a list: linux/amd64,linux/arm64.",
            "One build makes the index and one push sends it, if it is built under the full name.",
        ),
        solution="""
aws ecr create-repository --repository-name site
docker build -q --platform linux/amd64,linux/arm64 --provenance=false \\
  -t 123456789012.dkr.ecr.us-east-1.amazonaws.com/site:v1 .
docker push 123456789012.dkr.ecr.us-east-1.amazonaws.com/site:v1
""",
    ),
)

QUESTIONS = (
    Question(
        id="why-so-little-is-freed",
        question="Two images of 100 MB are listed. You delete one, and only 5 MB are freed. Why?",
        model="describe-images shows the full size of each image, but layers that both have are stored once, and a "
        "layer goes only with the last image that uses it.",
    ),
)

CARDS = (
    Card(
        id="push-and-pull/create",
        question="You push to a repository that does not exist. What does ECR do?",
        choices=(
            Choice("It makes the repository", "Docker Hub does; ECR only where a creation template says so."),
            Choice("It refuses: name unknown", "Create the repository first, once.", right=True),
            Choice("It asks for credentials again", "Credentials were fine; that would be another text."),
        ),
    ),
    Card(
        id="push-and-pull/second",
        question="One file changed, and the Dockerfile copies it last. What does the next push send?",
        choices=(
            Choice(
                "The changed layer, the config and the manifest", "All other layers are there, by digest.", right=True
            ),
            Choice("The whole image", "Docker asks for every layer first and sends only what is missing."),
            Choice("Only the changed file", "Layers are sent whole; the file travels within its layer."),
        ),
    ),
    Card(
        id="push-and-pull/size",
        question="Two images of 100 MB share 90 MB of layers in one repository. How much is stored?",
        choices=(
            Choice("200 MB", "That is the sum of what describe-images shows; the shared layers are stored once."),
            Choice("100 MB", "Each image has 10 MB of its own, too."),
            Choice("110 MB", "90 MB shared, and 10 MB of each.", right=True),
        ),
    ),
    Card(
        id="push-and-pull/moved",
        question="In a mutable repository, v1 is pushed again with another image. Where is the old one?",
        choices=(
            Choice("Still there, without a tag", "It can be pulled by digest, and it costs storage.", right=True),
            Choice("Deleted", "Nothing is deleted; only the name moved on."),
            Choice("Under the tag v1-old", "ECR invents no tags; it moves the one you pushed."),
        ),
    ),
    Card(
        id="push-and-pull/index",
        question="After pushing for two platforms, describe-images shows two untagged rows. What are they?",
        choices=(
            Choice("Rubbish from failed pushes", "Deleting them would break the image; ECR refuses to."),
            Choice("Copies in another Region", "A repository is in one Region; replication is another lesson."),
            Choice(
                "The images that the tagged index lists", "One for each platform; the tag is on the index.", right=True
            ),
        ),
    ),
)
