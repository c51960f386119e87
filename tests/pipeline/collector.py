"""Where traces are sent to in a test: it takes what comes by OTLP over HTTP, and keeps the spans."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import UUID

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from scripts.ports import LOOPBACK
from tests.polling import wait_until


@dataclass(frozen=True, slots=True)
class SentSpan:
    """One span as it came; ids in hexadecimal, times in nanoseconds. `links`: trace and span of each."""

    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    began_ns: int
    ended_ns: int
    attributes: dict[str, Any]
    links: frozenset[tuple[str, str]]
    service: dict[str, Any]

    @property
    def place(self) -> tuple[str, str]:
        """What links and parents name it by."""
        return self.trace_id, self.span_id


class Collector:
    """Listens on a free port from the moment it is made. `url` is what the setting has to be."""

    def __init__(self) -> None:
        self.spans: list[SentSpan] = []
        self.bodies: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.bodies.append(body)
                collector.spans += _read(body) if self.path == "/v1/traces" else []
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def named(self, name: str) -> list[SentSpan]:
        return [span for span in self.spans if span.name == name]

    def of_sale(self, venta_id: UUID, *names: str, timeout_s: float = 15) -> dict[str, SentSpan]:
        """The spans of a sale's trace by name, once each of `names` has come. Fails where one comes twice."""

        def found() -> dict[str, SentSpan] | None:
            mine = {span.trace_id for span in self.spans if span.attributes.get("venta_id") == str(venta_id)}
            if len(mine) != 1:
                return None
            spans = [span for span in self.spans if span.trace_id in mine]
            by_name = {span.name: span for span in spans}
            return by_name if len(spans) == len(names) == len(by_name) and by_name.keys() == set(names) else None

        return wait_until(found, timeout_s=timeout_s, what=f"{names} of {venta_id} are one trace") or {}


def _read(body: bytes) -> Iterator[SentSpan]:
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    for resource in request.resource_spans:
        service = _attributes(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield SentSpan(
                    name=span.name,
                    kind=span.kind,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    began_ns=span.start_time_unix_nano,
                    ended_ns=span.end_time_unix_nano,
                    attributes=_attributes(span.attributes),
                    links=frozenset((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                    service=service,
                )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


@contextmanager
def hanging() -> Iterator[str]:
    """The address of a collector that takes connections and answers none."""
    with socket.socket() as listening:
        listening.bind((LOOPBACK, 0))
        listening.listen(64)
        yield f"http://{LOOPBACK}:{listening.getsockname()[1]}"
