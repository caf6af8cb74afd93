"""Peer: sentence-transformers in an iterator pandas UDF, the model loaded once per task, one task per core."""

import argparse
from collections.abc import Iterator

import pandas as pd
from pyspark.sql import functions as F
from pyspark.sql import types as T

from benchmarks.turns import CORES, ENCODE_BATCH, parse, spark_properties
from pipeline.session import build_session


def main() -> None:
    """Build the session, take the turn."""
    turn, _ = parse(argparse.ArgumentParser(description=__doc__))
    path = str(turn.model)

    @F.pandas_udf(T.ArrayType(T.FloatType()))
    def embed(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(path, device="cpu")
        for batch in batches:
            vectors = model.encode(
                batch.tolist(), batch_size=ENCODE_BATCH, normalize_embeddings=True, show_progress_bar=False
            )
            yield pd.Series(list(vectors))

    spark = build_session("nightjar-bench-pandas-udf", spark_properties())
    try:
        with turn.timed():
            texts = spark.read.parquet(str(turn.texts)).repartition(CORES)
            texts.select("content_key", embed("text").alias("embedding")).write.parquet(str(turn.out))
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
