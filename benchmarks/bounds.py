"""What a machine allows: work per token, the rate each part could reach alone, and which part binds. Plain arithmetic.

Notation: h hidden size, f feed-forward size, L layers, s mean length of a chunk weighted by its tokens (what a token's attention
sees). Every rate is in tokens per second.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Shape:
    """The sizes of a BERT-like encoder that decide its work."""

    layers: int
    hidden: int
    inner: int

    def flop_per_token(self, weighted_length: float) -> float:
        """Return multiplications and additions per token: the four products of each layer, then attention."""
        products = 2 * (4 * self.hidden**2 + 2 * self.hidden * self.inner) * self.layers
        return products + 4 * weighted_length * self.hidden * self.layers

    def bytes_per_token(self, element_bytes: int, *, gelu_is_fused: bool = False) -> float:
        """Return what the activations of a token move through memory if nothing but GELU may be fused."""
        inner_passes = 2 if gelu_is_fused else 4
        return element_bytes * self.layers * (18 * self.hidden + inner_passes * self.inner)


@dataclass(frozen=True)
class Bound:
    """The least of several rates, its name, and the rate if all parts had to take turns on the same cores."""

    tokens_per_s: float
    bound_by: str
    in_turns_tokens_per_s: float


def bound(rates: Mapping[str, float]) -> Bound:
    """Return what binds `rates`, name -> tokens/s of a part that works alone.

    Raises:
        ValueError: no rates, or one that is not positive.
    """
    if not rates or min(rates.values()) <= 0:
        raise ValueError(f"rates must be positive, got {dict(rates)}")
    name = min(rates, key=lambda n: rates[n])
    return Bound(rates[name], name, 1 / sum(1 / rate for rate in rates.values()))


def transformer_rate(
    flop_per_s: float, flop_per_token: float, bytes_per_s: float = math.inf, bytes_per_token: float = 1.0
) -> float:
    """Return the tokens per second that arithmetic and memory allow the encoder."""
    return min(flop_per_s / flop_per_token, bytes_per_s / bytes_per_token)


def weighted_length(lengths: Sequence[int]) -> float:
    """Return the mean length weighted by tokens: what the average token's attention reads."""
    return sum(n * n for n in lengths) / sum(lengths)


def tilted_share(lengths: Sequence[int], mean: float, count: int) -> NDArray[np.float64]:
    """Return (n,) probabilities to keep each length so that about `count` are kept and have the given mean.

    The probabilities are min(1, c exp(t length)): of all ways to reach the mean the one that changes the distribution least.

    Raises:
        ValueError: no choice of `count` reaches the mean.
    """
    values = np.asarray(lengths, np.float64)
    ordered = np.sort(values)
    if not 0 < count <= len(values):
        raise ValueError(f"{count} of {len(values)} texts cannot be kept")
    if not ordered[:count].mean() <= mean <= ordered[-count:].mean():
        raise ValueError(f"no {count} of the {len(values)} texts have a mean of {mean} tokens")
    low, high = -1.0, 1.0
    for _ in range(50):
        tilt = (low + high) / 2
        shares = _scaled(tilt * (values - mean), count)
        low, high = (tilt, high) if (shares * values).sum() / shares.sum() < mean else (low, tilt)
    return shares


def _scaled(exponents: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return min(1, exp(exponents + c)) with c such that they sum to `count`."""
    low, high = -exponents.max() - math.log(len(exponents)), -exponents.min()
    for _ in range(60):
        shift = (low + high) / 2
        shares = np.exp(np.minimum(exponents + shift, 0.0))
        low, high = (shift, high) if shares.sum() < count else (low, shift)
    return shares
