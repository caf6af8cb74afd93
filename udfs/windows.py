"""Gathering Arrow batches into windows."""

from collections.abc import Iterable, Iterator

import pyarrow as pa


def windows(batches: Iterable[pa.RecordBatch], max_rows: int, max_bytes: int) -> Iterator[pa.Table]:
    """Yield tables of at most `max_rows` rows; a window also ends once it holds `max_bytes`. Rows keep their order.

    Batches larger than a window are cut; empty ones are passed over.
    """
    held: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            piece = batch.slice(start, max_rows - rows)
            start += piece.num_rows
            held.append(piece)
            rows += piece.num_rows
            size += piece.nbytes
            if rows >= max_rows or size >= max_bytes:
                yield pa.Table.from_batches(held)
                held, rows, size = [], 0, 0
    if held:
        yield pa.Table.from_batches(held)
