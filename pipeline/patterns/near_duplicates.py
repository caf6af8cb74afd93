"""Groups of equal and nearly equal texts of a night: distinct texts, candidates, components, canonical texts.

`docs/patterns/near_duplicates.md` has the method. A node is what differs in a night after case, punctuation and emoji are gone.
"""

import logging

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from pipeline.documents import CONTENT_KEY, RUN_DATE, TEXT
from pipeline.patterns.components import connected_components
from pipeline.patterns.near_duplicates_config import NearDuplicatesConfig
from pipeline.patterns.settled import settled
from udfs.hyperplanes import make_cosine, make_vector_bands
from udfs.minhash import BANDS, SIMILARITIES, SKETCHES, make_bands, make_similarity, make_sketch

logger = logging.getLogger(__name__)
_ROUND_COLUMNS = ("node", "canonical", "similarity", "by_meaning")


def grouped_texts(documents: DataFrame, config: NearDuplicatesConfig, embeddings: DataFrame | None = None) -> DataFrame:
    """Group the distinct texts of each night.

    Args:
        documents: accepted documents: run_date, doc_id, content_key, event_ts, text.
        embeddings: content_key (unique), embedding (unit vector); read where `semantic_similarity` is set.

    Returns:
        One row per (run_date, content_key) that belongs to a group of at least two documents: canonical_key (the content key of
        the group's canonical text), similarity (to it, 0 to 1), by_meaning (found by its embedding alone), n_docs, n_tokens,
        sketch. Each text is similar to its canonical text; the result depends on the night's documents and settings alone.
    """
    texts = settled(night_texts(documents, config))
    nodes = settled(to_nodes(texts))
    edges = similar_pairs(nodes, bucket_pairs(nodes, config), config)
    vectors = None
    if config.semantic_similarity is not None and embeddings is not None:
        # content_key is unique on the right
        vectors = settled(nodes.join(embeddings, on=CONTENT_KEY, how="inner").select(RUN_DATE, "node", "embedding"))
        edges = edges.unionByName(similar_meanings(vectors, vector_pairs(vectors, config), config))
    stars = _stars(nodes, edges, vectors, config)
    # node is unique in `nodes` and in `stars`
    named = nodes.select("node", RUN_DATE, "n_docs", CONTENT_KEY).join(stars, on="node", how="left")
    keys = nodes.select(F.col("node").alias("canonical"), F.col(CONTENT_KEY).alias("key_of_canonical"))
    grouped = named.join(keys, on="canonical", how="left").select(
        "node", RUN_DATE, "n_docs",
        F.coalesce("key_of_canonical", CONTENT_KEY).alias("canonical_key"),
        F.coalesce("similarity", F.lit(1.0)).alias("similarity"),
        F.coalesce("by_meaning", F.lit(False)).alias("by_meaning"),
    )  # fmt: skip
    size = F.sum("n_docs").over(Window.partitionBy(RUN_DATE, "canonical_key"))
    large = (
        grouped.withColumn("size", size).where("size > 1").select("node", "canonical_key", "similarity", "by_meaning")
    )
    return texts.join(large, on="node", how="inner").select(
        RUN_DATE, CONTENT_KEY, "canonical_key", "similarity", "by_meaning", "n_docs", "n_tokens", "sketch"
    )  # fmt: skip


def night_texts(documents: DataFrame, config: NearDuplicatesConfig) -> DataFrame:
    """Return each night's distinct texts: run_date, content_key, n_docs, first_ts, fold, n_tokens, sketch, node."""
    counted = documents.groupBy(RUN_DATE, CONTENT_KEY).agg(
        F.count("*").alias("n_docs"),
        F.min("event_ts").alias("first_ts"),
        F.first(TEXT).alias(TEXT),  # equal for a content key
    )
    sketches = counted.mapInArrow(make_sketch(config.minhash()), SKETCHES)
    return sketches.withColumn("node", F.xxhash64(F.lit(1), RUN_DATE, "fold"))


def to_nodes(texts: DataFrame) -> DataFrame:
    """Collapse texts equal but for case, punctuation and emoji; content_key and sketch are of the text of most documents."""
    first = F.struct(-F.col("n_docs"), "first_ts", CONTENT_KEY, "sketch")
    best = texts.groupBy(RUN_DATE, "node").agg(
        F.min(first).alias("best"), F.sum("n_docs").alias("n_docs"), F.min("first_ts").alias("first_ts")
    )
    return best.select(
        RUN_DATE, "node", "n_docs", "first_ts", f"best.{CONTENT_KEY}", F.col("best.sketch").alias("sketch")
    )


def bucket_pairs(nodes: DataFrame, config: NearDuplicatesConfig) -> DataFrame:
    """Return candidate pairs of a night (a < b) from the buckets of their MinHash bands."""
    bands = nodes.select(RUN_DATE, "node", "sketch").mapInArrow(make_bands(config.minhash()), BANDS)
    return linked(bands, RUN_DATE)


def vector_pairs(vectors: DataFrame, config: NearDuplicatesConfig) -> DataFrame:
    """Return candidate pairs of a night (a < b) from the buckets of their vectors (run_date, node, embedding)."""
    spec = config.hyperplanes()
    assert spec is not None
    return linked(vectors.mapInArrow(make_vector_bands(spec), BANDS), RUN_DATE)


