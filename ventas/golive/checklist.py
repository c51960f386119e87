"""The specification's checklist, in its order of things: before, at and after the opening."""

from collections.abc import Sequence

from ventas.golive import clocks, postgresql, rabbitmq, redis_server, runner, stock, thresholds, upkeep
from ventas.golive.configuration import Configuration
from ventas.golive.findings import Asked, Line, Part, State
from ventas.golive.smoke import SmokeSale
from ventas.golive.web import Watched


def parts() -> Sequence[Part]:
    """Everything but the sale. They remember what they have seen: make them anew for each run."""
    return (
        redis_server.part(),
        rabbitmq.part(),
        postgresql.part(),
        *clocks.parts(),
        stock.part(),
        upkeep.part(),
        Configuration().part(),
        Watched(thresholds.judges()).part(),
    )


def go_through(*, asked: Asked) -> list[Line]:
    """Every line. All parts at once; then the sale, alone, so that its milliseconds are its own."""
    lines = runner.run(parts=parts(), asked=asked)
    forged = any(line.key == "settings.secret_key" and line.finding.state is State.FAILED for line in lines)
    return [*lines, *runner.run(parts=[SmokeSale(forged=forged).part()], asked=asked)]
