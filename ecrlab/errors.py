"""What can go wrong in the kit itself, as a family.

EcrLabError
  ├ ecrlab.registry.errors.EcrError    what AWS would answer: class, text and status
  └ (each room's own, e.g. ecrlab.lifecycle.errors.LifecycleError)
"""


class EcrLabError(Exception):
    """The root of every error that ecrlab raises on purpose; its text is meant for a person."""
