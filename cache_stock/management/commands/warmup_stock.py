"""manage.py warmup_stock: carry the products of tiendas to Redis."""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from tqdm import tqdm

from blend_pos.tiendas.models import Tienda
from cache_stock import warmup
from cache_stock.scripts import StockError
from inventario.models import Producto

USAGE, NOT_ARMED, AWAY = 1, 2, 3


class Command(BaseCommand):
    """Exit status: 0 all warm; 1 no such tienda; 2 one needs a cold start first; 3 a server does not answer."""

    help = (
        "Carry the products of one tienda, or of all, from PostgreSQL to Redis. Safe at any moment. "
        "Exit status: 0 all warm; 1 usage, no such tienda; 2 a tienda waits for the cold start that beat runs; "
        "3 PostgreSQL or Redis does not answer."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """A parser whose errors are CommandErrors: argparse would exit with 2, which means something else here."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.called_from_command_line = False
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One tienda, or all."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--tienda", metavar="ID|NAME", help="its id, or its name")
        which.add_argument("--all", action="store_true", help="every active tienda; so is none where there is but one")

    def run_from_argv(self, argv: list[str]) -> None:
        """As Django's, with usage errors as one line and exit status 1."""
        try:
            super().run_from_argv(argv)
        except CommandError as error:
            self.stderr.write(str(error))
            sys.exit(USAGE)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Warm them one by one; one that cannot be does not stop the others."""
        try:
            tiendas = _choose(options["tienda"], everyone=options["all"])
            waiting = [tienda for tienda in tiendas if not self._warm(tienda)]
        except StockError as error:
            raise CommandError(f"Redis does not answer: {error}", returncode=AWAY) from error
        except (OperationalError, InterfaceError) as error:
            raise CommandError(f"PostgreSQL does not answer: {error}", returncode=AWAY) from error
        if not tiendas:
            self.stdout.write("There is no active tienda.")
        if waiting:
            raise CommandError(
                f"{len(waiting)} of {len(tiendas)} tiendas wait for a cold start. Beat and the maintenance worker do "
                "it by themselves: see that both are up, then try again.",
                returncode=NOT_ARMED,
            )

    def _warm(self, tienda: Tienda) -> bool:
        started = time.monotonic()
        total = Producto.objects.filter(tienda=tienda).count()
        quiet = not sys.stderr.isatty()
        with tqdm(total=total, desc=tienda.nombre, unit=" products", disable=quiet, leave=False) as bar:
            try:
                report = warmup.warm_tienda(tienda_id=tienda.pk, now_ms=int(time.time() * 1000), progress=bar.update)
            except warmup.ColdStartNeeded:
                self.stderr.write(f"{tienda.nombre} ({tienda.pk}): not armed, a cold start comes first")
                return False
        armed = ", armed for the first time" if report.armed_now else ""
        self.stdout.write(
            f"{tienda.nombre} ({tienda.pk}): {report.productos_cacheados} products on sale in Redis, "
            f"{report.products - report.productos_cacheados} not on sale, {report.stale} newer there already{armed}; "
            f"{time.monotonic() - started:.2f} s"
        )
        return True


def _choose(asked: str | None, *, everyone: bool) -> Sequence[Tienda]:
    """The tiendas that were asked for. Raises CommandError."""
    active = list(Tienda.objects.filter(is_active=True))
    if everyone or (asked is None and len(active) == 1):
        return active
    if asked is None:
        raise CommandError(f"Say which: --all, or --tienda with one of these:\n{_listed(active)}", returncode=USAGE)
    found = _find(asked)
    if len(found) != 1:
        what = "There is no tienda" if not found else "More than one tienda is called"
        choice = _listed(found or active)
        raise CommandError(f"{what} «{asked}». There are:\n{choice}", returncode=USAGE)
    return found


def _find(asked: str) -> list[Tienda]:
    try:
        return list(Tienda.objects.filter(pk=UUID(asked)))
    except ValueError:
        return list(Tienda.objects.filter(nombre__iexact=asked.strip()))


def _listed(tiendas: Sequence[Tienda]) -> str:
    return "\n".join(f"  {tienda.pk}  {tienda.nombre}" for tienda in tiendas) or "  (none)"
