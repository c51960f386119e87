#!/usr/bin/env python
"""Django's command line, with this project's settings."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import InterfaceError, OperationalError

SETTINGS = "`make run` writes a .env with servers of its own; .env.example says what to name for others."


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blend_pos.settings")
    os.environ.setdefault("LOG_STREAM", "stderr")  # a command's own output is what it was asked for
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        sys.exit(f"The settings are not complete: {problem}. {SETTINGS}")
    except (OperationalError, InterfaceError) as problem:
        if getattr(problem.__cause__, "sqlstate", None):  # it answered, and that is another matter
            raise
        sys.exit(f"PostgreSQL does not answer; is DATABASE_URL right, and does it run? {problem}")


if __name__ == "__main__":
    main()
