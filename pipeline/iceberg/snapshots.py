"""Old snapshots: which of them nobody needs any more, which folders and metadata the others do, and their end.

Readers of a snapshot that is no longer current (time travel, a query that began before) read folders of older runs.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

from pyiceberg.manifest import ManifestFile
from pyiceberg.table import Table as IcebergTable
from pyiceberg.table.snapshots import Snapshot

from pipeline.errors import PublishError
from pipeline.iceberg.files import path_of
from pipeline.iceberg.tables import IcebergTables
from pipeline.table import Table


@dataclass
class OldSnapshots:
    """What may go, and what may not.

    Attributes:
        expiring: (table, snapshot id, since when it is not current any more).
        kept_folders: folders, relative to the output root, that the other snapshots read.
        metadata: (file, last written) of metadata that the other snapshots do not need; only where the warehouse is a folder.
    """

    expiring: list[tuple[str, int, datetime]] = field(default_factory=list)
    kept_folders: set[str] = field(default_factory=set)
    metadata: list[tuple[Path, datetime]] = field(default_factory=list)


def old_snapshots(iceberg: IcebergTables, tables: Sequence[Table], before: datetime) -> OldSnapshots:
    """Return the snapshots that were replaced before a time, and what the others need.

    Raises:
        PublishError: the catalog or a table's metadata cannot be read; then nothing may go.
    """
    found = OldSnapshots()
    for table in tables:
        if (there := iceberg.find(table.name)) is not None:
            iceberg.tried(f"snapshots of {table.name}", partial(_look, iceberg, table.name, there, before, found))
    return found


def expire(iceberg: IcebergTables, name: str, snapshot_ids: Collection[int]) -> int:
    """Take snapshots out of a table, those that are still there; return how many. Files stay.

    Raises:
        PublishError: the catalog refused.
    """

    def once() -> int:
        there = iceberg.load(name)
        going = [s.snapshot_id for s in there.metadata.snapshots if s.snapshot_id in snapshot_ids]
        if going:
            there.maintenance.expire_snapshots().by_ids(going).commit()
        return len(going)

    return iceberg.tried(f"expiring snapshots of {name}", once)


def expire_readers(iceberg: IcebergTables, tables: Sequence[Table], folders: Collection[str]) -> int:
    """Take out every snapshot that reads one of the folders (`run_date=<date>/run_id=<run id>`); return how many.

    Raises:
        PublishError: a tag or a branch holds one, or the table shows it now.
    """
    count = 0
    for table in tables:
        there = iceberg.find(table.name)
        if there is None:
            continue
        reading = {
            s.snapshot_id
            for s in there.metadata.snapshots
            if any(f.endswith(tuple(folders)) for f in _folders(there, [s]))
        }
        held = {name: ref.snapshot_id for name, ref in there.metadata.refs.items() if ref.snapshot_id in reading}
        if held:
            raise PublishError(
                f"Iceberg table {table.name}: {', '.join(sorted(held))} (branch or tag) still reads rows that are to be "
                "removed; remove that reference, then run again"
            )
        count += expire(iceberg, table.name, reading) if reading else 0
    return count


def _look(iceberg: IcebergTables, name: str, there: IcebergTable, before: datetime, found: OldSnapshots) -> None:
    held = {ref.snapshot_id for ref in there.metadata.refs.values()}
    snapshots = sorted(there.metadata.snapshots, key=lambda s: s.timestamp_ms)
    ended = {s.snapshot_id: datetime.fromtimestamp(n.timestamp_ms / 1000, UTC) for s, n in pairwise(snapshots)}
    going = {i: at for i, at in ended.items() if i not in held and at < before}
    found.expiring += [(name, i, at) for i, at in going.items()]
    kept = [s for s in snapshots if s.snapshot_id not in going]
    found.kept_folders |= {
        str(Path(folder).relative_to(iceberg.root))
        for folder in _folders(there, kept)
        if iceberg.root in Path(folder).parents
    }
    found.metadata += _unneeded(there, kept)


def _folders(there: IcebergTable, snapshots: Iterable[Snapshot]) -> set[str]:
    """Return the folders of the files that some snapshots list."""
    manifests: dict[str, ManifestFile] = {m.manifest_path: m for s in snapshots for m in s.manifests(there.io)}
    return {
        str(path_of(entry.data_file.file_path).parent)
        for manifest in manifests.values()
        for entry in manifest.fetch_manifest_entry(there.io, discard_deleted=True)
    }


def _unneeded(there: IcebergTable, kept: Sequence[Snapshot]) -> list[tuple[Path, datetime]]:
    """Return the files in a table's metadata folder that neither the snapshots nor the table itself name."""
    folder = path_of(there.location()) / "metadata"
    if not folder.is_dir():
        return []
    metadata = there.metadata
    needed = {there.metadata_location, *(entry.metadata_file for entry in metadata.metadata_log)}
    needed |= {file.statistics_path for file in [*metadata.statistics, *metadata.partition_statistics]}
    for snapshot in kept:
        needed |= {snapshot.manifest_list, *(m.manifest_path for m in snapshot.manifests(there.io))}
    names = {path_of(location) for location in needed}
    return [(p, datetime.fromtimestamp(p.stat().st_mtime, UTC)) for p in sorted(folder.iterdir()) if p not in names]
