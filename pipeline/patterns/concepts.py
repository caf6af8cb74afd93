"""The concept graph: phrases of one language that stand in the same text more often than chance has it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.documents import RUN_DATE
from pipeline.patterns.concept_tables import CONCEPT_GRAPH
from pipeline.patterns.phrase_config import ConceptsConfig
from pipeline.patterns.rule_statistics import benjamini_hochberg, fisher_p
from pipeline.patterns.rules import to_vocabulary
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
        edges = _edges(frame, vocabulary[(key[0], key[1])], config)
        return edges.assign(run_date=key[0], lang=key[1])[schema.names]

    found = (
        sized.groupBy(RUN_DATE, "lang").applyInPandas(graph, schema)
        if vocabulary
        else spark.createDataFrame([], schema)
    )
    return found.select(schema.names)


def _edges(frame: pd.DataFrame, names: list[str], config: ConceptsConfig) -> pd.DataFrame:
    """Return the edges of one graph with their statistics and communities."""
    total = int(frame["n_texts"].iloc[0])
    alone = frame[frame["first"] == frame["second"]].set_index("first")["n_effective"]
    pairs = frame[frame["first"] != frame["second"]]
    words = [set(name.split()) for name in names]
    apart = [not (words[a] & words[b]) for a, b in zip(pairs["first"], pairs["second"], strict=True)]
    pairs = pairs[np.array(apart, dtype=bool)]
    ends = [pairs[side].map(alone).to_numpy(dtype=np.int64) for side in ("first", "second")]
    both = pairs["n_effective"].to_numpy(dtype=np.int64)
    p = fisher_p(both, ends[0], ends[1], total)
    # pairs that never meet were candidates too; their p is 1
    n_tests = sum(not (words[a] & words[b]) for a in range(len(words)) for b in range(a))
    pairs = pairs.assign(
        p_value=p, q_value=benjamini_hochberg(p, max(n_tests, len(p))), npmi=npmi_of(both, ends[0], ends[1], total),
        n_source=ends[0], n_target=ends[1], n_texts=total,
        source=[names[i] for i in pairs["first"]], target=[names[i] for i in pairs["second"]],
    )  # fmt: skip
    scored = pairs["n_scored"].to_numpy(dtype=np.float64)
    mean = pairs["score_sum"].to_numpy(dtype=np.float64) / np.where(scored > 0, scored, np.nan) / _MILLION
    pairs = pairs.assign(mean_sentiment=[None if np.isnan(m) else float(m) for m in mean])
    kept = pairs[
        (pairs["q_value"] <= config.max_q)
        & (pairs["npmi"] >= config.min_npmi)
        & (pairs["n_effective"] >= config.min_docs)
    ]
    swapped = kept["source"] > kept["target"]
    columns = ["source", "target", "n_source", "n_target"]
    kept.loc[swapped, columns] = kept.loc[swapped, ["target", "source", "n_target", "n_source"]].to_numpy()
    kept = kept.sort_values(["p_value", "npmi", "source", "target"], ascending=[True, False, True, True])
    kept = kept.head(config.max_edges)
    return kept.assign(community=communities(kept, config))


def npmi_of(both: Any, first: Any, second: Any, total: int) -> Any:
    """Return normalised pointwise mutual information, -1 to 1 (see `keyphrases.npmi`); 1 where all texts have both."""
    both = np.asarray(both, dtype=np.float64)
    everywhere = both >= total
    safe = np.where(everywhere, 0.5, both / total)
    ratio = np.log(np.maximum(both, 1e-300) * total / (np.asarray(first, dtype=np.float64) * second)) / -np.log(safe)
    return np.where(everywhere, 1.0, np.clip(ratio, -1.0, 1.0))


def communities(edges: pd.DataFrame, config: ConceptsConfig) -> list[str | None]:
    """Return the community of each edge, named by its phrase with the most weight; null where the ends are in two.

    Louvain (Blondel et al., 2008) on npmi with a fixed seed and the phrases in order, so that equal edges give equal communities.
    """
    if edges.empty:
        return []
    import networkx as nx

    names = sorted({*edges["source"], *edges["target"]})
    place = {name: i for i, name in enumerate(names)}
    graph = nx.Graph()
    graph.add_nodes_from(range(len(names)))
    rows = sorted(zip(edges["source"], edges["target"], edges["npmi"], strict=True))
    graph.add_weighted_edges_from((place[a], place[b], float(w)) for a, b, w in rows)
    groups = nx.community.louvain_communities(graph, weight="weight", resolution=config.resolution, seed=config.seed)
    weight = dict(graph.degree(weight="weight"))
    of_node: dict[str, str] = {}
    for group in groups:
        best = min(group, key=lambda i: (-round(weight[i], 9), i))
        of_node |= {names[i]: names[best] for i in group}
    pairs = zip(edges["source"], edges["target"], strict=True)
    return [of_node[a] if of_node[a] == of_node[b] else None for a, b in pairs]
