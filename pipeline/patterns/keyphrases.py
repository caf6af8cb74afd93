"""Keyphrases: which phrases a night's texts hold, which of them belong together, and which are on the rise."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from pipeline.documents import RUN_DATE
from pipeline.patterns.phrase_config import KeyphrasesConfig
from pipeline.patterns.texts import EVIDENCE_DOCS, evidence_ids, with_evidence

_KEY = [RUN_DATE, "lang", "phrase"]
_TYPICAL_PHRASES = 10
"""New phrases a text brings, about: where max_counted holds so many of every text, those of a single text are counted too."""


def to_phrase_counts(phrased: DataFrame, config: KeyphrasesConfig) -> DataFrame:
    """Count the phrases of each night and language: phrase, lang, n_docs, n_effective, n_texts, n_hidden_max, is_part.

    A phrase counts once per text. At most `max_counted` rows per night and language, the most frequent; the words of a kept
    phrase are kept too. Phrases of fewer than `min_docs` texts have rows on small nights only, where they fit. Rows with
    `is_part` serve `to_keyphrases_daily` and are not published.
    """
    found = F.concat(
        F.transform("phrases", lambda p: F.struct(p.alias("phrase"), F.lit(False).alias("is_part"))),
        F.transform("parts", lambda p: F.struct(p.alias("phrase"), F.lit(True).alias("is_part"))),
    )
    rows = phrased.select(RUN_DATE, "lang", "n_docs", F.explode(found).alias("f"))
    counted = rows.groupBy(
        RUN_DATE, "lang", F.col("f.phrase").alias("phrase"), F.col("f.is_part").alias("is_part")
    ).agg(F.sum("n_docs").alias("n_docs"), F.count("*").alias("n_effective"))
    sizes = phrased.groupBy(RUN_DATE, "lang").agg(F.count("*").alias("n_texts"))
    lowest = F.when(F.col("n_texts") * _TYPICAL_PHRASES <= config.max_counted, 1).otherwise(config.min_docs)
    # one row per night and language on the right
    sized = counted.join(F.broadcast(sizes), [RUN_DATE, "lang"], "inner").withColumn("lowest", lowest)
    kept = sized.where(F.col("n_effective") >= F.col("lowest"))
    # a word is at least as frequent as its phrases, and comes before them where it is as frequent
    first = Window.partitionBy(RUN_DATE, "lang").orderBy(
        F.desc("n_effective"), F.size(F.split("phrase", " ")), "phrase", "is_part"
    )
    ranked = kept.withColumn("rank", F.row_number().over(first)).where(F.col("rank") <= config.max_counted)
    everything = Window.partitionBy(RUN_DATE, "lang")
    full = F.max("rank").over(everything) == config.max_counted
    hidden = F.when(full, F.min("n_effective").over(everything)).otherwise(F.col("lowest") - 1)
    return ranked.withColumn("n_hidden_max", hidden.cast("bigint")).select(
        RUN_DATE, "lang", "phrase", "n_docs", "n_effective", "n_texts", "n_hidden_max", "is_part"
    )


def log_likelihood_ratio(both: Column, first: Column, second: Column, total: Column) -> Column:
    """Return G2 of a 2x2 table: of `total` texts `first` have the one, `second` the other, `both` both; 0 where not above chance.

    Dunning, T. (1993), Accurate methods for the statistics of surprise and coincidence, Computational Linguistics 19(1). With one
    degree of freedom 10.83 is p = 0.001.
    """

    def term(observed: Column, row: Column, column: Column) -> Column:
        return F.when(observed > 0, observed * F.ln(observed * total / (row * column))).otherwise(0.0)

    g2 = 2 * (
        term(both, first, second)
        + term(first - both, first, total - second)
        + term(second - both, total - first, second)
        + term(total - first - second + both, total - first, total - second)
    )
    return F.when(both * total > first * second, F.greatest(g2, F.lit(0.0))).otherwise(0.0)


def npmi(both: Column, first: Column, second: Column, total: Column) -> Column:
    """Return normalised pointwise mutual information, -1 to 1; 1 where all texts have both.

    Bouma, G. (2009), Normalized (pointwise) mutual information in collocation extraction, GSCL.
    """
    ratio = F.ln(both * total / (first * second)) / F.ln(total / both)
    return F.when(both == total, 1.0).otherwise(F.greatest(F.lit(-1.0), F.least(F.lit(1.0), ratio)))


def with_cohesion(counts: DataFrame) -> DataFrame:
    """Add n_words, and for two and three words the g2 and npmi with which the words belong together; null for one word.

    Of three words both cuts are looked at (`a b | c`, `a | b c`), and the weaker counts. A count of texts stands for a count of
    places, so a text that repeats itself proves nothing; words that are in one text but apart count against the phrase.
    """
    words = F.split("phrase", " ")
    cut = counts.withColumns(
        {
            "n_words": F.size(words),
            "head": F.element_at(words, 1),
            "tail": F.element_at(words, -1),
            "front": F.array_join(F.slice(words, 1, 2), " "),
            "back": F.array_join(F.slice(words, -2, 2), " "),
        }
    )
    # the counts of one night and language, each phrase once (a word that is a part only in some texts: the larger count)
    known = counts.groupBy(*_KEY).agg(F.max("n_effective").alias("n"))
    multiple = cut.where(F.col("n_words") > 1)
    for side in ("head", "tail", "front", "back"):
        side_counts = known.select(
            RUN_DATE, "lang", F.col("phrase").alias(side), F.col("n").cast("double").alias(f"n_{side}")
        )
        multiple = multiple.join(side_counts, [RUN_DATE, "lang", side], "left")
    n, total = F.col("n_effective").cast("double"), F.col("n_texts").cast("double")
    n_head, n_tail = F.greatest("n_head", n), F.greatest("n_tail", n)
    # `of money`, `battery not` are no phrases and have no count; the word beside is then what is tested
    n_front = F.when(F.col("n_words") == 3, F.greatest("n_front", n)).otherwise(n_head)
    n_back = F.when(F.col("n_words") == 3, F.greatest("n_back", n)).otherwise(n_tail)
    left, right = F.coalesce(n_front, n_head), F.coalesce(n_back, n_tail)
    scored = multiple.withColumns(
        {
            "g2": F.least(log_likelihood_ratio(n, left, n_tail, total), log_likelihood_ratio(n, n_head, right, total)),
            "npmi": F.least(npmi(n, left, n_tail, total), npmi(n, n_head, right, total)),
        }
    ).select(*_KEY, "g2", "npmi")
    return counts.withColumn("n_words", F.size(words)).join(scored, _KEY, "left")


def with_c_value(kept: DataFrame) -> DataFrame:
    """Add `score`, the C-value: how much of a phrase stands on its own, log2(words + 1) * (n - mean n of phrases around it).

    Frantzi, Ananiadou, Mima (2000), Automatic recognition of multi-word terms; + 1 for single words after Barron-Cedeno et al.
    (2009). A word that occurs only within one longer phrase has 0.
    """
    words = F.split("phrase", " ")
    parts = F.array_distinct(
        F.concat(
            words, F.array(F.array_join(F.slice(words, 1, 2), " ")), F.array(F.array_join(F.slice(words, -2, 2), " "))
        )
    )
    longer = kept.where(F.col("n_words") > 1).select(
        RUN_DATE, "lang", "n_effective", F.explode(parts).alias("part"), "phrase"
    )
    nested = (
        longer.where(F.col("part") != F.col("phrase"))
        .groupBy(RUN_DATE, "lang", F.col("part").alias("phrase"))
        .agg(
            F.avg("n_effective").alias("n_around")  # of whole numbers: the sum is exact in any order
        )
    )
    around = F.coalesce("n_around", F.lit(0.0))
    score = F.log2(F.col("n_words") + 1.0) * F.greatest(F.col("n_effective") - around, F.lit(0.0))
    return kept.join(nested, _KEY, "left").withColumn("score", score).drop("n_around")


def with_history(counts: DataFrame, history: DataFrame, config: KeyphrasesConfig) -> DataFrame:
    """Add n_history, n_history_texts, history_nights, expected and burst from the `history_nights` nights before.

    Args:
        counts: rows of the nights to judge.
        history: published `phrase_counts` rows; those of and after a night are not looked at.
    """
    nights = counts.select(RUN_DATE).distinct()
    before = F.col("h.run_date").between(F.date_sub("n.run_date", config.history_nights), F.date_sub("n.run_date", 1))
    sizes = history.groupBy(RUN_DATE, "lang").agg(F.max("n_texts").alias("n"), F.max("n_hidden_max").alias("hidden"))
    # few rows: nights of the run x nights of the history x languages
    per_lang = F.broadcast(nights.alias("n")).join(sizes.alias("h"), before).groupBy(
        F.col("n.run_date").alias(RUN_DATE), "lang"
    ).agg(
        F.sum("n").alias("n_history_texts"), F.sum("hidden").alias("hidden"), F.count("*").alias("history_nights")
    )  # fmt: skip
    asked = counts.select(RUN_DATE, "lang", "phrase").alias("n")
    same = (F.col("n.lang") == F.col("h.lang")) & (F.col("n.phrase") == F.col("h.phrase")) & before
    seen = asked.join(history.alias("h"), same).groupBy(*[F.col(f"n.{c}").alias(c) for c in _KEY]).agg(
        F.sum("h.n_effective").alias("seen"), F.sum("h.n_hidden_max").alias("not_hidden")
    )  # fmt: skip
    joined = counts.join(F.broadcast(per_lang), [RUN_DATE, "lang"], "left").join(seen, _KEY, "left")
    at_most = F.coalesce("seen", F.lit(0)) + F.col("hidden") - F.coalesce("not_hidden", F.lit(0))
    expected = F.col("n_texts") * F.col("n_history") / F.col("n_history_texts")
    return joined.withColumn("n_history", at_most).withColumn("expected", expected).withColumn(
        "burst", (F.col("n_effective") + 0.5) / (F.col("expected") + 0.5)
    ).fillna(0, ["history_nights"]).drop("seen", "hidden", "not_hidden")  # fmt: skip


def _rise() -> Column:
    """Return the log-likelihood ratio of tonight's share against the history's; 0 where it did not rise or there is none."""
    n, n_texts = F.col("n_effective").cast("double"), F.col("n_texts").cast("double")
    n_all, total = n + F.col("n_history"), n_texts + F.col("n_history_texts")
    return F.coalesce(log_likelihood_ratio(n, n_texts, F.least(n_all, total), total), F.lit(0.0))


def to_keyphrases_daily(
    counts: DataFrame,
    history: DataFrame,
    phrased: DataFrame,
    texts: DataFrame,
    dates: Sequence[date],
    config: KeyphrasesConfig,
) -> DataFrame:
    """Return the `keyphrases_daily` rows of the nights `dates`.

    Args:
        counts: of `to_phrase_counts`, with the nights `dates`.
        history: `phrase_counts` of earlier nights, and of `dates` where these are several in one run.
        phrased: of `with_phrases`, with the nights `dates`.
        texts: run_date, doc_id, text.
    """
    nights = F.col(RUN_DATE).isin(list(dates))
    cohesive = with_cohesion(counts.where(nights)).where(~F.col("is_part"))
    together = (F.col("g2") >= config.min_g2) & (F.col("npmi") >= config.min_npmi)
    kept = cohesive.where((F.col("n_words") == 1) | together)
    scored = with_c_value(kept).where((F.col("score") > 0) & (F.col("n_effective") >= config.min_published))
    compared = with_history(scored, history, config).withColumn("rise", _rise())
    by_lang = Window.partitionBy(RUN_DATE, "lang")
    chosen = compared.withColumns(
        {
            "by_score": F.row_number().over(by_lang.orderBy(F.desc("score"), "phrase")),
            "by_rise": F.row_number().over(by_lang.orderBy(F.desc("rise"), "phrase")),
        }
    ).where(
        (F.col("by_score") <= config.max_phrases)
        | ((F.col("by_rise") <= config.max_bursts) & (F.col("rise") > 0))
    )  # fmt: skip
    chosen.persist()  # a few thousand rows, as those below; the plan reads them more than once
    rows = chosen.join(_described(chosen, phrased.where(nights), config), _KEY, "inner").persist()
    quoted = with_evidence(rows, texts, ["lang", "phrase"], F.col("phrase"))
    return quoted.select(
        RUN_DATE, F.col(RUN_DATE).alias("event_date"), "phrase", "display", "lang", "n_words", "n_docs", "n_effective",
        "n_texts", (F.col("n_effective") / F.col("n_texts")).alias("share"), "score", "g2", "npmi",
        "n_history", "n_history_texts", "history_nights", "expected", "burst", "topic_id", "mean_sentiment", "evidence",
    )  # fmt: skip


def _described(chosen: DataFrame, phrased: DataFrame, config: KeyphrasesConfig) -> DataFrame:
    """Return display, topic_id, mean_sentiment and docs of each chosen phrase."""
    pair = F.explode(F.arrays_zip("phrases", "surfaces")).alias("p")
    found = phrased.select(RUN_DATE, "lang", "content_key", "doc_id", "topic_id", "sentiment_score", pair)
    named = found.select("*", F.col("p.phrases").alias("phrase"), F.col("p.surfaces").alias("surface")).drop("p")
    # the chosen are few, each once
    mine = named.join(F.broadcast(chosen.select(*_KEY)), _KEY, "inner")
    is_surface = F.col("facet") == "surface"
    facet = F.explode(
        F.array(
            F.struct(F.lit("surface").alias("facet"), F.col("surface").alias("value")),
            F.struct(F.lit("topic").alias("facet"), F.col("topic_id").cast("string").alias("value")),
        )
    ).alias("f")
    per_value = mine.select("*", facet).select("*", "f.*").groupBy(*_KEY, "facet", "value").agg(
        F.count("*").alias("n"),
        F.sum(F.when(is_surface, F.col("sentiment_score").cast("decimal(9,6)"))).alias("score_sum"),
        F.count(F.when(is_surface, F.col("sentiment_score"))).alias("n_scored"),
        *evidence_ids(F.col("doc_id"), F.col("content_key")),
    )  # fmt: skip
    of_topic = F.when(F.col("value").isNotNull() & ~is_surface, F.struct("n", "value"))
    slots = [f"doc_{i}" for i in range(EVIDENCE_DOCS)]
    whole = per_value.groupBy(*_KEY).agg(
        F.max(F.when(is_surface, F.struct("n", "value"))).alias("display"),
        F.max(of_topic).alias("topic"),
        F.sum(F.when(is_surface, F.col("n"))).alias("n_all"),
        (F.sum("score_sum").cast("double") / F.sum("n_scored")).alias("mean_sentiment"),
        *[F.min(slot).alias(slot) for slot in slots],
    )
    mostly = F.col("topic.n") >= config.min_topic_share * F.col("n_all")
    return whole.select(
        *_KEY, F.col("display.value").alias("display"),
        F.when(mostly, F.col("topic.value").cast("bigint")).alias("topic_id"),
        "mean_sentiment", F.array_compact(F.array(*slots)).alias("docs"),
    )  # fmt: skip
