"""How many workers a rate needs."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ventas.scaling import processes_needed


@pytest.mark.parametrize(
    ("rate", "a_second", "expected"), [(1, 500, 1), (350, 500, 1), (351, 500, 2), (700, 500, 2), (10_000, 500, 29)]
)
def test_seven_tenths_of_a_process_are_counted_on(rate: float, a_second: float, expected: int) -> None:
    assert processes_needed(rate=rate, a_second=a_second) == expected


def say(*arguments: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("workers_needed", *arguments, stdout=out)
    return out.getvalue().strip()


def test_from_what_the_bench_wrote(tmp_path: Path) -> None:
    file = tmp_path / "latest.json"
    drains = {"one_process": [{"sales": 1_000, "seconds": 2}, {"sales": 900, "seconds": 1}, {"sales": 3, "seconds": 1}]}
    file.write_text(json.dumps({"about": {"when": "2026-11-28T10:00:00+00:00", "cores": 2}, "drains": drains}))
    assert say("--rate=1000", f"--measured={file}") == (
        f"3 worker processes for 1000 sales a second: one writes 500 ({file}, 2026-11-28, 2 cores), "
        "and 70% of that is counted on."
    )


def test_the_drain_of_an_earlier_run_is_told_as_that_runs(tmp_path: Path) -> None:
    file = tmp_path / "latest.json"
    kept = {"drains": {"when": "2026-11-01T10:00:00+00:00", "cores": 8}}
    about = {"when": "2026-11-28T10:00:00+00:00", "cores": 2, "kept": kept}
    file.write_text(json.dumps({"about": about, "drains": {"one_process": [{"sales": 500, "seconds": 1}]}}))
    assert "500 (" + f"{file}, 2026-11-01, 8 cores)" in say("--rate=1000", f"--measured={file}")


def test_a_quick_run_is_called_so(tmp_path: Path) -> None:
    file, drains = tmp_path / "latest.json", {"one_process": [{"sales": 1_000, "seconds": 2}]}
    about = {"when": "2026-11-28T10:00:00+00:00", "cores": 2, "quick": True}
    file.write_text(json.dumps({"about": about, "drains": drains}))
    assert f"500 ({file}, a quick run of 2026-11-28, 2 cores)" in say("--rate=1000", f"--measured={file}")


def test_from_what_is_said() -> None:
    assert say("--rate=10", "--per-process=20").startswith("1 worker process for 10 sales a second: one writes 20 ")


@pytest.mark.parametrize("kept", [None, "", "{}", "[]", '{"about": {}, "drains": {"one_process": []}}'])
def test_what_to_do_where_nothing_was_measured(kept: str | None, tmp_path: Path) -> None:
    file = tmp_path / "latest.json"
    if kept is not None:
        file.write_text(kept)
    with pytest.raises(CommandError, match="run make bench ONLY=drains, or say --per-process"):
        say("--rate=1", f"--measured={file}")


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "many"])
def test_a_rate_is_above_0(rate: str) -> None:
    with pytest.raises(CommandError, match="above 0"):
        say(f"--rate={rate}")
