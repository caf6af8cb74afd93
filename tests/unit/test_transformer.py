"""Transformer stacks against their formulas in float64 numpy: attention with masks, blocks, memory."""

from math import erf

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import nn

from udfs.models.language_model_config import LanguageModelConfig
from udfs.models.transformer import Attention, TransformerStack, visible_keys

Array = NDArray[np.float64]


def config_of(**changes: object) -> LanguageModelConfig:
    facts = {"architecture": "encoder", "vocabulary_size": 20, "hidden_size": 8, "n_layers": 2, "n_heads": 2}
    facts |= {"inner_size": 12, "max_tokens": 16, "dropout": 0.0, "pad_id": 0, "bos_id": 1, "eos_id": 2}
    return LanguageModelConfig.model_validate({**facts, **changes})


def linear(module: nn.Linear, x: Array) -> Array:
    return np.asarray(x @ module.weight.detach().numpy().T + module.bias.detach().numpy())


def norm(module: nn.Module, x: Array) -> Array:
    if not isinstance(module, nn.LayerNorm):
        return x
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + module.eps)
    return np.asarray(scaled * module.weight.detach().numpy() + module.bias.detach().numpy())


def attend(module: Attention, x: Array, y: Array, hidden_from: Array) -> Array:
    """One text: x (l, d) reads y (m, d) where `hidden_from` (l, m) is False; head by head."""
    q, k, v = linear(module.query, x), linear(module.key, y), linear(module.value, y)
    width = q.shape[1] // module.n_heads
    parts = []
    for i in range(module.n_heads):
        cut = slice(i * width, (i + 1) * width)
        scores = np.where(hidden_from, -np.inf, q[:, cut] @ k[:, cut].T / np.sqrt(width))
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        parts.append(odds / odds.sum(axis=1, keepdims=True) @ v[:, cut])
    return linear(module.output, np.concatenate(parts, axis=1))


def by_formula(
    stack: TransformerStack, x: Array, mask: Array, memory: Array | None = None, memory_mask: Array | None = None
) -> Array:
    """Hidden states (l, d) of one text's token embeddings (l, d)."""
    length = len(x)
    x = x + stack.positions.weight.detach().numpy()[:length]
    hidden_from = np.repeat(~mask[None, :], length, axis=0)
    if stack.causal:
        hidden_from = hidden_from | np.triu(np.ones((length, length), bool), 1)
    for block in stack.blocks:
        y = norm(block.norm_attention, x)
        x = x + attend(block.attention, y, y, hidden_from)
        if memory is not None and memory_mask is not None:
            unseen = np.repeat(~memory_mask[None, :], length, axis=0)
            x = x + attend(block.memory_attention, norm(block.norm_memory, x), memory, unseen)
        inner = linear(block.up, norm(block.norm_inner, x))
        inner = inner * (1 + np.vectorize(erf)(inner / np.sqrt(2))) / 2
        x = x + linear(block.down, inner)
    return norm(stack.norm, x)


def shaken(stack: TransformerStack) -> TransformerStack:
    """In float64, every weight moved so that biases, norms and masks matter."""
    for parameter in stack.parameters():
        nn.init.normal_(parameter, std=0.4)
    return stack.double()


@settings(max_examples=12, deadline=None)
@given(
    causal=st.booleans(),
    with_memory=st.booleans(),
    final_norm=st.booleans(),
    n_heads=st.sampled_from([1, 2, 4]),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    memory_lengths=st.lists(st.integers(1, 5), min_size=3, max_size=3),
    seed=st.integers(0, 99),
)
def test_hidden_states_of_real_tokens_are_the_formula(
    causal: bool,
    with_memory: bool,
    final_norm: bool,
    n_heads: int,
    lengths: list[int],
    memory_lengths: list[int],
    seed: int,
) -> None:
    torch.manual_seed(seed)
    config = config_of(n_heads=n_heads, final_norm=final_norm)
    stack = shaken(TransformerStack(config, causal=causal, reads_memory=with_memory))
    b, d = len(lengths), config.hidden_size
    x, memory = (torch.randn(b, max(n), d, dtype=torch.float64) for n in (lengths, memory_lengths[:b]))
    mask, memory_mask = (torch.arange(max(n)) < torch.tensor(n)[:, None] for n in (lengths, memory_lengths[:b]))
    extra = (memory, memory_mask) if with_memory else ()
    with torch.no_grad():
        found = stack(x, mask, *extra).numpy()
    for i, length in enumerate(lengths):
        wanted = by_formula(stack, x[i].numpy(), mask[i].numpy(), *(value[i].numpy() for value in extra))
        assert np.allclose(found[i, :length], wanted[:length], atol=1e-10)


def test_a_key_mask_may_hide_any_token() -> None:
    torch.manual_seed(1)
    attention = Attention(8, 2).double()
    x = torch.randn(1, 5, 8, dtype=torch.float64)
    mask = torch.tensor([[False, True, False, True, True]])
    hidden_from = np.repeat(~mask.numpy(), 5, axis=0)
    wanted = attend(attention, x[0].numpy(), x[0].numpy(), hidden_from)
    assert np.allclose(attention(x, x, visible_keys(mask))[0].detach().numpy(), wanted, atol=1e-12)


def test_no_text_is_without_a_visible_key() -> None:
    mask = torch.tensor([[True, False], [False, False]])
    assert visible_keys(mask).tolist() == [[[[True, False]]], [[[True, True]]]]


def test_added_weights_are_zero_where_asked_and_the_stack_then_adds_nothing() -> None:
    stack = TransformerStack(config_of(zero_init_residual=True, final_norm=False))
    x = torch.randn(2, 7, 8)
    assert torch.equal(stack(x, torch.ones(2, 7, dtype=torch.bool)), x)
    stack = TransformerStack(config_of(final_norm=False))
    assert not torch.allclose(stack(x, torch.ones(2, 7, dtype=torch.bool)), x, atol=1e-3)


def test_a_text_beyond_the_positions_is_refused() -> None:
    stack = TransformerStack(config_of(max_tokens=4))
    with pytest.raises(ValueError, match="5 tokens: the model takes at most max_tokens 4"):
        stack(torch.zeros(1, 5, 8), torch.ones(1, 5, dtype=torch.bool))
