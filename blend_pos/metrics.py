"""GET /metrics: for Prometheus, with METRICS_TOKEN as its bearer token; without one, for this machine alone.

What the processes of this machine counted, and the state of all parts. A worker on a machine of its own shows what its
processes counted at METRICS_LISTEN.
"""

import hmac
import os
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

STATE = CollectorRegistry()  # of what is read when it is asked for; ventas.monitoring puts it here


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """How much is sold is nobody else's business: to them this address does not exist."""
    if not _is_allowed(request):
        raise Http404
    page: HttpResponse = ExportToDjangoView(request)
    page.content += generate_latest(STATE)
    return page


def serve_counts(listen: str) -> None:
    """Show what this machine's processes counted at "host:port", from a thread of this process. It asks for no token:
    only Prometheus is to reach it. Raises ImproperlyConfigured, and OSError where the port is taken."""
    address = urlsplit(f"//{listen}")
    if not (address.hostname and address.port):
        raise ImproperlyConfigured(f"METRICS_LISTEN is to be like 0.0.0.0:9100, not {listen!r}.")
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        raise ImproperlyConfigured(
            "METRICS_LISTEN needs PROMETHEUS_MULTIPROC_DIR, an empty folder, where this worker's processes count."
        )
    registry = CollectorRegistry()
    join: Callable[[CollectorRegistry], object] = MultiProcessCollector  # the library leaves it untyped
    join(registry)
    start_http_server(address.port, addr=address.hostname, registry=registry)


def _is_allowed(request: HttpRequest) -> bool:
    token: str = settings.METRICS_TOKEN
    if token:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    return _is_local(request)


def _is_local(request: HttpRequest) -> bool:
    """From this machine itself, and not through a proxy that runs on it."""
    if "Forwarded" in request.headers or "X-Forwarded-For" in request.headers:
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
