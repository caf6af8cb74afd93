"""A server started by its job, and a client of it over the wire: for the load script and the tests."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impala.dbapi import connect

JOB = Path(__file__).parents[1] / "jobs" / "serve_sql.py"
_NESTED = ("ARRAY", "STRUCT", "MAP")


@dataclass(frozen=True)
class Served:
    """A running server: its process, the line it printed, its port, and where its log goes."""

    process: subprocess.Popen[str]
    ready: str
    port: int
    log: Path


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def served(root: Path, log: Path, *args: str, java_options: str = "", seconds: float = 300) -> Iterator[Served]:
    """Start the job on a free port and wait for its line; end it with SIGTERM unless it has ended.

    Raises:
        RuntimeError: it printed no line; with the end of its log.
    """
    port = free_port()
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, str(JOB), "--root", str(root), "--port", str(port), *args],
            stdout=subprocess.PIPE, stderr=file, text=True, env={**os.environ, "SPARK_SUBMIT_OPTS": java_options},
        )  # fmt: skip
    assert process.stdout is not None
    try:
        readable, _, _ = select.select([process.stdout], [], [], seconds)
        ready = process.stdout.readline() if readable else ""
        if not ready:
            raise RuntimeError(f"the server is not ready after {seconds:.0f} s: {log.read_text()[-3000:]}")
        yield Served(process, ready, port, log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(90)
        process.stdout.close()


def running_jobs(ui_port: int) -> list[str]:
    """Return the names of the Spark jobs that run in a server, from Spark's own REST API.

    The server needs `spark.ui.enabled` and that `spark.ui.port`.
    """
    base = f"http://127.0.0.1:{ui_port}/api/v1/applications"
    with urllib.request.urlopen(base) as answer:
        application = json.load(answer)[0]["id"]
    with urllib.request.urlopen(f"{base}/{application}/jobs?status=running") as answer:
        return [job["name"] for job in json.load(answer)]


class Client:
    """One connection with one session, as a DBAPI client has it. (impyla opens a session for each cursor; here is one.)"""

    def __init__(self, port: int, user: str = "analyst", password: str = "any", database: str = "nightjar") -> None:
        self._connection = connect(
            host="127.0.0.1", port=port, auth_mechanism="PLAIN", user=user, password=password, database=database
        )
        self._cursor = self._connection.cursor()

    def ask(self, sql: str) -> list[list[Any]]:
        """Return the rows of a statement. Arrays, structs and maps arrive as JSON; structs become lists."""
        self.run(sql)
        nested = [column[1] in _NESTED for column in self._cursor.description]
        return [[_read(v) if n else v for v, n in zip(row, nested, strict=True)] for row in self._cursor.fetchall()]

    def run(self, sql: str) -> None:
        """Run a statement without rows, such as USE: Spark announces a column and sends none, at which impyla stumbles."""
        self._cursor.execute(sql)

    def close(self) -> None:
        """End the session, then the connection."""
        self._cursor.close()
        self._connection.close()

    def drop_while_asking(self, sql: str, after_sec: float = 0.0) -> None:
        """Start a statement and cut the connection, as happens when a client is killed."""
        self._cursor.execute_async(sql)
        time.sleep(after_sec)
        self._connection.close()  # the transport alone; the session stays open on the server


def _read(value: str | bytes | None) -> Any:
    return None if value is None else _listed(json.loads(value))


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return [_listed(one) for one in value.values()]
    return [_listed(one) for one in value] if isinstance(value, list) else value
