"""Go's templates for `--format` (text/template, and the functions that Docker adds).

{{.Architecture}}   {{json .Config.Env}}   {{index .RepoDigests 0}}   {{.Id | upper | printf "%s!"}}
{{range $i, $tag := .RepoTags}}{{if $i}}, {{end}}{{$tag}}{{else}}none{{end}}   {{with .Config.Labels}}…{{end}}
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ecrlab.docker.errors import DockerError
from ecrlab.docker.template_functions import FUNCTIONS, is_true, shown

_TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?P<number>-?\d+)|(?P<sign>:=|[|(),=])'
    r"|(?P<name>\$\w*(?:\.\w+)*|\.\w+(?:\.\w+)*|\.|\w+))"
)
Scope = dict[str, Any]


def render(template: str, value: object) -> str:
    """Fill in a template. Raises `DockerError`.

    >>> render("{{.Os}}/{{.Architecture}} {{json .Tags}}", {"Os": "linux", "Architecture": "amd64", "Tags": ["a"]})
    'linux/amd64 ["a"]'
    """
    return Template(template).render(value)


class ParseError(DockerError):
    """The template has an error; the text is Go's."""

    def __init__(self, why: str) -> None:
        super().__init__(f"template parsing error: template: :1: {why}", 64)


@dataclass(slots=True)
class _Block:
    """`if`, `range` or `with`: its pipeline, and its two branches."""

    kind: str
    ask: "_Pipeline | None"
    then: list[Any] = field(default_factory=list)
    other: list[Any] | None = None


@dataclass(slots=True)
class _Pipeline:
    """Commands, each of which passes its value to the next; `names` are the variables for the last value."""

    commands: list[list[Any]]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Name:
    """A field, a variable or a function, and its place in the text."""

    text: str
    at: int


