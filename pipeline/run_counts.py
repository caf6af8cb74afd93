"""Where the documents of a night went, counted from `doc_scores`."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.documents import RUN_DATE


def night_counts(doc_scores: DataFrame) -> DataFrame:
    """Return one row per night: run_date, rows_scored, rows_from_cache, rows_dup, rows_unsupported, rows_error, tokens."""
    ok, first, cached = F.col("error_code").isNull(), F.col("is_canonical"), F.col("from_cache")
    unsupported = F.col("error_code") == "LANG_UNSUPPORTED"
    fresh = ok & first & ~cached
    return doc_scores.groupBy(RUN_DATE).agg(
        F.count_if(fresh).alias("rows_scored"),
        F.count_if(ok & first & cached).alias("rows_from_cache"),
        F.count_if(ok & ~first).alias("rows_dup"),
        F.count_if(unsupported).alias("rows_unsupported"),
        F.count_if(~ok & ~unsupported).alias("rows_error"),
        F.coalesce(F.sum(F.when(fresh, F.col("n_tokens"))), F.lit(0)).alias("tokens"),
    )
