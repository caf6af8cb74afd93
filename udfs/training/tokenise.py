"""From texts to token shards, on executors: the tokenizer that serves the model is the one that made its shards."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from udfs.models.tokenise import TextTokenizer

_MANY = 1_000_000


@dataclass(frozen=True)
class ShardSpec:
    """How texts become rows.

    Attributes:
        tokenizer: path of a tokenizer.json that every executor sees.
        max_tokens: the longest row, special tokens included.
        whole: a longer text becomes several rows of nearly equal length, else only its first `max_tokens` tokens are a row.
        columns: what is taken besides the text's `ids`: `target_ids` (tokens of `target`), `pair_ids` (tokens of `pair`; of an
            empty text where it is null), `label` (int), `head`, `vector`, `classes`, `score`.
    """

    tokenizer: str
    max_tokens: int
    whole: bool
    columns: tuple[str, ...] = ()


def make_shard(spec: ShardSpec) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: rows with `text` and what `columns` needs become rows of token shards, in order."""

    def shard(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield shard_batch(batch, spec)

    return shard


def shard_batch(batch: pa.RecordBatch, spec: ShardSpec) -> pa.RecordBatch:
    """Turn one batch of texts into shard rows."""
    tokenizer = _tokenizer(spec.tokenizer)
    # with one chunk at most, the chunk holds the first tokens
    chunks = tokenizer.chunks(batch.column("text").to_pylist(), spec.max_tokens, _MANY if spec.whole else 1)
    columns: dict[str, Any] = {"ids": _list_array(chunks.ids, chunks.offsets)}
    for name in spec.columns:
        if name.endswith("_ids"):
            others = [text or "" for text in batch.column(name.removesuffix("_ids")).to_pylist()]
            found = tokenizer.chunks(others, spec.max_tokens, 1)
            columns[name] = _list_array(found.ids, found.offsets)
        else:
            columns[name] = batch.column(name).take(pa.array(chunks.text))
    return pa.RecordBatch.from_pydict(columns)


def _list_array(ids: NDArray[np.int32], offsets: NDArray[np.int64]) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(ids, pa.int32()))


@lru_cache(maxsize=2)
def _tokenizer(path: str) -> TextTokenizer:
    return TextTokenizer(Path(path).read_bytes())
