"""Exceptions that leave a worker without the words of a document.

Spark writes what a worker raises to its logs and its event log, message and all. Libraries quote what they fail on.
"""

import functools
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from udfs.isolation import CrashBudgetError
from udfs.models.files import ModelFileError

Batches = Iterator[pa.RecordBatch]
_SPEAK_OF_NO_TEXT = (ModelFileError, CrashBudgetError, ImportError, OSError, MemoryError)
_DEVICE = ("CUDA error", "CUDA out of memory")
_N_PLACES = 3


class WorkerError(RuntimeError):
    """An unexpected exception in a worker: its type and the places it came through, without its message."""


def without_texts(function: Callable[[Batches], Batches]) -> Callable[[Batches], Batches]:
    """Return a function for `mapInArrow` whose unexpected exceptions say type and place alone.

    What speaks of files, memory, models or a device keeps its message.

    Raises:
        WorkerError: instead of any other exception.
    """

    @functools.wraps(function)
    def quiet(batches: Batches) -> Batches:
        try:
            yield from function(batches)
        except _SPEAK_OF_NO_TEXT:
            raise
        except Exception as error:
            if isinstance(error, RuntimeError) and str(error).startswith(_DEVICE):
                raise
            raise WorkerError(_places(error)) from None

    return quiet


def _places(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-_N_PLACES:]
    places = " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))
    return f"{type(error).__name__} at {places}; the message is left out, for it may quote a text"
