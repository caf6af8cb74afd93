"""Statistics of rules against SciPy, hand-worked numbers and simulation."""

from itertools import combinations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import chi2_contingency, false_discovery_control, fisher_exact

from pipeline.patterns.rule_statistics import (
    Itemset,
    Rule,
    candidates,
    is_by_construction,
    without_redundant,
)
from udfs.concept_graph import GraphSpec, communities
from udfs.itemsets import make_bounds, make_counts, make_pairs, make_short
from udfs.pattern_statistics import benjamini_hochberg, fisher_p, g2, npmi_of, wilson_interval
from udfs.q_values import make_q_values

KINDS = ("sentiment", "phrase", "group", "source", "topic", "lang")


def counted(baskets: list[set[str]], largest: int = 3) -> dict[Itemset, int]:
    """Count all itemsets by hand."""
    counts: dict[Itemset, int] = {}
    for basket in baskets:
        for size in range(1, largest + 1):
            for itemset in combinations(sorted(basket), size):
                counts[itemset] = counts.get(itemset, 0) + 1
    return counts


def test_p_is_that_of_fishers_exact_test() -> None:
    rng = np.random.default_rng(3)
    for _ in range(30):
        a, b, c, d = (int(x) for x in rng.integers(0, 20, 4))
        if a == 0:
            continue
        own = fisher_p(np.array([a]), np.array([a + b]), np.array([a + c]), a + b + c + d)[0]
        assert own == pytest.approx(fisher_exact([[a, b], [c, d]], alternative="greater").pvalue, rel=1e-9)
    assert list(fisher_p(np.array([0, 0]), np.array([0, 3]), np.array([0, 2]), 5)) == [1.0, 1.0]


def test_q_is_that_of_benjamini_and_hochberg() -> None:
    p = np.random.default_rng(4).uniform(size=50) ** 2
    assert np.allclose(benjamini_hochberg(p), false_discovery_control(p))
    assert np.allclose(benjamini_hochberg(p, 80), false_discovery_control(np.concatenate([p, np.ones(30)]))[:50])
    assert len(benjamini_hochberg(np.array([]))) == 0


def test_classes_have_an_equal_share_of_the_false_discoveries() -> None:
    p = np.random.default_rng(5).uniform(size=40) * 0.1
    many = np.arange(40) < 36
    # 36 tests of one class weigh 40 / 2 / 36 each, the 4 of the other 40 / 2 / 4
    weighted = p / np.where(many, 20 / 36, 20 / 4)
    assert np.allclose(benjamini_hochberg(p, classes=many), false_discovery_control(weighted))
    assert np.allclose(benjamini_hochberg(p, classes=np.zeros(40)), benjamini_hochberg(p))


def test_a_family_without_a_test_has_no_q_values() -> None:
    tests = pa.table({"p": pa.array([None, None], pa.float64()), "half": ["a", "b"]})
    found = make_q_values("p", "q", "half", "n")(tests)
    assert found.to_pydict() == {"p": [None, None], "half": ["a", "b"], "q": [None, None], "n": [0, 0]}


def test_g2_is_the_likelihood_ratio() -> None:
    table = [[12, 8], [30, 150]]
    expected = chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    assert g2(12, 20, 42, 200) == pytest.approx(expected)


def test_wilson_interval_is_newcombes_example() -> None:
    low, high = wilson_interval(np.array([81, 0, 5]), np.array([263, 0, 5]))
    assert (low[0], high[0]) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))
    assert (low[1], high[1], high[2]) == (0.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("antecedent", "consequent", "trivial"),
    [
        (("phrase=router firmware",), "phrase=firmware", True),
        (("phrase=router firmware", "phrase=firmware"), "sentiment=negative", True),
        (("phrase=router",), "topic=3", True),
        (("topic=3",), "phrase=router", True),
        (("phrase=router",), "lang=en", True),
        (("phrase=router", "topic=3"), "sentiment=negative", False),
        (("phrase=router",), "phrase=firmware", False),
        (("topic=3",), "group=Heron Router", False),
    ],
)
def test_what_follows_by_construction_is_no_rule(antecedent: Itemset, consequent: str, trivial: bool) -> None:
    assert is_by_construction(antecedent, consequent) == trivial


def planted() -> list[set[str]]:
    """Two words that are harmless alone and bad together, one word that adds nothing."""
    rng = np.random.default_rng(5)
    baskets = []
    for _ in range(400):
        items = {
            f"phrase={w}" for w, share in (("firmware", 0.4), ("router", 0.4), ("today", 0.5)) if rng.random() < share
        }
        bad = {"phrase=firmware", "phrase=router"} <= items
        label = "negative" if rng.random() < (0.95 if bad else 0.2) else "neutral"
        baskets.append(items | {f"sentiment={label}"})
    return baskets


def test_a_planted_conjunction_is_found_first_and_what_adds_nothing_is_left_out() -> None:
    baskets = planted()
    rules = candidates(counted(baskets, 4), len(baskets), ("sentiment",), 1.1, 0.05)
    assert rules[0] == Rule(("phrase=firmware", "phrase=router"), "sentiment=negative")
    assert not [r for r in rules if "phrase=today" in r.antecedent and r.consequent == "sentiment=negative"]


def test_a_rule_must_beat_its_parts() -> None:
    counts = counted([{"a=1", "b=1", "c=1"}] * 8 + [{"a=1"}] * 2 + [{"b=1"}] * 10 + [{"d=1"}] * 20)
    rules = candidates(counts, 40, ("c",), 1.0, 0.0)
    assert {r.antecedent for r in rules} == {("a=1",), ("b=1",), ("a=1", "b=1")}
    rules = candidates(counts, 40, ("c",), 1.0, 0.25)  # 1.0 against 0.8 of `a` alone
    assert {r.antecedent for r in rules} == {("a=1",)}


