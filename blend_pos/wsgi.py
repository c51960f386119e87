"""WSGI entry point: `granian --interface wsgi blend_pos.wsgi:application`."""

import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import reset_queries
from django.db.backends.signals import connection_created

from blend_pos.threads import close_at_end

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blend_pos.settings")

_django = get_wsgi_application()

connection_created.connect(close_at_end)

# What Django does at each request for caches that close, which these don't, and for the queries that DEBUG keeps.
request_finished.disconnect(close_caches)
if not settings.DEBUG:
    request_started.disconnect(reset_queries)


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Django, with the time that the request arrived: a checkout's deadline counts from it."""
    environ["blend.arrival"] = time.monotonic()
    response: Iterable[bytes] = _django(environ, start_response)
    return response
