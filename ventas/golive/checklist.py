"""The specification's checklist, in its order of things: before, at and after the opening."""

from collections.abc import Sequence

from ventas.golive import clocks, postgresql, rabbitmq, redis_server, runner, stock, thresholds, upkeep
from ventas.golive.configuration import Configuration
from ventas.golive.findings import Asked, Line, Part
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
    return [*runner.run(parts=parts(), asked=asked), *runner.run(parts=[SmokeSale().part()], asked=asked)]
