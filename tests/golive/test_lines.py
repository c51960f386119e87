"""What single lines make of what they see."""

import re
import time
from contextlib import suppress

import orjson
import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.drawn import JSON, TEXTS, broken, travels
from tests.fuzz.effort import cases
from ventas.deploy_checks import Login
from ventas.golive import asking, clocks, rabbitmq, runner, thresholds, web
from ventas.golive.findings import Asked, Check, Finding, Part, State, passed
from ventas.golive.scrape import Page
from ventas.topology import SALES_QUEUE

REFERENCE = re.compile(r"docs/operations\.md, «([^»]+)»")
ASKED = Asked(workers=1, web_url="http://127.0.0.1:9", metrics_url="http://127.0.0.1:9/metrics")


@pytest.mark.parametrize(
    ("theirs_s", "apart_s"), [(99.0, -1.0), (100.0, 0), (100.7, 0), (101.0, 0), (102.5, 1.5), (94.0, -6.0)]
)
def test_a_clock_is_off_by_what_the_answers_way_does_not_explain(theirs_s: float, apart_s: float) -> None:
    assert clocks.Reading(100.0, theirs_s, 101.0).apart_s == apart_s


@pytest.mark.parametrize(("theirs_s", "state"), [(100.9, "ok"), (98.9, "failed"), (102.2, "failed")])
def test_more_than_a_second_is_too_much(theirs_s: float, state: str) -> None:
    assert clocks.judge(clocks.Reading(100.0, theirs_s, 100.1)).state == state


def test_a_queue_without_its_limit_differs_in_that() -> None:
    arguments = dict(SALES_QUEUE.queue_arguments or {})
    assert rabbitmq.differences(queue=SALES_QUEUE, state={"durable": True, "arguments": arguments}) == []

    del arguments["x-max-length"]
    arguments["x-delivery-limit"] = 3
    found = rabbitmq.differences(queue=SALES_QUEUE, state={"durable": False, "arguments": arguments})
    assert [text.split()[0] for text in found] == ["durable", "x-max-length", "x-delivery-limit"]


@pytest.mark.parametrize(
    ("url", "guessed"),
    [
        ("amqp://guest:guest@10.0.0.1:5672//", True),
        ("amqp://10.0.0.1:5672//", True),
        ("amqp://blendpointofsale:blendpointofsale@10.0.0.1//", True),
        ("amqp://blend:jd83hdk38dh2@10.0.0.1//", False),
        ("redis://127.0.0.1:6379/0", False),
        ("redis://redis:6379/0", True),
        ("rediss://:short@redis:6379/0", True),
        ("postgres://postgres:postgres@db/blend", True),
        ("postgres:///blend", False),
    ],
)
def test_a_password_that_is_guessed(url: str, guessed: bool) -> None:
    assert Login.of(url).is_guessed is guessed


def test_djangos_own_command_says_it_too() -> None:
    open_to_all = override_settings(RABBITMQ_URL="amqp://guest:guest@10.0.0.1//", ALLOWED_HOSTS=["*"])
    with open_to_all, pytest.raises(SystemCheckError) as found:
        call_command("check", deploy=True, fail_level="WARNING")
    assert "blend.W001" in str(found.value)
    assert "blend.W002" in str(found.value)


def histogram(within_50_ms: int, slower: int, outcome: str = "taken") -> str:
    counts = {
        "0.025": within_50_ms // 2,
        "0.05": within_50_ms,
        "0.1": within_50_ms + slower,
        "+Inf": within_50_ms + slower,
    }
    return "# TYPE checkout_seconds histogram\n" + "".join(
        f'checkout_seconds_bucket{{outcome="{outcome}",le="{bound}"}} {count}\n' for bound, count in counts.items()
    )


