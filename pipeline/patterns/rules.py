"""Association rules: FP-Growth finds them on one half of a night's texts, the other half tests them.

Per night and language, since words of one language go together for no better reason than that; and once over all languages
for the items that are not phrases. The halves are chosen by a hash of the text, so a rerun takes the same. Because a rule is
tested on texts that did not choose it, its p-value needs no correction for the search, only for the number of rules tested.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.documents import RUN_DATE
from pipeline.patterns.phrase_config import RulesConfig
from pipeline.patterns.rule_mining import Counted, LocalTexts, SparkTexts, Texts, without
from pipeline.patterns.rule_statistics import Itemset, Rule, candidates, without_redundant
from pipeline.patterns.rule_tables import ASSOCIATION_RULES
from pipeline.patterns.texts import with_evidence
from udfs.pattern_statistics import benjamini_hochberg, fisher_p, wilson_interval

logger = logging.getLogger(__name__)

_LADDER = 1.5
"""Factor between the supports that are tried when the lowest would give too many itemsets."""
_KINDS = ("sentiment", "group", "topic", "source", "lang")
"""Kinds of items that are not phrases, in the order in which a crowded basket keeps them."""


def to_baskets(phrased: DataFrame, vocabulary: DataFrame) -> DataFrame:
    """Return one basket per night and text: run_date, lang, doc_id, n_docs, half (0 mining, 1 test), items.

    Args:
        phrased: of `texts.with_phrases`.
        vocabulary: run_date, lang, vocabulary (array of phrases); the phrases that are items.
    """
    value = {"sentiment": "sentiment", "group": "group_key", "topic": "topic_id", "source": "source", "lang": "lang"}
    named = [F.concat(F.lit(f"{kind}="), F.col(value[kind]).cast("string")) for kind in _KINDS]
    # one row per night and language on the right
    joined = phrased.join(F.broadcast(vocabulary), [RUN_DATE, "lang"], "left")
    chosen = F.array_intersect(F.coalesce("vocabulary", F.array().cast("array<string>")), "phrases")
    items = F.concat(F.array_compact(F.array(*named)), F.transform(chosen, lambda p: F.concat(F.lit("phrase="), p)))
    # another hash than those that choose samples elsewhere
    half = F.pmod(F.xxhash64(F.lit("rules"), "content_key"), F.lit(2)).cast("int")
    return joined.select(RUN_DATE, "lang", "doc_id", "n_docs", half.alias("half"), items.alias("items"))


def to_vocabulary(keyphrases: DataFrame, n: int) -> DataFrame:
    """Return run_date, lang and the array of the `n` best phrases of `keyphrases_daily` by score."""
    ranked = F.sort_array(F.collect_list(F.struct((-F.col("score")).alias("s"), "phrase")))
    grouped = keyphrases.groupBy(RUN_DATE, "lang").agg(F.slice(ranked, 1, n).alias("best"))
    return grouped.select(RUN_DATE, "lang", F.transform("best", lambda b: b["phrase"]).alias("vocabulary"))


def to_association_rules(
    phrased: DataFrame, keyphrases: DataFrame, texts: DataFrame, dates: Sequence[date], config: RulesConfig
) -> DataFrame:
    """Return the `association_rules` rows of the nights `dates`: those with a q-value of at most `max_q`.

    Args:
        phrased: of `texts.with_phrases`; read several times, so persist it.
        keyphrases: `keyphrases_daily` of these nights.
        texts: run_date, doc_id, text; for the quotes.
    """
    spark = phrased.sparkSession
    baskets = to_baskets(phrased, to_vocabulary(keyphrases, config.max_items)).where(F.col(RUN_DATE).isin(list(dates)))
    sizes = baskets.groupBy(RUN_DATE, "lang", "half").count().collect()  # bounded: nights x languages x 2
    rows: list[dict[str, Any]] = []
    for night in sorted(dates):
        parts = list(_parts(night, sizes, config))
        if sum(row["count"] for row in sizes if row[RUN_DATE] == night) <= config.local_texts:
            own = baskets.where(F.col(RUN_DATE) == night).select("lang", "half", "n_docs", "doc_id", "items")
            table = own.toArrow() if parts else None  # bounded: local_texts
            tested = [row for part in parts for row in _tested_here(table, part, config)]
        else:
            tested = [row for part in parts for row in _tested_on_spark(baskets, part, config)]
        q = benjamini_hochberg(np.array([row["p_value"] for row in tested]))
        rows += [
            {**row, "q_value": float(value)} for row, value in zip(tested, q, strict=True) if value <= config.max_q
        ]
    fields = [f for f in ASSOCIATION_RULES.struct().fields if f.name in _OWN]
    schema = T.StructType(
        [T.StructField(RUN_DATE, T.DateType()), *fields, T.StructField("docs", T.ArrayType(T.StringType()))]
    )
    frame = spark.createDataFrame([tuple(row[name] for name in schema.names) for row in _kept(rows)], schema)
    words = F.filter(F.array_append("antecedent", F.element_at("consequent", 1)), lambda i: i.startswith("phrase="))
    keyed = frame.withColumn("key", F.concat_ws("\x1f", F.coalesce("lang", F.lit("")), "antecedent", "consequent"))
    quoted = with_evidence(keyed, texts, ["key"], F.substring_index(F.try_element_at(words, F.lit(1)), "=", -1))
    return quoted.select(RUN_DATE, *[c.name for c in ASSOCIATION_RULES.columns])


_OWN = {c.name for c in ASSOCIATION_RULES.columns} - {"evidence"}


@dataclass(frozen=True)
class _Part:
    """Texts that are mined together: those of a night in one language, or all of it (`lang` None, without phrases)."""

    night: date
    lang: str | None
    n_mining: int
    n_test: int

    @property
    def condition(self) -> Column:
        night = F.col(RUN_DATE) == F.lit(self.night)
        return night if self.lang is None else night & (F.col("lang") == self.lang)


def _parts(night: date, sizes: list[Row], config: RulesConfig) -> Iterator[_Part]:
    """Yield the parts with at least `min_texts` texts, languages in order, all of them together last."""
    langs = sorted({row.lang for row in sizes if row[RUN_DATE] == night})
    for lang in [*langs, None] if len(langs) > 1 else langs:
        n = [
            sum(r["count"] for r in sizes if r[RUN_DATE] == night and lang in (None, r.lang) and r.half == h)
            for h in (0, 1)
        ]
        if sum(n) >= config.min_texts and min(n) > 0:
            yield _Part(night, lang, n[0], n[1])


def _tested(texts: Texts, part: _Part, config: RulesConfig) -> list[dict[str, Any]]:
    """Return the rules found on the mining half with their figures and the p-values of the test half."""
    found = _frequent(texts, part, config)
    rules = candidates(found, part.n_mining, config.consequents, config.min_lift, config.min_improvement)
    return _figures(texts, rules[: config.max_tested], part, config)


def _dropped(part: _Part) -> str:
    """Return how the items begin that a part leaves out.

    Within one language its item says nothing, and over all of them phrases say mostly which language it is.
    """
    return "lang=" if part.lang is not None else "phrase="


def _tested_on_spark(baskets: DataFrame, part: _Part, config: RulesConfig) -> list[dict[str, Any]]:
    dropped = _dropped(part)
    mine = baskets.where(part.condition)
    mine = mine.withColumn("items", F.filter("items", lambda i: ~i.startswith(dropped))).persist()
    try:
        return _tested(SparkTexts(mine), part, config)
    finally:
        mine.unpersist()


def _tested_here(night: pa.Table, part: _Part, config: RulesConfig) -> list[dict[str, Any]]:
    mine = night if part.lang is None else night.filter(pc.equal(night.column("lang"), part.lang))
    return _tested(LocalTexts(without(mine, _dropped(part))), part, config)


def _frequent(texts: Texts, part: _Part, config: RulesConfig) -> dict[Itemset, int]:
    """Return the frequent itemsets of the mining half, up to the largest rule, closed downwards."""
    lowest = max(config.min_docs, int(np.ceil(config.min_support * part.n_mining)))
    frequent = texts.item_counts(lowest, 2 * config.max_items)
    support = _support(texts, frequent, lowest, part, config)
    ranked = _in_rank(frequent, support)
    if not ranked:
        return {}
    # places in the ranking stand for items
    found = texts.itemsets(ranked, support, config.max_basket_items, config.max_antecedent + 1)
    return {tuple(sorted(ranked[place] for place in places)): n for places, n in found.items()}


def _in_rank(frequent: dict[str, int], support: float) -> list[str]:
    """Return the items of at least `support`, in the order in which a basket keeps them: attributes, then the rarest phrases.

    Rare phrases first, since they say more than those that stand everywhere.
    """
    places = {kind: place for place, kind in enumerate(_KINDS)}
    names = [item for item, n in frequent.items() if n >= support]
    return sorted(names, key=lambda i: (places.get(i.partition("=")[0], len(places)), frequent[i], i))


def _support(texts: Texts, frequent: dict[str, int], lowest: int, part: _Part, config: RulesConfig) -> int:
    """Return the smallest support tried at which FP-Growth cannot find more than `max_itemsets` itemsets.

    A basket of L items holds 2^L itemsets, and a frequent one lies in at least `support` baskets, so there are at most
    sum(2^L) / support of them.
    """
    steps = [lowest]
    while steps[-1] < part.n_mining:
        steps.append(int(np.ceil(steps[-1] * _LADDER)))
    n = texts.bounds(frequent, steps, config.max_basket_items)
    bounds = [subsets / step for subsets, step in zip(n, steps, strict=True)]
    support = next((s for s, bound in zip(steps, bounds, strict=True) if bound <= config.max_itemsets), steps[-1])
    if support > lowest:
        logger.warning(
            f"rules     {part.night} {part.lang or 'all languages'}: support raised from {lowest} to {support} of "
            f"{part.n_mining} texts, since {bounds[0]:.3g} itemsets would be possible and rules.max_itemsets is "
            f"{config.max_itemsets}; to see rarer rules lower rules.max_basket_items or rules.max_items, or raise the limit"
        )
    return support


def _figures(texts: Texts, rules: list[Rule], part: _Part, config: RulesConfig) -> list[dict[str, Any]]:
    """Count the rules exactly on both halves, in one pass, and return their rows without q-value."""
    if not rules:
        return []
    itemsets = sorted({s for rule in rules for s in (rule.antecedent, (rule.consequent,), rule.whole)})
    items = sorted({item for itemset in itemsets for item in itemset})
    place = {item: i for i, item in enumerate(items)}
    coded = [tuple(place[item] for item in itemset) for itemset in itemsets]
    rows = texts.counts(items, coded, config.evidence_docs)
    counts = dict(zip(itemsets, rows, strict=True))
    whole, left, right = ([counts[s] for s in chosen] for chosen in (
        [r.whole for r in rules], [r.antecedent for r in rules], [(r.consequent,) for r in rules],
    ))  # fmt: skip

    def column(found: list[Counted], name: str) -> Any:
        return np.array([row[name] for row in found], dtype=np.int64)

    p = fisher_p(column(whole, "n_test"), column(left, "n_test"), column(right, "n_test"), part.n_test)
    n_both, n_left, n_right = (column(f, "n_mining") + column(f, "n_test") for f in (whole, left, right))
    low, high = wilson_interval(n_both, n_left)
    n = part.n_mining + part.n_test
    out = []
    for i, rule in enumerate(rules):
        confidence, share = n_both[i] / n_left[i], n_right[i] / n
        expected = left[i]["n_test"] * right[i]["n_test"] / part.n_test
        out.append({
            RUN_DATE: part.night, "lang": part.lang, "antecedent": list(rule.antecedent), "consequent": [rule.consequent],
            "n_docs": whole[i]["n_docs"], "n_effective": int(n_both[i]), "n_antecedent": int(n_left[i]), "n_texts": n,
            "support": float(n_both[i] / n), "confidence": float(confidence),
            "ci_low": float(low[i]), "ci_high": float(high[i]), "lift": float(confidence / share),
            "leverage": float(n_both[i] / n - n_left[i] / n * share),
            "conviction": float((1 - share) / (1 - confidence)) if confidence < 1 else None,
            "p_value": float(p[i]), "holdout_lift": float(whole[i]["n_test"] / expected) if expected else None,
            "is_driver": rule.consequent == "sentiment=negative", "docs": list(whole[i]["docs"]),
        })  # fmt: skip
    return out


def _kept(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Drop rules that, counted on all texts, do not beat a published rule with fewer of their items."""
    groups: dict[tuple[date, str | None], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row[RUN_DATE], row["lang"]), []).append(row)
    kept = []
    for group in groups.values():
        places = without_redundant(
            [(Rule(tuple(row["antecedent"]), row["consequent"][0]), row["confidence"]) for row in group]
        )
        kept += [group[place] for place in places]
    return kept
