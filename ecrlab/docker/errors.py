"""The errors of the docker command; it prints their text word for word.

EcrLabError
  └ DockerError
      └ RegistryError    the answer of a registry: its code and its text
"""

from ecrlab.errors import EcrLabError


class DockerError(EcrLabError):
    """The command stops here and prints this text; `status` is its exit code."""

    def __init__(self, text: str, status: int = 1):
        super().__init__(text)
        self.status = status


class RegistryError(DockerError):
    """A registry rejected a request. Docker prints a code like `NAME_UNKNOWN` in lower case: `name unknown: …`."""

    def __init__(self, code: str, text: str, http_status: int):
        self.code = code
        self.http_status = http_status
        super().__init__(f"{code.lower().replace('_', ' ')}: {text}" if code else text)


def from_daemon(error: DockerError | str) -> DockerError:
    """Return the error with the words that Docker puts before a report of its engine."""
    return DockerError(f"Error response from daemon: {error}")
