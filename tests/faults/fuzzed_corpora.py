"""Random corpora: schemas, types, encodings, sizes and texts as they come, some damaged. A seed gives the same one always."""

import datetime as dt
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

DAYS = tuple(dt.date(2026, 10, 5) + dt.timedelta(days=n) for n in range(3))
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SCALE = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_TEXTS = (
    "plain words", "", " ", "\t\n", "\u200b\ufeff", "e\u0301 \u00e9", "\u202egnp.exe", "\u0000nul\u0000", "👩‍👩‍👧‍👦 ok",
    "مرحبا بالعالم", "数据很好。", "'; DROP TABLE runs; --", "<script>alert(1)</script>", "=1+1", "a" * 30_000,
    "\U0010ffff\ue000",
    "ignore all rules", "line\u2028separator", "ﷺ" * 50, "Z\u0351\u036b\u0343a\u0320lgo", "\ud7ff\ue000", "0",
    "null", "NaN",
)  # fmt: skip
_BYTES = (b"\xff\xfe", b"\xed\xa0\x80", b"ok \xc3", b"\xf0\x9f\x98", b"\xc0\xaf", b"good", b"\x00")


@dataclass
class Corpus:
    """A folder of files, the columns' names, and what must come of it: rows of the nights,
    or None where files are damaged."""

    folder: Path
    columns: dict[str, str]
    expected: int | None = 0
    notes: list[str] = field(default_factory=list)


def make(folder: Path, seed: int) -> Corpus:
    """Write the corpus of a seed."""
    r = random.Random(seed)
    names = r.choice(
        (("id", "text", "time"), ("Id", "te xt", "t.ime"), ("编号", "正文", "时间"), ("select", "from", "`where`"))
    )
    columns = dict(zip(("id", "text", "time"), names, strict=True))
    for role in ("source", "group", "lang"):
        if r.random() < 0.5:
            columns[role] = role
    corpus = Corpus(folder, columns)
    is_text = r.random() < 0.8
    for k in range(r.choice((1, 1, 2, 3))):
        path = folder / r.choice(
            (f"{k}.parquet", f"sub {k}/part+{k}%20.parquet", f"día-{k}.parquet", f"run_date=x/{k}.parquet")
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, r, corpus, is_text)
        _damage(path, r, corpus)
    return corpus


def _write(path: Path, r: random.Random, corpus: Corpus, is_text: bool) -> None:
    n = r.choice((0, 1, 2, 7, 40, 400))
    arrays: dict[str, pa.Array] = {}
    times = _times(r, n)
    for role, name in corpus.columns.items():
        if r.random() < 0.01:
            corpus.notes.append(f"no {role}")
            corpus.expected = None
            continue
        arrays[name] = times if role == "time" else _ids(r, n, is_text) if role == "id" else _texts(r, n)
    if r.random() < 0.3:
        arrays["extra"] = pa.array([[{"a": 1}]] * n, pa.list_(pa.struct([("a", pa.int32())])))
    if r.random() < 0.03:
        arrays[corpus.columns["text"].upper() + "x"] = pa.nulls(n)
    if corpus.expected is not None:
        corpus.expected += _in_nights(times)
    table = pa.table(dict(r.sample(list(arrays.items()), len(arrays))))
    int96 = r.random() < 0.1
    pq.write_table(
        table, path,
        compression=r.choice(("NONE", "SNAPPY", "GZIP", "ZSTD", "LZ4")),
        use_dictionary=r.random() < 0.5,
        row_group_size=r.choice((1, 50, 10_000)) if n < 100 else 1_000,
        write_statistics=r.random() < 0.7,
        data_page_version=r.choice(("1.0", "2.0")),
        store_schema=r.random() < 0.8,
        use_deprecated_int96_timestamps=int96,
        write_page_checksum=r.random() < 0.5,
    )  # fmt: skip
    if int96 or not _is_time(times.type):
        corpus.notes.append(f"time {times.type}{' int96' if int96 else ''}")


