"""WSGI entry point: `granian --interface wsgi blend_pos.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blend_pos.settings")

application = get_wsgi_application()
