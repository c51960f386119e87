"""What the documents tell somebody to type: it does what they say, and every setting is in one of them."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from scripts.guarded import guarded_command
from scripts.processes import PYTHON, ROOT
from tests.conftest import SERVICES
from tests.pipeline.rabbit import FAILED, SALES, VirtualHost

EXAMPLE = ROOT / ".env.example"
RUNBOOK = ROOT / "docs" / "operations.md"
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", EXAMPLE, *(ROOT / "docs").glob("*.md")])
ASKED_FOR = re.compile(r'(?:\benv\.\w+\(|\benviron(?:\.get\(|\[))\s*"([A-Z_]+)"')
ITS_OWN_PROGRAMS = {"PLAYWRIGHT_BROWSERS_PATH"}
OPEN_ADDRESSES = re.compile(r"^#?[A-Z_]+=[a-z]+://\S*;", re.MULTILINE)
BARE_PYTHON = re.compile(r"(?<![/\w])python3? -m (?:bench|tests|scripts|celery)")
PART = """
import os, time
os.write(1, b"%s %d\\n" % (b"main" if os.fork() else b"child", os.getpid()))
time.sleep(60)
"""
STOCK = [
    ("redis://:p@host:6379/0", "redis://default:p@host:6379/0"),
    ("redis://user:p@host:6379/0", "redis://user:p@host:6379/0"),
    ("rediss://:p@host:6379/0", "rediss://default:p@host:6379/0"),
    ("rediscluster://:p@one:6379,two:6379", "redis://default:p@one:6379"),
    ("redisclusters://user:p@one:6379,two:6379", "rediss://user:p@one:6379"),
]


def typed(what: str, *, settings: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """It, in a shell that has been told the runbook's own commands."""
    text = RUNBOOK.read_text()
    ours = text[text.index("\nr() {") : text.index('\npsql "$DATABASE_URL"')]
    line = ["bash", "-c", f"{ours}\n{what}"]
    environment = {"PATH": os.environ["PATH"], **settings}
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("url", "asked"), STOCK)
def test_the_runbook_asks_redis_by_an_address_that_redis_cli_takes(tmp_path: Path, url: str, asked: str) -> None:
    program = tmp_path / "redis-cli"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)

    done = typed("r FLUSHALL", settings={"PATH": f"{tmp_path}:{os.environ['PATH']}", "REDIS_URL": url})

    assert done.stdout.split() == ["--no-auth-warning", "-c", "-u", asked, "FLUSHALL"]


def test_the_runbook_shows_the_queues_of_the_first_broker_that_is_named() -> None:
    first = SERVICES.rabbit.management_url
    host = VirtualHost(rabbit=SERVICES.rabbit, name="documents")
    host.create()
    try:
        host.declare()
        for address in (first, f"{first};http://127.0.0.1:9"):
            done = typed("colas", settings={"RABBITMQ_MANAGEMENT_URL": address})
            assert (done.returncode, done.stderr) == (0, "")
            assert {SALES, FAILED} <= {line.split()[0] for line in done.stdout.splitlines()}
    finally:
        host.delete()


def test_the_runbook_says_why_it_shows_no_queues() -> None:
    unnamed = typed("colas", settings={})
    assert "RABBITMQ_MANAGEMENT_URL" in unnamed.stderr
    stranger = f"http://a:b@127.0.0.1:{SERVICES.rabbit.management_port}"
    refused = typed("colas", settings={"RABBITMQ_MANAGEMENT_URL": stranger})
    assert "not_authorized" in refused.stderr
    away = typed("colas", settings={"RABBITMQ_MANAGEMENT_URL": "http://127.0.0.1:9"})
    assert "connect" in away.stderr
    for done in (unnamed, refused, away):
        assert "Traceback" not in done.stderr
        assert done.stdout == ""


def test_the_runbook_finds_a_part_once_and_not_what_guards_it(tmp_path: Path) -> None:
    part = f"part_of_{os.getpid()}"
    (tmp_path / f"{part}.py").write_text(PART)
    command = guarded_command([PYTHON, "-m", part, "queue.of.tests"])
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as guard:
        try:
            assert guard.stdout
            started = [guard.stdout.readline().split() for _ in range(2)]
            main, child = [int(pid) for role in ("main", "child") for name, pid in started if name == role]
            done = typed(f"corre '{part}.*queue.of.tests'", settings={})
        finally:
            guard.terminate()

    assert main != child
    assert [int(line.split()[0]) for line in done.stdout.splitlines()] == [main]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_nothing_is_typed_that_fails_quietly(path: Path) -> None:
    text = path.read_text()
    assert 'redis-cli -u "$REDIS_URL"' not in text, "FLUSHALL then does nothing, and ends with 0: the runbook's r"
    assert BARE_PYTHON.findall(text) == [], "the system's python has none of it: .venv/bin/python"
    assert OPEN_ADDRESSES.findall(text) == [], "a shell ends the command at the semicolon: 'single quotes'"


@pytest.mark.parametrize("path", ["blend_pos/settings.py", "scripts/binaries.py"])
def test_every_setting_is_in_a_document(path: str) -> None:
    asked = set(ASKED_FOR.findall((ROOT / path).read_text())) - ITS_OWN_PROGRAMS
    told = "".join(document.read_text() for document in DOCUMENTS)
    assert len(asked) > 4
    assert {name for name in asked if not re.search(rf"\b{name}\b", told)} == set()
