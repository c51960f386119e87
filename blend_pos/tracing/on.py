"""Traces by OpenTelemetry's SDK: a thread of each process sends them, out of a queue with a bound.

A collector that is away or stands still costs spans, never a sale: what the queue cannot hold is dropped. What ended in
a process' last second may be lost as well, since nobody waits for a collector at the end.
"""

import logging
import os
import re
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from itertools import islice
from types import TracebackType
from typing import Self
from uuid import UUID

from django.conf import settings
from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from blend_pos.tracing.off import Span

logger = logging.getLogger(__name__)

SEND_EVERY_MS = 1_000
MOST_SALES = 1_000  # of a batch: so many are linked
KINDS = {"checkout": SpanKind.SERVER, "reserve": SpanKind.CLIENT, "publish": SpanKind.PRODUCER}
VENTA_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
PROPAGATOR = TraceContextTextMapPropagator()


class _Sender:
    """One a process, made on first use; after a fork the child begins anew, with a thread and a connection of its
    own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._tracer: trace.Tracer = trace.NoOpTracer()

    def tracer(self) -> trace.Tracer:
        """What makes this process' spans."""
        if self._pid != os.getpid():
            with self._lock:
                if self._pid != os.getpid():
                    self._tracer = _make_tracer()
                    self._pid = os.getpid()
        return self._tracer


def _make_tracer() -> trace.Tracer:
    """Settings that OpenTelemetry cannot use are said once; then there are no traces, and there are sales."""
    instance = f"{socket.gethostname()}:{os.getpid()}"
    try:
        exporter = OTLPSpanExporter(endpoint=f"{settings.OTEL_EXPORTER_OTLP_ENDPOINT.rstrip('/')}/v1/traces")
        provider = TracerProvider(
            resource=Resource.create({SERVICE_NAME: settings.OTEL_SERVICE_NAME, SERVICE_INSTANCE_ID: instance}),
            shutdown_on_exit=False,  # it would wait for a collector that stands still
            span_limits=SpanLimits(max_links=MOST_SALES),
        )
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=SEND_EVERY_MS))
    except Exception:  # whatever it is, the sale that came first must not pay for it
        logger.exception("traces cannot be sent")
        return trace.NoOpTracer()
    return provider.get_tracer("blend_pos")


_SENDER = _Sender()


class _LiveSpan(Span):
    """A span that is sent once its step is over."""

    def __init__(self, made: trace.Span) -> None:
        self._span = made

    def __enter__(self) -> Self:
        self._token = attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """The step is over; of an error only the kind is told, its text may quote what was sent."""
        detach(self._token)
        if error is not None:
            self.note(outcome=type(error).__name__)
        self._span.end()

    def note(self, **attributes: object) -> None:
        self._span.set_attributes(_plain(attributes))

    def carry(self, venta_id: UUID) -> Mapping[str, str]:
        carrier: dict[str, str] = {}
        PROPAGATOR.inject(carrier, trace.set_span_in_context(self._span))
        return {str(venta_id): carrier["traceparent"]} if carrier else {}


class _LiveBatch(_LiveSpan):
    """The batch's own span, linked with the trace of each of its sales."""

    def __init__(self, made: trace.Span, traceparents: Mapping[str, str], began_ns: int) -> None:
        super().__init__(made)
        self._traceparents = traceparents
        self._began_ns = began_ns

    def carry(self, venta_id: UUID) -> Mapping[str, str]:
        known = self._traceparents.get(str(venta_id))
        return {str(venta_id): known} if known else {}

    def tell(self, outcome: str, ventas: Iterable[UUID]) -> None:
        link = trace.Link(self._span.get_span_context())
        for venta_id in ventas:
            _SENDER.tracer().start_span(
                "persist",
                context=_context(self._traceparents.get(str(venta_id), "")),
                kind=SpanKind.CONSUMER,
                attributes={"venta_id": str(venta_id), "outcome": outcome},
                links=[link],
                start_time=self._began_ns,
            ).end()


def span(name: str, *, since: float | None = None, **attributes: object) -> Span:
    """A step of one sale, inside the one that is entered; `since`: when it began (time.monotonic()), else now."""
    began_ns = None if since is None else time.time_ns() - int((time.monotonic() - since) * 1e9)
    kind = KINDS.get(name, SpanKind.INTERNAL)
    return _LiveSpan(_SENDER.tracer().start_span(name, kind=kind, attributes=_plain(attributes), start_time=began_ns))


def batch(carried: object, **attributes: object) -> Span:
    """Persisting several sales together. `carried`: what came with their message; anybody may have written it."""
    traceparents, began_ns = together([carried]), time.time_ns()
    contexts = [trace.get_current_span(_context(text)).get_span_context() for text in traceparents.values()]
    made = _SENDER.tracer().start_span(
        "persist batch",
        context=Context(),
        kind=SpanKind.CONSUMER,
        attributes=_plain(attributes),
        links=[trace.Link(context) for context in contexts if context.is_valid],
        start_time=began_ns,
    )
    return _LiveBatch(made, traceparents, began_ns)


def together(carried: Iterable[object]) -> Mapping[str, str]:
    """What several messages, or sales, take along, as one; of what is no trace's nothing is left."""
    found: dict[str, str] = {}
    for one in carried:
        if isinstance(one, Mapping):
            found |= {name: text for name, text in islice(one.items(), MOST_SALES) if _is_traced(name, text)}
    return dict(islice(found.items(), MOST_SALES))


def _is_traced(name: object, text: object) -> bool:
    return (
        isinstance(name, str)
        and isinstance(text, str)
        and VENTA_ID.fullmatch(name) is not None
        and TRACEPARENT.fullmatch(text) is not None
    )


def _context(traceparent: str) -> Context:
    """What a span of that trace is begun in; an empty one, and so a trace of its own, where there is none."""
    return PROPAGATOR.extract({"traceparent": traceparent}, context=Context())


def _plain(attributes: Mapping[str, object]) -> dict[str, int | str]:
    return {name: value if isinstance(value, int) else str(value) for name, value in attributes.items()}
