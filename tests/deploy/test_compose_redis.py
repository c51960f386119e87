"""docker-compose.yml's Redis: what it is told, and by which way its password comes."""

import os
import subprocess
from pathlib import Path

from redis import Redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from scripts import binaries
from scripts.ports import LOOPBACK, free_port
from tests.deploy.compose import document

REDIS = document()["services"]["redis"]


def test_redis_keeps_what_was_promised() -> None:
    program, *words = REDIS["command"]
    options = dict(zip(words[::2], words[1::2], strict=True))
    assert program == "redis-server"
    assert options == {
        "--appendonly": "yes",
        "--appendfsync": "everysec",
        "--save": "",
        "--maxmemory": "${REDIS_MAXMEMORY:-256mb}",
        "--maxmemory-policy": "noeviction",
    }


def test_redis_takes_its_password_from_its_environment(tmp_path: Path) -> None:
    assert REDIS["environment"]["REDISCLI_AUTH"].startswith("${REDIS_PASSWORD:?")
    words = [word.replace("$$", "$") for word in REDIS["entrypoint"]]
    image = tmp_path / "docker-entrypoint.sh"
    image.write_text('#!/bin/sh\nexec "$@"\n')  # the image's own also changes to the user redis
    image.chmod(0o755)
    port = free_port()
    ours = [str(binaries.redis_server()), "--bind", LOOPBACK, "--port", str(port), "--dir", str(tmp_path)]
    path = f"{tmp_path}:{os.environ['PATH']}"

    told = {"PATH": path, "REDISCLI_AUTH": "p w"}

    with subprocess.Popen([*words, *ours], env=told, stdout=subprocess.PIPE) as server:
        try:
            client = Redis(host=LOOPBACK, port=port, password="p w", retry=Retry(ConstantBackoff(0.1), 50))
            assert client.ping()
            assert client.config_get("requirepass") == {"requirepass": "p w"}
            assert b"p w" not in Path(f"/proc/{server.pid}/cmdline").read_bytes()
            client.close()
        finally:
            server.terminate()
    without = subprocess.run([*words, "true"], env={"PATH": path}, capture_output=True, text=True, check=False)
    assert without.returncode != 0, "no password, no Redis"
    assert "REDISCLI_AUTH" in without.stderr
