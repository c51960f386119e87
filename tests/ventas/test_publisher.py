"""What the publisher knows of a message, on a real broker in every state: confirmed, refused, or unknown."""

import os
import time
from collections.abc import Iterator
from functools import partial
from uuid import uuid4

import pytest
from django.conf import settings

from scripts.services import Services
from tests.pipeline import rabbit
from tests.pipeline.rabbit import FAILED, SALES, VirtualHost
from tests.polling import poll, wait_until
from ventas import topology
from ventas.publisher import (
    CONNECT_TIMEOUT_S,
    IO_TIMEOUT_S,
    PAUSE_AFTER_FAILURE_S,
    AmqpLink,
    Outcome,
    TaskMessage,
    open_link,
    persist_message,
)

SLACK_S = 0.5
ROUNDS = 5


@pytest.fixture
def link(host: VirtualHost) -> Iterator[AmqpLink]:
    """A link that has published, and is alive."""
    opened = AmqpLink(settings.RABBITMQ_URL)
    assert opened.send(message(), deadline=time.monotonic() + 5) is Outcome.CONFIRMED
    assert host.take(SALES) is not None
    yield opened
    opened.drop()


def message() -> TaskMessage:
    return persist_message([b'{"mark":"%s"}' % uuid4().hex.encode()])


def send(link: AmqpLink, what: TaskMessage | None = None, *, within_s: float = 1.5) -> tuple[Outcome, float]:
    """The outcome, and the seconds it took."""
    started = time.monotonic()
    outcome = link.send(what or message(), deadline=started + within_s)
    return outcome, time.monotonic() - started


def is_confirmed(link: AmqpLink, what: TaskMessage) -> bool:
    return send(link, what)[0] is Outcome.CONFIRMED


def arrived(host: VirtualHost, sent: TaskMessage, *, after: TaskMessage) -> bool:
    """Take messages up to one that was confirmed; whether the other was among them, or comes within a second."""
    bodies: set[str] = set()

    def taken(body: str) -> bool:
        while (message := host.take(SALES)) is not None:
            bodies.add(message.body)
        return body in bodies

    wait_until(lambda: taken(after.body.decode()), timeout_s=10, what="what was confirmed is there")
    return poll(lambda: taken(sent.body.decode()), timeout_s=1)


def port_of(link: AmqpLink) -> int:
    return int(link._connection.sock.getsockname()[1])


def test_confirmed(link: AmqpLink, host: VirtualHost) -> None:
    sent = message()

    assert send(link, sent)[0] is Outcome.CONFIRMED

    taken = host.take(SALES)
    assert taken is not None
    assert taken.body == sent.body.decode()
    assert taken.headers["task"] == "ventas.persist_sales"
    assert taken.properties["delivery_mode"] == 2
    assert host.ready(SALES) == 0


def test_a_full_queue_refuses(link: AmqpLink, host: VirtualHost) -> None:
    with host.policy(SALES, {"max-length": 1}):
        wait_until(lambda: send(link)[0] is Outcome.REFUSED, timeout_s=10, what="the queue is full")
        there = host.ready(SALES)
        assert {send(link)[0] for _ in range(5)} == {Outcome.REFUSED}
        assert host.ready(SALES) == there

    wait_until(lambda: send(link)[0] is Outcome.CONFIRMED, timeout_s=10, what="it takes messages again")


def test_a_message_that_nobody_takes_comes_back(link: AmqpLink, host: VirtualHost) -> None:
    with host.channel() as channel:
        channel.queue_unbind(SALES, topology.SALES_EXCHANGE.name, topology.SALES_CREATED)

    assert send(link)[0] is Outcome.REFUSED

    host.declare()
    assert send(link)[0] is Outcome.CONFIRMED
    assert host.ready(SALES) == 1


def test_no_exchange(link: AmqpLink, host: VirtualHost) -> None:
    host.delete_exchange(topology.SALES_EXCHANGE.name)

    assert send(link)[0] is Outcome.REFUSED

    assert send(link)[0] is Outcome.CONFIRMED  # connected anew, and declared anew
    assert host.ready(SALES) == 1


def test_in_memory_alarm(link: AmqpLink, services: Services, host: VirtualHost) -> None:
    with rabbit.memory_alarm(services.rabbit):
        attempts = [send(link, within_s=0.7) for _ in range(3)]

    assert Outcome.CONFIRMED not in {outcome for outcome, _seconds in attempts}
    assert max(seconds for _outcome, seconds in attempts) < 0.7 + SLACK_S
    wait_until(lambda: send(link)[0] is Outcome.CONFIRMED, timeout_s=10, what="it takes messages again")


