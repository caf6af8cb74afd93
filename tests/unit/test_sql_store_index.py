"""The index of a score store: what is written is found, and nothing else."""

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from udfs.results import RESULTS
from udfs.sql.store_index import StoreIndex, bucket_of, commit_part, make_write_buckets

DIM = 3


def digest(i: int) -> bytes:
    return hashlib.sha256(f"text {i}".encode()).digest()


def row(i: int, *, error: str | None = None) -> dict[str, object]:
    full = dict.fromkeys(RESULTS.names) | {"content_key": digest(i).hex(), "coverage": 1.0, "lang": "en"}
    if error:
        return full | {"error_code": error, "coverage": 0.0, "lang": "xx"}
    judged = {"sentiment": "positive", "sentiment_score": i / 100, "sentiment_confidence": 0.5, "sentiment_model": "m"}
    return full | judged | {"embedding": [float(i), 0.5, -1.0]}


def write_part(index: Path, name: str, rows: list[dict[str, object]], buckets: int) -> None:
    places = [
        int(
            bucket_of(np.array([int.from_bytes(bytes.fromhex(str(r["content_key"]))[:8], "big")], np.uint64), buckets)[
                0
            ]
        )
        for r in rows
    ]
    ordered = sorted(zip(places, rows, strict=True), key=lambda p: (p[0], str(p[1]["content_key"])))
    table = pa.Table.from_pylist([r for _, r in ordered], RESULTS).append_column(
        "bucket", pa.array([b for b, _ in ordered], pa.int32())
    )
    unfinished = index / "model" / f".{name}-x"
    written = list(make_write_buckets(str(unfinished), DIM)(iter(table.to_batches(max_chunksize=7))))
    assert sum(b.column("n")[0].as_py() for b in written) == len(rows)
    commit_part(unfinished, index / "model" / name, buckets)


@pytest.mark.parametrize("buckets", [1, 16])
def test_every_row_is_found_and_no_other(tmp_path: Path, buckets: int) -> None:
    index = StoreIndex(tmp_path, "model")
    assert index.get([digest(0)]) == {}
    write_part(tmp_path, "r1-0", [row(i) for i in range(50)] + [row(50, error="LANG_UNSUPPORTED")], buckets)
    found = index.get([digest(i) for i in range(99, -1, -1)])
    assert sorted(found) == list(range(49, 100)), "positions of texts 50 to 0"
    for place, (lang, sentiment, score, confidence, model, coverage, error, vector) in found.items():
        i = 99 - place
        if i == 50:
            assert (lang, sentiment, score, error, vector) == ("xx", None, None, "LANG_UNSUPPORTED", None)
            continue
        assert (lang, sentiment, score, confidence, model, coverage, error) == (
            "en",
            "positive",
            i / 100,
            0.5,
            "m",
            1.0,
            None,
        )
        assert vector is not None
        assert np.frombuffer(vector, "<f4").tolist() == [i, 0.5, -1.0]


def test_parts_that_come_later_are_seen_and_the_earliest_counts(tmp_path: Path) -> None:
    index = StoreIndex(tmp_path, "model")
    write_part(tmp_path, "r1-0", [row(1)], 1)
    assert set(index.get([digest(1), digest(2)])) == {0}
    write_part(tmp_path, "r2-0", [row(1) | {"sentiment_score": 0.9}, row(2)], 2)
    found = index.get([digest(1), digest(2)])
    assert [found[i][2] for i in (0, 1)] == [0.01, 0.02]
