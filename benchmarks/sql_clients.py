"""Many clients of jobs/serve_sql.py at once: errors, answers that differ from a single client's, latency, memory.

    python -m benchmarks.sql_clients --root out/warehouse --clients 16 --seconds 300 --out out/sql_clients.json

The server runs on two cores with the default models. Each client asks statements of MIXED in random order, opens a new connection
after every 5, and compares each answer with the one that a single client got before. One statement in ten scores a text that
was never seen. Every third connection of a client is cut in the moment in which a long statement starts; at the end none may run.
Memory: benchmarks/sql_memory.py; half-way all clients stop, so that the live heap can be read. The heap is committed and touched
from the start, so that what grows of the JVM is not the heap.
"""

import argparse
import itertools
import json
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

from benchmarks.sql_memory import MemoryLog, live_heap, shown
from benchmarks.sql_wire import Client, Served, free_port, running_jobs, served
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
_LEFT_SEC = 30
"""After which a statement whose client has gone must not run any more."""
_HEAP = "-Xms2g -XX:+AlwaysPreTouch"


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


def one_client(number: int, port: int, until: float, serial: dict[str, Any], seen: Seen, turns: int) -> None:
    """Ask until the time is over; `turns` is the number of the first turn, in which new texts differ from earlier ones."""
    order = random.Random(number + turns)
    for turn in itertools.count(turns):
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


def measure(server: Served, ui_port: int, clients: int, seconds: float) -> dict[str, Any]:
    """Let the clients run; return what they saw."""
    one = Client(server.port)
    serial = {name: one.ask(sql) for name, sql in MIXED.items()}
    one.close()
    seen, memory, started = Seen(), MemoryLog(server.process.pid), time.monotonic()
    memory.start()
    heap, left = [live_heap(server.process.pid).mib], 0
    for half in range(2):
        _load(server, clients, time.monotonic() + seconds / 2, serial, seen, turns=half * 10_000)
        left += _jobs_left(ui_port)
        heap.append(live_heap(server.process.pid).mib)
    trends = memory.end()
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
        "memory": shown(trends),
        "memory_samples": memory.samples,
        "live_heap_mib": dict(zip(("before", "after_half", "after"), heap, strict=True)),
        "jobs_left": left,
    }


def _load(server: Served, clients: int, until: float, serial: dict[str, Any], seen: Seen, turns: int) -> None:
    threads = [
        threading.Thread(target=one_client, args=(n, server.port, until, serial, seen, turns)) for n in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _jobs_left(ui_port: int) -> int:
    deadline = time.monotonic() + _LEFT_SEC
    while (left := len(running_jobs(ui_port))) and time.monotonic() < deadline:
        time.sleep(1)
    return left


def _latency(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "n": len(ordered),
        "median": round(statistics.median(ordered), 3),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 3),
        "max": round(ordered[-1], 3),
    }


def main(argv: Sequence[str]) -> int:
    """Start the server, load it, stop it, write the figures; 1 for errors, other answers, memory that grows, jobs left."""
    parser = argparse.ArgumentParser(prog="benchmarks.sql_clients", description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="output.root of the nightly job")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "server.yaml"
        ui_port = free_port()
        cache = f"cache: {{folder: {folder}/cache}}"
        properties = f"{{spark.master: 'local[2]', spark.ui.enabled: 'true', spark.ui.port: '{ui_port}'}}"
        config.write_text(f"model: {{device: cpu}}\n{cache}\nspark: {properties}\n", encoding="utf-8")
        log, options = Path(folder) / "log", ("--functions-config", str(config))
        with served(args.root, log, *options, java_options=_HEAP) as server:
            found = measure(server, ui_port, args.clients, args.seconds)
        found["exit_code"] = server.process.returncode
        found["health"] = [
            line
            for line in server.log.read_text().splitlines()
            if any(word in line for word in ("health", "abandoned", "stopping"))
        ]
    write_json(args.out, {"machine": machine(), "versions": versions(), **found})
    print(json.dumps({key: value for key, value in found.items() if key != "memory_samples"}, indent=1))
    heap = found["live_heap_mib"]
    grew = [name for name in ("heap",) if heap["after"] > 1.1 * heap["after_half"]]
    grew += [name for name, one in found["memory"].items() if not one["flat"]]
    wrong = ("errors", "answers_that_differ", "jobs_left", "exit_code")
    return int(bool(grew) or any(found[key] for key in wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
