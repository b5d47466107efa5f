"""`python3 -m ecrlab.lifecycle`: the lifecycle command by itself, which needs nothing but Python's standard library."""

import argparse
import sys

from ecrlab.lifecycle.command import configure, run

parser = argparse.ArgumentParser(prog="python3 -m ecrlab.lifecycle")
configure(parser)
sys.exit(run(parser.parse_args()))
