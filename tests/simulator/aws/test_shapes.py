"""The door: patterns of AWS's model are obeyed, and cannot be made to take for ever."""

import re
import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.simulator.aws.shapes import LINEAR

HOSTILE = """
import itertools, re
from ecrlab.simulator.aws.shapes import LINEAR, service_model

units = ("a", "a.", "a-", "a--", "a_", "a/", "1", "*", "a*", ".", "/", "-", "A", ":", "a:", "-a", "a.-")
starts = ("", "a", "arn:aws-", "arn:aws:iam::123456789012:role/", "arn:aws:secretsmanager:")
for service in ("ecr", "ecr-public"):
    model = service_model(service)
    for pattern in {model.shape_for(name).metadata.get("pattern") for name in model.shape_names} - {None}:
        print(pattern, flush=True)
        for start, unit in itertools.product(starts, units):
            re.fullmatch(LINEAR.get(pattern, pattern), (start + unit * 256)[:256] + "!")
print("done")
"""


def test_no_text_keeps_a_pattern_busy() -> None:
    # In a process of its own, because a pattern at work cannot be interrupted.
    ran = subprocess.run([sys.executable, "-c", HOSTILE], capture_output=True, text=True, timeout=60)
    assert ran.stdout.endswith("done\n"), ran.stderr


@settings(max_examples=300)
@given(text=st.text(alphabet="a0*._-/!", max_size=8))
def test_a_pattern_that_was_replaced_means_the_same(text: str) -> None:
    for theirs, ours in LINEAR.items():
        assert bool(re.fullmatch(theirs, text)) == bool(re.fullmatch(ours, text))
