"""What an expression of Prometheus asks for, by a parser that also knows its types."""

from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser

WINDOW = "$__rate_interval"  # Grafana puts a duration there
MADE_BY_PROMETHEUS = {"up": {"job", "instance"}, "ALERTS": {"alertname", "alertstate", "severity"}}
FROM_THE_SCRAPE = {"job", "instance"}  # labels that Prometheus adds


@dataclass(frozen=True, slots=True)
class Asked:
    """A metric, and the labels that are matched: those by an exact value, with the values."""

    metric: str
    labels: frozenset[str]
    exact: frozenset[tuple[str, str]]


def parsed(expression: str) -> promql_parser.Expr:
    """Raises ValueError where Prometheus would not take it."""
    return promql_parser.parse(expression.replace(WINDOW, "1m"))


def _nodes(expression: str) -> list[promql_parser.Expr]:
    found: list[promql_parser.Expr] = []
    promql_parser.walk(parsed(expression), found.append)
    return found


def asked(expression: str) -> Iterator[Asked]:
    """Each metric that it names."""
    for node in _nodes(expression):
        if isinstance(node, promql_parser.VectorSelector):
            matchers = node.matchers.matchers
            exact = {(one.name, one.value) for one in matchers if one.op == promql_parser.MatchOp.Equal}
            yield Asked(node.name or "", frozenset(one.name for one in matchers), frozenset(exact))


def grouped(expression: str) -> set[str]:
    """Labels that it groups by."""
    found: set[str] = set()
    for node in _nodes(expression):
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier:
            found.update(node.modifier.labels)
    return found


def unknown(expression: str, shown: dict[str, dict[str, set[str]]]) -> list[str]:
    """What it asks for and `shown` (metric, its labels, their values) has not, a line each."""
    known = {metric: set(labels) | FROM_THE_SCRAPE for metric, labels in shown.items()} | MADE_BY_PROMETHEUS
    names = list(asked(expression))
    bad = [f"{one.metric} is no metric" for one in names if one.metric not in known]
    for one in names:
        labels = known.get(one.metric, one.labels)
        bad += [f"{one.metric} has no {label}" for label in one.labels - labels]
        values = shown.get(one.metric, {})
        bad += [
            f"{one.metric} has no {name}={value}"
            for name, value in one.exact
            if name in values and value not in values[name]
        ]
    everything = set().union(*(known.get(one.metric, set()) for one in names))
    return bad + [f"nothing has {label}" for label in grouped(expression) - everything]
