"""How right `ai_classify` and `ai_filter` are without a labelled row, on labelled texts.

    python -m benchmarks.sql_labels --data data/topics/ag_news/train.parquet --rows 600 \\
        --name "world=world politics" --name "sci_tech=science and technology"

The labels of the file, `_` read as a blank, in small letters, are the labels of `ai_classify`, and one at a time the conditions
of `ai_filter`: precision and recall over all pairs of text and condition at several thresholds, and the mean area under the ROC
curve, which no threshold changes. The texts are those with the smallest digests of their ids. `--template` tries another
wording of a condition. Default models.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.summary import machine, versions
from pipeline.config import NightModelConfig
from pipeline.sql import SqlConfig
from pipeline.sql.config import CacheConfig
from pipeline.sql.specs import resolve_sql
from udfs.sql import label_sets
from udfs.sql.embed import vectors_of
from udfs.sql.rows import read_texts
from udfs.sql.scorer import Scorer

THRESHOLDS = (0.3, 0.4, 0.5, 0.6)


def auc(fit: NDArray[np.float64], is_right: NDArray[np.bool_]) -> float:
    """Return the share of pairs of a right and a wrong text in which the right one fits better; ties count half."""
    right, wrong = np.sort(fit[is_right]), fit[~is_right]
    below, above = np.searchsorted(right, wrong, "left"), np.searchsorted(right, wrong, "right")
    return float(1 - (below + above).sum() / 2 / (len(right) * len(wrong)))


def read(path: Path, rows: int, column: str, langs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return texts and their labels."""
    table = pq.read_table(path).to_pylist()
    found = [row for row in table if row["text"] and (not langs or row["lang"] in langs)]
    found.sort(key=lambda row: hashlib.sha256(f"f{row['id']}".encode()).hexdigest())
    return [row["text"] for row in found[:rows]], [str(row[column]) for row in found[:rows]]


def measure(scorer: Scorer, texts: Sequence[str], labels: Sequence[str], named: dict[str, str]) -> dict[str, Any]:
    """Return accuracy, areas, precision and recall."""
    spec, model = scorer.spec, scorer.spec.models[0]
    read_ = read_texts(texts, spec.max_text_chars)
    scores = vectors_of(scorer, model, read_.distinct, "bench")
    has = [(scores[p].vector, label) for p, label in zip(read_.places, labels, strict=True) if p is not None]
    vectors = np.stack([vector for vector, _ in has if vector is not None])
    truth = np.array([label for vector, label in has if vector is not None])
    kinds = sorted(set(truth))
    words = [named.get(kind, kind.replace("_", " ").lower()) for kind in kinds]
    among = label_sets.classifier_of(spec, scorer, words, model)
    alone = [label_sets.condition_of(spec, scorer, word, model) for word in words]
    assert not isinstance(among, dict)
    fits = np.column_stack([one.fits(vectors)[:, 0] for one in alone if not isinstance(one, dict)])
    right = truth[:, None] == np.array(kinds)[None]
    return {
        "texts": len(truth),
        "conditions": words,
        "accuracy_of_classify": round(float((among.chances(vectors).argmax(1) == right.argmax(1)).mean()), 3),
        "auc_of_filter": round(float(np.mean([auc(fits[:, k], right[:, k]) for k in range(len(kinds))])), 3),
        "filter": {str(least): _rates(fits >= least, right) for least in THRESHOLDS},
    }


def _rates(said: NDArray[np.bool_], right: NDArray[np.bool_]) -> dict[str, float]:
    both = float((said & right).sum())
    return {
        "precision": round(both / max(float(said.sum()), 1), 3),
        "recall": round(both / float(right.sum()), 3),
        "said_of_others": round(float((said & ~right).sum() / (~right).sum()), 3),
    }


def main(argv: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="Parquet with id, text, lang and a column of labels")
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--column", default="label")
    parser.add_argument("--lang", action="append", default=[], help="only texts of these languages")
    parser.add_argument("--name", action="append", default=[], metavar="LABEL=WORDS", help="what a label is called")
    parser.add_argument("--template", help="wording of a condition, such as 'This text is about {}.'")
    args = parser.parse_args(argv)
    if args.template:
        label_sets.CONDITION_TEMPLATE = args.template
    with TemporaryDirectory() as folder:
        config = SqlConfig(model=NightModelConfig(device="cpu"), cache=CacheConfig(folder=folder))
        texts, labels = read(args.data, args.rows, args.column, args.lang)
        found = measure(Scorer(resolve_sql(config)), texts, labels, dict(n.split("=", 1) for n in args.name))
    print(json.dumps({"machine": machine(), "versions": versions(), **found}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
