"""The errors of this room: in a lifecycle policy, and in the images that it is evaluated on.

LifecycleError
  ├ InvalidLifecyclePolicy   AWS rejects this policy; carries AWS's text and the place in the policy
  └ UnreadableInput          images, manifests or another input break a rule; carries the place
"""

from ecrlab.errors import EcrLabError


class LifecycleError(EcrLabError):
    """The base of all errors of `ecrlab.lifecycle`; `place` is the place in the input, such as `rules[0].action`."""

    place: str = ""


VALIDATION, PARSING = "Lifecycle policy validation failure: ", "Lifecycle policy parsing failure: "
"""The prefixes of AWS's reasons."""


class InvalidLifecyclePolicy(LifecycleError):
    """PutLifecyclePolicy rejects the policy.

    `detail` is AWS's reason, with a line for each failure of the schema. `constraint` is the quoted part of AWS's text,
    and `message` the whole text (an InvalidParameterException). `place` is the first place in the policy's JSON that
    breaks a rule; it is empty where the text as a whole does.
    """

    def __init__(self, detail: str, place: str = "", lead: str = VALIDATION, end: str = "") -> None:
        self.detail = detail
        self.place = place
        self.constraint = lead + detail + end
        self.message = f"Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: '{self.constraint}'"
        super().__init__(self.message)


class UnreadableInput(LifecycleError):
    """An input breaks a rule of its reader; `rule` states it, `place` says where."""

    def __init__(self, rule: str, place: str = "") -> None:
        self.rule = rule
        self.place = place
        super().__init__(f"{place}: {rule}" if place else rule)
