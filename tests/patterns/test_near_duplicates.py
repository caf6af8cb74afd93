"""Near-duplicates on real Spark: planted copies, the sample's campaign, components, ids across nights."""

import datetime as dt
import itertools
import logging
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from scipy.sparse import coo_matrix, csgraph

from pipeline.errors import NightjarError
from pipeline.patterns.components import connected_components
from pipeline.patterns.dup_group_tables import DUP_GROUPS, Duplicates, find_duplicates
from pipeline.patterns.near_duplicates import linked
from pipeline.patterns.near_duplicates_config import NearDuplicatesConfig
from pipeline.sample import planted
from pipeline.sample.corpus import generate
from pipeline.text import content_key, normalised

DOCUMENTS = "run_date date, doc_id string, event_ts timestamp, source string, text string"
ENGLISH, CHINESE, SMALL, EMPTY = (dt.date(2026, month, 3) for month in range(1, 5))
"""Nights so far apart that none carries on another's ids."""
SAMPLE = tuple(sorted(planted.CAMPAIGN_COPIES))
DATES = (ENGLISH, CHINESE, SMALL, EMPTY, *SAMPLE)
LONG_TEXT = (
    "Never buy this kettle again, it leaked on the second day and the shop at mail@example.com refuses to answer me"
)

pytestmark = [pytest.mark.patterns, pytest.mark.timeout(1800)]


def at(night: dt.date, seconds: int = 0) -> dt.datetime:
    return dt.datetime.combine(night, dt.time(), dt.UTC) + dt.timedelta(seconds=seconds)


def documents(spark: SparkSession, rows: Sequence[tuple[Any, ...]]) -> DataFrame:
    frame = spark.createDataFrame(list(rows), DOCUMENTS).withColumn("text", normalised(F.col("text")))
    return frame.withColumn("content_key", content_key(F.col("text")))


def edited(words: Sequence[str], share: float, vocabulary: Sequence[str], rng: random.Random) -> list[str]:
    """Return words of which a share is replaced (half), dropped (a quarter) or doubled by another word (a quarter)."""
    chosen = set(rng.sample(range(len(words)), round(share * len(words))))
    found: list[str] = []
    for i, word in enumerate(words):
        kind = rng.random() if i in chosen else 1.0
        if kind >= 0.75:
            found.append(word)
        if kind < 0.5 or (kind >= 0.75 and i in chosen):
            found.append(rng.choice(vocabulary))
    return found


def planted_rows(night: dt.date, vocabulary: Sequence[str], joint: str, seed: int) -> list[tuple[Any, ...]]:
    """12 originals with 12 copies each, 5 to 30 % of whose words are edited, among 500 other texts; words follow Zipf's law."""
    rng = random.Random(seed)
    weights = [1 / (i + 2) for i in range(len(vocabulary))]
    texts = {}
    for i in range(500):
        texts[f"other-{i}"] = rng.choices(vocabulary, weights, k=rng.randint(15, 40))
    for i in range(12):
        original = rng.choices(vocabulary, weights, k=rng.randint(15, 40))
        texts[f"copy-{i}-0"] = original
        for j in range(1, 13):
            texts[f"copy-{i}-{j}"] = edited(original, rng.uniform(0.05, 0.3), vocabulary, rng)
    return [(night, f"{night}-{k}", at(night, i), "app", joint.join(w)) for i, (k, w) in enumerate(texts.items())]


def english_words() -> list[str]:
    rng = random.Random(5)
    short = "the and of to a in is it you that he was for on are with as I his they be at one have this".split()
    return short + ["".join(rng.choices("abcdefghilmnoprstu", k=rng.randint(4, 9))) for _ in range(1_500)]


def chinese_words() -> list[str]:
    rng = random.Random(6)
    return ["".join(chr(0x4E00 + rng.randrange(1_800)) for _ in range(rng.choice((1, 2, 2, 3)))) for _ in range(1_500)]


