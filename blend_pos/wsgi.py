"""WSGI entry point: `granian --interface wsgi blend_pos.wsgi:application`."""

import gc
import os
import time
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.wsgi import get_wsgi_application

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blend_pos.settings")

# What is made at the start stays until the end, and a request leaves little that only a collection finds: by Python's
# own thresholds a sixth of a request's time went into looking (docs/performance.md).
GARBAGE = (20_000, 20, 20)

_django = get_wsgi_application()
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
gc.set_threshold(*GARBAGE)


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Django, with the time that the request arrived: a checkout's deadline counts from it."""
    environ["blend.arrival"] = time.monotonic()
    response: Iterable[bytes] = _django(environ, start_response)
    return response
