"""The envelope of a task's message, as Celery sends it and as the publisher does: what its body is written in, and its
headers. Celery must see nothing else of what is there: it trusts them, and one of another kind ends a worker, or hangs
a process of its pool.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from blend_pos import tracing
from ventas import signatures

MOST_ATTEMPTS = 1_000
LONGEST_TEXT = 1_000
BROKERS_OWN = "x-"  # RabbitMQ's: x-delivery-count, x-death
WRITTEN_IN = ("application/json", "utf-8")  # type and encoding; no signature covers either


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT and value.isprintable()


def _is_text_or_none(value: object) -> bool:
    return value is None or _is_text(value)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MOST_ATTEMPTS


def _is_moment_or_none(value: object) -> bool:
    if not isinstance(value, str):
        return value is None
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_nothing(value: object) -> bool:
    """No task here is delayed, limited in time, grouped or stamped."""
    return value in (None, 0, [], {}, [None, None])


# Those that have to be there come first.
NEEDED: dict[str, Callable[[object], bool]] = {"id": _is_text, "task": _is_text}
KNOWN: dict[str, Callable[[object], bool]] = NEEDED | {
    "root_id": _is_text_or_none,
    "parent_id": _is_text_or_none,
    "retries": _is_count,
    "expires": _is_moment_or_none,
    "lang": _is_text_or_none,
    "origin": _is_text_or_none,
    "argsrepr": _is_text_or_none,
    "kwargsrepr": _is_text_or_none,
    "periodic_task_name": _is_text_or_none,
    "shadow": _is_text_or_none,
    "ignore_result": lambda value: value is None or isinstance(value, bool),  # send_task by name says None
    signatures.HEADER: _is_text_or_none,
    **dict.fromkeys(
        ("eta", "timelimit", "group", "group_index", "replaced_task_nesting", "stamped_headers", "stamps"), _is_nothing
    ),
}


def known_headers(headers: Mapping[Any, Any]) -> dict[str, Any] | None:
    """Those that Celery may see; None where one of them is what it never is."""
    if not headers.keys() >= NEEDED.keys():
        return None
    kept = {name: headers[name] for name in KNOWN if name in headers}
    if not all(KNOWN[name](value) for name, value in kept.items()):
        return None
    brokers = {name: value for name, value in headers.items() if str(name).startswith(BROKERS_OWN)}
    carried = tracing.together([headers.get(tracing.HEADER)])
    return kept | brokers | ({tracing.HEADER: carried} if carried else {})
