"""How stable topic ids are: topics refitted every night of a month, and the share of documents that keep theirs.

    python -m benchmarks.topic_stability --data data/stream/reddit_posts --from 2013-05-01 --nights 30

The data are Parquet files with the columns text and published_at. The texts of the first week fit the first model; each night
after that refits on the nights before it (`topics.history_nights`), and then the documents of the night and of the week before
are assigned by the model of the night before and by the new one. Everything is run twice, to see that it is the same.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.corpora import content_key, parquet_files
from benchmarks.topics_bertopic import embedded
from pipeline.config import TopicsConfig
from pipeline.topics import Sample, TopicModel, fit_topics, refit_topics

_FIRST_NIGHTS = 7


class Texts:
    """Texts in the order of their content keys, with their nights and vectors."""

    def __init__(self, texts: Sequence[str], nights: Sequence[date], embedding: str) -> None:
        order = sorted(range(len(texts)), key=lambda i: content_key(texts[i]))
        self.texts = [texts[i] for i in order]
        self.nights = np.array([nights[i].toordinal() for i in order])
        self.vectors = embedded(self.texts, embedding)

    def rows(self, first: date, last: date, size: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        """Return at most `size` rows of some nights, both ends included."""
        return np.flatnonzero((self.nights >= first.toordinal()) & (self.nights <= last.toordinal()))[:size]

    def sample(self, first: date, last: date, size: int) -> Sample:
        """Return what a model is fitted on."""
        rows = self.rows(first, last, size)
        return Sample(self.vectors[rows], [self.texts[i][:2_000] for i in rows], ["en"] * len(rows))


def read(data: Path, first: date, nights: int, per_night: int) -> tuple[list[str], list[date]]:
    """Return the distinct texts of the nights and when each came first, at most `per_night` of a night, picked by hash."""
    last = first + timedelta(days=nights)
    found: dict[date, dict[str, str]] = {}
    for file in parquet_files(data):
        table = pq.read_table(file, columns=["text", "published_at"])
        days = pc.cast(table["published_at"], "date32")
        table = table.append_column("day", days).filter((pc.field("day") >= first) & (pc.field("day") < last))
        for text, day in zip(table["text"].to_pylist(), table["day"].to_pylist(), strict=True):
            folded = " ".join((text or "").split())
            if folded:
                found.setdefault(day, {})[content_key(folded)] = folded
    seen: dict[str, date] = {}
    for day in sorted(found):
        for _, text in sorted(found[day].items())[:per_night]:
            seen.setdefault(text, day)
    return list(seen), list(seen.values())


def assigned(model: TopicModel, texts: Texts, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> "np.ndarray":  # type: ignore[type-arg]
    """Return the topic ids of rows."""
    centroids = np.array([t.centroid for t in model.active])
    ids = np.array([t.topic_id for t in model.active])
    return ids[(texts.vectors[rows] @ centroids.T).argmax(axis=1)]


def month(
    texts: Texts, first: date, nights: int, config: TopicsConfig, folder: Path
) -> tuple[list[TopicModel], list[float]]:
    """Return the models and, for each refit, the share of the week's documents that keep their topic id."""
    start = first + timedelta(days=_FIRST_NIGHTS - 1)
    models = [fit_topics(folder, "s", first, texts.sample(first, start, config.sample_size), config, start)]
    kept = []
    for n in range(_FIRST_NIGHTS, nights):
        night = first + timedelta(days=n)
        oldest = max(first, night - timedelta(days=config.history_nights - 1))
        new = refit_topics(folder, "s", models[-1], night, texts.sample(oldest, night, config.sample_size), config)
        rows = texts.rows(night - timedelta(days=_FIRST_NIGHTS), night, len(texts.texts))
        kept.append(float((assigned(models[-1], texts, rows) == assigned(new, texts, rows)).mean()))
        models.append(new)
    return models, kept


def main(argv: Sequence[str]) -> int:
    """Refit every night, twice, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="Parquet file or folder")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True)
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--per-night", type=int, default=1_000, help="texts of a night that are used")
    parser.add_argument("--sample", type=int, default=20_000, help="topics.sample_size")
    parser.add_argument("--embedding", default="static-en", help="as model.embedding")
    args = parser.parse_args(argv)
    texts = Texts(*read(args.data, args.first, args.nights, args.per_night), args.embedding)
    config = TopicsConfig(sample_size=args.sample, refit_every_nights=1)
    runs = []
    for _ in range(2):
        started, cpu = time.perf_counter(), time.process_time()
        with TemporaryDirectory() as folder:
            runs.append(month(texts, args.first, args.nights, config, Path(folder)))
        print(f"{time.perf_counter() - started:.0f} s, {time.process_time() - cpu:.0f} s of processor time", flush=True)
    (models, kept), (again, _) = runs
    for model, share in zip(models[1:], kept, strict=True):
        events = Counter(e.event for e in model.events)
        print(
            f"{model.valid_from}  {model.n_sample:,} texts  {len(model.active)} topics  {share:.4f} keep theirs  {dict(events)}"
        )
    same = [m.spec.key for m in models] == [m.spec.key for m in again]
    print(f"{len(texts.texts):,} texts; kept: mean {np.mean(kept):.4f}, least {min(kept):.4f}; twice the same: {same}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
