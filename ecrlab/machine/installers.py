"""What installers print, for people: how far they are, why they failed, and what to do about it."""

import re
import sys

NEWEST_TESTED = (3, 13)
"""The newest Python on which the tests were run."""


def progress(said: str) -> str:
    r"""Return pip's progress, read from its output.

    >>> progress("Collecting boto3==1.44.5\n  Downloading boto3\nCollecting flask==3.1.3\n")
    '2 packages fetched, now flask'
    """
    fetched = re.findall(r"^Collecting ([\w.-]+)", said, re.MULTILINE)
    if "\nInstalling collected packages" in said:
        return f"unpacking {len(fetched)} packages"
    return f"{len(fetched)} packages fetched, now {fetched[-1]}" if fetched else "at work"


# Outputs of a failed set-up, and their cures; the first match is reported.
CURES = {
    r"No space left on device|Errno 28": "the disk is full: free some space and start again",
    r"DO NOT MATCH THE HASHES": (
        "the package index offers a file that is not the one in the lock: "
        "start again on another network or with another index"
    ),
    r"CERTIFICATE_VERIFY_FAILED|SSLError": (
        "this machine does not trust the package index's certificate: "
        "if a proxy inspects your traffic, name its certificate in PIP_CERT, and start again"
    ),
    r"NewConnectionError|NameResolutionError|Temporary failure in name resolution|Network is unreachable"
    r"|ConnectTimeout|Read timed out|ProxyError|Connection (?:refused|broken|reset)|from versions: none": (
        "no package index answers, and the first start needs one: connect to the network "
        "(behind a proxy, set https_proxy) and start again; later starts need no network"
    ),
    r"Permission denied|Read-only file system": (
        "a folder is not writable: copy the project to a folder of your own and start again"
    ),
}


def cure(text: str) -> str | None:
    """Return the cure for the output of a failed step, or for the text of an error; None if there is none."""
    return next((cure for pattern, cure in CURES.items() if re.search(pattern, text)), None)


def why(said: str) -> str:
    """Return the cure for a failed step's output, or else its last lines."""
    if known := cure(said):
        return known
    last = " / ".join(said.split("\n")[-4:]).strip(" /") or "it printed nothing"
    if sys.version_info[:2] > NEWEST_TESTED:
        newest = ".".join(map(str, NEWEST_TESTED))
        return f"{last} (Python {newest} is the newest tested: start with python{newest})"
    return last
