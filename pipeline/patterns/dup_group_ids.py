"""Ids of duplicate groups that agree across nights: a group carries on the id of an earlier night's group like it."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.documents import RUN_DATE
from pipeline.patterns.components import connected_components
from pipeline.patterns.near_duplicates import linked, similar_pairs
from pipeline.patterns.near_duplicates_config import NearDuplicatesConfig
from pipeline.patterns.settled import settled
from udfs.group_ids import RESOLVED, resolve
from udfs.minhash import BANDS, make_bands

_KEY = "canonical_key"
ID_CHARS = 16


def with_group_ids(
    canonicals: DataFrame, history: DataFrame | None, dates: Sequence[date], config: NearDuplicatesConfig
) -> DataFrame:
    """Name the groups of the nights: run_date, canonical_key, dup_group_id, first_seen (first night of the id).

    A group takes the id of the most similar group of the `history_nights` nights before, if their canonical texts are similar
    enough; one id goes to one group of a night, the more similar first. Another takes the first 16 digits of its canonical key.

    Args:
        canonicals: groups to name: run_date, canonical_key (unique in a night), n_docs, sketch.
        history: published `dup_groups`; nights in `dates` are ignored, as they are made anew.
    """
    own = canonicals.select(
        RUN_DATE,
        _KEY,
        "n_docs",
        "sketch",
        F.lit(None).cast("string").alias("known_id"),
        F.lit(None).cast("date").alias("known_since"),
    )
    if history is None or config.history_nights == 0:
        known = own.limit(0)
    else:
        columns = (
            RUN_DATE,
            _KEY,
            "n_docs",
            "sketch",
            F.col("dup_group_id").alias("known_id"),
            F.col("first_seen").alias("known_since"),
        )
        known = history.where(~F.col(RUN_DATE).isin(list(dates))).select(*columns)
    nodes = own.unionByName(known).withColumn("node", F.xxhash64(F.lit(2), RUN_DATE, _KEY))
    links = settled(_links(nodes, dates, config)) if config.history_nights else None
    resolved = _resolved(nodes, links) if links is not None else None
    named = own.select(RUN_DATE, _KEY)
    if resolved is not None:
        named = named.join(
            resolved, on=[RUN_DATE, _KEY], how="left"
        )  # (run_date, canonical_key) is unique on both sides
    else:
        named = named.withColumns({"dup_group_id": F.lit(None).cast("string"), "first_seen": F.lit(None).cast("date")})
    return named.select(
        RUN_DATE, _KEY,
        F.coalesce("dup_group_id", F.left(_KEY, F.lit(ID_CHARS))).alias("dup_group_id"),
        F.coalesce("first_seen", RUN_DATE).alias("first_seen"),
    )  # fmt: skip


def _links(nodes: DataFrame, dates: Sequence[date], config: NearDuplicatesConfig) -> DataFrame:
    """Return `child`, `parent` (nodes) and similarity of like groups, the parent up to `history_nights` nights before the child.

    Each night has buckets of its own with its groups and those it may carry on: later nights never change what it finds.
    """
    bands = nodes.select(RUN_DATE, "node", "sketch").mapInArrow(make_bands(config.minhash()), BANDS)
    reach = F.sequence(F.col(RUN_DATE), F.date_add(RUN_DATE, config.history_nights))
    targets = bands.withColumn("target", F.explode(reach)).where(F.col("target").isin(list(dates)))
    pairs = linked(targets, "target")
    for side in ("a", "b"):  # node is unique
        pairs = pairs.join(nodes.select(F.col("node").alias(side), F.col(RUN_DATE).alias(f"night_{side}")), on=side)
    b_is_child = F.col("night_b") > F.col("night_a")
    night = F.greatest("night_a", "night_b")
    across = pairs.where((F.col("night_a") != F.col("night_b")) & (night == F.col("target")))
    oriented = across.select(
        F.when(b_is_child, F.col("b")).otherwise(F.col("a")).alias("a"),
        F.when(b_is_child, F.col("a")).otherwise(F.col("b")).alias("b"),
    )
    return similar_pairs(nodes, oriented, config).select(
        F.col("a").alias("child"), F.col("b").alias("parent"), "similarity"
    )


def _resolved(nodes: DataFrame, links: DataFrame) -> DataFrame:
    """Give ids to the groups that are like one of another night, component by component, night by night."""
    components = connected_components(links.select(F.col("child").alias("a"), F.col("parent").alias("b")))
    # node is unique in both, and a link has one child
    described = components.join(nodes.drop("sketch"), on="node", how="inner")
    parents = links.groupBy(F.col("child").alias("node")).agg(
        F.sort_array(F.collect_list(F.struct(-F.col("similarity"), "parent"))).alias("p")
    )
    rows = described.join(parents, on="node", how="left").select(
        "component", "node", RUN_DATE, _KEY, "n_docs", "known_id", "known_since",
        F.transform("p", lambda x: x["parent"]).alias("parents"),
        F.transform("p", lambda x: -x.getField("col1")).alias("similarities"),
    )  # fmt: skip
    return rows.groupBy("component").applyInPandas(_resolve, RESOLVED)


def _resolve(rows: pd.DataFrame) -> pd.DataFrame:
    return resolve(rows, ID_CHARS)