class Template:
    """A template, parsed."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\\t", "\t").replace("\\n", "\n")
        self._root = self._parse()

    def render(self, value: object) -> str:
        """Fill in the template. Raises `DockerError` for a field that the value lacks."""
        return "".join(self._told(self._root, value, {"$": value}))

    # --- parsing -------------------------------------------------------------------------------------------------

    def _parse(self) -> list[Any]:
        root = _Block("", None)
        open_blocks = [root]
        for piece, at in self._pieces():
            block = open_blocks[-1]
            into = block.then if block.other is None else block.other
            if at is None:
                into.append(piece)
                continue
            word, _, rest = piece.strip().partition(" ")
            if word in ("if", "range", "with"):
                inner = _Block(word, self._pipeline(rest, at + piece.index(rest)))
                into.append(inner)
                open_blocks.append(inner)
            elif word in ("end", "else"):
                if len(open_blocks) == 1 or (word == "else" and block.other is not None):
                    raise ParseError(f"unexpected {{{{{word}}}}}")
                if word == "end":
                    open_blocks.pop()
                elif rest.strip():
                    raise ParseError("the lab's docker does not know {{else if}}: use {{else}}{{if …}}")
                else:
                    block.other = []
            elif not piece.strip().startswith("/*"):
                into.append(self._pipeline(piece, at))
        if len(open_blocks) > 1:
            raise ParseError("unexpected EOF")
        return root.then

    def _pieces(self) -> Iterator[tuple[str, int | None]]:
        """Return the text and the actions, each action with its place; `{{-` and `-}}` remove white space."""
        at, trim = 0, False
        while at < len(self._text):
            begin = self._text.find("{{", at)
            text = self._text[at:] if begin < 0 else self._text[at:begin]
            text = text.lstrip() if trim else text
            if begin < 0:
                yield text, None
                return
            inside = begin + 2
            if self._text.startswith("- ", inside):
                text, inside = text.rstrip(), inside + 2
            if text:
                yield text, None
            end = self._text.find("}}", inside)
            if end < 0:
                raise ParseError("unclosed action")
            trim = self._text.endswith(" -", inside, end)
            yield self._text[inside : end - 2 if trim else end], inside
            at = end + 2

    def _pipeline(self, text: str, at: int) -> _Pipeline:
        tokens: list[Any] = []
        place = 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if not found:
                raise ParseError(f"unexpected {text[place:].strip()[:1]!r} in command")
            start = found.start(found.lastgroup or 0)
            tokens.append(_value(found, at + start))
            place = found.end()
        pipeline, rest = _commands(tokens)
        if rest:
            raise ParseError("unexpected right paren")
        return pipeline

    # --- filling in ----------------------------------------------------------------------------------------------

    def _told(self, nodes: list[Any], dot: Any, scope: Scope) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, str):
                yield node
            elif isinstance(node, _Pipeline):
                value = self._evaluate(node, dot, scope)
                if not node.names:
                    yield shown(value)
            else:
                yield from self._block(node, dot, dict(scope))

    def _block(self, block: _Block, dot: Any, scope: Scope) -> Iterator[str]:
        assert block.ask is not None
        value = self._evaluate(block.ask, dot, scope)
        other = block.other or []
        if block.kind != "range":
            wanted = is_true(value)
            yield from self._told(
                block.then if wanted else other, value if wanted and block.kind == "with" else dot, scope
            )
            return
        if not isinstance(value, list | dict | None):
            raise DockerError(f"template parsing error: template: :1: range can't iterate over {shown(value)}")
        items = sorted(value.items()) if isinstance(value, dict) else list(enumerate(value or []))
        for key, item in items:
            named = dict(zip(block.ask.names, (key, item) if len(block.ask.names) == 2 else (item,), strict=False))
            yield from self._told(block.then, item, scope | named)
        if not items:
            yield from self._told(other, dot, scope)

    def _evaluate(self, pipeline: _Pipeline, dot: Any, scope: Scope) -> Any:
        given: list[Any] = []
        for command in pipeline.commands:
            first, *arguments = command
            if isinstance(first, _Name) and first.text[0] not in "$.":
                values = [self._operand(argument, dot, scope) for argument in arguments] + given
                try:
                    given = [FUNCTIONS[first.text](*values)]
                except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
                    raise self._failed(first, f"error calling {first.text}: {error}") from error
            elif arguments or given:
                raise self._failed(first, "can't give argument to non-function")
            else:
                given = [self._operand(first, dot, scope)]
        for name in pipeline.names:
            scope[name] = given[0]
        return given[0]

    def _operand(self, operand: Any, dot: Any, scope: Scope) -> Any:
        if isinstance(operand, _Pipeline):
            return self._evaluate(operand, dot, scope)
        if not isinstance(operand, _Name):
            return operand[0]
        if operand.text[0] not in "$.":
            return FUNCTIONS[operand.text]()
        variable, *fields = operand.text.split(".")
        if variable and variable not in scope:
            raise ParseError(f'undefined variable "{variable}"')
        value = scope[variable] if variable else dot
        for name in filter(None, fields):
            if not isinstance(value, dict) or name not in value:
                raise self._failed(operand, f'map has no entry for key "{name}"')
            value = value[name]
        return value

    def _failed(self, where: Any, why: str) -> DockerError:
        name = where if isinstance(where, _Name) else _Name("?", 0)
        return DockerError(f'template parsing error: template: :1:{name.at}: executing "" at <{name.text}>: {why}')


def _value(found: re.Match[str], at: int) -> Any:
    """A token: a sign, a literal in a tuple, or a name."""
    if found["sign"]:
        return found["sign"]
    if found["number"]:
        return (int(found["number"]),)
    if text := found["string"]:
        return (text[1:-1] if text[0] == "`" else _unquoted(text),)
    constants = {"true": True, "false": False, "nil": None}
    if found["name"] in constants:
        return (constants[found["name"]],)
    name = _Name(found["name"], at)
    if name.text[0] not in "$." and name.text not in FUNCTIONS:
        raise ParseError(f'function "{name.text}" not defined')
    return name


def _unquoted(text: str) -> str:
    escapes = {"n": "\n", "t": "\t"}
    return re.sub(r"\\(.)", lambda found: escapes.get(found[1], found[1]), text[1:-1])


def _commands(tokens: list[Any], depth: int = 0) -> tuple[_Pipeline, list[Any]]:
    """Return the commands up to the end or a closing parenthesis, and the tokens after it."""
    if depth > 50:
        raise ParseError("max expression depth exceeded")
    names: list[str] = []
    for sign in (":=", "="):
        if sign in tokens and tokens.index(sign) in (1, 3):
            head = tokens[: tokens.index(sign)]
            names = [token.text for token in head if isinstance(token, _Name)]
            tokens = tokens[len(head) + 1 :]
            break
    commands: list[list[Any]] = [[]]
    while tokens:
        one, *tokens = tokens
        if one == ")":
            if not depth:
                raise ParseError("unexpected right paren")
            break
        if one == "(":
            one, tokens = _commands(tokens, depth + 1)
        elif one == "|":
            commands.append([])
            continue
        elif isinstance(one, str):
            raise ParseError(f"unexpected {one!r} in operand")
        commands[-1].append(one)
    if not all(commands):
        raise ParseError("missing value for command")
    return _Pipeline(commands, tuple(names)), tokens
