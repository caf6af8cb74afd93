"""The corpus' files are judged before anything starts: FAULTS cases 15 to 23 and 53."""

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config import InputConfig
from pipeline.errors import ConfigError, DataError
from pipeline.preflight import check_writable, inspect_corpus, recheck_corpus

NOON = dt.datetime(2026, 10, 5, 12, tzinfo=dt.UTC)


def write(path: Path, **columns: Any) -> Path:
    data = {"id": ["a"], "text": ["hello"], "time": pa.array([NOON], pa.timestamp("us", "UTC")), **columns}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({k: v for k, v in data.items() if v is not None}), path)
    return path


def config(path: Path, **more: Any) -> InputConfig:
    return InputConfig(path=str(path), **more)


def failure(path: Path, **more: Any) -> str:
    with pytest.raises(DataError) as caught:
        inspect_corpus(config(path, **more))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_lists_visible_parquet_files_of_all_folders(tmp_path: Path) -> None:
    write(tmp_path / "b" / "2.parquet")
    write(tmp_path / "1.parquet")
    write(tmp_path / "_hidden" / "3.parquet")
    write(tmp_path / ".4.parquet")
    corpus = inspect_corpus(config(tmp_path))
    assert [Path(f.path).name for f in corpus.files] == ["1.parquet", "2.parquet"]
    assert corpus.rows == 2


def test_missing_path_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path}/nowhere: no such file" in failure(tmp_path / "nowhere")


def test_folder_without_parquet_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path}: holds no file" in failure(tmp_path)


def test_truncated_file_is_named(tmp_path: Path) -> None:
    write(tmp_path / "good.parquet")
    bad = write(tmp_path / "bad.parquet")
    bad.write_bytes(bad.read_bytes()[:-40])
    assert f"{bad}: is not a readable Parquet file" in failure(tmp_path)


def test_zero_byte_file_is_named(tmp_path: Path) -> None:
    write(tmp_path / "good.parquet")
    (tmp_path / "empty.parquet").touch()
    assert f"{tmp_path}/empty.parquet: is empty (0 bytes)" in failure(tmp_path)


def test_quarantine_leaves_corrupt_files_out_and_lists_them(tmp_path: Path) -> None:
    write(tmp_path / "good.parquet")
    bad = write(tmp_path / "bad.parquet")
    bad.write_bytes(bad.read_bytes()[:-40])
    (tmp_path / "empty.parquet").touch()
    corpus = inspect_corpus(config(tmp_path, on_corrupt="quarantine_file"))
    assert [Path(f.path).name for f in corpus.files] == ["good.parquet"]
    assert {(Path(p).name, n) for p, n, _ in corpus.quarantined} == {
        ("bad.parquet", bad.stat().st_size),
        ("empty.parquet", 0),
    }
    assert sum(w.startswith("left out: ") for w in corpus.warnings) == 2


def test_foreign_file_fails_or_is_counted(tmp_path: Path) -> None:
    write(tmp_path / "good.parquet")
    (tmp_path / "notes.txt").write_text("x")
    assert f"{tmp_path}/notes.txt: does not end with .parquet (1 such file(s))" in failure(tmp_path)
    corpus = inspect_corpus(config(tmp_path, other_files="ignore"))
    assert corpus.warnings == ("1 file(s) ignored that do not end with .parquet",)


def test_extra_column_is_a_warning(tmp_path: Path) -> None:
    write(tmp_path / "1.parquet")
    write(tmp_path / "2.parquet", rating=[5])
    assert inspect_corpus(config(tmp_path)).warnings == ("columns not configured and not read: rating (1 of 2 files)",)


def test_text_of_another_type_is_named_with_both_types(tmp_path: Path) -> None:
    write(tmp_path / "1.parquet")
    bad = write(tmp_path / "2.parquet", text=[7])
    assert f"{bad}: column text is int64, not a string" in failure(tmp_path)


def test_id_that_changes_its_type_names_both_files(tmp_path: Path) -> None:
    first = write(tmp_path / "1.parquet")
    bad = write(tmp_path / "2.parquet", id=[7])
    assert f"{bad}: column id is int, but string in {first}" in failure(tmp_path)


