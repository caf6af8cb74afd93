"""Exceptions of workers hold no text; those that say what to do about a machine keep their message."""

import pickle
import traceback
from collections.abc import Iterator

import pyarrow as pa
import pytest
from pyspark.cloudpickle import dumps

from pipeline.failures import explain, is_worker_lost
from udfs.isolation import CrashBudgetError
from udfs.models.files import ModelFileError
from udfs.quiet import WorkerError, without_texts

BATCH = pa.RecordBatch.from_pydict({"text": ["my secret"]})


def failing(error: type[Exception]) -> Iterator[pa.RecordBatch]:
    def fail(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield batch
            raise error(f"CUDA error or cannot read {batch.column('text').to_pylist()}")

    return pickle.loads(dumps(without_texts(fail)))(iter([BATCH, BATCH]))


@pytest.mark.parametrize("error", [ValueError, RuntimeError, KeyError, UnicodeError])
def test_an_unexpected_error_says_type_and_place_but_no_text(error: type[Exception]) -> None:
    batches = failing(error)
    if error is RuntimeError:
        batches = without_texts(lambda given: (1 / len(b.column("text")[0].as_py()[:0]) for b in given))(iter([BATCH]))
    with pytest.raises(WorkerError) as caught:
        list(batches)
    printed = "".join(traceback.format_exception(caught.value))
    assert "secret" not in printed
    name = "ZeroDivisionError" if error is RuntimeError else error.__name__
    assert f"{name} at test_quiet.py:" in printed
    assert str(explain(RuntimeError(printed))).startswith(f"WorkerError: {name} at test_quiet.py:")


@pytest.mark.parametrize(
    "error", [ModelFileError, CrashBudgetError, OSError, ModuleNotFoundError, MemoryError, RuntimeError]
)
def test_what_speaks_of_the_machine_keeps_its_message(error: type[Exception]) -> None:
    with pytest.raises(error, match="cannot read") as caught:
        list(failing(error))
    if error is RuntimeError:
        assert is_worker_lost(caught.value)


def test_batches_come_through() -> None:
    assert list(without_texts(lambda batches: batches)(iter([BATCH, BATCH]))) == [BATCH, BATCH]
