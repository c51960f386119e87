"""Sales that wait together leave in one message; a lone one waits for nobody; every wait and the queue are bounded."""

import os
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from django.conf import settings

from cache_stock.reservation import Hold
from scripts.services import Services
from tests.pipeline.rabbit import SALES, VirtualHost
from tests.polling import wait_until
from ventas.checkout import Decision, decide
from ventas.gathering import LEAST_TIME_S, GatheringPublisher, Published
from ventas.publisher import AmqpLink, Outcome

TIENDA = uuid4()
EPOCH = 7
WITHIN_S = 5.0


def armed(tiendas: Collection[UUID]) -> dict[UUID, int | None]:
    return dict.fromkeys(tiendas, EPOCH)


class Watched(GatheringPublisher):
    """It says when a message is on its way."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.sending = threading.Event()

    def _publish(self, *message: Any) -> None:
        self.sending.set()
        super()._publish(*message)


def make(*, most_sales: int = 100, most_waiting: int = 1_000, fence: Callable[..., Any] = armed) -> Watched:
    return Watched(
        open_link=lambda: AmqpLink(settings.RABBITMQ_URL),
        fence=fence,
        most_sales=most_sales,
        most_waiting=most_waiting,
    )


def publish(publisher: GatheringPublisher, mark: object, *, within_s: float = WITHIN_S) -> Published:
    payload = orjson.dumps({"mark": mark})
    return publisher.publish(tienda_id=TIENDA, payload=payload, deadline=time.monotonic() + within_s)


def send_alone(
    threads: ThreadPoolExecutor, publisher: Watched, mark: object, *, within_s: float = WITHIN_S
) -> "Future[Published]":
    """Its message is on its way: what comes later waits for the next one."""
    publisher.sending.clear()
    publishing = threads.submit(publish, publisher, mark, within_s=within_s)
    assert publisher.sending.wait(within_s)
    return publishing


def messages(host: VirtualHost) -> list[list[Any]]:
    """The marks of each message that lies in the queue; it is empty afterwards."""
    found = []
    while (message := host.take(SALES)) is not None:
        found.append([sale["mark"] for sale in orjson.loads(message.body)[1]["ventas"]])
    return found


@pytest.fixture
def publisher(host: VirtualHost) -> Watched:
    """One that is connected."""
    made = make()
    assert publish(made, "first").outcome is Outcome.CONFIRMED
    host.purge()
    return made


@pytest.fixture
def frozen(services: Services) -> Iterator[Services]:
    """For tests that freeze the broker: it is thawed whatever happens."""
    yield services
    services.rabbit.thaw()


def test_a_lone_sale_waits_for_nobody(publisher: GatheringPublisher, host: VirtualHost) -> None:
    seconds = []
    for number in range(20):
        started = time.monotonic()
        assert publish(publisher, number) == Published(Outcome.CONFIRMED, EPOCH)
        seconds.append(time.monotonic() - started)

    assert sorted(seconds)[10] < 0.1
    assert messages(host) == [[number] for number in range(20)]


def test_a_hundred_threads_share_messages(publisher: Watched, host: VirtualHost, frozen: Services) -> None:
    """The first one finds the broker frozen; the others gather meanwhile, and leave together."""
    frozen.rabbit.freeze()
    with ThreadPoolExecutor(100) as threads:
        first = send_alone(threads, publisher, 0)
        others = [threads.submit(publish, publisher, number) for number in range(1, 100)]
        wait_until(lambda: len(publisher._queue) == 99, timeout_s=2, what="the others have gathered")
        frozen.rabbit.thaw()
        outcomes = {one.result().outcome for one in [first, *others]}

    assert outcomes == {Outcome.CONFIRMED}
    sizes = messages(host)
    assert [len(marks) for marks in sizes] == [1, 99]
    assert sorted(mark for marks in sizes for mark in marks) == list(range(100))


def test_a_message_holds_no_more_than_its_most(host: VirtualHost, frozen: Services) -> None:
    publisher = make(most_sales=10)
    publish(publisher, "first")
    host.purge()
    frozen.rabbit.freeze()
    with ThreadPoolExecutor(36) as threads:
        first = send_alone(threads, publisher, 0)
        others = [threads.submit(publish, publisher, number) for number in range(1, 36)]
        wait_until(lambda: len(publisher._queue) == 35, timeout_s=2, what="the others have gathered")
        frozen.rabbit.thaw()
        assert {one.result().outcome for one in [first, *others]} == {Outcome.CONFIRMED}

    assert [len(marks) for marks in messages(host)] == [1, 10, 10, 10, 5]


def test_a_full_queue_refuses_at_once(host: VirtualHost, frozen: Services) -> None:
    publisher = make(most_waiting=3)
    publish(publisher, "first")
    frozen.rabbit.freeze()
    with ThreadPoolExecutor(4) as threads:
        waiting = [send_alone(threads, publisher, 0)]
        waiting += [threads.submit(publish, publisher, number) for number in range(1, 4)]
        wait_until(lambda: len(publisher._queue) == 3, timeout_s=2, what="three are waiting")
        started = time.monotonic()
        refused = publish(publisher, "one too many")
        seconds = time.monotonic() - started
        frozen.rabbit.thaw()

    assert refused == Published(Outcome.REFUSED)
    assert seconds < 1.0  # where it waited, it would be for its time
    assert {one.result().outcome for one in waiting} == {Outcome.CONFIRMED}
    assert "one too many" not in [mark for marks in messages(host) for mark in marks]


def test_who_gives_up_waiting_takes_its_sale_along(publisher: Watched, host: VirtualHost, frozen: Services) -> None:
    """Taken on its way: unknown. Still waiting: withdrawn, it is never sent."""
    frozen.rabbit.freeze()
    with ThreadPoolExecutor(2) as threads:
        taken = send_alone(threads, publisher, "taken", within_s=3)
        withdrawn = threads.submit(publish, publisher, "withdrawn", within_s=0.4)
        assert withdrawn.result() == Published(Outcome.REFUSED)
        assert taken.result() == Published(Outcome.UNKNOWN)
    frozen.rabbit.thaw()

    wait_until(lambda: publish(publisher, "later").outcome is Outcome.CONFIRMED, timeout_s=10, what="it goes on")
    host.wait_ready(SALES, 1)
    assert {mark for marks in messages(host) for mark in marks} - {"taken"} == {"later"}  # taken: as it may be


def test_too_late_to_learn_the_outcome_is_not_sent(publisher: GatheringPublisher, host: VirtualHost) -> None:
    """It would hurry the others, and nobody would hear of it."""
    late = publish(publisher, "late", within_s=LEAST_TIME_S / 2)

    assert late == Published(Outcome.REFUSED)
    assert publish(publisher, "in time").outcome is Outcome.CONFIRMED
    assert messages(host) == [["in time"]]


def test_the_look_at_redis_comes_after_the_confirm(host: VirtualHost) -> None:
    seen: list[int] = []

    def fence(tiendas: Collection[UUID]) -> dict[UUID, int | None]:
        seen.append(host.ready(SALES))
        assert tiendas == {TIENDA}
        return {TIENDA: None}

    publisher = make(fence=fence)

    assert publish(publisher, 0) == Published(Outcome.CONFIRMED, None)
    assert seen == [1]


def test_a_failure_of_its_own_is_no_outcome_and_stops_nothing(host: VirtualHost) -> None:
    failures = [RuntimeError("once")]

    def fence(tiendas: Collection[UUID]) -> dict[UUID, int | None]:
        if failures:
            raise failures.pop()
        return armed(tiendas)

    publisher = make(fence=fence)

    assert publish(publisher, "unlucky") == Published(Outcome.UNKNOWN)
    assert publish(publisher, "next") == Published(Outcome.CONFIRMED, EPOCH)
    assert messages(host) == [["unlucky"], ["next"]]


def test_a_child_begins_anew(publisher: GatheringPublisher, host: VirtualHost) -> None:
    pid = os.fork()
    if pid == 0:  # the child: whatever happens, it leaves by _exit
        try:
            os._exit(0 if publish(publisher, "child").outcome is Outcome.CONFIRMED else 1)
        finally:
            os._exit(2)

    _pid, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert publish(publisher, "parent").outcome is Outcome.CONFIRMED
    assert messages(host) == [["child"], ["parent"]]


def test_one_thread_publishes_however_many_ask(publisher: GatheringPublisher, host: VirtualHost) -> None:
    before = sum(thread.name == "publisher" for thread in threading.enumerate())
    with ThreadPoolExecutor(20) as threads:
        assert {one.outcome for one in threads.map(lambda n: publish(publisher, n), range(200))} == {Outcome.CONFIRMED}

    assert sum(thread.name == "publisher" for thread in threading.enumerate()) == before
    assert sorted(mark for marks in messages(host) for mark in marks) == list(range(200))


@pytest.mark.parametrize(
    ("outcome", "armed_epoch", "created", "decision"),
    [
        (Outcome.CONFIRMED, EPOCH, True, Decision.PROMISE),
        (Outcome.CONFIRMED, EPOCH, False, Decision.PROMISE),
        (Outcome.CONFIRMED, EPOCH + 1, True, Decision.FOLLOW),
        (Outcome.CONFIRMED, None, True, Decision.FOLLOW),
        (Outcome.REFUSED, None, True, Decision.RELEASE),
        (Outcome.REFUSED, None, False, Decision.FOLLOW),
        (Outcome.UNKNOWN, None, True, Decision.FOLLOW),
        (Outcome.UNKNOWN, EPOCH, True, Decision.FOLLOW),
        (Outcome.UNKNOWN, None, False, Decision.FOLLOW),
    ],
)
def test_what_follows_from_a_publish(
    outcome: Outcome, armed_epoch: int | None, created: bool, decision: Decision
) -> None:
    hold = Hold(created=created, epoch=EPOCH, pedido="", products=())

    assert decide(outcome=outcome, armed_epoch=armed_epoch, hold=hold) is decision
