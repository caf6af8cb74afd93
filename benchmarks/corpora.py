"""The texts that are measured: distinct, of natural length, picked by hash, in one Parquet file that cores can share.

    python -m benchmarks.corpora --rows 10000 --out out/texts --data sentiment/airline_tweets topics/ag_news stream/reddit_posts

Each of `--data` (a Parquet file or folder with a column `text`) gives the same number of texts. Without `--data` the sample
corpus is made and used. The texts count as English.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.bounds import tilted_share

SCHEMA = pa.schema([("content_key", pa.string()), ("lang_hint", pa.string()), ("text", pa.string())])
"""The engine's input, `udfs.results.TEXTS`."""
PARTS = 8
"""Row groups of the file: more than cores, so that they can share it."""
MAX_CHARS = 20_000
_DRAWS = 50


def prepare(data: Sequence[Path], rows: int, target: Path, column: str = "text") -> int:
    """Write at most `rows` distinct texts, equally many from each of `data`, to `target`/texts.parquet; return their number."""
    if not data:
        with TemporaryDirectory() as temporary:
            return prepare([_sample(Path(temporary))], rows, target, "body")
    picked: dict[str, str] = {}
    for i, path in enumerate(data):
        share = rows * (i + 1) // len(data) - rows * i // len(data)
        new = sorted((content_key(t), t) for t in _distinct(path, column, picked.values()))
        picked |= dict(new[:share])
    write_texts(sorted(picked.items()), target)
    return len(picked)


def write_texts(keyed: Sequence[tuple[str, str]], target: Path) -> Path:
    """Write (content key, text) as the engine's input."""
    target.mkdir(parents=True, exist_ok=True)
    keys, texts = [k for k, _ in keyed], [t for _, t in keyed]
    table = pa.table([keys, ["en"] * len(keys), texts], schema=SCHEMA)
    path = target / "texts.parquet"
    pq.write_table(table, path, compression="zstd", row_group_size=max(1, -(-len(keys) // PARTS)))
    return path


def keyed(table: pa.Table) -> list[tuple[str, str]]:
    """Return (content key, text) of each row."""
    return list(zip(table.column("content_key").to_pylist(), table.column("text").to_pylist(), strict=True))


def content_key(text: str) -> str:
    """Return sha256 (64 hex digits) of the UTF-8 bytes, as the nightly job does."""
    return hashlib.sha256(text.encode()).hexdigest()


def parquet_files(path: Path) -> list[Path]:
    """Return the Parquet files of a file or folder.

    Raises:
        FileNotFoundError: there are none.
    """
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise FileNotFoundError(f"{path}: no Parquet file")
    return files


def with_mean_tokens(lengths: Sequence[int], mean: float, count: int) -> list[int]:
    """Return the places, in order, of about `count` texts whose mean length is `mean` tokens: the best of fifty draws."""
    values, shares = np.asarray(lengths), tilted_share(lengths, mean, count)
    draws = np.random.default_rng(0).random((_DRAWS, len(values))) < shares
    means = (draws * values).sum(axis=1) / np.maximum(draws.sum(axis=1), 1)
    best: list[int] = np.flatnonzero(draws[np.abs(means - mean).argmin()]).tolist()
    return best


def _distinct(path: Path, column: str, known: Iterator[str] | Sequence[str]) -> set[str]:
    """Return the texts of `path` with white space folded, without blank ones and those already picked."""
    found: set[str] = set()
    for file in parquet_files(path):
        for text in pq.read_table(file, columns=[column]).column(0).cast(pa.large_binary()).to_pylist():
            found.add(" ".join((text or b"").decode("utf-8", "replace").split())[:MAX_CHARS])
    return found - set(known) - {""}


def _sample(folder: Path) -> Path:
    from pipeline.sample.corpus import write_sample

    write_sample(folder / "sample")
    return folder / "sample" / "corpus"


def main(argv: Sequence[str]) -> int:
    """Prepare and say how many."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder for texts.parquet")
    args = parser.parse_args(argv)
    print(f"{prepare(args.data, args.rows, args.out, args.column):,} texts in {args.out}")
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which texts."""
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="Parquet files or folders; none: the sample")
    parser.add_argument("--column", default="text", help="their text column")
    parser.add_argument("--rows", type=int, default=10_000)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
