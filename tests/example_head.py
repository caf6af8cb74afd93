"""A head for labels of one's own, trained on twelve sentences, for tests of nights with `model.heads`."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.config import ModelConfig
from pipeline.head_training import Labelled, TrainedHead, head_of, save_head
from pipeline.label_heads import fit_tensors
from pipeline.model_lock import encoder_identity
from pipeline.models import embedding_spec
from udfs.engine import Engine

LABELS = ("hardware", "billing", "praise")
EXAMPLES = {
    "hardware": [
        "the router does not start",
        "my charger is broken",
        "the speaker has no sound",
        "the screen stays dark",
    ],
    "billing": ["I was charged twice", "where is my refund", "the invoice is wrong", "cancel my subscription"],
    "praise": ["works great, thank you", "I love it", "excellent support, very happy", "best purchase this year"],
}


def save_example_head(folder: Path, labels: tuple[str, ...] = LABELS, encoder: str = "static-en") -> Path:
    """Train a head for `labels` on the examples with an encoder and save it; return its folder."""
    spec = embedding_spec(ModelConfig(embedding=encoder, device="cpu"))
    texts = [text for label in labels for text in EXAMPLES[label]]
    keys = [f"{i:03}" for i in range(len(texts))]
    rows = pa.table({"content_key": keys, "lang_hint": ["en"] * len(texts), "text": texts})
    found = pa.Table.from_batches(Engine(spec).score(rows.to_batches())).sort_by("content_key")
    vectors = np.array(found["embedding"].to_pylist(), np.float32)
    gold = np.repeat(np.arange(len(labels)), 4)
    tensors = fit_tensors(
        Labelled(vectors, gold, np.ones((len(texts), len(labels)), bool), np.array(["own"] * len(texts))),
        len(labels),
        0,
        1e-5,
        1,
        "none",
    )
    trained = TrainedHead(head_of(tensors, labels, 1.0), tensors, 1.0, 1e-5, {})
    save_head(trained, folder, folder.name, ["en"], spec.encoder, encoder_identity(spec.encoder), {}, "subject", {})
    return folder
