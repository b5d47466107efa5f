"""`python3 -m ecrlab lifecycle`: lint, preview and diff, for a terminal, a pull request, or a pipeline.

Exit status: 0 clean; 1 findings (a lint error, a protected image that the policy takes, a difference from AWS);
2 unreadable input, a policy that AWS rejects, or wrong use.
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ecrlab.commands import account
from ecrlab.commands.status import CLEAN, FINDINGS, TROUBLE
from ecrlab.errors import EcrLabError
from ecrlab.lifecycle import aws, output, reading
from ecrlab.lifecycle.daily import Daily
from ecrlab.lifecycle.diff import diff
from ecrlab.lifecycle.errors import LifecycleError
from ecrlab.lifecycle.evaluation import Evaluation, evaluate
from ecrlab.lifecycle.files import Unusable, about, policy_of, text_of
from ecrlab.lifecycle.finding import ERROR
from ecrlab.lifecycle.image import Image
from ecrlab.lifecycle.lint import lint
from ecrlab.lifecycle.preview import compare

_PERMISSIONS = f"""\
With --repository the command reads your account and changes nothing. It needs {" and ".join(aws.ACTIONS)};
--compare-with-aws also {" and ".join(aws.PREVIEW_ACTIONS)} (a dry run of AWS's).
On AWS, reading a multi-architecture image's list counts as a pull (lastRecordedPullTime), like any BatchGetImage;
RegisterPullTimeUpdateExclusion exempts a role.
"""
_EXIT = "exit status: 0 clean; 1 findings; 2 unreadable input, a policy that AWS rejects, or wrong use"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands and their options."""
    parser.description = "Lint a lifecycle policy, preview and explain its effect on images, or compare two policies."
    parser.epilog = f"{_PERMISSIONS}\n{_EXIT}"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="lifecycle_command", required=True, metavar="COMMAND")

    def add(name: str, summary: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=parser.epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    linting = add("lint", "find rules that AWS accepts but that do harm, each with its cure")
    linting.add_argument(
        "policies", type=Path, nargs="+", metavar="POLICY.json", help="one or more; - is the standard input"
    )
    _add_images(linting, required=False)

    previewing = add("preview", "list the images that the policy takes, and the rule for each")
    previewing.add_argument("--policy", type=Path, required=True, metavar="POLICY.json")
    _add_images(previewing)
    previewing.add_argument("--explain", action="store_true", help="explain for every image why it goes or stays")
    _add_protect(previewing)
    previewing.add_argument(
        "--compare-with-aws", action="store_true", help="compare the result with AWS's own preview of the --repository"
    )

    comparing = add("diff", "list the images that an edited policy newly takes or keeps")
    comparing.add_argument("old", type=Path, metavar="OLD.json")
    comparing.add_argument("new", type=Path, metavar="NEW.json")
    _add_images(comparing)
    comparing.add_argument("--explain", action="store_true", help="explain every change")
    _add_protect(comparing)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand, and return the exit status."""
    command = {"lint": _lint, "preview": _preview, "diff": _diff}[options.lifecycle_command]
    try:
        return command(options)
    except EcrLabError as error:
        print(f"ecrlab lifecycle: {error}", file=sys.stderr)
        return TROUBLE


def _add_images(parser: argparse.ArgumentParser, required: bool = True) -> None:
    source = parser.add_mutually_exclusive_group(required=required)
    source.add_argument(
        "--images",
        type=Path,
        metavar="IMAGES.json",
        help="the output of `aws ecr describe-images --filter imageStatus=ANY`",
    )
    source.add_argument("--repository", metavar="NAME", help="a repository of your account, read with boto3")
    parser.add_argument(
        "--manifests",
        type=Path,
        metavar="MANIFESTS.json",
        help="the output of `aws ecr batch-get-image` for the indexes",
    )
    parser.add_argument("--at", metavar="ISO-8601", help="the time to evaluate at, with a zone (default: now)")
    account.configure(parser, " of --repository")
    parser.add_argument("--output", choices=("table", "json"), default="table")


def _add_protect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--protect", type=Path, metavar="FILE", help="digests that must stay, one on each line; # starts a comment"
    )


# The three commands


def _lint(options: argparse.Namespace) -> int:
    """Lint each policy; with several policies, each finding names its policy."""
    several = len(options.policies) > 1
    judged = _judged(options) if options.images or options.repository else None
    statuses, documents = [CLEAN], {}
    for path in options.policies:
        try:
            policy = policy_of(path)
        except Unusable as error:
            statuses.append(TROUBLE)
            documents[str(path)] = output.refusal_json(str(error))
            print(f"ecrlab lifecycle: {error}", file=sys.stderr)
            continue
        findings = lint(policy, evaluate(policy, *judged) if judged else None)
        statuses.append(FINDINGS if any(finding.severity == ERROR for finding in findings) else CLEAN)
        documents[str(path)] = output.lint_json(findings)
        if options.output == "table":
            _print(iter([f"{path}:"] if several else []))
            _print(output.lint_table(findings))
    if options.output == "json":
        _print(output.lint_documents(documents))
    return max(statuses)


def _preview(options: argparse.Namespace) -> int:
    if options.compare_with_aws and (options.images or options.at):
        raise Unusable("--compare-with-aws needs --repository, and no --at: AWS previews what is there now")
    policy, protected = policy_of(options.policy), _protected(options.protect)
    evaluation = evaluate(policy, *_judged(options))
    disagreements = None
    if options.compare_with_aws:
        disagreements = compare(evaluation, _repository(options).preview(policy))
    harmed = _harmed(evaluation, protected)
    if options.output == "json":
        _print(output.preview_json(evaluation, harmed, disagreements, options.explain))
    else:
        _print(output.preview_table(evaluation, harmed, disagreements, options.explain))
    return FINDINGS if harmed or any(not each.doubt for each in disagreements or ()) else CLEAN


def _diff(options: argparse.Namespace) -> int:
    old, new, protected = policy_of(options.old), policy_of(options.new), _protected(options.protect)
    difference = diff(old, new, *_judged(options))
    harmed = _harmed(difference.new, protected)
    if options.output == "json":
        _print(output.diff_json(difference, harmed, options.explain))
    else:
        _print(output.diff_table(difference, harmed, options.explain))
    return FINDINGS if harmed else CLEAN


def _harmed(evaluation: Evaluation, protected: list[str]) -> dict[str, int]:
    """Return the protected digests that would go, with their run: children of an index go in the run after it."""
    present = {image.image_digest for image in evaluation.images}
    for digest in protected:
        if digest not in present:
            print(f"ecrlab lifecycle: {digest} is to be protected, but is not among the images", file=sys.stderr)
    if present.isdisjoint(protected):
        return {}
    repository, harmed, run = Daily(evaluation.policy, evaluation.images), {}, 1
    while gone := {image.image_digest for image, _ in repository.run(evaluation.now)}:
        harmed.update({digest: run for digest in protected if digest in gone and digest not in harmed})
        run += 1
    return harmed


# What the command line names


def _judged(options: argparse.Namespace) -> tuple[list[Image], datetime]:
    """Return the images that the command line names, and the time to evaluate at: for a repository its registry's."""
    at = _instant(options.at)
    if options.repository:
        repository = _repository(options)
        return repository.images(), at or account.time_of(repository.client)
    return _images(options), at or datetime.now(UTC)


def _images(options: argparse.Namespace) -> list[Image]:
    manifests = {}
    if options.manifests:
        with about(options.manifests):
            manifests = reading.manifests(reading.document(text_of(options.manifests)))
    with about(options.images):
        images = reading.images(reading.document(text_of(options.images)), manifests)
    unknown = sum(image.is_index and image.image_digest not in manifests for image in images)
    if unknown:
        print(
            f"ecrlab lifecycle: {options.images} does not have the contents of {unknown} multi-architecture images, so"
            " images that they list may be shown as expiring; add --manifests",
            file=sys.stderr,
        )
    return images


def _repository(options: argparse.Namespace) -> aws.Repository:
    if options.manifests:
        raise Unusable("--manifests goes with --images; with --repository the manifests are read from there")
    return aws.Repository(account.connect(options), options.repository)


def _instant(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        return reading.instant(value)
    except LifecycleError as error:
        raise Unusable(f"--at: {error}") from error


def _protected(path: Path | None) -> list[str]:
    """Read the digests in a file; of an image reference, only the part after the @ is read."""
    if path is None:
        return []
    digests = []
    for number, line in enumerate(text_of(path).splitlines(), 1):
        words = line.partition("#")[0].split()
        if words:
            digest = words[0].rpartition("@")[2]
            if len(words) > 1 or ":" not in digest:
                raise Unusable(f"{path}: line {number}: one digest a line, got {reading.shown(line)}")
            digests.append(digest)
    return digests


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        print(line)
