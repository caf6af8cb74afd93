"""Labels, teacher vectors and judged pairs in one batch: what counts, and what does not."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch.nn import functional

from tests.training_rows import task_spec
from udfs.models.language_models import EncoderLanguageModel, LanguageModel, read_weights, save
from udfs.training.multitask import MultitaskTask
from udfs.training.shards import Batch
from udfs.training.spec import LanguageModelTaskSpec, TrainingError

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


def paired(rows: Batch, scores: list[float]) -> Batch:
    """The rows, each with another row as its second text, and scores."""
    return replace(rows, pair_ids=IDS.flip(0), pair_mask=MASK.flip(0), scores=torch.tensor(scores))


def test_a_judged_pair_learns_its_score() -> None:
    one, rows = task(), batch((2, 0))
    spec = task_spec("multitask", "encoder", output_size=6, heads=HEADS)
    heavy = LanguageModelTaskSpec(
        "multitask", spec.config_json, seed=1, distillation_weight=2.0, similarity_weight=3.0
    ).build()
    heavy.module.eval()
    vectors = one.model.project(one.model.pooled(one.model.hidden(IDS, MASK), MASK))
    cosine = float(functional.cosine_similarity(vectors[0], vectors[2], dim=0))
    plain = float(one.loss(rows, torch.Generator())[0])
    judged = paired(rows, [0.9, float("nan"), 0.1])
    added = (cosine - 0.9) ** 2 + (cosine - 0.1) ** 2
    assert float(one.loss(judged, torch.Generator())[0]) == pytest.approx(plain + added, rel=1e-5)
    assert float(heavy.loss(judged, torch.Generator())[0]) == pytest.approx(plain + 3 * added, rel=1e-5)
    nobody = paired(rows, [float("nan")] * 3)
    assert float(one.loss(nobody, torch.Generator())[0]) == pytest.approx(plain, rel=1e-6)


def test_validation_ranks_judged_pairs() -> None:
    one, rows = task(), batch((2, 0))
    with torch.no_grad():
        vectors = one.model.project(one.model.pooled(one.model.hidden(IDS, MASK), MASK))
        cosines = functional.cosine_similarity(vectors, vectors.flip(0), dim=1).tolist()
        # the first and the last pair are one pair: scores in the order of the cosines, then the other way round
        scores = [cosines[0] / 2 + 0.5, cosines[1] / 2 + 0.5, cosines[2] / 2 + 0.5]
        assert one.validate([paired(rows, scores)])["spearman"] == pytest.approx(1.0)
        assert one.validate([paired(rows, [1 - s for s in scores])])["spearman"] == pytest.approx(-1.0)
        assert "spearman" not in one.validate([rows])
        assert "spearman" not in one.validate([paired(rows, [0.5, 0.5, 0.5])])


def write_head(folder: Path, labels: tuple[str, ...], width: int) -> np.ndarray:
    folder.mkdir()
    weight = np.arange(len(labels) * width, dtype=np.float32).reshape(len(labels), width)
    save_file(
        {"layers.0.weight": weight, "layers.0.bias": np.ones(len(labels), np.float32)}, folder / "head.safetensors"
    )
    (folder / "head.json").write_text(json.dumps({"labels": labels, "temperature": 1.0}))
    return weight


def start_of(spec: LanguageModelTaskSpec, folder: Path) -> str:
    """Save the spec's model in its first state."""
    model = spec.build().module
    assert isinstance(model, LanguageModel)
    save(model, folder)
    return str(folder)


def test_a_head_goes_on_from_a_saved_one_and_frozen_tensors_stay(tmp_path: Path) -> None:
    weight = write_head(tmp_path / "head", HEADS["sentiment"], 8)
    spec = task_spec("multitask", "encoder", output_size=6, heads=HEADS)
    start = start_of(spec, tmp_path / "start")
    given = (("sentiment", str(tmp_path / "head")),)
    built = replace(spec, seed=2, start=start, start_heads=given, frozen=("tokens", "positions", "heads")).build()
    assert isinstance(built, MultitaskTask)
    layer = built.model.heads["sentiment"]
    assert isinstance(layer, torch.nn.Linear)
    assert layer.weight.tolist() == weight.tolist()
    assert layer.bias.tolist() == [1.0, 1.0, 1.0]
    still = {name for name, p in built.model.named_parameters() if not p.requires_grad}
    assert still == {"tokens.weight", "stack.positions.weight", "heads.sentiment.weight", "heads.sentiment.bias"}
    before = built.model.tokens.weight.clone()
    optimiser = torch.optim.SGD(built.parameter_groups(1.0, 0.0), lr=1.0)
    built.loss(batch((2, 0)), torch.Generator())[0].backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    assert torch.equal(built.model.tokens.weight, before)
    assert not torch.equal(built.model.projection.weight, read_weights(Path(start))["projection.weight"])


def test_a_head_of_another_encoder_is_refused(tmp_path: Path) -> None:
    write_head(tmp_path / "head", HEADS["sentiment"], 8)
    facts = {"labels": HEADS["sentiment"], "encoder": {"sha256": "0" * 64}}
    (tmp_path / "head" / "head.json").write_text(json.dumps(facts))
    spec = task_spec("multitask", "encoder", output_size=6, heads=HEADS)
    start = start_of(spec, tmp_path / "start")
    with pytest.raises(TrainingError, match=r"start_heads.sentiment: .* was trained on another encoder than"):
        replace(spec, start=start, start_heads=(("sentiment", str(tmp_path / "head")),)).build()


