"""`manage.py golive_check`: may this shop open? Every line of the checklist, and what to do about it."""

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import override

from ventas.golive.checklist import go_through
from ventas.golive.findings import Asked, Line, State

STYLES = {State.OK: "SUCCESS", State.ADVICE: "WARNING", State.FAILED: "ERROR"}


class Command(BaseCommand):
    """Exit status: 0 it may, perhaps with notices; 1 something has failed; 2 usage."""

    help = (
        "Go through the go-live checklist: servers, queues, workers, stock, tables, clocks, settings, who watches, and "
        "one sale of a probe that no list shows. Each line is fine, a notice, or failed with what to do. Safe at any "
        "moment. Exit status: 0 nothing failed; 1 something did; 2 usage."
    )
    requires_system_checks = ()  # they are lines here

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What only whoever runs the shop knows."""
        parser.add_argument(
            "--workers",
            type=int,
            default=settings.SALES_WORKERS_MIN,
            help="workers that are to be connected (default: SALES_WORKERS_MIN, %(default)s)",
        )
        parser.add_argument("--web-url", default=settings.WEB_URL, help="(default: WEB_URL, %(default)s)")
        parser.add_argument("--metrics-url", default="", help="(default: /metrics at --web-url)")
        parser.add_argument("--prometheus-url", default="", help="to see that it asks, and reaches, everybody")
        parser.add_argument("--grafana-url", default="", help="to see that it is up")
        parser.add_argument("--backups", type=Path, help="the folder in which the newest file is to be of today")
        parser.add_argument("--no-sale", action="store_true", help="leave out the smoke sale")
        parser.add_argument("--json", action="store_true", help="one JSON object")
        parser.add_argument(
            "--idioma", choices=[code for code, _name in settings.LANGUAGES], default=settings.LANGUAGE_CODE,
            help="language of what is said (default: %(default)s)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Translate in, one call, translate out."""
        asked = Asked(
            workers=options["workers"],
            web_url=options["web_url"],
            metrics_url=options["metrics_url"] or options["web_url"].rstrip("/") + "/metrics",
            prometheus_url=options["prometheus_url"],
            grafana_url=options["grafana_url"],
            backups=options["backups"],
            sells=not options["no_sale"],
        )
        with override(options["idioma"]):
            lines = go_through(asked=asked)
            texts = [json.dumps(_as_json(lines), ensure_ascii=False)] if options["json"] else self._as_text(lines)
            self._say(texts)
        if _count(lines, State.FAILED):
            sys.exit(1)

    def _say(self, texts: Iterable[str]) -> None:
        try:
            self.stdout.writelines(f"{text}\n" for text in texts)
            self.stdout.flush()
        except BrokenPipeError:  # `| head` has seen enough; what is left must not fail at Python's end, either
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _as_text(self, lines: Sequence[Line]) -> Iterator[str]:
        words = {State.OK: _("bien"), State.ADVICE: _("aviso"), State.FAILED: _("FALLA")}
        for part, own in groupby(lines, key=lambda line: line.part):
            yield part
            for line in own:
                word = getattr(self.style, STYLES[line.finding.state])(f"{words[line.finding.state]:>6}")
                yield f"{word}  {line.name}: {line.finding.seen}"
                if line.finding.todo:
                    yield f"        → {line.finding.todo}"
        yield _("%(bien)d bien, %(avisos)d avisos, %(fallas)d fallas") % {
            "bien": _count(lines, State.OK),
            "avisos": _count(lines, State.ADVICE),
            "fallas": _count(lines, State.FAILED),
        }


def _count(lines: Sequence[Line], state: State) -> int:
    return sum(line.finding.state is state for line in lines)


def _as_json(lines: Sequence[Line]) -> dict[str, Any]:
    return {
        "ok": not _count(lines, State.FAILED),
        "lines": [
            {
                "key": line.key,
                "part": line.part,
                "name": line.name,
                "state": line.finding.state,
                "seen": line.finding.seen,
                "todo": line.finding.todo,
                "took_ms": round(line.took_ms, 1),
            }
            for line in lines
        ],
    }
