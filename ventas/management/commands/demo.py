"""`manage.py demo`: the demonstration's tienda, people and token."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ventas.demo import Demo, DemoRefused, make_demo


class Command(BaseCommand):
    """Make the demonstration, or find it again. Passwords follow from SECRET_KEY; the token is a new one each time."""

    help = "A demonstration tienda with a catalogue, people of each role and a terminal token. Safe to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--json, for programs."""
        parser.add_argument("--json", action="store_true", help="one line of JSON, the last one printed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what it takes to use it."""
        try:
            demo = make_demo(now=timezone.now())
        except DemoRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(_described(demo), ensure_ascii=False))
        else:
            self.stdout.write(_text(demo))


def _described(demo: Demo) -> dict[str, Any]:
    return {
        "tienda_id": str(demo.tienda_id),
        "tienda": {"id": str(demo.tienda_id), "nombre": demo.tienda},
        "terminal_id": str(demo.terminal_id),
        "token": demo.token,
        "usuarios": [{"usuario": user.usuario, "password": user.password, "rol": user.rol} for user in demo.usuarios],
        "productos": demo.productos,
        "nuevos": demo.nuevos,
    }


def _text(demo: Demo) -> str:
    people = "\n".join(f"  {user.usuario:<16} {user.password:<24} {user.rol}" for user in demo.usuarios)
    return (
        f"{demo.tienda} ({demo.tienda_id}): {demo.productos} products, {demo.nuevos} of them new\n"
        f"{people}\n  token  {demo.token}"
    )
