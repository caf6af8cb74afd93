"""Checks of the corpus' files on the driver, before any session or model: paths, footers, schemas, types.

Every problem is a `DataError` of one line that names the file. Spark itself would skip a zero-byte file, turn a missing
column into nulls and only fail on a corrupt file in the middle of a stage.
"""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config import InputConfig
from pipeline.errors import ConfigError, DataError

_GLOB_CHARACTERS = frozenset("*?[]{}\\")


class CorruptFileError(DataError):
    """A file that cannot be read as Parquet at all."""


@dataclass(frozen=True)
class CorpusFile:
    """One readable Parquet file: what the footer says, and size and mtime to notice a change during the run."""

    path: str
    size_bytes: int
    mtime_ns: int
    rows: int
    kinds: tuple[tuple[str, str], ...]
    """(role, kind) for every configured column; kinds are `string`, `int`, `date`, `timestamp`, `timestamp_ns`."""
    days: tuple[date, date] | None = None
    """First and last UTC day of its times by the footer; None where it does not say, or some row has no time."""

    def may_hold(self, first: date, last: date) -> bool:
        """Return whether the file can hold rows of the nights `first` to `last`."""
        return self.rows > 0 and (self.days is None or (self.days[0] <= last and self.days[1] >= first))


@dataclass(frozen=True)
class Corpus:
    """The frozen list of input files, and what was noticed but allowed."""

    files: tuple[CorpusFile, ...]
    warnings: tuple[str, ...]
    quarantined: tuple[tuple[str, int, str], ...] = ()
    """(path, size in bytes, problem) of corrupt files left out by `input.on_corrupt: quarantine_file`."""

    @property
    def rows(self) -> int:
        """Rows in all files, whatever their date."""
        return sum(f.rows for f in self.files)

    @property
    def may_lack_times(self) -> bool:
        """Whether some row may be without a time: the footer of some file does not say that all its rows have one."""
        return any(f.rows and f.days is None for f in self.files)


def inspect_corpus(config: InputConfig) -> Corpus:
    """List and check every input file.

    Raises:
        DataError: one line naming the file: missing or unreadable path, link out of the folder, foreign, zero-byte or
            corrupt file, missing, doubled or mistyped column, one type in one file and another in the next.
    """
    root = Path(os.path.abspath(config.path))
    paths, warnings = _list_files(root, config)
    columns = config.columns.named()
    files, quarantined = [], []
    extra: dict[str, int] = {}
    for path in paths:
        try:
            file, unknown = _inspect_file(path, columns)
        except CorruptFileError as error:
            if config.on_corrupt == "fail":
                raise
            quarantined.append((str(path), path.stat().st_size, str(error)))
            continue
        files.append(file)
        for name in unknown:
            extra[name] = extra.get(name, 0) + 1
    _check_drift(files, columns)
    warnings += [f"left out: {problem}" for _, _, problem in quarantined]
    if extra:
        found = ", ".join(f"{name} ({n} of {len(files)} files)" for name, n in sorted(extra.items()))
        warnings.append(f"columns not configured and not read: {found}")
    return Corpus(tuple(files), tuple(warnings), tuple(quarantined))