def small_rows() -> list[tuple[Any, ...]]:
    texts = {
        "campaign": [(LONG_TEXT, 12), (LONG_TEXT.replace("second", "third") + " 😡😡", 1), (LONG_TEXT.upper(), 1)],
        "short": [("Very good", 40), ("very good!!", 2), ("Very god", 1)],
        "spread": [("this long sentence comes from many places at any time of the day", 24)],
        "word": [("hello", 1), ("no", 1), ("ok", 2)],
        "emoji": [("😡😡😡", 2), ("🙏", 1)],
        "zh": [("客服态度很差，等了一个小时也没有人理", 1), ("客服态度很差，等了两个小时也没有人理！", 1)],
        "once": [("a single remark about the weather in the mountains", 1)],
    }
    rows = []
    for kind, found in texts.items():
        for i, (text, copies) in enumerate(found):
            for j in range(copies):
                apart = kind == "spread"
                source = ("app", "forum", "mail")[j % 3] if apart else "app"
                rows.append((SMALL, f"{kind}-{i}-{j:02}", at(SMALL, 3_500 * j if apart else 60 * j), source, text))
    return rows


def sample_rows() -> list[tuple[Any, ...]]:
    rows, seen = [], set()
    for m in generate():
        if m.day in SAMPLE and m.fault is None and (m.day, m.message_id) not in seen:
            assert m.body is not None
            seen.add((m.day, m.message_id))
            rows.append((m.day, m.message_id, m.created_at, m.channel, m.body.decode()))
    return rows


@dataclass
class Found:
    """What one run found, collected."""

    groups: list[Row]
    members: dict[tuple[dt.date, str], str]
    documents: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, duplicates: Duplicates) -> "Found":
        groups = sorted(duplicates.groups.collect(), key=lambda r: (r.run_date, r.dup_group_id))
        rows = duplicates.members.collect()
        found = cls(groups, {(r.run_date, r.doc_id): r.dup_group_id for r in rows})
        assert len(found.members) == len(rows)
        for r in rows:
            found.documents[f"{r.run_date} {r.dup_group_id}"].add(r.doc_id)
        return found

    def group(self, night: dt.date, doc_id: str) -> Row:
        group_id = self.members[night, doc_id]
        (row,) = [g for g in self.groups if (g.run_date, g.dup_group_id) == (night, group_id)]
        return row


def all_rows() -> list[tuple[Any, ...]]:
    return [
        *planted_rows(ENGLISH, english_words(), " ", 1),
        *planted_rows(CHINESE, chinese_words(), "", 2),
        *small_rows(),
        *sample_rows(),
    ]


@pytest.fixture(scope="module")
def found(spark: SparkSession) -> Found:
    return Found.of(find_duplicates(documents(spark, all_rows()), DATES, NearDuplicatesConfig()))


@pytest.mark.parametrize("night", [ENGLISH, CHINESE])
def test_planted_copies_are_found_and_nothing_else(found: Found, night: dt.date) -> None:
    copies = [(i, f"{night}-copy-{i}-{j}") for i in range(12) for j in range(13)]
    names = {doc: found.members.get((night, doc)) for _, doc in copies}
    recalled = sum(names[doc] is not None and names[doc] == names[f"{night}-copy-{i}-0"] for i, doc in copies)
    assert recalled / len(copies) >= 0.95
    right = wrong = 0
    for key, docs in found.documents.items():
        if key.startswith(str(night)):
            for a, b in itertools.combinations(sorted(docs), 2):
                same = "copy" in a and "copy" in b and a.split("-")[-2] == b.split("-")[-2]
                right, wrong = right + same, wrong + (not same)
    assert right / (right + wrong) >= 0.95


@pytest.mark.parametrize("night", SAMPLE)
def test_the_campaign_of_the_sample_is_one_group_a_night(found: Found, night: dt.date) -> None:
    (campaign,) = [g for g in found.groups if g.run_date == night and g.is_campaign]
    copies, variants = planted.CAMPAIGN_COPIES[night], planted.CAMPAIGN_VARIANTS[night]
    assert (campaign.n_docs, campaign.method, campaign.n_sources) == (copies + variants, "minhash", 1)
    assert campaign.evidence[0].quote.startswith("Warning to everyone with money at @MagpieBank")
    assert campaign.min_similarity >= NearDuplicatesConfig().similarity
    truth = {m.message_id for m in generate() if m.day == night and m.planted == "campaign"}
    assert found.documents[f"{night} {campaign.dup_group_id}"] == truth


def test_the_campaign_keeps_its_id(found: Found) -> None:
    ids = {(g.dup_group_id, g.first_seen) for g in found.groups if g.is_campaign and g.run_date in SAMPLE}
    assert len(ids) == 1
    assert {since for _, since in ids} == {SAMPLE[0]}


