"""manage.py warmup_stock: carry the products of tiendas to Redis."""

import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any, ClassVar

from django.core.management.base import CommandError
from tqdm import tqdm

from blend_pos.tiendas import acts
from blend_pos.tiendas.models import Accion, Tienda
from cache_stock import warmup
from cache_stock.management.tienda_command import NOT_ARMED, TiendaCommand
from inventario.models import Producto

YIELDING = 19  # the most that `nice` knows
FIRST_ARMING_S = 60.0  # beat's cold start may have come upon a new tienda first


class Command(TiendaCommand):
    """Exit status: 0 all warm; 1 no such tienda; 2 one needs a cold start first; 3 a server does not answer."""

    help = (
        "Carry the products of one tienda, or of all, from PostgreSQL to Redis. Safe at any moment. "
        "Exit status: 0 all warm; 1 usage, no such tienda; 2 a tienda waits for the cold start that beat runs; "
        "3 PostgreSQL or Redis does not answer."
    )
    everyone_by_default: ClassVar = False

    def run_from_argv(self, argv: list[str]) -> None:
        """As a process of its own it yields to who sells."""
        os.nice(YIELDING)
        super().run_from_argv(argv)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One tienda or all; and who asked for it."""
        super().add_arguments(parser)
        parser.add_argument("--por", default="", help="who asked for it, for the record (default: who runs this)")

    def handle_tienda(self, tienda: Tienda, options: dict[str, Any]) -> int:
        """Warm it."""
        por = acts.operator(command="warmup_stock", por=options["por"])
        acts.record(accion=Accion.CALENTAR, por=por, tienda_id=tienda.pk)
        started = time.monotonic()
        total = Producto.objects.filter(tienda=tienda).count()
        quiet = not sys.stderr.isatty()
        with tqdm(total=total, desc=tienda.nombre, unit=" products", disable=quiet, leave=False) as bar:
            try:
                report = warmup.warm_tienda(
                    tienda_id=tienda.pk,
                    now_ms=int(time.time() * 1000),
                    progress=bar.update,
                    patience_s=FIRST_ARMING_S,
                )
            except warmup.ColdStartNeeded:
                self.stderr.write(f"{tienda.nombre} ({tienda.pk}): not armed, a cold start comes first")
                return NOT_ARMED
        armed = ", armed for the first time" if report.armed_now else ""
        self.stdout.write(
            f"{tienda.nombre} ({tienda.pk}): {report.productos_cacheados} products on sale in Redis, "
            f"{report.products - report.productos_cacheados} not on sale, {report.stale} newer there already{armed}; "
            f"{time.monotonic() - started:.2f} s"
        )
        return 0

    def finish(self, statuses: Sequence[int]) -> None:
        """Say what those that could not be warmed wait for."""
        waiting = sum(status == NOT_ARMED for status in statuses)
        if waiting:
            raise CommandError(
                f"{waiting} of {len(statuses)} tiendas wait for a cold start. Beat and the maintenance worker do "
                "it by themselves: see that both are up, then try again.",
                returncode=NOT_ARMED,
            )
