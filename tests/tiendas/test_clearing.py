"""What has ended is cleared away; what still opens or limits something stays."""

from datetime import timedelta
from uuid import uuid4

import pytest
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from blend_pos.tiendas.models import TokenTerminal
from blend_pos.tiendas.tasks import clear_expired
from tests.tiendas.people import Shop, give_token, hire

OLD, RECENT, AHEAD = timedelta(days=-2), timedelta(hours=-1), timedelta(days=1)


def make_session(ends: timedelta) -> str:
    return Session.objects.create(
        session_key=uuid4().hex, session_data="", expire_date=timezone.now() + ends
    ).session_key


def make_failure(ends: timedelta) -> int:
    row = AccessAttempt.objects.create(username=uuid4().hex, user_agent="x", failures_since_start=10)
    AccessAttempt.objects.filter(pk=row.pk).update(attempt_time=timezone.now() + ends)  # it is the time of creation
    return int(row.pk)


def test_only_what_ended_a_day_ago_goes(shop: Shop) -> None:
    usuario = hire(shop)
    sessions = [make_session(ends) for ends in (OLD, RECENT, AHEAD)]
    tokens = [give_token(usuario, shop, lifetime=ends)[0].pk for ends in (OLD, RECENT, AHEAD, None)]
    failures = [make_failure(ends) for ends in (OLD, RECENT)]

    assert clear_expired() >= 3

    left = Session.objects.filter(session_key__in=sessions).values_list("session_key", flat=True)
    assert set(left) == set(sessions[1:])
    assert set(TokenTerminal.objects.filter(pk__in=tokens).values_list("pk", flat=True)) == set(tokens[1:])
    assert list(AccessAttempt.objects.filter(pk__in=failures).values_list("pk", flat=True)) == failures[1:]


@pytest.mark.usefixtures("live_db")
def test_it_is_scheduled_once_a_day() -> None:
    row = PeriodicTask.objects.select_related("interval").get(task=clear_expired.name)
    assert row.interval is not None
    assert (row.enabled, row.interval.every, row.interval.period) == (True, 1, "days")
