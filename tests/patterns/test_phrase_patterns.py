"""Keyphrases, rules, concepts and facts on texts with planted patterns, on real Spark."""

import datetime as dt
import logging
import random
from dataclasses import dataclass
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from scipy.stats import fisher_exact

from pipeline.patterns.concept_tables import CONCEPT_GRAPH, FACTS
from pipeline.patterns.concepts import to_concept_graph
from pipeline.patterns.facts import to_facts
from pipeline.patterns.keyphrase_tables import KEYPHRASES_DAILY, PHRASE_COUNTS
from pipeline.patterns.keyphrases import log_likelihood_ratio, to_keyphrases_daily, to_phrase_counts
from pipeline.patterns.phrase_config import ConceptsConfig, KeyphrasesConfig, RulesConfig
from pipeline.patterns.rule_tables import ASSOCIATION_RULES
from pipeline.patterns.rules import to_association_rules
from pipeline.patterns.settled import settled
from pipeline.patterns.texts import to_distinct_texts, with_phrases
from pipeline.table import Table
from udfs.pattern_statistics import g2

FIRST, NIGHT = dt.date(2026, 10, 5), dt.date(2026, 10, 6)
SCHEMA = (
    "run_date date, doc_id string, content_key string, lang string, source string, group_key string, topic_id bigint, "
    "sentiment string, sentiment_score double, text string"
)

pytestmark = [pytest.mark.patterns, pytest.mark.timeout(1800)]
FILLERS = "red blue green yellow orange purple silver golden wooden plastic paper metal".split()


def documents() -> list[tuple[Any, ...]]:
    """Two nights: on the second router and firmware together are bad news, and neither alone; one text comes in copies."""
    rng = random.Random(7)
    rows: list[tuple[Any, ...]] = []

    def add(night: dt.date, text: str, bad: bool, group: str, copies: int = 1, lang: str = "en") -> None:
        for _ in range(copies):
            label = "negative" if bad else "positive"
            place = f"{len(rows):04d}"
            rows.append(
                (
                    night,
                    place,
                    f"k{text}",
                    lang,
                    rng.choice(["app", "web"]),
                    group,
                    1 if bad else 2,
                    label,
                    -0.8 if bad else 0.8,
                    text,
                )
            )

    for night, n in ((FIRST, 60), (NIGHT, 160)):
        for i in range(n):
            words = rng.sample(FILLERS, 3)
            has = {
                "router": rng.random() < 0.5,
                "firmware": night == NIGHT and rng.random() < 0.5,
                "battery life": rng.random() < 0.3,
            }
            said = " . ".join([w for w, there in has.items() if there] + words)
            bad = (has["router"] and has["firmware"] and rng.random() < 0.95) or rng.random() < 0.1
            add(night, f"{said} . number {i} mail a.b@example.com", bad, rng.choice(["Heron", "Finch"]))
    add(NIGHT, "The router is dead. Great", True, "Heron", copies=7)
    add(NIGHT, "My router is dead!", True, "Heron")
    add(NIGHT, "路由器很慢，红色", True, "Heron", lang="zh")
    return rows


@dataclass(frozen=True)
class Frames:
    docs: DataFrame
    texts: DataFrame
    phrased: DataFrame
    counts: DataFrame
    keyphrases: DataFrame


@pytest.fixture(scope="module")
def frames(spark: SparkSession) -> Frames:
    docs = spark.createDataFrame(documents(), SCHEMA).persist()
    return built(docs)


def built(docs: DataFrame, config: KeyphrasesConfig = KeyphrasesConfig()) -> Frames:  # noqa: B008
    texts = settled(to_distinct_texts(docs, docs))
    phrased = settled(with_phrases(texts, config))
    counts = settled(to_phrase_counts(phrased, config))
    published = counts.where("not is_part")
    keyphrases = settled(to_keyphrases_daily(counts, published, phrased, texts, [NIGHT], config))
    return Frames(docs, texts, phrased, counts, keyphrases)


def has_columns(frame: DataFrame, table: Table, drop: tuple[str, ...] = ()) -> bool:
    wanted = {c.name: c.dtype.simpleString() for c in table.columns} | {"run_date": "date"}
    return {f.name: f.dataType.simpleString() for f in frame.drop(*drop).schema.fields} == wanted


def keyed(frame: DataFrame, *columns: str) -> dict[Any, Row]:
    rows = frame.collect()
    return {tuple(row[c] for c in columns) if len(columns) > 1 else row[columns[0]]: row for row in rows}


def test_copies_count_once_and_phrases_once_per_text(frames: Frames) -> None:
    rows = keyed(frames.counts.where(F.col("run_date") == NIGHT), "lang", "phrase")
    dead = rows["en", "dead"]
    assert (dead.n_effective, dead.n_docs, dead.n_texts, dead.n_hidden_max) == (2, 8, 162, 0)
    assert has_columns(frames.counts, PHRASE_COUNTS, drop=("is_part",))
    assert ("zh", "慢") not in rows


