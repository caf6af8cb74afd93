"""False discovery rate: Benjamini-Hochberg q values as Column expressions."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F


def with_q_values(tests: DataFrame, p: str, q: str, family: str, count: str | None = None) -> DataFrame:
    """Add the q value of each test within its family; null where p is null, which is no test.

    Benjamini, Y. and Hochberg, Y. (1995), Controlling the false discovery rate, JRSS B 57, 289-300. Valid where test statistics
    are independent or positively dependent (Benjamini and Yekutieli 2001). One task sorts a family: n log n in its tests.

    Args:
        p: column with p values.
        q: name of the new column.
        family: column that parts the tests into families.
        count: name of a further new column, the number of tests of the family; none where null.
    """
    whole = Window.partitionBy(family)
    up_to = whole.orderBy(F.col(p).asc_nulls_last()).rangeBetween(Window.unboundedPreceding, Window.currentRow)
    from_here = whole.orderBy(F.col(p).desc_nulls_first()).rangeBetween(Window.unboundedPreceding, Window.currentRow)
    ranked = tests.withColumns({"_tests": F.count(p).over(whole), "_rank": F.count(p).over(up_to)})
    adjusted = ranked.withColumn("_q", F.col(p) * F.col("_tests") / F.col("_rank"))
    with_q = adjusted.withColumn(q, F.when(F.col(p).isNotNull(), F.least(F.lit(1.0), F.min("_q").over(from_here))))
    if count is not None:
        with_q = with_q.withColumn(count, F.col("_tests"))
    return with_q.drop("_tests", "_rank", "_q")
