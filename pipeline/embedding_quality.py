"""How good an encoder's vectors are: similarity of pairs, search across languages, agreement of topics across languages."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from pipeline.bootstrap import mean_estimate, spearman_estimate
from pipeline.errors import DataError
from pipeline.evaluation import Row, numbers, scored_texts
from pipeline.evaluation_config import EvaluateConfig, RetrievalSet, SimilaritySet
from pipeline.labelled import CONTENT_KEY, LANG_HINT, TEXT
from pipeline.text import content_key, language_hint, normalised
from pipeline.topics import spherical_kmeans
from udfs.spec import ScoreSpec

_BLOCK = 512
_MAX_VECTORS = 400_000
"""Vectors of one set that come to the driver: 614 MB of 384 dimensions."""
_SIDES = ("first", "second")


def similarity(spark: SparkSession, one: SimilaritySet, spec: ScoreSpec, config: EvaluateConfig) -> list[Row]:
    """Return, per language, Spearman's correlation of cosines with human scores, as SemEval's and STS-B's task has it.

    Cer et al. (2017), SemEval-2017 Task 1, arXiv:1708.00055. Pairs without a vector for both texts are counted in `n_unscored`.
    """
    pairs = _read(spark, one.path, one.name, (one.text, one.text2, one.score, one.lang))
    lang = language_hint(_column(one.lang))
    both = pairs.select(
        *_side("first", one.text, lang), *_side("second", one.text2, lang), _column(one.score).cast("double").alias("score")
    ).where(F.col("score").isNotNull())  # fmt: skip
    frame, vectors = _vectors(both, one.languages, one.max_pairs, ("first_key", "second_key"), ("score",), spec)
    found = []
    for language, mine in _by_language(frame):
        usable = mine[(mine["first_row"] >= 0) & (mine["second_row"] >= 0)]
        row = {**_base(one.name, str(language), mine), "n": len(usable), "n_unscored": len(mine) - len(usable)}
        if len(usable) >= 2:
            first, second = (vectors[usable[f"{side}_row"].to_numpy()].astype(np.float64) for side in _SIDES)
            cosines = (first * second).sum(axis=1)
            scores = usable["score"].to_numpy(np.float64)
            row["spearman"] = numbers(spearman_estimate(cosines, scores, config.resamples, config.seed))
        found.append(row)
    return found


def retrieval(spark: SparkSession, one: RetrievalSet, spec: ScoreSpec, config: EvaluateConfig) -> list[Row]:
    """Return, per language, how well a sentence finds its translation among those of the set, and how often topics agree.

    `to_english` and `from_english` hold `accuracy_at_1` and `mrr` (mean reciprocal rank) by exact search; a candidate as near as
    the translation counts as nearer. `topic_agreement` is the share of pairs whose two sides have the same nearest centroid of
    `n_topics`, fitted by spherical k-means on the English sides of all languages. Of equal texts of a language one is kept.
    The intervals resample pairs; the candidates stay.
    """
    pairs = _read(spark, one.path, one.name, (one.text, one.text_en, one.lang, one.sentence_id))
    both = pairs.select(
        *_side("first", one.text, language_hint(_column(one.lang))),
        *_side("second", one.text_en, F.lit("en")),
        _column(one.sentence_id).alias("place"),
    )
    one_per_sentence = Window.partitionBy("first_lang", "place").orderBy("first_key", "second_key")
    both = both.withColumn("nth", F.row_number().over(one_per_sentence)).where("nth = 1").drop("nth")
    frame, vectors = _vectors(both, one.languages, one.max_pairs, ("place", "first_key"), ("place",), spec)
    usable = frame[(frame["first_row"] >= 0) & (frame["second_row"] >= 0)]
    english = np.unique(usable["second_row"].to_numpy(np.int64))
    centroids = None
    if len(english):
        centroids, _ = spherical_kmeans(vectors[english], min(one.n_topics, len(english)), config.seed)
    found = []
    for language, mine in _by_language(frame):
        distinct = mine.drop_duplicates("first_key").drop_duplicates("second_key")
        good = distinct[(distinct["first_row"] >= 0) & (distinct["second_row"] >= 0)]
        row = {**_base(one.name, str(language), mine), "n": len(good), "n_unscored": len(distinct) - len(good)}
        if len(good) and centroids is not None:
            first, second = (vectors[good[f"{side}_row"].to_numpy()] for side in _SIDES)
            same = (first @ centroids.T).argmax(axis=1) == (second @ centroids.T).argmax(axis=1)
            row["to_english"] = _search(first, second, config)
            row["from_english"] = _search(second, first, config)
            row["topic_agreement"] = numbers(mean_estimate(same.astype(np.float64), config.resamples, config.seed))
        found.append(row)
    return found


def translation_ranks(queries: NDArray[np.float32], candidates: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the rank (1 is best) of candidate i for query i by cosine, among all n; the worst rank among equals.

    Args:
        queries: (n, d) unit rows; `candidates` likewise.
    """
    ranks = np.empty(len(queries), np.int64)
    for start in range(0, len(queries), _BLOCK):
        cosines = queries[start : start + _BLOCK] @ candidates.T  # (block, n)
        places = np.arange(len(cosines))
        ranks[start : start + _BLOCK] = (cosines >= cosines[places, start + places, None]).sum(axis=1)
    return ranks


