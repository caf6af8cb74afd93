"""Collecting garbage: folders that no reader can come to need. What a partition shows, or may soon be rolled back to, is kept."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from pyspark.sql import SparkSession

from pipeline import schemas
from pipeline.failpoints import failpoint
from pipeline.iceberg.settings import IcebergConfig
from pipeline.iceberg.target import check_target
from pipeline.manifest import read_log
from pipeline.operations.compaction import model_keys
from pipeline.operations.superseded import superseded
from pipeline.publishers import SparkCatalog
from pipeline.store_base import tree_bytes


@dataclass(frozen=True)
class Retention:
    """What is kept: the `keep` runs of a night that readers saw last, and whatever a reader could see within `grace`."""

    keep: int = 2
    grace: timedelta = timedelta(days=7)


@dataclass(frozen=True)
class Garbage:
    """A folder or file that may go: what it is, path below the output root, bytes, and since when nothing shows it.

    Of a `snapshot` the path is `<table>/<snapshot id>` in the Iceberg catalog; of `metadata` it is absolute.
    """

    kind: str
    path: str
    bytes: int
    since: datetime


def find_garbage(
    spark: SparkSession,
    root: Path,
    catalog: str,
    retention: Retention,
    now: datetime | None = None,
    iceberg: IcebergConfig | None = None,
) -> list[Garbage]:
    """List what may go, oldest first.

    Args:
        now: the time from which `retention.grace` counts back; by default that of the clock.

    Raises:
        PublishError: the log or a catalog cannot be read; then nothing is garbage.
    """
    check_target(root, iceberg)
    before = (now or datetime.now(UTC)) - retention.grace
    log = list(read_log(root))
    shown = SparkCatalog(spark, root, catalog).shown(schemas.TABLES)
    old: list[Garbage] = []
    if iceberg is not None:
        from pipeline.iceberg.snapshots import old_snapshots
        from pipeline.iceberg.tables import IcebergTables

        snapshots = old_snapshots(IcebergTables(root, iceberg), schemas.TABLES, before)
        shown |= snapshots.kept_folders
        old = [Garbage("snapshot", f"{table}/{i}", 0, since) for table, i, since in snapshots.expiring]
        old += [Garbage("metadata", str(path), path.stat().st_size, since) for path, since in snapshots.metadata]
    found = [*_nights(root, _history(log), shown, retention), *_staging(root), *_store(root), *old]
    return sorted((g for g in found if g.since < before), key=lambda g: (g.since, g.path))


def delete(root: Path, garbage: Sequence[Garbage], iceberg: IcebergConfig | None = None) -> None:
    """Remove what `find_garbage` listed, snapshots first. Killed on the way, the rest is garbage still."""
    snapshots = [item for item in garbage if item.kind == "snapshot"]
    if iceberg is not None and snapshots:
        _expire(root, iceberg, snapshots)
    for position, item in enumerate(item for item in garbage if item.kind != "snapshot"):
        path = root / item.path
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        if path.parent.name.startswith("run_date=") and not any(path.parent.iterdir()):
            path.parent.rmdir()
        if position == 0:
            failpoint("after_purge")


def _expire(root: Path, iceberg: IcebergConfig, snapshots: Sequence[Garbage]) -> None:
    from pipeline.iceberg.snapshots import expire
    from pipeline.iceberg.tables import IcebergTables

    place = IcebergTables(root, iceberg)
    by_table: dict[str, set[int]] = {}
    for item in snapshots:
        table, _, snapshot_id = item.path.partition("/")
        by_table.setdefault(table, set()).add(int(snapshot_id))
    for table, ids in by_table.items():
        expire(place, table, ids)


def _history(log: Sequence[dict[str, object]]) -> dict[date, list[tuple[str, datetime]]]:
    """Return per night its runs in the order readers saw them, each with the time from which it was shown."""
    nights: dict[date, list[tuple[str, datetime]]] = {}
    for record in log:
        at = datetime.fromisoformat(str(record["at"]))
        for day in record["dates"]:  # type: ignore[attr-defined]  # JSON of our own
            nights.setdefault(date.fromisoformat(day), []).append((str(record["run_id"]), at))
    return nights


def _nights(
    root: Path, history: dict[date, list[tuple[str, datetime]]], shown: set[str], retention: Retention
) -> Iterator[Garbage]:
    """Yield the folders of runs that a night does not show, all tables of a run's night or none."""
    folders: dict[tuple[date, str], list[Path]] = {}
    for path in (root / "_data").glob("*/run_date=*/run_id=*"):
        night = date.fromisoformat(path.parent.name.removeprefix("run_date="))
        folders.setdefault((night, path.name.removeprefix("run_id=")), []).append(path)
    for (night, run_id), paths in folders.items():
        seen = history.get(night, [])
        latest = list(dict.fromkeys(run for run, _ in reversed(seen)))
        if run_id in latest[: max(1, retention.keep)] or any(str(p.relative_to(root)) in shown for p in paths):
            continue
        ended = [until for (run, _), (_, until) in pairwise(seen) if run == run_id]
        since = max(ended, default=None) or max(_newest(p) for p in paths)
        kind = "run" if ended else "orphan"
        yield from (Garbage(kind, str(p.relative_to(root)), tree_bytes(p), since) for p in sorted(paths))


def _staging(root: Path) -> Iterator[Garbage]:
    for path in sorted((root / "_data").glob("*/_staging/*")):
        yield Garbage("staging", str(path.relative_to(root)), tree_bytes(path), _newest(path))


def _store(root: Path) -> Iterator[Garbage]:
    for key in model_keys(root):
        for path, since in superseded(root / "_store" / key):
            size = tree_bytes(path) if path.is_dir() else path.stat().st_size
            yield Garbage("store", str(path.relative_to(root)), size, since)


def _newest(folder: Path) -> datetime:
    """Return when a folder was last written to."""
    times = [folder.stat().st_mtime, *(e.stat().st_mtime for e in os.scandir(folder))]
    return datetime.fromtimestamp(max(times), UTC)
