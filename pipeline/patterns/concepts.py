"""The concept graph: phrases of one language that stand in the same text more often than chance has it."""

import dataclasses
from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.documents import RUN_DATE
from pipeline.patterns.concept_tables import CONCEPT_GRAPH
from pipeline.patterns.phrase_config import ConceptsConfig
from pipeline.patterns.rules import to_vocabulary
from udfs.concept_graph import GraphSpec, to_edges
from udfs.itemsets import make_pairs

_PAIRS = "run_date date, lang string, first int, second int, n_effective bigint, n_docs bigint, score_sum bigint, n_scored bigint"
_MILLION = 1_000_000


def to_concept_graph(
    phrased: DataFrame, keyphrases: DataFrame, dates: Sequence[date], config: ConceptsConfig
) -> DataFrame:
    """Return the `concept_graph` rows of the nights `dates`: at most `max_edges` per night and language.

    Args:
        phrased: of `texts.with_phrases`.
        keyphrases: `keyphrases_daily` of these nights; its best phrases are the nodes.
    """
    spark = phrased.sparkSession
    nights = F.col(RUN_DATE).isin(list(dates))
    spec = GraphSpec(**{field.name: getattr(config, field.name) for field in dataclasses.fields(GraphSpec)})
    rows = to_vocabulary(
        keyphrases.where(nights), config.max_nodes
    ).collect()  # bounded: nights x languages x max_nodes phrases
    vocabulary = {(row[RUN_DATE], row.lang): list(row.vocabulary) for row in rows}
    mine = phrased.where(nights)
    # millionths: sums of whole numbers do not depend on the order
    score = F.round(F.col("sentiment_score") * _MILLION).cast("bigint").alias("score")
    pairs = mine.select(RUN_DATE, "lang", "n_docs", score, "phrases").mapInArrow(make_pairs(vocabulary), _PAIRS)
    summed = pairs.groupBy(RUN_DATE, "lang", "first", "second").agg(
        *[F.sum(name).alias(name) for name in ("n_effective", "n_docs", "score_sum", "n_scored")]
    )
    sizes = mine.groupBy(RUN_DATE, "lang").agg(F.count("*").alias("n_texts"))
    # one row per night and language on the right
    sized = summed.join(F.broadcast(sizes), [RUN_DATE, "lang"], "inner")
    own = [f for f in CONCEPT_GRAPH.struct().fields if f.name in {c.name for c in CONCEPT_GRAPH.columns}]
    schema = T.StructType([T.StructField(RUN_DATE, T.DateType()), *own])

    def graph(key: tuple[Any, ...], frame: pd.DataFrame) -> pd.DataFrame:
        """Judge the pairs of one night and language: at most max_nodes squared / 2 of them."""
        edges = to_edges(frame, vocabulary[(key[0], key[1])], spec)
        return edges.assign(run_date=key[0], lang=key[1])[schema.names]

    found = (
        sized.groupBy(RUN_DATE, "lang").applyInPandas(graph, schema)
        if vocabulary
        else spark.createDataFrame([], schema)
    )
    return found.select(schema.names)
