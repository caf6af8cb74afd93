"""Rules that lead to negative against the reasons people gave: do the mined drivers say why?

    python jobs/nightly.py --config conf/jobs/airline_tweets.yaml --from 2015-02-17 --to 2015-02-24 \\
        --set input.path=data/sentiment/airline_tweets/train.parquet output.root=out/airlines
    python -m benchmarks.driver_reasons --root out/airlines --data data/sentiment/airline_tweets/train.parquet

A tweet annotated with a reason has the surest driver of its night that holds a phrase and holds for it (smallest q, then largest
lift), or none. The mutual information of driver and reason is compared with that of shuffled reasons, since many rules share
information with anything. The reasons are read here only; the job never sees them.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.read_tables import open_duckdb
from udfs.pattern_statistics import g2
from udfs.phrases import phrases
from udfs.sql.texts import normalised

_SHUFFLES, _SEED, _LEAST = 200, 20_260_101, 10
_RULES = """SELECT run_date, antecedent FROM association_rules
    WHERE is_driver AND contains(CAST(antecedent AS VARCHAR), 'phrase=')
    ORDER BY run_date, q_value, lift DESC, antecedent"""
_DOCUMENTS = "SELECT doc_id, run_date, lang, group_key, topic_id, source FROM doc_scores"


@dataclass(frozen=True)
class Tweet:
    """A tweet with an annotated reason: its night, its items as rules name them, the reason."""

    night: date
    items: frozenset[str]
    reason: str


def read(root: Path, data: Path) -> tuple[list[Tweet], dict[date, list[frozenset[str]]]]:
    """Return the published tweets that have a reason, and by night the antecedents of its drivers, surest first."""
    with open_duckdb(root) as db:
        rules: dict[date, list[frozenset[str]]] = {}
        for night, antecedent in db.execute(_RULES).fetchall():
            rules.setdefault(night, []).append(frozenset(antecedent))
        documents = {row[0]: row[1:] for row in db.execute(_DOCUMENTS).fetchall()}
    table = pq.read_table(data, columns=["id", "text", "negative_reason"])
    tweets = []
    for name, text, reason in zip(*(table.column(c).to_pylist() for c in table.column_names), strict=True):
        if reason and name in documents:
            night, lang, group, topic, source = documents[name]
            found, _ = phrases(normalised(text), lang)
            named = {f"group={group}", f"topic={topic}", f"source={source}"}
            tweets.append(Tweet(night, frozenset({f"phrase={p}" for p in found} | named), reason))
    return tweets, rules


def entropy(counts: NDArray[np.int64]) -> float:
    """Return the entropy of counts, in bits."""
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log2(share)).sum())


def information(first: NDArray[np.int64], second: NDArray[np.int64]) -> tuple[float, float]:
    """Return the mutual information of two labellings of (n,) in bits, and normalised by the mean of their entropies."""
    table = np.zeros((first.max() + 1, second.max() + 1), dtype=np.int64)
    np.add.at(table, (first, second), 1)
    alone = entropy(table.sum(axis=1)), entropy(table.sum(axis=0))
    mutual = sum(alone) - entropy(table.ravel())
    return mutual, 2 * mutual / sum(alone) if sum(alone) else 0.0


def report(title: str, rules: Sequence[str], reasons: Sequence[str]) -> None:
    """Print the mutual information of rules and reasons, and its mean where reasons are shuffled."""
    first, second = (np.unique(np.array(labels), return_inverse=True)[1] for labels in (rules, reasons))
    rng = np.random.default_rng(_SEED)
    chance = np.mean([information(first, rng.permutation(second)) for _ in range(_SHUFFLES)], axis=0)
    mutual, normal = information(first, second)
    print(
        f"{title}: {len(rules):,} tweets, {len(set(rules))} rules, {len(set(reasons))} reasons; mutual information "
        f"{mutual:.3f} bits (shuffled {chance[0]:.3f}), normalised {normal:.3f} (shuffled {chance[1]:.3f})"
    )


def best_rules(tweets: Sequence[Tweet], rules: dict[date, list[frozenset[str]]]) -> None:
    """Print for each reason the rule most associated with it (log-likelihood ratio), among those of enough tweets."""
    holds = Counter[frozenset[str]]()
    both = Counter[tuple[frozenset[str], str]]()
    for tweet in tweets:
        for rule in {r for r in rules.get(tweet.night, ()) if r <= tweet.items}:
            holds[rule] += 1
            both[rule, tweet.reason] += 1
    total, usual = len(tweets), Counter(t.reason for t in tweets)
    for reason, n in usual.most_common():
        more = [r for r, k in holds.items() if k >= _LEAST and both[r, reason] * total > k * n]
        if not more:
            print(f"{reason} ({n:,}): no rule of at least {_LEAST} tweets is more frequent there")
            continue
        best = max(more, key=lambda r: (g2(both[r, reason], holds[r], n, total), sorted(r)))
        share, base = both[best, reason] / holds[best], n / total
        print(f"{reason} ({n:,}): {named(best)}; {share:.0%} of its {holds[best]} tweets, {base:.0%} of all")


def named(rule: frozenset[str]) -> str:
    """Return a rule's left side in words."""
    return " and ".join(sorted(item.removeprefix("phrase=") for item in rule))


def main(argv: Sequence[str]) -> int:
    """Print how much the drivers say of the reasons, and the best rule of each reason."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True, type=Path, help="output.root of the nightly job")
    parser.add_argument("--data", required=True, type=Path, help="Parquet with id, text and negative_reason")
    args = parser.parse_args(argv)
    tweets, rules = read(args.root, args.data)
    surest = [next((r for r in rules.get(t.night, ()) if r <= t.items), None) for t in tweets]
    print(f"{sum(map(len, rules.values()))} drivers with a phrase over {len(rules)} nights")
    report("all", ["" if r is None else named(r) for r in surest], [t.reason for t in tweets])
    met = [(named(r), t.reason) for r, t in zip(surest, tweets, strict=True) if r is not None]
    report("with a driver", [rule for rule, _ in met], [reason for _, reason in met])
    best_rules(tweets, rules)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
