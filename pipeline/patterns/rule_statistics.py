"""Rules out of counted itemsets: which are worth testing. No Spark here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from udfs.pattern_statistics import g2

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
