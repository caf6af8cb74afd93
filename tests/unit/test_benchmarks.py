"""The arithmetic of the benchmarks: work, bounds, ratios, exponents, cosines, and the texts they pick."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.bounds import Shape, bound, tilted_share, transformer_rate, weighted_length
from benchmarks.corpora import content_key, prepare, with_mean_tokens
from benchmarks.driver_reasons import information
from benchmarks.engine import markdown, summary
from benchmarks.memory import job_peaks
from benchmarks.night import facts, scoring_seconds
from benchmarks.overhead import overhead
from benchmarks.sql_memory import LiveHeap, read_histogram, trend
from benchmarks.sql_sessions import growth
from benchmarks.summary import cosines, exponent, pair_ratios, table

MINILM = Shape(layers=6, hidden=384, inner=1_536)


def test_work_per_token_of_minilm() -> None:
    assert MINILM.flop_per_token(0) == 21_233_664
    assert MINILM.flop_per_token(32) - MINILM.flop_per_token(0) == 4 * 32 * 384 * 6


def test_bytes_per_token_of_minilm_in_half_precision() -> None:
    assert MINILM.bytes_per_token(2) == 2 * 6 * (18 * 384 + 4 * 1_536)
    assert MINILM.bytes_per_token(2, gelu_is_fused=True) == 2 * 6 * (18 * 384 + 2 * 1_536)


def test_the_least_rate_binds_and_turns_are_slower() -> None:
    found = bound({"encoder": 100.0, "tokeniser": 300.0})
    assert (found.tokens_per_s, found.bound_by) == (100.0, "encoder")
    assert found.in_turns_tokens_per_s == pytest.approx(75.0)


@pytest.mark.parametrize("rates", [{}, {"encoder": 0.0}, {"encoder": 5.0, "write": -1.0}])
def test_a_bound_needs_positive_rates(rates: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="positive"):
        bound(rates)


def test_memory_can_bind_the_encoder() -> None:
    assert transformer_rate(1e12, 1e6) == 1e6
    assert transformer_rate(1e12, 1e6, bytes_per_s=1e9, bytes_per_token=1e4) == 1e5


def test_weighted_length_is_what_the_average_token_sees() -> None:
    assert weighted_length([10, 30]) == 25


def test_tilted_shares_reach_mean_and_count() -> None:
    lengths = np.random.default_rng(0).integers(3, 256, 5_000)
    shares = tilted_share(lengths.tolist(), mean=36, count=500)
    assert shares.sum() == pytest.approx(500, rel=1e-6)
    assert (shares * lengths).sum() / shares.sum() == pytest.approx(36, rel=1e-6)
    assert shares.min() >= 0
    assert shares.max() <= 1


def test_tilted_shares_of_the_own_mean_are_equal() -> None:
    lengths = [10, 20, 30, 40]
    assert tilted_share(lengths, mean=25, count=2) == pytest.approx([0.5] * 4, abs=1e-6)


def test_a_mean_out_of_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="mean of 36 tokens"):
        tilted_share([100, 120, 140], mean=36, count=2)


def test_picked_texts_are_near_the_mean() -> None:
    lengths = np.random.default_rng(1).integers(3, 256, 20_000).tolist()
    rows = with_mean_tokens(lengths, mean=32, count=4_000)
    assert rows == sorted(set(rows))
    assert np.mean([lengths[i] for i in rows]) == pytest.approx(32, rel=0.005)
    assert len(rows) == pytest.approx(4_000, rel=0.1)


def test_ratios_go_pair_by_pair() -> None:
    assert pair_ratios([4.0, 9.0], [2.0, 3.0]) == [2.0, 3.0]
    with pytest.raises(ValueError, match="zip"):
        pair_ratios([1.0], [1.0, 2.0])


def test_overhead_is_the_median_of_the_turns() -> None:
    assert overhead([1.1, 2.4, 1.2], [1.0, 2.0, 1.0]) == 0.2


def test_exponent_of_a_power_law() -> None:
    sizes = [10_000, 100_000, 1_000_000]
    assert exponent(sizes, [3 * n**1.04 for n in sizes]) == pytest.approx(1.04)
    with pytest.raises(ValueError, match="two different sizes"):
        exponent([10, 10], [1.0, 2.0])


def write(path: Path, keys: list[str], column: pa.Array) -> Path:
    pq.write_table(pa.table({"content_key": keys, "embedding": column}), path)
    return path


def test_cosines_match_texts_by_key_and_read_both_layouts(tmp_path: Path) -> None:
    lists = pa.array([[1.0, 0.0], [0.0, 2.0]], pa.list_(pa.float32()))
    raw = pa.array([np.array(v, np.float32).tobytes() for v in ([0.0, 3.0], [1.0, 1.0])], pa.binary())
    first, second = write(tmp_path / "a.parquet", ["x", "y"], lists), write(tmp_path / "b.parquet", ["y", "x"], raw)
    low, mean = cosines(first, second) or (0.0, 0.0)
    assert low == pytest.approx(2**-0.5)
    assert mean == pytest.approx((1 + 2**-0.5) / 2)


def test_cosines_of_different_texts_or_sizes(tmp_path: Path) -> None:
    one = write(tmp_path / "a.parquet", ["x"], pa.array([[1.0, 0.0]], pa.list_(pa.float32())))
    other = write(tmp_path / "b.parquet", ["z"], pa.array([[1.0, 0.0]], pa.list_(pa.float32())))
    wide = write(tmp_path / "c.parquet", ["x"], pa.array([[1.0, 0.0, 0.0]], pa.list_(pa.float32())))
    with pytest.raises(ValueError, match="same texts"):
        cosines(one, other)
    assert cosines(one, wide) is None


SECONDS = {"engine-exact": [2.0, 2.0, 2.5], "alone": [4.0, 3.0, 5.0], "daft_embed": [6.0, 6.0, 6.0]}


def test_summary_takes_the_best_peer_by_its_median() -> None:
    result = summary(100, SECONDS, {"engine-exact": (0.9999, 1.0), "alone": (1.0, 1.0), "daft_embed": None})
    assert result["best_peer"] == "alone"
    assert result["over_best_peer"] == {"engine-exact": 2.0}
    assert result["ratios"]["engine-exact"]["daft_embed"] == [3.0, 3.0, 2.4]
    assert result["rows_per_s_median"]["alone"] == 25.0
    assert result["cosine_min"] == {"engine-exact": 0.9999, "alone": 1.0, "daft_embed": None}


def test_the_table_names_everyone_once() -> None:
    result = summary(100, SECONDS, dict.fromkeys(SECONDS))
    text = markdown(result, {"engine-exact": "engine, exact", "alone": "alone", "daft_embed": "Daft"})
    assert "| engine, exact | 2.0, 2.0, 2.5 | 50.0 |" in text
    assert text.endswith("engine, exact: 2.00x the best peer (alone)")


def test_a_markdown_table() -> None:
    assert table(["a", "b"], [[1, 2]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_a_night_is_all_stages_but_the_session() -> None:
    stages = [("session", 9.0), ("lookup", 1.0), ("score", 2.0), ("topics", 1.0), ("score", 3.0)]
    results = {
        "stages": [{"name": name, "seconds": seconds} for name, seconds in stages],
        "counts": [
            {"run_date": "2026-01-05", "rows_in": 5, "rows_dup": 1},
            {"run_date": "", "rows_in": 2, "rows_dup": 0},
        ],
    }
    night = facts(results, 20.0)
    assert (night["rows"], night["seconds"], night["stages"]["score"]) == (7, 7.0, 5.0)
    assert night["counts"] == {"rows_in": 7, "rows_dup": 1}
    assert scoring_seconds(night) == 6.0


def test_prepared_texts_are_distinct_clean_and_shared_equally(tmp_path: Path) -> None:
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    pq.write_table(pa.table({"text": ["same", " same ", "", None, *[f"one {i}" for i in range(9)]]}), first)
    pq.write_table(pa.table({"text": ["same", *[f"two\n{i}" for i in range(9)]]}), second)
    assert prepare([first, second], 8, tmp_path / "out") == 8
    written = pq.read_table(tmp_path / "out" / "texts.parquet").to_pydict()
    texts = written["text"]
    assert len(set(texts)) == 8
    assert sum(t.startswith("two ") for t in texts) in (3, 4)
    assert written["content_key"] == [content_key(t) for t in texts] == sorted(written["content_key"])
    assert set(written["lang_hint"]) == {"en"}


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="reads /proc")
def test_peak_memory_of_a_job_and_its_workers_is_seen_from_outside() -> None:
    hold = "import sys, time; held = b'x' * 80_000_000; time.sleep(2)"
    worker = [sys.executable, "-c", hold, "pyspark.daemon"]
    other = [sys.executable, "-c", hold]
    start = f"import subprocess; [p.wait() for p in [subprocess.Popen(c) for c in {[worker, other]!r}]]"
    job = subprocess.Popen([sys.executable, "-c", start])
    peaks = job_peaks(job)
    # the parent's own command line holds the word too, but it is not below itself
    assert len(peaks.workers) == 1
    assert job.pid not in peaks.workers
    assert 80_000_000 < max(peaks.workers.values()) < 300_000_000
    assert 160_000_000 < peaks.total < 600_000_000, "all three processes, not the workers alone"


def test_memory_that_climbs_in_its_second_half_is_not_flat() -> None:
    at = [10.0 * k for k in range(31)]
    noise = np.random.default_rng(0).normal(0, 5, 31)
    warm = [1000 + 400 * min(t / 100, 1) + e for t, e in zip(at, noise, strict=True)]
    assert trend(at, warm).is_flat, "it climbs in the first half alone"
    found = trend(at, [m + 0.5 * t for t, m in zip(at, warm, strict=True)])
    assert not found.is_flat
    assert found.mib_per_min == pytest.approx(30, abs=3)
    assert found.drift_mib == pytest.approx(75, abs=8)


def test_a_trend_needs_three_samples_in_the_second_half() -> None:
    with pytest.raises(ValueError, match="2 samples in the second half"):
        trend([0, 10, 20, 30], [1, 1, 1, 1])


def test_a_class_histogram_is_read_for_sessions_and_its_total() -> None:
    text = """4711:
 num     #instances         #bytes  class name (module)
-------------------------------------------------------
   1:          1000        2097152  [B (java.base@17.0.15)
  50:            51           5304  org.apache.spark.sql.classic.SparkSession
  51:            51           1224  org.apache.spark.sql.classic.SparkSession$$anon$2
Total          1102        2103680
"""
    assert read_histogram(text) == LiveHeap(mib=2.0, sessions=51)
    with pytest.raises(RuntimeError, match="not allowed"):
        read_histogram("4711:\nnot allowed")


def test_growth_is_for_a_hundred_connections_after_the_first_round() -> None:
    rounds = [(50, 10.0), (100, 90.0), (150, 91.0), (200, 92.0)]
    assert growth([{"connections": n, "at_once": {"mib": mib}} for n, mib in rounds], "at_once") == 2.0


def test_mutual_information_of_equal_and_of_independent_labels() -> None:
    first = np.array([0, 0, 1, 1, 2, 2])
    assert information(first, first) == pytest.approx((np.log2(3), 1.0))
    assert information(first, np.array([0, 1, 0, 1, 0, 1])) == pytest.approx((0.0, 0.0), abs=1e-12)
    assert information(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1])) == pytest.approx(
        (0.3112781, 0.3437111), abs=1e-6
    )
