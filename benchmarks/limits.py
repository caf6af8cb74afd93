"""What this machine allows the engine, how near the engine comes, and which part binds.

    python -m benchmarks.limits --data topics/ag_news --rows 2000 --mean-tokens 36 --out out/limits.json

Measured here and now: matrix products at the encoder's shapes (per precision, the faster of two libraries), the tokeniser,
Arrow and Parquet, the encoder alone, and the engine on Arrow batches without Spark. A bound is the machine's rate over the work
per token; products and engine take turns (`--repeats`), and the ratio is the median of the turns. With one thread on a CPU both
sides of the ratio count CPU time, which others on the machine do not lengthen; `cpu_share` says how much of the wall's time that
was. On a CPU the parts share the cores, so `in_turns` is the tighter bound.

`--mean-tokens 36` picks texts so that they have 36 tokens in the mean, special tokens included.
"""

import argparse
import json
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.bounds import Bound, Shape, bound, transformer_rate, weighted_length
from benchmarks.corpora import add_arguments, prepare, with_mean_tokens
from benchmarks.summary import machine, table, versions, write_json

if TYPE_CHECKING:
    import pyarrow as pa

    from benchmarks.rates import Rate
    from udfs.engine import Engine

_ELEMENT_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
_GPU_ROWS = 32_768


