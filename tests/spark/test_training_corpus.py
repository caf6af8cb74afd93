"""A training from Parquet to a saved model: what becomes of each row, what the shards hold, and what is saved."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from tokenizers import Tokenizer

from pipeline.errors import DataError
from pipeline.training.config import CorpusConfig, TrainConfig
from pipeline.training.corpus import fates, prepared
from pipeline.training.export import export, figures
from pipeline.training.run import check_output, fit, prepare
from udfs.models.language_models import load
from udfs.training.shards import Shards


def write(path: Path, **columns: list[Any]) -> str:
    pq.write_table(pa.table(columns), path)
    return str(path)


def test_every_row_meets_one_fate(spark: SparkSession, tmp_path: Path) -> None:
    train = write(
        tmp_path / "train.parquet",
        t=[
            "Good  day",
            "good day!",
            "Good day",
            "",
            None,
            "I am judged",
            "validated?",
            "bonjour",
            "so so",
            "z1",
            "z2",
            "z3",
        ],
        y=["pos", "pos", "neg", "pos", "pos", "neg", "neg", "pos", "odd", "pos", "pos", "pos"],
        lang=["en"] * 7 + ["fr"] + ["en"] * 4,
    )
    validation = write(tmp_path / "validation.parquet", t=["Validated", "I am judged"], y=["negative"] * 2)
    judged = write(tmp_path / "judged.parquet", text=["i AM judged."], other=["nothing"])
    config = CorpusConfig.model_validate(
        {
            "train": [
                {"name": "train", "path": train, "text": "t", "label": "y", "rename": {"pos": "positive", "neg": "negative"},
                 "lang": "lang", "languages": ["en"], "max_rows": 4}
            ],
            "validation": [{"name": "validation", "path": validation, "text": "t", "label": "y"}],
            "exclude": [{"path": judged, "columns": ["text", "other"]}],
        }
    )  # fmt: skip
    rows = prepared(spark, config, {"label": ("negative", "positive")}).persist()
    found = {(r.text, r.label): r.fate for r in rows.where("set_name = 'train'").collect()}
    assert found[("I am judged", "negative")] == "evaluation"
    assert found[("validated?", "negative")] == "validation"
    assert found[("bonjour", "positive")] == "language"
    assert found[("so so", "odd")] == "label"
    # the same text twice: one label is kept, whichever row comes first
    assert (found[("Good day", "negative")], found[("Good day", "positive")]) in (
        ("kept", "duplicate"),
        ("max_rows", "duplicate"),
    )
    counted = {(c["set_name"], c["fate"]): c["n"] for c in fates(rows)}
    rows.unpersist()
    assert counted == {
        ("train", "kept"): 4, ("train", "max_rows"): 1, ("train", "duplicate"): 1, ("train", "empty"): 2, ("train", "label"): 1,
        ("train", "language"): 1, ("train", "evaluation"): 1, ("train", "validation"): 1, ("validation", "kept"): 2,
    }  # fmt: skip


def lm_config(folder: Path, corpus: dict[str, Any], **changes: Any) -> TrainConfig:
    return TrainConfig.model_validate(
        {
            "name": "tiny",
            "output": str(folder / "model"),
            "objective": "causal_lm",
            "corpus": corpus,
            "tokenizer": {"kind": "bpe", "size": 300},
            "model": {"architecture": "gru", "hidden_size": 16, "n_layers": 1, "max_tokens": 12},
            "loop": {"batch_rows": 32, "micro_rows": 32, "epochs": 2, "lr": 0.02, "threads": 1},
            "processes": {"device": "cpu"},
            **changes,
        }
    )


def test_from_parquet_to_a_saved_model(spark: SparkSession, tmp_path: Path) -> None:
    texts = [
        f"the {a} {b} went to the {c}"
        for a in "old new red".split()
        for b in "dog cat fox owl".split()
        for c in "sea inn".split() * 1
    ]
    texts += [f"{t} and then it came back home again" for t in texts] + [f"{t} today" for t in texts]
    path = write(tmp_path / "texts.parquet", text=texts)
    config = lm_config(tmp_path, {"train": [{"name": "texts", "path": path}], "held_back": 0.2})
    check_output(config)
    data = prepare(spark, config)
    kept, held_back = data.kept("train"), data.kept("validation")
    assert kept + held_back == len(texts)
    assert 0 < held_back < len(texts) / 2
    shards = Shards(data.shards("train"), pad_id=0)
    assert shards.lengths.max() <= 12
    assert len(shards) > kept  # long texts are several rows

    again = prepare(spark, config)
    assert again.fates == data.fates
    outcome = fit(config, data)
    folder = export(config, data, outcome)
    model = load(folder)
    assert sorted(p.name for p in folder.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert model.config.vocabulary_size == tokenizer.get_vocab_size() <= 300
    assert json.loads((folder / "config.json").read_text())["model_type"] == "nightjar"
    card = (folder / "README.md").read_text()
    assert f"| texts | training | {kept:,} | none |" in card
    found = figures(config, data, outcome)
    assert f"| bits_per_byte | {found['bits_per_byte']:.4f} |" in card
    assert 0.5 < found["bits_per_byte"] < 8
    assert (data.folder / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_shards_of_labels_and_targets(spark: SparkSession, tmp_path: Path) -> None:
    path = write(
        tmp_path / "pairs.parquet", text=["ein Hund", "eine Katze", "ein Haus"], en=["a dog", "a cat", "a house"]
    )
    sets = {"train": [{"name": "a", "path": path, "target": "en", "max_rows": 2}]}
    sets["validation"] = [
        {"name": "b", "path": write(tmp_path / "v.parquet", text=["der Baum"], en=["the tree"]), "target": "en"}
    ]
    model = {"architecture": "encoder_decoder", "hidden_size": 8, "n_layers": 1, "n_heads": 2, "max_tokens": 8}
    data = prepare(spark, lm_config(tmp_path, sets, objective="seq2seq", model=model))
    shards = Shards(data.shards("train"), pad_id=0)
    assert len(shards) == 2
    batch = shards.batch(shards.in_order(2)[0])
    tokenizer = Tokenizer.from_file(str(data.tokenizer))
    assert batch.target_ids is not None
    pairs = {
        (tokenizer.decode(a).strip(), tokenizer.decode(b).strip())
        for a, b in zip(batch.ids.tolist(), batch.target_ids.tolist(), strict=True)
    }
    assert pairs < {("ein Hund", "a dog"), ("eine Katze", "a cat"), ("ein Haus", "a house")}


def test_a_corpus_without_rows_says_what_became_of_them(spark: SparkSession, tmp_path: Path) -> None:
    path = write(tmp_path / "x.parquet", text=["", " "])
    config = lm_config(tmp_path, {"train": [{"name": "x", "path": path}], "held_back": 0.5})
    with pytest.raises(DataError, match="no row is left for train: 2 empty"):
        prepare(spark, config)
