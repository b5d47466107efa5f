"""Show what your lessons have recorded about you; export, delete or switch it off; or read the files of a class.

Recorded are: when you first solved each exercise and each card, how often you checked an exercise until then, the hints
and solutions that you took, and for each try on a card whether your first choice was right. Nothing leaves this machine
unless you export it.

Exit status: 0; 2 unusable input, or a file that cannot be written.

examples:
  python3 -m ecrlab progress
  python3 -m ecrlab progress --export > ann.json
  python3 -m ecrlab progress --collect 'class/*.json' --output html > board.html
"""

import argparse

from ecrlab.errors import EcrLabError
from ecrlab.lessons import class_board, progress


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ecrlab progress`."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--export", action="store_true", help="print the file, for your teacher")
    what.add_argument("--reset", action="store_true", help="delete what was recorded")
    what.add_argument("--off", action="store_true", help="delete what was recorded, and record nothing more")
    what.add_argument("--on", action="store_true", help="record again")
    what.add_argument("--collect", metavar="GLOB", help="read the exported files of a class")
    parser.add_argument("--output", choices=("csv", "html"), default="csv", help="the form of --collect")


def run(options: argparse.Namespace) -> int:
    """Do what the options say."""
    if options.collect is not None:
        learners = class_board.collect(options.collect)
        print(class_board.as_html(learners) if options.output == "html" else class_board.as_csv(learners), end="")
    elif options.export:
        print(progress.recorded().to_json())
    elif options.reset or options.off or options.on:
        if not options.on:
            _reset(off=True if options.off else None)
        elif progress.recorded().off:
            _reset(off=False)
        print(_state())
    else:
        print(progress.progress().to_string())
        print(_state())
    return 0


def _reset(*, off: bool | None) -> None:
    try:
        progress.reset(off=off)
    except OSError as error:
        raise EcrLabError(f"{progress.path()} cannot be written: {error.strerror}") from error


def _state() -> str:
    if progress.recorded().off:
        return "Recording is off (--on switches it on)."
    return f"Recorded in {progress.path()}; --reset deletes it, --off switches it off."
