"""The generated parts of `docs/fidelity.md`: what each operation does here, and what was decided where AWS is silent.

    python -m tests.simulator.fidelity     writes them anew

An operation is refused unless it is in the table of operations, partial when its entry there says so, and enforced
otherwise; the test named for it is the one marked `operation` in `tests/simulator/`. Choices are the comments
`UNSURE:` of the code. What is written by hand stands between the generated parts and stays.
"""

import ast
import functools
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ecrlab.simulator.aws.calls import OPERATIONS, PARTIAL
from ecrlab.simulator.aws.operations import load
from ecrlab.simulator.aws.shapes import service_model

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "fidelity.md"

_PART = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_WORDING = re.compile(r"\b(text|texts|wording|words)\b")


@dataclass(frozen=True, slots=True)
class Choice:
    """A comment `UNSURE:`: in which module, in which function of it, and what it says."""

    module: str
    place: str
    text: str

    @property
    def is_wording(self) -> bool:
        """Whether only a text is guessed."""
        return len(self.text) < 60 and _WORDING.search(self.text) is not None


def render(page: str) -> str:
    """The page with its generated parts made anew."""
    parts = {"ecr": _operations("ecr"), "ecr-public": _operations("ecr-public"), "choices": _choices()}
    return _PART.sub(lambda part: f"{part[1]}\n{parts[part[2]]}\n{part[3]}", page)


def tests() -> dict[str, tuple[Path, str]]:
    """Operation (`ecr:PutImage`) -> file and name of the test that fails without it."""
    found: dict[str, tuple[Path, str]] = {}
    for path in sorted((ROOT / "tests" / "simulator").rglob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
                if ast.unparse(decorator).startswith("pytest.mark.operation("):
                    found.setdefault(ast.literal_eval(decorator.args[0]), (path, node.name))  # type: ignore[attr-defined]
    return found


@functools.cache
def choices() -> list[Choice]:
    """Every `UNSURE:` of the package, by module."""
    return [choice for path in sorted((ROOT / "ecrlab").rglob("*.py")) for choice in _choices_in(path)]


def _operations(service: str) -> str:
    load()
    named = tests()
    lines = ["| operation | here | the test that fails without it |", "| --- | --- | --- |"]
    for name in sorted(service_model(service).operation_names):
        if (service, name) not in OPERATIONS:
            lines.append(f"| {name} | refused | |")
            continue
        missing = PARTIAL.get((service, name))
        here = f"partial: {missing}" if missing else "enforced"
        path, test = named[f"{service}:{name}"]
        sentence = test.removeprefix("test_").replace("_", " ")
        lines.append(f"| {name} | {here} | [{sentence}](../{path.relative_to(ROOT).as_posix()}) |")
    levels = [line.split(" | ")[1].partition(":")[0] for line in lines[2:]]
    counts = ", ".join(f"{levels.count(level)} {level}" for level in ("enforced", "partial", "refused"))
    return f"{len(levels)} operations: {counts}.\n\n" + "\n".join(lines) + "\n"


def _choices() -> str:
    found = choices()
    lines = ["| where | the question, and what the lab does |", "| --- | --- |"]
    lines += [f"| `{one.module}`, {one.place} | {one.text} |" for one in found if not one.is_wording]
    wordings = sorted({f"`{one.module}`, {one.place}" for one in found if one.is_wording})
    lines += ["", "Class and meaning of these errors are AWS's, but their words are the lab's own:", ""]
    return "\n".join([*lines, *(f"* {one}" for one in wordings)]) + "\n"


def _choices_in(path: Path) -> Iterator[Choice]:
    source = path.read_text()
    if "UNSURE:" not in source:
        return
    module = ".".join(path.relative_to(ROOT / "ecrlab").with_suffix("").parts)
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    tree = ast.parse(source)
    for line, text in comments.items():
        about, unsure, said = text.partition("UNSURE:")
        if unsure:
            before, following = line - 1, line + 1
            while before in comments and "UNSURE:" not in comments[before]:
                about = f"{comments[before]} {about}"
                before -= 1
            while following in comments and "UNSURE:" not in comments[following]:
                said += " " + comments[following]
                following += 1
            sentences = [" ".join(part.split()).rstrip(".").replace("|", "\\|") for part in (about, said)]
            text = " ".join(part[:1].upper() + part[1:] + "." for part in sentences if part)
            yield Choice(module, _place(tree, following), text)


def _place(tree: ast.Module, line: int) -> str:
    """What a line belongs to, in words: the outermost function or class, or the name that is given a value there."""
    for node in tree.body:
        if node.lineno <= line <= (node.end_lineno or node.lineno):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                return f"`{node.name}`"
            if isinstance(node, ast.Assign | ast.AnnAssign):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                return f"`{ast.unparse(target)}`"
    return "the module"


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text()))
