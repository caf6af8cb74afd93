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
    """A learnt vector for each hash of up to `longest` neighbouring tokens, or characters; a text has their sum over the root of
    their number.

    What a linear model on n-grams knows, beside what a small Transformer finds out: Cheng et al. (2016), Wide & Deep Learning,
    arXiv:1606.07792; hashed n-grams: Joulin et al. (2016), arXiv:1607.01759. With `characters`, a table (V, m) of what each token
    stands for (`udfs.models.piece_characters`), the units are the characters that the tokens of a text spell.
    """

    def __init__(self, buckets: int, size: int, longest: int = 3, characters: Tensor | None = None) -> None:
        super().__init__()
        self.buckets, self.longest = buckets, longest
        self.vectors = embedding(buckets, size, _INIT_STD)
        self.register_buffer("characters", characters, persistent=False)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return (n, size) of token ids (n, l); n-grams that touch padding, where `mask` (n, l) is False, do not count."""
        units, real = self.units(ids, torch.ones_like(ids, dtype=torch.bool) if mask is None else mask)
        weights = ngram_mask(real, self.longest).unsqueeze(2).to(self.vectors.weight.dtype)  # (n, g, 1)
        total: Tensor = (self.vectors(ngram_buckets(units, self.buckets, self.longest)) * weights).sum(dim=1)
        return total / weights.sum(dim=1).clamp(min=1).sqrt()

    def units(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return what n-grams are made of, and which of it is real: the tokens (n, l), or their characters (n, c)."""
        if self.characters is None:
            return ids, mask
        assert isinstance(self.characters, Tensor)
        return spelt(self.characters[ids], mask)


def spelt(characters: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the characters (n, c) that texts spell, without gaps, and a mask of them.

    Args:
        characters: (n, l, m) those of each token, 0 where it has fewer.
        mask: (n, l) False at padding.
    """
    there = (characters != 0) & mask.unsqueeze(2)
    counts = there.sum(dim=(1, 2))  # (n,)
    width = max(int(counts.max()), 1) if len(counts) else 1
    real = torch.arange(width, device=counts.device) < counts.unsqueeze(1)  # (n, c)
    out = characters.new_zeros(real.shape)
    out[real] = characters[there]
    return out, real


def ngram_buckets(units: Tensor, buckets: int, longest: int = 3) -> Tensor:
    """Return the buckets (n, g) of the units (n, l), their pairs, their triples and so on: g = l + (l - 1) + ... (`longest`)."""
    length = units.shape[1]
    code = units.long() & _MASK
    codes = [code]
    for n in range(1, min(longest, length)):
        code = (code[:, : length - n] * _FACTOR + units[:, n:] + 1) & _MASK
        codes.append(code)
    found: Tensor = _mixed(torch.cat(codes, dim=1)) % buckets
    return found


def ngram_mask(mask: Tensor, longest: int = 3) -> Tensor:
    """Return which of `ngram_buckets` are of real units only: (n, g) of a mask (n, l)."""
    length = mask.shape[1]
    whole, parts = mask, [mask]
    for n in range(1, min(longest, length)):
        whole = whole[:, : length - n] & mask[:, n:]
        parts.append(whole)
    return torch.cat(parts, dim=1)


def _mixed(code: Tensor) -> Tensor:
    """Spread 31-bit codes evenly: multiply and shift, in the manner of MurmurHash3's finaliser (Appleby, public domain)."""
    for shift, factor in ((15, 0x2C1B3C6D), (12, 0x297A2D39)):
        code = ((code ^ (code >> shift)) * factor) & _MASK
    return code ^ (code >> 15)
