"""Aspects: which sentences mention them, and what these sentences' sentiment says of documents and days."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from pipeline.documents import CONTENT_KEY, DOC_ID, LANG_HINT, RUN_DATE, TEXT, counting_unit, to_texts
from pipeline.intervals import Z80, wilson
from pipeline.patterns.aspect_config import AspectsConfig
from pipeline.patterns.rules import to_vocabulary
from pipeline.patterns.series import ASPECT_COUNTS, CELL
from pipeline.patterns.settled import settled
from pipeline.patterns.texts import EVIDENCE_DOCS
from pipeline.schemas import SENTIMENTS
from pipeline.table import EVIDENCE
from pipeline.text import content_key
from udfs.aspect_terms import GIVEN, HEAD, MINED, MINED_LANGUAGES
from udfs.aspects import AspectSpec, make_mentions

_CANDIDATES = 4
"""Keyphrases looked at for each that is mined: most are nouns, and those that are not must leave some."""
_MENTIONS = (
    "run_date date, doc_id string, lang string, aspect string, aspect_source string, place int, is_noun boolean, "
    "sentence string, quote string, start int, end int, is_whole boolean"
)
_ASPECT = ("aspect_source", "aspect")
_JUDGED = ("sentiment", "sentiment_score", "sentiment_confidence", "sentiment_model", "sentiment_model_key")
_CELL = (RUN_DATE, "event_date", "group_key", "lang", *_ASPECT, "model_key")


def to_mentions(texts: DataFrame, keyphrases: DataFrame, dates: Sequence[date], config: AspectsConfig) -> DataFrame:
    """Return the sentences of the nights `dates` that mention an aspect; worth settling.

    Args:
        texts: run_date, doc_id, lang, sentiment, text of the documents that have a sentiment.
        keyphrases: `keyphrases_daily` of these nights; nouns of opinion among the best become the mined aspects.

    Returns:
        The columns of `udfs.aspects.MENTIONS` less place and is_noun, and the sentence's key in the score store: content_key, and
        lang_hint, which is its document's language, so that a short sentence is not taken for another language.
    """
    nights = F.col(RUN_DATE).isin(list(dates))
    mined = F.col("lang").isin(*MINED_LANGUAGES) & (F.col("n_effective") >= config.min_docs)
    rows = to_vocabulary(
        keyphrases.where(nights & mined), config.max_mined * _CANDIDATES
    ).collect()  # bounded: nights x 3 languages x 4 max_mined
    spec = AspectSpec(
        given=tuple((aspect.name, aspect.terms) for aspect in config.given),
        mined={(row[RUN_DATE], row.lang): list(row.vocabulary) for row in rows if config.max_mined},
        max_chars=config.max_chars,
        max_sentences=config.max_sentences,
        max_sentence_chars=config.max_sentence_chars,
    )
    asked = texts.where(nights)
    found = settled(asked.select(RUN_DATE, DOC_ID, "lang", TEXT).mapInArrow(make_mentions(spec), _MENTIONS))
    chosen = _chosen(found, asked.select(RUN_DATE, DOC_ID, "lang", _is_opinion().alias("is_opinion")), config)
    return found.join(F.broadcast(chosen), [RUN_DATE, "lang", *_ASPECT], "left_semi").select(
        *[c for c in found.columns if c not in ("place", "is_noun")],
        content_key(F.col("sentence")).alias(CONTENT_KEY),
        F.when(F.col("lang") == "und", "").otherwise(F.col("lang")).alias(LANG_HINT),
    )


def _is_opinion() -> Column:
    return F.col("sentiment").isin("negative", "positive")


def _chosen(found: DataFrame, texts: DataFrame, config: AspectsConfig) -> DataFrame:
    """Return run_date, lang, aspect_source, aspect of all given aspects and the first `max_mined` that are aspects: few rows.

    A mined phrase is one where it is a noun, the lower end of the 80 % Wilson interval of the share of texts that use it as one
    being at least `min_noun_share`; its last word is a noun too (not in Chinese); `min_docs` texts with it have an opinion; and
    the share of these is not significantly below that of all texts of the night and language.

    Args:
        texts: run_date, doc_id, lang, is_opinion.
    """
    key = (RUN_DATE, "lang", *_ASPECT)
    per_text = found.groupBy(*key, DOC_ID).agg(F.min("place").alias("place"), F.max("is_noun").alias("is_noun"))
    # (run_date, doc_id) identifies a document on both sides
    counted = per_text.join(texts.drop("lang"), [RUN_DATE, DOC_ID], "inner").groupBy(*key).agg(
        F.min("place").alias("place"), F.count("*").alias("n"), F.count_if("is_noun").alias("n_noun"),
        F.count_if("is_opinion").alias("n_opinion"),
    )  # fmt: skip
    named = counted.where(F.col("aspect_source") == GIVEN).select(*key)
    nouns = counted.where(F.col("n_noun") / F.col("n") >= config.min_noun_share)
    heads = nouns.where(F.col("aspect_source").isin(MINED, HEAD)).select(
        RUN_DATE, "lang", F.col("aspect").alias("head")
    )
    usual = texts.groupBy(RUN_DATE, "lang").agg(F.avg(F.col("is_opinion").cast("int")).alias("usual"))
    surely, _ = wilson(F.col("n_noun"), F.col("n"), Z80)
    _, at_most = wilson(F.col("n_opinion"), F.col("n"))
    last = F.when(F.col("lang") == "zh", F.lit("")).otherwise(F.substring_index("aspect", " ", -1))
    judged = nouns.where(F.col("aspect_source") == MINED).join(F.broadcast(usual), [RUN_DATE, "lang"], "inner").where(
        (surely >= config.min_noun_share) & (F.col("n_opinion") >= config.min_docs) & (at_most >= F.col("usual"))
    ).withColumn("head", last)  # fmt: skip
    chinese = judged.where(F.col("head") == "")
    others = judged.join(F.broadcast(heads.distinct()), [RUN_DATE, "lang", "head"], "left_semi")
    rank = F.row_number().over(Window.partitionBy(RUN_DATE, "lang").orderBy("place"))
    best = chinese.unionByName(others).withColumn("rank", rank).where(F.col("rank") <= config.max_mined)
    return named.unionByName(best.select(*key))


def to_sentences(mentions: DataFrame) -> DataFrame:
    """Return the distinct texts to score, content_key, lang_hint, text: sentences that are not a document by themselves."""
    parts = mentions.where(~F.col("is_whole"))
    return to_texts(parts.select(CONTENT_KEY, LANG_HINT, F.col("sentence").alias(TEXT)))


def to_doc_aspects(mentions: DataFrame, results: DataFrame, doc_scores: DataFrame) -> DataFrame:
    """Return `doc_aspects`, and besides what counts need: source, group_key, topic_id, event_ts, content_key, dup_group_id.

    A sentence that is the whole document has the document's sentiment. A sentence that could not be scored says nothing.

    Args:
        mentions: of `to_mentions`.
        results: content_key, lang_hint (unique together) and sentiment columns of the sentences.
        doc_scores: of the same nights.
    """
    theirs = results.select(CONTENT_KEY, LANG_HINT, F.struct(*_JUDGED).alias("part"))
    own = doc_scores.select(
        RUN_DATE, DOC_ID, "event_date", "event_ts", "source", "group_key", "topic_id", CONTENT_KEY, "dup_group_id", "model_key",
        F.struct(*_JUDGED).alias("whole"),
    )  # fmt: skip
    # one result per sentence, one document per (run_date, doc_id)
    joined = mentions.join(theirs, [CONTENT_KEY, LANG_HINT], "left").drop(CONTENT_KEY, LANG_HINT)
    judged = joined.join(own, [RUN_DATE, DOC_ID], "inner").withColumn(
        "s", F.when(F.col("is_whole"), F.col("whole")).otherwise(F.col("part"))
    )
    said = F.struct(
        "start",
        "end",
        F.coalesce("quote", "sentence").alias("quote"),
        *[F.col(f"s.{name}").alias(name) for name in _JUDGED],
    )
    kept = [
        RUN_DATE,
        DOC_ID,
        "event_date",
        "event_ts",
        "lang",
        "source",
        "group_key",
        "topic_id",
        CONTENT_KEY,
        "dup_group_id",
        "model_key",
        *_ASPECT,
    ]
    # at most max_sentences of one document and aspect
    grouped = judged.where(F.col("s.sentiment").isNotNull()).groupBy(*kept).agg(
        F.sort_array(F.collect_list(said)).alias("said")
    )  # fmt: skip
    return _summed_up(grouped, kept)


def _summed_up(grouped: DataFrame, kept: Sequence[str]) -> DataFrame:
    """Replace `said`, the judged sentences in the order of the text, by their mean and the sentence that speaks for it."""
    likely = F.transform("said", _with_probabilities)

    def mean(name: str) -> Column:
        return F.aggregate("said", F.lit(0.0), lambda total, s: total + s[name]) / F.size("said")

    means = {name: mean(name) for name in SENTIMENTS}
    averaged = grouped.withColumn("said", likely).withColumns({f"p_{name}": m for name, m in means.items()})
    negative, neutral, positive = (F.col(f"p_{name}") for name in means)
    label = (
        F.when(neutral >= F.greatest(negative, positive), "neutral")
        .when(negative >= positive, "negative")
        .otherwise("positive")
    )
    alone = F.size("said") == 1
    named = averaged.withColumn("label", F.when(alone, F.col("said")[0]["sentiment"]).otherwise(label))

    def clearness(s: Column) -> Column:
        of_label = F.when(F.col("label") == "negative", s["negative"]).when(F.col("label") == "positive", s["positive"])
        return F.struct(of_label.when(F.col("label") == "neutral", s["neutral"]).alias("p"), -s["start"], s.alias("s"))

    shown = named.withColumn("shown", F.array_max(F.transform("said", clearness))["s"])
    return shown.select(
        *kept, F.col("label").alias("sentiment"),
        F.round(positive - negative, 6).alias("sentiment_score"),
        F.round(F.greatest(negative, neutral, positive), 6).alias("sentiment_confidence"),
        F.size("said").alias("n_sentences"), "shown.quote", "shown.start", "shown.end",
        "shown.sentiment_model", "shown.sentiment_model_key",
    )  # fmt: skip


def _with_probabilities(said: Column) -> Column:
    """Add the three probabilities that follow from label, confidence P(label) and score P(positive) - P(negative)."""
    label, score, confidence = (said[name] for name in ("sentiment", "sentiment_score", "sentiment_confidence"))
    other = F.greatest(F.lit(0.0), 1 - 2 * confidence + F.abs(score))
    neutral = F.when(label == "neutral", confidence).otherwise(other)
    names = ("start", "end", "quote", "sentiment", "sentiment_model", "sentiment_model_key")
    return F.struct(
        *[said[name].alias(name) for name in names],
        ((1 - neutral - score) / 2).alias("negative"), neutral.alias("neutral"), ((1 - neutral + score) / 2).alias("positive"),
    )  # fmt: skip


def to_aspect_daily(doc_aspects: DataFrame, cascade_key: str | None = None) -> DataFrame:
    """Return `aspect_daily` of what `to_doc_aspects` returns. A group of near-duplicates counts with its first document."""
    of_unit = Window.partitionBy(*_CELL, counting_unit()).orderBy("event_ts", DOC_ID)
    units = doc_aspects.withColumn("is_first", F.row_number().over(of_unit) == 1)
    clearest = Window.partitionBy(*_CELL).orderBy(F.desc("is_first"), F.desc(F.abs("sentiment_score")), DOC_ID)
    ranked = units.withColumn("rank", F.row_number().over(clearest))
    first = F.col("is_first")
    shown = F.when(first & (F.col("rank") <= EVIDENCE_DOCS), F.struct(DOC_ID, "quote", "start", "end"))
    n_of = {
        s: F.count_if(first & (F.col("sentiment") == s)).alias(f"n_{s}") for s in ("negative", "neutral", "positive")
    }
    score = F.when(first, F.col("sentiment_score").cast("decimal(9,6)"))
    cells = ranked.groupBy(*_CELL).agg(
        F.count("*").alias("n_docs"), F.count_if(first).alias("n_effective"), *n_of.values(),
        F.sum(score).cast("double").alias("score_sum"), F.sort_array(F.collect_list(shown)).cast(EVIDENCE).alias("evidence"),
    )  # fmt: skip
    low, high = wilson(F.col("n_negative"), F.col("n_effective"))
    return cells.withColumns(
        {
            "share_negative": F.col("n_negative") / F.col("n_effective"),
            "ci_low": low,
            "ci_high": high,
            "mean_score": F.col("score_sum") / F.col("n_effective"),
            "cascade_key": F.lit(cascade_key).cast("string"),
        }
    ).drop("score_sum")


def to_aspect_cells(doc_aspects: DataFrame, looked_for: DataFrame) -> DataFrame:
    """Return `aspect_cells_daily`. A group of near-duplicates counts with its first document that mentions the aspect.

    Args:
        doc_aspects: of `to_doc_aspects`; mined aspects are not counted.
        looked_for: run_date, aspect, definition of the given aspects of each night.
    """
    per_unit = Window.partitionBy(RUN_DATE, "aspect", counting_unit()).orderBy("event_ts", DOC_ID)
    given = doc_aspects.where(F.col("aspect_source") == GIVEN).withColumn("first", F.row_number().over(per_unit) == 1)
    cells = given.groupBy(RUN_DATE, "aspect", *CELL).agg(
        F.count("*").alias("n_docs"),
        F.count_if("first").alias("n_effective"),
        F.count_if(F.col("first") & (F.col("sentiment") == "negative")).alias("n_negative"),
    )
    # (run_date, aspect) is unique on the left
    return looked_for.join(cells, [RUN_DATE, "aspect"], "left").fillna(0, list(ASPECT_COUNTS))
