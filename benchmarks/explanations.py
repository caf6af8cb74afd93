"""Whether the words `ai_explain` names carry the sentiment: taking away the three heaviest against taking away three at random.

    python -m benchmarks.explanations --data sentiment/sst5/validation.parquet --rows 300 --out out/explanations.json

Texts of at least eight words, picked by hash. For each the fall of the probability of its label is measured, with the three words
of the largest weight taken away, and, as the mean of five draws, with three words at random.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.corpora import add_arguments, keyed, prepare
from benchmarks.summary import machine, versions, write_json
from pipeline.config import NightModelConfig
from pipeline.sql import SqlConfig
from pipeline.sql.config import CacheConfig
from pipeline.sql.specs import resolve_sql
from udfs.sql.explain import SENTIMENTS, explain_functions, probabilities
from udfs.sql.scorer import scorer_of
from udfs.sql.spec import SqlSpec
from udfs.sql.texts import normalised

LEAST_WORDS, TAKEN, DRAWS = 8, 3, 5


def without(text: str, tokens: Sequence[dict[str, Any]]) -> str:
    """Return a text with some of its tokens taken away."""
    for token in sorted(tokens, key=lambda t: -int(t["start"])):
        text = text[: token["start"]] + " " + text[token["end"] :]
    return normalised(text)


def chances(spec: SqlSpec, texts: Sequence[str], labels: Sequence[str]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Return the probability of each text's label, texts read as English."""
    distinct = list(dict.fromkeys(texts))
    scores = scorer_of(spec).scores(spec.models[0].scoring, distinct, "explanations", vectors=False, hint="en")
    by_text = {
        text: probabilities(s.sentiment, s.score, s.confidence)
        for text, s in zip(distinct, scores, strict=True)
        if s.sentiment is not None and s.score is not None and s.confidence is not None
    }
    return np.array([by_text[t][SENTIMENTS.index(label)] for t, label in zip(texts, labels, strict=True)])


def measure(spec: SqlSpec, texts: Sequence[str]) -> dict[str, Any]:
    """Explain texts and take words away; return how far the label's probability falls."""
    (function,) = explain_functions(spec)
    answers = function.function(pd.Series(list(texts), dtype=object))
    fine = [(text, a) for text, a in zip(texts, answers, strict=True) if a["error"] is None]
    kept = [(text, a) for text, a in fine if len(a["tokens"]) >= LEAST_WORDS]
    labels = [a["label"] for _, a in kept]
    whole = np.array([a["probability"] for _, a in kept])
    heaviest = [without(t, sorted(a["tokens"], key=lambda w: -float(w["weight"]))[:TAKEN]) for t, a in kept]
    random = np.random.default_rng(7)
    draws = [
        chances(spec, [without(t, random.choice(a["tokens"], TAKEN, replace=False).tolist()) for t, a in kept], labels)
        for _ in range(DRAWS)
    ]
    top, rest = whole - chances(spec, heaviest, labels), whole - np.mean(draws, axis=0)
    return {
        "texts": len(kept),
        "fall_heaviest": round(float(top.mean()), 4),
        "fall_random": round(float(rest.mean()), 4),
        "heaviest_falls_more": round(float((top > rest).mean()), 4),
        "below_half_heaviest": round(float((whole - top < 0.5).mean()), 4),
        "below_half_random": round(float(np.mean([(draw < 0.5).mean() for draw in draws])), 4),
    }


def main(argv: Sequence[str]) -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(argv)
    with TemporaryDirectory() as temporary:
        import pyarrow.parquet as pq

        prepare(args.data, 10 * args.rows, Path(temporary), args.column)
        texts = [text for _, text in keyed(pq.read_table(Path(temporary) / "texts.parquet"))]
        long_enough = [text for text in texts if len(text.split()) >= LEAST_WORDS + 2][: args.rows]
        cache = CacheConfig(folder=str(Path(temporary) / "cache"))
        spec = resolve_sql(SqlConfig(model=NightModelConfig(device="cpu"), cache=cache))
        result = {"machine": machine(), "versions": versions(), **measure(spec, long_enough)}
    if args.out:
        write_json(args.out, result)
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
