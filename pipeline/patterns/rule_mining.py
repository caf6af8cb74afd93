"""What the rules of one part of a night ask of its texts: on Spark, or, for a part that is small, in this process.

Both give the same answers: the local one runs the same Arrow functions on a table of the part's baskets, and finds frequent
itemsets by depth-first search over bit sets (Zaki, 2000, Scalable algorithms for association mining, IEEE TKDE 12(3)) where Spark
has FP-Growth.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.ml.fpm import FPGrowth
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from udfs.itemsets import COUNTED, make_bounds, make_counts, make_short

MAX_KEPT = 50_000
"""Itemsets the driver looks at per night and language, the most frequent ones."""
Places = tuple[int, ...]
Counted = dict[str, Any]
"""One itemset: n_mining, n_test, n_docs, docs."""

_COUNTED = T.StructType(
    [
        T.StructField("itemset", T.IntegerType()),
        *[T.StructField(name, T.LongType()) for name in ("n_mining", "n_test", "n_docs")],
        T.StructField("docs", T.ArrayType(T.StringType())),
    ]
)


class Texts(Protocol):
    """The baskets of one part: half (0 mining, 1 test), n_docs, doc_id, items."""

    def item_counts(self, lowest: int, limit: int) -> dict[str, int]:
        """Return the `limit` most frequent items of the mining half with at least `lowest` texts, most frequent first."""
        ...

    def bounds(self, frequent: dict[str, int], steps: Sequence[int], largest: int) -> list[float]:
        """Return for each step how many itemsets the mining half's baskets hold; see `udfs.itemsets.make_bounds`."""
        ...

    def itemsets(self, ranked: Sequence[str], support: int, largest_basket: int, largest: int) -> dict[Places, int]:
        """Return frequent itemsets of the mining half as sorted places in `ranked`, with their counts; at most `MAX_KEPT`.

        Of more the most frequent, and of these the smallest, which keeps every part of one kept.
        """
        ...

    def counts(self, items: Sequence[str], itemsets: Sequence[Places], n_evidence: int) -> list[Counted]:
        """Count itemsets (places in `items`) exactly on both halves."""
        ...


class SparkTexts:
    """A part as a frame, which the caller has persisted."""

    def __init__(self, frame: DataFrame) -> None:
        self._frame, self._mining = frame, frame.where("half = 0")

    def item_counts(self, lowest: int, limit: int) -> dict[str, int]:
        """See `Texts`."""
        counted = self._mining.select(F.explode("items").alias("item")).groupBy("item").agg(F.count("*").alias("n"))
        top = counted.where(F.col("n") >= lowest).orderBy(F.desc("n"), "item").limit(limit)
        return {row.item: row.n for row in top.collect()}  # bounded: limit

    def bounds(self, frequent: dict[str, int], steps: Sequence[int], largest: int) -> list[float]:
        """See `Texts`."""
        bound = make_bounds(frequent, steps, largest)
        subsets = self._mining.select("items").mapInArrow(bound, "step int, subsets double")
        summed = subsets.groupBy("step").agg(F.sum("subsets").alias("n")).collect()  # bounded: one row per step
        n = {row.step: row.n for row in summed}
        return [n.get(i, 0.0) for i in range(len(steps))]

    def itemsets(self, ranked: Sequence[str], support: int, largest_basket: int, largest: int) -> dict[Places, int]:
        """See `Texts`."""
        short = make_short(ranked, largest_basket)
        some = self._mining.select("items").mapInArrow(short, "items array<int>").where(F.size("items") > 0).persist()
        try:
            # FP-Growth takes a share, and its ceiling of share x n must be the count wanted
            share = min(1.0, max(support - 0.5, 0.5) / max(some.count(), 1))
            model = FPGrowth(itemsCol="items", minSupport=share, minConfidence=1.0).fit(some)
            sized = model.freqItemsets.where(F.size("items") <= largest)
            ordered = sized.select(F.sort_array("items").alias("items"), "freq").orderBy(
                F.desc("freq"), F.size("items"), "items"
            )
            kept = ordered.limit(MAX_KEPT).collect()  # bounded: MAX_KEPT
        finally:
            some.unpersist()
        return {tuple(row["items"]): row.freq for row in kept}

    def counts(self, items: Sequence[str], itemsets: Sequence[Places], n_evidence: int) -> list[Counted]:
        """See `Texts`."""
        counted = self._frame.select("half", "n_docs", "doc_id", "items").mapInArrow(
            make_counts(items, itemsets, n_evidence), _COUNTED
        )
        summed = counted.groupBy("itemset").agg(
            *[F.sum(name).alias(name) for name in COUNTED.names[1:4]],
            F.slice(F.sort_array(F.flatten(F.collect_list("docs"))), 1, n_evidence).alias("docs"),
        )  # fmt: skip
        rows = {row.itemset: row.asDict() for row in summed.collect()}  # bounded: as many rows as itemsets
        return [rows[i] for i in range(len(itemsets))]


