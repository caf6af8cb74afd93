"""Language models of every architecture: padding, causality, gradients, tied weights, files, configuration."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from safetensors.torch import load_file
from torch import Tensor

from udfs.models.files import ModelFileError
from udfs.models.language_model_config import LanguageModelConfig, read_config
from udfs.models.language_models import EncoderDecoderLanguageModel, LanguageModel, build, load, save

RECURRENT = ["rnn", "gru", "lstm"]
ARCHITECTURES = [*RECURRENT, "encoder", "decoder", "encoder_decoder"]
CAUSAL = [*RECURRENT, "decoder", "encoder_decoder"]
V, L = 30, 8


def facts_of(architecture: str, **changes: object) -> dict[str, object]:
    facts: dict[str, object] = {"architecture": architecture, "vocabulary_size": V, "hidden_size": 8, "n_layers": 2}
    facts |= {"max_tokens": 12, "dropout": 0.0, "pad_id": 0, "bos_id": 1, "eos_id": 2, "mask_id": 3}
    facts |= {} if architecture in RECURRENT else {"n_heads": 2, "inner_size": 12}
    return {**facts, **changes}


def model_of(architecture: str, seed: int = 0, **changes: object) -> LanguageModel:
    torch.manual_seed(seed)
    model = build(LanguageModelConfig.model_validate(facts_of(architecture, **changes)))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return model.double()


def states(model: LanguageModel, ids: Tensor, mask: Tensor) -> Tensor:
    """What the vocabulary head reads (b, l, d): of an encoder-decoder, the decoder's states given one fixed source."""
    if not isinstance(model, EncoderDecoderLanguageModel):
        return model.hidden(ids, mask)
    source, seen = torch.full((len(ids), 3), 5), torch.ones(len(ids), 3, dtype=torch.bool)
    return model.decode(ids, mask, model.encode(source, seen), seen)


def random_ids(b: int, seed: int = 0) -> Tensor:
    return torch.randint(4, V, (b, L), generator=torch.Generator().manual_seed(seed))


def mask_of(lengths: list[int]) -> Tensor:
    return torch.arange(L) < torch.tensor(lengths)[:, None]


@settings(max_examples=15, deadline=None)
@given(
    architecture=st.sampled_from(ARCHITECTURES),
    lengths=st.lists(st.integers(1, L), min_size=2, max_size=3),
    seed=st.integers(0, 9),
)
def test_padding_changes_no_real_token(architecture: str, lengths: list[int], seed: int) -> None:
    model, ids, mask = model_of(architecture, seed), random_ids(len(lengths), seed), mask_of(lengths)
    with torch.no_grad():
        found = states(model, ids, mask)
        pooled = model.pooled(found, mask)
        for i, length in enumerate(lengths):
            alone = states(model, ids[i : i + 1, :length], mask[i : i + 1, :length])
            assert torch.allclose(found[i, :length], alone[0], atol=1e-10)
            assert torch.allclose(pooled[i], alone[0].mean(dim=0), atol=1e-10)


@settings(max_examples=15, deadline=None)
@given(architecture=st.sampled_from(CAUSAL), t=st.integers(1, L - 1), seed=st.integers(0, 9))
def test_the_future_does_not_leak(architecture: str, t: int, seed: int) -> None:
    model, ids, mask = model_of(architecture, seed), random_ids(2, seed), mask_of([L, L])
    changed = ids.clone()
    changed[:, t:] = random_ids(2, seed + 1)[:, t:]
    changed[:, t] = (ids[:, t] - 3) % (V - 4) + 4
    with torch.no_grad():
        before, after = (model.logits(states(model, x, mask)) for x in (ids, changed))
    assert torch.equal(before[:, :t], after[:, :t])
    assert not torch.allclose(before[:, t:], after[:, t:])


def test_an_encoder_sees_what_comes_later() -> None:
    model, ids, mask = model_of("encoder"), random_ids(1), mask_of([L])
    changed = ids.clone()
    changed[0, -1] = 4 if ids[0, -1] != 4 else 5
    assert not torch.allclose(model.hidden(ids, mask)[:, 0], model.hidden(changed, mask)[:, 0])


def test_padding_of_a_source_changes_no_target() -> None:
    model, ids, mask = model_of("encoder_decoder"), random_ids(2), mask_of([3, 8])
    assert isinstance(model, EncoderDecoderLanguageModel)
    target = random_ids(2, 1)
    found = model.decode(target, mask_of([L, L]), model.encode(ids, mask), mask)
    alone = model.decode(target[:1], mask_of([L]), model.encode(ids[:1, :3], mask[:1, :3]), mask[:1, :3])
    assert torch.allclose(found[0], alone[0], atol=1e-10)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("tied", [True, False])
def test_every_parameter_gets_a_finite_gradient_also_where_a_text_is_all_padding(architecture: str, tied: bool) -> None:
    size = {"output_size": 5} if architecture == "encoder" else {}
    model = model_of(architecture, tied=tied, token_size=6, heads={"tone": ("bad", "good")}, **size)
    ids, mask = random_ids(3), mask_of([5, 0, L])
    if isinstance(model, EncoderDecoderLanguageModel):
        memory = model.encode(ids, mask)
        found = model.decode(ids, mask, memory, mask)
    else:
        memory = found = model.hidden(ids, mask)
    pooled = model.pooled(memory, mask)
    assert torch.equal(pooled[1], torch.zeros(8))
    loss = model.logits(found).square().mean() + model.project(pooled).sum() + model.label_logits(pooled, "tone").sum()
    loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize("token_size", [None, 6])