def test_what_a_bound_leaves_out_is_said(frames: Frames) -> None:
    cut = keyed(
        to_phrase_counts(frames.phrased, KeyphrasesConfig(max_counted=12)).where("lang = 'en'"), "run_date", "phrase"
    )
    everything = keyed(frames.counts.where("lang = 'en'"), "run_date", "phrase")
    hidden = [row.n_effective for key, row in everything.items() if key[0] == NIGHT and key not in cut]
    floor = {row.n_hidden_max for key, row in cut.items() if key[0] == NIGHT}
    assert (len([k for k in cut if k[0] == NIGHT]), len(floor)) == (12, 1)
    assert max(hidden) <= floor.pop()


def test_keyphrases_keep_words_that_belong_together(frames: Frames) -> None:
    rows = keyed(frames.keyphrases.where("lang = 'en'"), "phrase")
    assert has_columns(frames.keyphrases, KEYPHRASES_DAILY)
    life = rows["battery life"]
    assert life.g2 > 10.83
    assert life.npmi == pytest.approx(1.0)
    assert life.score == pytest.approx(life.n_effective * 1.5849625)
    assert "battery" not in rows  # only within the longer phrase
    assert not [p for p in rows if "example" in p or "mail a" in p]
    there = frames.phrased.where((F.col("run_date") == NIGHT) & F.array_contains("phrases", "firmware"))
    topics = [r.topic_id for r in there.collect()]
    assert rows["firmware"].topic_id == max((1, 2), key=topics.count)
    assert rows["router"].mean_sentiment < rows["red"].mean_sentiment
    assert 1 <= len(life.evidence) <= 3
    assert all("battery life" in e.quote and "[EMAIL]" in e.quote for e in life.evidence)


def test_a_new_phrase_bursts_against_the_history(frames: Frames) -> None:
    rows = keyed(frames.keyphrases.where("lang = 'en'"), "phrase")
    new, old = rows["firmware"], rows["router"]
    assert (new.n_history, new.n_history_texts, new.history_nights) == (0, 60, 1)
    assert (new.expected, new.burst) == (0.0, (new.n_effective + 0.5) / 0.5)
    assert old.expected == pytest.approx(old.n_history * 162 / 60)
    assert new.burst > 10
    assert old.burst < 1.6


def test_what_the_history_does_not_show_is_held_against_a_burst(frames: Frames) -> None:
    """Cut to the most frequent phrases, the first night may have had `firmware` in as many texts as its last row says."""
    history = to_phrase_counts(frames.phrased, KeyphrasesConfig(max_counted=12)).where("not is_part")
    hidden = {r.n_hidden_max for r in history.where((F.col("run_date") == FIRST) & (F.col("lang") == "en")).collect()}
    config = KeyphrasesConfig()
    cut = to_keyphrases_daily(frames.counts, history, frames.phrased, frames.texts, [NIGHT], config)
    new = keyed(cut.where("lang = 'en'"), "phrase")["firmware"]
    assert new.n_history == hidden.pop() > 0


def test_g2_as_a_column_is_that_of_the_statistics(spark: SparkSession) -> None:
    both, first, second, total = (F.lit(float(v)) for v in (12, 20, 42, 200))
    row = (
        spark.range(1)
        .select(
            log_likelihood_ratio(both, first, second, total), log_likelihood_ratio(F.lit(1.0), first, second, total)
        )
        .first()
    )
    assert row is not None
    assert row[0] == pytest.approx(g2(12, 20, 42, 200))
    assert row[1] == 0.0  # below chance


@pytest.fixture(scope="module")
def rules(frames: Frames) -> DataFrame:
    return to_association_rules(frames.phrased, frames.keyphrases, frames.texts, [NIGHT], RulesConfig()).persist()


def test_a_planted_driver_is_found_with_exact_figures(frames: Frames, rules: DataFrame) -> None:
    assert has_columns(rules, ASSOCIATION_RULES)
    found = {(tuple(r.antecedent), r.consequent[0]): r for r in rules.where("lang = 'en'").collect()}
    rule = found[("phrase=firmware", "phrase=router"), "sentiment=negative"]
    texts = [
        (r.phrases, r.sentiment, r.n_docs)
        for r in frames.phrased.where((F.col("run_date") == NIGHT) & (F.col("lang") == "en")).collect()
    ]
    left = [{"firmware", "router"} <= set(p) for p, _, _ in texts]
    right = [s == "negative" for _, s, _ in texts]
    both = sum(a and b for a, b in zip(left, right, strict=True))
    assert (rule.n_texts, rule.n_antecedent, rule.n_effective) == (162, sum(left), both)
    assert rule.confidence == pytest.approx(both / sum(left))
    assert rule.lift == pytest.approx(both / sum(left) / (sum(right) / 162))
    assert rule.leverage == pytest.approx(both / 162 - sum(left) / 162 * sum(right) / 162)
    assert rule.ci_low < rule.confidence < rule.ci_high or rule.confidence == 1
    assert rule.is_driver
    assert rule.q_value < 1e-4
    assert rule.holdout_lift > 1.5
    assert rule.q_value >= rule.p_value
    assert len(rule.evidence) == 3
    assert all("firmware" in e.quote and "[EMAIL]" in e.quote for e in rule.evidence)
    everything = fisher_exact(
        [[both, sum(left) - both], [sum(right) - both, 162 - sum(left) - sum(right) + both]], alternative="greater"
    )
    assert rule.p_value > everything.pvalue  # half of the texts, so weaker


