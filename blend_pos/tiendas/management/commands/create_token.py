"""`manage.py create_token --tienda … --usuario …`: make a terminal's token and print it, once."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from knox.settings import knox_settings

from blend_pos.tiendas import acts
from blend_pos.tiendas.models import Accion, Rol, Terminal, Tienda
from blend_pos.tiendas.tokens import TokenRefused, create_token

LONGEST_DAYS = 36_500


class Command(BaseCommand):
    """Only the token goes to the standard output, so that a script can take it."""

    help = "Create a terminal's bearer token and print it. It is shown this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The terminal, the person, the role."""
        parser.add_argument("--tienda", required=True, help="its id, or its name where only one has it")
        parser.add_argument("--terminal", type=int, default=1, help="its number in the tienda (default: 1)")
        parser.add_argument("--usuario", required=True, help="login name of the person who answers for it")
        parser.add_argument("--rol", choices=Rol.values, default=Rol.CAJERO, help="default: %(default)s")
        parser.add_argument("--por", default="", help="who asked for it, for the record (default: who runs this)")
        parser.add_argument("--days", type=int, help="until it expires (default: as in the settings; 0: never)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create it, print it."""
        tienda = _find_tienda(options["tienda"])
        terminal = Terminal.objects.filter(tienda=tienda, numero=options["terminal"]).select_related("tienda").first()
        if terminal is None:
            raise CommandError(f"{tienda} has no terminal {options['terminal']}.")
        usuario = User.objects.filter(username=options["usuario"]).first()
        if usuario is None:
            raise CommandError(f"There is no {options['usuario']}.")
        days = options["days"]
        if days is not None and not 0 <= days <= LONGEST_DAYS:
            raise CommandError(f"--days is from 0, which never ends, to {LONGEST_DAYS}.")
        lifetime = knox_settings.TOKEN_TTL if days is None else timedelta(days=days)
        expiry = timezone.now() + lifetime if lifetime else None
        try:
            with transaction.atomic():
                row, token = create_token(terminal=terminal, usuario=usuario, rol=options["rol"], expiry=expiry)
                acts.record(
                    accion=Accion.CREAR,
                    por=acts.operator(command="create_token", por=options["por"]),
                    tienda_id=tienda.pk,
                    objeto=f"token {row.token_key} {usuario} ({row.rol}), {terminal}",
                )
        except TokenRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(token)


def _find_tienda(text: str) -> Tienda:
    try:
        found = Tienda.objects.filter(pk=UUID(text))
    except ValueError:
        found = Tienda.objects.filter(nombre__iexact=text.strip())
    tiendas = list(found[:2])
    if len(tiendas) != 1:
        raise CommandError(f"{len(tiendas) or 'no'} tienda has the name or id {text!r}; give its id.")
    return tiendas[0]
