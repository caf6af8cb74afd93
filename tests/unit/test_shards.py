"""Token shards: what is read is what was written, and the order of rows."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from training_rows import write_shards

from udfs.training.shards import Shards
from udfs.training.spec import TrainingError


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Shards:
    return Shards(write_shards(tmp_path_factory.mktemp("shards") / "x", n=1_000), pad_id=0)


def test_every_epoch_reads_every_row_once_in_another_order(shards: Shards) -> None:
    first, second = (shards.batches(seed=1, epoch=e, batch_rows=7) for e in (0, 1))
    for batches in (first, second):
        assert sorted(np.concatenate(batches)) == list(range(1_000))
        assert [len(b) for b in batches].count(7) == 1_000 // 7
    assert not np.array_equal(first[0], second[0])
    other_seed = shards.batches(seed=2, epoch=0, batch_rows=7)
    assert not np.array_equal(first[0], other_seed[0])


def test_the_order_follows_from_seed_and_epoch(shards: Shards) -> None:
    again = shards.batches(seed=1, epoch=5, batch_rows=16)
    assert all(np.array_equal(a, b) for a, b in zip(shards.batches(1, 5, 16), again, strict=True))


def test_a_batch_holds_rows_of_similar_length_but_batches_come_in_any_length(shards: Shards) -> None:
    batches = shards.batches(seed=1, epoch=0, batch_rows=10)
    padding = sum(1 - shards.lengths[b].sum() / (shards.lengths[b].max() * len(b)) for b in batches) / len(batches)
    assert padding < 0.03  # shuffled rows alone: 0.37
    means = [shards.lengths[b].mean() for b in batches]
    assert np.sum(np.diff(means) < 0) > len(batches) / 4


def test_a_batch_is_what_was_written(tmp_path: Path) -> None:
    targets, vectors = [[1, 2], [1, 9, 2], [1, 7, 7, 2]], [[0.5, 1.0], [2.0, 3.0], [4.0, -1.0]]
    columns = {
        "target_ids": pa.array(targets, pa.list_(pa.int32())),
        "label": pa.array([2, 0, 1], pa.int32()),
        "head": pa.array(["a", "b", "a"]),
        "vector": pa.array(vectors, pa.list_(pa.float32())),
        "pair_ids": pa.array([[1, 2], [1, 8, 2], [1, 6, 6, 2]], pa.list_(pa.int32())),
        "score": pa.array([0.25, None, None], pa.float32()),
    }
    folder = Path(write_shards(tmp_path / "x", n=3, n_files=2, **columns))
    (folder / "_SUCCESS").touch()
    batch = Shards(folder, pad_id=0).batch(np.array([2, 0]))
    assert batch.target_ids is not None
    assert batch.target_ids.tolist() == [[1, 7, 7, 2], [1, 2, 0, 0]]
    assert batch.target_mask is not None
    assert batch.target_mask.tolist() == [[True] * 4, [True, True, False, False]]
    assert batch.pair_ids is not None
    assert batch.pair_ids.tolist() == [[1, 6, 6, 2], [1, 2, 0, 0]]
    assert batch.pair_mask is not None
    assert batch.pair_mask.tolist() == [[True] * 4, [True, True, False, False]]
    assert batch.scores is not None
    assert np.array_equal(batch.scores.numpy(), [np.nan, 0.25], equal_nan=True)
    assert batch.labels is not None
    assert batch.labels.tolist() == [1, 2]
    assert batch.heads == ("a", "a")
    assert batch.vectors is not None
    assert batch.vectors.tolist() == [vectors[2], vectors[0]]
    assert (batch.ids != 0).equal(batch.mask)
    assert len(batch) == 2


def test_a_folder_without_rows_says_so(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no Parquet file"):
        Shards(tmp_path, pad_id=0)
