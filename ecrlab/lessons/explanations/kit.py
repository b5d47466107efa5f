"""Errors of the kit itself."""

from ecrlab.lessons.explanations.entry import Explanation

ENTRIES = (
    Explanation(
        "not-simulated",
        "does not simulate",
        "ecrlab does not simulate ecr:CreatePullThroughCacheRule yet; docs/fidelity.md lists what it does",
        "The kit does not simulate this operation (yet).",
        ("docs/fidelity.md lists what it does",),
        "Nothing is wrong with your command; try it on AWS.",
        "It works there.",
    ),
    Explanation(
        "no-lab",
        "no lab is running|is attached to it; |the lab at .* does not answer|nothing answers at the lab's address",
        "docker: no lab is running here, and the Docker that is installed is not used in its place.",
        "The command found no lab, and used nothing else in its place: nothing was changed.",
        (
            "the lab was stopped, or not started yet, or the kernel was restarted",
            "a terminal was attached to a lab that has ended since",
        ),
        'Run lab = ecrlab.start() and the cells after it; for the installed Docker, ecrlab.start(docker="system").',
        "Docker's own error of this kind is: Cannot connect to the Docker daemon. Start Docker.",
    ),
    Explanation(
        "lab-stopped",
        "this lab was stopped",
        "EcrLabError: this lab was stopped, and its files with it; start one: lab = ecrlab.start()",
        "This lab runs no more. Unless another one was started, this process has the AWS settings again that it had "
        "before: a cell that was run since may have worked on your own AWS account. In the JupyterLab of "
        "python3 -m ecrlab they reach no AWS.",
        ("lab.stop() was run", "lab = ecrlab.start() was run again: the lab before it ended"),
        "Run no other cell before lab = ecrlab.start(), and then those after it.",
        "It does not happen there; aws sts get-caller-identity says which account the settings reach.",
    ),
    Explanation(
        "no-snapshot",
        "there is no snapshot to go back to",
        "EcrLabError: there is no snapshot to go back to; take one first: before = lab.snapshot()",
        "lab.restore() puts a registry back as lab.snapshot() saw it, and this lab has seen none.",
        ("the cell with lab.snapshot() was skipped", "the lab was started anew since: it begins with nothing"),
        "Take one first: before = lab.snapshot().",
        "There is no way back on AWS: what is deleted is gone.",
    ),
    Explanation(
        "clock-backwards",
        "time only moves forward|calendar ends with the year",
        "EcrLabError: time only moves forward: cannot advance by -1 day, 0:00:00",
        "The lab's clock moves forward only, and not beyond the year 9998.",
        ("a negative number", "a cell with a fixed date was run twice"),
        "lab.clock.now() says what time it is; to begin anew, run lab = ecrlab.start().",
        "There, time passes by itself.",
    ),
    Explanation(
        "start-argument",
        r'docker must be "lab"|state= names the folder|at must be an ISO 8601 instant',
        "EcrLabError: at must be an ISO 8601 instant such as 2026-10-01T09:00, got 'yesterday'",
        "ecrlab.start() does not accept one of its arguments, and started nothing; a lab that ran is still running.",
        ("a typing mistake; help(ecrlab.start) lists what it accepts",),
        "Correct the argument that it names, or leave it out.",
        "It does not happen there.",
    ),
    Explanation(
        "kit-name-unknown",
        r"there is no (exercise|quiz|scenario|command|notebook) |name the exercise; ",
        "EcrLabError: there is no exercise 'push-second-tag'; did you mean push-a-second-tag?",
        "The kit has nothing of this name.",
        ("a typing mistake",),
        "Use one of the names that it lists.",
        "It does not happen there.",
    ),
    Explanation(
        "kit-error",
        r"\bEcrLabError: (?!Invalid parameter at)",
        "EcrLabError: day is a number of whole days from now, 0 or more, got -1",
        "The kit refuses this, and changed nothing; its sentence says what it wants.",
        ("a value of the wrong kind or out of its range", "a name that is not there"),
        "Read the sentence: it names the value and what is accepted. help(…) shows the arguments of a function.",
        "It does not happen there.",
    ),
)
