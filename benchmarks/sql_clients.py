"""Many clients of jobs/serve_sql.py at once: errors, answers that differ from a single client's, latency, memory.

    python -m benchmarks.sql_clients --root out/warehouse --clients 16 --seconds 300 --out out/sql_clients.json

The server runs on two cores with the default models. Each client asks statements of MIXED in random order, opens a new connection
after every 5, and compares each answer with the one that a single client got before. One statement in ten scores a text that
was never seen. Every third connection of a client is dropped in the middle of a statement. Memory is that of the JVM and of the
Python processes below the job (resident set; processes that were forked share pages, so that their sum counts some twice).
"""

import argparse
import itertools
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.sql_wire import Client, Served, served
from benchmarks.summary import machine, versions, write_json

MIXED = {
    "count": "SELECT count(*) FROM doc_scores",
    "trend": "SELECT event_date, sentiment, sum(n_docs) AS n FROM v_sentiment_trend GROUP BY ALL ORDER BY event_date, sentiment",
    "night": "SELECT source, sum(n_docs) AS n FROM sentiment_daily WHERE run_date = (SELECT max(run_date) FROM runs) "
    "GROUP BY source ORDER BY source NULLS LAST",
    "join": "SELECT d.sentiment, count(*) AS n FROM doc_scores d JOIN runs r ON d.run_id = r.run_id AND d.run_date = r.run_date "
    "GROUP BY d.sentiment ORDER BY d.sentiment NULLS LAST",
    "sentiment": "SELECT ai_analyze_sentiment('I am happy with this phone'), ai_analyze_sentiment('it broke at once')",
    "classify": "SELECT ai_classify('the parcel never arrived', array('delivery', 'billing', 'praise'))",
    "mask": "SELECT ai_mask('write to ana@example.org', array('email')), ai_language('Das ist ein kurzer deutscher Satz.')",
}
NEW_TEXT = "SELECT ai_analyze_sentiment('what a day, message {number} of {client}')"
LONG = "SELECT count(*) FROM range(1000000000000) WHERE id % 7 = 8"
_STATEMENTS_PER_CONNECTION, _DROPPED = 5, 3


@dataclass
class Seen:
    """What the clients saw, together."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in (*MIXED, "new text")})
    errors: Counter[str] = field(default_factory=Counter)
    different: int = 0
    dropped: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, seconds: float, is_equal: bool) -> None:
        """Count one answer."""
        with self.lock:
            self.seconds[name].append(seconds)
            self.different += not is_equal

    def fail(self, name: str, error: Exception) -> None:
        """Count one error."""
        with self.lock:
            self.errors[f"{name}: {type(error).__name__}: {str(error)[:200]}"] += 1


def one_client(number: int, port: int, until: float, serial: dict[str, Any], seen: Seen) -> None:
    """Ask until the time is over."""
    order = random.Random(number)
    for turn in itertools.count():
        if time.monotonic() >= until:
            return
        try:
            connection = Client(port)
        except Exception as error:
            seen.fail("connect", error)
            time.sleep(1)
            continue
        for k in range(_STATEMENTS_PER_CONNECTION):
            if time.monotonic() >= until:
                break
            is_new = order.random() < 0.1
            name = "new text" if is_new else order.choice(list(MIXED))
            sql = (
                NEW_TEXT.format(number=turn * _STATEMENTS_PER_CONNECTION + k, client=number) if is_new else MIXED[name]
            )
            started = time.monotonic()
            try:
                answer = connection.ask(sql)
            except Exception as error:
                seen.fail(name, error)
                break
            equal = answer[0][0] in ("positive", "negative", "neutral") if is_new else answer == serial[name]
            seen.add(name, time.monotonic() - started, equal)
        if turn % _DROPPED == _DROPPED - 1:
            connection.drop_while_asking(LONG)
            with seen.lock:
                seen.dropped += 1
        else:
            connection.close()


def memory(pid: int) -> dict[str, float]:
    """Return MiB resident of the job, its JVM and its Python workers, and how many workers there are."""
    below, queue = [], [pid]
    parents: dict[int, list[int]] = {}
    for entry in filter(str.isdecimal, os.listdir("/proc")):
        try:
            stat = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(stat[1]), []).append(int(entry))
    while queue:
        children = parents.get(queue.pop(), [])
        below += children
        queue += children
    sizes = {p: _resident(p) for p in (pid, *below)}
    names = {p: _name(p) for p in below}
    workers = [p for p in below if names[p].startswith("python")]
    return {
        "job": round(sizes[pid]),
        "jvm": round(sum(sizes[p] for p in below if names[p] == "java")),
        "workers": round(sum(sizes[p] for p in workers)),
        "n_workers": len(workers),
    }


def _resident(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return 0.0


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def measure(server: Served, clients: int, seconds: float) -> dict[str, Any]:
    """Let the clients run; return what they saw."""
    one = Client(server.port)
    serial = {name: one.ask(sql) for name, sql in MIXED.items()}
    one.close()
    seen, started = Seen(), time.monotonic()
    sizes = [{"at": 0, **memory(server.process.pid)}]
    threads = [
        threading.Thread(target=one_client, args=(n, server.port, started + seconds, serial, seen))
        for n in range(clients)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(min(15, seconds / 4))
        sizes.append({"at": round(time.monotonic() - started), **memory(server.process.pid)})
    asked = sum(len(values) for values in seen.seconds.values())
    return {
        "clients": clients,
        "seconds": round(time.monotonic() - started),
        "statements": asked,
        "per_second": round(asked / seconds, 2),
        "errors": dict(seen.errors),
        "answers_that_differ": seen.different,
        "connections_dropped": seen.dropped,
        "latency_sec": {name: _latency(values) for name, values in seen.seconds.items() if values},
        "memory_mib": sizes,
    }


def _latency(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "n": len(ordered),
        "median": round(statistics.median(ordered), 3),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 3),
        "max": round(ordered[-1], 3),
    }


def main(argv: Sequence[str]) -> int:
    """Start the server, load it, stop it, write the figures; 1 if there was an error or an answer differed."""
    parser = argparse.ArgumentParser(prog="benchmarks.sql_clients", description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="output.root of the nightly job")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "server.yaml"
        cache = f"cache: {{folder: {folder}/cache}}"
        config.write_text(f"model: {{device: cpu}}\n{cache}\nspark: {{spark.master: 'local[2]'}}\n", encoding="utf-8")
        with served(args.root, Path(folder) / "log", "--functions-config", str(config)) as server:
            found = measure(server, args.clients, args.seconds)
        found["exit_code"] = server.process.returncode
        found["health"] = [
            line for line in server.log.read_text().splitlines() if "health" in line or "stopping" in line
        ]
    write_json(args.out, {"machine": machine(), "versions": versions(), **found})
    print({key: value for key, value in found.items() if key != "health"})
    return int(bool(found["errors"]) or found["answers_that_differ"] > 0 or found["exit_code"] != 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
