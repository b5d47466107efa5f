"""All explanations in the order in which they are tried, and the one that fits a text."""

from ecrlab.lessons.explanations import (
    access,
    any_service,
    boto3_client,
    caches,
    consumers,
    docker,
    ecr_public,
    ecs,
    images,
    keys,
    kit,
    kubernetes,
    lambda_functions,
    layers,
    lifecycle,
    python_code,
    replication,
    repositories,
    scanning,
    shell,
)
from ecrlab.lessons.explanations.entry import Explanation, quoted

CHAPTERS: dict[str, tuple[Explanation, ...]] = {
    "The lab itself": kit.ENTRIES,
    "ECS": ecs.ENTRIES,
    "Kubernetes": kubernetes.ENTRIES,
    "Services that pull": consumers.ENTRIES,
    "Lambda": lambda_functions.ENTRIES,
    "Encryption keys": keys.ENTRIES,
    "Replication": replication.ENTRIES,
    "Pull-through caches": caches.ENTRIES,
    "ECR Public": ecr_public.ENTRIES,
    "Login and permissions": access.ENTRIES,
    "Scans": scanning.ENTRIES,
    "Lifecycle policies": lifecycle.ENTRIES,
    "Images and tags": images.ENTRIES,
    "Layers and uploads": layers.ENTRIES,
    "Repositories": repositories.ENTRIES,
    "Docker": docker.ENTRIES,
    "boto3": boto3_client.ENTRIES,
    "Python": python_code.ENTRIES,
    "The AWS CLI and the shell": shell.ENTRIES,
    "Any service of AWS": any_service.ENTRIES,
}

UNKNOWN = """
There is no explanation for this one. An error of AWS has three parts: the class in parentheses,
the operation, and a sentence that names repository, tag or digest. Docker prints only such a
sentence; the words before its first colon say how far it came. docs/errors.md lists the errors
that lab.why() explains."""


SHORTEST = 20
"""Characters of the beginning of a text that is enough to know the error by."""


def find(text: str) -> Explanation | None:
    """Return the explanation of an error's text, or of the only text that begins so; None without one."""
    every = [one for entries in CHAPTERS.values() for one in entries]
    return next((one for one in every if one.fits(text)), None) or _begun(text, every)


def _begun(text: str, every: list[Explanation]) -> Explanation | None:
    beginning = " ".join(text.split()).rstrip(" .…")
    found = [one for one in every if " ".join(one.example.split()).startswith(beginning)]
    return found[0] if len(beginning) >= SHORTEST and len(found) == 1 else None


def explain(text: str) -> str:
    """Return the page about an error; for an unknown one, how to read it."""
    found = find(text)
    return found.page(text) if found else f"{quoted(text)}\n{UNKNOWN}"
