"""The memory of a class on one machine: learners who run a whole lesson at once, on the hub of `deploy/`.

    python -m tests.bench.hub [LEARNERS] [LESSON]        as root; 12 learners and 02-push-and-pull by default

Memory is the proportional set size (PSS): a page that several learners share counts for each in part.
"""

import json
import statistics
import subprocess
import sys

from tests.deploy.one_machine import ALONE


def main(count: str = "12", lesson: str = "02-push-and-pull") -> None:
    """Print the figures of one class."""
    command = [*ALONE, sys.executable, "-m", "tests.deploy.one_machine", count, lesson]
    seen = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    print(f"{count} learners, {lesson}")
    for what in ("idle memory", "memory", "memory after the lesson"):
        each = seen[what]
        print(f"{what}, MiB each: {min(each)} to {max(each)}, median {statistics.median(each):.0f}, all {sum(each)}")
    print(f"hub and proxy: {seen['memory of the hub']} MiB")
    for what in ("until all servers run", "until all have worked", "until all have done the lesson"):
        print(f"seconds {what}: {seen[f'seconds {what}']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
