"""The contract of a row: FAULTS cases 22 to 34, on real Parquet files."""

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from pipeline.config import InputConfig
from pipeline.corpus import read_corpus
from pipeline.documents import MARGIN_CHARS, accepted, to_documents, to_rejects, to_texts, with_run_date
from pipeline.errors import DataError
from pipeline.failures import explain
from pipeline.preflight import inspect_corpus

DAY = dt.date(2026, 10, 5)
NOON = dt.datetime(2026, 10, 5, 12, tzinfo=dt.UTC)
Row = tuple[Any, Any, Any]


def write(path: Path, rows: list[Row], **more: list[Any]) -> None:
    """Write (id, text, time) rows; text may be bytes, which are stored as they are."""
    ids, texts, times = zip(*rows, strict=True)
    raw = [t.encode() if isinstance(t, str) else t for t in texts]
    table = pa.table(
        {
            "id": pa.array(ids, pa.string()),
            "text": unchecked_strings(raw),
            "time": pa.array(times, pa.timestamp("us", "UTC")),
            **more,
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def unchecked_strings(values: list[bytes | None]) -> pa.Array:
    binary = pa.array(values, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(values), binary.buffers(), binary.null_count)


def judge(
    spark: SparkSession, folder: Path, first: dt.date = DAY, last: dt.date = DAY, **config: Any
) -> list[dict[str, Any]]:
    settings = InputConfig(path=str(folder), **config)
    corpus = inspect_corpus(settings)
    raw = read_corpus(spark, settings, corpus, first, last)
    documents = to_documents(with_run_date(raw, first, last, corpus.may_lack_times), settings)
    kept = [{**r.asDict(), "reason": None} for r in accepted(documents).collect()]
    return kept + [r.asDict() for r in to_rejects(documents).collect()]


def reasons(rows: list[dict[str, Any]]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    for row in rows:
        found.setdefault(row["reason"], []).append(row["doc_id"])
    return {k: sorted(v, key=str) for k, v in found.items()}


def test_every_malformed_row_has_a_reason_and_keeps_its_raw_value(spark: SparkSession, tmp_path: Path) -> None:
    write(
        tmp_path / "1.parquet",
        [
            ("good", "fine", NOON),
            (None, "no id", NOON),
            ("  ", "blank id", NOON),
            ("e1", None, NOON),
            ("e2", "", NOON),
            ("e3", "  \t\n", NOON),
            ("e4", "\u200b\ufeff\u3000", NOON),
            ("u1", b"caf\xe9 \xff", NOON),
            ("u2", b"lone \xed\xa0\x80 surrogate", NOON),
            ("t1", "no time", None),
            ("l1", "x" * 101, NOON),
            ("l2", " " * 5_000 + "x", NOON),
            ("e5", "\u200b \u0085" * 2_000, NOON),
        ],
    )
    rows = judge(spark, tmp_path, max_chars=50, too_long_chars=100)
    assert reasons(rows) == {
        None: ["good"],
        "null_id": [None, None],
        "empty_text": ["e1", "e2", "e3", "e4", "e5"],
        "invalid_utf8": ["u1", "u2"],
        "null_time": ["t1"],
        "too_long": ["l1", "l2"],
    }
    by_id = {r["doc_id"]: r for r in rows}
    assert bytes(by_id["u1"]["raw_bytes"]) == b"caf\xe9 \xff"
    assert by_id["u1"]["raw_text"] == "caf\ufffd \ufffd"
    assert by_id["e3"]["raw_text"] == "  \t\n"
    assert by_id["l1"]["raw_text"] == "x" * 101
    assert {r["file"] for r in rows if r["reason"]} == {str(tmp_path / "1.parquet")}
    assert {r["rejected_column"] for r in rows if r["reason"] == "null_time"} == {"time"}
    assert {r["rejected_column"] for r in rows if r["reason"] == "null_id"} == {"id"}


def test_invalid_bytes_can_be_repaired(spark: SparkSession, tmp_path: Path) -> None:
    write(tmp_path / "1.parquet", [("u1", b"caf\xe9", NOON), ("ok", "fine", NOON)])
    rows = judge(spark, tmp_path, invalid_utf8="repair")
    assert {r["doc_id"]: r["text"] for r in rows} == {"u1": "caf\ufffd", "ok": "fine"}


def test_invalid_bytes_in_the_group_reject_the_row(spark: SparkSession, tmp_path: Path) -> None:
    write(tmp_path / "1.parquet", [("a", "x", NOON), ("b", "y", NOON)], g=unchecked_strings([b"\xff", b"ok"]))
    rows = judge(spark, tmp_path, columns={"group": "g"})
    assert reasons(rows) == {None: ["b"], "invalid_utf8": ["a"]}
    bad = next(r for r in rows if r["reason"])
    assert (bad["rejected_column"], bytes(bad["raw_bytes"]), bad["raw_text"]) == ("g", b"\xff", "x")


def test_one_row_of_a_repeated_id_is_kept_whatever_the_order(spark: SparkSession, tmp_path: Path) -> None:
    later = NOON + dt.timedelta(seconds=1)
    rows: list[Row] = [
        ("a", "second", later),
        ("a", "first", NOON),
        ("a", "first", NOON),
        ("b", "only", NOON),
        ("a", None, NOON),
    ]
    write(tmp_path / "x" / "1.parquet", rows)
    write(tmp_path / "y" / "1.parquet", rows[::-1])
    for folder in (tmp_path / "x", tmp_path / "y"):
        found = judge(spark, folder)
        assert reasons(found) == {None: ["a", "b"], "duplicate_id": ["a", "a"], "empty_text": ["a"]}
        assert {r["text"] for r in found if r["reason"] is None} == {"first", "only"}


def test_the_same_id_on_another_night_is_another_document(spark: SparkSession, tmp_path: Path) -> None:
    write(tmp_path / "1.parquet", [("a", "x", NOON), ("a", "x", NOON + dt.timedelta(days=1))])
    assert reasons(judge(spark, tmp_path, last=DAY + dt.timedelta(days=1))) == {None: ["a", "a"]}


def test_nights_are_cut_at_midnight_utc(spark: SparkSession, tmp_path: Path) -> None:
    midnight = dt.datetime(2026, 10, 5, tzinfo=dt.UTC)
    tick = dt.timedelta(microseconds=1)
    write(
        tmp_path / "1.parquet",
        [("before", "x", midnight - tick), ("first", "x", midnight), ("last", "x", midnight + dt.timedelta(days=1) - tick),
         ("after", "x", midnight + dt.timedelta(days=1))],
    )  # fmt: skip
    assert reasons(judge(spark, tmp_path)) == {None: ["first", "last"]}


def test_rows_without_a_time_belong_to_their_files_first_night(spark: SparkSession, tmp_path: Path) -> None:
    tomorrow = NOON + dt.timedelta(days=1)
    write(tmp_path / "1.parquet", [("a", "x", NOON), ("t1", "x", None), ("b", "x", tomorrow)])
    write(tmp_path / "2.parquet", [("c", "x", tomorrow), ("t2", "x", None)])
    assert reasons(judge(spark, tmp_path)) == {None: ["a"], "null_time": ["t1"]}
    next_day = DAY + dt.timedelta(days=1)
    assert reasons(judge(spark, tmp_path, next_day, next_day)) == {None: ["b", "c"], "null_time": ["t2"]}


def test_times_without_a_zone_are_utc_in_every_unit(spark: SparkSession, tmp_path: Path) -> None:
    naive = NOON.replace(tzinfo=None)
    for unit in ("ms", "us", "ns"):
        table = pa.table({"id": [unit], "text": ["x"], "time": pa.array([naive], pa.timestamp(unit))})
        pq.write_table(table, tmp_path / f"{unit}.parquet")
    pq.write_table(pa.table({"id": ["date"], "text": ["x"], "time": [DAY]}), tmp_path / "date.parquet")
    tokyo = pa.array([NOON], pa.timestamp("us", "Asia/Tokyo"))
    pq.write_table(pa.table({"id": [7], "text": ["x"], "time": tokyo}), tmp_path / "z.parquet")
    (tmp_path / "numbers").mkdir()
    (tmp_path / "z.parquet").rename(tmp_path / "numbers" / "z.parquet")
    number = judge(spark, tmp_path / "numbers")
    assert [(r["doc_id"], r["event_ts"]) for r in number] == [("7", naive)]
    (tmp_path / "numbers" / "z.parquet").unlink()
    times = {r["doc_id"]: r["event_ts"] for r in judge(spark, tmp_path)}
    assert times == {"ms": naive, "us": naive, "ns": naive, "date": dt.datetime(2026, 10, 5)}


def test_odd_but_valid_texts_are_kept(spark: SparkSession, tmp_path: Path) -> None:
    texts = {
        "nul": ("a\x00b", "ab"),
        "zwj": ("👩‍👩‍👧‍👦 ok", "👩‍👩‍👧‍👦 ok"),
        "bidi": ("abc \u202edef\u202c", "abc def"),
        "marks": ("e\u0301te\u0301", "e\u0301te\u0301"),
        "sql": ("'); DROP TABLE runs; --", "'); DROP TABLE runs; --"),
        "formula": ('=HYPERLINK("x")', '=HYPERLINK("x")'),
        "spaces": ("\u3000 two\u00a0\u00a0words \r\n", "two words"),
        "chinese": ("你好，  世界", "你好， 世界"),
    }
    write(tmp_path / "1.parquet", [(k, raw, NOON) for k, (raw, _) in texts.items()])
    assert {r["doc_id"]: r["text"] for r in judge(spark, tmp_path)} == {k: clean for k, (_, clean) in texts.items()}


def test_declared_languages_are_reduced_to_their_first_subtag(spark: SparkSession, tmp_path: Path) -> None:
    declared = {"a": "en-US", "b": "ZH_cn", "c": "und", "d": None, "e": "english", "f": " es ", "g": ""}
    write(tmp_path / "1.parquet", [(k, "x", NOON) for k in declared], l=pa.array(declared.values(), pa.string()))
    rows = judge(spark, tmp_path, columns={"lang": "l"})
    assert {r["doc_id"]: r["lang_hint"] for r in rows} == {
        "a": "en",
        "b": "zh",
        "c": "",
        "d": "",
        "e": "",
        "f": "es",
        "g": "",
    }


def test_equal_normalised_texts_are_one_text(spark: SparkSession, tmp_path: Path) -> None:
    write(tmp_path / "1.parquet", [("a", "same  text", NOON), ("b", " same text\n", NOON), ("c", "Same text", NOON)])
    settings = InputConfig(path=str(tmp_path))
    raw = read_corpus(spark, settings, inspect_corpus(settings), DAY, DAY)
    texts = to_texts(accepted(to_documents(with_run_date(raw, DAY, DAY), settings)))
    assert sorted(r["text"] for r in texts.collect()) == ["Same text", "same text"]


def test_of_a_long_text_the_beginning_goes_on_and_length_and_key_are_of_the_whole(
    spark: SparkSession, tmp_path: Path
) -> None:
    long, kept = "längerer  " * 200, 30 + MARGIN_CHARS
    whole = " ".join(long.split())
    rows: list[Row] = [("a", long, NOON), ("b", whole[:kept], NOON), ("c", whole[:kept] + "x", NOON), ("d", long, NOON)]
    write(tmp_path / "1.parquet", rows)
    found = {r["doc_id"]: r for r in judge(spark, tmp_path, max_chars=30)}
    assert {r["text"] for r in found.values()} == {whole[:kept]}
    assert {i: r["text_chars"] for i, r in found.items()} == {
        "a": len(whole),
        "b": kept,
        "c": kept + 1,
        "d": len(whole),
    }
    assert found["a"]["content_key"] == hashlib.sha256(whole.encode()).hexdigest()
    assert len({r["content_key"] for r in found.values()}) == 3


def test_files_in_which_all_rows_have_a_time_are_scanned_once(spark: SparkSession, tmp_path: Path) -> None:
    for folder, time in (("sure", NOON), ("unsure", None)):
        write(tmp_path / folder / "1.parquet", [("a", "x", NOON), ("b", "x", time)])
    scans = []
    for folder in ("sure", "unsure"):
        settings = InputConfig(path=str(tmp_path / folder))
        corpus = inspect_corpus(settings)
        rows = with_run_date(read_corpus(spark, settings, corpus, DAY, DAY), DAY, DAY, corpus.may_lack_times)
        scans.append(rows._jdf.queryExecution().optimizedPlan().toString().count("Relation "))
        assert rows.count() == 2
    assert scans == [1, 2]


def test_column_names_with_odd_characters(spark: SparkSession, tmp_path: Path) -> None:
    table = pa.table({"the id": ["a"], "te.xt`s": ["x"], "时间": pa.array([NOON], pa.timestamp("ns", "UTC"))})
    pq.write_table(table, tmp_path / "a b%20+é.parquet")
    rows = judge(spark, tmp_path, columns={"id": "the id", "text": "te.xt`s", "time": "时间"})
    assert reasons(rows) == {None: ["a"]}


def test_files_with_percent_and_plus_in_their_names_are_named_plainly(spark: SparkSession, tmp_path: Path) -> None:
    write(tmp_path / "a b%20+é.parquet", [(None, "x", NOON)])
    assert judge(spark, tmp_path)[0]["file"] == str(tmp_path / "a b%20+é.parquet")


@pytest.mark.parametrize("rows", [0, 1])
def test_no_row_and_one_row(spark: SparkSession, tmp_path: Path, rows: int) -> None:
    schema = pa.schema([("id", pa.string()), ("text", pa.string()), ("time", pa.timestamp("us", "UTC"))])
    pq.write_table(schema.empty_table(), tmp_path / "0.parquet")
    if rows:
        write(tmp_path / "1.parquet", [("a", "x", NOON)])
    assert len(judge(spark, tmp_path)) == rows


def test_a_flipped_byte_is_noticed_and_the_file_named(spark: SparkSession, tmp_path: Path) -> None:
    """FAULTS case 17: uncompressed data with page checksums, as Spark writes them; without the check it reads as other text."""
    rows = [(f"id-{i}", f"a text that is long enough to be found {i}", NOON) for i in range(50)]
    frame = spark.createDataFrame(rows, "id string, text string, time timestamp")
    options = {"compression": "none", "parquet.enable.dictionary": "false"}
    frame.coalesce(1).write.options(**options).parquet(str(tmp_path / "corpus"))
    (bad,) = (tmp_path / "corpus").glob("*.parquet")
    data = bytearray(bad.read_bytes())
    data[data.index(b"long enough to be found 7")] ^= 1
    bad.write_bytes(data)
    for checksum in (tmp_path / "corpus").glob(".*.crc"):
        checksum.unlink()
    with pytest.raises(Exception, match="FAILED_READ_FILE") as caught:
        judge(spark, tmp_path / "corpus")
    error = explain(caught.value)
    assert isinstance(error, DataError)
    assert str(error).startswith(f"{bad}: cannot be read: corrupt data or checksum mismatch")