def linked(bands: DataFrame, within: str) -> DataFrame:
    """Return distinct pairs a < b of members of a bucket: each with the two before it and with the bucket's first.

    At most three pairs per member, so that a bucket of n texts gives 3 n pairs, not n^2 / 2. Members are sorted by a hash value
    that similar texts share, so that similar ones are neighbours also in a bucket of many unlike texts; then by night.

    Args:
        within: a column; buckets are made within each of its values. Kept beside a and b.
    """
    order = Window.partitionBy(within, "band").orderBy("tie", RUN_DATE, "node")
    partners = F.array(F.first("node").over(order), F.lag("node", 1).over(order), F.lag("node", 2).over(order))
    pairs = bands.select(within, "node", partners.alias("partners")).where("partners[1] IS NOT NULL")
    each = pairs.select(within, "node", F.explode("partners").alias("other")).where(
        "other IS NOT NULL AND other != node"
    )
    return each.select(within, F.least("node", "other").alias("a"), F.greatest("node", "other").alias("b")).distinct()


def similar_pairs(nodes: DataFrame, pairs: DataFrame, config: NearDuplicatesConfig) -> DataFrame:
    """Return the pairs (a, b) that are similar enough, with their similarity. `nodes`: node (unique), sketch."""
    check = make_similarity(config.similarity, config.short_similarity, config.sketch_size)
    return _with_both(pairs, nodes, "sketch").mapInArrow(check, SIMILARITIES)


def similar_meanings(vectors: DataFrame, pairs: DataFrame, config: NearDuplicatesConfig) -> DataFrame:
    """Return the pairs (a, b) whose cosine is at least `semantic_similarity`. `vectors`: node (unique), embedding."""
    assert config.semantic_similarity is not None
    return _with_both(pairs, vectors, "embedding").mapInArrow(make_cosine(config.semantic_similarity), SIMILARITIES)


def _with_both(pairs: DataFrame, nodes: DataFrame, column: str) -> DataFrame:
    """Join a column of both nodes to pairs (a, b); `node` is unique."""
    for side in ("a", "b"):
        values = nodes.select(F.col("node").alias(side), F.col(column).alias(f"{column}_{side}"))
        pairs = pairs.join(values, on=side, how="inner")
    return pairs.select("a", "b", f"{column}_a", f"{column}_b")


def _stars(nodes: DataFrame, edges: DataFrame, vectors: DataFrame | None, config: NearDuplicatesConfig) -> DataFrame:
    """Cut components into stars: node, canonical (node), similarity, by_meaning; canonical nodes included.

    The canonical node of a component is that of most documents, then of most links, then the earliest, then of the least
    content key. What is not similar to it is put into components again, `config.rounds` times; what is left then stays alone.
    """
    left = settled(edges.select("a", "b"))
    n_left = left.count()
    found = nodes.where("false").select(
        "node", F.col("node").alias("canonical"), F.lit(1.0).alias("similarity"), F.lit(False).alias("by_meaning")
    )
    for _ in range(config.rounds):
        if n_left == 0:
            break
        components = connected_components(left)
        members = settled(_with_canonical(components, nodes, left))
        near = settled(_near_canonical(members, nodes, vectors, config))
        found = found.unionByName(near)
        rest = settled(_within(left, members.join(near.select("node"), "node", "left_anti").select("node")))
        left, n_left = rest, rest.count()
    if n_left:
        logger.info(
            f"groups    {n_left:,} links are left between texts unlike the canonical text of a group, which stay alone: "
            f"patterns.near_duplicates.rounds is {config.rounds}"
        )
    return found


def _with_canonical(components: DataFrame, nodes: DataFrame, edges: DataFrame) -> DataFrame:
    """Add `canonical`, a node, to each (node, component)."""
    ends = edges.select(F.explode(F.array("a", "b")).alias("node"))
    degree = ends.groupBy("node").agg(F.count("*").alias("degree"))
    # node is unique in all three
    described = components.join(nodes.select("node", "n_docs", "first_ts", CONTENT_KEY), "node").join(degree, "node")
    rank = F.struct(-F.col("n_docs"), -F.col("degree"), "first_ts", CONTENT_KEY, "node")
    best = F.min(rank).over(Window.partitionBy("component"))["node"]
    return described.select("node", best.alias("canonical"))


def _near_canonical(
    members: DataFrame, nodes: DataFrame, vectors: DataFrame | None, config: NearDuplicatesConfig
) -> DataFrame:
    """Return the members similar to their canonical node, and that node itself."""
    pairs = members.where("node != canonical").select(F.col("node").alias("a"), F.col("canonical").alias("b"))
    near = similar_pairs(nodes, pairs, config).withColumn("by_meaning", F.lit(False))
    if vectors is not None:
        meanings = similar_meanings(vectors, pairs, config).join(near.select("a"), "a", "left_anti")
        near = near.unionByName(meanings.withColumn("by_meaning", F.lit(True)))
    near = near.select(F.col("a").alias("node"), F.col("b").alias("canonical"), "similarity", "by_meaning")
    centres = members.where("node = canonical").select(
        "node", "canonical", F.lit(1.0).alias("similarity"), F.lit(False).alias("by_meaning")
    )
    return near.unionByName(centres).select(*_ROUND_COLUMNS)


def _within(edges: DataFrame, nodes: DataFrame) -> DataFrame:
    """Keep the edges between `nodes` (unique)."""
    for side in ("a", "b"):
        edges = edges.join(nodes.select(F.col("node").alias(side)), on=side, how="left_semi")
    return edges.select("a", "b")
