"""BERT's encoder on packed tokens: no padding, no mask.

Notation of shapes: T tokens of all chunks of a micro-batch in a row, h hidden size, f feed-forward size, a heads, n chunks of
one length l (one run).

Devlin et al. (2019), BERT, arXiv:1810.04805; post-layer-norm Transformer encoder with learned positions.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Run = tuple[int, int, int]
"""(first chunk, last chunk + 1, tokens per chunk) of neighbours of equal length."""

_ACTIVATIONS = {"gelu": "none", "gelu_new": "tanh", "gelu_pytorch_tanh": "tanh"}


def fits(config: dict[str, Any]) -> bool:
    """Return whether `PackedBert` computes what a Hugging Face config describes."""
    return (
        config.get("model_type") == "bert"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and config.get("hidden_act") in _ACTIVATIONS
        and not config.get("is_decoder", False)
    )


def attend_runs(qkv: Tensor, heads: int, runs: Sequence[Run]) -> Tensor:
    """Attend within each chunk: query, key and value side by side (T, 3h) to (T, h)."""
    hidden = qkv.shape[1] // 3
    out = qkv.new_empty(qkv.shape[0], hidden)
    start = 0
    for first, last, length in runs:
        n = last - first
        stop = start + n * length
        # (n l, 3h) -> 3 x (n, a, l, h / a)
        q, k, v = qkv[start:stop].view(n, length, 3, heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v)
        out[start:stop].view(n, length, heads, -1).copy_(mixed.transpose(1, 2))
        start = stop
    return out


class Layer(nn.Module):
    """One encoder layer. Query, key and value are one matrix product."""

    def __init__(self, hidden: int, inner: int, heads: int, eps: float, approximate: str) -> None:
        super().__init__()
        self.heads, self.approximate = heads, approximate
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.attended = nn.Linear(hidden, hidden)
        self.norm_attended = nn.LayerNorm(hidden, eps)
        self.up = nn.Linear(hidden, inner)
        self.down = nn.Linear(inner, hidden)
        self.norm_out = nn.LayerNorm(hidden, eps)

    def forward(self, x: Tensor, runs: Sequence[Run]) -> Tensor:
        """Map (T, h) to (T, h)."""
        x = self.norm_attended(x.add_(self.attended(attend_runs(self.qkv(x), self.heads, runs))))
        inner = self.up(x)
        inner = torch.ops.aten.gelu_(inner, approximate=self.approximate)
        out: Tensor = self.norm_out(x.add_(self.down(inner)))
        return out

    def block(self, x: Tensor) -> Tensor:
        """Map n chunks of one length, (n, l, h) to (n, l, h): the same as `forward`, in operations that can be traced."""
        n, length, hidden = x.shape
        q, k, v = self.qkv(x).view(n, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, length, hidden)
        x = self.norm_attended(x + self.attended(mixed))
        out: Tensor = self.norm_out(x + self.down(F.gelu(self.up(x), approximate=self.approximate)))
        return out


class PackedBert(nn.Module):
    """Token, position and type embeddings, then the layers."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        hidden, eps = config["hidden_size"], config["layer_norm_eps"]
        approximate = _ACTIVATIONS[config["hidden_act"]]
        self.words = nn.Embedding(config["vocab_size"], hidden)
        self.positions = nn.Embedding(config["max_position_embeddings"], hidden)
        self.norm = nn.LayerNorm(hidden, eps)
        self.layers = nn.ModuleList(
            Layer(hidden, config["intermediate_size"], config["num_attention_heads"], eps, approximate)
            for _ in range(config["num_hidden_layers"])
        )

    def forward(self, ids: Tensor, positions: Tensor, runs: Sequence[Run]) -> Tensor:
        """Return the last hidden state (T, h) of token ids (T,) at positions (T,) in chunks described by `runs`."""
        x: Tensor = self.norm(self.words(ids) + self.positions(positions))
        for layer in self.layers:
            x = layer(x, runs)
        return x

    def block(self, ids: Tensor) -> Tensor:
        """Return the last hidden states (n, l, h) of token ids (n, l)."""
        x: Tensor = self.norm(self.words(ids) + self.positions(torch.arange(ids.shape[1])))
        for layer in self.layers:
            assert isinstance(layer, Layer)
            x = layer.block(x)
        return x


def load(folder: Path, names: Sequence[str]) -> PackedBert:
    """Read config and the safetensors `names` of a Hugging Face BERT.

    Raises:
        KeyError: if a weight is missing.
    """
    from safetensors.torch import load_file

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights: dict[str, Tensor] = {}
    for name in names:
        weights |= load_file(folder / name)
    weights = {name.removeprefix("bert."): value.float() for name, value in weights.items()}
    with torch.device("meta"):
        model = PackedBert(config)
    model.load_state_dict(_renamed(weights, config["num_hidden_layers"]), assign=True)
    return model.eval().requires_grad_(False)


def _renamed(weights: dict[str, Tensor], n_layers: int) -> dict[str, Tensor]:
    """Give Hugging Face's weights our names; the type embedding of a single segment is a constant added to every position."""
    types = weights["embeddings.token_type_embeddings.weight"]
    state = {
        "words.weight": weights["embeddings.word_embeddings.weight"],
        "positions.weight": weights["embeddings.position_embeddings.weight"] + types[0],
        "norm.weight": weights["embeddings.LayerNorm.weight"],
        "norm.bias": weights["embeddings.LayerNorm.bias"],
    }
    plain = {
        "attended": "attention.output.dense",
        "norm_attended": "attention.output.LayerNorm",
        "up": "intermediate.dense",
        "down": "output.dense",
        "norm_out": "output.LayerNorm",
    }
    for i in range(n_layers):
        theirs = f"encoder.layer.{i}"
        for kind in ("weight", "bias"):
            parts = [weights[f"{theirs}.attention.self.{name}.{kind}"] for name in ("query", "key", "value")]
            state[f"layers.{i}.qkv.{kind}"] = torch.cat(parts)
            for our, their in plain.items():
                state[f"layers.{i}.{our}.{kind}"] = weights[f"{theirs}.{their}.{kind}"]
    return state
