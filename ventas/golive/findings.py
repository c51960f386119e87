"""What a line of the checklist is, and what it may find."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http.client import InvalidURL
from pathlib import Path

from django.utils.functional import Promise

Text = str | Promise
LONGEST_REASON = 200


class State(enum.StrEnum):
    """How a line is: only FAILED keeps a shop from opening."""

    OK = "ok"
    ADVICE = "advice"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen, and what to do about it; `todo` is empty where all is well."""

    state: State
    seen: str
    todo: str = ""


def passed(seen: str) -> Finding:
    """It is as it should be."""
    return Finding(State.OK, seen)


def advice(seen: str, todo: str) -> Finding:
    """The shop can open; somebody should know, or cannot be spared a look of their own."""
    return Finding(State.ADVICE, seen, todo)


def failed(seen: str, todo: str) -> Finding:
    """Not before this is done."""
    return Finding(State.FAILED, seen, todo)


def worst(found: Mapping[str, Finding]) -> Finding:
    """Of several servers by their address ('' where there is one alone) that of the one that most has to be done to."""
    server, finding = max(found.items(), key=lambda one: list(State).index(one[1].state))
    return replace(finding, seen=f"{server}: {finding.seen}") if server else finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What whoever runs it has said of their shop. Empty addresses, None: nothing was said of that."""

    workers: int
    web_url: str
    metrics_url: str
    prometheus_url: str = ""
    grafana_url: str = ""
    backups: Path | None = None
    sells: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """One line. `key` is for programs and stays as it is."""

    key: str
    name: Text
    look: Callable[[Asked], Finding]


@dataclass(frozen=True, slots=True)
class Part:
    """Lines that ask the same server, one after another. `remedy`: what to do where it does not answer, which it is
    given `within_s` for, all lines together."""

    name: Text
    checks: tuple[Check, ...]
    remedy: Text
    within_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Line:
    """A check that was made."""

    part: str
    key: str
    name: str
    finding: Finding
    took_ms: float


def reason(error: BaseException) -> str:
    """An error in one short line."""
    said = "" if isinstance(error, InvalidURL) else str(error)  # that is a piece of the address, its password perhaps
    text = " ".join(said.split()) or type(error).__name__
    return text[:LONGEST_REASON]