class LocalTexts:
    """A part as an Arrow table: half, n_docs, doc_id, items."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table.combine_chunks()
        self._mining = self._table.filter(pc.equal(self._table.column("half"), 0)).combine_chunks()

    def item_counts(self, lowest: int, limit: int) -> dict[str, int]:
        """See `Texts`."""
        counted = pc.value_counts(pc.list_flatten(self._mining.column("items"))).to_pylist()
        kept = sorted((-c["counts"], c["values"]) for c in counted if c["counts"] >= lowest)
        return {item: -n for n, item in kept[:limit]}

    def bounds(self, frequent: dict[str, int], steps: Sequence[int], largest: int) -> list[float]:
        """See `Texts`."""
        (found,) = make_bounds(frequent, steps, largest)(iter(self._mining.select(["items"]).to_batches()))
        return [float(n) for n in found.column("subsets").to_pylist()]

    def itemsets(self, ranked: Sequence[str], support: int, largest_basket: int, largest: int) -> dict[Places, int]:
        """See `Texts`."""
        short = make_short(ranked, largest_basket)(iter(self._mining.select(["items"]).to_batches()))
        baskets = [basket for batch in short for basket in batch.column("items").to_pylist()]
        found = frequent_itemsets(baskets, support, largest)
        kept = sorted(found.items(), key=lambda entry: (-entry[1], len(entry[0]), entry[0]))[:MAX_KEPT]
        return dict(kept)

    def counts(self, items: Sequence[str], itemsets: Sequence[Places], n_evidence: int) -> list[Counted]:
        """See `Texts`."""
        batches = self._table.select(["half", "n_docs", "doc_id", "items"]).to_batches()
        (found,) = make_counts(items, itemsets, n_evidence)(iter(batches))
        rows: list[Counted] = found.to_pylist()
        return rows


def frequent_itemsets(baskets: Sequence[Sequence[int]], support: int, largest: int) -> dict[Places, int]:
    """Return every itemset of 1 to `largest` items that lies in at least `support` baskets, sorted, with its count."""
    sets: dict[int, int] = {}
    for place, basket in enumerate(baskets):
        for item in basket:
            sets[item] = sets.get(item, 0) | 1 << place
    single = [(item, rows) for item, rows in sorted(sets.items()) if rows.bit_count() >= max(support, 1)]
    found: dict[Places, int] = {}

    def grow(prefix: Places, rows: int, first: int) -> None:
        for place in range(first, len(single)):
            item, own = single[place]
            both = rows & own
            n = both.bit_count()
            if n >= max(support, 1):
                found[(*prefix, item)] = n
                if len(prefix) + 1 < largest:
                    grow((*prefix, item), both, place + 1)

    if baskets:
        grow((), (1 << len(baskets)) - 1, 0)
    return found


def without(table: pa.Table, prefix: str) -> pa.Table:
    """Drop the items that begin with `prefix` from a table's baskets."""
    lists = table.column("items").combine_chunks()
    keep = pc.invert(pc.starts_with(lists.flatten(), prefix))
    rows = pc.list_parent_indices(lists).filter(keep).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(lists)))]).astype(np.int32)
    fewer = pa.ListArray.from_arrays(pa.array(offsets), lists.flatten().filter(keep))
    return table.set_column(table.schema.get_field_index("items"), "items", fewer)
