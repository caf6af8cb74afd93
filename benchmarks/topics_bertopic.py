"""Topics side by side with BERTopic on the same vectors: agreement with gold classes, coherence of the words, and time.

    python -m venv bertopic && bertopic/bin/pip install bertopic
    python -m benchmarks.topics_bertopic --peer bertopic/bin/python --data data/topics/newsgroups20 data/topics/ag_news

Each of `--data` is a Parquet file or folder with the columns text and label; its distinct texts are embedded once by the engine
and kept under `--work`. Both then fit from the vectors in a process of their own, one after the other.

NMI is taken with the gold classes over all documents; for BERTopic both with its outliers as a class of their own and with every
document assigned by its `reduce_outliers`. Coherence is the mean NPMI of the pairs of a topic's ten words (phrases for us) over
all documents, weighted by topic size.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.corpora import content_key, parquet_files

_WORD = re.compile(r"\w+")
_LONGEST = 3
TURNS = Path(__file__).parent / "turns"


def prepare(data: Path, rows: int, embedding: str, work: Path, max_chars: int) -> Path:
    """Write texts.json, labels.json and vectors.npy of at most `rows` distinct texts, picked by hash; return the folder."""
    name = f"{data.name if data.is_dir() else data.stem}-{embedding.replace('/', '_')}-{rows}-{max_chars}"
    folder = work / name
    if (folder / "vectors.npy").exists():
        return folder
    labelled: dict[str, tuple[str, str]] = {}
    for file in parquet_files(data):
        table = pq.read_table(file, columns=["text", "label"])
        for text, label in zip(table["text"].to_pylist(), table["label"].to_pylist(), strict=True):
            folded = " ".join((text or "").split())[:max_chars]
            if folded:
                labelled.setdefault(content_key(folded), (folded, str(label)))
    picked = [pair for _, pair in sorted(labelled.items())[:rows]]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "texts.json").write_text(json.dumps([t for t, _ in picked]), encoding="utf-8")
    (folder / "labels.json").write_text(json.dumps([label for _, label in picked]), encoding="utf-8")
    np.save(folder / "vectors.npy", embedded([t for t, _ in picked], embedding))
    return folder


def embedded(texts: Sequence[str], embedding: str) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Return (n, d) unit vectors of English texts."""
    from pipeline.config import ModelConfig
    from pipeline.models import embedding_spec
    from udfs.engine import Engine

    engine = Engine(embedding_spec(ModelConfig(embedding=embedding, device="cpu")))
    table = pa.table(
        {"content_key": list(map(str, range(len(texts)))), "lang_hint": ["en"] * len(texts), "text": texts}
    )
    results = pa.Table.from_batches(engine.score(table.to_batches(max_chunksize=1_000)))
    order = np.argsort(np.array(results["content_key"].to_pylist(), dtype=np.int64))
    vectors: np.ndarray[Any, np.dtype[np.float32]] = np.array(results["embedding"].to_pylist(), np.float32)[order]
    return vectors


def npmi(words: Mapping[int, Sequence[str]], sizes: Mapping[int, int], texts: Sequence[str]) -> float:
    """Return the mean NPMI of the pairs of each topic's words over texts, weighted by the topics' sizes.

    A pair that never meets counts -1; a word that no text has counts so with each of the others.
    """
    wanted = {" ".join(_WORD.findall(w.casefold())) for ws in words.values() for w in ws}
    has: dict[str, set[int]] = {w: set() for w in wanted}
    for row, text in enumerate(texts):
        tokens = _WORD.findall(text.casefold())
        for length in range(1, _LONGEST + 1):
            for i in range(len(tokens) - length + 1):
                phrase = " ".join(tokens[i : i + length])
                if phrase in has:
                    has[phrase].add(row)
    total, weight = 0.0, 0
    for topic, chosen in words.items():
        names = [" ".join(_WORD.findall(w.casefold())) for w in chosen if w]
        pairs = [_npmi(has[a], has[b], len(texts)) for i, a in enumerate(names) for b in names[:i]]
        if pairs:
            total += sizes.get(topic, 0) * float(np.mean(pairs))
            weight += sizes.get(topic, 0)
    return total / max(weight, 1)


def _npmi(a: set[int], b: set[int], n: int) -> float:
    both = len(a & b)
    if not both:
        return -1.0
    return 1.0 if both == n else float(np.log(both * n / (len(a) * len(b))) / -np.log(both / n))


def compare(folder: Path, peer: Path | None) -> dict[str, Any]:
    """Fit both and return the figures."""
    from sklearn.metrics import normalized_mutual_info_score as nmi

    texts, labels = (json.loads((folder / f"{name}.json").read_text()) for name in ("texts", "labels"))
    environment = {**os.environ, "PYTHONPATH": str(TURNS.parents[1])}
    subprocess.run([sys.executable, TURNS / "nightjar_fit.py", folder], check=True, env=environment)
    turns = {"nightjar": "assigned"}
    if peer:
        subprocess.run([peer, TURNS / "bertopic_fit.py", folder], check=True)
        turns |= {"bertopic": "topics", "bertopic, all assigned": "assigned"}
    rows: dict[str, Any] = {"n": len(texts), "classes": len(set(labels))}
    for name, column in turns.items():
        found = json.loads((folder / f"{name.split(',')[0]}.json").read_text())
        topics = found[column]
        words = {int(t): w for t, w in found["words"].items()}
        sizes = {t: topics.count(t) for t in words}
        rows[name] = {
            "topics": len(words),
            "nmi": round(float(nmi(labels, topics)), 4),
            "npmi": round(npmi(words, sizes, texts), 4),
            "assigned": round(sum(t >= 0 for t in topics) / len(topics), 4),
            "seconds": round(found["fit_seconds"] if column == "topics" else found["seconds"], 1),
            "cpu_seconds": round(found["cpu_seconds"], 1),
        }
        if "label_fit" in found:
            rows[name]["label_fit"] = round(float(np.mean([f for f in found["label_fit"] if f is not None])), 4)
        if "versions" in found:
            rows[name]["versions"] = found["versions"]
    return rows


def main(argv: Sequence[str]) -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="Parquet files or folders with text and label"
    )
    parser.add_argument("--peer", type=Path, help="Python of an environment with BERTopic; none: Nightjar alone")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--max-chars", type=int, default=20_000, help="characters of a text that are read")
    parser.add_argument("--embedding", default="all-MiniLM-L6-v2", help="as model.embedding")
    parser.add_argument("--work", type=Path, default=Path("out/bench-topics"))
    args = parser.parse_args(argv)
    results: dict[str, Any] = {}
    for data in args.data:
        folder = prepare(data, args.rows, args.embedding, args.work, args.max_chars)
        results[folder.name] = compare(folder, args.peer)
        print(f"{folder.name}: {results[folder.name]['n']:,} texts, {results[folder.name]['classes']} classes")
        for name, row in results[folder.name].items():
            if isinstance(row, dict):
                print(f"  {name:<24} " + "  ".join(f"{k} {v}" for k, v in row.items() if k != "versions"), flush=True)
    (args.work / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
