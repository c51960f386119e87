"""Asking all parts at once, each for so long and no longer: one that is away, or hangs, stops no other."""

import threading
import time
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPException
from types import TracebackType
from urllib.error import HTTPError

from amqp.exceptions import AccessRefused, NotAllowed
from django.db import Error, connections
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError, RedisError

from cache_stock.operations import IntakeError
from cache_stock.scripts import StockError
from cache_stock.warmup import ColdStartNeeded
from ventas.broker import BrokerAway
from ventas.golive.findings import Asked, Check, Finding, Line, Part, failed, reason

# What a server that is away, or answers something else than it should, makes of a look.
SERVERS = (Error, StockError, RedisError, BrokerAway, OSError, HTTPException)
NO_ANSWER = (*SERVERS, ColdStartNeeded, IntakeError, ValueError, LookupError)
REFUSALS = (AuthenticationError, AuthorizationError, NoPermissionError, AccessRefused, NotAllowed)


class _LastResort:
    """Takes whatever a look raises that nobody foresaw; of its text, which may hold an address with a password, nothing
    is kept."""

    def __init__(self) -> None:
        self.kind = ""

    def __enter__(self) -> "_LastResort":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> bool:
        self.kind = "" if kind is None else kind.__name__
        return kind is not None and issubclass(kind, Exception)


class _Looking(threading.Thread):
    """One part's lines, in a thread that nobody has to wait for."""

    def __init__(self, part: Part, asked: Asked) -> None:
        super().__init__(name=f"golive {part.checks[0].key}", daemon=True)
        self.part = part
        self.lines: list[Line] = []
        self._asked = asked
        self._language = get_language()

    def run(self) -> None:
        """Look at each, and leave no connection to PostgreSQL behind."""
        with override(self._language):
            try:
                for check in self.part.checks:
                    start = time.monotonic()
                    self.lines.append(_line(self.part, check, self._look(check), start))
            finally:
                connections.close_all()

    def _look(self, check: Check) -> Finding:
        with _LastResort() as broken:
            return self._seen(check)
        return failed(_("no se pudo mirar: %(error)s") % {"error": broken.kind}, str(self.part.remedy))

    def _seen(self, check: Check) -> Finding:
        try:
            return check.look(self._asked)
        except NO_ANSWER as error:
            seen = _("no deja entrar: %(error)s") if _is_refused(error) else _("no contesta: %(error)s")
            return failed(seen % {"error": reason(error)}, str(self.part.remedy))


def _is_refused(error: BaseException | None) -> bool:
    """It does answer, and wants another password, user or database."""
    while error is not None:
        if isinstance(error, REFUSALS) or (isinstance(error, Error) and "FATAL:" in str(error)):
            return True
        if isinstance(error, HTTPError) and error.code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return True
        error = error.__cause__
    return False


def run(*, parts: Sequence[Part], asked: Asked) -> list[Line]:
    """Every line of every part, in their order."""
    start = time.monotonic()
    looking = [_Looking(part, asked) for part in parts]
    for thread in looking:
        thread.start()
    return [line for thread in looking for line in _lines(thread, start)]


def _lines(thread: _Looking, start: float) -> list[Line]:
    """Its lines; those that it did not come to have failed."""
    part = thread.part
    thread.join(max(0.0, start + part.within_s - time.monotonic()))
    lines = list(thread.lines)
    late = failed(_("no contestó en %(segundos)d s") % {"segundos": part.within_s}, str(part.remedy))
    return lines + [_line(part, check, late, start) for check in part.checks[len(lines) :]]


def _line(part: Part, check: Check, finding: Finding, start: float) -> Line:
    return Line(str(part.name), check.key, str(check.name), finding, (time.monotonic() - start) * 1000)
