"""Each objective against its formula in plain numpy: sums of losses, weights, and which gradients they give."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from training_rows import VOCABULARY, config, task_spec

from udfs.models.language_models import save
from udfs.training.objectives import LanguageModelTask, MaskedTask
from udfs.training.shards import Batch
from udfs.training.spec import LanguageModelTaskSpec, TrainingError
from udfs.training.tasks import macro_f1

IDS = torch.tensor([[1, 7, 9, 11, 2], [1, 6, 2, 0, 0], [1, 5, 8, 2, 0]])
MASK = IDS != 0
TARGET_IDS = torch.tensor([[1, 12, 2, 0], [1, 13, 14, 2], [1, 2, 0, 0]])


def log_softmax(logits: torch.Tensor) -> NDArray[np.float64]:
    x = logits.detach().double().numpy()
    x = x - x.max(axis=-1, keepdims=True)
    return np.asarray(x - np.log(np.exp(x).sum(axis=-1, keepdims=True)))


def built(spec: LanguageModelTaskSpec) -> LanguageModelTask:
    task = spec.build()
    assert isinstance(task, LanguageModelTask)
    task.module.eval()
    return task


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def picked(log_p: NDArray[np.float64], wanted: torch.Tensor, mask: torch.Tensor) -> float:
    chosen = np.take_along_axis(log_p, wanted.numpy()[..., None], axis=-1)[..., 0]
    return float(-(chosen * mask.numpy()).sum())


@pytest.mark.parametrize("architecture", ["gru", "decoder"])
def test_causal(architecture: str) -> None:
    task = built(task_spec("causal_lm", architecture))
    log_p = log_softmax(task.model.logits(task.model.hidden(IDS, MASK)))
    loss, weight = task.loss(Batch(IDS, MASK), generator())
    assert weight == 9  # 12 real tokens, three of them first
    assert float(loss) == pytest.approx(picked(log_p[:, :-1], IDS[:, 1:], MASK[:, 1:]), rel=1e-5)
    metrics = task.validate([Batch(IDS, MASK)])
    assert metrics == pytest.approx({"loss": float(loss) / 9, "perplexity": np.exp(float(loss) / 9)})


def test_sequence_to_sequence() -> None:
    task = built(task_spec("seq2seq", "encoder_decoder"))
    target_mask = TARGET_IDS != 0
    model = task.model
    memory = model.encode(IDS, MASK)  # type: ignore[operator]
    log_p = log_softmax(model.logits(model.decode(TARGET_IDS, target_mask, memory, MASK)))  # type: ignore[operator]
    loss, weight = task.loss(Batch(IDS, MASK, TARGET_IDS, target_mask), generator())
    assert weight == 6
    assert float(loss) == pytest.approx(picked(log_p[:, :-1], TARGET_IDS[:, 1:], target_mask[:, 1:]), rel=1e-5)


def test_masked_loss_is_of_the_chosen_tokens_only() -> None:
    task = built(task_spec("masked_lm", "encoder"))
    assert isinstance(task, MaskedTask)
    ids, mask = IDS.repeat(20, 1), MASK.repeat(20, 1)
    masked, chosen = task._masked(ids, mask, generator())
    log_p = log_softmax(task.model.logits(task.model.hidden(masked, mask)))
    loss, weight = task.loss(Batch(ids, mask), generator())
    assert weight == chosen.sum()
    assert float(loss) == pytest.approx(picked(log_p, ids, chosen), rel=1e-5)


def test_masking_replaces_80_10_10_and_never_special_tokens() -> None:
    task = built(task_spec("masked_lm", "encoder"))
    assert isinstance(task, MaskedTask)
    ids = torch.randint(5, VOCABULARY, (400, 50), generator=generator())
    ids[:, 0], ids[:, -2], ids[:, -1] = 1, 2, 0
    masked, chosen = task._masked(ids, ids != 0, generator())
    assert not chosen[:, [0, -2, -1]].any()
    assert not (masked != ids)[~chosen].any()
    n = int(chosen.sum())
    assert n == pytest.approx(0.15 * 400 * 47, rel=0.05)
    assert float((masked[chosen] == 4).sum()) / n == pytest.approx(0.8 + 0.1 / VOCABULARY, abs=0.03)
    assert float((masked[chosen] == ids[chosen]).sum()) / n == pytest.approx(0.1 + 0.1 / VOCABULARY, abs=0.03)


def test_rows_with_nothing_to_predict_count_nothing() -> None:
    task = built(task_spec("masked_lm", "encoder"))
    loss, weight = task.loss(Batch(IDS[:, :1], MASK[:, :1]), generator())
    loss.backward()  # type: ignore[no-untyped-call]
    assert (float(loss), weight) == (0.0, 0.0)
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in task.module.parameters())


def test_classification_by_several_heads() -> None:
    task = built(task_spec("classification", "encoder", heads={"topic": ("a", "b", "c"), "tone": ("x", "y")}))
    labels, heads = torch.tensor([2, 1, 0]), ("topic", "tone", "topic")
    batch = Batch(IDS, MASK, labels=labels, heads=heads)
    pooled = task.model.pooled(task.model.hidden(IDS, MASK), MASK)
    log_p = [log_softmax(task.model.label_logits(pooled, head))[i] for i, head in enumerate(heads)]
    loss, weight = task.loss(batch, generator())
    assert weight == 3
    assert float(loss) == pytest.approx(-sum(p[label] for p, label in zip(log_p, labels, strict=True)), rel=1e-5)
    metrics = task.validate([batch])
    right = [float(np.argmax(p) == label) for p, label in zip(log_p, labels.tolist(), strict=True)]
    assert metrics["accuracy.tone"] == right[1]
    assert metrics["accuracy"] == pytest.approx(((right[0] + right[2]) / 2 + right[1]) / 2)
    assert metrics["loss"] == pytest.approx(float(loss) / 3)
    loss.backward()  # type: ignore[no-untyped-call]
    alone = built(task_spec("classification", "encoder", heads={"topic": ("a", "b", "c"), "tone": ("x", "y")}))
    alone.loss(Batch(IDS[:1], MASK[:1], labels=labels[:1], heads=heads[:1]), generator())[0].backward()
    unused = alone.model.heads["tone"].weight
    assert isinstance(unused, torch.Tensor)
    assert unused.grad is None  # the optimiser leaves a head without rows alone


def test_distillation_is_one_minus_cosine() -> None:
    task = built(task_spec("distillation", "encoder", output_size=6))
    vectors = torch.randn(3, 6, generator=generator())
    batch = Batch(IDS, MASK, vectors=vectors)
    hidden = task.model.hidden(IDS, MASK)
    own = task.model.project(task.model.pooled(hidden, MASK)).detach().double().numpy()
    teacher = vectors.double().numpy()
    cosines = (own * teacher).sum(1) / np.linalg.norm(own, axis=1) / np.linalg.norm(teacher, axis=1)
    loss, weight = task.loss(batch, generator())
    assert (float(loss), weight) == (pytest.approx((1 - cosines).sum(), rel=1e-5), 3.0)
    assert task.validate([batch])["cosine"] == pytest.approx(cosines.mean())


def test_biases_and_norms_do_not_decay() -> None:
    task = built(task_spec("causal_lm", "decoder"))
    groups = task.parameter_groups(0.1, 0.01)
    assert [g["weight_decay"] for g in groups] == [0.01, 0.0]
    assert sum(len(g["params"]) for g in groups) == len(list(task.module.parameters()))
    assert all(p.ndim > 1 for p in groups[0]["params"])
    assert all(p.ndim == 1 for p in groups[1]["params"])


def test_the_same_seed_builds_the_same_weights_and_start_takes_them_over(tmp_path: Path) -> None:
    first, again = built(task_spec("masked_lm", "encoder")), built(task_spec("masked_lm", "encoder"))
    assert all(torch.equal(a, b) for a, b in zip(first.module.parameters(), again.module.parameters(), strict=True))
    with torch.no_grad():
        first.model.tokens.weight.fill_(0.25)
    save(first.model, tmp_path)
    text = config("encoder", heads={"tone": ("x", "y")}).model_dump_json()
    warm = built(LanguageModelTaskSpec("classification", text, 2, start=str(tmp_path)))
    assert torch.equal(warm.model.tokens.weight, first.model.tokens.weight)
    with pytest.raises(TrainingError, match="do not fit"):
        LanguageModelTaskSpec(
            "causal_lm", config("gru", vocabulary_size=9).model_dump_json(), 2, start=str(tmp_path)
        ).build()


def test_macro_f1_is_the_mean_over_classes_that_occur() -> None:
    assert macro_f1(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2])) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert macro_f1(np.array([3, 3]), np.array([3, 3])) == 1.0
