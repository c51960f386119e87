"""`manage.py broker_setup`: declare exchanges and queues, and make the broker's user of each part."""

import json
import re
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ventas import broker_setup, broker_users

PREFIX = re.compile(r"[A-Za-z0-9_-]+")  # it goes into a URL, and into lines for a shell


class Command(BaseCommand):
    """Run it as the broker's administrator; each run gives every user another password."""

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
        try:
            parts = broker_setup.set_up(prefix=options["prefix"])
        except broker_setup.SetupFailed as failure:
            raise CommandError(str(failure)) from failure
        found = {part: one.environment() for part, one in parts.items()}
        if options["json"]:
            self.stdout.write(json.dumps(found))
            return
        for part, environment in found.items():
            self.stdout.write("\n".join([f"# {part}", *(f"{name}={value}" for name, value in environment.items())]))
