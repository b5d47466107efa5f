"""Show or move the clock of the running lab.

Without a verb it prints the lab's time. Durations use the units s, m, h, d and w. The clock of `serve` moves only with
`serve --clock lab`.

examples:
  python3 -m ecrlab clock
  python3 -m ecrlab clock advance 1d12h
  python3 -m ecrlab clock travel-to 2026-12-24T18:00
"""

import argparse
import json
import re
import urllib.error
import urllib.parse
import urllib.request

from ecrlab.errors import EcrLabError
from ecrlab.machine import running, signing

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ecrlab clock`."""
    parser.add_argument("--endpoint", help="the lab to use (default: the attached one, or the only one)")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    advance = verbs.add_parser("advance", help="let time pass")
    advance.add_argument("duration", help="such as 30d, 13h, 1d12h")
    travel = verbs.add_parser("travel-to", help="move the clock to a later instant")
    travel.add_argument("instant", help="ISO 8601, such as 2026-12-24T18:00")


def run(options: argparse.Namespace) -> int:
    """Move the clock as the verb says, and print its time."""
    asked: dict[str, str] | None = None
    if options.verb == "advance":
        asked = {"seconds": str(seconds(options.duration))}
    elif options.verb == "travel-to":
        asked = {"instant": options.instant}
    print(_ask(running.choose(options.endpoint).endpoint, asked)["now"])
    return 0


def seconds(duration: str) -> int:
    """Return a duration such as `1d12h` in seconds. Raises `EcrLabError` for an invalid one.

    >>> seconds("1d12h")
    129600
    """
    if not re.fullmatch(r"([0-9]{1,9}[smhdw])+", duration):
        raise EcrLabError(f"not a duration: {duration!r}; write for example 30d, 13h or 1d12h")
    return sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"([0-9]+)([smhdw])", duration))


def _ask(endpoint: str, asked: dict[str, str] | None) -> dict[str, str]:
    url = f"{endpoint}/_ecrlab/clock" + ("" if asked is None else f"?{urllib.parse.urlencode(asked)}")
    method = "GET" if asked is None else "POST"
    request = urllib.request.Request(url, None if asked is None else b"", signing.headers(method, url))
    # Never through a proxy: the lab is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as response:
            answer: dict[str, str] = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        raise EcrLabError(_reason(error, endpoint)) from error
    except (OSError, ValueError) as error:
        raise EcrLabError(f"the lab at {endpoint} does not answer: {error}") from error


def _reason(error: urllib.error.HTTPError, endpoint: str) -> str:
    """Return the lab's text for a rejected request, or the HTTP status if the response has no readable text."""
    try:
        return str(json.load(error)["error"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"the lab at {endpoint} answers {error.code} {error.reason}"
