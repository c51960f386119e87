"""Maintenance of who may come in."""

from datetime import timedelta

from axes.models import AccessAttempt
from celery import shared_task
from django.contrib.sessions.models import Session
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from blend_pos.tiendas.access_cache import AccessUnavailable
from blend_pos.tiendas.access_lookup import review_accesses
from blend_pos.tiendas.models import TokenTerminal

AWAY = (AccessUnavailable, OperationalError, InterfaceError)  # the next round tries again
KEPT_AFTER_THE_END = timedelta(days=1)  # far more than a lock lasts: nothing that still counts goes


@shared_task(name="tiendas.review_accesses", throws=AWAY)
def review() -> int:
    """Compare every access in Redis with PostgreSQL. Returns how many were dropped. Can run at any time, and twice."""
    return review_accesses(now=timezone.now())


@shared_task(name="tiendas.clear_expired", throws=AWAY)
def clear_expired() -> int:
    """Delete what ended more than a day ago: sessions, tokens, failures to sign in. They open and limit nothing.

    Returns how many rows went. Can run at any time, and twice.
    """
    before = timezone.now() - KEPT_AFTER_THE_END
    ended = (
        Session.objects.filter(expire_date__lt=before),
        TokenTerminal.objects.filter(expiry__lt=before),
        AccessAttempt.objects.filter(attempt_time__lt=before),
    )
    return sum(rows.delete()[0] for rows in ended)
