"""What an executor runs: asked once per run, before any data is read."""

import platform
from collections.abc import Iterator

import pyarrow as pa

import udfs

SCHEMA = "version string, python string, code string, host string"


def report(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Return one row: version of `udfs`, Python version, where `udfs` was imported from, executor's id."""
    import os

    for _ in batches:
        pass
    row = {
        "version": [udfs.__version__],
        "python": [".".join(platform.python_version_tuple()[:2])],
        "code": [os.path.dirname(udfs.__file__ or "")],
        "host": [os.environ.get("SPARK_EXECUTOR_DIRS", "") or str(os.getppid())],
    }
    yield pa.RecordBatch.from_pydict(row)
