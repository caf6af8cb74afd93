"""Recurrent layers against their formulas in float64 numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from udfs.models.recurrent import Kind, RecurrentLayer, RecurrentStack

Array = NDArray[np.float64]
KINDS: list[Kind] = ["rnn", "gru", "lstm"]


def sigma(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def by_formula(layer: RecurrentLayer, x: Array, h: Array, c: Array) -> Array:
    """Hidden states (l, d) of one text's inputs (l, e), as the module's docstring writes them."""
    weights = {name: value.detach().numpy() for name, value in layer.kernel.named_parameters()}
    w_x, w_h = weights["weight_ih_l0"], weights["weight_hh_l0"]
    b_x, b_h = weights["bias_ih_l0"], weights["bias_hh_l0"]
    d = len(h)
    states = []
    for x_t in x:
        if layer.kind == "rnn":
            h = np.tanh(w_x @ x_t + w_h @ h + (b_x + b_h))
        elif layer.kind == "gru":
            r = sigma((w_x @ x_t + b_x)[:d] + (w_h @ h + b_h)[:d])
            z = sigma((w_x @ x_t + b_x)[d : 2 * d] + (w_h @ h + b_h)[d : 2 * d])
            n = np.tanh((w_x @ x_t + b_x)[2 * d :] + r * (w_h @ h + b_h)[2 * d :])
            h = (1 - z) * n + z * h
        else:
            i, f, g, o = np.split(w_x @ x_t + b_x + w_h @ h + b_h, 4)
            c = sigma(f) * c + sigma(i) * np.tanh(g)
            h = sigma(o) * np.tanh(c)
        states.append(h)
    return np.array(states)


@settings(max_examples=8, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    b=st.integers(1, 3),
    length=st.integers(1, 6),
    d=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_sequence_and_step_compute_the_formula(kind: Kind, b: int, length: int, d: int, seed: int) -> None:
    torch.manual_seed(seed)
    layer = RecurrentLayer(kind, 4, d).double()
    x = torch.randn(b, length, 4, dtype=torch.float64)
    state = torch.randn(layer.n_states, b, d, dtype=torch.float64)
    wanted = np.array([by_formula(layer, x[i].numpy(), state[0, i].numpy(), state[-1, i].numpy()) for i in range(b)])
    found, last = layer(x, state)
    assert np.allclose(found.detach().numpy(), wanted, atol=1e-12)
    for t in range(length):
        state = layer.step(x[:, t], state)
        assert np.allclose(state[0].detach().numpy(), wanted[:, t], atol=1e-12)
    assert torch.allclose(state, last, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stack_steps_as_it_reads_and_a_carried_state_goes_on(kind: Kind) -> None:
    torch.manual_seed(0)
    stack = RecurrentStack(kind, 6, 3, 0.5).double().eval()
    x = torch.randn(2, 9, 6, dtype=torch.float64)
    whole, last = stack(x, stack.initial_state(x))
    first, state = stack(x[:, :4], stack.initial_state(x))
    second, end = stack(x[:, 4:], state)
    assert torch.allclose(torch.cat([first, second], dim=1), whole)
    assert torch.allclose(end, last)
    for t in range(4, 9):
        hidden, state = stack.step(x[:, t], state)
        assert torch.allclose(hidden, whole[:, t])
    assert torch.allclose(state, last)


def test_dropout_falls_between_layers_in_training_only() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 5, 6)
    for n_layers, changes in ((1, False), (2, True)):
        stack = RecurrentStack("gru", 6, n_layers, 0.5)
        state = stack.initial_state(x)
        assert torch.equal(stack(x, state)[0], stack(x, state)[0]) is not changes
        stack.eval()
        assert torch.equal(stack(x, state)[0], stack(x, state)[0])