@pytest.mark.parametrize("column", ["id", "text", "time"])
def test_missing_required_column_is_named(tmp_path: Path, column: str) -> None:
    write(tmp_path / "1.parquet")
    bad = write(tmp_path / "2.parquet", **{column: None})
    assert f"{bad}: has no column {column} (input.columns.{column})" in failure(tmp_path)


def test_columns_that_differ_in_case_are_refused(tmp_path: Path) -> None:
    bad = write(tmp_path / "1.parquet", ID=["b"])
    assert f"{bad}: columns id and ID differ only in case" in failure(tmp_path)


def test_time_as_text_is_refused(tmp_path: Path) -> None:
    bad = write(tmp_path / "1.parquet", time=["2026-10-05"])
    assert f"{bad}: column time is string, not a timestamp or date" in failure(tmp_path)


def test_time_kinds_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path / "1.parquet")
    write(tmp_path / "2.parquet", time=pa.array([NOON], pa.timestamp("ns")))
    write(tmp_path / "3.parquet", time=[NOON.date()])
    pq.write_table(
        pa.table({"id": ["a"], "text": ["b"], "time": pa.array([NOON], pa.timestamp("ns"))}),
        tmp_path / "4.parquet",
        use_deprecated_int96_timestamps=True,
    )
    kinds = [dict(f.kinds)["time"] for f in inspect_corpus(config(tmp_path)).files]
    assert kinds == ["timestamp", "timestamp_ns", "date", "timestamp"]


def test_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside" / "x.parquet")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "x.parquet").symlink_to(outside)
    assert "is a link that leads out of" in failure(tmp_path / "corpus")
    (tmp_path / "corpus" / "x.parquet").unlink()
    (tmp_path / "corpus" / "sub").symlink_to(tmp_path / "outside")
    assert "is a link to a folder" in failure(tmp_path / "corpus")


def test_pattern_characters_in_names_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a[1].parquet")
    assert "as a pattern; rename it" in failure(tmp_path)


def test_change_during_the_run_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "1.parquet")
    corpus = inspect_corpus(config(tmp_path))
    recheck_corpus(corpus)
    os.utime(path, ns=(0, 0))
    with pytest.raises(DataError, match=r"1\.parquet: changed during the run"):
        recheck_corpus(corpus)
    path.unlink()
    with pytest.raises(DataError, match=r"1\.parquet: disappeared during the run"):
        recheck_corpus(corpus)


def test_a_file_without_any_time_is_refused(tmp_path: Path) -> None:
    bad = write(tmp_path / "1.parquet", time=pa.array([None], pa.timestamp("us", "UTC")))
    assert f"{bad}: no row has a time (column time" in failure(tmp_path)


def test_the_footer_says_which_nights_a_file_can_hold(tmp_path: Path) -> None:
    late = dt.datetime(2026, 10, 6, 1, tzinfo=dt.timezone(dt.timedelta(hours=2)))  # 23:00 UTC on the 5th
    write(tmp_path / "1.parquet")
    write(tmp_path / "2.parquet", time=pa.array([late], pa.timestamp("us", "Asia/Tokyo")))
    write(
        tmp_path / "3.parquet", id=["a", "b"], text=["x", "y"], time=pa.array([NOON, None], pa.timestamp("us", "UTC"))
    )
    write(tmp_path / "4.parquet", time=[NOON.date()])
    files = inspect_corpus(config(tmp_path)).files
    day = NOON.date()
    assert [f.days for f in files] == [(day, day), (day, day), None, (day, day)]
    assert [f.may_hold(day, day) for f in files] == [True] * 4
    assert [f.may_hold(dt.date(2026, 10, 6), dt.date(2026, 10, 9)) for f in files] == [False, False, True, False]


def test_unsigned_64_bit_ids_are_refused(tmp_path: Path) -> None:
    bad = write(tmp_path / "1.parquet", id=pa.array([2**63], pa.uint64()))
    assert f"{bad}: column id is uint64, not a string or an integer" in failure(tmp_path)


def test_large_and_view_strings_are_strings(tmp_path: Path) -> None:
    write(tmp_path / "1.parquet", text=pa.array(["x"], pa.large_string()))
    write(tmp_path / "2.parquet", text=pa.array([b"x"], pa.large_binary()))
    assert len(inspect_corpus(config(tmp_path)).files) == 2


def test_an_output_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match=r"output\.root: .*file/out cannot be written to"):
        check_writable(tmp_path / "file" / "out")
