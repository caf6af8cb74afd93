"""Labelled rows for a head: the classes, one row per text, and an account of every row that is left out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.errors import DataError
from pipeline.evaluation import with_scores
from pipeline.head_config import MAX_CLASSES, HeadConfig
from pipeline.head_training import Labelled, make_labelled
from pipeline.labelled import CONTENT_KEY, LABEL, SET_NAME, LabelledSet, read_labelled
from pipeline.schemas import SENTIMENTS
from udfs.spec import ScoreSpec

FEW_ROWS = 5
"""A class with fewer rows is named in a warning."""


@dataclass(frozen=True)
class RowCounts:
    """Where the rows of the files went. `read` is the sum of all others.

    Attributes:
        read: rows in the files.
        unusable: without text, in a language the set leaves out, or with a label that is no class.
        unscored: texts the encoder does not cover or failed on.
        beyond_max_rows: not taken because of `max_rows`.
        duplicates: the same text with the label that was kept.
        contradicting: the same text with another label than the one that was kept, or all of its rows where no label leads.
        kept: rows to train on.
    """

    read: int = 0
    unusable: int = 0
    unscored: int = 0
    beyond_max_rows: int = 0
    duplicates: int = 0
    contradicting: int = 0
    kept: int = 0


@dataclass(frozen=True)
class LabelRows:
    """Embedded rows, one per text: (n, d) unit vectors, n labels, n names of sets, n content keys, and where the rest went."""

    embeddings: NDArray[np.float32]
    labels: list[str]
    sets: list[str]
    keys: list[str]
    counts: RowCounts = field(default_factory=RowCounts)


@dataclass(frozen=True)
class HeadRows:
    """What a head is trained and judged on, and where the other rows went."""

    classes: tuple[str, ...]
    train: Labelled
    validation: Labelled | None
    warnings: list[str]
    of_train: RowCounts
    of_validation: RowCounts | None

    def by_set(self) -> dict[str, int]:
        """Return the training rows of each set."""
        return {name: int((self.train.sets == name).sum()) for name in sorted(set(self.train.sets))}

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the accounts as plain values."""
        both = {"train": self.of_train, "validation": self.of_validation}
        return {name: asdict(counts) for name, counts in both.items() if counts}

    def description(self) -> list[str]:
        """Say in lines of text where all rows went."""
        of_validation = describe(self.of_validation, "validation") if self.of_validation else []
        return [*describe(self.of_train, "train"), *of_validation]


def read_head_rows(spark: SparkSession, config: HeadConfig, spec: ScoreSpec) -> HeadRows:
    """Read, embed and collect the rows a configuration names.

    Raises:
        DataError: a set cannot be read; a class has no row; there are too many classes or too few.
    """
    is_sentiment = config.task == "sentiment"
    named = config.labels or (SENTIMENTS if is_sentiment else None)
    classes = named or labels_of(spark, config.train)
    train = collect_rows(spark, config.train, classes, spec, config.max_rows)
    if named is None:
        classes = tuple(label for label in classes if label in set(train.labels))
    warnings = small_classes(train.labels, classes)
    validation, of_validation = None, None
    if config.validation:
        judged = collect_rows(spark, config.validation, classes, spec, config.max_rows)
        of_validation = judged.counts
        validation = make_labelled(judged.embeddings, judged.labels, judged.sets, classes, knows_all=not is_sentiment)
        shared = len(set(train.keys) & set(judged.keys))
        if shared:
            warnings.append(f"{shared:,} texts are both in train and in validation: the figures flatter")
    labelled = make_labelled(train.embeddings, train.labels, train.sets, classes, knows_all=not is_sentiment)
    return HeadRows(classes, labelled, validation, warnings, train.counts, of_validation)


def labels_of(spark: SparkSession, sets: Sequence[LabelledSet]) -> tuple[str, ...]:
    """Return the labels the sets hold, after `rename`, in alphabetical order.

    Raises:
        DataError: a set cannot be read; there are more than 500 labels, or fewer than two.
    """
    found: set[str] = set()
    for one in sets:
        distinct = _column(spark, one).where(F.col(LABEL).isNotNull()).distinct().limit(MAX_CLASSES + 1)
        found |= {one.rename.get(row[LABEL], row[LABEL]) for row in distinct.collect()}  # bounded: MAX_CLASSES + 1
        if len(found) > MAX_CLASSES:
            raise DataError(
                f"train: set {one.name}: more than {MAX_CLASSES} labels in column {one.label}; is it a class? "
                "List the ones you mean in `labels`"
            )
    if len(found) < 2:
        raise DataError(f"train: the sets hold {len(found)} label(s), {', '.join(found)}; a head needs two or more")
    return tuple(sorted(found))


