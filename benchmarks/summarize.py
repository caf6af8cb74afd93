"""ROUGE-1 of `ai_summarize` with one sentence against the text's first sentence.

    python -m benchmarks.summarize --data data/summarization/scitldr/validation.parquet

ROUGE-1 (Lin 2004) is the F1 of shared words, case-folded, not stemmed; with several references the best one counts, as SciTLDR
does. The interval is of the difference, by a paired bootstrap over texts.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from udfs.sentences import sentences
from udfs.sql_text.summary import MOST_WORDS, ai_summarize

_WORD = re.compile(r"[^\W_]+")


def rouge_1(candidate: str, reference: str) -> float:
    """Return the F1 of the words two texts share, each counted as often as both have it."""
    a, b = (Counter(_WORD.findall(text.casefold())) for text in (candidate, reference))
    shared = (a & b).total()
    return 2 * shared / (a.total() + b.total()) if shared else 0.0


def best(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return (n,) ROUGE-1 of each candidate with the best of its references."""
    return np.array(
        [max(rouge_1(one, each) for each in many) for one, many in zip(candidates, references, strict=True)]
    )


def main(argv: Sequence[str]) -> int:
    """Print the mean of each and the difference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help="Parquet with text and summaries")
    args = parser.parse_args(argv)
    table = pq.read_table(args.data, columns=["text", "summaries"])
    texts, references = table.column("text").to_pylist(), table.column("summaries").to_pylist()
    first = [next((t[start:end] for start, end in sentences(t, "en", max_chars=None)), "") for t in texts]
    chosen = ai_summarize(pd.Series(texts), max_words=MOST_WORDS, max_sentences=1).fillna("").tolist()
    lead, ours = best(first, references), best(chosen, references)
    draws = np.random.default_rng(20_260_101).integers(0, len(texts), (2_000, len(texts)))
    low, high = np.quantile((ours - lead)[draws].mean(axis=1), [0.025, 0.975])
    print(f"texts {len(texts):,}")
    print(f"lead-1 {lead.mean():.4f}")
    print(f"ai_summarize, 1 sentence {ours.mean():.4f}")
    print(f"difference {(ours - lead).mean():+.4f}, 95 % interval {low:+.4f} to {high:+.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
