"""What a run keeps between starts: its secrets, and the `.env` by which other commands reach its servers."""

import json
import os
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import environ

MARK = "# Written by `make run`"


class BrokenSecrets(Exception):
    """What a run has kept cannot be read. The message names the file, and says what to do."""


@dataclass(frozen=True)
class Secrets:
    """Django's key, and the passwords of the private servers."""

    secret_key: str
    postgres: str
    redis: str
    rabbitmq: str

    @classmethod
    def kept_in(cls, path: Path) -> "Secrets":
        """Those of the last run, or new ones. They go with the data: a server keeps the password it was made with.

        Raises BrokenSecrets.
        """
        if path.exists():
            try:
                return cls(**json.loads(path.read_text()))
            except (OSError, TypeError, ValueError) as error:
                raise BrokenSecrets(
                    f"{path} cannot be read ({type(error).__name__}). It has the passwords of the data beside it: "
                    f"put it back as it was, or remove {path.parent} with all that was sold there, and start anew."
                ) from error
        fresh = cls(secrets.token_urlsafe(48), *(secrets.token_hex(16) for _ in range(3)))
        write_private(path, json.dumps(asdict(fresh), indent=1))
        return fresh


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    unfinished.rename(path)


def written_by_hand(path: Path) -> bool:
    """Whether there is a settings file that is not a run's own."""
    return path.exists() and not path.read_text().startswith(MARK)


def named(path: Path) -> dict[str, str]:
    """The environment, filled up with a settings file that was written by hand. A run's own file names nothing."""
    if written_by_hand(path):
        environ.Env.read_env(path)
    return dict(os.environ)


def write_settings(path: Path, settings: Mapping[str, str]) -> None:
    """Write `.env`, unless there is one that somebody wrote. Shells read it, too: an address may hold a semicolon."""
    if written_by_hand(path):
        return
    head = f"{MARK}, and again at each start. Write your own without this line, and it is read instead.\n"
    write_private(path, head + "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items()))
