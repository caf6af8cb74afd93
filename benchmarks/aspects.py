"""Sentiment towards aspects on labelled tweets, with and without sentences.

    python -m benchmarks.aspects --data data/sentiment/airline_tweets/train.parquet --out out/bench-aspects.json

Two tweets of one sentence each, of opposite labels and about different aspects, make one text; each aspect should have its own
tweet's label. A full stop is added where no mark ends a tweet. The whole text has one label, right for one of the two at most.
Without Spark.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config import LanguageConfig, NightModelConfig
from pipeline.models import sentiment_spec
from udfs.aspect_terms import Matcher
from udfs.aspects import AspectSpec, aspects_of, mentions
from udfs.results import TEXTS
from udfs.sentences import sentences
from udfs.worker import configure_threads

TERMS = {
    "luggage": ("luggage", "bag", "bags", "baggage", "suitcase"),
    "staff": ("crew", "staff", "flight attendant", "flight attendants", "agent", "agents", "pilot"),
    "service": ("service", "customer service", "customer care"),
    "delay": ("delay", "delays", "delayed", "wait", "waiting", "on hold"),
    "seat": ("seat", "seats", "seating", "legroom"),
    "booking": ("booking", "reservation", "reservations", "ticket", "tickets", "website", "app"),
    "flight": ("flight", "flights"),
}
SPEC = AspectSpec(tuple((name, {"en": terms}) for name, terms in TERMS.items()), {})
LANG = "en"
Tweet = tuple[str, str, str]
"""Text, label, aspect."""


def tweets(path: Path, matcher: Matcher) -> list[Tweet]:
    """Return the distinct tweets of one whole sentence that are positive or negative and name exactly one aspect, by hash."""
    table = pq.read_table(path, columns=["text", "label"])
    found: dict[str, Tweet] = {}
    for text, label in zip(table.column("text").to_pylist(), table.column("label").to_pylist(), strict=True):
        if label not in ("negative", "positive"):
            continue
        written = " ".join(text.split())
        normal = written if written.endswith((".", "!", "?")) else f"{written}."
        if sentences(normal, LANG) == [(0, len(normal))]:
            names = {aspect.name for aspect, _, _ in mentions(normal, matcher, SPEC, LANG)}
            if len(names) == 1:
                found[sha256(normal.encode()).hexdigest()] = (normal, label, names.pop())
    return [found[key] for key in sorted(found)]


def pairs(rows: Sequence[Tweet]) -> list[tuple[Tweet, Tweet]]:
    """Pair each positive tweet with the next negative one about another aspect; every other pair begins with the negative one."""
    free = [row for row in rows if row[1] == "negative"]
    made = []
    for row in rows:
        other = next((i for i, one in enumerate(free) if one[2] != row[2]), None) if row[1] == "positive" else None
        if other is not None:
            both = (row, free.pop(other))
            made.append(both if len(made) % 2 else (both[1], both[0]))
    return made


def label_texts(texts: Sequence[str]) -> dict[str, str]:
    """Return the label the shipped models give each distinct text."""
    from udfs.engine import Engine

    configure_threads()
    engine = Engine(sentiment_spec(NightModelConfig(device="cpu"), LanguageConfig()))
    distinct = sorted(set(texts))
    columns = [pa.array([str(i) for i in range(len(distinct))]), pa.array([LANG] * len(distinct)), pa.array(distinct)]

    def batches() -> Iterator[pa.RecordBatch]:
        yield from pa.table(columns, schema=TEXTS).to_batches(1_000)

    labels: dict[str, str] = {}
    for batch in engine.score(batches()):
        pairs = zip(batch.column("content_key").to_pylist(), batch.column("sentiment").to_pylist(), strict=True)
        labels |= {distinct[int(key)]: label for key, label in pairs}
    return labels


def judged(made: Sequence[tuple[Tweet, Tweet]], matcher: Matcher) -> list[dict[str, str | None]]:
    """Return gold label, the aspect's, and the whole text's, for both aspects of each pair; null where no sentence was found."""
    wanted = []
    for pair in made:
        text = " ".join(row[0] for row in pair)
        spans = {a.name: text[start:end] for a, (start, end), _ in mentions(text, matcher, SPEC, LANG)}
        wanted += [(text, spans.get(aspect), label) for _, label, aspect in pair]
    labels = label_texts([t for text, sentence, _ in wanted for t in (text, sentence) if t])
    return [
        {"gold": gold, "aspect": labels[sentence] if sentence else None, "whole": labels[text]}
        for text, sentence, gold in wanted
    ]


def main(argv: Sequence[str]) -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help="Parquet file with the columns text and label")
    parser.add_argument("--out", type=Path, default=Path("out/bench-aspects.json"))
    args = parser.parse_args(argv)
    os.environ["OMP_NUM_THREADS"] = "1"
    matcher = Matcher(aspects_of(SPEC, None, LANG), LANG)
    rows = judged(pairs(tweets(args.data, matcher)), matcher)
    report: dict[str, object] = {"pairs": len(rows) // 2}
    for gold in ("negative", "positive", None):
        some = [row for row in rows if gold in (row["gold"], None)]
        report[gold or "both"] = {
            "n": len(some),
            "aspect_is_right": sum(row["aspect"] == row["gold"] for row in some),
            "whole_is_right": sum(row["whole"] == row["gold"] for row in some),
            "aspect": Counter(row["aspect"] or "none" for row in some),
            "whole": Counter(row["whole"] for row in some),
        }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
