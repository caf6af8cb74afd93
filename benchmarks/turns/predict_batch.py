"""Peer: sentence-transformers in Spark's own `predict_batch_udf`, one task per core."""

import argparse

import numpy as np
from pyspark.ml.functions import predict_batch_udf
from pyspark.sql import types as T

from benchmarks.turns import CORES, ENCODE_BATCH, parse, spark_properties
from pipeline.session import build_session

ROWS = 512
"""Texts per call: enough for sentence-transformers to sort by length within a call; with the documentation's 64 it is slower."""


def main() -> None:
    """Build the session, take the turn."""
    turn, _ = parse(argparse.ArgumentParser(description=__doc__))
    path = str(turn.model)

    def make_predict():  # type: ignore[no-untyped-def] # Spark reads the hints of what it returns
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(path, device="cpu")

        def predict(texts: np.ndarray) -> np.ndarray:
            return model.encode(
                texts.tolist(), batch_size=ENCODE_BATCH, normalize_embeddings=True, show_progress_bar=False
            )

        return predict

    embed = predict_batch_udf(make_predict, return_type=T.ArrayType(T.FloatType()), batch_size=ROWS)
    spark = build_session("nightjar-bench-predict-batch", spark_properties())
    try:
        with turn.timed():
            texts = spark.read.parquet(str(turn.texts)).repartition(CORES)
            texts.select("content_key", embed("text").alias("embedding")).write.parquet(str(turn.out))
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
