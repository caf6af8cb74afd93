"""False discovery rate: Benjamini-Hochberg q values as Column expressions."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F


def with_q_values(
    tests: DataFrame, p: str, q: str, family: str, share: str | None = None, count: str | None = None
) -> DataFrame:
    """Add the q value of each test within its family; null where p is null, which is no test.

    Benjamini, Y. and Hochberg, Y. (1995), Controlling the false discovery rate, JRSS B 57, 289-300. Valid where test statistics
    are independent or positively dependent (Benjamini and Yekutieli 2001). One task sorts a family: n log n in its tests.

    Args:
        p: column with p values.
        q: name of the new column.
        family: column that parts the tests into families; the rate is controlled over each as a whole.
        share: column that parts a family into classes with an equal share of the false discoveries, so that thousands of tests of
            one class do not drown the few of another: BH on p / w, with weights w that have mean 1 (Genovese, Roeder and
            Wasserman 2006, False discovery control with p-value weighting, Biometrika 93, 509-524). Null: all tests weigh 1.
        count: name of a further new column, the number of tests of the family; none where null.
    """
    whole = Window.partitionBy(family)
    ranked = tests.withColumn("_tests", F.count(p).over(whole))
    if share is None:
        ranked = ranked.withColumn("_p", F.col(p))
    else:
        # null p is no test, and opens no class
        classes = F.size(F.collect_set(F.when(F.col(p).isNotNull(), F.col(share))).over(whole))
        of_class = F.count(p).over(Window.partitionBy(family, share))
        ranked = ranked.withColumn("_p", F.col(p) * classes * of_class / F.col("_tests"))
    up_to = whole.orderBy(F.col("_p").asc_nulls_last()).rangeBetween(Window.unboundedPreceding, Window.currentRow)
    from_here = whole.orderBy(F.col("_p").desc_nulls_first()).rangeBetween(Window.unboundedPreceding, Window.currentRow)
    adjusted = ranked.withColumn("_q", F.col("_p") * F.col("_tests") / F.count("_p").over(up_to))
    with_q = adjusted.withColumn(q, F.when(F.col(p).isNotNull(), F.least(F.lit(1.0), F.min("_q").over(from_here))))
    if count is not None:
        with_q = with_q.withColumn(count, F.col("_tests"))
    return with_q.drop("_tests", "_p", "_q")