def check_writable(root: Path) -> None:
    """Make the output folder and fail if the run could not write to it.

    Raises:
        ConfigError: naming the folder.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        probe = root / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigError(f"output.root: {root} cannot be written to: {error.strerror}") from None


def recheck_corpus(corpus: Corpus) -> None:
    """Fail if an input file was deleted, replaced or rewritten since `inspect_corpus`.

    Raises:
        DataError: naming the file.
    """
    for file in corpus.files:
        try:
            now = os.stat(file.path)
        except OSError:
            raise DataError(f"{file.path}: disappeared during the run; nothing was published, run again") from None
        if (now.st_size, now.st_mtime_ns) != (file.size_bytes, file.mtime_ns):
            raise DataError(f"{file.path}: changed during the run; nothing was published, run again")


def _list_files(root: Path, config: InputConfig) -> tuple[list[Path], list[str]]:
    if not root.exists():
        raise DataError(f"{root}: no such file or folder (input.path)")
    candidates = [root] if root.is_file() else sorted(_walk(root))
    paths = [p for p in candidates if p.name.endswith(config.file_suffix)]
    others = [p for p in candidates if not p.name.endswith(config.file_suffix)]
    if others and config.other_files == "fail":
        raise DataError(
            f"{others[0]}: does not end with {config.file_suffix} ({len(others)} such file(s)); "
            "remove it, or set input.other_files: ignore"
        )
    if not paths:
        raise DataError(f"{root}: holds no file that ends with {config.file_suffix} (input.path, input.file_suffix)")
    real_root = root.resolve() if root.is_dir() else root.resolve().parent
    for path in paths:
        if _GLOB_CHARACTERS & set(str(path)):
            raise DataError(f"{path}: Spark reads * ? [ ] {{ }} \\ in a name as a pattern; rename it")
        if not path.resolve().is_relative_to(real_root):
            raise DataError(f"{path}: is a link that leads out of {real_root}; copy the file into the corpus")
    warnings = [f"{len(others)} file(s) ignored that do not end with {config.file_suffix}"] if others else []
    return paths, warnings


def _walk(root: Path) -> Iterable[Path]:
    """Yield visible files below `root`, as Spark sees them: names that begin with `_` or `.` are hidden."""

    def fail(error: OSError) -> None:
        raise DataError(f"{error.filename}: cannot be listed: {error.strerror}")

    for folder, subfolders, names in os.walk(root, onerror=fail):
        for name in subfolders:
            if not name.startswith(("_", ".")) and os.path.islink(os.path.join(folder, name)):
                raise DataError(f"{os.path.join(folder, name)}: is a link to a folder; copy the files into the corpus")
        subfolders[:] = sorted(n for n in subfolders if not n.startswith(("_", ".")))
        for name in sorted(names):
            if not name.startswith(("_", ".")):
                yield Path(folder, name)


def _inspect_file(path: Path, columns: dict[str, str]) -> tuple[CorpusFile, list[str]]:
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise DataError(f"{path}: is not a regular file")
        if info.st_size == 0:
            raise CorruptFileError(f"{path}: is empty (0 bytes); it was probably cut off while being written")
        with pq.ParquetFile(path) as parquet:
            schema, rows = parquet.schema_arrow, parquet.metadata.num_rows
            leaves = [parquet.metadata.schema.column(i) for i in range(parquet.metadata.num_columns)]
            int96 = frozenset(leaf.path for leaf in leaves if leaf.physical_type == "INT96")
            times = [i for i, leaf in enumerate(leaves) if leaf.path == columns["time"]]
            days = _days(path, parquet.metadata, times[0], columns["time"]) if times else None
    except PermissionError:
        raise DataError(f"{path}: cannot be read: permission denied") from None
    except (pa.ArrowException, OSError) as error:
        raise CorruptFileError(
            f"{path}: is not a readable Parquet file: {' '.join(str(error).split())[:200]}"
        ) from None
    kinds = tuple((role, _column_kind(path, schema, int96, role, name)) for role, name in columns.items())
    unknown = [name for name in schema.names if name not in columns.values()]
    return CorpusFile(str(path), info.st_size, info.st_mtime_ns, rows, kinds, days), unknown


def _days(path: Path, footer: pq.FileMetaData, index: int, name: str) -> tuple[date, date] | None:
    """Return the first and last day of the time column by the footer's statistics.

    Raises:
        DataError: the footer says that no row has a time.
    """
    chunks = [footer.row_group(i).column(index) for i in range(footer.num_row_groups)]
    found = [chunk.statistics for chunk in chunks]
    if not found or any(s is None or not s.has_null_count for s in found):
        return None
    if footer.num_rows and sum(s.null_count for s in found) == footer.num_rows:
        raise DataError(f"{path}: no row has a time (column {name}, input.columns.time); its night cannot be told")
    if any(s.null_count or not s.has_min_max for s in found):
        return None
    try:
        ends = [_day(value) for s in found for value in (s.min, s.max)]
    except (ValueError, OverflowError, ArithmeticError):
        return None
    known = [day for day in ends if day is not None]
    return (min(known), max(known)) if len(known) == len(ends) else None


def _day(value: object) -> date | None:
    """Return the UTC day of a statistic; a time without a zone is UTC."""
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).date()
    return value if isinstance(value, date) else None


def _column_kind(path: Path, schema: pa.Schema, int96: frozenset[str], role: str, name: str) -> str:
    same = [n for n in schema.names if n.lower() == name.lower()]
    if len(same) > 1:
        raise DataError(f"{path}: columns {' and '.join(same)} differ only in case; rename one (input.columns.{role})")
    if name not in schema.names:
        present = ", ".join(schema.names[:20])
        raise DataError(f"{path}: has no column {name} (input.columns.{role}); it has {present}")
    dtype = schema.field(name).type
    if pa.types.is_dictionary(dtype):
        dtype = dtype.value_type
    kind = "timestamp" if name in int96 else _kind(dtype)
    allowed = {"time": ("timestamp", "timestamp_ns", "date"), "id": ("string", "int")}.get(role, ("string",))
    if kind not in allowed:
        wanted = {"time": "a timestamp or date", "id": "a string or an integer"}.get(role, "a string")
        raise DataError(f"{path}: column {name} is {dtype}, not {wanted} (input.columns.{role})")
    return kind


def _kind(dtype: pa.DataType) -> str:
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    if any(is_kind(dtype) for is_kind in texts) or pa.types.is_binary(dtype) or pa.types.is_large_binary(dtype):
        return "string"
    if pa.types.is_integer(dtype) and not pa.types.is_uint64(dtype):
        return "int"
    if pa.types.is_date(dtype):
        return "date"
    if pa.types.is_timestamp(dtype):
        return "timestamp_ns" if dtype.unit == "ns" else "timestamp"
    return str(dtype)


def _check_drift(files: list[CorpusFile], columns: dict[str, str]) -> None:
    """Refuse an id that is text in one file and a number in another: the same id would not look the same."""
    for file in files[1:]:
        for (role, kind), (_, expected) in zip(file.kinds, files[0].kinds, strict=True):
            if role != "time" and kind != expected:
                raise DataError(
                    f"{file.path}: column {columns[role]} is {kind}, but {expected} in {files[0].path}; "
                    "write both with the same type"
                )
