"""Transformer stacks with layer norm before each sublayer.

Notation: b texts, l tokens of a text (padding follows the text's own tokens), m tokens of the text attended to, d hidden size,
a heads of width k = d / a, f feed-forward size. A mask is True at real tokens.

    attention(Q, K, V) = softmax(Q K^T / sqrt(k)) V        one head; scores of keys that are hidden are -infinity
    heads(x, y) = [attention(x W_q^i, y W_k^i, y W_v^i) for i = 1 .. a] W_o            y = x in self-attention
    block(x):  x = x + heads(norm(x)),  x = x + heads(norm(x), memory) in a decoder with memory,
               x = x + gelu(norm(x) W_1 + b_1) W_2 + b_2
    input:     token embedding + position embedding (learned, one vector per position)

Vaswani et al. (2017), Attention Is All You Need, arXiv:1706.03762; layer norm first: Xiong et al. (2020), arXiv:2002.04745; GELU:
Hendrycks and Gimpel (2016), arXiv:1606.08415. Dropout falls on embeddings and on what a sublayer adds, not on attention weights,
so that the fused kernels of `scaled_dot_product_attention` serve training too.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from udfs.models.language_model_config import LanguageModelConfig

_INIT_STD = 0.02
"""Of matrices and positions, as in BERT and GPT-2."""


class Attention(nn.Module):
    """Multi-head scaled dot-product attention."""

    def __init__(self, hidden_size: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.query = nn.Linear(hidden_size, hidden_size)
        self.key = nn.Linear(hidden_size, hidden_size)
        self.value = nn.Linear(hidden_size, hidden_size)
        self.output = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor, y: Tensor, keys: Tensor | None = None, causal: bool = False) -> Tensor:
        """Return what tokens x (b, l, d) gather from tokens y (b, m, d): (b, l, d).

        Args:
            keys: (b, 1, 1, m) bool, True at tokens of y that may be seen; None: all.
            causal: token i of x sees tokens 0 .. i of y (l = m).
        """
        q, k, v = self._split(self.query(x)), self._split(self.key(y)), self._split(self.value(y))
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=keys, is_causal=causal)  # (b, a, l, k)
        out: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return out

    def _split(self, x: Tensor) -> Tensor:
        """Cut (b, l, d) into heads: (b, a, l, k)."""
        b, length, _ = x.shape
        return x.view(b, length, self.n_heads, -1).transpose(1, 2)


class Block(nn.Module):
    """Self-attention, attention to a memory where there is one, feed-forward; each adds to the residual stream."""

    def __init__(self, config: LanguageModelConfig, *, causal: bool, reads_memory: bool) -> None:
        super().__init__()
        d, f = config.hidden_size, config.inner_size or 4 * config.hidden_size
        assert config.n_heads is not None
        self.causal = causal
        self.norm_attention = nn.LayerNorm(d)
        self.attention = Attention(d, config.n_heads)
        self.norm_memory = nn.LayerNorm(d) if reads_memory else None
        self.memory_attention = Attention(d, config.n_heads) if reads_memory else None
        self.norm_inner = nn.LayerNorm(d)
        self.up = nn.Linear(d, f)
        self.down = nn.Linear(f, d)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Tensor, keys: Tensor | None = None, memory: Tensor | None = None, memory_keys: Tensor | None = None
    ) -> Tensor:
        """Map (b, l, d) to (b, l, d), reading `memory` (b, m, d) where its `memory_keys` (b, 1, 1, m) are True."""
        y = self.norm_attention(x)
        x = x + self.dropout(self.attention(y, y, keys, self.causal))
        if self.memory_attention is not None and self.norm_memory is not None:
            x = x + self.dropout(self.memory_attention(self.norm_memory(x), memory, memory_keys))
        out: Tensor = x + self.dropout(self.down(F.gelu(self.up(self.norm_inner(x)))))
        return out

    def added(self) -> list[nn.Linear]:
        """Return the maps whose results are added to the residual stream."""
        attentions = [self.attention] + ([self.memory_attention] if self.memory_attention is not None else [])
        return [*(attention.output for attention in attentions), self.down]


class TransformerStack(nn.Module):
    """Position embeddings, blocks, final norm. Causal or not, with or without a memory to read."""

    def __init__(self, config: LanguageModelConfig, *, causal: bool = False, reads_memory: bool = False) -> None:
        super().__init__()
        self.causal = causal
        self.positions = embedding(
            config.max_tokens, config.hidden_size, 0.0 if config.zero_init_residual else _INIT_STD
        )
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            Block(config, causal=causal, reads_memory=reads_memory) for _ in range(config.n_layers)
        )
        self.norm = nn.LayerNorm(config.hidden_size) if config.final_norm else nn.Identity()
        self._initialise(0.0 if config.zero_init_residual else (2 * config.n_layers) ** -0.5)

    def forward(
        self, x: Tensor, mask: Tensor, memory: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        """Return hidden states (b, l, d) of token embeddings (b, l, d) with mask (b, l).

        A causal stack needs no mask of its own: padding follows the text, so no real token sees it. What comes out at padding
        is finite and means nothing.

        Raises:
            ValueError: l is more than `max_tokens`.
        """
        length = x.shape[1]
        if length > self.positions.num_embeddings:
            raise ValueError(f"{length} tokens: the model takes at most max_tokens {self.positions.num_embeddings}")
        x = self.dropout(x + self.positions(torch.arange(length, device=x.device)))
        keys = None if self.causal else visible_keys(mask)
        memory_keys = None if memory_mask is None else visible_keys(memory_mask)
        for block in self.blocks:
            x = block(x, keys, memory, memory_keys)
        out: Tensor = self.norm(x)
        return out

    def _initialise(self, added_scale: float) -> None:
        """Draw weights; what a block adds to the residual stream is scaled, by 1 / sqrt(2 n) as in GPT-2, or by zero."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                draw(module.weight, _INIT_STD)
                nn.init.zeros_(module.bias)
        for block in self.blocks:
            assert isinstance(block, Block)
            for linear in block.added():
                with torch.no_grad():
                    linear.weight.mul_(added_scale)


def embedding(n: int, size: int, std: float) -> nn.Embedding:
    """Return a table (n, size) of normal values."""
    table: nn.Embedding = nn.Embedding.from_pretrained(torch.empty(n, size), freeze=False)  # type: ignore[no-untyped-call]
    draw(table.weight, std)
    return table


def draw(weight: Tensor, std: float) -> None:
    """Fill a weight with normal values; on the meta device, where a model waits for its weights, there is nothing to fill.

    There torch would first load a second's worth of Python to draw nothing.
    """
    if not weight.is_meta:
        nn.init.normal_(weight, std=std)


def visible_keys(mask: Tensor) -> Tensor:
    """Turn a mask (b, m) into the keys that may be seen (b, 1, 1, m); a text of padding alone sees all of it.

    A softmax over no key at all is 0 / 0; what a kernel gives for it, and for its gradient, differs from kernel to kernel.
    """
    return (mask | ~mask.any(dim=1, keepdim=True))[:, None, None, :]