@pytest.mark.parametrize(
    ("labels", "width", "message"),
    [
        (("bad", "so", "good"), 8, "has the labels bad, so, good, model.heads.sentiment negative, neutral, positive"),
        (HEADS["sentiment"], 7, r"has weights \(3, 7\); the model's head is one layer \(3, 8\)"),
        (None, 8, "is no head that can be read"),
    ],
)
def test_a_head_of_another_model_is_refused(
    tmp_path: Path, labels: tuple[str, ...] | None, width: int, message: str
) -> None:
    if labels:
        write_head(tmp_path / "head", labels, width)
    spec = task_spec("multitask", "encoder", output_size=6, heads=HEADS)
    with pytest.raises(TrainingError, match=message):
        replace(spec, start_heads=(("sentiment", str(tmp_path / "head")),)).build()


@pytest.mark.parametrize(
    ("frozen", "message"),
    [
        (("ngrams",), "frozen: 'ngrams' is in the name of no tensor of the model"),
        (("",), "frozen: '' is in the name of no tensor of the model"),
        (("projection",), "frozen: projection: projection.weight is not in `start`, or has another shape there"),
        (("tokens", "output", "stack", "heads", "projection"), "would stay random"),
    ],
)
def test_what_is_frozen_must_come_from_somewhere(tmp_path: Path, frozen: tuple[str, ...], message: str) -> None:
    # `start` has no projection and no head
    start = start_of(task_spec("masked_lm", "encoder"), tmp_path / "start")
    spec = replace(task_spec("multitask", "encoder", output_size=6, heads=HEADS), start=start, frozen=frozen)
    with pytest.raises(TrainingError, match=message):
        spec.build()


def test_something_must_be_left_to_train(tmp_path: Path) -> None:
    spec = task_spec("multitask", "encoder", output_size=6, heads=HEADS)
    start = start_of(spec, tmp_path / "start")
    with pytest.raises(TrainingError, match="leave nothing to train"):
        replace(spec, start=start, frozen=("tokens", "output", "stack", "heads", "projection")).build()


def with_ngrams(**dropout: float) -> MultitaskTask:
    spec = task_spec("multitask", "encoder", output_size=6, heads=HEADS, mask_id=3, ngram_buckets=64, ngram_size=2)
    built = LanguageModelTaskSpec("multitask", spec.config_json, seed=1, **dropout).build()
    assert isinstance(built, MultitaskTask)
    built.module.eval()
    return built


def test_hidden_ngrams_neither_count_nor_learn() -> None:
    one, rows = with_ngrams(ngram_dropout=1.0), batch((2, 0))
    assert isinstance(one.model, EncoderLanguageModel)
    assert one.model.ngrams is not None
    hidden_loss = one.loss(rows, torch.Generator())[0]
    hidden_loss.backward()  # type: ignore[no-untyped-call]
    head = one.model.heads["sentiment"].weight
    assert isinstance(head, torch.Tensor)
    assert head.grad is not None
    assert not head.grad[:, -2:].any()
    assert head.grad[:, :-2].any()
    seen = float(with_ngrams().loss(rows, torch.Generator())[0])
    with torch.no_grad():
        one.model.ngrams.vectors.weight.zero_()
        assert float(one.loss(rows, torch.Generator())[0]) == pytest.approx(float(hidden_loss), rel=1e-6)
    assert seen != pytest.approx(float(hidden_loss), rel=1e-6)
    some = with_ngrams(ngram_dropout=0.5)
    features = torch.ones(1000, 10)
    kept = some._without_ngrams(features, torch.Generator().manual_seed(1))
    assert kept[:, :8].eq(1).all()
    assert 0.4 < float(kept[:, 8:].mean()) < 0.6
    assert kept[:, 8].equal(kept[:, 9])


def test_tokens_are_hidden_in_labelled_rows_alone() -> None:
    one, rows = with_ngrams(token_dropout=0.5), batch((2, 0))
    drawn = [one._thinned(rows, torch.Generator().manual_seed(seed)) for seed in range(50)]
    assert all(ids[2].equal(IDS[2]) for ids in drawn)
    assert all(ids[~MASK].equal(IDS[~MASK]) for ids in drawn)
    words = MASK & (IDS > 2)
    assert all(ids[~words].equal(IDS[~words]) for ids in drawn), "special tokens stay"
    share = torch.stack([(ids == 3)[:2][words[:2]].double().mean() for ids in drawn]).mean()
    assert 0.4 < float(share) < 0.6
    seeds = range(5)
    losses = {float(one.loss(rows, torch.Generator().manual_seed(seed))[0]) for seed in seeds}
    assert len(losses) > 1
    assert len({float(with_ngrams().loss(rows, torch.Generator().manual_seed(seed))[0]) for seed in seeds}) == 1
    assert with_ngrams()._thinned(rows, torch.Generator()) is rows.ids


def test_tokens_cannot_be_hidden_without_a_mask_token() -> None:
    spec = task_spec("multitask", "encoder", output_size=6, heads=HEADS)
    bare = json.loads(spec.config_json) | {"mask_id": None}
    with pytest.raises(TrainingError, match="token_dropout needs a mask token"):
        LanguageModelTaskSpec("multitask", json.dumps(bare), seed=1, token_dropout=0.1).build()
