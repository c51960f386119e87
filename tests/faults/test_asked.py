"""What `make faults` and its like say to a part that is none: never that all is well."""

from collections.abc import Callable

import pytest

from scripts import model
from tests.faults.__main__ import complaint, summary
from tests.faults.results import Result
from tests.lua.protocol import simulate
from tests.mutants.__main__ import main as mutants


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"ONLY": "duplicates,nada"}, "no row nada"),
        ({"JOBS": "0"}, "JOBS=0"),
        ({"N": "0"}, "N=0"),
        ({"N": "-3"}, "N=-3"),
        ({"N": "many"}, "N=many"),
        ({"HOURS": "nan"}, "HOURS=nan"),
        ({"HOURS": "-1"}, "HOURS=-1"),
        ({"FAULTS": "all"}, "FAULTS=all"),
    ],
    ids=str,
)
def test_a_part_that_is_none(variables: dict[str, str], told: str) -> None:
    assert told in complaint(variables)


@pytest.mark.parametrize(
    "variables", [{}, {"ONLY": "", "N": "", "JOBS": "", "HOURS": ""}, {"ONLY": "duplicates", "N": "1", "HOURS": "0.5"}]
)
def test_a_part_that_is_one(variables: dict[str, str]) -> None:
    assert complaint(variables) == ""


@pytest.mark.parametrize(
    ("main", "arguments", "told"),
    [
        (simulate.main, ["--schedules=0"], "at least 1"),
        (simulate.main, ["--acts=0"], "at least 1"),
        (mutants, ["--only=nada"], "no rule holds 'nada'"),
        (model.main, ["--only=NO_FENCE,nada"], "no rule is called nada"),
    ],
)
def test_nothing_to_do_is_no_success(
    main: Callable[[list[str]], int], arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert told in capsys.readouterr().err


def test_a_matrix_that_did_not_run_is_not_called_clean() -> None:
    row = Result(name="worker-kill", place=0, seed="1", heals="armed", within_s=1, injections=3)
    assert summary([row], "1 minute") == "3 injections, 0 violations, 1 minute"
    assert summary([], "1 minute").startswith("Nothing was run")
