"""What the approximate search misses: recall of the ten nearest documents, by the number of topics looked at.

    python -m benchmarks.search_recall --root out/warehouse --run-date 2026-10-14

Queries are the vectors of random documents of the night; their ten nearest other texts, found among all vectors, are what
`jobs/search.py --probes N` should find as well. `read` is the share of the night's vectors that the N topics hold.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.summary import machine, versions, write_json
from pipeline.read_tables import open_duckdb
from pipeline.search import nearest_topics

K = 10


def measure(root: Path, day: date, queries: int, probes: Sequence[int]) -> dict[str, Any]:
    """Return recall and the share of vectors read for each number of probes."""
    with open_duckdb(root) as db:
        rows = db.execute(
            "SELECT e.embedding, s.topic_id FROM doc_embeddings e JOIN doc_scores s USING (run_date, doc_id) "
            "WHERE run_date = $day AND s.topic_id IS NOT NULL AND s.is_canonical ORDER BY s.doc_id", {"day": day},
        ).fetchnumpy()  # fmt: skip  # bounded: the vectors of one night, which must fit the memory
        known = db.execute(
            "SELECT topic_id, centroid FROM topics WHERE run_date = $day", {"day": day}
        ).fetchall()  # bounded: topics of a night
    vectors = np.stack(rows["embedding"]).astype(np.float32)
    topics, centroids = np.asarray(rows["topic_id"]), dict(known)
    rng = np.random.default_rng(0)
    picked = rng.choice(len(vectors), min(queries, len(vectors)), replace=False)
    found = {n: [0.0, 0.0] for n in probes}
    for query in picked:
        cosines = vectors @ vectors[query]
        cosines[query] = -2.0
        best = np.argpartition(-cosines, K)[:K]
        for n in probes:
            near = np.isin(topics, nearest_topics(centroids, vectors[query], n))
            found[n][0] += float(near[best].mean())
            found[n][1] += float(near.mean())
    shares = {n: [round(total / len(picked), 4) for total in sums] for n, sums in found.items()}
    return {
        "texts": len(vectors),
        "topics": len(set(topics.tolist())),
        "queries": len(picked),
        "probes": [{"probes": n, "recall": recall, "read": read} for n, (recall, read) in shares.items()],
    }


def main(argv: Sequence[str]) -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="output.root of the nightly job")
    parser.add_argument("--run-date", type=date.fromisoformat, required=True)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--probes", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(argv)
    result = {
        "machine": machine(),
        "versions": versions(),
        **measure(args.root, args.run_date, args.queries, args.probes),
    }
    if args.out:
        write_json(args.out, result)
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
