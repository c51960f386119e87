"""Maintenance of who may come in."""

from celery import shared_task
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from blend_pos.tiendas.access_cache import AccessUnavailable
from blend_pos.tiendas.access_lookup import review_accesses

AWAY = (AccessUnavailable, OperationalError, InterfaceError)  # the next round tries again


@shared_task(name="tiendas.review_accesses", throws=AWAY)
def review() -> int:
    """Compare every access in Redis with PostgreSQL. Returns how many were dropped. Can run at any time, and twice."""
    return review_accesses(now=timezone.now())
