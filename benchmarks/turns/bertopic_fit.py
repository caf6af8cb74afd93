"""BERTopic on stored vectors, in an environment of its own: reads a folder, writes its topics there. Knows nothing of Nightjar.

    python bertopic_fit.py FOLDER

FOLDER has texts.json (a list) and vectors.npy (n, d); bertopic.json is written: `topics` as fitted (-1 where none), `assigned`
with every document assigned by `reduce_outliers`, `words` of each topic, and the seconds of fit and reduction without imports.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np


def main(folder: Path) -> None:
    from bertopic import BERTopic
    from bertopic.backend import BaseEmbedder
    from sklearn.feature_extraction.text import CountVectorizer
    from umap import UMAP

    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    vectors = np.load(folder / "vectors.npy")
    started, cpu = time.perf_counter(), time.process_time()
    # its defaults, with a seed (without one two runs differ) and without stop words in the labels, as its documentation advises
    umap = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", low_memory=False, random_state=0)
    words = CountVectorizer(stop_words="english")
    model = BERTopic(umap_model=umap, embedding_model=BaseEmbedder(), vectorizer_model=words)
    topics, _ = model.fit_transform(texts, vectors)
    fitted = time.perf_counter() - started
    has_outliers = min(topics) < 0 < len(set(topics)) - 1
    assigned = (
        model.reduce_outliers(texts, topics, strategy="embeddings", embeddings=vectors) if has_outliers else topics
    )
    found = {
        "topics": [int(t) for t in topics],
        "assigned": [int(t) for t in assigned],
        "words": {int(t): [w for w, _ in words] for t, words in model.get_topics().items() if t >= 0},
        "fit_seconds": fitted,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
        "versions": {p: version(p) for p in ("bertopic", "umap-learn", "hdbscan", "numba", "scikit-learn")},
    }
    (folder / "bertopic.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
