"""Create on push: a push to a missing repository makes it, if a creation template is for it (AWS user guide)."""

from ecrlab.registry import creation_templates
from ecrlab.registry.repositories import Repository
from ecrlab.registry.wanted import PUSHING, Wanted


def create_on_push(wanted: Wanted) -> Repository | None:
    """Make the repository that a push wants. Raises `AccessDeniedException`."""
    # UNSURE: which request of a push makes the repository; here the first, by Docker and by the API alike. That may be
    # a look for a layer: clients of the API give up if it fails.
    if wanted.action not in PUSHING:
        return None
    if creation_templates.matching(wanted.registry, wanted.repository_name, "CREATE_ON_PUSH") is None:
        return None
    # UNSURE: what the pusher must be allowed; here the push itself and ecr:CreateRepository.
    for action in (wanted.action, "ecr:CreateRepository"):
        wanted.check(action)
    return creation_templates.create_from_template(wanted.registry, wanted.repository_name, "CREATE_ON_PUSH")
