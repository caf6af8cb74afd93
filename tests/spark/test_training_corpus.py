"""A training from Parquet to a saved model: what becomes of each row, what the shards hold, and what is saved."""

import hashlib
import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from pyspark.sql import SparkSession
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from pipeline.config import LanguageConfig, ModelConfig
from pipeline.errors import ConfigError, DataError
from pipeline.models import embedding_spec, sentiment_spec
from pipeline.training.config import CorpusConfig, TrainConfig
from pipeline.training.corpus import fates, prepared
from pipeline.training.export import export, figures
from pipeline.training.run import check_output, fit, model_config, prepare, task_spec
from udfs.models.encoder import load_encoder
from udfs.models.head import load_head
from udfs.models.language_models import EncoderLanguageModel, load
from udfs.spec import space_of
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
    assert found[("Good day", "negative")] in ("kept", "max_rows")
    assert found[("Good day", "positive")] == "duplicate"
    counted = {(c["set_name"], c["fate"]): c["n"] for c in fates(rows)}
    rows.unpersist()
    assert counted == {
        ("train", "kept"): 4, ("train", "max_rows"): 1, ("train", "duplicate"): 1, ("train", "empty"): 2, ("train", "label"): 1,
        ("train", "language"): 1, ("train", "evaluation"): 1, ("train", "validation"): 1, ("validation", "kept"): 2,
    }  # fmt: skip


def test_a_part_holds_the_same_texts_as_elsewhere(spark: SparkSession, tmp_path: Path) -> None:
    texts = [f"text number {i}" for i in range(40)]
    path = write(tmp_path / "x.parquet", text=texts)
    sets = {
        "train": [{"name": "x", "path": path, "part": {"from_pct": 0, "to_pct": 70}}],
        "validation": [{"name": "y", "path": path, "part": {"from_pct": 70, "to_pct": 100}}],
    }
    rows = prepared(spark, CorpusConfig.model_validate(sets), {}).where("fate = 'kept'").collect()
    place = {text: int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % 100 for text in texts}
    assert {r.text for r in rows if r.part == "train"} == {t for t, p in place.items() if p < 70}
    assert {r.text for r in rows if r.part == "validation"} == {t for t, p in place.items() if p >= 70}


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
    words = product(("old", "new", "red"), ("dog", "cat", "fox", "owl"), ("sea", "inn"))
    texts = [f"the {a} {b} went to the {c}" for a, b, c in words]
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
    other = write(tmp_path / "other.parquet", text=["der Baum"], en=["the tree"])
    sets["validation"] = [{"name": "b", "path": other, "target": "en"}]
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


def test_shards_of_teacher_vectors(spark: SparkSession, tmp_path: Path) -> None:
    # two texts and their translation: both learn the vector of the translation
    path = write(tmp_path / "pairs.parquet", text=["ein Hund", "un chien", "a cat"], en=["a dog", "a dog", "a cat"])
    sets = {"train": [{"name": "a", "path": path, "target": "en"}]}
    sets["validation"] = [{"name": "b", "path": write(tmp_path / "v.parquet", text=["the tree"])}]
    model = {
        "architecture": "encoder",
        "hidden_size": 8,
        "n_layers": 1,
        "n_heads": 2,
        "max_tokens": 8,
        "output_size": 256,
    }
    changes = {
        "objective": "distillation",
        "model": model,
        "teacher": {"embedding": "static-en", "sentiment": "sentiment-en-static"},
    }
    data = prepare(spark, lm_config(tmp_path, sets, **changes))
    batch = Shards(data.shards("train"), pad_id=0).batch(np.arange(3))
    assert batch.vectors is not None
    tokenizer = Tokenizer.from_file(str(data.tokenizer))
    vectors = {
        tokenizer.decode(ids).strip(): v for ids, v in zip(batch.ids.tolist(), batch.vectors.numpy(), strict=True)
    }
    assert vectors["ein Hund"] == pytest.approx(vectors["un chien"])
    assert np.linalg.norm(vectors["ein Hund"]) == pytest.approx(1.0, abs=1e-3)
    assert vectors["a cat"] @ vectors["ein Hund"] < 0.9


