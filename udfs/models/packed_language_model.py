"""A trained encoder of our own on packed tokens: no padding, no mask.

Notation of shapes: T tokens of all chunks of a micro-batch in a row, d hidden size, a heads, n chunks of one length l (one run).
The formulas are those of `udfs.models.transformer`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from udfs.models.bert import Run, attend_runs
from udfs.models.files import ModelFileError
from udfs.models.language_model_config import read_encoder_config
from udfs.models.language_models import EncoderLanguageModel, load
from udfs.models.spec import NIGHTJAR
from udfs.models.transformer import Attention, Block


class PackedBlock(nn.Module):
    """One block. Query, key and value are one matrix product."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.n_heads = block.attention.n_heads
        self.norm_attention, self.qkv = block.norm_attention, _joined(block.attention)
        self.attended = block.attention.output
        self.norm_inner, self.up, self.down = block.norm_inner, block.up, block.down

    def forward(self, x: Tensor, runs: Sequence[Run]) -> Tensor:
        """Map (T, d) to (T, d), in place."""
        x = x.add_(self.attended(attend_runs(self.qkv(self.norm_attention(x)), self.n_heads, runs)))
        inner = torch.ops.aten.gelu_(self.up(self.norm_inner(x)))
        return x.add_(self.down(inner))

    def block(self, x: Tensor) -> Tensor:
        """Map n chunks of one length, (n, l, d) to (n, l, d): the same as `forward`, in operations that can be traced."""
        n, length, hidden = x.shape
        q, k, v = self.qkv(self.norm_attention(x)).view(n, length, 3, self.n_heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, length, hidden)
        x = x + self.attended(mixed)
        out: Tensor = x + self.down(F.gelu(self.up(self.norm_inner(x))))
        return out


class PackedLanguageModel(nn.Module):
    """Token and position embeddings, blocks, final norm of a trained `EncoderLanguageModel`. Shares its weights."""

    def __init__(self, model: EncoderLanguageModel) -> None:
        super().__init__()
        self.tokens, self.token_map = model.tokens, model.token_map
        self.positions, self.norm = model.stack.positions, model.stack.norm
        self.blocks = nn.ModuleList(PackedBlock(block) for block in model.stack.blocks if isinstance(block, Block))

    def forward(self, ids: Tensor, positions: Tensor, runs: Sequence[Run]) -> Tensor:
        """Return hidden states (T, d) of token ids (T,) at positions (T,) in chunks described by `runs`."""
        x = self.token_map(self.tokens(ids)) + self.positions(positions)
        for block in self.blocks:
            x = block(x, runs)
        out: Tensor = self.norm(x)
        return out

    def block(self, ids: Tensor) -> Tensor:
        """Return hidden states (n, l, d) of token ids (n, l)."""
        x = self.token_map(self.tokens(ids)) + self.positions(torch.arange(ids.shape[1]))
        for block in self.blocks:
            assert isinstance(block, PackedBlock)
            x = block.block(x)
        out: Tensor = self.norm(x)
        return out


def fits(config: dict[str, Any]) -> bool:
    """Return whether a config.json describes a language model of our own."""
    return config.get("model_type") == NIGHTJAR


def load_packed(folder: Path, n_tokens: int) -> tuple[PackedLanguageModel, nn.Module]:
    """Read an encoder; return it, and the map from pooled hidden states (b, d) to text vectors (b, output_size).

    Args:
        n_tokens: token ids the tokenizer can give.

    Raises:
        ModelFileError: the files do not fit each other, or the model is no encoder.
    """
    known = read_encoder_config(folder).vocabulary_size
    if n_tokens > known:
        raise ModelFileError(f"{folder}/tokenizer.json: has {n_tokens} tokens, the model vocabulary_size {known}")
    model = load(folder)
    assert isinstance(model, EncoderLanguageModel)
    return PackedLanguageModel(model).requires_grad_(False), model.projection.requires_grad_(False)


def _joined(attention: Attention) -> nn.Linear:
    """Return query, key and value maps as one map from d to 3 d."""
    parts = [attention.query, attention.key, attention.value]
    joined = nn.Linear(attention.query.in_features, 3 * attention.query.in_features, device="meta")
    joined.weight = nn.Parameter(torch.cat([part.weight for part in parts]).detach())
    joined.bias = nn.Parameter(torch.cat([part.bias for part in parts]).detach())
    return joined
