"""Shingles, banding, MinHash signatures, similarities of sketches, and the ids of groups: no Spark."""

import datetime as dt
import random

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import ValidationError

from pipeline.patterns.near_duplicates_config import NearDuplicatesConfig, banding, bands_needed
from udfs.group_ids import resolve
from udfs.hyperplanes import HyperplaneSpec, make_cosine, make_vector_bands
from udfs.minhash import MinHashSpec, jaccard, make_bands, make_sketch, signatures
from udfs.shingles import shingled, tokens

WORDS = [f"word{i}" for i in range(400)] + ["the", "and", "of", "is", "it", "to", "not", "a"] * 5


def similarities(pairs: list[tuple[str, str]], sketch_size: int = 256, short_tokens: int = 6) -> list[float]:
    first, second = (shingled([p[i] for p in pairs], short_tokens, sketch_size) for i in (0, 1))
    return jaccard(first.values, first.starts, second.values, second.starts, sketch_size)[0].tolist()


def by_hand(a: str, b: str) -> float:
    weight = {t: 0.5 if len(t) <= 3 else 1.0 for t in {*a.split(), *b.split()}}
    common = sum(weight[t] for t in set(a.split()) & set(b.split()))
    return common / sum(weight.values())


def random_pairs(n: int, n_words: int, seed: int = 0) -> list[tuple[str, str]]:
    rng = random.Random(seed)
    pairs = []
    for _ in range(n):
        a = rng.choices(WORDS, k=n_words)
        pairs.append((" ".join(a), " ".join(rng.choice(WORDS) if rng.random() < 0.25 else w for w in a)))
    return pairs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Very GOOD!! 😡", ["very", "good"]),
        ("手机很好用 iPhone", ["手", "机", "很", "好", "用", "iphone"]),
        ("Ｆｕｌｌ width", ["full", "width"]),
        ("कीमत ज़्यादा", ["कीमत", "ज़्यादा"]),
        ("🚨 🙏", ["🚨", "🙏"]),
        ("서비스가 느려요", ["서비스가", "느려요"]),
        ("", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    import unicodedata

    assert tokens(text) == [unicodedata.normalize("NFKC", t) for t in expected]


def test_similarity_of_sketches_is_the_weighted_jaccard_similarity() -> None:
    pairs = random_pairs(200, 25)
    assert similarities(pairs) == pytest.approx([by_hand(a, b) for a, b in pairs])


def test_similarity_of_long_texts_is_estimated_from_sketches() -> None:
    rng = random.Random(1)
    pairs = []
    for _ in range(100):
        a = [f"token{rng.randrange(10**6)}" for _ in range(1_500)]
        pairs.append((" ".join(a), " ".join(f"other{i}" if rng.random() < 0.2 else w for i, w in enumerate(a))))
    errors = np.array(similarities(pairs, sketch_size=256)) - [by_hand(a, b) for a, b in pairs]
    assert abs(errors.mean()) < 0.01
    assert errors.std() < 0.04


@pytest.mark.parametrize(
    ("a", "b", "least", "most"),
    [
        ("Very good", "very good!!! 😀", 1.0, 1.0),
        ("Very good", "Very god", 0.5, 0.8),
        ("Very good", "Very bad", 0.0, 0.45),
        ("ok", "ok", 1.0, 1.0),
        ("ok", "no", 0.0, 0.2),
        ("", "", 0.0, 0.0),
        ("很好", "很差", 0.0, 0.4),
        ("this is a text of more than six words", "very good", 0.0, 0.0),
    ],
)
def test_similarity_of_short_texts(a: str, b: str, least: float, most: float) -> None:
    (found,) = similarities([(a, b)])
    assert least <= found <= most


def test_a_slip_in_one_letter_keeps_a_text_similar() -> None:
    text = "the parcel arrived late and nobody answered the telephone"
    for i, letter in enumerate(text):
        if letter != " ":
            assert similarities([(text, text[:i] + "x" + text[i + 1 :])])[0] > 0.7


def test_folding_ignores_case_and_punctuation_but_not_order() -> None:
    fold = shingled(["Not good, bad", "not GOOD bad!", "not bad, good", None, ""], 6, 256).fold
    assert fold[0] == fold[1] != fold[2]
    assert fold[3] == fold[4] == 0


def test_signatures_agree_as_often_as_texts_are_similar() -> None:
    pairs = random_pairs(300, 30, seed=2)
    texts = [t for pair in pairs for t in pair]
    found = shingled(texts, 6, 256)
    minima = signatures(found.values, found.starts[:-1], 256)
    agree = (minima[::2] == minima[1::2]).mean(axis=1)
    errors = agree - np.array([by_hand(a, b) for a, b in pairs])
    assert abs(errors.mean()) < 0.005
    assert errors.std() < 0.04


@pytest.mark.parametrize(("similarity", "recall", "hashes"), [(0.45, 0.95, 128), (0.8, 0.99, 256), (0.3, 0.9, 100)])
def test_banding_is_the_steepest_that_gives_the_recall(similarity: float, recall: float, hashes: int) -> None:
    bands, rows = banding(similarity, recall, hashes)
    assert bands * rows <= hashes
    assert 1 - (1 - similarity**rows) ** bands >= recall
    assert 1 - (1 - similarity**rows) ** (bands - 1) < recall
    assert (rows + 1) * bands_needed(similarity, recall, rows + 1) > hashes


def test_default_banding_is_as_documented() -> None:
    spec = NearDuplicatesConfig().minhash()
    assert (spec.bands, spec.rows) == (32, 3)


def test_settings_that_cannot_reach_the_recall_are_refused() -> None:
    with pytest.raises(ValidationError, match="max_hashes: 16 are too few"):
        NearDuplicatesConfig(similarity=0.2, recall=0.999, max_hashes=16)


def test_pairs_share_a_band_as_often_as_the_curve_says() -> None:
    spec = MinHashSpec(32, 3, 256, 6)
    pairs = random_pairs(600, 24, seed=3)
    night = dt.date(2026, 1, 5)
    texts = [t for pair in pairs for t in pair]
    ones = [1] * len(texts)
    table = pa.table(
        {"run_date": [night] * len(texts), "content_key": texts, "n_docs": ones, "first_ts": ones, "text": texts}
    )
    (sketches,) = make_sketch(spec)(iter(table.to_batches()))
    nodes = pa.RecordBatch.from_arrays(
        [sketches.column("run_date"), pa.array(range(len(texts))), sketches.column("sketch")],
        ["run_date", "node", "sketch"],
    )
    (bands,) = make_bands(spec)(iter([nodes]))
    assert bands.num_rows == len(texts) * 32
    keys = bands.column("band").to_numpy().reshape(-1, 2, 32)
    shared = (keys[:, 0] == keys[:, 1]).any(axis=1)
    expected = np.array([1 - (1 - s**3) ** 32 for s in similarities(pairs)])
    assert 0.6 < expected.mean() < 0.99
    assert abs(shared.mean() - expected.mean()) < 0.03
    assert len(np.unique(keys[0, 0])) == 32


def test_an_empty_text_has_no_band() -> None:
    night = pa.array([dt.date(2026, 1, 5)] * 2)
    empty = pa.RecordBatch.from_arrays(
        [night, pa.array([1, 2]), pa.array([[], [5]], pa.list_(pa.int64()))], ["run_date", "node", "sketch"]
    )
    (bands,) = make_bands(MinHashSpec(4, 2, 256, 6))(iter([empty]))
    assert set(bands.column("node").to_pylist()) == {2}


def test_vectors_share_a_band_as_often_as_the_curve_says() -> None:
    rng = np.random.default_rng(0)
    a = rng.standard_normal((400, 128))
    b = a + 0.5 * rng.standard_normal(a.shape)
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    spec = HyperplaneSpec(10, 8)
    keys = []
    for x in (a, b):
        columns = [
            pa.array([dt.date(2026, 1, 5)] * 400),
            pa.array(range(400)),
            pa.array(x.tolist(), pa.list_(pa.float32())),
        ]
        (bands,) = make_vector_bands(spec)(
            iter([pa.RecordBatch.from_arrays(columns, ["run_date", "node", "embedding"])])
        )
        keys.append(bands.column("band").to_numpy().reshape(-1, 10))
    same_side = 1 - np.arccos((a * b).sum(axis=1)) / np.pi
    expected = 1 - (1 - same_side**8) ** 10
    assert abs((keys[0] == keys[1]).any(axis=1).mean() - expected.mean()) < 0.05
    pairs = pa.RecordBatch.from_arrays(
        [pa.array([1, 2]), pa.array([3, 4]), pa.array([[1.0, 0.0]] * 2), pa.array([[0.8, 0.6], [0.0, 1.0]])],
        ["a", "b", "embedding_a", "embedding_b"],
    )
    (near,) = make_cosine(0.8)(iter([pairs]))
    assert near.to_pydict() == {"a": [1], "b": [3], "similarity": [0.8]}


def family(*rows: tuple[int, int, str, int, str | None, list[int] | None, list[float] | None]) -> pd.DataFrame:
    night = dt.date(2026, 1, 4)
    return pd.DataFrame(
        [
            (node, night + dt.timedelta(day), key, n, known, night if known else None, parents, similar)
            for node, day, key, n, known, parents, similar in rows
        ],
        columns=["node", "run_date", "canonical_key", "n_docs", "known_id", "known_since", "parents", "similarities"],
    )


def ids(rows: pd.DataFrame) -> dict[str, str]:
    found = resolve(rows.sample(frac=1, random_state=1), 16)
    return dict(zip(found["canonical_key"], found["dup_group_id"], strict=True))


def test_a_group_carries_on_the_id_of_the_most_similar_earlier_group() -> None:
    rows = family(
        (1, 0, "k1", 5, "X", None, None),
        (2, 0, "k2", 5, "Y", None, None),
        (3, 1, "k3", 5, None, [2, 1], [0.9, 0.6]),
        (4, 2, "k4", 5, None, [3], [0.7]),
    )
    assert ids(rows) == {"k3": "Y", "k4": "Y"}
    assert set(resolve(rows, 16)["first_seen"]) == {dt.date(2026, 1, 4)}


def test_an_id_goes_to_one_group_of_a_night_the_more_similar_first() -> None:
    rows = family(
        (1, 0, "k1", 5, "k2", None, None),
        (2, 1, "k2", 9, None, [1], [0.6]),
        (3, 1, "k3", 5, None, [1], [0.8]),
    )
    found = ids(rows)
    assert found["k3"] == "k2"
    assert found["k2"] not in ("k2", "k3")


def test_the_first_group_of_a_family_gives_it_its_name() -> None:
    assert ids(family((1, 0, "k1", 5, None, None, None), (2, 1, "k2", 5, None, [1], [0.6]))) == {"k1": "k1", "k2": "k1"}
