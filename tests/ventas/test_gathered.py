"""What a worker puts together, and what becomes of each message of it."""

import logging
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from kombu.message import Message

from ventas import gathered
from ventas.gathered import GatheredMessage, Gatherer, is_plain
from ventas.publisher import PERSIST_TASK, persist_message
from ventas.signatures import HEADER

LOGGER = logging.getLogger(__name__)


class Channel:
    """Where a message is acknowledged or rejected; keeps which."""

    no_ack_consumers: set[str] | None = None

    def __init__(self) -> None:
        self.acked: list[int] = []
        self.rejected: list[tuple[int, bool]] = []

    def basic_ack(self, tag: int, multiple: bool = False) -> None:
        assert not multiple
        self.acked.append(tag)

    def basic_reject(self, tag: int, requeue: bool = False) -> None:
        self.rejected.append((tag, requeue))


@pytest.fixture
def channel() -> Channel:
    return Channel()


@pytest.fixture
def message(channel: Channel) -> Callable[..., Message]:
    """Makes what a worker is delivered: the sales of one message, its number, and what differs."""

    def make(tag: int, *sales: str, **differs: Any) -> Message:
        made = persist_message([orjson.dumps(sale) for sale in sales or (f"sale {tag}",)])
        given = {"body": made.body, "headers": made.headers, "delivery_info": {"redelivered": False}, **differs}
        named: dict[str, Any] = {"delivery_tag": tag, "channel": channel, "content_type": "application/json", **given}
        return Message(**named)

    return make


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits is due at once."""
    monkeypatch.setattr(gathered, "PAUSE_S", 0.0)


def at_once(_seconds: float, what: Callable[[], None]) -> None:
    """A timer without time."""
    what()


def sales_of(one: Message) -> list[str]:
    """What the task is given."""
    body: Any = one.body
    ventas: list[str] = orjson.loads(body)[1]["ventas"]
    return ventas


def test_several_are_one_call_with_all_their_sales(message: Callable[..., Message]) -> None:
    together = GatheredMessage([message(1, "a", "b"), message(2, "c")])
    assert sales_of(together) == ["a", "b", "c"]
    body: Any = together.body
    assert orjson.loads(body) == [
        [],
        {"ventas": ["a", "b", "c"]},
        {"callbacks": None, "errbacks": None, "chain": None, "chord": None},
    ]


def test_no_header_of_one_message_is_the_whole_calls(message: Callable[..., Message]) -> None:
    """They are not signed: who has caught a message may send it again with any."""
    headers: dict[str, Any] = message(1).headers | {
        "expires": "2020-01-01T00:00:00+00:00",
        "id": "chosen",
        "shadow": "another",
    }
    properties: dict[str, Any] = {"reply_to": "somewhere", "correlation_id": "chosen"}
    caught = message(1, headers=headers, properties=properties)
    assert is_plain(caught)
    together = GatheredMessage([caught, message(2)])
    headers, properties = dict(together.headers), dict(together.properties)
    assert headers.keys() == persist_message([]).headers.keys() - {HEADER}
    assert (headers["task"], headers["retries"], headers["expires"]) == (PERSIST_TASK, 0, None)
    assert headers["id"] == properties.pop("correlation_id") != "chosen"
    assert properties == {"delivery_mode": 2}


def test_each_is_acknowledged_or_given_back_by_itself(message: Callable[..., Message], channel: Channel) -> None:
    GatheredMessage([message(1), message(5)]).ack_log_error(LOGGER, (OSError,))
    assert channel.acked == [1, 5]
    GatheredMessage([message(7), message(6)]).reject_log_error(LOGGER, (OSError,), requeue=True)
    assert channel.rejected == [(7, True), (6, True)]


@pytest.mark.parametrize(
    ("differs", "plain"),
    [
        ({}, True),
        ({"delivery_info": {"redelivered": True}}, False),
        ({"headers": {"x-delivery-count": 1}}, False),
        ({"headers": {"retries": 1}}, False),
        ({"headers": {"retries": 0, "x-delivery-count": 0}}, True),
        ({"body": b'[[],{"ventas":[1]},{"callbacks":null}]'}, False),
        ({"body": b'[["ventas"],{},{"callbacks":null,"errbacks":null,"chain":null,"chord":null}]'}, False),
        ({"body": b""}, False),
        ({"body": "text"}, False),
        ({"body": None}, False),
    ],
)
def test_only_what_we_wrote_and_comes_for_the_first_time(
    differs: dict[str, Any], plain: bool, message: Callable[..., Message]
) -> None:
    assert is_plain(message(1, **differs)) is plain


def test_a_transport_may_have_made_a_text_of_it(message: Callable[..., Message]) -> None:
    made = message(1, "año")
    body: Any = made.body
    text = message(2, body=body.decode())
    assert is_plain(text)
    assert sales_of(GatheredMessage([made, text])) == ["año", "año"]


def test_what_arrives_while_all_processes_are_busy_goes_together_to_the_first_that_is_free(
    message: Callable[..., Message], channel: Channel
) -> None:
    handled: list[Message] = []
    gatherer = Gatherer(handle=handled.append, processes=2, most=0, later=at_once)
    for tag in range(1, 7):
        gatherer.receive(message(tag))
    assert [sales_of(one) for one in handled] == [["sale 1"], ["sale 2"]]

    handled[1].ack_log_error(LOGGER, (OSError,))
    assert sales_of(handled[2]) == ["sale 3", "sale 4", "sale 5", "sale 6"]
    assert channel.acked == [2]

    handled[0].reject_log_error(LOGGER, (OSError,), requeue=True)
    gatherer.receive(message(7))
    assert [sales_of(one) for one in handled[3:]] == [["sale 7"]]


def test_a_call_that_was_dropped_without_a_word_holds_nobody_up(message: Callable[..., Message]) -> None:
    """Celery drops what it has not begun when its connection goes; nobody acknowledges it then."""
    handled: list[Message] = []
    gatherer = Gatherer(handle=handled.append, processes=1, most=0, later=at_once)
    gatherer.receive(message(1))
    handled.clear()
    gatherer.receive(message(2))
    assert [sales_of(one) for one in handled] == [["sale 2"]]


def test_a_call_whose_acknowledgement_fails_makes_room_all_the_same(
    message: Callable[..., Message], channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_tag: int, multiple: bool = False) -> None:
        raise BrokenPipeError

    handled: list[Message] = []
    gatherer = Gatherer(handle=handled.append, processes=1, most=0, later=at_once)
    gatherer.receive(message(1))
    gatherer.receive(message(2))
    monkeypatch.setattr(channel, "basic_ack", broken)
    with pytest.raises(BrokenPipeError):
        handled[0].ack_log_error(LOGGER, (OSError,))
    assert len(handled) == 2


def test_what_waits_is_forgotten_with_its_connection(message: Callable[..., Message]) -> None:
    handled: list[Message] = []
    gatherer = Gatherer(handle=handled.append, processes=1, most=0, later=at_once)
    gatherer.receive(message(1))
    gatherer.receive(message(2))
    gatherer.forget()
    handled[0].ack_log_error(LOGGER, (OSError,))
    assert len(handled) == 1


def test_a_call_has_a_bound(message: Callable[..., Message], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered, "MOST_SALES_BYTES", 150)
    handled: list[Message] = []
    gatherer = Gatherer(handle=handled.append, processes=1, most=0, later=at_once)
    for tag in range(1, 6):
        gatherer.receive(message(tag))
    handled[0].ack_log_error(LOGGER, (OSError,))
    assert sales_of(handled[1]) == ["sale 2", "sale 3"]


def test_what_arrives_waits_a_moment_for_more(message: Callable[..., Message], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(gathered, "monotonic", lambda: now[0])
    monkeypatch.setattr(gathered, "PAUSE_S", 0.05)
    handled: list[Message] = []
    timers: list[tuple[float, Callable[[], None]]] = []
    gatherer = Gatherer(handle=handled.append, processes=2, most=0, later=lambda *timer: timers.append(timer))
    for tag in (1, 2, 3):
        gatherer.receive(message(tag))
    (timer,) = timers
    assert (timer[0], handled) == (0.05, [])
    now[0] += 0.06
    timer[1]()
    assert [sales_of(one) for one in handled] == [["sale 1", "sale 2", "sale 3"]]

    gatherer.receive(message(4))
    handled[0].ack_log_error(LOGGER, (OSError,))
    assert (len(handled), len(timers)) == (1, 2)  # a process is free, and its pause is not over


def test_enough_need_not_wait(message: Callable[..., Message], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered, "PAUSE_S", 60.0)
    handled: list[Message] = []
    gatherer = Gatherer(handle=handled.append, processes=2, most=0, later=lambda *_timer: None)
    for tag in range(gathered.ENOUGH_MESSAGES + 1):
        gatherer.receive(message(tag))
    assert [len(sales_of(one)) for one in handled] == [gathered.ENOUGH_MESSAGES]


def test_when_the_broker_has_no_more_to_give_nobody_waits(
    message: Callable[..., Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathered, "PAUSE_S", 60.0)
    handled: list[Message] = []
    gatherer = Gatherer(handle=handled.append, processes=2, most=4, later=lambda *_timer: None)
    for tag in range(1, 4):
        gatherer.receive(message(tag))
    assert handled == []
    gatherer.receive(message(4))
    assert [sales_of(one) for one in handled] == [["sale 1", "sale 2", "sale 3", "sale 4"]]

    handled[0].ack_log_error(LOGGER, (OSError,))
    gatherer.receive(message(5))
    assert len(handled) == 1
