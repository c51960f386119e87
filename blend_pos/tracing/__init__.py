"""A sale's trace, through view, publisher and worker, for a collector that speaks OTLP over HTTP.

One setting: while OTEL_EXPORTER_OTLP_ENDPOINT is empty there are no traces, and OpenTelemetry is not loaded. What they
say never decides anything: with the header or without it, a sale is written the same.
"""

from django.conf import settings

from blend_pos.tracing.off import NOTHING, Span

if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
    from blend_pos.tracing.on import batch, span, together
else:
    from blend_pos.tracing.off import batch, span, together

__all__ = ["HEADER", "NOTHING", "Span", "batch", "span", "together"]

HEADER = "traceparents"  # of a message: W3C's traceparent of each of its sales, by venta_id; no signature covers it
