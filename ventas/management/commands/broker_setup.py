"""`manage.py broker_setup`: declare exchanges and queues, and make the broker's user of each part."""

import json
import os
import re
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ventas import broker_setup, broker_users

PREFIX = re.compile(r"[A-Za-z0-9_-]+")  # it goes into a URL, and into lines for a shell
SHORTEST_PASSWORD = 16


class Command(BaseCommand):
    """Run it as the broker's administrator; each run gives every user another password, but where they are given."""

    help = (
        "Declare exchanges and queues in the virtual host of RABBITMQ_URL, and make a user for each part that may do "
        "what that part needs. RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL are an administrator's. Prints each part's "
        "settings, with new passwords, this once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How the users are called; how it is printed."""
        parser.add_argument("--prefix", default="blend", help="of the users' names (default: %(default)s)")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--json", action="store_true", help="one JSON object: part -> settings")
        how.add_argument("--rabbitmqctl", action="store_true", help="change nothing, print the lines for rabbitmqctl")
        how.add_argument(
            "--given",
            action="store_true",
            help=f"the passwords are the environment's {', '.join(map(_variable, broker_users.PARTS))}; print none",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Translate in, one call, translate out."""
        if not settings.RABBITMQ_URL.startswith("amqp"):
            raise CommandError("RABBITMQ_URL names no RabbitMQ: there are no users to make.")
        if not PREFIX.fullmatch(options["prefix"]):
            raise CommandError("--prefix has letters of ASCII, digits, - and _ only, and is not empty.")
        if options["rabbitmqctl"]:
            lines = broker_users.control_lines(vhost=broker_setup.vhost(), prefix=options["prefix"])
            self.stdout.write("\n".join(lines))
            return
        passwords = _given_passwords() if options["given"] else broker_setup.new_passwords()
        try:
            parts = broker_setup.set_up(prefix=options["prefix"], passwords=passwords)
        except broker_setup.SetupFailed as failure:
            raise CommandError(str(failure)) from failure
        if options["given"]:
            self.stdout.write(f"Declared, with a user for each of {', '.join(parts)}.")
            return
        found = {part: one.environment() for part, one in parts.items()}
        if options["json"]:
            self.stdout.write(json.dumps(found))
            return
        for part, environment in found.items():
            self.stdout.write("\n".join([f"# {part}", *(f"{name}={value}" for name, value in environment.items())]))


def _variable(part: str) -> str:
    return f"BROKER_PASSWORD_{part.upper()}"


def _given_passwords() -> dict[str, str]:
    """Of every part, or of none: who is told some and forgets one would be left with a user that nobody can be."""
    found = {part: os.environ.get(_variable(part), "") for part in broker_users.PARTS}
    short = [_variable(part) for part, password in found.items() if len(password) < SHORTEST_PASSWORD]
    if short:
        raise CommandError(f"{', '.join(short)}: not there, or shorter than {SHORTEST_PASSWORD} characters.")
    return found
