"""The compacted part of the score store: the same answers as the folders it was made of, from fewer reads."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline.errors import PublishError
from pipeline.operations import compaction
from pipeline.operations.compaction import compact
from pipeline.operations.explaining import Key, changes, explain
from pipeline.operations.superseded import purge_superseded, superseded
from pipeline.store import STORED, ScoreStore
from pipeline.store_base import BaseRecord, commit, current
from udfs import store_files
from udfs.language import LanguageSpec
from udfs.models.spec import EncoderSpec
from udfs.spec import ScoreSpec

HEX = "0123456789abcdef"


def key(i: int) -> str:
    return f"{HEX[i % 16]}{HEX[i // 16 % 16]}{i:062}"


def rows(
    spark: SparkSession, numbers: Sequence[int], version: float = 0.0, error: str | None = None, hint: str = "en"
) -> DataFrame:
    """Results of some texts; where there is an error, no vector."""

    def row(i: int) -> tuple[Any, ...]:
        vector = None if error else [float(i), version, 0.5]
        values = {"content_key": key(i), "lang_hint": hint, "embedding": vector, "error_code": error, "n_chars": i}
        return tuple(values.get(name) for name in STORED.names)

    return spark.createDataFrame([row(i) for i in numbers], STORED).repartition(2)


def answers(store: ScoreStore, wanted: DataFrame) -> list[tuple[Any, ...]]:
    return sorted(tuple(r) for r in store.lookup(wanted).collect())


@pytest.fixture
def store(spark: SparkSession, tmp_path: Path) -> ScoreStore:
    """Three jobs' folders: some texts were tried twice, some three times."""
    store = ScoreStore(spark, tmp_path, "m")
    store.write(rows(spark, range(40), 1.0).unionByName(rows(spark, range(40, 50), error="MODEL")), "a")
    store.write(rows(spark, range(30, 46), 2.0), "b")
    store.write(rows(spark, [48], error="NON_FINITE").unionByName(rows(spark, [1], 5.0, hint="")), "c")
    return store


def test_a_compacted_store_gives_the_same_answers(spark: SparkSession, tmp_path: Path, store: ScoreStore) -> None:
    wanted = rows(spark, range(0, 60, 2)).unionByName(rows(spark, [1], hint=""))
    before, settled = answers(store, wanted), sorted(store.settled(wanted).collect())
    assert len(before) == 26
    done = compact(spark, tmp_path, "m")
    assert (done.folders, done.rows, done.rows_before) == (3, 51, 68)
    assert store.parts() == []
    assert answers(store, wanted) == before
    assert sorted(store.settled(wanted).collect()) == settled
    assert store.read().count() == 51

    store.write(rows(spark, [46, 60], 3.0).unionByName(rows(spark, [2], 9.0)), "d")
    found = {r.n_chars: r.embedding for r in store.lookup(rows(spark, [2, 46, 60])).collect()}
    assert found == {2: [2.0, 1.0, 0.5], 46: [46.0, 3.0, 0.5], 60: [60.0, 3.0, 0.5]}, "the first that is settled stays"
    compact(spark, tmp_path, "m")
    again = {r.n_chars: r.embedding for r in store.lookup(rows(spark, [2, 46, 60])).collect()}
    assert again == found
    assert compact(spark, tmp_path, "m").folders == 0, "nothing to do"


def test_only_wanted_prefixes_are_opened(spark: SparkSession, tmp_path: Path, store: ScoreStore) -> None:
    compact(spark, tmp_path, "m")
    base = current(store.folder)
    for prefix, entry in base.files.items():
        if prefix != "3":
            for path in (store.folder / entry.folder).glob(f"{prefix}.*"):
                path.write_bytes(b"not to be read")
    assert [r.n_chars for r in store.lookup(rows(spark, [3, 19])).collect()] == [3, 19]
    for path in (store.folder / base.files["3"].folder).glob("3.arrow"):
        path.write_bytes(b"not to be read")
    assert store.settled(rows(spark, [3, 99])).count() == 1, "whether a text is known takes no vector"


