"""Limits of a run and its chunks: when scoring stops, and that a run that goes on cuts as the one before it."""

import datetime as dt

import numpy as np
import pytest

from pipeline.chunks import CHUNKS, cut, tokens_per_chunk
from pipeline.errors import ConfigError
from pipeline.estimate import Timing, estimate, rate_of
from pipeline.limits import Limits, parse_deadline
from pipeline.placement import Load

NOW = dt.datetime(2026, 10, 5, 22, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("23:05", dt.datetime(2026, 10, 5, 23, 5, tzinfo=dt.UTC)),
        ("05:30", dt.datetime(2026, 10, 6, 5, 30, tzinfo=dt.UTC)),
        ("22:30", dt.datetime(2026, 10, 6, 22, 30, tzinfo=dt.UTC)),
        ("2026-10-06T07:00:00+02:00", dt.datetime(2026, 10, 6, 5, tzinfo=dt.UTC)),
    ],
)
def test_a_deadline_is_a_moment_to_come(text: str, at: dt.datetime) -> None:
    assert parse_deadline(text, NOW) == at


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("25:00", "is no time"),
        ("soon", "is no time"),
        ("2026-10-06T07:00", "no time zone"),
        ("2026-10-05T22:00:00Z", "is past"),
    ],
)
def test_a_deadline_that_is_none_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_deadline(text, NOW)


def test_the_nearer_limit_counts() -> None:
    limits = Limits(NOW + dt.timedelta(hours=1), 1.0, gpus=4, clock=lambda: NOW)
    assert limits.seconds_left() == 900, "four GPUs use up a GPU hour in a quarter of one"
    limits.spent_seconds = 600
    assert limits.seconds_left() == pytest.approx(300)
    assert limits.gpu_hours == pytest.approx(600 * 4 / 3600)
    limits.spent_seconds = 2_000
    assert limits.seconds_left() == 0.0
    assert Limits(NOW + dt.timedelta(hours=1), clock=lambda: NOW).seconds_left() == 3600
    assert Limits().seconds_left() is None


def test_gpu_hours_without_a_gpu_are_refused() -> None:
    with pytest.raises(ConfigError, match="holds no GPU"):
        Limits(max_gpu_hours=2.0).require_gpus()
    Limits(max_gpu_hours=2.0, gpus=1.0).require_gpus()
    Limits().require_gpus()


def load(tokens: list[int]) -> Load:
    return Load(np.ones(len(tokens), np.int64), np.arange(len(tokens)) * 3, np.array(tokens, np.int64))


def test_chunks_hold_every_bucket_once_in_order() -> None:
    tokens = np.random.default_rng(1).integers(1, 50, 1_000).tolist()
    size = tokens_per_chunk(sum(tokens), 64)
    chunks = cut(load(tokens), size)
    assert np.concatenate([c.load.buckets for c in chunks]).tolist() == load(tokens).buckets.tolist()
    assert all(int(c.load.tokens.sum()) >= size for c in chunks[:-1])
    assert max(int(c.load.tokens.sum()) for c in chunks) < size + 50
    assert CHUNKS - 4 <= len(chunks) <= CHUNKS
    assert [c.number for c in chunks] == list(range(len(chunks)))


def test_a_run_that_goes_on_makes_the_chunks_that_were_left() -> None:
    tokens = np.random.default_rng(2).integers(1, 50, 1_000).tolist()
    whole, size = load(tokens), tokens_per_chunk(sum(tokens), 64)
    chunks = cut(whole, size)
    done = sum(len(c.load.buckets) for c in chunks[:20])
    rest = cut(whole.part(done, 1_000), size)
    assert [(c.first, c.last) for c in rest] == [(c.first, c.last) for c in chunks[20:]]


def test_small_loads_are_one_chunk_and_none_is_none() -> None:
    assert tokens_per_chunk(1_000, 262_144) == 32_768
    assert len(cut(load([10] * 100), 32_768)) == 1
    assert cut(load([]), 32_768) == []


def test_a_rate_has_an_interval_that_holds_the_truth() -> None:
    """Of 200 samples of 20 slices nine in ten intervals hold the true cost."""
    random, hits = np.random.default_rng(3), 0
    for _ in range(200):
        tokens = random.integers(500, 5_000, 20)
        seconds = tokens * 0.001 * random.normal(1.0, 0.2, 20)
        rate = rate_of([Timing(1, int(n), int(n) * 2, float(s)) for n, s in zip(tokens, seconds, strict=True)], 0.9)
        assert rate is not None
        assert rate.tokens == pytest.approx(2.0)
        hits += rate.low <= 0.001 <= rate.high
    assert 165 <= hits <= 195


def test_an_estimate_adds_what_starting_costs() -> None:
    rate = rate_of([Timing(10, 1_000, 1_500, 1.0)], 0.9)
    assert rate is not None
    assert (rate.low, rate.seconds, rate.high) == (0.0005, 0.001, 0.002)
    found = estimate(40_000, rate, slots=4, load_seconds=5.0, chunk_seconds=1.0, chunks=6, gpus=2)
    assert (found.seconds_low, found.seconds, found.seconds_high) == (10.0, 18.0, 32.0)
    assert found.gpu_hours == pytest.approx(18.0 * 2 / 3600)
    assert found.tokens == 60_000
    assert rate_of([], 0.9) is None