def test_redundant_rules_are_dropped_after_counting() -> None:
    rules = [
        (Rule(("a", "b"), "c"), 0.8),
        (Rule(("a",), "c"), 0.8),
        (Rule(("a", "d"), "c"), 0.9),
        (Rule(("a",), "e"), 0.5),
    ]
    assert without_redundant(rules) == [1, 2, 3]


def test_permuted_labels_are_significant_no_more_often_than_the_rate() -> None:
    """Mined on one half, tested on the other, 200 times without any association: q < 0.05 in at most 5 % and a margin."""
    rng = np.random.default_rng(6)
    alarms = 0
    for _ in range(200):
        has = rng.random((160, 8)) < rng.uniform(0.1, 0.5, 8)
        label = rng.random(160) < 0.4
        baskets = [
            {f"phrase={w}" for w in range(8) if row[w]} | {f"sentiment={'negative' if bad else 'neutral'}"}
            for row, bad in zip(has, label, strict=True)
        ]
        mining, test = counted(baskets[:80]), counted(baskets[80:])
        rules = [r for r in candidates(mining, 80, ("sentiment",), 1.1, 0.02) if mining[r.whole] >= 4]
        if not rules:
            continue
        both, first, second = (
            np.array([test.get(s, 0) for s in found])
            for found in ([r.whole for r in rules], [r.antecedent for r in rules], [(r.consequent,) for r in rules])
        )
        alarms += bool((benjamini_hochberg(fisher_p(both, first, second, 80)) < 0.05).any())
    assert alarms <= 19  # binomial(200, 0.05): 99.5 % quantile


def test_counting_is_exact_and_keeps_the_smallest_ids() -> None:
    rows = [("d3", 0, 2, ["a", "b"]), ("d1", 1, 1, ["a", "b", "x"]), ("d2", 1, 5, ["b"]), ("d0", 0, 1, [])]
    schema = pa.schema(
        [("doc_id", pa.string()), ("half", pa.int32()), ("n_docs", pa.int64()), ("items", pa.list_(pa.string()))]
    )
    batches = [pa.RecordBatch.from_pylist([dict(zip(schema.names, r, strict=True))], schema=schema) for r in rows]
    (out,) = make_counts(["a", "b"], [(0,), (1,), (0, 1), ()], 2)(iter(batches))
    assert [tuple(r.values()) for r in out.to_pylist()] == [
        (0, 1, 1, 3, ["d1", "d3"]),
        (1, 1, 2, 8, ["d1", "d2"]),
        (2, 1, 1, 3, ["d1", "d3"]),
        (3, 2, 2, 9, ["d0", "d1"]),
    ]


def item_lists(*lists: list[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(lists, pa.list_(pa.string()))], names=["items"])


def test_the_bound_is_the_number_of_subsets() -> None:
    batches = [item_lists(["a", "b", "x"], []), item_lists(["a", "b", "c", "d"])]
    (out,) = make_bounds({"a": 9, "b": 5, "c": 3, "d": 3}, [1, 4, 6, 20], 3)(iter(batches))
    assert out.to_pydict() == {"step": [0, 1, 2, 3], "subsets": [4 + 1 + 8, 4 + 1 + 4, 2 + 1 + 2, 3.0]}


def test_a_crowded_basket_keeps_the_first_in_rank() -> None:
    (out,) = make_short(["d", "a", "b", "c"], 2)(iter([item_lists(["a", "b", "x", "d"], [], ["x"], ["c"], ["c", "b"])]))
    assert out.to_pydict() == {"items": [[0, 1], [], [], [3], [2, 3]]}


def test_pairs_are_counted_exactly_with_their_sentiment() -> None:
    day = pd.Timestamp("2026-10-05").date()
    schema = pa.schema(
        [
            ("run_date", pa.date32()),
            ("lang", pa.string()),
            ("n_docs", pa.int64()),
            ("score", pa.int64()),
            ("phrases", pa.list_(pa.string())),
        ]
    )
    rows = [(day, "en", 2, -500_000, ["a", "b"]), (day, "en", 1, None, ["a", "b", "c"]), (day, "zh", 1, 1, ["a"])]
    batch = pa.RecordBatch.from_pylist([dict(zip(schema.names, r, strict=True)) for r in rows], schema=schema)
    (out,) = make_pairs({(day, "en"): ["a", "b"]})(iter([batch]))
    assert [tuple(r.values())[2:] for r in out.to_pylist()] == [
        (0, 0, 2, 3, -500_000, 1),
        (0, 1, 2, 3, -500_000, 1),
        (1, 1, 2, 3, -500_000, 1),
    ]


def test_npmi_by_hand() -> None:
    assert list(npmi_of([5, 10, 2], [5, 10, 4], [5, 10, 5], 10)) == pytest.approx([1.0, 1.0, 0.0])


def test_communities_are_those_of_two_cliques_whatever_the_order() -> None:
    pairs = [*combinations(["a", "b", "c", "d"], 2), *combinations(["w", "x", "y", "z"], 2), ("d", "w")]
    edges = pd.DataFrame(pairs, columns=["source", "target"]).assign(npmi=[0.8] * 12 + [0.1])
    found = communities(edges, GraphSpec())
    assert found == ["d"] * 6 + ["w"] * 6 + [None]
    shuffled = edges.sample(frac=1, random_state=1)
    assert communities(shuffled, GraphSpec()) == [found[i] for i in shuffled.index]
    assert communities(edges.head(0), GraphSpec()) == []
