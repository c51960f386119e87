"""Maintenance of who may come in."""

from celery import shared_task
from django.utils import timezone

from blend_pos.tiendas.access_lookup import review_accesses


@shared_task(name="tiendas.review_accesses")
def review() -> int:
    """Compare every access in Redis with PostgreSQL. Returns how many were dropped. Can run at any time, and twice."""
    return review_accesses(now=timezone.now())
