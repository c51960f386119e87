"""The product's WSGI application, with the baselines' addresses beside its own."""

from django.conf import settings

from blend_pos.wsgi import application

__all__ = ["application"]

settings.ROOT_URLCONF = "bench.urls"
