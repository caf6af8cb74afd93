"""From timings of a sample to the time and GPU hours of a night's scoring, with an interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Timing:
    """One slice of texts a worker scored: how many, their predicted and their real tokens, and the seconds it took."""

    texts: int
    predicted_tokens: int
    tokens: int
    seconds: float


@dataclass(frozen=True)
class Rate:
    """Seconds of one task per predicted token, with the ends of its interval; tokens per predicted token."""

    seconds: float
    low: float
    high: float
    tokens: float
    n_slices: int


@dataclass(frozen=True)
class Estimate:
    """Seconds of scoring, from start to end, and GPU hours, each with the ends of its interval."""

    seconds: float
    seconds_low: float
    seconds_high: float
    gpu_hours: float
    gpu_hours_low: float
    gpu_hours_high: float
    tokens: int


def rate_of(timings: Sequence[Timing], confidence: float) -> Rate | None:
    """Return the ratio of seconds to predicted tokens over slices of a random sample; None without a slice.

    The interval is that of a ratio estimator (Cochran, Sampling Techniques, 3rd ed., section 6.4) with Student's t; with a single
    slice it spans half to twice the rate.
    """
    from scipy.stats import t

    if not timings:
        return None
    seconds = np.array([s.seconds for s in timings])
    predicted = np.array([s.predicted_tokens for s in timings], float)
    ratio, n = float(seconds.sum() / predicted.sum()), len(timings)
    tokens = float(sum(s.tokens for s in timings) / predicted.sum())
    if n == 1:
        return Rate(ratio, ratio / 2, ratio * 2, tokens, 1)
    residuals = seconds - ratio * predicted
    error = math.sqrt(float((residuals**2).sum()) / (n - 1) / n) / float(predicted.mean())
    reach = float(t.ppf((1 + confidence) / 2, n - 1)) * error
    return Rate(ratio, max(ratio - reach, ratio / 10), ratio + reach, tokens, n)


def estimate(
    predicted_tokens: int, rate: Rate, slots: int, load_seconds: float, chunk_seconds: float, chunks: int, gpus: float
) -> Estimate:
    """Return how long scoring takes.

    Args:
        predicted_tokens: of all texts to score.
        slots: tasks that run at once.
        load_seconds: what loading the models takes, once in each process, all at the same time.
        chunk_seconds: what starting and ending a Spark job takes besides its tasks; two jobs go on at once.
        gpus: that the session holds.
    """

    def seconds(per_token: float, overhead: float) -> float:
        return predicted_tokens * per_token / slots + overhead

    fixed = load_seconds + chunks * chunk_seconds / 2
    middle, low = seconds(rate.seconds, fixed), seconds(rate.low, load_seconds)
    # a job of the end has nobody to fill the cores it leaves idle
    high = seconds(rate.high, load_seconds + (chunks + 1) * chunk_seconds)
    per_second = gpus / 3600
    return Estimate(
        middle,
        low,
        high,
        middle * per_second,
        low * per_second,
        high * per_second,
        round(predicted_tokens * rate.tokens),
    )
