"""Labels and teacher vectors in one batch: what counts, and what does not."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.training_rows import task_spec
from udfs.training.multitask import MultitaskTask
from udfs.training.shards import Batch
from udfs.training.spec import LanguageModelTaskSpec

IDS = torch.tensor([[1, 7, 8, 9, 2], [1, 6, 2, 0, 0], [1, 9, 5, 2, 0]])
MASK = torch.tensor([[True] * 5, [True] * 3 + [False] * 2, [True] * 4 + [False]])
HEADS = {"sentiment": ("negative", "neutral", "positive")}


def task(weight: float = 2.0) -> MultitaskTask:
    spec = task_spec("multitask", "encoder", output_size=6, heads=HEADS)
    built = LanguageModelTaskSpec("multitask", spec.config_json, seed=1, distillation_weight=weight).build()
    assert isinstance(built, MultitaskTask)
    built.module.eval()  # no dropout
    return built


def batch(labels: tuple[int, int], classes: int = 0) -> Batch:
    """Two labelled rows and, last, one with a vector."""
    vectors = torch.zeros(3, 6)
    vectors[2] = torch.linspace(-1, 1, 6)
    return Batch(
        IDS,
        MASK,
        labels=torch.tensor([*labels, -1]),
        heads=("sentiment", "sentiment", ""),
        vectors=vectors,
        classes=torch.tensor([classes, 0, 0]),
    )


def logits(one: MultitaskTask) -> torch.Tensor:
    hidden = one.model.hidden(IDS, MASK)
    return one.model.label_logits(one.model.features(IDS, hidden, MASK), "sentiment")


def distance(one: MultitaskTask, rows: Batch) -> float:
    assert rows.vectors is not None
    vectors = one.model.project(one.model.pooled(one.model.hidden(IDS, MASK), MASK))
    return float(1 - functional.cosine_similarity(vectors[2], rows.vectors[2], dim=0))


def test_a_row_counts_by_what_it_has() -> None:
    one, rows = task(weight=2.5), batch((2, 0))
    loss, weight = one.loss(rows, torch.Generator())
    log_p = torch.log_softmax(logits(one), dim=1)
    assert weight == 3
    assert float(loss) == pytest.approx(-float(log_p[0, 2] + log_p[1, 0]) + 2.5 * distance(one, rows), rel=1e-5)


def test_a_choice_of_two_classes_teaches_nothing_about_the_third() -> None:
    one, rows = task(), batch((2, 0), classes=0b101)
    loss, _ = one.loss(rows, torch.Generator())
    found = logits(one)
    first = torch.log_softmax(found[0, [0, 2]], dim=0)[1]
    second = torch.log_softmax(found[1], dim=0)[0]
    assert float(loss) == pytest.approx(-float(first + second) + 2.0 * distance(one, rows), rel=1e-5)
    alone = Batch(
        IDS[:1], MASK[:1], labels=torch.tensor([2]), heads=("sentiment",), vectors=torch.zeros(1, 6), classes=torch.tensor([5])
    )  # fmt: skip
    one.module.zero_grad()
    one.loss(alone, torch.Generator())[0].backward()  # type: ignore[no-untyped-call]
    bias = one.model.heads["sentiment"].bias
    assert isinstance(bias, torch.Tensor)
    assert bias.grad is not None
    assert bias.grad[1] == 0.0
    assert bias.grad[2] != 0.0


def test_validation_judges_labels_and_vectors_apart() -> None:
    one, rows = task(), batch((2, 0))
    with torch.no_grad():
        metrics = one.validate([rows, rows])
    guesses = logits(one).argmax(dim=1)[:2]
    assert metrics["accuracy"] == pytest.approx(float(np.mean([guesses[0] == 2, guesses[1] == 0])))
    assert metrics["cosine"] == pytest.approx(1 - distance(one, rows), abs=1e-5)


def test_rows_without_vectors_have_no_cosine() -> None:
    one, rows = task(), batch((1, 1))
    for vectors in (torch.zeros(3, 6), None):
        bare = Batch(rows.ids, rows.mask, labels=rows.labels, heads=rows.heads, vectors=vectors)
        with torch.no_grad():
            assert "cosine" not in one.validate([bare])
            assert float(one.loss(bare, torch.Generator())[0]) > 0
