"""One panel as a drawing: its lines, its thresholds, its legend, as SVG that needs nothing else."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from bench.drawing import text

WIDE, HIGH, LEFT, TOP, BELOW, RIGHT = 640, 190, 62, 34, 22, 14
LEGEND, COLUMNS, LETTER = 16, 4, 6.2
COLOURS = ("#2f6f9f", "#d98200", "#3f9f5f", "#8e5fb0", "#b04a4a", "#5a5a5a", "#20a0a8", "#a0a020")
THRESHOLDS = {"red": "#d03030", "yellow": "#c9a400", "green": "#3f9f5f"}
STEPS = (1, 2, 2.5, 5, 10)
GRID, MOST_GRID = "#e4e4e4", 5
COUNTED = "suffix: "  # Grafana's for a unit of one's own
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Line:
    """A name of the legend, and (seconds since the run's start, value) each; a value may be no number."""

    name: str
    points: Points


@dataclass(frozen=True, slots=True)
class Chart:
    """`thresholds`: from which value on, and its colour. `unit` as Grafana has it."""

    title: str
    unit: str
    seconds: float
    lines: Sequence[Line]
    thresholds: Sequence[tuple[float, str]]


def draw(chart: Chart) -> str:
    """The whole picture."""
    top, step = _scale([value for line in chart.lines for _at, value in line.points if math.isfinite(value)])
    rows = math.ceil(len(chart.lines) / COLUMNS)
    high = TOP + HIGH + BELOW + LEGEND * max(rows, 1) + 8

    def place(at: float, value: float) -> tuple[float, float]:
        return LEFT + WIDE * at / chart.seconds, TOP + HIGH * (1 - min(value, top) / top)

    counted = f" ({chart.unit.removeprefix(COUNTED)})" if chart.unit.startswith(COUNTED) else ""
    body = [text(LEFT, 20, chart.title + counted, "start", bold=True), *_grid(chart, top, step, place)]
    body += _thresholds(chart, top, place)
    for number, line in enumerate(chart.lines):
        colour = COLOURS[number % len(COLOURS)]
        body += _path(line.points, colour, place)
        x, y = LEFT + (number % COLUMNS) * WIDE / COLUMNS, TOP + HIGH + BELOW + 14 + LEGEND * (number // COLUMNS)
        body.append(f'<rect x="{x:.0f}" y="{y - 8:.0f}" width="12" height="3" fill="{colour}"/>')
        body.append(text(x + 17, y, _fitting(line.name), "start"))
    if not chart.lines:
        body.append(text(LEFT + WIDE / 2, TOP + HIGH / 2, "sin datos", "middle"))
    style = 'font-family="sans-serif" font-size="11" fill="#222"'
    size = f"0 0 {LEFT + WIDE + RIGHT} {high}"
    inner = "\n".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" role="img" {style}>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n{inner}\n</svg>\n'
    )


def _scale(values: Sequence[float]) -> tuple[float, float]:
    """(the highest value that is drawn, the distance of the lines behind), in round figures."""
    most = max(values, default=0.0) or 1.0
    power = 10 ** math.floor(math.log10(most / MOST_GRID))
    step = next(each * power for each in STEPS if each * power * MOST_GRID >= most)
    return math.ceil(round(most / step, 6)) * step, step


def _grid(chart: Chart, top: float, step: float, place: Callable[[float, float], tuple[float, float]]) -> list[str]:
    drawn = []
    for number in range(round(top / step) + 1):
        _x, y = place(0, number * step)
        drawn.append(f'<path d="M{LEFT} {y:.1f}H{LEFT + WIDE}" stroke="{GRID}"/>')
        drawn.append(text(LEFT - 6, y + 4, written(number * step, chart.unit), "end"))
    for minute in range(int(chart.seconds // 60) + 1):
        x, _y = place(minute * 60, 0)
        drawn.append(text(x, TOP + HIGH + 15, f"{minute} min", "middle"))
    return drawn


def _thresholds(chart: Chart, top: float, place: Callable[[float, float], tuple[float, float]]) -> list[str]:
    """Those that lie within the picture, dashed."""
    drawn = []
    for value, colour in chart.thresholds:
        if 0 < value <= top:
            _x, y = place(0, value)
            dashes = f'stroke="{THRESHOLDS[colour]}" stroke-dasharray="5 4"'
            drawn.append(f'<path d="M{LEFT} {y:.1f}H{LEFT + WIDE}" {dashes}/>')
    return drawn


def _path(points: Points, colour: str, place: Callable[[float, float], tuple[float, float]]) -> list[str]:
    """A line that ends where there is no number, and begins again after it; a number alone is a dot."""
    drawn = []
    for there, part in groupby(_with_gaps(points), key=lambda point: math.isfinite(point[1])):
        if there:
            spots = [place(at, value) for at, value in part]
            ends = f' stroke-linecap="round" stroke="{colour}" stroke-width="1.8" fill="none"'
            way = "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
            drawn.append(f'<path d="M{way}{"h0" if len(spots) == 1 else ""}"{ends}/>')
    return drawn


def _with_gaps(points: Points) -> Points:
    """With no number where Prometheus had none for longer than usual."""
    usual = min((after[0] - before[0] for before, after in pairwise(points)), default=0.0)
    found = list(points[:1])
    for before, after in pairwise(points):
        if after[0] - before[0] > 1.5 * usual:
            found.append((before[0], math.nan))
        found.append(after)
    return found


def written(value: float, unit: str) -> str:
    """A value beside its grid line."""
    if unit == "percentunit":
        return f"{value * 100:g} %"
    if unit == "s" and value:
        return f"{value * 1000:g} ms" if value < 1 else f"{value:g} s"
    return f"{value:g}"


def _fitting(name: str) -> str:
    most = int(WIDE / COLUMNS / LETTER) - 3
    return name if len(name) <= most else name[: most - 1] + "…"