def collect_rows(
    spark: SparkSession, sets: Sequence[LabelledSet], classes: Sequence[str], spec: ScoreSpec, max_rows: int
) -> LabelRows:
    """Embed the sets' rows and bring them to the driver, one row per text, in an order that does not depend on the cluster.

    Raises:
        DataError: a set cannot be read, has no usable row, or nothing is left.
    """
    read = sum(_column(spark, one).count() for one in sets)
    labelled = read_labelled(spark, sets, classes).persist()
    results = with_scores(labelled, spec).select(CONTENT_KEY, SET_NAME, LABEL, "embedding").persist()
    try:
        usable = labelled.count()
        scored = results.where(F.col("embedding").isNotNull())
        n_scored = scored.count()
        ordered = scored.orderBy(CONTENT_KEY, SET_NAME, LABEL).limit(max_rows)
        frame = ordered.toPandas()  # bounded: max_rows rows
    finally:
        results.unpersist()
        labelled.unpersist()
    if frame.empty:
        raise DataError("train: no row could be embedded; do the texts have a language the encoder covers?")
    kept = resolve_duplicates(frame)
    same, other = _duplicates(frame, kept)
    counts = RowCounts(read, read - usable, usable - n_scored, n_scored - len(frame), same, other, len(kept))
    vectors = np.stack(kept["embedding"].to_list()).astype(np.float32)
    return LabelRows(vectors, list(kept[LABEL]), list(kept[SET_NAME]), list(kept[CONTENT_KEY]), counts)


def resolve_duplicates(frame: Any) -> Any:
    """Keep one row per text: its first with the label most of its rows have; none where two labels lead.

    Args:
        frame: pandas rows of content_key and label, sorted by content_key.
    """
    votes = frame.groupby([CONTENT_KEY, LABEL], sort=True).size().rename("votes").reset_index()
    most = votes.groupby(CONTENT_KEY)["votes"].transform("max")
    leading = votes[votes["votes"] == most]
    leading = leading[~leading[CONTENT_KEY].duplicated(keep=False)]
    kept = frame.merge(leading[[CONTENT_KEY, LABEL]], on=[CONTENT_KEY, LABEL], how="inner")
    return kept.drop_duplicates(CONTENT_KEY).reset_index(drop=True)


def describe(counts: RowCounts, name: str) -> list[str]:
    """Say in lines of text where the rows went; what is zero is left out."""
    reasons = {
        "without text, in another language or with a label that is no class": counts.unusable,
        "not covered by the encoder": counts.unscored,
        "beyond max_rows": counts.beyond_max_rows,
        "the same text and label again": counts.duplicates,
        "the same text with another label (the majority was kept; without one, none)": counts.contradicting,
    }
    left_out = [f"  {n:,} left out: {reason}" for reason, n in reasons.items() if n]
    return [f"{name}: {counts.read:,} rows read, {counts.kept:,} kept", *left_out]


def small_classes(labels: Sequence[str], classes: Sequence[str]) -> list[str]:
    """Return one warning for each class with fewer than 5 rows.

    Raises:
        DataError: a class has no row at all.
    """
    counts = dict.fromkeys(classes, 0)
    for label in labels:
        counts[label] += 1
    empty = [name for name, n in counts.items() if n == 0]
    if empty:
        raise DataError(
            f"labels: no row has the label {', '.join(empty)} (after duplicates and rows without a vector are left out); "
            "remove it from `labels`, or see `rename`"
        )
    return [
        f"class {name} has {n} row(s): too few to learn or to judge; give it {FEW_ROWS} or more, or merge it with `rename`"
        for name, n in counts.items()
        if n < FEW_ROWS
    ]


def _duplicates(frame: Any, kept: Any) -> tuple[int, int]:
    """Return how many rows repeat a kept row, and how many contradict one or each other."""
    same = frame.merge(kept[[CONTENT_KEY, LABEL]], on=[CONTENT_KEY, LABEL], how="inner")
    return len(same) - len(kept), len(frame) - len(same)


def _column(spark: SparkSession, one: LabelledSet) -> DataFrame:
    try:
        frame = spark.read.parquet(one.path)
    except Exception as error:
        raise DataError(f"{one.path}: cannot be read as Parquet ({type(error).__name__}); set {one.name}") from None
    if one.label not in frame.columns:
        raise DataError(f"{one.path}: has no column {one.label} (set {one.name}); it has {', '.join(frame.columns)}")
    return frame.select(F.col("`" + one.label.replace("`", "``") + "`").cast("string").alias(LABEL))
