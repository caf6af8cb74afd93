"""Q values of one family of tests, as a function over an Arrow table."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from udfs.pattern_statistics import benjamini_hochberg


def make_q_values(p: str, q: str, share: str | None, count: str | None) -> Callable[[pa.Table], pa.Table]:
    """Return the function for `applyInArrow`: a family in; out with `q` and, where it has a name, the number of tests.

    Args:
        p: column of p values; null is no test and has a null q.
        share: column of classes, without nulls; see `benjamini_hochberg`.
    """

    def add(tests: pa.Table) -> pa.Table:
        values = tests.column(p).to_numpy()
        is_test = tests.column(p).is_valid().to_numpy()
        classes = None if share is None else np.array(tests.column(share).to_pylist())[is_test]
        found = np.full(len(values), np.nan)
        found[is_test] = benjamini_hochberg(values[is_test], classes=classes)
        tests = tests.append_column(q, pa.array(found, pa.float64(), mask=~is_test))
        if count is None:
            return tests
        return tests.append_column(count, pa.array(np.full(len(values), is_test.sum()), pa.int64()))

    return add
