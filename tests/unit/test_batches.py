"""Micro-batches and windows: nothing lost, nothing doubled, limits kept."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.models.batches import equal_runs, plan_batches
from udfs.windows import windows

LENGTHS = st.lists(st.integers(2, 300), max_size=200)


@settings(deadline=None)
@given(LENGTHS, st.integers(16, 4096))
def test_batches_are_a_permutation_within_the_budget(lengths: list[int], budget: int) -> None:
    array = np.array(lengths, dtype=np.int64)
    plan = plan_batches(array, budget)
    assert sorted(i for batch in plan for i in batch) == list(range(len(lengths)))
    for batch in plan:
        assert array[batch].sum() <= budget or len(batch) == 1
        assert (np.diff(array[batch]) <= 0).all()
    for batch, following in pairwise(plan):
        assert array[batch].sum() + array[following[0]] > budget, "no batch is smaller than it must be"


@settings(deadline=None)
@given(LENGTHS)
def test_runs_cover_everything_once(lengths: list[int]) -> None:
    array = np.array(sorted(lengths), dtype=np.int64)
    runs = equal_runs(array)
    assert [length for start, stop, length in runs for _ in range(start, stop)] == array.tolist()
    assert len({length for *_, length in runs}) == len(runs)


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), max_size=20), st.integers(1, 60))
def test_windows_keep_rows_and_order(sizes: list[int], max_rows: int) -> None:
    total = iter(range(10_000))
    batches = [pa.record_batch({"i": pa.array([next(total) for _ in range(n)], pa.int64())}) for n in sizes]
    tables = list(windows(batches, max_rows, 1 << 30))
    assert [i for t in tables for i in t.column("i").to_pylist()] == list(range(sum(sizes)))
    assert all(t.num_rows == max_rows for t in tables[:-1])
    assert all(0 < t.num_rows <= max_rows for t in tables)


def test_a_window_ends_with_its_bytes() -> None:
    batches = [pa.record_batch({"t": ["x" * 1000]}) for _ in range(10)]
    assert [t.num_rows for t in windows(batches, 100, 2500)] == [3, 3, 3, 1]
