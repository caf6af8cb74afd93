"""The engine without Spark on a share of the texts, in memory and one thread: what Spark's overhead is measured against.

It loads, says so, and starts when the other processes have loaded too.
"""

import argparse
import json
import os
import time
from pathlib import Path

from benchmarks.turns import CORES

_PATIENCE_SEC = 120


def main() -> None:
    """Score the share; write seconds of the whole engine and of its encoder alone."""
    from benchmarks.models import add_model_arguments, add_runtime_arguments, spec_of, with_runtime

    parser = argparse.ArgumentParser(description=__doc__)
    add_model_arguments(parser)
    add_runtime_arguments(parser)
    parser.add_argument("--mode", default="exact")
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--share", type=int, required=True, help="which of the shares, from 0")
    parser.add_argument("--folder", type=Path, required=True, help="where the processes meet, and for the report")
    args = parser.parse_args()
    os.environ |= {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    import pyarrow.parquet as pq
    import torch

    from benchmarks.rates import chunks_of, encoder_rate, engine_rate
    from udfs.engine import Engine

    torch.set_num_threads(1)
    engine = Engine(with_runtime(spec_of(args, args.mode), args.runtime, args.precision))
    table = pq.read_table(args.texts)
    # the keys are hashes in order: every share has the same mix
    table = table.take(list(range(args.share, table.num_rows, CORES)))
    meet(args.folder, f"engine-{args.share}")
    whole, _ = engine_rate(engine, table, 0, 1)
    chunks = chunks_of(engine, table.column("text").to_pylist())
    meet(args.folder, f"encoder-{args.share}")
    alone = encoder_rate(engine, chunks, table.num_rows, 1)
    seconds = {"engine": whole.seconds, "encoder": alone.seconds}
    (args.folder / f"report-{args.share}.json").write_text(json.dumps(seconds), encoding="utf-8")


def meet(folder: Path, name: str) -> None:
    """Wait until every process has come here.

    Raises:
        TimeoutError: one did not come.
    """
    (folder / f"at-{name}").touch()
    deadline = time.monotonic() + _PATIENCE_SEC
    while len(list(folder.glob(f"at-{name.rpartition('-')[0]}-*"))) < CORES:
        if time.monotonic() > deadline:
            raise TimeoutError(f"another process did not reach {name} within {_PATIENCE_SEC} s")
        time.sleep(0.01)


if __name__ == "__main__":
    main()