def main(argv: Sequence[str]) -> int:
    """Measure and report."""
    args = parse(argv)
    # read when the libraries are first loaded: one thread each, but for torch
    os.environ |= {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    with TemporaryDirectory() as temporary:
        texts = args.texts
        if texts is None:
            prepare(args.data, args.rows, Path(temporary), args.column)
            texts = Path(temporary) / "texts.parquet"
        result = measure(args, texts)
    write_json(args.out, result) if args.out else print(json.dumps(result, indent=1))
    print(report(result))
    return 0


def measure(args: argparse.Namespace, source: Path) -> dict[str, Any]:
    """Measure everything for each number of threads."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    import torch

    from benchmarks.models import shape_of, spec_of, with_runtime
    from benchmarks.rates import arrow_rates, chunks_of, engine_rate, tokenise_rate
    from udfs.engine import Engine

    pa.set_cpu_count(1)
    torch.set_num_threads(args.threads[0])
    spec = with_runtime(spec_of(args, args.mode, args.device), args.runtime, args.precision)
    engine = Engine(spec)
    texts = pq.read_table(source)
    if args.mean_tokens:
        texts = texts.take(with_mean_tokens(_lengths(engine, texts), args.mean_tokens, args.rows // 2))
    listed = texts.column("text").to_pylist()
    chunks = chunks_of(engine, listed)
    tokeniser = max((tokenise_rate(engine, listed) for _ in range(3)), key=lambda r: r.tokens_per_s)
    _, results = engine_rate(engine, texts.slice(0, 500), 0, 1)
    tokens = int(chunks.lengths.sum())
    facts: dict[str, Any] = {
        "texts": texts.num_rows,
        "mean_tokens": round(tokens / texts.num_rows, 2),
        "embedding": args.embedding,
        "mode": args.mode,
        "runtime": spec.runtime.name,
        "precision": spec.runtime.precision,
        "token_budget": engine._embedder.token_budget,
        "tokeniser_one_core": tokeniser.facts(),
        "rows_per_s": arrow_rates(texts, results),
        "machine": machine(),
        "versions": versions(),
        "threads": [],
    }
    shape = shape_of(spec.encoder)
    for threads in args.threads:
        torch.set_num_threads(threads)
        facts["threads"].append(_with_threads(Engine(spec), texts, shape, facts, threads, args.repeats))
    return facts


def _with_threads(
    engine: "Engine", texts: "pa.Table", shape: Shape, facts: dict[str, Any], threads: int, repeats: int
) -> dict[str, Any]:
    """Let products, encoder and engine take turns; return the bounds and how near the measured rates come."""
    import torch

    from benchmarks.gemm import copy_rate, has_onednn, layer_rate, measure_layer
    from benchmarks.rates import chunks_of, encoder_of, encoder_rate, engine_rate

    device = encoder_of(engine).device
    chunks = chunks_of(engine, texts.column("text").to_pylist())
    lengths = chunks.lengths.tolist()
    flop = shape.flop_per_token(weighted_length(lengths))
    rows = _GPU_ROWS if device.type == "cuda" else engine._embedder.token_budget
    precisions = [n for n in _ELEMENT_BYTES if device.type == "cuda" or has_onednn(getattr(torch, n))]

    def unhindered(rate: "Rate") -> float:
        return rate.unhindered_tokens_per_s if device.type == "cpu" else rate.tokens_per_s

    # products of bytes are not measured: the bound of int8 is that of float32, and may be passed
    precision = engine._spec.runtime.precision if engine._spec.runtime.precision in _ELEMENT_BYTES else "float32"
    turns: list[dict[str, float]] = []
    for _ in range(repeats):
        products = measure_layer(shape, rows, getattr(torch, precision), device)
        alone = encoder_rate(engine, chunks, texts.num_rows, threads)
        whole, _ = engine_rate(engine, texts, sum(lengths), threads)
        turns.append(
            {
                "gemm_flop_per_s": max(products["up"].best, products["down"].best),
                "layer_flop_per_s": layer_rate(products),
                "encoder_tokens_per_s": alone.tokens_per_s,
                "encoder_unhindered_tokens_per_s": unhindered(alone),
                "engine_tokens_per_s": whole.tokens_per_s,
                "engine_unhindered_tokens_per_s": unhindered(whole),
                "engine_cpu_share": whole.cpu_share,
            }
        )
    middle = {name: statistics.median(t[name] for t in turns) for name in turns[0]}
    memory = {}
    if device.type == "cuda":
        per_token = shape.bytes_per_token(_ELEMENT_BYTES[precision])
        memory = {"bytes_per_s": copy_rate(device), "bytes_per_token": per_token}
    trunk = transformer_rate(middle["gemm_flop_per_s"], flop, **memory)
    bounds = _bounds(trunk, facts, threads)
    return {
        "threads": threads,
        "flop_per_token": round(flop),
        "gflop_per_s": {
            name: {
                which: {lib: round(rate / 1e9, 1) for lib, rate in gemm.flop_per_s.items()}
                for which, gemm in measure_layer(shape, rows, getattr(torch, name), device).items()
            }
            for name in precisions
        },
        "memory": memory,
        "bound_tokens_per_s": round(bounds.tokens_per_s, 1),
        "bound_by": bounds.bound_by,
        "in_turns_tokens_per_s": round(bounds.in_turns_tokens_per_s, 1),
        "measured": {name: round(value, 3) for name, value in middle.items()},
        "engine_texts_per_s": round(middle["engine_tokens_per_s"] / facts["mean_tokens"], 1),
        "engine_over_bound": _share(turns, "engine_unhindered_tokens_per_s", flop),
        "encoder_over_bound": _share(turns, "encoder_unhindered_tokens_per_s", flop),
        "turns": [{name: round(value, 3) for name, value in turn.items()} for turn in turns],
    }


def _bounds(trunk: float, facts: dict[str, Any], threads: int) -> Bound:
    """Return what binds: encoder, tokeniser, or Arrow and Parquet in and out. Rows count with their mean tokens."""
    rows, mean = facts["rows_per_s"], facts["mean_tokens"]
    rates = {"encoder": trunk, "tokeniser": threads * facts["tokeniser_one_core"]["tokens_per_s"]}
    parts = {"arrow_in": "arrow_read_texts", "arrow_out": "arrow_write_results"}
    parts |= {"parquet_read": "parquet_read_texts", "parquet_write": "parquet_write_results"}
    return bound(rates | {name: threads * rows[key] * mean for name, key in parts.items()})


def _share(turns: Sequence[dict[str, float]], rate: str, flop_per_token: float) -> float:
    """Return the median over the turns of a rate over the rate the products alone would allow."""
    return round(statistics.median(t[rate] * flop_per_token / t["gemm_flop_per_s"] for t in turns), 3)


def _lengths(engine: "Engine", texts: "pa.Table") -> list[int]:
    """Return the tokens of each text that the encoder reads, special tokens included."""
    import numpy as np

    from benchmarks.rates import chunks_of

    chunks = chunks_of(engine, texts.column("text").to_pylist())
    return np.bincount(chunks.text, weights=chunks.lengths).astype(int).tolist()


def report(result: dict[str, Any]) -> str:
    """Return the figures in words."""
    lines = [
        f"{result['texts']:,} texts, {result['mean_tokens']} tokens in the mean; {result['embedding']}, {result['mode']}, "
        f"{result['runtime']} {result['precision']}; load {result['machine']['load']}",
        f"tokeniser, one core: {result['tokeniser_one_core']['texts_per_s']:,.0f} texts/s, "
        f"{result['tokeniser_one_core']['tokens_per_s']:,.0f} tokens/s",
        table(["Arrow and Parquet", "rows/s"], [[n, f"{r:,.0f}"] for n, r in result["rows_per_s"].items()]),
    ]
    for entry in result["threads"]:
        found = entry["measured"]
        products = [
            [precision, which, ", ".join(f"{lib} {rate:,.1f}" for lib, rate in libraries.items())]
            for precision, shapes in entry["gflop_per_s"].items()
            for which, libraries in shapes.items()
        ]
        lines += [
            f"\n{entry['threads']} thread(s)",
            table(["precision", "product", "GFLOP/s"], products),
            f"work per token {entry['flop_per_token'] / 1e6:.2f} MFLOP; "
            f"products reach {found['gemm_flop_per_s'] / 1e9:.1f} GFLOP/s",
            f"bound {entry['bound_tokens_per_s']:,.0f} tokens/s by {entry['bound_by']}; "
            f"all parts in turns {entry['in_turns_tokens_per_s']:,.0f}",
            f"encoder alone {found['encoder_tokens_per_s']:,.0f} tokens/s, {entry['encoder_over_bound']:.1%} of the GEMM bound",
            f"bare engine   {found['engine_tokens_per_s']:,.0f} tokens/s ({entry['engine_texts_per_s']:,.1f} texts/s), "
            f"{entry['engine_over_bound']:.1%} of the GEMM bound at mean {result['mean_tokens']} tokens "
            f"(CPU share {found['engine_cpu_share']:.2f})",
        ]
    return "\n".join(lines)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    from benchmarks.models import add_model_arguments, add_runtime_arguments

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    add_model_arguments(parser)
    add_runtime_arguments(parser)
    parser.add_argument(
        "--texts", type=Path, help="prepared texts.parquet instead of --data (benchmarks.corpora makes it)"
    )
    parser.add_argument("--mode", default="exact", choices=("exact", "fast"))
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--threads", type=int, nargs="+", default=[1], help="threads of torch")
    parser.add_argument("--mean-tokens", type=float, help="pick texts with so many tokens in the mean")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="JSON file; without it JSON is printed")
    parser.set_defaults(rows=2_000)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
