"""Nightjar's topics on stored vectors, as a night fits them: of the folder that `bertopic_fit.py` reads."""

import json
import sys
import time
from pathlib import Path

import numpy as np

from pipeline.config import TopicsConfig
from pipeline.topic_clusters import fit_clusters
from pipeline.topic_labels import label_topics


def main(folder: Path) -> None:
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    vectors = np.load(folder / "vectors.npy")
    config = TopicsConfig()
    started, cpu = time.perf_counter(), time.process_time()
    found = fit_clusters(vectors, config.n_topics, config.least_agreement, config.seed, config.fewest(len(texts)))
    distances = 1.0 - np.einsum("nd,nd->n", vectors, found.centroids[found.assigned]).astype(np.float64)
    k = len(found.centroids)
    labels = label_topics([t[:2_000] for t in texts], ["en"] * len(texts), found.assigned, distances, k)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    result = {
        "assigned": found.assigned.tolist(),
        "words": {i: [w for w, _ in label.keyphrases] for i, label in enumerate(labels)},
        "label_fit": [label.label_fit for label in labels],
        "agreement": found.agreement,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
    }
    (folder / "nightjar.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
