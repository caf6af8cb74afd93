"""The night's score store, indexed for lookups from SQL: once per folder of the store, when functions are registered."""

import logging
import math
from pathlib import Path
from uuid import uuid4

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

from pipeline.store import ScoreStore, is_settled
from udfs.spec import ScoreSpec
from udfs.sql.store_index import META, commit_part, make_write_buckets

logger = logging.getLogger(__name__)
_BUCKET_ROWS = 100_000
_MAX_BUCKETS = 4_096


def index_store(spark: SparkSession, root: Path, index: Path, spec: ScoreSpec) -> int:
    """Index the folders of a store that are not indexed yet; return how many there were.

    Reads each new folder once and writes about as much. Of a text that was scored under several declared languages, the one
    without a declaration counts, else the first in the alphabet: SQL does not say which language it takes a text to be in.
    """
    store = ScoreStore(spark, root, spec.model_key())
    new = [part for part in store.parts() if not (index / store.model_key / part.name / META).is_file()]
    for part in new:
        _index_part(spark, store, part, index / store.model_key, spec.encoder.dim)
    return len(new)


def _index_part(spark: SparkSession, store: ScoreStore, part: Path, folder: Path, dim: int) -> None:
    rows = store.read([part]).where(is_settled())
    n = rows.count()
    buckets = min(_MAX_BUCKETS, 1 << max(0, math.ceil(math.log2(max(n, 1) / _BUCKET_ROWS))))
    unfinished = folder / f".{part.name}-{uuid4().hex}"
    one = Window.partitionBy("content_key").orderBy(F.col("lang_hint") != "", "lang_hint")
    digit = F.conv(F.substring("content_key", 1, 4), 16, 10).cast("int")
    keyed = (
        rows.withColumn("place", F.row_number().over(one))
        .where("place = 1")
        .withColumn("bucket", F.shiftright(digit, 16 - (buckets.bit_length() - 1)))
    )
    # a bucket is one task's; its rows in the order of the file
    sorted_rows = keyed.repartition(min(buckets, 256), "bucket").sortWithinPartitions("bucket", "content_key")
    written = sorted_rows.mapInArrow(make_write_buckets(str(unfinished), dim), "bucket int, n bigint")
    total = written.agg(F.sum("n").alias("n")).collect()[0].n or 0  # bounded: one row
    commit_part(unfinished, folder / part.name, buckets)
    logger.info(f"indexed   {total:,} of {n:,} stored results of {part.name}")
