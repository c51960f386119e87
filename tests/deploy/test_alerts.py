"""deploy/prometheus: its rules by promtool, their own tests, and what they ask for by a running product."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import binaries
from scripts.processes import ROOT
from tests.deploy import promql
from tests.deploy.live_metrics import Shown

FOLDER = ROOT / "deploy" / "prometheus"
RULES = FOLDER / "alerts.yml"
TESTS = FOLDER / "alerts.test.yml"
OPERATIONS = ROOT / "docs" / "operations.md"
OF_SALES = 'rate(checkout_seconds_bucket{outcome=~"taken|followed"}'
TOKEN = "/run/secrets/metrics_token"
Rule = dict[str, Any]


def rules() -> dict[str, Rule]:
    """Each alert, by its name."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    found = [rule for group in groups for rule in group["rules"]]
    named = {rule["alert"]: rule for rule in found}
    assert len(named) == len(found), "two of one name"
    return named


def promtool(*arguments: str | Path) -> str:
    """What it says against it: nothing where all is well."""
    done = subprocess.run(
        [binaries.promtool(), *arguments], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def copied(folder: Path, *, right: str = "", wrong: str = "") -> Path:
    """The rules elsewhere, with something changed."""
    text = RULES.read_text()
    assert right in text
    (folder / RULES.name).write_text(text.replace(right, wrong, 1))
    return folder / RULES.name


def complaints(folder: Path, alert: str, *, right: str, wrong: str) -> str:
    """What the tests of this alert say where its rule is changed."""
    copied(folder, right=right, wrong=wrong)
    told = yaml.safe_load(TESTS.read_text())
    told["tests"] = [case for case in told["tests"] if alert in {one["alertname"] for one in case["alert_rule_test"]}]
    (folder / TESTS.name).write_text(yaml.safe_dump(told))
    return promtool("test", "rules", folder / TESTS.name)


def test_prometheus_takes_the_rules(tmp_path: Path) -> None:
    assert promtool("check", "rules", RULES) == ""
    spoilt = copied(tmp_path, right=OF_SALES + "[10m]", wrong=OF_SALES)
    assert "expected type range vector" in promtool("check", "rules", spoilt)


def test_prometheus_takes_its_settings(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("of-prometheus")
    copied(tmp_path)
    settings = tmp_path / "prometheus.yml"
    text = (FOLDER / settings.name).read_text()
    assert TOKEN in text
    settings.write_text(text.replace(TOKEN, str(token)))
    assert promtool("check", "config", settings) == ""
    settings.write_text(text.replace(TOKEN, str(token)).replace("evaluation_interval", "evaluation_intervall"))
    assert "evaluation_intervall" in promtool("check", "config", settings)


def test_each_alert_fires_and_does_not_below_its_threshold() -> None:
    assert promtool("test", "rules", TESTS) == ""


# Each alert with its threshold moved by little: a test of it misses that.
MOVED = {
    "WebNotScraped": ("absent(up", "vector(0) > absent(up"),
    "PartAway": ("min by (part) (part_up) == 0", "max by (part) (part_up) == 0"),
    "TiendaNotArmed": ("(stock_tiendas_not_armed) > 0", "(stock_tiendas_not_armed) > 2"),
    "CheckoutUnavailable": ("> 0.01", "> 0.03"),
    "CheckoutSlow": ("> 0.05\n", "> 0.06\n"),
    "LookupsMiss": ("< 0.95\n", "< 0.93\n"),
    "NoWorker": ('or absent(sales_queue_consumers{queue="sales.created"})', ""),
    "NoMaintenance": ('(sales_queue_consumers{queue="maintenance"}) == 0', "(sales_queue_consumers) == 0"),
    "BeatSilent": ("(beat_age_seconds) > 600", "(beat_age_seconds) >= 600"),
    "OldestHold": ("(stock_oldest_hold_seconds) > 60", "(stock_oldest_hold_seconds) >= 60"),
    "SalesQueueLong": ('(sales_queue_messages{queue="sales.created"}) >= 100', "(sales_queue_messages) >= 100"),
    "SalesWaiting": ("max(stock_holds) >= 100", "sum(stock_holds) >= 100"),
    "SaleFailed": ("(sales_failed_open) > 0", "(sales_failed_open) > 1"),
    "StockDrift": ("max by (tienda) (stock_drift_products)", "max(stock_drift_products)"),
    "RedisMemoryHigh": ("(stock_redis_memory_ratio) > 0.8", "(stock_redis_memory_ratio) >= 0.8"),
    "RedisNotOnDisk": ("(stock_redis_without_aof) > 0", "(stock_redis_without_aof) > 1"),
    "RedisEvicts": ("(stock_redis_evicting) > 0", "(stock_redis_evicting) > 1"),
    "WarmupOld": ("> 24 * 3600", ">= 24 * 3600"),
    "ScrapeFails": ('up{job=~"web|worker|rabbitmq|rabbitmq_queues"} == 0', "up == 0"),
}


@pytest.mark.parametrize("alert", MOVED)
def test_a_moved_threshold_is_missed(tmp_path: Path, alert: str) -> None:
    right, wrong = MOVED[alert]
    assert f"alertname: {alert}" in complaints(tmp_path, alert, right=right, wrong=wrong)


@pytest.mark.parametrize(
    ("alert", "guard"),
    [
        ("CheckoutUnavailable", 'and sum(increase(checkout_seconds_count{outcome="unavailable"}[5m])) >= 5'),
        ("CheckoutSlow", 'and sum(increase(checkout_seconds_count{outcome=~"taken|followed"}[10m])) >= 20'),
        (
            "LookupsMiss",
            "and sum(increase(stock_lookup_hits_total[10m])) + sum(increase(stock_lookup_misses_total[10m])) >= 100",
        ),
    ],
)
def test_a_quiet_shop_that_is_not_left_in_peace_is_missed(tmp_path: Path, alert: str, guard: str) -> None:
    assert f"alertname: {alert}" in complaints(tmp_path, alert, right=guard, wrong="")


@pytest.mark.parametrize(
    ("alert", "outcomes"),
    [
        ("CheckoutUnavailable", '{outcome=~"taken|followed|unavailable"}'),
        ("CheckoutSlow", '{outcome=~"taken|followed"}'),
    ],
)
def test_refusals_that_hide_what_becomes_of_sales_are_missed(tmp_path: Path, alert: str, outcomes: str) -> None:
    assert f"alertname: {alert}" in complaints(tmp_path, alert, right=outcomes, wrong="")


def test_every_alert_is_tested_both_ways() -> None:
    tested: dict[str, set[bool]] = {}
    for case in yaml.safe_load(TESTS.read_text())["tests"]:
        for one in case["alert_rule_test"]:
            tested.setdefault(one["alertname"], set()).add(bool(one.get("exp_alerts")))
    assert tested == {name: {True, False} for name in rules()}
    assert set(MOVED) == set(rules())


def test_each_asks_for_what_a_running_product_shows(shown: Shown) -> None:
    bad = {name: promql.unknown(rule["expr"], shown) for name, rule in rules().items()}
    assert {name: lacks for name, lacks in bad.items() if lacks} == {}


def test_what_is_not_shown_is_missed(shown: Shown) -> None:
    assert promql.unknown("sum(sales_lost_total)", shown) == ["sales_lost_total is no metric"]
    assert promql.unknown('max(sales_queue_messages{cola="x"})', shown) == ["sales_queue_messages has no cola"]
    assert promql.unknown('rate(checkout_seconds_count{outcome="lost"}[1m])', shown) == [
        "checkout_seconds_count has no outcome=lost"
    ]
    assert promql.unknown("sum by (tienda) (stock_holds)", shown) == ["nothing has tienda"]


def headings() -> set[str]:
    """The anchors of the runbook's headings, as a reader's page makes them."""
    titles = re.findall(r"^#+ (.+)$", OPERATIONS.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("alert", rules())
def test_each_says_how_bad_it_is_and_what_to_do(alert: str) -> None:
    rule = rules()[alert]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description", "runbook"}
    assert notes["runbook"] == f"docs/operations.md#{alert.lower()}"
    assert alert.lower() in headings()