BUCKETS = re.compile("^# TYPE.*\n")
PAGES = {
    "selling.p95": [
        (histogram(950, 50), "ok"), (histogram(949, 51), "failed"), (histogram(90, 9), "advice"),
        (histogram(0, 100, "followed") + BUCKETS.sub("", histogram(9_900, 0, "refused")), "failed"),
        (histogram(95, 5) + BUCKETS.sub("", histogram(0, 9_900, "refused")), "ok"),
    ],
    "selling.hit_rate": [
        ("stock_lookup_hits_total 951\nstock_lookup_misses_total 49\n", "ok"),
        ("stock_lookup_hits_total 950\nstock_lookup_misses_total 50\n", "failed"),
        ("stock_lookup_hits_total 9\nstock_lookup_misses_total 0\n", "advice"),
        ("", "failed"),
    ],
    "selling.queue": [
        ('sales_queue_messages{queue="sales.created"} 99\nsales_queue_messages{queue="sales.failed"} 500\n', "ok"),
        ('sales_queue_messages{queue="sales.created"} 100\n', "failed"),
        ("", "failed"),
    ],
    "selling.oldest_hold": [
        ("stock_oldest_hold_seconds 60\n", "ok"), ("stock_oldest_hold_seconds 61\n", "failed"), ("", "failed"),
    ],
    "selling.failed_sales": [("sales_failed_open 0\n", "ok"), ("sales_failed_open 1\n", "advice"), ("", "failed")],
    "selling.drift": [
        ('stock_drift_products{tienda="a"} 0\nstock_drift_products{tienda="b"} 0\n', "ok"),
        ('stock_drift_products{tienda="a"} 0\nstock_drift_products{tienda="b"} 2\n', "failed"),
        ("", "advice"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("key", PAGES)
def test_each_threshold(key: str) -> None:
    _name, judge = thresholds.judges()[key]
    assert [(text, judge(Page.parse(text)).state.value) for text, _state in PAGES[key]] == PAGES[key]


def test_every_threshold_is_tried() -> None:
    assert thresholds.judges().keys() == PAGES.keys()


def test_a_quantile_lies_within_its_bucket() -> None:
    found = Page.parse(histogram(950, 50)).histogram("checkout_seconds", outcomes=["taken"])
    assert found.count == 1000
    assert found.quantile_s(0.95) == pytest.approx(0.05)
    assert found.quantile_s(0.475) == pytest.approx(0.025)
    assert 0.05 < found.quantile_s(0.99) < 0.1


UP = b'{"status": "success", "data": {"result": [{"metric": {"instance": "web:8000"}, "value": [1, "%b"]}]}}'


@cases(100)
@given(
    JSON.filter(travels).map(orjson.dumps)
    | broken(st.just(orjson.loads(UP % b"1"))).filter(travels).map(orjson.dumps)
    | st.binary()
)
def test_whatever_answers_there_is_read_or_refused(body: bytes) -> None:
    assert isinstance(asking.read_fields(body), dict)
    with suppress(ValueError):
        assert all(isinstance(name, str) for name, _is_up in web.read_targets(body))


@cases(100)
@given(TEXTS | st.text(alphabet='a_{}="1.5 \n#TYPEHELP+Inf'))
def test_whatever_is_at_metrics_is_read_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert len(Page.parse(text)) >= 0


def hangs(asked: Asked) -> Finding:
    time.sleep(5)  # longer than its part is given
    return passed("at last")


def breaks(asked: Asked) -> Finding:
    raise ConnectionRefusedError("nobody there")


def part(*checks: Check, within_s: float = 5.0) -> Part:
    return Part("part", checks, "remedy", within_s=within_s)


def test_what_hangs_or_breaks_stops_no_other_line() -> None:
    fine = Check("fine", "fine", lambda _asked: passed("yes"))
    start = time.monotonic()
    lines = runner.run(
        parts=[
            part(Check("hangs", "hangs", hangs), Check("after", "after", fine.look), within_s=0.5),
            part(Check("breaks", "breaks", breaks), fine),
        ],
        asked=ASKED,
    )

    assert time.monotonic() - start < 2
    assert [(line.key, line.finding.state) for line in lines] == [
        ("hangs", State.FAILED), ("after", State.FAILED), ("breaks", State.FAILED), ("fine", State.OK),
    ]  # fmt: skip
    assert lines[0].finding.todo == lines[2].finding.todo == "remedy"
    assert "nobody there" in lines[2].finding.seen


def test_what_nobody_foresaw_is_a_line_that_failed_without_its_text() -> None:
    def bug(_asked: Asked) -> Finding:
        raise RuntimeError("s3cret")

    lines = runner.run(
        parts=[part(Check("bug", "bug", bug), Check("after", "after", lambda _asked: passed("yes")))], asked=ASKED
    )

    assert [(line.key, line.finding.state) for line in lines] == [("bug", State.FAILED), ("after", State.OK)]
    assert "RuntimeError" in lines[0].finding.seen
    assert "s3cret" not in lines[0].finding.seen


def test_what_a_line_refers_to_is_in_the_runbook() -> None:
    code = django_settings.BASE_DIR / "ventas" / "golive"
    named = {name for path in code.glob("*.py") for name in REFERENCE.findall(path.read_text())}
    runbook = (django_settings.BASE_DIR / "docs" / "operations.md").read_text().splitlines()

    assert len(named) >= 5
    assert {name for name in named if f"## {name}" not in runbook} == set()
