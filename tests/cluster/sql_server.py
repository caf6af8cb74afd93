"""A server started by its job, as a client of it sees it; shared by tests and by the load script."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impala.dbapi import connect

JOB = Path(__file__).parents[2] / "jobs" / "serve_sql.py"
_NESTED = ("ARRAY", "STRUCT", "MAP")


@dataclass(frozen=True)
class Served:
    """A running server: its process, the line it printed, its port, and where its log goes."""

    process: subprocess.Popen[str]
    ready: str
    port: int
    log: Path


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def served(root: Path, log: Path, *args: str, properties: str = "", seconds: float = 240) -> Iterator[Served]:
    """Start the job on a free port; wait for its line; end it with SIGTERM unless it has ended."""
    port = free_port()
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, str(JOB), "--root", str(root), "--port", str(port), *args],
            stdout=subprocess.PIPE, stderr=file, text=True, env={**os.environ, "SPARK_SUBMIT_OPTS": properties},
        )  # fmt: skip
    assert process.stdout is not None
    try:
        readable, _, _ = select.select([process.stdout], [], [], seconds)
        ready = process.stdout.readline() if readable else ""
        assert ready, log.read_text()[-3000:]
        yield Served(process, ready, port, log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(90)
        process.stdout.close()


def client(port: int, user: str = "analyst", password: str = "any", database: str = "nightjar") -> Any:
    """Connect over the wire as a DBAPI client does."""
    return connect(host="127.0.0.1", port=port, auth_mechanism="PLAIN", user=user, password=password, database=database)


def ask(connection: Any, sql: str) -> list[list[Any]]:
    """Return the rows of a statement; arrays, structs and maps arrive as JSON and are read as such."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql)
        nested = [column[1] in _NESTED for column in cursor.description]
        return [[_value(v, n) for v, n in zip(row, nested, strict=True)] for row in cursor.fetchall()]
    finally:
        cursor.close()


def _value(value: Any, nested: bool) -> Any:
    if value is None or not nested:
        return value
    return _plain(json.loads(value))


def _plain(value: Any) -> Any:
    """Structs as the lists of their values, as rows of a session are."""
    if isinstance(value, dict):
        return [_plain(one) for one in value.values()]
    return [_plain(one) for one in value] if isinstance(value, list) else value


def wait_until(condition: Any, seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.3)
    return False


def lines(path: Path, words: Sequence[str]) -> list[str]:
    return [line for line in path.read_text().splitlines() if any(word in line for word in words)]
