"""The product's WSGI application with the baselines' addresses, and with PostgreSQL as suits them best."""

from django.conf import settings

from blend_pos.wsgi import application

__all__ = ["application"]

settings.ROOT_URLCONF = "bench.urls"
# Django leaves out both; with them a statement is planned once a connection, and a twentieth more is sold.
settings.DATABASES["default"]["OPTIONS"] |= {"server_side_binding": True, "prepare_threshold": 3}