def test_frozen_with_a_connection_is_unknown(link: AmqpLink, services: Services, host: VirtualHost) -> None:
    """It may arrive, so it is no refusal; it need not: a broker may forget what a closed connection had sent."""
    for _round in range(ROUNDS):
        sent, later = message(), message()
        services.rabbit.freeze()
        outcome, seconds = send(link, sent, within_s=1.0)
        services.rabbit.thaw()

        assert outcome is Outcome.UNKNOWN
        assert seconds < 1.0 + SLACK_S
        wait_until(partial(is_confirmed, link, later), timeout_s=10, what="it is connected again")
        if arrived(host, sent, after=later):
            return
    raise AssertionError(f"none of {ROUNDS} arrived: those were refusals")


def test_no_time_left_to_hear_the_confirm_is_unknown(link: AmqpLink, host: VirtualHost) -> None:
    """A late confirm is of no later message: it would come on a connection that is gone."""
    for _round in range(ROUNDS):
        before = port_of(link)
        sent, later = message(), message()
        assert link.send(sent, deadline=time.monotonic()) is Outcome.UNKNOWN

        assert send(link, later)[0] is Outcome.CONFIRMED
        assert port_of(link) != before
        if arrived(host, sent, after=later):
            return
    raise AssertionError(f"none of {ROUNDS} arrived: those were refusals")


def test_frozen_without_a_connection_is_refused(services: Services, host: VirtualHost) -> None:
    link = AmqpLink(settings.RABBITMQ_URL)
    services.rabbit.freeze()
    outcome, seconds = send(link)
    services.rabbit.thaw()

    assert outcome is Outcome.REFUSED
    assert seconds < CONNECT_TIMEOUT_S + SLACK_S
    assert host.ready(SALES) == 0


def test_stopped_is_refused_at_once_and_not_tried_again_for_a_while(
    link: AmqpLink, services: Services, host: VirtualHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []

    def try_it(_link: AmqpLink, deadline: float) -> bool:
        tried.append(deadline)
        return False

    services.rabbit.kill()
    first = send(link)
    with monkeypatch.context() as patch:
        patch.setattr(AmqpLink, "_connect_any", try_it)
        again = send(link)
    services.rabbit.start()

    assert {first[0], again[0]} == {Outcome.REFUSED}
    assert first[1] < SLACK_S
    assert tried == []  # within the pause
    wait_until(
        lambda: send(link)[0] is Outcome.CONFIRMED, timeout_s=PAUSE_AFTER_FAILURE_S + 5, what="it is connected again"
    )


def test_a_connection_that_was_closed_is_noticed_before_anything_is_sent(link: AmqpLink, host: VirtualHost) -> None:
    host.close_connection(port_of(link))

    assert send(link)[0] is Outcome.CONFIRMED
    assert host.ready(SALES) == 1


def test_idle_keeps_it_alive_and_notices_its_end(link: AmqpLink, host: VirtualHost) -> None:
    link.idle()
    assert send(link)[0] is Outcome.CONFIRMED
    host.close_connection(port_of(link))
    link.idle()
    link.idle()
    assert send(link)[0] is Outcome.CONFIRMED
    AmqpLink(settings.RABBITMQ_URL).idle()  # never used: nothing to keep


def test_too_late_to_begin(host: VirtualHost) -> None:
    link = AmqpLink(settings.RABBITMQ_URL)

    assert link.send(message(), deadline=time.monotonic() - 1) is Outcome.REFUSED
    assert host.ready(SALES) == 0


def test_a_child_never_uses_its_parents_socket(link: AmqpLink, host: VirtualHost) -> None:
    pid = os.fork()
    if pid == 0:  # the child: whatever happens, it leaves by _exit
        try:
            parents = port_of(link)
            confirmed = send(link)[0] is Outcome.CONFIRMED and send(link)[0] is Outcome.CONFIRMED
            os._exit(0 if confirmed and port_of(link) != parents else 1)
        finally:
            os._exit(2)

    _pid, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert send(link)[0] is Outcome.CONFIRMED
    assert host.ready(SALES) == 3


def test_a_failed_sale_goes_to_its_own_queue(link: AmqpLink, host: VirtualHost) -> None:
    failed = persist_message([b"{}"], retries=3, routing_key=topology.SALES_FAILED, error="x" * 5_000)

    assert send(link, failed)[0] is Outcome.CONFIRMED

    taken = host.take(FAILED)
    assert taken is not None
    assert taken.headers["retries"] == 3
    assert taken.headers["error"] == "x" * 1_000


def test_another_transport_never_confirms(services: Services) -> None:
    """Redis as the broker: a message sent is unknown until its sale is written; one not sent is refused."""
    link = open_link(services.redis.database_url(9))
    assert link.send(message(), deadline=time.monotonic() + 1) is Outcome.UNKNOWN
    link.drop()
    services.redis.stop()
    assert link.send(message(), deadline=time.monotonic() + IO_TIMEOUT_S) is Outcome.REFUSED
