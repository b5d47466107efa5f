"""The errors of the kubectl command; it prints their text word for word."""

from ecrlab.errors import EcrLabError


class KubectlError(EcrLabError):
    """The command stops here and prints this text, as kubectl does after `error: `."""

    def __init__(self, text: str, *, prefix: str = "error: ") -> None:
        super().__init__(f"{prefix}{text}")


def from_server(reason: str, text: str) -> KubectlError:
    """Return a refusal of the API as kubectl prints it."""
    if reason == "Invalid":
        return KubectlError(text, prefix="The ")
    return KubectlError(text, prefix=f"Error from server ({reason}): ") if reason else KubectlError(text)