def test_rules_are_not_redundant_nor_by_construction(rules: DataFrame) -> None:
    found = {(frozenset(r.antecedent), r.consequent[0]): r.confidence for r in rules.where("lang = 'en'").collect()}
    for (antecedent, consequent), confidence in found.items():
        for (other, same), less in found.items():
            assert not (same == consequent and other < antecedent and less >= confidence)
    assert not [key for key in found if key[1].startswith("topic=")]


def test_rules_do_not_depend_on_the_partitioning(frames: Frames, rules: DataFrame) -> None:
    again = to_association_rules(
        frames.phrased.repartition(5, "doc_id"), frames.keyphrases, frames.texts, [NIGHT], RulesConfig(local_texts=0)
    )
    assert sorted(map(str, again.collect())) == sorted(map(str, rules.collect()))


def test_permuted_sentiments_give_no_drivers(spark: SparkSession, frames: Frames) -> None:
    order = random.Random(11)
    rows = frames.phrased.where(F.col("run_date") == NIGHT).orderBy("content_key").collect()
    labels = [(r.sentiment, r.topic_id) for r in rows]
    order.shuffle(labels)
    shuffled = [Row(**{**r.asDict(), "sentiment": s, "topic_id": t}) for r, (s, t) in zip(rows, labels, strict=True)]
    frame = spark.createDataFrame(shuffled, frames.phrased.schema)
    config = RulesConfig(consequents=("sentiment",))
    drivers = to_association_rules(frame, frames.keyphrases, frames.texts, [NIGHT], config)
    assert drivers.where("not exists(antecedent, i -> i like 'topic=%')").count() == 0


def test_too_many_itemsets_raise_the_support_and_say_so(frames: Frames, caplog: pytest.LogCaptureFixture) -> None:
    config = RulesConfig(max_itemsets=2_000, consequents=("sentiment",))
    with caplog.at_level(logging.WARNING):
        found = to_association_rules(frames.phrased, frames.keyphrases, frames.texts, [NIGHT], config)
    assert found.where("is_driver").count() > 0
    (message,) = [r.getMessage() for r in caplog.records if "support raised" in r.getMessage()]
    assert "rules.max_itemsets" in message
    assert "2026-10-06 en" in message


def test_a_night_without_texts_has_no_rules(frames: Frames) -> None:
    empty = to_association_rules(frames.phrased, frames.keyphrases, frames.texts, [dt.date(2026, 10, 9)], RulesConfig())
    assert empty.count() == 0


def test_the_graph_joins_what_stands_together(frames: Frames) -> None:
    graph = to_concept_graph(
        frames.phrased, frames.keyphrases, [NIGHT], ConceptsConfig(max_q=1.0, min_npmi=-1.0, min_docs=1)
    )
    assert has_columns(graph, CONCEPT_GRAPH)
    edges = keyed(graph.where("lang = 'en'"), "source", "target")
    edge = edges["firmware", "router"]
    texts = [
        set(r.phrases) for r in frames.phrased.where((F.col("run_date") == NIGHT) & (F.col("lang") == "en")).collect()
    ]
    counts = [sum(w <= t for t in texts) for w in ({"firmware", "router"}, {"firmware"}, {"router"})]
    assert (edge.n_effective, edge.n_source, edge.n_target, edge.n_texts) == (*counts, 162)
    a, b, c = counts
    assert edge.p_value == pytest.approx(
        fisher_exact([[a, b - a], [c - a, 162 - b - c + a]], alternative="greater").pvalue
    )
    assert edge.mean_sentiment < 0
    # independent by construction: nothing at the usual limits, but words of one text
    strict = to_concept_graph(frames.phrased, frames.keyphrases, [NIGHT], ConceptsConfig())
    assert not [e for e in keyed(strict, "source", "target") if set(e) <= {"firmware", "router", *FILLERS}]


def test_facts_are_said_twice_and_quoted(frames: Frames) -> None:
    found = to_facts(frames.texts, frames.keyphrases, [NIGHT], ConceptsConfig())
    assert has_columns(found, FACTS)
    (fact,) = found.collect()
    assert (fact.subject, fact.relation, fact.object) == ("router", "is", "dead")
    assert (fact.n_docs, fact.n_effective, fact.n_against, fact.confidence) == (8, 2, 0, 1.0)
    assert all("router is dead" in e.quote for e in fact.evidence)
