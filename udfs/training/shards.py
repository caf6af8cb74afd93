"""Token shards: the rows a model is trained on, as Parquet, and the order in which they are read.

Notation: n rows, b rows of a batch, l tokens of its longest row, m of its longest target, D width of stored vectors.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor

from udfs.training.spec import TrainingError

Rows = NDArray[np.int64]
_WINDOW_BATCHES = 64
"""Batches whose rows are sorted by length together: enough for little padding, few enough to stay a random order."""


@dataclass(frozen=True)
class Batch:
    """Rows in tensors. Which are there depends on the columns of the shards.

    Attributes:
        ids: (b, l) int64 tokens, padded at the end; mask: (b, l) bool, true for real tokens.
        target_ids, target_mask: (b, m), the same for the text to be written.
        labels: (b,) int64 positions in the list of labels of the row's head, -1 without one; heads: the b names of those heads,
            empty without one.
        vectors: (b, D) float32, zero for a row without one; None where no row of the shards has one.
        pair_ids, pair_mask: (b, m), the same for a second text; scores: (b,) float32, how similar people found the two, 0 to 1,
            NaN for a row without a second text.
        classes: (b,) int64, bit i set: the row's label is one of a choice in which label i is; 0 is a choice of all.
    """

    ids: Tensor
    mask: Tensor
    target_ids: Tensor | None = None
    target_mask: Tensor | None = None
    labels: Tensor | None = None
    heads: tuple[str, ...] = ()
    vectors: Tensor | None = None
    classes: Tensor | None = None
    pair_ids: Tensor | None = None
    pair_mask: Tensor | None = None
    scores: Tensor | None = None

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        if device.type == "cpu":
            return self
        moved: dict[str, Any] = {
            k: v.to(device, non_blocking=True) for k, v in vars(self).items() if isinstance(v, Tensor)
        }
        return replace(self, **moved)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class _Lists:
    """n lists, flat: list i is `values[starts[i] : starts[i] + lengths[i]]`."""

    values: NDArray[np.int32]
    starts: Rows
    lengths: Rows

    def padded(self, rows: Rows, pad: int) -> tuple[Tensor, Tensor]:
        """Return the lists `rows` as (b, l) int64 and the mask (b, l) of real tokens."""
        lengths = self.lengths[rows]
        place = np.arange(lengths.max(initial=1))
        mask = place < lengths[:, None]
        at = np.where(mask, self.starts[rows][:, None] + place, 0)
        ids = np.where(mask, self.values[at], pad) if len(self.values) else np.full(mask.shape, pad)
        return torch.from_numpy(ids.astype(np.int64)), torch.from_numpy(mask)


class Shards:
    """The rows of a folder of Parquet files, in memory (4 bytes a token), in the order of the files' names.

    Columns: `ids` list<int32>; optionally `target_ids` list<int32>, `label` int32, `head` string, `vector` list<float>,
    `classes` int64, `pair_ids` list<int32>, `score` float. A null label is -1, a null head '', a null vector zero, a null score
    NaN.
    """

    def __init__(self, folder: str | Path, pad_id: int) -> None:
        """Read the folder; files whose names begin with `_` or `.` are ignored.

        Raises:
            TrainingError: it holds no rows, or no column `ids`.
        """
        files = sorted(p for p in Path(folder).glob("*.parquet") if p.name[0] not in "_.")
        if not files:
            raise TrainingError(f"{folder}: holds no Parquet file; prepare the data again")
        table = pa.concat_tables([pq.read_table(file) for file in files])
        if "ids" not in table.column_names or not table.num_rows:
            raise TrainingError(f"{folder}: holds no rows with a column `ids`; prepare the data again")
        self.pad_id = pad_id
        self._ids = _lists(table.column("ids"))
        names = set(table.column_names)
        self._targets = _lists(table.column("target_ids")) if "target_ids" in names else None
        self._pairs = _lists(table.column("pair_ids")) if "pair_ids" in names else None
        self._scores = _scores(table.column("score")) if "score" in names else None
        self._labels = _numbers(table.column("label"), -1) if "label" in names else None
        self._classes = _numbers(table.column("classes"), 0) if "classes" in names else None
        self._heads = _heads(table.column("head")) if "head" in names else None
        self._vectors = _vectors(table.column("vector")) if "vector" in names else None

    def __len__(self) -> int:
        return len(self._ids.lengths)

    @property
    def lengths(self) -> Rows:
        """(n,) tokens of each row, those of its target and its second text included."""
        others = [one.lengths for one in (self._targets, self._pairs) if one is not None]
        return sum(others, self._ids.lengths)

    def batches(self, seed: int, epoch: int, batch_rows: int) -> list[Rows]:
        """Return the rows of every batch of an epoch; the same for the same arguments. The last may be smaller.

        Rows are shuffled, sorted by length within windows, cut, and the batches of a window shuffled again. A batch's rows ascend
        in length, so that its micro-batches hold rows of similar length.
        """
        generator = np.random.default_rng([seed, epoch])
        rows, lengths = generator.permutation(len(self)), self.lengths
        window = batch_rows * _WINDOW_BATCHES
        batches: list[Rows] = []
        for start in range(0, len(rows), window):
            part = rows[start : start + window]
            part = part[np.argsort(lengths[part], kind="stable")]
            pieces = cut(part, batch_rows)
            batches += [pieces[i] for i in generator.permutation(len(pieces))]
        return batches

    def in_order(self, batch_rows: int) -> list[Rows]:
        """Return the rows of every batch, by length: an order for validation, where only sums count."""
        return cut(np.argsort(self.lengths, kind="stable"), batch_rows)

    def batch(self, rows: Rows) -> Batch:
        """Return rows as tensors on the CPU."""
        ids, mask = self._ids.padded(rows, self.pad_id)
        target_ids, target_mask = self._targets.padded(rows, self.pad_id) if self._targets else (None, None)
        pair_ids, pair_mask = self._pairs.padded(rows, self.pad_id) if self._pairs else (None, None)
        names, codes = self._heads if self._heads else ((), np.zeros(0, np.int64))
        return Batch(
            ids=ids,
            mask=mask,
            target_ids=target_ids,
            target_mask=target_mask,
            labels=torch.from_numpy(self._labels[rows]) if self._labels is not None else None,
            heads=tuple(names[code] for code in codes[rows]) if names else (),
            vectors=torch.from_numpy(self._vectors[rows].astype(np.float32)) if self._vectors is not None else None,
            classes=torch.from_numpy(self._classes[rows]) if self._classes is not None else None,
            pair_ids=pair_ids,
            pair_mask=pair_mask,
            scores=torch.from_numpy(self._scores[rows]) if self._scores is not None else None,
        )


def cut(rows: Rows, size: int) -> list[Rows]:
    """Return consecutive pieces of at most `size` rows."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _lists(column: pa.ChunkedArray) -> _Lists:
    values = [np.zeros(0, np.int32), *(chunk.flatten().to_numpy().astype(np.int32) for chunk in column.chunks)]
    lengths = np.concatenate([chunk.value_lengths().to_numpy() for chunk in column.chunks]).astype(np.int64)
    return _Lists(np.concatenate(values), np.cumsum(lengths) - lengths, lengths)


def _numbers(column: pa.ChunkedArray, missing: int) -> Rows:
    filled: NDArray[Any] = column.fill_null(missing).to_numpy()
    return filled.astype(np.int64)


def _scores(column: pa.ChunkedArray) -> NDArray[np.float32]:
    filled: NDArray[Any] = column.fill_null(float("nan")).to_numpy()
    return filled.astype(np.float32)


def _heads(column: pa.ChunkedArray) -> tuple[Sequence[str], Rows]:
    encoded = column.fill_null("").combine_chunks().dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)


def _vectors(column: pa.ChunkedArray) -> NDArray[Any] | None:
    """Return (n, D) float32; None where no row has a vector."""
    found = np.asarray(column.is_valid())
    if not found.any():
        return None
    values = np.concatenate([chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks])
    vectors = np.zeros((len(found), len(values) // int(found.sum())), np.float32)
    vectors[found] = values.reshape(int(found.sum()), -1)
    return vectors
