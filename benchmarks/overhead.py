"""What Spark, Arrow, tokeniser and write cost over the bare engine, on the same texts and cores.

    python -m benchmarks.overhead --data topics/ag_news --rows 10000 --repeats 3 --modes exact fast --out out/overhead.json

Spark: from the Parquet file of texts to the score store, in a session whose workers have loaded the models. Bare: as many
processes as cores, one thread each, texts in memory; the whole engine, and the encoder alone. The models are loaded before every
clock starts.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.corpora import add_arguments, prepare
from benchmarks.engine import ROOT, Contender
from benchmarks.models import add_model_arguments
from benchmarks.summary import machine, pair_ratios, versions, write_json
from benchmarks.turns import CORES


def bare_seconds(texts: Path, folder: Path, arguments: Sequence[str]) -> dict[str, float]:
    """Run the bare engine on all cores; return the seconds of the slowest process, engine and encoder.

    Raises:
        RuntimeError: a process failed.
    """
    folder.mkdir(parents=True)
    command = [
        sys.executable,
        "-m",
        "benchmarks.turns.bare",
        "--texts",
        str(texts),
        "--folder",
        str(folder),
        *arguments,
    ]
    running = [subprocess.Popen([*command, "--share", str(share)], cwd=ROOT) for share in range(CORES)]
    codes = [process.wait() for process in running]
    if any(codes):
        raise RuntimeError("a bare engine failed; see above")
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("report-*.json")]
    return {name: max(report[name] for report in reports) for name in ("engine", "encoder")}


def measure(texts: Path, folder: Path, arguments: Sequence[str], repeats: int) -> dict[str, Any]:
    """Let Spark and the bare engine take turns; return seconds and overheads."""
    spark = Contender("spark", "engine in Spark", sys.executable, "engine", (*arguments, "--warm"))
    seconds: dict[str, list[float]] = {"spark": [], "engine": [], "encoder": []}
    for turn in range(repeats):
        report = spark.run(texts, folder, folder)
        seconds["spark"].append(report["seconds"])
        runtime = ("--runtime", report["runtime"], "--precision", report["precision"])
        for name, value in bare_seconds(texts, folder / f"bare-{turn}", (*arguments, *runtime)).items():
            seconds[name].append(value)
    return {
        "seconds": {name: [round(s, 2) for s in values] for name, values in seconds.items()},
        "over_engine": overhead(seconds["spark"], seconds["engine"]),
        "over_encoder": overhead(seconds["spark"], seconds["encoder"]),
    }


def overhead(whole: Sequence[float], part: Sequence[float]) -> float:
    """Return by which share `whole` takes longer than `part`: the median of the turns, 0.1 for a tenth longer."""
    return round(statistics.median(pair_ratios(whole, part)) - 1, 3)


def main(argv: Sequence[str]) -> int:
    """Measure each mode and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    add_model_arguments(parser)
    parser.add_argument("--modes", nargs="+", default=["exact"], choices=("exact", "fast"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(argv)
    result: dict[str, Any] = {"machine": machine(), "versions": versions(), "modes": {}}
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        result["texts"] = prepare(args.data, args.rows, folder / "texts", args.column)
        for mode in args.modes:
            given = ("--embedding", args.embedding, "--sentiment", args.sentiment, "--mode", mode)
            (folder / mode).mkdir()
            result["modes"][mode] = measure(folder / "texts" / "texts.parquet", folder / mode, given, args.repeats)
    if args.out:
        write_json(args.out, result)
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