def test_prefixes_get_longer_when_the_store_grows(
    spark: SparkSession, tmp_path: Path, store: ScoreStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = rows(spark, range(60))
    before = answers(store, wanted)
    compact(spark, tmp_path, "m")
    store.write(rows(spark, range(100, 110)), "d")
    monkeypatch.setattr(compaction, "digits_for", lambda n_rows: 1 if n_rows <= 55 else 2)
    done = compact(spark, tmp_path, "m")
    assert (current(store.folder).digits, done.rows) == (2, 61)
    assert answers(store, wanted) == before
    assert all(len(prefix) == 2 for prefix in current(store.folder).files)


def test_left_out_keys_are_gone_from_every_file(spark: SparkSession, tmp_path: Path, store: ScoreStore) -> None:
    compact(spark, tmp_path, "m")
    store.write(rows(spark, [1, 200], 7.0), "d")
    untouched = current(store.folder).files["5"]
    done = compact(spark, tmp_path, "m", without=spark.createDataFrame([(key(1),), (key(999),)], "content_key string"))
    assert done.rows == 50
    assert current(store.folder).files["5"] == untouched, "a prefix without news keeps its files"
    assert {name for name, _ in [(p.name, 0) for p, _ in superseded(store.folder)]} >= {"a", "b", "c", "d"}
    purge_superseded(store.folder)
    assert not list(superseded(store.folder))
    there = [pq.read_table(p, columns=["content_key"]).column(0).to_pylist() for p in tmp_path.rglob("*.parquet")]
    assert key(1) not in {k for keys in there for k in keys}
    assert store.lookup(rows(spark, range(60)).unionByName(rows(spark, [1], hint=""))).count() == 49
    assert store.read().count() == 50
    vectors = sum(
        store_files.vectors_of(store_files.PrefixFiles(str(p)[:-6])).shape[0] for p in tmp_path.rglob("*.arrow")
    )
    assert vectors == 50 - 4, "vectors of what was left out are gone as well"


def test_of_two_that_compact_one_fails_and_nothing_is_lost(
    spark: SparkSession, tmp_path: Path, store: ScoreStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = rows(spark, range(60))
    before = answers(store, wanted)

    def slow(folder: Path, record: BaseRecord) -> None:
        """The other process commits between our fold and our commit; both are real."""
        monkeypatch.setattr(compaction, "commit", commit)
        compact(spark, tmp_path, "m")
        commit(folder, record)

    monkeypatch.setattr(compaction, "commit", slow)
    with pytest.raises(PublishError, match="another process compacted this score store meanwhile; run again"):
        compact(spark, tmp_path, "m")
    assert current(store.folder).seq == 1
    assert answers(store, wanted) == before
    losers = [p for p, since in superseded(store.folder) if since < dt.datetime.now(dt.UTC) and p.suffix]
    assert losers, "the files of the one that failed are garbage"
    purge_superseded(store.folder)
    assert answers(store, wanted) == before


def spec(**changed: Any) -> ScoreSpec:
    encoder = EncoderSpec("e", "/m", (), "r1", 3, 128)
    return ScoreSpec(**{"encoder": encoder, "sentiment": None, "language": LanguageSpec(("en",), "2.1"), **changed})


def test_a_miss_is_explained(spark: SparkSession, tmp_path: Path) -> None:
    now, old = spec(), spec(max_chars=100)
    store, former = (ScoreStore(spark, tmp_path, s.model_key()) for s in (now, old))
    store.describe(now.key_parts())
    former.describe(old.key_parts())
    store.write(rows(spark, [1, 2]).unionByName(rows(spark, [3], error="MODEL")), "a")
    former.write(rows(spark, [5]), "a")
    compact(spark, tmp_path, old.model_key())

    def answer(i: int, hint: str = "en") -> str:
        return explain(spark, tmp_path, now, Key(key(i), hint, "a test"))[-1]

    assert answer(1) == "hit: the store has its result"
    assert answer(3) == "scored again: error: the store has MODEL for it, which is tried again"
    assert answer(5).endswith(f"in the store of {old.model_key()}; since then changed: settings (max_chars)")
    assert answer(2, "de") == "scored again: declared language: its text is stored under en"
    assert answer(77) == "scored again: text: no store under this root has this text"
    assert changes({**old.key_parts(), "engine": 0, "language": []}, now.key_parts()) == [
        "engine version",
        "settings or model of language identification",
        "settings (max_chars)",
    ]
