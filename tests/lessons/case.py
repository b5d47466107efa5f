"""An exercise as the tests know it: what came before it, and ways to go wrong and right."""

from dataclasses import dataclass

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
LOGIN = f"aws ecr get-login-password | docker login --username AWS --password-stdin {HOST}\n"


@dataclass(frozen=True)
class Case:
    """An exercise, what the lesson did before it, and ways to go wrong and right (shell commands, or answers)."""

    scene: str
    wrong: dict[str, object]
    right: tuple[object, ...] = ()
    app: str = "hello"
    cells: str = ""
    """What cells of the notebook have defined before."""
    solves_too: tuple[str, ...] = ()
    """Other exercises that its solution solves rightly."""
