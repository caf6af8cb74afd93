"""Applying custom heads to stored vectors: labels, none of these, languages, and heads that do not fit."""

import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config import ModelConfig
from pipeline.doc_labels import LabelDocumentsConfig, resolve_heads
from pipeline.errors import ModelError
from pipeline.head_training import TrainedHead, head_of, save_head
from pipeline.model_lock import encoder_identity
from pipeline.models import embedding_spec
from udfs.labels import LABELLED, make_labels
from udfs.models.head import load_head

DAY = datetime.date(2026, 10, 5)


def saved(folder: Path, labels: tuple[str, ...], encoder: str = "static-en", **facts: object) -> Path:
    """A head whose label i is dimension i."""
    spec = embedding_spec(ModelConfig(embedding=encoder)).encoder
    tensors = {
        "layers.0.weight": np.eye(len(labels), 4, dtype=np.float32),
        "layers.0.bias": np.zeros(len(labels), np.float32),
    }
    trained = TrainedHead(head_of(tensors, labels, 0.1), tensors, 0.1, 0.0, {})
    save_head(trained, folder, folder.name, ["en"], spec, encoder_identity(spec), {}, folder.name, facts)
    return folder


def config(**heads: Path) -> LabelDocumentsConfig:
    return LabelDocumentsConfig(root="r", output="o", heads={task: str(path) for task, path in heads.items()})


def batch() -> pa.RecordBatch:
    vectors = [[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 0], [1.0, 0, 0, 0]]
    return pa.RecordBatch.from_pydict(
        {
            "run_date": [DAY] * 4,
            "doc_id": ["1", "2", "3", "4"],
            "event_date": [DAY] * 4,
            "model_key": ["k"] * 4,
            "lang": ["en", "en", "en", "zh"],
            "embedding": pa.array(vectors, pa.list_(pa.float32())),
        }
    )


def test_each_head_labels_the_documents_it_covers(tmp_path: Path) -> None:
    first = saved(tmp_path / "topic", ("cats", "dogs"), none_below=[0.5, 0.5])
    second = saved(tmp_path / "tone", ("loud", "dull"))
    heads, _ = resolve_heads(config(topic=first, tone=second).heads)
    table = pa.Table.from_batches(make_labels(heads)(iter([batch(), batch().slice(0, 0)])), LABELLED)
    found = [(r["doc_id"], r["task"], r["label"]) for r in table.to_pylist()]
    assert found == [
        ("1", "topic", "cats"), ("2", "topic", "dogs"), ("3", "topic", None),
        ("1", "tone", "loud"), ("2", "tone", "dull"), ("3", "tone", "loud"),
    ]  # fmt: skip
    assert table.column("probability").to_pylist()[:3] == pytest.approx([0.999955, 0.999955, 0.5])
    assert set(table.column("head_revision").to_pylist()) == {spec.revision for _, spec in heads}


def test_heads_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    topic = saved(tmp_path / "topic", ("cats", "dogs"))
    with pytest.raises(ModelError, match="for the task topic, not for tone"):
        resolve_heads(config(tone=topic).heads)
    with pytest.raises(ModelError, match=r"heads\.topic: .* is no entry of the lock file"):
        resolve_heads(config(topic=tmp_path / "absent").heads)
    other = saved(tmp_path / "tone", ("loud", "dull"), encoder="all-MiniLM-L6-v2")
    with pytest.raises(ModelError, match="different encoders"):
        resolve_heads(config(topic=topic, tone=other).heads)


def test_limits_that_do_not_fit_the_labels_are_refused(tmp_path: Path) -> None:
    topic = saved(tmp_path / "topic", ("cats", "dogs"), thresholds=[0.1, 0.2, 0.3])
    [(_, spec)], _ = resolve_heads(config(topic=topic).heads)
    with pytest.raises(Exception, match="thresholds does not hold one number for each of 2 labels"):
        load_head(spec)
