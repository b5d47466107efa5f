"""ECR's lifecycle policies as pure functions: read a policy, evaluate it on images, and explain each verdict.

    policy text ── parse ──> Policy ┐
    describe-images ── Image, … ────┼── evaluate ──> Evaluation ── explain ──> one sentence for each image
    the time ───────────────────────┘

ECR evaluates all rules first and applies them by priority after (AWS user guide, lifecycle policies). Where
AWS documents nothing, a comment `UNSURE` marks the choice of the lab.
"""

from ecrlab.lifecycle.errors import InvalidLifecyclePolicy, LifecycleError, UnreadableInput
from ecrlab.lifecycle.evaluation import Evaluation, evaluate
from ecrlab.lifecycle.explanation import explain
from ecrlab.lifecycle.image import Image
from ecrlab.lifecycle.policy import Policy, Rule
from ecrlab.lifecycle.validation import parse
from ecrlab.lifecycle.verdict import Verdict

__all__ = [
    "Evaluation",
    "Image",
    "InvalidLifecyclePolicy",
    "LifecycleError",
    "Policy",
    "Rule",
    "UnreadableInput",
    "Verdict",
    "evaluate",
    "explain",
    "parse",
]
