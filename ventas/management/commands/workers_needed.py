"""`manage.py workers_needed --rate 500`: how many worker processes write so many sales a second."""

import math
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ventas import scaling


def positive(text: str) -> float:
    """A number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ArgumentTypeError(f"{text}: it is a number above 0.")
    return value


class Command(BaseCommand):
    """The scaling rule: rate / (what one process writes × 0.7), rounded up."""

    help = "Says how many worker processes a rate of sales needs, from what was measured on this machine."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """The rate, and where what one process writes is from."""
        parser.add_argument("--rate", type=positive, required=True, help="sales a second")
        parser.add_argument("--per-process", type=positive, help="sales a second that one process writes")
        parser.add_argument("--measured", type=Path, default=scaling.MEASURED, help="what make bench wrote")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, compute, say."""
        try:
            found = (
                scaling.Measured(options["per_process"], "--per-process")
                if options["per_process"]
                else scaling.read_measured(options["measured"])
            )
        except scaling.NotMeasured as lack:
            raise CommandError(str(lack)) from lack
        rate, needed = options["rate"], scaling.processes_needed(rate=options["rate"], a_second=found.a_second)
        self.stdout.write(
            f"{needed} worker process{'' if needed == 1 else 'es'} for {rate:g} sales a second: one writes "
            f"{found.a_second:,.0f} ({found.source}), and {scaling.ROOM:.0%} of that is counted on."
        )
