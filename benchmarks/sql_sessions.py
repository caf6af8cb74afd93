"""What connections to jobs/serve_sql.py that have ended leave in the heap of its JVM. Linux, and a JDK (for `jcmd`).

    python -m benchmarks.sql_sessions --root out/warehouse --connections 100 --rounds 6
    python -m benchmarks.sql_sessions … --property spark.hadoop.hive.server2.async.exec.keepalive.time=10s    # Hive's default

Each round opens and ends as many connections, four at a time, each with the statements of ASKED; every third is cut without the
end of its session. After each round: live heap and sessions in it, at once and after a rest. The static models. The growth is the
slope of a line through all rounds but the first, in MiB for 100 connections.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.sql_memory import live_heap
from benchmarks.sql_wire import Client, Served, served
from benchmarks.summary import machine, versions, write_json

ASKED = (
    "SELECT count(*) FROM doc_scores",
    "SELECT d.sentiment, count(*) AS n FROM doc_scores d JOIN runs r ON d.run_id = r.run_id GROUP BY d.sentiment",
    "SELECT ai_analyze_sentiment('I am happy with this phone')",
)
_AT_A_TIME, _CUT, _REST_SEC = 4, 3, 15
_MODELS = "model: {embedding: static-en, sentiment: sentiment-en-static, device: cpu}\n"


def connect_and_end(port: int, number: int) -> None:
    """Open a connection, ask, end it."""
    client = Client(port)
    for sql in ASKED:
        client.ask(sql)
    if number % _CUT:
        client.close()
    else:
        client.drop_while_asking(ASKED[0])


def measure(server: Served, connections: int, rounds: int) -> list[dict[str, Any]]:
    """Return live heap and sessions after each round."""
    found = []
    for number in range(rounds):
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            list(pool.map(lambda n: connect_and_end(server.port, n), range(connections)))
        at_once = live_heap(server.process.pid)
        time.sleep(_REST_SEC)
        rested = live_heap(server.process.pid)
        found.append({"connections": (number + 1) * connections, "at_once": vars(at_once), "rested": vars(rested)})
        print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    return found


def growth(found: Sequence[dict[str, Any]], when: str) -> float:
    """Return MiB for 100 connections after the first round."""
    later = found[1:]
    line = statistics.linear_regression([one["connections"] for one in later], [one[when]["mib"] for one in later])
    return round(line.slope * 100, 2)


def main(argv: Sequence[str]) -> int:
    """Start the server, connect, stop it, write the figures."""
    parser = argparse.ArgumentParser(prog="benchmarks.sql_sessions", description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="output.root of the nightly job")
    parser.add_argument("--connections", type=int, default=100, help="of a round")
    parser.add_argument("--rounds", type=int, default=6, help="three or more")
    parser.add_argument("--property", action="append", default=[], metavar="KEY=VALUE", help="of Spark, for the server")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(argv)
    properties = {"spark.master": "local[2]", **dict(one.split("=", 1) for one in args.property)}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "server.yaml"
        config.write_text(
            f"{_MODELS}cache: {{folder: {folder}/cache}}\nspark: {json.dumps(properties)}\n", encoding="utf-8"
        )
        with served(args.root, Path(folder) / "log", "--functions-config", str(config)) as server:
            found = measure(server, args.connections, args.rounds)
    slopes = {f"mib_per_100_{when}": growth(found, when) for when in ("at_once", "rested")}
    result = {"machine": machine(), "versions": versions(), "properties": properties, "rounds": found, **slopes}
    if args.out:
        write_json(args.out, result)
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