def test_shards_of_labels_and_vectors(spark: SparkSession, tmp_path: Path) -> None:
    # reviews know two of three classes and are read twice; pairs have a vector and no label
    reviews = write(tmp_path / "r.parquet", text=["good dog", "bad cat"], label=["positive", "negative"])
    pairs = write(tmp_path / "p.parquet", text=["ein Hund", "le chat"], en=["a dog", "a cat"])
    tweets = write(tmp_path / "t.parquet", text=["the tree"], label=["neutral"])
    sets = {
        "train": [
            {"name": "r", "path": reviews, "label": "label", "head": "mood", "classes": ["negative", "positive"], "repeat": 2},
            {"name": "p", "path": pairs, "target": "en"},
        ],
        "validation": [{"name": "t", "path": tweets, "label": "label", "head": "mood"}],
    }  # fmt: skip
    model = {
        "architecture": "encoder", "hidden_size": 8, "n_layers": 1, "n_heads": 2, "max_tokens": 8, "output_size": 256,
        "heads": {"mood": ["negative", "neutral", "positive"]},
    }  # fmt: skip
    teacher = {"embedding": "static-en", "sentiment": "sentiment-en-static"}
    config = lm_config(tmp_path, sets, objective="multitask", model=model, teacher=teacher)
    data = prepare(spark, config)
    shards = Shards(data.shards("train"), pad_id=0)
    batch = shards.batch(np.arange(len(shards)))
    assert batch.labels is not None
    assert batch.vectors is not None
    assert batch.classes is not None
    norms = np.linalg.norm(batch.vectors.numpy(), axis=1).round(2).tolist()
    rows = sorted(zip(batch.labels.tolist(), batch.heads, batch.classes.tolist(), norms, strict=True))
    assert rows == [
        (-1, "", 0, 1.0), (-1, "", 0, 1.0), (0, "mood", 5, 0.0), (0, "mood", 5, 0.0), (2, "mood", 5, 0.0), (2, "mood", 5, 0.0)
    ]  # fmt: skip
    validated = Shards(data.shards("validation"), pad_id=0).batch(np.arange(1))
    assert validated.vectors is None
    assert (validated.labels.tolist(), validated.classes.tolist()) == ([1], [0])  # type: ignore[union-attr]


