"""What was published, as files under the output root: one manifest per run, and the log that says which run each night shows.

`_runs/<run id>/manifest.json` lists the run's files. `_log/<sequence>.json` are small records; the one with the highest
sequence that names a night decides which run the night shows. Appending one is the moment a run becomes visible to readers
without a JVM, for all tables and nights at once. Both are written whole or not at all and never changed.
"""

import fcntl
import json
import os
import re
import secrets
import socket
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from pipeline.errors import PublishError

FORMAT = 1
ACTIONS = ("publish", "rollback", "forget")
"""What a record of the log may say was done; each makes its nights show its run."""
_SEQUENCE = re.compile(r"(\d{8})\.json")
_UNSAFE = re.compile(r"[\x00-\x1f'\"`;\\*?\[\]{}]")


def new_run_id(started_at: datetime) -> str:
    """Return the id of one attempt: sortable by start, never used twice, for example `20261005T031500Z-1a2b3c4d`."""
    return f"{started_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def check_root(root: Path) -> None:
    """Refuse an output root that Spark or SQL would read as more than a path; the folders above it count too.

    Raises:
        PublishError: naming the character.
    """
    if found := _UNSAFE.search(str(root)):
        raise PublishError(
            f"{root}: the path of the output root must not hold {found.group()!r}; move it or run from elsewhere"
        )


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there complete, and on disk, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    _write_synced(temporary, text)
    os.replace(temporary, path)
    _sync_folder(path.parent)


def write_whole_new(path: Path, text: str) -> None:
    """Write a file that must not be there yet, complete and on disk, or not at all. Of two callers one succeeds.

    Raises:
        FileExistsError: it is there; it stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        _write_synced(temporary, text)
        os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


class RunLock:
    """Keeps a second run off an output root while one is going on. The system frees it when the process ends, however it ends.

    It covers one host, and several where the shared file system passes `flock` on (NFS 4 does). Without it tables would still
    be whole, but two runs could each win some of them.
    """

    def __init__(self, root: Path, run_id: str = "", wait_sec: float = 0.0) -> None:
        """Name the root, the run as others see it, and for how long to wait where another run holds the lock."""
        self._root = root
        self._run_id = run_id
        self._wait_sec = wait_sec
        self._path = root / "_lock"
        self._descriptor: int | None = None

    def __enter__(self) -> "RunLock":
        """Take the lock, at once or within the time to wait.

        Raises:
            PublishError: another run holds it; the message says which.
        """
        check_root(self._root)
        self._root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        deadline = time.monotonic() + self._wait_sec
        while not (is_ours := _try_lock(descriptor)) and time.monotonic() < deadline:
            time.sleep(0.5)
        if not is_ours:
            holder = os.read(descriptor, 500).decode("utf-8", "replace").strip() or "a run that has just started"
            os.close(descriptor)
            raise PublishError(
                f"{self._root}: another run is going on ({holder}); wait for it or end it, then run again"
            )
        os.ftruncate(descriptor, 0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        holder = f"{f'run {self._run_id}, ' if self._run_id else ''}pid {os.getpid()} on {socket.gethostname()} since {since}"
        os.write(descriptor, f"{holder}\n".encode())
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the lock; the file stays, so that nobody can lock a file that is no longer there."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


@dataclass(frozen=True)
class Published:
    """One table of one night as a manifest holds it. `files` are relative to the output root, with their size in bytes."""

    table: str
    run_date: date
    rows: int
    content_hash: str
    location: str
    files: dict[str, int]


@dataclass(frozen=True)
class Manifest:
    """Everything a run publishes. `columns` holds the column names of each table in the run's files."""

    run_id: str
    catalog: str
    dates: tuple[date, ...]
    columns: dict[str, tuple[str, ...]]
    nights: tuple[Published, ...]

    def cut(self, days: Collection[date]) -> "Manifest":
        """Return the part about some of its nights."""
        nights = tuple(n for n in self.nights if n.run_date in days)
        return replace(self, dates=tuple(d for d in self.dates if d in days), nights=nights)

    def missing(self, root: Path) -> list[str]:
        """Return the files that are not there any more, or not with their size."""
        files = {path: size for night in self.nights for path, size in night.files.items()}
        return [path for path, size in files.items() if _size(root / path) != size]


def manifest_path(root: Path, run_id: str) -> Path:
    """Return where a run's manifest lies."""
    return root / "_runs" / run_id / "manifest.json"


def write_manifest(root: Path, manifest: Manifest) -> Path:
    """Write a run's manifest, before anything of the run is published."""
    body = {
        "format": FORMAT,
        "run_id": manifest.run_id,
        "catalog": manifest.catalog,
        "dates": [d.isoformat() for d in manifest.dates],
        "columns": manifest.columns,
        "tables": [
            {
                "table": night.table,
                "run_date": night.run_date.isoformat(),
                "rows": night.rows,
                "content_hash": night.content_hash,
                "location": night.location,
                "files": [{"path": path, "bytes": size} for path, size in night.files.items()],
            }
            for night in manifest.nights
        ],
    }
    path = manifest_path(root, manifest.run_id)
    write_whole(path, json.dumps(body, indent=1) + "\n")
    return path


def read_manifest(root: Path, run_id: str) -> Manifest:
    """Read a run's manifest.

    Raises:
        PublishError: it is missing or unreadable.
    """
    body = _read_json(manifest_path(root, run_id))
    nights = tuple(
        Published(
            t["table"],
            date.fromisoformat(t["run_date"]),
            t["rows"],
            t["content_hash"],
            t["location"],
            {f["path"]: f["bytes"] for f in t["files"]},
        )
        for t in body["tables"]
    )
    dates = tuple(date.fromisoformat(d) for d in body["dates"])
    return Manifest(run_id, body["catalog"], dates, {k: tuple(v) for k, v in body["columns"].items()}, nights)


def append_log(root: Path, run_id: str, dates: Sequence[date], action: str = "publish") -> int:
    """Make a run the one its nights show; return the record's sequence number. Two callers never get the same one."""
    folder = root / "_log"
    sequence = max(_sequences(folder), default=0) + 1
    while True:
        body = {
            "format": FORMAT,
            "seq": sequence,
            "action": action,
            "run_id": run_id,
            "dates": [d.isoformat() for d in dates],
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        try:
            write_whole_new(folder / f"{sequence:08}.json", json.dumps(body) + "\n")
        except FileExistsError:
            sequence += 1
            continue
        return sequence


def read_log(root: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of the publish log, oldest first.

    Raises:
        PublishError: a record is unreadable or of a newer version of Nightjar.
    """
    folder = root / "_log"
    for sequence in sorted(_sequences(folder)):
        path = folder / f"{sequence:08}.json"
        record = _read_json(path)
        if record.get("action") not in ACTIONS:
            raise PublishError(f"{path}: unknown action {record.get('action')!r}; a newer version of Nightjar wrote it")
        yield record


def published_runs(root: Path) -> dict[date, str]:
    """Return the run that each night shows, by date; empty where nothing was published."""
    runs: dict[date, str] = {}
    for record in read_log(root):
        runs |= {date.fromisoformat(d): record["run_id"] for d in record["dates"]}
    return dict(sorted(runs.items()))


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _sequences(folder: Path) -> list[int]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return [int(found.group(1)) for found in map(_SEQUENCE.fullmatch, names) if found]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PublishError(f"{path}: cannot be read: {error}") from None
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise PublishError(f"{path}: not of format {FORMAT}; another version of Nightjar wrote it")
    return body


def _write_synced(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
