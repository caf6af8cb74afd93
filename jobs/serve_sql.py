"""Serve the published tables and the AI functions to any JDBC or ODBC client, until SIGINT or SIGTERM.

    python jobs/serve_sql.py --root out/warehouse
    python jobs/serve_sql.py --root /srv/nightjar --functions-config server.yaml --host 0.0.0.0 --connect-port 15002

When it is ready it prints one line, such as `ready: jdbc:hive2://127.0.0.1:10000/nightjar, 31 tables, 20 functions`; every minute
a line of health goes to the log. How to connect, and what authentication there is: docs/bi.md.

Exit codes: 0 stopped by a signal, 2 usage or configuration, 3 the server failed.
"""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from pipeline.command import report
from pipeline.progress import configure_logging
from pipeline.serving import Address, open_server
from pipeline.sql.defaults import config_for


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; argparse exits with 2 on a usage error."""
    parser = argparse.ArgumentParser(
        prog="serve_sql.py", description="Serve the published tables and the AI functions over JDBC."
    )
    parser.add_argument("--root", required=True, type=Path, metavar="DIR", help="output.root of the nightly job")
    parser.add_argument(
        "--functions-config", type=Path, metavar="YAML", help="models, label sets, store, cache, and Spark properties"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="where to listen (default 127.0.0.1); others need authentication"
    )
    parser.add_argument("--port", type=_port, default=10000, help="of JDBC (default 10000)")
    parser.add_argument(
        "--connect-port", type=_port, metavar="PORT", help="serve Spark Connect too, at this port (customary: 15002)"
    )
    return parser.parse_args(argv)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give 1 to 65535")
    return int(text)


def serve(args: argparse.Namespace, stopping: threading.Event) -> None:
    """Serve until `stopping` is set."""
    config = config_for(args.root, args.functions_config)
    connect = Address(args.host, args.connect_port) if args.connect_port else None
    with open_server(args.root, config, Address(args.host, args.port), connect) as server:
        counts = f"{len(server.tables.names)} tables, {len(server.functions)} functions"
        print(f"ready: {server.url}, {counts}", flush=True)
        server.serve(stopping)


def main(argv: Sequence[str]) -> int:
    """Run the job; return its exit code."""
    args = parse(argv)
    configure_logging()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        serve(args, stopping)
    except BaseException as error:
        return report(error)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
