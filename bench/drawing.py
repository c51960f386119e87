"""A drawing of what was accepted and written a second: bars, one group a scenario, as SVG that needs nothing else."""

from collections.abc import Sequence
from html import escape
from statistics import median

from bench.goals import MOST, Found
from bench.rounds import Round

BAR, GAP, LEFT, WIDE, TITLE = 16, 14, 150, 480, 34
COLOURS = {"accepted": "#2f6f9f", "persisted": "#9fc3dd"}


def draw(found: Found) -> str:
    """The cells of the most connections."""
    groups = {scenario: rounds for (scenario, number), rounds in found.matrix.items() if number == MOST}
    longest = max((value for rounds in groups.values() for each in rounds.values() for value in _pair(each)), default=1)
    body, y = [text(LEFT, 18, f"sales a second, {MOST} connections: accepted (dark), written (light)", "start")], TITLE
    for scenario, rounds in groups.items():
        y += GAP
        body.append(text(4, y, scenario, "start", bold=True))
        y += 6
        for name, each in rounds.items():
            body += _bars(name, each, y, longest)
            y += 2 * BAR + 6
    style = 'font-family="sans-serif" font-size="12" fill="#222"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDE + 70} {y + GAP}" role="img" {style}>\n'
        '<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _bars(name: str, rounds: Sequence[Round], y: int, longest: float) -> list[str]:
    drawn = [text(LEFT - 8, y + BAR + 4, name, "end")]
    for place, (colour, value) in enumerate(zip(COLOURS.values(), _pair(rounds), strict=True)):
        top, wide = y + place * BAR, WIDE * value / longest
        drawn.append(f'<rect x="{LEFT}" y="{top}" width="{wide:.1f}" height="{BAR - 1}" fill="{colour}"/>')
        drawn.append(text(LEFT + wide + 5, top + 12, f"{value:,.0f}", "start"))
    return drawn


def _pair(rounds: Sequence[Round]) -> tuple[float, float]:
    return median(one.load.accepted_a_second for one in rounds), median(one.persisted_a_second for one in rounds)


def text(x: float, y: float, said: str, anchor: str, *, bold: bool = False) -> str:
    """Some words at a place: `anchor` is start, middle or end."""
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"{weight}>{escape(said)}</text>'
