"""The engine against what one would use instead, Parquet to Parquet on the same texts and cores, in alternating turns.

    make bench
    python -m benchmarks.engine --rows 10000 --repeats 3 --modes exact fast \\
        --data sentiment/airline_tweets/train.parquet topics/ag_news stream/reddit_posts --out out/bench-engine.json

Every turn is a process of its own (`benchmarks.turns`): imports, model load, reading, embedding and writing count for
everyone, the start of the interpreter and of Spark's JVM for no one. The peers run sentence-transformers, float32, 256 tokens
at most, in the environment that `make bench` makes from `benchmarks/peers.txt`. The figure to quote is the median of the ratios
pair by pair. Each of `--data` gives an equal share of the texts; without it the sample corpus is made and used.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from benchmarks.corpora import add_arguments, keyed, prepare, write_texts
from benchmarks.models import add_model_arguments
from benchmarks.summary import cosines, machine, pair_ratios, table, write_json
from benchmarks.turns import CORES
from pipeline.model_lock import load_lock
from udfs.models.files import locate

ROOT = Path(__file__).parents[1]
WARM_ROWS = 32
"""Texts of a first turn that is not counted: files come into memory, the engine's self-test chooses a runtime."""
PEER_MODEL = "all-MiniLM-L6-v2"
REFERENCE = "alone"
PEERS = {
    "pandas_udf": "sentence-transformers in an iterator pandas UDF",
    "predict_batch": "sentence-transformers in predict_batch_udf",
    "daft_embed": "Daft embed_text",
    "alone": "sentence-transformers alone",
}


@dataclass(frozen=True)
class Contender:
    """Who takes a turn: a name, what the table calls it, the interpreter, the module and its own arguments."""

    name: str
    title: str
    python: str
    module: str
    arguments: tuple[str, ...] = ()

    def run(self, texts: Path, model: Path, folder: Path) -> dict[str, Any]:
        """Take one turn; return its report.

        Raises:
            RuntimeError: it failed, with the end of what it said.
        """
        out, report = folder / self.name, folder / f"{self.name}.json"
        shutil.rmtree(out, ignore_errors=True)
        given = ["--texts", texts, "--model", model, "--out", out, "--report", report, *self.arguments]
        command = [self.python, "-m", f"benchmarks.turns.{self.module}", *map(str, given)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(
                f"{self.name} failed with {done.returncode}:\n{done.stdout[-1000:]}{done.stderr[-3000:]}"
            )
        return dict(json.loads(report.read_text(encoding="utf-8")))


def contenders(args: argparse.Namespace) -> list[Contender]:
    """Return everyone who takes turns: the engine in each mode, then the peers."""
    models = ("--embedding", args.embedding, "--sentiment", args.sentiment)
    own = [
        Contender(f"engine-{mode}", f"engine, {mode}", sys.executable, "engine", (*models, "--mode", mode))
        for mode in args.modes
    ]
    # not resolved: the link is what makes it the environment's interpreter
    python = str(Path(args.peers_python).absolute())
    return own + [Contender(name, PEERS[name], python, name) for name in args.peers]


def main(argv: Sequence[str]) -> int:
    """Measure and report."""
    args = parse(argv)
    everyone = contenders(args)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        n = prepare(args.data, args.rows, folder / "texts", args.column)
        texts = folder / "texts" / "texts.parquet"
        model = locate(load_lock(None)[PEER_MODEL]["source"])
        reports: dict[str, list[dict[str, Any]]] = {c.name: [] for c in everyone}
        few = write_texts(keyed(pq.read_table(texts))[:WARM_ROWS], folder / "few")
        for contender in everyone:
            contender.run(few, Path(str(model)), folder)
        for turn in range(args.repeats):
            for contender in everyone:
                reports[contender.name].append(contender.run(texts, Path(str(model)), folder))
                seconds = reports[contender.name][-1]["seconds"]
                print(
                    f"turn {turn + 1}: {contender.title:<48} {seconds:8.1f} s {n / seconds:10,.1f} rows/s", flush=True
                )
        near = {
            c.name: cosines(folder / c.name, folder / REFERENCE) if REFERENCE in reports else None for c in everyone
        }
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "texts": n,
        "data": ["/".join(p.parts[-2:]) for p in args.data] or ["sample corpus"],
        "cores": CORES,
        "embedding": args.embedding,
        "sentiment": args.sentiment,
        "peer_model": PEER_MODEL,
        "machine": machine(),
        "versions": {c.name: reports[c.name][0]["versions"] for c in everyone},
        "runtimes": {c.name: [r.get("runtime"), r.get("precision")] for c in everyone for r in reports[c.name][-1:]},
        **summary(n, {c.name: [r["seconds"] for r in reports[c.name]] for c in everyone}, near),
    }
    write_json(args.out, result)
    print("\n" + markdown(result, {c.name: c.title for c in everyone}))
    return 0