def test_a_group_is_described(found: Found) -> None:
    group = found.group(SMALL, "campaign-0-00")
    assert found.documents[f"{SMALL} {group.dup_group_id}"] == {
        *(f"campaign-0-{j:02}" for j in range(12)), "campaign-1-00", "campaign-2-00",
    }  # fmt: skip
    assert (group.n_docs, group.n_texts, group.method, group.is_campaign) == (14, 3, "minhash", True)
    assert (group.canonical_doc_id, group.n_sources, group.top_source_share) == ("campaign-0-00", 1, 1.0)
    assert (group.burst_share, group.n_tokens) == (1.0, 22)
    assert group.min_similarity == pytest.approx(_one_word_apart(), abs=1e-6)
    assert group.mean_similarity == pytest.approx((1 + _one_word_apart()) / 2, abs=1e-6)
    assert [e.doc_id for e in group.evidence] == ["campaign-0-00", "campaign-1-00", "campaign-2-00"]
    assert "[EMAIL]" in group.evidence[0].quote
    assert "mail@example.com" not in str(group.evidence)


def _one_word_apart() -> float:
    words = {w.strip(",") for w in LONG_TEXT.lower().replace("mail@example.com", "mail example com").split()}
    weight = sum(0.5 if len(w) <= 3 else 1.0 for w in words)
    return (weight - 1) / (weight + 1)


def test_short_and_spread_repeats_are_groups_but_no_campaigns(found: Found) -> None:
    short, spread = found.group(SMALL, "short-0-00"), found.group(SMALL, "spread-0-00")
    assert (short.n_docs, short.n_texts, short.is_campaign) == (43, 3, False)
    assert (spread.n_docs, spread.method, spread.is_campaign) == (24, "exact", False)
    assert spread.burst_share == pytest.approx(7 / 24)
    assert spread.top_source_share == pytest.approx(8 / 24)


def test_words_emoji_and_chinese(found: Found) -> None:
    assert found.group(SMALL, "word-2-00").n_docs == 2
    assert found.group(SMALL, "emoji-0-00").n_docs == 2
    assert found.group(SMALL, "zh-0-00").n_docs == 2
    alone = {"word-0-00", "word-1-00", "emoji-1-00", "once-0-00"}
    assert not alone & {doc for night, doc in found.members if night == SMALL}


def test_a_night_without_documents_has_no_groups(found: Found) -> None:
    assert not [g for g in found.groups if g.run_date == EMPTY]


def test_partitioning_and_other_nights_change_nothing(spark: SparkSession, found: Found) -> None:
    nights = (CHINESE, SMALL)
    rows = [r for r in all_rows() if r[0] in nights]
    random.Random(0).shuffle(rows)
    again = Found.of(find_duplicates(documents(spark, rows).repartition(7), nights, NearDuplicatesConfig()))
    assert again.groups == [g for g in found.groups if g.run_date in nights]
    assert again.members == {k: v for k, v in found.members.items() if k[0] in nights}


def test_ids_from_published_history_are_those_of_one_run(spark: SparkSession, found: Found) -> None:
    before = spark.createDataFrame([g for g in found.groups if g.run_date == SAMPLE[0]] or [], _schema())
    rows = documents(spark, [r for r in sample_rows() if r[0] == SAMPLE[1]])
    tonight = Found.of(find_duplicates(rows, SAMPLE[1:], NearDuplicatesConfig(), history=before))
    assert tonight.groups == [g for g in found.groups if g.run_date == SAMPLE[1]]


def _schema() -> Any:
    from pyspark.sql import types as T

    return T.StructType(
        [T.StructField("run_date", T.DateType()), *[T.StructField(c.name, c.dtype) for c in DUP_GROUPS.columns]]
    )


def test_the_frames_have_the_columns_of_the_table(spark: SparkSession) -> None:
    nothing = find_duplicates(documents(spark, []), [SMALL], NearDuplicatesConfig(semantic_similarity=0.9))
    assert {f.name: f.dataType for f in nothing.groups.schema} == {f.name: f.dataType for f in _schema()}
    assert nothing.groups.count() == nothing.members.count() == 0


def chain_of_texts(spark: SparkSession) -> DataFrame:
    """Each text shares 16 of 20 words with the one before it: a chain whose ends have nothing in common."""
    words = [f"word{i}" for i in range(80)]
    rows = [(SMALL, f"d{i:02}", at(SMALL, i), None, " ".join(words[4 * i : 4 * i + 20])) for i in range(15)]
    return documents(spark, rows)


