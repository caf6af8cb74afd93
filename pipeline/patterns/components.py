"""Connected components of a graph as a few joins.

Kiveris, Lattanzi, Mirrokni, Rastogi and Vassilvitskii, Connected components in MapReduce and beyond, SoCC 2014: large-star and
small-star in turns. A large-star links the larger neighbours of each node to its least one, a small-star the others; both keep
the components, and what remains is a star around the least node of each. O(log^2 n) rounds proven, a handful in practice.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from pipeline.errors import NightjarError
from pipeline.patterns.settled import settled

_PAIR = ("a", "b")


def connected_components(edges: DataFrame, max_rounds: int = 40) -> DataFrame:
    """Return `node`, `component` (the least node of the component) for each node of `edges` (a, b: long, no order needed).

    An edge from a node to itself is ignored.

    Raises:
        NightjarError: the graph has not settled after `max_rounds` rounds.
    """
    stars = settled(_ordered(edges))
    before = _fingerprint(stars)
    for _ in range(max_rounds):
        stars = settled(_small_star(_large_star(stars)))
        after = _fingerprint(stars)
        if after == before:
            return _labels(stars)
        before = after
    raise NightjarError(f"connected components have not settled after {max_rounds} rounds ({before[0]} links)")


def _labels(stars: DataFrame) -> DataFrame:
    members = _exploded(stars, F.struct("a", "b"), F.struct(F.col("b").alias("a"), "b"))
    return members.distinct().select(F.col("a").alias("node"), F.col("b").alias("component"))


def _exploded(edges: DataFrame, *links: Column) -> DataFrame:
    """Return several links made of each."""
    return edges.select(F.explode(F.array(*links)).alias("link")).select("link.a", "link.b")


def _ordered(edges: DataFrame) -> DataFrame:
    """Return each link once, larger node first."""
    larger, smaller = F.greatest(*_PAIR).alias("a"), F.least(*_PAIR).alias("b")
    return edges.where("a != b").select(larger, smaller).distinct()


def _large_star(edges: DataFrame) -> DataFrame:
    both = _exploded(edges, F.struct("a", "b"), F.struct(F.col("b").alias("a"), F.col("a").alias("b")))
    least = F.least("a", F.min("b").over(Window.partitionBy("a")))
    return both.withColumn("least", least).where("b > a").select(F.col("b").alias("a"), F.col("least").alias("b"))


def _small_star(edges: DataFrame) -> DataFrame:
    linked = edges.distinct().withColumn("least", F.min("b").over(Window.partitionBy("a")))
    to_least = F.col("least").alias("b")
    linked = _exploded(linked, F.struct(F.col("b").alias("a"), to_least), F.struct("a", to_least))
    return linked.where("a != b").distinct()


def _fingerprint(edges: DataFrame) -> tuple[int, int]:
    """Return the number of links and a sum over their hashes: equal for equal sets."""
    total = F.sum(F.xxhash64(*_PAIR).cast("decimal(38,0)")).alias("s")
    row = edges.agg(F.count("*").alias("n"), total).collect()[0]  # bounded: one row
    return row.n, int(row.s or 0)