def summary(
    n: int, seconds: Mapping[str, Sequence[float]], near: Mapping[str, tuple[float, float] | None]
) -> dict[str, Any]:
    """Return medians, the ratios of each of the engine's modes to each peer turn by turn, and the cosines to the reference.

    The best peer is the one with the highest median rate; `over_best_peer` is the median of the ratios to it.
    """
    modes = [name for name in seconds if name.startswith("engine-")]
    peers = [name for name in seconds if name not in modes]
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ratios = {mode: {peer: pair_ratios(seconds[peer], seconds[mode]) for peer in peers} for mode in modes}
    best = min(peers, key=lambda name: medians[name]) if peers else None
    return {
        "seconds": {name: [round(s, 2) for s in values] for name, values in seconds.items()},
        "rows_per_s_median": {name: round(n / s, 1) for name, s in medians.items()},
        "ratios": {m: {p: [round(r, 3) for r in values] for p, values in row.items()} for m, row in ratios.items()},
        "median_ratio": {m: {p: round(statistics.median(v), 3) for p, v in row.items()} for m, row in ratios.items()},
        "best_peer": best,
        "over_best_peer": {m: round(statistics.median(ratios[m][best]), 3) for m in modes} if best else {},
        "cosine_min": {name: c[0] if c else None for name, c in near.items()},
        "cosine_mean": {name: c[1] if c else None for name, c in near.items()},
    }


def markdown(result: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """Return the result as a table for docs/performance.md."""
    rows = []
    for name, title in titles.items():
        low, mean = result["cosine_min"][name], result["cosine_mean"][name]
        rows.append(
            [
                title,
                ", ".join(f"{s:.1f}" for s in result["seconds"][name]),
                f"{result['rows_per_s_median'][name]:,.1f}",
                *[
                    f"{result['median_ratio'][m][name]:.2f}" if name in result["median_ratio"][m] else ""
                    for m in result["median_ratio"]
                ],
                f"{low:.6f}, {mean:.6f}" if low is not None else "",
            ]
        )
    headers = [
        "",
        "seconds per turn",
        "rows/s, median",
        *[f"{titles[m]} is x times as fast" for m in result["median_ratio"]],
    ]
    best = result["best_peer"]
    last = [f"{titles[m]}: {r:.2f}x the best peer ({titles[best]})" for m, r in result["over_best_peer"].items()]
    return "\n".join([table([*headers, "cosine to float32: min, mean"], rows), "", *last])


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    add_model_arguments(parser)
    parser.add_argument("--modes", nargs="+", default=["exact"], choices=("exact", "fast"))
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS))
    parser.add_argument(
        "--peers-python", default=".venv-peers/bin/python", help="interpreter of the peers' environment"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("out/bench-engine.json"))
    args = parser.parse_args(argv)
    if args.peers and not Path(args.peers_python).exists():
        parser.error(f"--peers-python {args.peers_python}: not there; `make peers` makes it")
    if args.repeats < 1 or args.rows < 1:
        parser.error("--repeats and --rows must be at least 1")
    return args


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