def test_links_that_are_left_are_said_and_nothing_else_is(
    spark: SparkSession, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "pipeline"):
        few = find_duplicates(chain_of_texts(spark), [SMALL], NearDuplicatesConfig(rounds=1)).groups.count()
        (line,) = [r.getMessage() for r in caplog.records if r.name.startswith("pipeline.patterns")]
        assert "patterns.near_duplicates.rounds is 1" in line
        caplog.clear()
        all_of_them = find_duplicates(chain_of_texts(spark), [SMALL], NearDuplicatesConfig(rounds=10)).groups.count()
    assert not [r for r in caplog.records if r.name.startswith("pipeline.patterns")]
    assert few < all_of_them


def test_members_of_a_chain_are_like_its_canonical_text(spark: SparkSession) -> None:
    chain = Found.of(find_duplicates(chain_of_texts(spark), [SMALL], NearDuplicatesConfig()))
    assert len(chain.groups) >= 3
    assert min(g.min_similarity for g in chain.groups) >= 0.45
    assert max(g.n_docs for g in chain.groups) <= 5
    assert {g.n_sources for g in chain.groups} == {0}


def test_texts_of_one_meaning_are_a_semantic_group(spark: SparkSession) -> None:
    texts = [
        "where is my parcel please tell me",
        "has anybody seen the package i ordered",
        "the soup was cold and salty again",
    ]
    rows = documents(spark, [(SMALL, f"d{i}", at(SMALL, i), "app", t) for i, t in enumerate(texts)])
    vectors = {"d0": [1.0, 0.0, 0.0], "d1": [0.98, 0.199, 0.0], "d2": [0.0, 0.0, 1.0]}
    frame = spark.createDataFrame(list(vectors.items()), "doc_id string, embedding array<float>")
    embeddings = rows.join(frame, "doc_id").select("content_key", "embedding")
    config = NearDuplicatesConfig(semantic_similarity=0.95, recall=0.99)
    (group,) = find_duplicates(rows, [SMALL], config, embeddings=embeddings).groups.collect()
    assert (group.method, group.n_docs, group.canonical_doc_id) == ("semantic", 2, "d0")
    assert group.min_similarity == pytest.approx(0.98, abs=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_components_equal_those_of_scipy(spark: SparkSession, seed: int) -> None:
    """Random graphs about the threshold of a giant component, a path (the worst case) and a star."""
    rng = np.random.default_rng(seed)
    n = 300
    edges = rng.integers(0, n, (rng.integers(n // 3, n), 2))
    path = np.stack([np.arange(n, n + 60), np.arange(n + 1, n + 61)], axis=1)
    star = np.stack([np.full(50, n + 100), np.arange(n + 101, n + 151)], axis=1)
    names = rng.permutation(n + 200) - 250
    pairs = names[np.concatenate([edges, path, star])]
    frame = spark.createDataFrame([(int(a), int(b)) for a, b in pairs], "a long, b long")
    rows = {r.node: r.component for r in connected_components(frame).collect()}
    linked_pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    order = np.unique(linked_pairs)
    a, b = np.searchsorted(order, linked_pairs.T)
    _, labels = csgraph.connected_components(coo_matrix((np.ones(len(a)), (a, b)), (len(order), len(order))))
    least = {label: int(order[labels == label].min()) for label in set(labels)}
    assert rows == {int(v): least[label] for v, label in zip(order, labels, strict=True)}


def test_components_that_do_not_settle_in_time_fail(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(i, i + 1) for i in range(100)], "a long, b long")
    with pytest.raises(NightjarError, match="after 2 rounds"):
        connected_components(frame, max_rounds=2)


def test_a_hot_bucket_gives_pairs_in_proportion_to_its_members(spark: SparkSession) -> None:
    n = 20_000
    bands = spark.range(n).select(
        F.lit(SMALL).alias("run_date"),
        F.col("id").alias("node"),
        F.lit(7).cast("long").alias("band"),
        F.xxhash64("id").alias("tie"),
    )
    pairs = linked(bands, "run_date").persist()
    assert n - 1 <= pairs.count() <= 3 * n
    assert connected_components(pairs).where("component = 0").count() == n
