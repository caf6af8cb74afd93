"""How well an encoder's cosines rank pairs of sentences by meaning: Spearman's correlation with human scores.

    python -m benchmarks.similarity --embedding static-en --data data/similarity/stsb/validation.parquet --lang en

The file has the columns text, text2, score and lang.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.stats import spearmanr

from pipeline.config import ModelConfig
from pipeline.models import embedding_spec
from udfs.engine import Engine


def vectors(engine: Engine, texts: pa.ChunkedArray, lang: str) -> NDArray[np.float32]:
    """Return (n, d) unit vectors of n texts."""
    n = len(texts)
    columns = {"content_key": [str(i) for i in range(n)], "lang_hint": [lang] * n, "text": texts.combine_chunks()}
    results = pa.Table.from_batches(engine.score(pa.table(columns).to_batches()))
    return np.array(results.column("embedding").to_pylist(), np.float32)


def correlation(embedding: str, data: Path, lang: str) -> tuple[float, int]:
    """Return Spearman's correlation and the number of pairs."""
    pairs = pq.read_table(data, columns=["text", "text2", "score", "lang"])
    pairs = pairs.filter(pc.equal(pairs.column("lang"), lang))
    engine = Engine(embedding_spec(ModelConfig(embedding=embedding, device="cpu")))
    first, second = (vectors(engine, pairs.column(name), lang) for name in ("text", "text2"))
    return float(spearmanr((first * second).sum(axis=1), pairs.column("score").to_numpy()).statistic), len(pairs)


def main(argv: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embedding", required=True, help="as model.embedding")
    parser.add_argument("--data", required=True, type=Path, metavar="FILE")
    parser.add_argument("--lang", default="en")
    args = parser.parse_args(argv)
    value, n = correlation(args.embedding, args.data, args.lang)
    print(f"{args.embedding}: Spearman {value:.4f} over {n:,} pairs of {args.data}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
