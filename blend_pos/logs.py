"""What the processes say: one JSON object a line (LOG_FORMAT=json), or text for people (LOG_FORMAT=console).

Lines that are many, of requests and of batches, are written by structlog itself, which costs half of what Python's
logging does; everything else goes through Python's logging, and comes out the same.

Neither a traceback nor a line shows the value of a variable: no token, no body.
"""

import json
import logging
import logging.config
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

import orjson
import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

from blend_pos.telling import in_one_line, without_values

JSON, CONSOLE = "json", "console"
STREAMS = {"stdout": 1, "stderr": 2}
LEVEL: Processor = structlog.stdlib.add_log_level
TIME: Processor = structlog.processors.TimeStamper(fmt="iso", utc=True)
# What Celery says of each task, and Django of each answer, is in the lines of batches and requests.
TOLD_ALREADY = ("celery.worker.strategy", "celery.app.trace", "django.server")
SECURITY = "django.security"
# They would repeat what a task is called with, and what a query asks for: never in so much detail.
NEVER_IN_DETAIL = ("celery.pool", "django.db.backends")


class UnknownFormat(ValueError):
    """LOG_FORMAT or LOG_STREAM is none of those that there are."""


def configure(options: dict[str, str]) -> None:
    """Django's LOGGING_CONFIG, called with LOGGING: `format` json or console, `stream` stdout or stderr, `level`;
    `tasks` yes or no, in text: a line for each task that comes and goes."""
    if options["format"] not in {JSON, CONSOLE} or options["stream"] not in STREAMS:
        raise UnknownFormat(f"LOG_FORMAT={options['format']} LOG_STREAM={options['stream']}")
    is_json = options["format"] == JSON
    stream: TextIO = getattr(sys, options["stream"])
    logging.captureWarnings(True)  # a warning is a line like any other
    tasks = options.get("tasks", "yes") == "yes" and not is_json
    logging.config.dictConfig(_handlers(stream=stream, level=options["level"], is_json=is_json, tasks=tasks))
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, LEVEL, TIME, *_finish(stream, is_json=is_json)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[options["level"]]),
        logger_factory=LineWriterFactory(STREAMS[options["stream"]]),
        cache_logger_on_first_use=True,
    )


class LineWriter:
    """Writes each line in one piece, at once and without a lock, so that processes and threads may share a pipe.

    A pipe that nobody reads any more, or a full disk, must not fail the sale that the line is about.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def msg(self, line: str | bytes) -> None:
        """Write one line, or lose it."""
        whole = (line if isinstance(line, bytes) else line.encode("utf-8", "backslashreplace")) + b"\n"
        with suppress(OSError):
            written = os.write(self._descriptor, whole)
            if written < len(whole):
                os.write(self._descriptor, whole[written:])

    debug = info = warning = error = critical = msg


class LineWriterFactory:
    """Makes structlog's loggers: all of them write to the same place."""

    def __init__(self, descriptor: int) -> None:
        self._writer = LineWriter(descriptor)

    def __call__(self, *_arguments: Any) -> LineWriter:
        return self._writer


def _handlers(*, stream: TextIO, level: str, is_json: bool, tasks: bool) -> dict[str, Any]:
    """Python's logging. `tasks`: also each task that came and went. `ventas.console` has the specification's lines of
    each sale: for people, so not in JSON."""
    if is_json:
        console = {"handlers": [], "level": "CRITICAL", "propagate": False}
    else:
        console = {"handlers": ["bare"], "propagate": False}
    quiet = () if tasks else TOLD_ALREADY if is_json else (*TOLD_ALREADY, "celery.beat")
    told_already = {name: {"handlers": [], "level": "WARNING", "propagate": True} for name in quiet}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": line_formatter, "stream": stream, "is_json": is_json},
            "bare": {"format": "%(message)s"},
        },
        "filters": {"with_traceback": {"()": OnlyWithTraceback}},
        "handlers": {
            "line": {"class": "logging.StreamHandler", "stream": stream, "formatter": "line"},
            "bare": {"class": "logging.StreamHandler", "stream": stream, "formatter": "bare"},
        },
        "root": {"handlers": ["line"], "level": level},
        "loggers": {
            "axes": {"level": "WARNING"},
            "django": {"handlers": [], "propagate": True},
            "django.request": {"filters": ["with_traceback"]},
            "ventas.console": console,
            **{name: {"level": "INFO"} for name in NEVER_IN_DETAIL},
            **told_already,
        },
    }


class OnlyWithTraceback(logging.Filter):
    """Django says of each refused request that it was refused; the line of the request says so too."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record brings something that the request's line does not."""
        return bool(record.exc_info)


def line_formatter(*, stream: TextIO = sys.stdout, is_json: bool | None = None) -> ProcessorFormatter:
    """Records of Python's logging as structlog writes its own; `extra` becomes fields.

    granian's own process, which knows no settings, calls it without arguments (granian_logs.json).
    """
    if is_json is None:
        is_json = os.environ.get("LOG_FORMAT", JSON) == JSON
    return ProcessorFormatter(
        foreign_pre_chain=[
            LEVEL,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            _forget_extras,
            TIME,
        ],
        processors=[ProcessorFormatter.remove_processors_meta, *_finish(stream, is_json=is_json)],
    )


def _forget_extras(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Django hands over the request, whose text has the query; Celery what a task was called with. What Django refused
    on sight needs no traceback."""
    event.pop("request", None)
    event.pop("data", None)
    if str(event.get("logger")).startswith(SECURITY):
        event.pop("exc_info", None)
    return event


def _finish(stream: TextIO, *, is_json: bool) -> list[Processor]:
    if is_json:
        return [_traceback, structlog.processors.JSONRenderer(_dumps)]
    renderer = structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )
    return [_traceback, _in_lines, renderer]


def _traceback(logger: Any, method: str, event: EventDict) -> EventDict:
    """structlog's own, in which PostgreSQL quotes no row."""
    found = event.get("exc_info")
    if not found:
        return event
    error = found[1] if isinstance(found, tuple) else found if isinstance(found, BaseException) else sys.exception()
    event = structlog.processors.format_exc_info(logger, method, event)
    for name in {"event", "exception"} & event.keys():
        event[name] = without_values(str(event[name]), error)
    return event


def _in_lines(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Whatever a field says, it makes no line of its own, and nothing that a terminal obeys; a traceback is indented,
    so that none of its lines can be taken for one of ours."""
    exception = event.pop("exception", None)
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = in_one_line(value)
    if exception is not None:
        event["exception"] = "\n".join(f"  {in_one_line(line)}" for line in str(exception).splitlines())
    return event


def _dumps(value: Any, **options: Any) -> str:
    """What is no Unicode, as half of a pair of surrogates, comes out escaped instead of not at all."""
    try:
        return orjson.dumps(value, **options).decode()
    except TypeError:
        return json.dumps(value, **options)