def test_an_encoder_and_its_heads_go_on_from_saved_ones(spark: SparkSession, tmp_path: Path) -> None:
    # judged pairs beside labels and vectors; what is saved is what a night takes: an encoder without heads, and each head
    reviews = write(
        tmp_path / "r.parquet", text=["good dog", "bad cat", "the tree"], label=["positive", "negative", "neutral"]
    )
    first_texts = ["a dog", "a dog", "a cat", "a dog", "a house", "a bird", "Eins!"]
    second_texts = ["ein Hund", "ein Wolf", "ein Haus", "", "ein Baum", "ein Vogel", "zwei"]
    scores = ["5.0", "3", "0.5", "1.0", "7.0", "n/a", "2"]
    judged = write(tmp_path / "j.parquet", a=first_texts, b=second_texts, s=scores)
    plain = write(tmp_path / "p.parquet", text=["a dog runs"])
    sets = {
        "train": [
            {"name": "r", "path": reviews, "label": "label", "head": "sentiment"},
            {"name": "j", "path": judged, "text": "a", "pair": "b", "score": "s", "score_range": [0, 5]},
            {"name": "p", "path": plain},
        ],
        "validation": [
            {"name": "t", "path": write(tmp_path / "t.parquet", text=["good cat", "bad dog"], label=["positive", "negative"]),
             "label": "label", "head": "sentiment", "classes": ["negative", "positive"]},
            {"name": "u", "path": write(tmp_path / "u.parquet", text=["good tree", "a bush"], label=["positive", "neutral"]),
             "label": "label", "head": "sentiment"},
            {"name": "v", "path": write(tmp_path / "v.parquet", text=["one", "two"], b=["eins", "drei"], s=[1.0, 0.0]),
             "pair": "b", "score": "s"},
        ],
    }  # fmt: skip
    model = {
        "architecture": "encoder", "hidden_size": 8, "n_layers": 1, "n_heads": 2, "max_tokens": 16, "output_size": 256,
        "ngram_buckets": 64, "ngram_size": 2, "ngram_unit": "token", "heads": {"sentiment": ["negative", "neutral", "positive"]},
    }  # fmt: skip
    teacher = {"embedding": "static-en", "sentiment": "sentiment-en-static"}
    loop = {"batch_rows": 4, "micro_rows": 4, "epochs": 2, "lr": 0.01, "metric": "spearman", "threads": 1}
    first = {
        "objective": "multitask",
        "model": model,
        "teacher": teacher,
        "loop": loop,
        "int8_tokens": True,
    }
    config = lm_config(tmp_path, sets, **first)
    data = prepare(spark, config)
    fate = {(f["set_name"], f["fate"]): f["n"] for f in data.fates}
    assert {k: n for k, n in fate.items() if k[0] == "j"} == {
        ("j", "kept"): 3, ("j", "empty"): 1, ("j", "score"): 2, ("j", "validation"): 1
    }  # fmt: skip
    shards = Shards(data.shards("train"), pad_id=0)
    batch = shards.batch(np.arange(len(shards)))
    assert batch.scores is not None
    assert batch.vectors is not None
    taught = (batch.vectors.norm(dim=1) > 0).tolist()
    scored = sorted(zip(np.nan_to_num(batch.scores.numpy(), nan=-1.0).round(2).tolist(), taught, strict=True))
    assert [(pytest.approx(score), is_taught) for score, is_taught in scored] == [
        (-1.0, False), (-1.0, False), (-1.0, False), (-1.0, True), (0.1, False), (0.6, False), (1.0, False)
    ]  # fmt: skip
    outcome = fit(config, data)
    folder = export(config, data, outcome)
    assert sorted(outcome.best) == [
        "accuracy",
        "accuracy.sentiment",
        "loss",
        "macro_f1",
        "macro_f1.sentiment",
        "spearman",
    ]
    night = ModelConfig(embedding=str(folder), sentiment=str(tmp_path / "model-sentiment"), embedding_languages=("en",))
    resolved = sentiment_spec(night, LanguageConfig())
    assert space_of(resolved.encoder) == space_of(embedding_spec(config.teacher).encoder)
    assert resolved.sentiment is not None
    head = load_head(resolved.sentiment)
    assert load(folder).config.heads == {}
    written = json.loads((tmp_path / "model-sentiment" / "head.json").read_text())
    assert {name: found["n"] for name, found in written["validation"].items()} == {
        "validation, negative, positive": 2, "validation, negative, neutral, positive": 2
    }  # fmt: skip

    again = {
        "start": str(folder),
        "start_heads": {"sentiment": str(tmp_path / "model-sentiment")},
        "frozen": ["ngrams"],
        "token_dropout": 0.25,
        "ngram_dropout": 0.5,
    }
    config = lm_config(
        tmp_path,
        sets,
        **first,
        **again,
        output=str(tmp_path / "next"),
        tokenizer={"file": str(folder / "tokenizer.json")},
    )
    spec = task_spec(config, data)
    assert (spec.token_dropout, spec.ngram_dropout) == (0.25, 0.5)
    built = spec.build()
    assert isinstance(built.module, EncoderLanguageModel)
    assert torch.equal(built.module.ngrams.vectors.weight, load(folder).ngrams.vectors.weight)  # type: ignore[union-attr]
    assert written["temperature"] != 1.0
    encoder = load_encoder(resolved.encoder, "cpu")
    chunks = encoder.tokenizer.chunks(["good dog", "a bad cat in the tree"], 16, 1)
    by_night = head.logits(encoder.pooled(chunks, np.arange(2))[:, 256:])
    for i in range(2):
        ids = torch.from_numpy(chunks.ids[chunks.offsets[i] : chunks.offsets[i + 1]].astype(np.int64))[None]
        mask = torch.ones_like(ids, dtype=torch.bool)
        with torch.no_grad():
            features = built.module.eval().features(ids, built.module.hidden(ids, mask), mask)
            logits = built.module.label_logits(features, "sentiment").numpy()
        assert by_night[i] == pytest.approx(logits[0], abs=1e-4)
    before = built.module.ngrams.vectors.weight.clone()  # type: ignore[union-attr]
    resumed = prepare(spark, config)
    again = export(config, resumed, fit(config, resumed))
    assert torch.equal(load(again).ngrams.vectors.weight, before)  # type: ignore[attr-defined]
    assert not torch.equal(load(again).projection.weight, load(folder).projection.weight)


