"""No traces: what is called where no collector is named. Nothing of OpenTelemetry is loaded, and nothing is kept."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType, TracebackType
from typing import Self
from uuid import UUID

NOTHING: Mapping[str, str] = MappingProxyType({})


class Span:
    """One step on a sale's way, to be entered; this one is noted nowhere."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """The step is over."""

    def note(self, **attributes: object) -> None:
        """Say more of it: ids, counts, an outcome. Nothing of a body, a token or a payment."""

    def carry(self, venta_id: UUID) -> Mapping[str, str]:
        """What the sale's message takes along, so that who handles it goes on in the sale's own trace."""
        return NOTHING

    def tell(self, outcome: str, ventas: Iterable[UUID]) -> None:
        """Of a batch: what became of these sales of it, each in its own trace."""


_NO_SPAN = Span()


def span(name: str, *, since: float | None = None, **attributes: object) -> Span:
    """A step of one sale, inside the one that is entered; `since`: when it began (time.monotonic()), else now."""
    return _NO_SPAN


def batch(carried: object, **attributes: object) -> Span:
    """Persisting several sales together. `carried`: what came with their message; anybody may have written it."""
    return _NO_SPAN


def together(carried: Iterable[object]) -> Mapping[str, str]:
    """What several messages, or sales, take along, as one; of what is no trace's nothing is left."""
    return NOTHING
