"""A command about one tienda or about all: how they are named, and what its exit statuses mean."""

import sys
from abc import ABC, abstractmethod
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError

from blend_pos.tiendas.models import Tienda
from cache_stock.scripts import StockError

USAGE, NOT_ARMED, AWAY = 1, 2, 3


class TiendaCommand(BaseCommand, ABC):
    """Exit status: the highest that handle_tienda() returned; 1 usage, no such tienda; 3 a server does not answer."""

    everyone_by_default: ClassVar = True

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """A parser whose errors are CommandErrors: argparse would exit with 2, which means something else here."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.called_from_command_line = False
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One tienda, or all."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--tienda", metavar="ID|NAME", help="its id, or its name")
        alone = "" if self.everyone_by_default else " where there is but one"
        which.add_argument("--all", action="store_true", help=f"every active tienda; so is none{alone}")

    def run_from_argv(self, argv: list[str]) -> None:
        """As Django's, with usage errors as one line and exit status 1."""
        try:
            super().run_from_argv(argv)
        except CommandError as error:
            self.stderr.write(str(error))
            sys.exit(USAGE)

    def handle(self, *_args: Any, **options: Any) -> None:
        """One tienda after another; one with which something is wrong does not stop the others."""
        try:
            tiendas = _choose(options["tienda"], everyone=options["all"], by_default=self.everyone_by_default)
            statuses = [self.handle_tienda(tienda, options) for tienda in tiendas]
        except StockError as error:
            raise CommandError(f"Redis does not answer: {error}", returncode=AWAY) from error
        except (OperationalError, InterfaceError) as error:
            raise CommandError(f"PostgreSQL does not answer: {error}", returncode=AWAY) from error
        if not tiendas:
            self.stdout.write("There is no active tienda.")
        self.finish(statuses)

    @abstractmethod
    def handle_tienda(self, tienda: Tienda, options: dict[str, Any]) -> int:
        """What is to be done with one tienda; its exit status."""

    def finish(self, statuses: Sequence[int]) -> None:
        """End with the highest status."""
        if any(statuses):
            sys.exit(max(statuses))


def _choose(asked: str | None, *, everyone: bool, by_default: bool) -> Sequence[Tienda]:
    """The tiendas that were asked for. Raises CommandError."""
    active = list(Tienda.objects.filter(is_active=True))
    if everyone or (asked is None and (by_default or len(active) == 1)):
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
