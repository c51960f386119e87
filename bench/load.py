"""Two ways to load an address: wrk, as much as its connections bear; and so many requests a second, come what may."""

import asyncio
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from bench.stats import percentile
from scripts import binaries

SCRIPT = Path(__file__).with_name("carts.lua")
REPLY_S = 10
MARK = "BENCH "
ENOUGH = "ENOUGH\n"  # carts.lua says so; wrk itself would sleep on
PROMISED, TO_FOLLOW = 201, 202
RUN_BYTES = 4
DIGITS = 6  # hexadecimal, at a key's end: of the request's number, then of its cart's; carts.lua's keys end so, too


class LoadFailed(Exception):
    """The load could not be made. The message is what the program said."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it; CPU of who made the load.

    `run`: what the keys of its requests begin with. `followed`: of those accepted, how many were answered 202, not 201;
    None where that is not counted. Times in ms: at a fixed rate they count from when a request was due, and whoever was
    refused or not answered has waited REPLY_S; wrk's own count from when it sent, refusals too, and it adds what it
    thinks that it should have sent meanwhile.
    """

    connections: int
    requests: int
    refused: int
    broken: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_s: float
    followed: int | None = None
    run: str = ""

    @property
    def accepted(self) -> int:
        return self.requests - self.refused - self.broken

    @property
    def accepted_a_second(self) -> float:
        return self.accepted / self.seconds


@dataclass(frozen=True, slots=True)
class Target:
    """An address, and files with the tokens and the carts that are sent to it, a line each."""

    url: str
    tokens: Path
    carts: Path


Loader = Callable[[Target], Load]
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def closed(*, connections: int, seconds: int, seed: int, most: int = 0) -> Loader:
    """By wrk, each connection as soon as it is answered, for so long, or until `most` are answered where it is given.

    What it returns raises LoadFailed.
    """
    return partial(_closed, connections, seconds, seed, most)


def _closed(connections: int, seconds: int, seed: int, most: int, target: Target) -> Load:
    command = [str(binaries.wrk()), "--threads=1", f"--connections={connections}", f"--duration={seconds}s"]
    command += [f"--timeout={REPLY_S}s", f"--script={SCRIPT}", target.url, "--"]
    run = secrets.token_hex(RUN_BYTES)
    command += [str(target.tokens), str(target.carts), str(seed), run]
    before = os.times()
    environment = {**os.environ, "BENCH_ANSWERS": str(most)}
    said: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as running:
        for line in running.stdout or ():
            said.append(line)
            if line == ENOUGH:
                running.send_signal(signal.SIGINT)
    after = os.times()
    found = [line for line in said if line.startswith(MARK)]
    if running.returncode != 0 or not found:
        raise LoadFailed(f"wrk ended with {running.returncode}:\n{''.join(said)}")
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Load(**json.loads(found[0].removeprefix(MARK)), connections=connections, cpu_s=cpu_s, run=run)


@dataclass(slots=True)
class _Open:
    """An open loop under way: who is free takes the request that is due next."""

    target: Target
    rate: float
    tokens: Sequence[bytes]
    carts: Sequence[bytes]
    started: float
    ends: float
    run: str
    number: "count[int]" = field(default_factory=count)
    latencies_ms: list[float] = field(default_factory=list)
    followed: int = 0
    refused: int = 0
    broken: int = 0

    async def serve(self) -> None:
        """One connection, and another where that one breaks: what is due is asked, or counts as broken."""
        place = urlsplit(self.target.url)
        connection: Connection | None = None
        while (due := self.started + (number := next(self.number)) / self.rate) < self.ends:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            try:
                connection = connection or await asyncio.open_connection(place.hostname, place.port)
                reader, writer = connection
                writer.write(self._request(place.path, number))
                status = await asyncio.wait_for(_read_reply(reader), REPLY_S)
            except (OSError, asyncio.IncompleteReadError):
                self.broken += 1
                _hang_up(connection)
                connection, status = None, 0
            waited = time.perf_counter() - due if status in (PROMISED, TO_FOLLOW) else REPLY_S
            self.latencies_ms.append(waited * 1000)
            self.followed += status == TO_FOLLOW
            self.refused += status not in (0, PROMISED, TO_FOLLOW)
        _hang_up(connection)

    def _request(self, path: str, number: int) -> bytes:
        place = number % len(self.carts)
        cart = self.carts[place]
        key = f"{self.run}-{secrets.token_hex(2)}-4000-8000-{end_of_key(number, place)}"
        return (
            b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
            b"Idempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s"
            % (path.encode(), self.tokens[number % len(self.tokens)], key.encode(), len(cart), cart)
        )


def end_of_key(number: int, cart: int) -> str:
    """Its last twelve digits."""
    return f"{number:0{DIGITS}x}{cart:0{DIGITS}x}"


def fixed_rate(*, rate: float, connections: int, seconds: float) -> Loader:
    """So many requests a second; one that is late because all connections are busy counts from when it was due."""
    return partial(_fixed_rate, rate, connections, seconds)


def _fixed_rate(rate: float, connections: int, seconds: float, target: Target) -> Load:
    before, started = time.process_time(), time.perf_counter()
    run = _Open(
        target,
        rate,
        target.tokens.read_bytes().splitlines(),
        target.carts.read_bytes().splitlines(),
        started,
        started + seconds,
        secrets.token_hex(RUN_BYTES),
    )

    async def all_of_them() -> None:
        await asyncio.gather(*(run.serve() for _ in range(connections)))

    asyncio.run(all_of_them())
    ordered = sorted(run.latencies_ms)
    if not ordered:
        raise LoadFailed(f"{target.url} answered nothing at {rate:g} a second")
    return Load(
        connections=connections,
        requests=len(ordered),
        refused=run.refused,
        broken=run.broken,
        seconds=time.perf_counter() - started,
        p50_ms=percentile(ordered, 0.50),
        p95_ms=percentile(ordered, 0.95),
        p99_ms=percentile(ordered, 0.99),
        cpu_s=time.process_time() - before,
        followed=run.followed,
        run=run.run,
    )


def _hang_up(connection: "Connection | None") -> None:
    if connection is not None:
        connection[1].close()


async def _read_reply(reader: asyncio.StreamReader) -> int:
    """The status of one reply; its body is read, and forgotten."""
    head = await reader.readuntil(b"\r\n\r\n")
    status, length = int(head[9:12]), 0
    for line in head.split(b"\r\n")[1:]:
        name, _colon, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    await reader.readexactly(length)
    return status
