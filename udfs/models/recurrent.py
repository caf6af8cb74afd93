"""Recurrent stacks: a state that is carried from token to token.

Notation: b texts, l tokens of a text (padding follows the text's own tokens), d hidden size, e input size of a layer.
x_t (e,) is the input at token t, h_t (d,) the hidden state after it, c_t (d,) the LSTM's cell; sigma is the logistic function,
* the product of elements. Every bias b is kept as the sum of two vectors, one of the input's map and one of the state's.

    rnn   h_t = tanh(W_xh x_t + W_hh h_{t-1} + b_h)                                   Elman (1990)
    gru   r = sigma(W_xr x_t + W_hr h_{t-1} + b_r),  z = sigma(W_xz x_t + W_hz h_{t-1} + b_z)
          n = tanh(W_xn x_t + b_xn + r * (W_hn h_{t-1} + b_hn)),  h_t = (1 - z) * n + z * h_{t-1}    Cho et al. (2014)
    lstm  i, f, o = sigma(W_x. x_t + W_h. h_{t-1} + b_.),  g = tanh(W_xg x_t + W_hg h_{t-1} + b_g)
          c_t = f * c_{t-1} + i * g,  h_t = o * tanh(c_t)                              Hochreiter and Schmidhuber (1997)

Each layer computes its formula twice: `step`, one token, written out, used to generate; `forward`, a whole batch of texts, in
PyTorch's fused kernel. A test holds them equal.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Kind = Literal["rnn", "gru", "lstm"]
_KERNELS: dict[str, type[nn.RNN | nn.GRU | nn.LSTM]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


class RecurrentLayer(nn.Module):
    """One recurrent layer. Its state is one tensor (s, b, d): h alone (s = 1), or h and c of the LSTM (s = 2)."""

    def __init__(self, kind: Kind, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.kind = kind
        self.n_states = 2 if kind == "lstm" else 1
        self.kernel = _KERNELS[kind](input_size, hidden_size, batch_first=True)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return hidden states (b, l, d) and the last state (s, b, d) of inputs (b, l, e) that follow `state` (s, b, d)."""
        parts = state.unsqueeze(1).unbind(0)  # s of (1, b, d)
        if self.kind == "lstm":
            out, last = self.kernel(x, (parts[0].contiguous(), parts[1].contiguous()))
            return out, torch.cat(last)
        out, last = self.kernel(x, parts[0].contiguous())
        return out, last

    def step(self, x: Tensor, state: Tensor) -> Tensor:
        """Return the state (s, b, d) after one token's input (b, e); its first part is the hidden state."""
        h = state[0]
        w_x, w_h, b_x, b_h = self.kernel.all_weights[
            0
        ]  # (g d, e), (g d, d), (g d,), (g d,): g gates, one below another
        from_input = F.linear(x, w_x, b_x)  # (b, g d)
        from_state = F.linear(h, w_h, b_h)  # (b, g d)
        if self.kind == "rnn":
            return torch.tanh(from_input + from_state).unsqueeze(0)
        if self.kind == "gru":
            x_r, x_z, x_n = from_input.chunk(3, dim=1)  # each (b, d)
            h_r, h_z, h_n = from_state.chunk(3, dim=1)
            r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
            n = torch.tanh(x_n + r * h_n)
            return ((1 - z) * n + z * h).unsqueeze(0)
        i, f, g, o = (from_input + from_state).chunk(4, dim=1)  # each (b, d)
        c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
        return torch.stack([torch.sigmoid(o) * torch.tanh(c), c])


class RecurrentStack(nn.Module):
    """n layers, each reading the hidden states of the one below, with dropout between them."""

    def __init__(self, kind: Kind, hidden_size: int, n_layers: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(RecurrentLayer(kind, hidden_size, hidden_size) for _ in range(n_layers))
        self.dropout = nn.Dropout(dropout)
        self.shape = n_layers, 2 if kind == "lstm" else 1, hidden_size

    def initial_state(self, x: Tensor) -> Tensor:
        """Return the state (n, s, b, d) before the first token of inputs (b, ...): zeros."""
        n, s, d = self.shape
        return x.new_zeros(n, s, x.shape[0], d)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return hidden states (b, l, d) of the last layer and the state (n, s, b, d) after inputs (b, l, d).

        A hidden state depends on its own and earlier tokens only, so padding after a text changes none of the text's. The state
        returned has read the padding too.
        """
        states = []
        for i, layer in enumerate(self.layers):
            x, last = layer(x if i == 0 else self.dropout(x), state[i])
            states.append(last)
        return x, torch.stack(states)

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return the hidden state (b, d) of the last layer and the state (n, s, b, d) after one token's input (b, d)."""
        states = []
        for i, layer in enumerate(self.layers):
            assert isinstance(layer, RecurrentLayer)
            states.append(layer.step(x if i == 0 else self.dropout(x), state[i]))
            x = states[-1][0]
        return x, torch.stack(states)
