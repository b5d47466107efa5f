"""What can go wrong with a lifecycle policy and what it is judged on.

LifecycleError
  ├ InvalidLifecyclePolicy   AWS would refuse this policy; carries AWS's text and the place in the policy
  └ UnreadableInput          images, manifests or another input break a rule of theirs; carries the place
"""

from ecrlab.errors import EcrLabError


class LifecycleError(EcrLabError):
    """The root of what `ecrlab.lifecycle` raises; `place` says where in the input, such as `rules[0].action`."""

    place: str = ""


VALIDATION, PARSING = "Lifecycle policy validation failure: ", "Lifecycle policy parsing failure: "
"""The words that AWS's reason begins with."""


class InvalidLifecyclePolicy(LifecycleError):
    """PutLifecyclePolicy would refuse the policy.

    `detail` is AWS's reason, with a line for each failure of the schema; `constraint` is the part of AWS's text
    in quotes, `message` the whole text (an InvalidParameterException). `place` is the spot in the policy's JSON
    that breaks the rule, the first if there are several, and empty for the text as a whole.
    """

    def __init__(self, detail: str, place: str = "", lead: str = VALIDATION, end: str = "") -> None:
        self.detail = detail
        self.place = place
        self.constraint = lead + detail + end
        self.message = f"Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: '{self.constraint}'"
        super().__init__(self.message)


class UnreadableInput(LifecycleError):
    """An input is not what its reader expects; `place` names the spot, the text the rule that is broken."""

    def __init__(self, rule: str, place: str = "") -> None:
        self.rule = rule
        self.place = place
        super().__init__(f"{place}: {rule}" if place else rule)