def test_a_tokenizer_from_a_file_brings_its_special_ids(spark: SparkSession, tmp_path: Path) -> None:
    path = write(tmp_path / "x.parquet", text=[f"the dog {i}" for i in range(20)])
    corpus = {"train": [{"name": "x", "path": path}], "held_back": 0.2}
    order = ["<pad>", "<unk>", "<s>", "</s>", "<mask>", "the", "dog"]
    own = Tokenizer(WordLevel({token: i for i, token in enumerate(order)}, unk_token="<unk>"))
    own.pre_tokenizer = Whitespace()
    own.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 2), ("</s>", 3)])
    own.save(str(tmp_path / "own.json"))
    config = lm_config(tmp_path, corpus, tokenizer={"file": str(tmp_path / "own.json")})
    found = model_config(config, prepare(spark, config))
    assert (found.pad_id, found.bos_id, found.eos_id, found.mask_id, found.vocabulary_size) == (0, 2, 3, 4, 7)

    own.save(str(tmp_path / "other.json"))
    text = (tmp_path / "other.json").read_text().replace("<mask>", "<hidden>")
    (tmp_path / "other.json").write_text(text)
    other = lm_config(tmp_path, corpus, tokenizer={"file": str(tmp_path / "other.json")}, work=str(tmp_path / "w"))
    with pytest.raises(ConfigError, match="was not made here: it has no token <mask>"):
        prepare(spark, other)


def test_a_head_may_have_more_classes_than_a_long_has_bits(spark: SparkSession, tmp_path: Path) -> None:
    labels = [f"intent {i:02}" for i in range(77)]
    path = write(tmp_path / "b.parquet", text=[f"the dog and cat {i}" for i in range(77)], label=labels)
    model = {
        "architecture": "encoder", "hidden_size": 8, "n_layers": 1, "n_heads": 2, "max_tokens": 8, "heads": {"intent": labels},
    }  # fmt: skip
    sets = {"train": [{"name": "b", "path": path, "label": "label", "head": "intent"}], "held_back": 0.1}
    loop = {"batch_rows": 2, "micro_rows": 2, "epochs": 1, "lr": 0.001, "metric": "macro_f1", "threads": 1}
    data = prepare(spark, lm_config(tmp_path, sets, objective="classification", model=model, loop=loop))
    shards = [Shards(data.shards(part), pad_id=0) for part in ("train", "validation")]
    found = [s.batch(np.arange(len(s))).labels.tolist() for s in shards]  # type: ignore[union-attr]
    assert sorted([*found[0], *found[1]]) == list(range(77))


def test_a_corpus_without_rows_says_what_became_of_them(spark: SparkSession, tmp_path: Path) -> None:
    path = write(tmp_path / "x.parquet", text=["", " "])
    config = lm_config(tmp_path, {"train": [{"name": "x", "path": path}], "held_back": 0.5})
    with pytest.raises(DataError, match="no row is left for train: 2 empty"):
        prepare(spark, config)