def _search(queries: NDArray[np.float32], candidates: NDArray[np.float32], config: EvaluateConfig) -> Row:
    ranks = translation_ranks(queries, candidates)
    first, reciprocal = (ranks == 1).astype(np.float64), 1.0 / ranks
    return {
        "accuracy_at_1": numbers(mean_estimate(first, config.resamples, config.seed)),
        "mrr": numbers(mean_estimate(reciprocal, config.resamples, config.seed)),
    }


def _read(spark: SparkSession, path: str, name: str, columns: Sequence[str]) -> DataFrame:
    try:
        frame = spark.read.parquet(path)
    except Exception as error:
        raise DataError(f"{path}: cannot be read as Parquet ({type(error).__name__}); set {name}") from None
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        raise DataError(f"{path}: has no column {missing[0]} (set {name}); it has {', '.join(frame.columns)}")
    return frame


def _column(name: str) -> Column:
    return F.col("`" + name.replace("`", "``") + "`")


def _side(side: str, text: str, lang: Column) -> tuple[Column, Column, Column]:
    clean = normalised(F.make_valid_utf8(_column(text)))
    return clean.alias(f"{side}_text"), content_key(clean).alias(f"{side}_key"), lang.alias(f"{side}_lang")


def _vectors(
    pairs: DataFrame,
    languages: Sequence[str],
    max_pairs: int,
    order: Sequence[str],
    keep: Sequence[str],
    spec: ScoreSpec,
) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    """Embed the first `max_pairs` pairs of each language, in `order`.

    Returns:
        The pairs on the driver: first_key, first_lang, second_key, second_lang, the columns of `keep`, and first_row and
        second_row, the places of their vectors (-1 without one); and the vectors, (n, d) unit rows.

    Raises:
        DataError: no pair is left, or too many for the driver.
    """
    usable = pairs.where((F.col("first_text") != "") & (F.col("second_text") != ""))
    if languages:
        usable = usable.where(F.col("first_lang").isin(*languages))
    window = Window.partitionBy("first_lang").orderBy(*order)
    cut = usable.withColumn("nth", F.row_number().over(window)).where(F.col("nth") <= max_pairs).persist()
    columns = [f"{side}_{what}" for side in _SIDES for what in ("key", "lang")]
    frame = cut.select(*columns, *keep, "nth").limit(_MAX_VECTORS // 2 + 1).toPandas()  # bounded: _MAX_VECTORS
    if frame.empty or len(frame) > _MAX_VECTORS // 2:
        raise DataError(
            f"languages: {len(frame):,} pairs or more to compare, between 1 and {_MAX_VECTORS // 2:,} are possible; "
            "name other languages, or set max_pairs"
        )
    named = {"key": CONTENT_KEY, "lang": LANG_HINT, "text": TEXT}
    sides = [cut.select(*(F.col(f"{side}_{what}").alias(to) for what, to in named.items())) for side in _SIDES]
    results = scored_texts(sides[0].unionByName(sides[1]), spec).where("embedding is not null")
    found = results.select(CONTENT_KEY, LANG_HINT, "embedding").toPandas()  # bounded: two vectors a pair
    found = found.sort_values([CONTENT_KEY, LANG_HINT], ignore_index=True)
    places = pd.Series(found.index, index=pd.MultiIndex.from_frame(found[[CONTENT_KEY, LANG_HINT]]))
    for side in _SIDES:
        keys = pd.MultiIndex.from_frame(frame[[f"{side}_key", f"{side}_lang"]])
        frame[f"{side}_row"] = places.reindex(keys).fillna(-1).to_numpy(np.int64)
    vectors = np.stack(found["embedding"].to_list()) if len(found) else np.zeros((0, spec.encoder.dim))
    return frame.sort_values(["first_lang", "nth"], ignore_index=True), vectors.astype(np.float32)


def _by_language(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(str(language), mine) for language, mine in frame.groupby("first_lang", sort=True)]


def _base(name: str, language: str, pairs: pd.DataFrame) -> Row:
    """Say which pairs these are: results are of the same pairs where the digests are equal."""
    lines = "\n".join(pairs["first_key"] + " " + pairs["second_key"])
    return {"set": name, "lang": language or "und", "digest": hashlib.sha256(lines.encode()).hexdigest()[:16]}
