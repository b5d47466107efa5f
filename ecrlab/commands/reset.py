"""Put fresh copies of the lessons in place. Your own are kept beside them, with -old in their names.

Without a lesson it does so for all lessons and applications. A copy without changes stays.

examples:
  python3 -m ecrlab reset 03-tag-immutability
  python3 -m ecrlab reset --work ~/ecr
"""

import argparse

from ecrlab.commands.lab import add_work
from ecrlab.machine import copies


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `reset`."""
    parser.add_argument("lesson", nargs="?", metavar="LESSON", help="a lesson, such as 00-start-here (default: all)")
    add_work(parser)


def run(options: argparse.Namespace) -> int:
    """Reset the copies, and print what was done."""
    work = copies.work_folder(options.work)
    done = copies.reset(work, options.lesson)
    for copy, aside in done:
        print(f"{copy.relative_to(work)}: a fresh copy" + (f"; yours is {aside.relative_to(work)}" if aside else ""))
    if not done:
        print("nothing to do: there are no changes")
    return 0
