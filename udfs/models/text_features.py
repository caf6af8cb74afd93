"""From hidden states to one vector per text: pooling, and the features that label heads read.

Notation: n texts or chunks of l tokens, h hidden size, d length of the embedding, w width of the result: d, then the features.
"""

from typing import Protocol

import torch
from torch import Tensor, nn

from udfs.models.transformer import embedding

_INIT_STD = 0.02
_FACTOR, _MASK = 0x9E3779B1, 0x7FFFFFFF
"""Multiplicative hashing, on 31 bits: Knuth, The Art of Computer Programming 3, 6.4; the factor is 2^32 / golden ratio."""


class Reader(Protocol):
    """What a text's hidden states become."""

    def __call__(self, ids: Tensor, hidden: Tensor) -> Tensor:
        """Return (n, w) float32 of token ids (n, l) and hidden states (n, l, h) without padding."""
        ...


class Pooling:
    """Mean of the hidden states, or the first token's; where heads have features, the first token's state follows."""

    def __init__(self, pooling: str, *, has_features: bool) -> None:
        self._is_mean, self._has_features = pooling == "mean", has_features

    def __call__(self, ids: Tensor, hidden: Tensor) -> Tensor:
        """See `Reader`."""
        first = hidden[:, 0].float()
        vector = hidden.mean(dim=1, dtype=torch.float32) if self._is_mean else first
        return torch.cat([vector, first], dim=1) if self._has_features else vector


class NgramBag(nn.Module):
    """A learnt vector for each hash of one to three neighbouring tokens; a text has their sum over the root of their number.

    What a linear model on n-grams knows, beside what a small Transformer finds out: Cheng et al. (2016), Wide & Deep Learning,
    arXiv:1606.07792; hashed n-grams: Joulin et al. (2016), arXiv:1607.01759.
    """

    def __init__(self, buckets: int, size: int) -> None:
        super().__init__()
        self.buckets = buckets
        self.vectors = embedding(buckets, size, _INIT_STD)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return (n, size) of token ids (n, l); n-grams that touch padding, where `mask` (n, l) is False, do not count."""
        real = torch.ones_like(ids, dtype=torch.bool) if mask is None else mask
        weights = ngram_mask(real).unsqueeze(2).to(self.vectors.weight.dtype)  # (n, 3 l - 3, 1)
        total: Tensor = (self.vectors(ngram_buckets(ids, self.buckets)) * weights).sum(dim=1)
        return total / weights.sum(dim=1).clamp(min=1).sqrt()


def ngram_buckets(ids: Tensor, buckets: int) -> Tensor:
    """Return the buckets (n, 3 l - 3) of the tokens (n, l), their pairs and their triples; fewer where l is below 3."""
    length = ids.shape[1]
    code, codes = ids & _MASK, [ids & _MASK]
    for n in range(1, min(3, length)):
        code = (code[:, : length - n] * _FACTOR + ids[:, n:] + 1) & _MASK
        codes.append(code)
    found: Tensor = _mixed(torch.cat(codes, dim=1)) % buckets
    return found


def ngram_mask(mask: Tensor) -> Tensor:
    """Return which of `ngram_buckets` are of real tokens only: (n, 3 l - 3) of a mask (n, l)."""
    length = mask.shape[1]
    whole, parts = mask, [mask]
    for n in range(1, min(3, length)):
        whole = whole[:, : length - n] & mask[:, n:]
        parts.append(whole)
    return torch.cat(parts, dim=1)


def _mixed(code: Tensor) -> Tensor:
    """Spread 31-bit codes evenly: multiply and shift, in the manner of MurmurHash3's finaliser (Appleby, public domain)."""
    for shift, factor in ((15, 0x2C1B3C6D), (12, 0x297A2D39)):
        code = ((code ^ (code >> shift)) * factor) & _MASK
    return code ^ (code >> 15)
