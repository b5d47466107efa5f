"""The seed of a lab: every student works in a world of their own, and each world can be made again.

A seed varies the start of the lab's clock, the date of built images (and so their digests), ids and tokens, and the
past that `lab.load` loads. Names do not vary. Without a seed the world is that of the committed lessons.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ecrlab.clock import START
from ecrlab.errors import EcrLabError
from ecrlab.scenarios.chance import Chance

VARIABLE = "ECRLAB_SEED"
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Seed:
    """A seed that was read; `text` is None for the world of the committed lessons."""

    text: str | None = None

    @property
    def start(self) -> datetime:
        """The start of the clock: that of the lessons, or a morning of the four weeks after it."""
        if self.text is None:
            return START
        chance = Chance(self.text, "start")
        return START + timedelta(days=chance.between(1, 28), minutes=chance.between(-60, 59))

    @property
    def ids(self) -> str:
        """The seed of ids and tokens."""
        return "ecrlab" if self.text is None else f"ecrlab {self.text}"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of the lab's docker command: images are built at the start of the clock."""
        return {} if self.text is None else {"SOURCE_DATE_EPOCH": str(int(self.start.timestamp()))}


def read(seed: object) -> Seed:
    """Read a seed: a string or an integer, the same as its digits; an absent or empty one is None or "".

    Raises `EcrLabError` for anything else.

    >>> read(7) == read("7"), read(None), read("")
    (True, Seed(text=None), Seed(text=None))
    """
    if seed is None or seed == "":
        return Seed()
    if isinstance(seed, bool) or not isinstance(seed, str | int):
        raise EcrLabError(f"the seed must be a string or an integer, got {seed!r:.80}")
    if isinstance(seed, int) and abs(seed) >= 10**LONGEST:
        raise EcrLabError(f"the seed must have at most {LONGEST} characters")
    text = str(seed).strip()
    if not text.isprintable() or not text:
        raise EcrLabError(f"the seed must be printable text, got {text!a:.80}")
    if len(text) > LONGEST:
        raise EcrLabError(f"the seed must have at most {LONGEST} characters, got {len(text)}")
    return Seed(text)
