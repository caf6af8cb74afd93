"""Fine-tuning a tiny random BERT: losses, the kept space, low-rank pairs, and what is exported."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_bert import HIDDEN, PLAIN, WORDS, sentences, write_base, write_shards
from torch.nn import functional

from pipeline.config import load_job_config
from pipeline.errors import ConfigError, ModelError
from pipeline.finetuning.config import FineTuneConfig
from pipeline.finetuning.export import TunedHead, changed_tensors, save_tuned
from pipeline.model_lock import head_entry, head_spec
from udfs.models.encoder import load_encoder
from udfs.models.head import load_head
from udfs.models.spec import EncoderSpec
from udfs.spec import space_of
from udfs.training.checkpoint import load_best
from udfs.training.finetune_spec import FineTuneTaskSpec, HeadTask, LabelledSource, LoraSpec
from udfs.training.finetuning import FineTuneTask, cross_entropy, load_trunk
from udfs.training.processes import train
from udfs.training.shards import Batch
from udfs.training.spec import LoopSpec, Outcome, TrainingError, TrainingJob

SENTIMENT, THING = ("negative", "neutral", "positive"), tuple(PLAIN.split())
TEXTS = ["table the today bad", "lamp great", "road is the a the today was good fine"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> EncoderSpec:
    return write_base(tmp_path_factory.mktemp("base") / "tiny")


def spec_of(base: EncoderSpec, **changes: Any) -> FineTuneTaskSpec:
    heads = (HeadTask("sentiment", SENTIMENT, label_smoothing=0.05), HeadTask("thing", THING, weight=0.5))
    sources = tuple(
        LabelledSource(f"{head}-{part}", head) for head in ("sentiment", "thing") for part in ("train", "validation")
    )
    return replace(
        FineTuneTaskSpec(base, heads, sources, seed=3, frozen=("word_embeddings",), head_dropout=0.0), **changes
    )


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder, rows = tmp_path_factory.mktemp("shards"), sentences(240)
    parts = {"train": rows[:180], "validation": rows[180:]}
    made = [
        write_shards(
            folder / part,
            [(text, SENTIMENT.index(label), f"sentiment-{part}") for text, label, _ in mine]
            + [(text, THING.index(thing), f"thing-{part}") for text, _, thing in mine],
        )
        for part, mine in parts.items()
    ]
    return made[0], made[1]


def tune(
    spec: FineTuneTaskSpec, shards: tuple[str, str], folder: Path, epochs: int = 4
) -> tuple[FineTuneTask, Outcome]:
    loop = LoopSpec(32, 32, epochs, 0.01, metric="macro_f1", higher_is_better=True, threads=1)
    outcome = train(TrainingJob(spec, loop, *shards, str(folder), device="cpu"))
    task = spec.build()
    load_best(folder, task.module)
    task.module.eval()
    return task, outcome


@pytest.fixture(scope="module")
def tuned(
    base: EncoderSpec, shards: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[FineTuneTask, Outcome, Path]:
    folder = tmp_path_factory.mktemp("run")
    return (*tune(spec_of(base, keep_space=0.0), shards, folder), folder)


def batch_of(texts: list[str], labels: list[int], sources: list[str]) -> Batch:
    ids = [[1, *(WORDS.index(word) for word in text.split()), 2] for text in texts]
    longest = max(map(len, ids))
    padded = torch.tensor([row + [0] * (longest - len(row)) for row in ids])
    mask = torch.tensor([[True] * len(row) + [False] * (longest - len(row)) for row in ids])
    return Batch(padded, mask, labels=torch.tensor(labels), heads=tuple(sources))


def export(task: FineTuneTask, output: Path) -> EncoderSpec:
    changed = task.round_to_half()
    layer: Any = task.tuned.heads["sentiment"]
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    head = TunedHead("s", "sentiment", SENTIMENT, ("en",), weight, bias, 1.5, {"rows": {}})
    keeps = task.spec.keep_space > 0
    return save_tuned(
        output, "tiny-tuned", task.spec.base, changed.tensors, [head], keeps_space=keeps, lora_scale=changed.lora_scale
    )


def losses(folder: Path) -> list[float]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


def test_the_loss_falls_and_both_heads_learn(tuned: tuple[FineTuneTask, Outcome, Path]) -> None:
    _, outcome, folder = tuned
    curve = losses(folder)
    assert np.mean(curve[-5:]) < 0.5 * np.mean(curve[:5])
    assert outcome.best["macro_f1.sentiment"] > 0.8
    assert outcome.best["macro_f1.thing"] > 0.5  # one of four
    both = outcome.best["macro_f1.sentiment"], outcome.best["macro_f1.thing"]
    assert outcome.best["macro_f1"] == pytest.approx(sum(both) / 2)


def test_keep_space_keeps_the_embedding(
    base: EncoderSpec, shards: tuple[str, str], tuned: tuple[FineTuneTask, Outcome, Path], tmp_path: Path
) -> None:
    _, kept = tune(spec_of(base, keep_space=4.0, keep_share=0.5), shards, tmp_path / "kept", epochs=6)
    free = tuned[1]
    assert 1 - kept.best["cosine"] < 0.5 * (1 - free.best["cosine"])
    assert kept.best["macro_f1.sentiment"] > 0.6


def test_the_loss_is_the_formula(base: EncoderSpec) -> None:
    weights = (0.5, 1.0, 2.0)
    heads = (HeadTask("sentiment", SENTIMENT, weight=0.7, label_smoothing=0.1, class_weights=weights),)
    sources = (LabelledSource("all", "sentiment"), LabelledSource("two", "sentiment", known=(0, 2)))
    task = spec_of(base, heads=heads, sources=sources, keep_space=3.0).build()
    with torch.no_grad():
        for name, parameter in task.tuned.trunk.named_parameters():
            if name.endswith("layer.1.output.dense.weight"):
                parameter.mul_(1.5)
    task.module.eval()
    labels, known = [0, 2, 2], [(0, 1, 2), (0, 2), (0, 1, 2)]
    total, weight = task.loss(batch_of(TEXTS, labels, ["all", "two", "all"]), torch.Generator().manual_seed(0))
    original, _ = load_trunk(base)
    expected = 0.0
    for text, label, places in zip(TEXTS, labels, known, strict=True):
        alone = torch.tensor([[1, *(WORDS.index(word) for word in text.split()), 2]])
        with torch.no_grad():
            hidden = task.tuned.trunk(alone).last_hidden_state[0]
            before = original.eval()(alone).last_hidden_state[0]
        layer: Any = task.tuned.heads["sentiment"]
        logits = layer(hidden[0])[list(places)].unsqueeze(0)
        place = torch.tensor([places.index(label)])
        loss = functional.cross_entropy(logits, place, label_smoothing=0.1)
        expected += 0.7 * weights[label] * float(loss.detach())
        expected += 3.0 * float(1 - functional.cosine_similarity(hidden.mean(0), before.mean(0), dim=0))
    assert weight == 3.0
    assert float(total.detach()) == pytest.approx(expected, rel=1e-5)


def test_smoothing_is_that_of_pytorch() -> None:
    logits, labels = torch.randn(5, 4, generator=torch.Generator().manual_seed(1)), torch.tensor([0, 1, 2, 3, 0])
    expected = functional.cross_entropy(logits, labels, label_smoothing=0.2, reduction="none")
    assert torch.allclose(cross_entropy(logits, labels, 0.2), expected, atol=1e-6)


def test_frozen_tensors_and_the_pooler_are_not_exported(tuned: tuple[FineTuneTask, Outcome, Path]) -> None:
    names = set(tuned[0].round_to_half().tensors)
    assert "embeddings.position_embeddings.weight" in names
    assert "encoder.layer.1.output.dense.weight" in names
    assert not {name for name in names if "word_embeddings" in name or "pooler" in name}


@pytest.mark.parametrize("method", ["full", "lora"])
def test_an_exported_model_gives_the_probabilities_and_embeddings_of_the_task(
    method: str, base: EncoderSpec, shards: tuple[str, str], tuned: tuple[FineTuneTask, Outcome, Path], tmp_path: Path
) -> None:
    task = tuned[0]
    if method == "lora":
        lora = LoraSpec(4, 8, ("query", "value", "dense"))
        task, _ = tune(spec_of(base, lora=lora, frozen=(), keep_space=0.5), shards, tmp_path / "run", epochs=6)
        curve = losses(tmp_path / "run")
        assert np.mean(curve[-5:]) < np.mean(curve[:5])
    spec = export(task, tmp_path / "out")
    assert (spec.n_features, spec.dim, spec.width) == (HIDDEN, HIDDEN, 2 * HIDDEN)
    assert (space_of(spec) == space_of(base)) == (method == "lora")
    encoder = load_encoder(spec, "cpu")
    chunks = encoder.tokenizer.chunks(TEXTS, 32, 1)
    order = np.argsort(chunks.lengths)
    found = np.empty((3, spec.width), np.float32)
    found[order] = encoder.pooled(chunks, order)

    batch = batch_of(TEXTS, [0, 0, 0], ["sentiment-train"] * 3)
    with torch.no_grad():
        first, vectors = task.tuned(batch.ids, batch.mask)
        chances = functional.softmax(task.tuned.heads["sentiment"](first) / 1.5, dim=1).numpy()
    assert np.abs(found[:, HIDDEN:] - first.numpy()).max() < 1e-4
    unit = found[:, :HIDDEN] / np.linalg.norm(found[:, :HIDDEN], axis=1, keepdims=True)
    assert np.abs(unit - vectors.numpy()).max() < 1e-4
    folder = tmp_path / "out" / "s"
    head = load_head(head_spec(head_entry("s", str(folder), folder)))
    assert np.abs(head.probabilities(found[:, HIDDEN:]) - chances).max() < 1e-4
    if method == "lora":
        config = json.loads((tmp_path / "out/encoder/config.json").read_text())
        assert config["lora_scale"] == 2.0
        before = load_encoder(base, "cpu").pooled(chunks, order)
        assert np.abs(before - found[order, :HIDDEN]).max() > 1e-2  # the pairs do something


def test_what_changed_is_found_and_what_does_not_fit_refused(base: EncoderSpec, tmp_path: Path) -> None:
    trunk, _ = load_trunk(base)
    state = {name: value.clone() for name, value in trunk.state_dict().items()}
    state["encoder.layer.0.output.dense.bias"] += 1
    assert list(changed_tensors(state, trunk.state_dict())) == ["encoder.layer.0.output.dense.bias"]
    with pytest.raises(ModelError, match=r"head\.weight: fits no tensor of the base"):
        changed_tensors({"head.weight": torch.zeros(2)}, trunk.state_dict())
    (tmp_path / "there").mkdir()
    with pytest.raises(ConfigError, match="exists; a model is never overwritten"):
        save_tuned(tmp_path / "there", "n", base, {}, [], keeps_space=False)
    with pytest.raises(ModelError, match="float16 cannot hold"):
        save_tuned(tmp_path / "new", "n", base, {"x": torch.tensor([1e6])}, [], keeps_space=False)
    assert not (tmp_path / "new").exists()


def test_names_that_are_not_the_base_s_are_refused(base: EncoderSpec) -> None:
    with pytest.raises(TrainingError, match="frozen: embedings is in the name of no tensor"):
        spec_of(base, frozen=("embedings",)).build()
    with pytest.raises(TrainingError, match=r"lora\.targets: qkv"):
        spec_of(base, lora=LoraSpec(2, 4, ("qkv",))).build()


@pytest.mark.parametrize("name", ["finetune_sentiment_en", "finetune_topics_lora"])
def test_shipped_configurations_load(name: str) -> None:
    path = Path(f"conf/jobs/{name}.yaml")
    assert load_job_config(FineTuneConfig, path, []).output.startswith("out/")
    assert path.read_text(encoding="utf-8").startswith(f"# python jobs/finetune.py --config {path}\n")
