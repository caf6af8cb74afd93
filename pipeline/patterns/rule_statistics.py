"""Rules out of counted itemsets, and their statistics. No Spark here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Itemset = tuple[str, ...]
"""Items in order; an item is `kind=value`."""


@dataclass(frozen=True)
class Rule:
    """`antecedent` -> `consequent`."""

    antecedent: Itemset
    consequent: str

    @property
    def whole(self) -> Itemset:
        """All items of the rule."""
        return tuple(sorted((*self.antecedent, self.consequent)))


def kind(item: str) -> str:
    """Return what stands before the equals sign: phrase, topic, group, source, lang or sentiment."""
    return item.partition("=")[0]


def is_by_construction(antecedent: Itemset, consequent: str) -> bool:
    """Return whether a rule says how items were made rather than what texts say.

    So do two phrases with a word in common (a phrase implies its parts), and a phrase with a topic or a language across the
    arrow: topics are made from the same words, and phrases belong to a language.
    """
    phrases = [set(i.partition("=")[2].split()) for i in (*antecedent, consequent) if kind(i) == "phrase"]
    if any(a & b for a, b in combinations(phrases, 2)):
        return True
    here, there = {kind(i) for i in antecedent}, kind(consequent)
    made = {"topic", "lang"}
    return (there in made and "phrase" in here) or (there == "phrase" and bool(here & made))


def candidates(
    counts: Mapping[Itemset, int], n_texts: int, consequents: Sequence[str], min_lift: float, min_improvement: float
) -> list[Rule]:
    """Return the rules worth testing, most surprising first.

    Args:
        counts: frequent itemsets with their number of texts, closed downwards: with an itemset come all its parts.
        n_texts: texts they were counted in.
        consequents: kinds that may stand on the right.
        min_lift: smallest lift.
        min_improvement: a rule must beat the confidence of each rule with fewer of its items on the left, and the share of its
            consequent, by so much (Bayardo, Agrawal, Gunopulos, 1999, Constraint-based rule mining in large, dense databases).
    """
    found = []
    for itemset, n_both in counts.items():
        if len(itemset) < 2:
            continue
        for consequent in itemset:
            antecedent = tuple(i for i in itemset if i != consequent)
            if kind(consequent) not in consequents or is_by_construction(antecedent, consequent):
                continue
            share = counts[(consequent,)] / n_texts
            confidence = n_both / counts[antecedent]
            if confidence < min_lift * share:
                continue
            if confidence - _best_part(counts, n_texts, antecedent, consequent) < min_improvement:
                continue
            surprise = float(g2(n_both, counts[antecedent], counts[(consequent,)], n_texts))
            found.append((-surprise, len(antecedent), antecedent, consequent))
    return [Rule(antecedent, consequent) for _, _, antecedent, consequent in sorted(found)]


def _best_part(counts: Mapping[Itemset, int], n_texts: int, antecedent: Itemset, consequent: str) -> float:
    """Return the highest confidence of the rules with a part of the antecedent, the empty part included."""
    best = counts[(consequent,)] / n_texts
    for size in range(1, len(antecedent)):
        for part in combinations(antecedent, size):
            best = max(best, counts[tuple(sorted((*part, consequent)))] / counts[part])
    return best


def g2(both: float, first: float, second: float, total: float) -> float:
    """Return Dunning's log-likelihood ratio of a 2x2 table, 0 or more."""
    observed = np.array([both, first - both, second - both, total - first - second + both], dtype=np.float64)
    rows = np.array([first, first, total - first, total - first], dtype=np.float64)
    columns = np.array([second, total - second, second, total - second], dtype=np.float64)
    some = observed > 0
    return float(2 * np.sum(observed[some] * np.log(observed[some] * total / (rows[some] * columns[some]))))


def fisher_p(
    both: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64], total: NDArray[np.int64] | int
) -> NDArray[np.float64]:
    """Return the one-sided p of Fisher's exact test: as many or more texts with both, were they independent. 1 of nothing."""
    from scipy.stats import hypergeom

    p = hypergeom.sf(both - 1, np.maximum(total, 1), first, second)
    return np.where(both <= 0, 1.0, np.clip(p, 0.0, 1.0))


def benjamini_hochberg(p: NDArray[np.float64], n_tests: int | None = None) -> NDArray[np.float64]:
    """Return q-values (Benjamini and Hochberg, 1995). `n_tests` counts tests that are not in `p`, all of them not smaller."""
    if len(p) == 0:
        return p
    n = n_tests or len(p)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * n / np.arange(1, len(p) + 1)
    q = np.empty(len(p))
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def wilson_interval(
    successes: NDArray[np.int64], trials: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of Wilson's 95 % interval (see `pipeline.intervals`); 0 and 1 where there are no trials."""
    z2 = 1.959963984540054**2
    n = np.maximum(trials, 1).astype(np.float64)
    p = successes / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2) / (1 + z2 / n) * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low, high = np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
    low, high = np.where(successes == 0, 0.0, low), np.where(successes == trials, 1.0, high)
    return np.where(trials == 0, 0.0, low), np.where(trials == 0, 1.0, high)


def without_redundant(rules: Iterable[tuple[Rule, float]]) -> list[int]:
    """Return the places of the rules that beat the confidence of every given rule with fewer of their items on the left."""
    listed = list(rules)
    confidence = {(set_key(rule.antecedent), rule.consequent): c for rule, c in listed}
    kept = []
    for place, (rule, own) in enumerate(listed):
        parts = (p for size in range(1, len(rule.antecedent)) for p in combinations(rule.antecedent, size))
        if all(own > confidence.get((set_key(part), rule.consequent), -1.0) for part in parts):
            kept.append(place)
    return kept


def set_key(items: Itemset) -> frozenset[str]:
    """Return items without order."""
    return frozenset(items)
