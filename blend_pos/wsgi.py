"""WSGI entry point: `granian --interface wsgi blend_pos.wsgi:application`."""

import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blend_pos.settings")

_django = get_wsgi_application()


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Django, with the time that the request arrived: a checkout's deadline counts from it."""
    environ["blend.arrival"] = time.monotonic()
    response: Iterable[bytes] = _django(environ, start_response)
    return response