def _ids(r: random.Random, n: int, is_text: bool) -> pa.Array:
    kind = r.choice(("string", "large", "dictionary", "binary")) if is_text else r.choice(("int64", "int8"))
    if r.random() < 0.04:
        kind = r.choice(
            ("string", "int64", "uint64", "double", "null")
        )  # refused, or another type than the file before
    if kind == "null":
        return pa.nulls(n)
    if kind in ("int64", "uint64", "double"):
        return pa.array(
            [r.choice((i, i // 2, None)) for i in range(n)], getattr(pa, {"double": "float64"}.get(kind, kind))()
        )
    if kind == "int8":
        return pa.array([i % 120 for i in range(n)], pa.int8())
    texts = [
        r.choice((f"doc-{i}", f"doc-{i // 2}", "", None, "\u200b", "ключ")) if r.random() < 0.2 else f"doc-{i}"
        for i in range(n)
    ]
    return _as_text(texts, kind, r)


def _texts(r: random.Random, n: int) -> pa.Array:
    kind = r.choice(("string", "string", "string", "large", "binary", "dictionary", "view", "int64", "null"))
    if kind == "null" and r.random() < 0.9:
        kind = "string"
    if kind == "null":
        return pa.nulls(n)
    if kind == "int64":
        return pa.array(range(n), pa.int64()) if r.random() < 0.1 else _as_text(["words"] * n, "string", r)
    return _as_text([_text(r) for _ in range(n)], kind, r)


def _text(r: random.Random) -> str | None:
    draw = r.random()
    if draw < 0.05:
        return None
    if draw < 0.4:
        return r.choice(_TEXTS)
    if draw < 0.7:
        return " ".join(r.choice(("good", "bad", "router", "the", "很", "muy")) for _ in range(r.randrange(60)))
    return "".join(chr(_code_point(r)) for _ in range(r.randrange(80)))


def _code_point(r: random.Random) -> int:
    point = r.choice((r.randrange(0x80), r.randrange(0x3000), r.randrange(0x10000), r.randrange(0x110000)))
    return point if not 0xD800 <= point <= 0xDFFF else 0x41


def _as_text(texts: list[str | None], kind: str, r: random.Random) -> pa.Array:
    types = {"large": pa.large_string(), "view": pa.string_view(), "dictionary": pa.dictionary(pa.int32(), pa.string())}
    if kind == "binary":
        raw = [None if t is None else r.choice(_BYTES) if r.random() < 0.2 else t.encode() for t in texts]
        return pa.array(raw, pa.binary())
    if (
        kind == "string" and r.random() < 0.3
    ):  # a string column whose bytes are not UTF-8, as careless writers make them
        raw = [None if t is None else r.choice(_BYTES) if r.random() < 0.1 else t.encode() for t in texts]
        return pa.Array.from_buffers(pa.string(), len(raw), pa.array(raw, pa.binary()).buffers())
    if kind == "dictionary":
        return pa.array(texts, pa.string()).dictionary_encode()
    return pa.array(texts, types.get(kind, pa.string()))


def _times(r: random.Random, n: int) -> pa.Array:
    kind = r.choice(("s", "ms", "us", "us", "us", "ns", "date32", "date64", "string"))
    zone = r.choice((None, "UTC", "Asia/Tokyo"))
    base = dt.datetime(2026, 10, 5, tzinfo=dt.UTC)
    moments = [
        base + dt.timedelta(seconds=r.randrange(-90_000, 4 * 86_400)) if r.random() > 0.05 else None for _ in range(n)
    ]
    if kind == "string":
        return (
            pa.array([str(m) for m in moments])
            if r.random() < 0.2
            else pa.array(_numbers(moments, "us"), pa.timestamp("us", zone))
        )
    if kind.startswith("date"):
        return pa.array([m.date() if m else None for m in moments], getattr(pa, kind)())
    odd = (None, 0, -(10**9), 253402300799, -62135596800) if kind != "ns" else (None, 0, -(10**9))
    numbers = _numbers(moments, kind)
    for i in range(n):
        if r.random() < 0.03:
            far = r.choice(odd)
            numbers[i] = None if far is None else far * _SCALE[kind]
    return pa.array(numbers, pa.timestamp(kind, zone))


def _numbers(moments: list[dt.datetime | None], unit: str) -> list[int | None]:
    return [None if m is None else int((m - _EPOCH).total_seconds()) * _SCALE[unit] for m in moments]


def _is_time(dtype: pa.DataType) -> bool:
    return pa.types.is_timestamp(dtype) or pa.types.is_date(dtype)


def _in_nights(times: pa.Array) -> int:
    """Count the rows of the nights; one without a time belongs to the night of its file's earliest, or to the first."""
    if not _is_time(times.type):
        return 0
    unit = times.type.unit if pa.types.is_timestamp(times.type) else None
    raw = times.cast(pa.int64()) if unit else times.cast(pa.date32()).cast(pa.int32())
    days = [None if v is None else v // _SCALE[unit] // 86_400 if unit else v for v in raw.to_pylist()]
    first, last = ((day - _EPOCH.date()).days for day in (DAYS[0], DAYS[-1]))
    known = [d for d in days if d is not None]
    timeless = min(known) if known else first
    return sum(first <= d <= last for d in (timeless if d is None else d for d in days))


def _damage(path: Path, r: random.Random, corpus: Corpus) -> None:
    """Damage one file in twenty: cut off, emptied, overwritten, or a byte of its data flipped."""
    if r.random() > 0.05:
        return
    data = bytearray(path.read_bytes())
    how: Any = r.choice(("truncate", "empty", "garbage", "flip"))
    if how == "truncate":
        data = data[: r.randrange(1, len(data))]
    elif how == "empty":
        data = bytearray()
    elif how == "garbage":
        data = bytearray(r.randbytes(500))
    else:
        data[r.randrange(4, max(5, len(data) // 2))] ^= 0x10
    path.write_bytes(bytes(data))
    corpus.expected = None
    corpus.notes.append(how)
