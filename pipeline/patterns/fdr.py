"""False discovery rate over frames of tests: q values by `udfs.pattern_statistics.benjamini_hochberg`."""

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from udfs.q_values import make_q_values


def with_q_values(
    tests: DataFrame, p: str, q: str, family: str, share: str | None = None, count: str | None = None
) -> DataFrame:
    """Add the q value of each test within its family; null where p is null, which is no test.

    Valid where test statistics are independent or positively dependent (Benjamini and Yekutieli 2001). One task holds a family: a
    night's segments, and phrases of which `max_counted` per language and night are counted however many documents there are.

    Args:
        p: column with p values.
        q: name of the new column.
        family: column that parts the tests into families; the rate is controlled over each as a whole.
        share: column that parts a family into classes with an equal share of the false discoveries, so that thousands of tests of
            one class do not drown the few of another. Null: all tests weigh the same.
        count: name of a further new column, the number of tests of the family; none where null.
    """
    added = [T.StructField(q, T.DoubleType())]
    if count is not None:
        added.append(T.StructField(count, T.LongType()))
    schema = T.StructType([*tests.schema.fields, *added])
    return tests.groupBy(family).applyInArrow(make_q_values(p, q, share, count), schema)
