"""A question to PostgreSQL before a refusal has an end, and does not hold those that sell."""

import threading
import time

import pytest

from blend_pos.tiendas.models import Tienda
from scripts.services import Services
from tests.polling import wait_until
from ventas.lookups import MOST_AT_ONCE, Lookups, NoAnswer

LOOKUPS = Lookups()  # one, and kept: its threads have connections of their own


def count() -> int:
    return Tienda.objects.count()


def ask(lookups: Lookups, seconds: float = 2.0) -> int:
    return lookups.ask(count, deadline=time.monotonic() + seconds)


def test_a_database_that_hangs_is_an_answer_in_time(live_db: None, services: Services) -> None:
    lookups = LOOKUPS
    assert ask(lookups) >= 0
    services.postgres.freeze()
    began = time.monotonic()
    with pytest.raises(NoAnswer):
        ask(lookups)
    assert time.monotonic() - began < 3.0
    began = time.monotonic()
    with pytest.raises(NoAnswer):
        ask(lookups)
    assert time.monotonic() - began < 1.0, "nobody asks again for a moment"
    services.postgres.thaw()

    def answers() -> bool:
        try:
            return ask(lookups) >= 0
        except NoAnswer:
            return False

    wait_until(answers, timeout_s=10, what="PostgreSQL's answer")


def test_more_at_once_than_threads_wait_their_turn(live_db: None) -> None:
    lookups, answers = LOOKUPS, []
    threads = [threading.Thread(target=lambda: answers.append(ask(lookups, 10))) for _ in range(MOST_AT_ONCE * 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == MOST_AT_ONCE * 5


def test_too_late_is_not_asked_at_all(live_db: None) -> None:
    with pytest.raises(NoAnswer):
        ask(LOOKUPS, 0.1)