def test_a_tied_output_matrix_is_the_token_embedding(token_size: int | None) -> None:
    tied, free = (model_of("decoder", tied=tied, token_size=token_size) for tied in (True, False))
    assert tied.output_matrix.data_ptr() == tied.tokens.weight.data_ptr()
    assert free.output_matrix.data_ptr() != free.tokens.weight.data_ptr()
    hidden = torch.randn(3, 8, dtype=torch.float64)
    before = tied.logits(hidden)
    with torch.no_grad():
        tied.tokens.weight[7] += 1
    assert (tied.logits(hidden) != before).nonzero()[:, 1].unique().tolist() == [7]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_logits_of_chosen_states_are_those_of_all(architecture: str) -> None:
    model, ids, mask = model_of(architecture, token_size=4), random_ids(2), mask_of([4, 7])
    hidden = states(model, ids, mask)
    assert torch.allclose(model.logits(hidden)[mask], model.logits(hidden[mask]))
    assert model.logits(hidden).shape == (2, L, V)


def test_a_zero_initialised_encoder_is_a_table_of_token_vectors() -> None:
    config = LanguageModelConfig.model_validate(facts_of("encoder", final_norm=False, zero_init_residual=True))
    model, ids, mask = build(config), random_ids(2), mask_of([3, 8])
    pooled = model.pooled(model.hidden(ids, mask), mask)
    assert torch.allclose(pooled[0], model.tokens.weight[ids[0, :3]].mean(dim=0), atol=1e-6)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_saved_model_is_read_back(tmp_path: Path, architecture: str) -> None:
    model = model_of(architecture, heads={"tone": ("bad", "good")}, token_size=6).float().eval()
    save(model, tmp_path / "m")
    again = load(tmp_path / "m")
    ids, mask = random_ids(2), mask_of([3, 8])
    assert again.config == model.config
    assert not again.training
    assert torch.equal(states(again, ids, mask), states(model, ids, mask))
    save(model, tmp_path / "half", torch.float16)
    assert torch.allclose(load(tmp_path / "half").tokens.weight, model.tokens.weight, atol=2e-3)


def test_a_table_of_eight_bits_is_off_by_half_a_step_of_its_row(tmp_path: Path) -> None:
    model = model_of("encoder").float().eval()
    with torch.no_grad():
        model.tokens.weight[3] *= 50  # a row of its own size
        model.tokens.weight[4] = 0.0
    save(model, tmp_path, eight_bits=["tokens.weight"])
    stored = load_file(tmp_path / "model.safetensors")["tokens.weight"]
    assert stored.dtype == torch.int8
    error = (load(tmp_path).tokens.weight - model.tokens.weight).abs().amax(dim=1)
    step = model.tokens.weight.abs().amax(dim=1) / 127
    assert (error <= step * 0.5 + 1e-6).all()
    assert error.max() > 0


def test_files_that_do_not_fit_are_refused_by_name(tmp_path: Path) -> None:
    save(model_of("encoder"), tmp_path)
    facts = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**facts, "n_layers": 3}))
    with pytest.raises(
        ModelFileError, match=r"model\.safetensors: does not fit .*config\.json: [^\n]*blocks\.2[^\n]*$"
    ):
        load(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({**facts, "n_layer": 3, "dropout": 2}))
    with pytest.raises(ModelFileError, match=r"config\.json: dropout: .*less than 1; n_layer: Extra inputs"):
        read_config(tmp_path)
    (tmp_path / "config.json").write_text("[")
    with pytest.raises(ModelFileError, match=r"config\.json: is not readable JSON"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("architecture", "changes", "message"),
    [
        ("encoder", {"n_heads": 3}, "n_heads 3: must divide hidden_size 8"),
        ("decoder", {"n_heads": None}, "n_heads: missing; decoder needs it"),
        ("gru", {"n_heads": 2}, "n_heads 2: gru has none; remove it"),
        ("rnn", {"inner_size": 9}, "inner_size 9: rnn has none; remove it"),
        ("lstm", {"zero_init_residual": True}, "zero_init_residual True: lstm has no residual stream"),
        ("decoder", {"output_size": 4}, "output_size 4: only architecture encoder has it, not decoder"),
        ("encoder", {"mask_id": V}, f"mask_id {V}: must be below vocabulary_size {V}"),
        ("encoder", {"eos_id": 1}, "bos_id 1: is also eos_id"),
        ("encoder", {"heads": {"a.b": ("x", "y")}}, "heads 'a.b': must be a plain name"),
        ("encoder", {"heads": {"tone": ("x", "x")}}, "heads tone: needs two or more different labels, got x, x"),
        ("encoder", {"n_heads": 3, "pad_id": V}, f"hidden_size 8; pad_id {V}: must"),
    ],
)
def test_a_configuration_that_does_not_fit_itself(architecture: str, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LanguageModelConfig.model_validate(facts_of(architecture, **changes))
    assert message in str(caught.value)
