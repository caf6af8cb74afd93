"""The nearest vectors of a partition: against a plain sort, whatever the batches."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from udfs.nearest import NEAREST, make_nearest

DAY = dt.date(2026, 10, 5)


def rows_of(seed: int, n: int, d: int = 8) -> tuple[NDArray[np.float32], list[str]]:
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), [f"key-{i:03d}" for i in range(n)]


def batch(vectors: list[list[float] | None], keys: list[str], ids: list[str]) -> pa.RecordBatch:
    columns = {
        "run_date": pa.array([DAY] * len(keys), pa.date32()),
        "doc_id": pa.array(ids),
        "content_key": pa.array(keys),
        "embedding": pa.array(vectors, pa.list_(pa.float32())),
    }
    return pa.RecordBatch.from_pydict(columns)


def found(batches: list[pa.RecordBatch], query: NDArray[np.float32], k: int) -> list[dict[str, object]]:
    out = list(make_nearest(query, k)(iter(batches)))
    assert all(part.schema == NEAREST for part in out)
    return [row for part in out for row in part.to_pylist()]


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_the_best_are_those_of_a_plain_sort(size: int) -> None:
    vectors, keys = rows_of(1, 60)
    query = rows_of(2, 1)[0][0]
    exact = vectors.astype(np.float64) @ query.astype(np.float64)
    batches = [
        batch(vectors[i : i + size].tolist(), keys[i : i + size], keys[i : i + size]) for i in range(0, 60, size)
    ]
    rows = found(batches, query, 5)
    best = np.argsort(-exact)[:5]
    assert [row["content_key"] for row in rows] == [keys[i] for i in best]
    assert [row["similarity"] for row in rows] == pytest.approx(exact[best], abs=1e-6)


def test_copies_of_a_text_take_one_place_and_its_first_document_stands_for_them() -> None:
    query = np.array([1, 0], dtype=np.float32)
    same, other, far = [1.0, 0.0], [0.8, 0.6], [0.0, 1.0]
    batches = [
        batch([same] * 9, ["a"] * 9, [f"d{9 - i}" for i in range(9)]),
        batch([far, other, same], ["c", "b", "a"], ["x", "y", "d0"]),
    ]
    rows = found(batches, query, 2)
    assert [(row["content_key"], row["doc_id"]) for row in rows] == [("a", "d0"), ("b", "y")]


def test_vectors_that_cannot_be_compared_are_no_neighbours() -> None:
    query = np.array([1, 0], dtype=np.float32)
    vectors: list[list[float] | None] = [[1.0, 0.0, 0.0], None, [float("nan"), 1.0], [0.5, 0.5], []]
    rows = found([batch(vectors, list("abcde"), list("abcde"))], query, 3)
    assert [row["content_key"] for row in rows] == ["d"]
    assert found([], query, 3) == []
