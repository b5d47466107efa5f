"""`python3 -m ecrlab.lifecycle`: the lifecycle command by itself, which needs nothing but Python's standard library."""

import argparse
import os
import sys

from ecrlab.lifecycle.command import configure, run


def main() -> int:
    """Run the command line of this process."""
    parser = argparse.ArgumentParser(prog="python3 -m ecrlab.lifecycle")
    configure(parser)
    try:
        status = run(parser.parse_args())
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has enough (`... | head`); what is left in the buffer has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return status


if __name__ == "__main__":
    sys.exit(main())
