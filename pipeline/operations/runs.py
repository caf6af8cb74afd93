"""Publishing a run that was staged but not published, and flipping a night back to an earlier run."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pyspark.sql import SparkSession

from pipeline import schemas
from pipeline.audit import TableAudit, audit
from pipeline.errors import PublishError
from pipeline.iceberg.settings import IcebergConfig
from pipeline.iceberg.target import check_target
from pipeline.manifest import Manifest, manifest_path, published_runs, read_manifest
from pipeline.publish import publish, show
from pipeline.read_tables import published_manifests
from pipeline.staging import staged_folders
from pipeline.table import Table


def publish_run(
    spark: SparkSession,
    root: Path,
    catalog: str,
    run_id: str,
    tables: Sequence[Table] = schemas.TABLES,
    iceberg: IcebergConfig | None = None,
) -> list[TableAudit]:
    """Publish the nights of a run that was killed between staging its last table and the end of publishing.

    Everything is audited again. A run that is published already is published once more, which mends a catalog that differs.

    Args:
        tables: what a whole run has staged, where it has left no manifest.

    Raises:
        PublishError: no such run, not all of its tables were staged, its files are not those of its manifest, or one of its
            nights shows a newer run.
        DataError: a check failed; nothing was published.
    """
    manifest = read_manifest(root, run_id) if manifest_path(root, run_id).exists() else None
    names = set(manifest.columns) if manifest else {t.name for t in tables}
    tables = [t for t in schemas.TABLES if t.name in names]
    dates = _staged_dates(root, run_id, tables)
    newer = [
        f"{day} shows {now}"
        for day, now in published_runs(root).items()
        if day in dates and _started(now) > _started(run_id)
    ]
    if newer:
        raise PublishError(f"{run_id} is older than what is published ({newer[0]}); to go back to it use rollback")
    audits = [entry for table in tables for entry in audit(spark, table, root, run_id, dates)]
    if manifest:
        _compare(manifest, audits)
    publish(spark, root, catalog, run_id, audits, iceberg=iceberg)
    return audits


def rollback(
    spark: SparkSession, root: Path, night: date, run_id: str, iceberg: IcebergConfig | None = None
) -> Manifest:
    """Let every table show the run `run_id` on a night, as it was when that run was published; the log says so.

    Later nights are left as they are, though some of their figures compare with this one's.

    Raises:
        PublishError: the run was never published for the night, or its files are not there any more.
    """
    manifest = read_manifest(root, run_id).cut([night])
    if not manifest.nights:
        dates = ", ".join(d.isoformat() for d in read_manifest(root, run_id).dates)
        raise PublishError(f"{run_id} has no night {night}; it has {dates}")
    if missing := manifest.missing(root):
        raise PublishError(
            f"{run_id}: {len(missing)} of its files for {night} are gone (for example {missing[0]}): removed by gc or forget; "
            "run the night again instead"
        )
    show(spark, root, manifest, "rollback", iceberg)
    return manifest


def publish_to_iceberg(root: Path, iceberg: IcebergConfig) -> list[date]:
    """Let the Iceberg tables show what the publish log says, every night of it and no other; return the nights.

    For a root whose nights were published before `output.iceberg` was set, or a catalog that was lost.

    Raises:
        PublishError: the catalog refused, or a published run's files are gone.
    """
    check_target(root, iceberg)
    from pipeline.iceberg.tables import IcebergTables

    place, manifests = IcebergTables(root, iceberg), published_manifests(root)
    tables = [t for t in schemas.TABLES if any(t.name in m.columns for m in manifests)]
    if missing := [path for m in manifests for path in m.missing(root)]:
        raise PublishError(
            f"{len(missing)} published files are gone (for example {missing[0]}); run their nights again"
        )
    place.prepare(tables)
    dates = [day for m in manifests for day in m.dates]
    for table in tables:
        nights = [night for m in manifests for night in m.nights if night.table == table.name]
        place.point(table, nights)
        place.drop([table], sorted(_nights_of(place.shown([table])) - set(dates)))
        place.verify(table, nights)
    return dates


def _nights_of(folders: set[str]) -> set[date]:
    return {date.fromisoformat(Path(f).parent.name.removeprefix("run_date=")) for f in folders}


def _started(run_id: str) -> str:
    """Return the part of a run's id that says when it started."""
    return run_id.partition("-")[0]


def _staged_dates(root: Path, run_id: str, tables: Sequence[Table]) -> list[date]:
    nights = {
        t.name: [p.parent.name.removeprefix("run_date=") for p in staged_folders(root, t.name, run_id)] for t in tables
    }
    dates = max(nights.values(), key=len, default=[])
    if not dates:
        raise PublishError(f"{run_id}: nothing of this run is staged under {root}/_data; look for its id in _runs")
    short = [name for name, found in nights.items() if found != dates]
    if short:
        raise PublishError(
            f"{run_id}: was killed before all tables were staged ({len(short)} of {len(tables)} lack nights, for example "
            f"{short[0]}); run its nights again, scored texts are in the score store"
        )
    return [date.fromisoformat(text) for text in dates]


def _compare(manifest: Manifest, audits: Sequence[TableAudit]) -> None:
    wrote = {(n.table, n.run_date): (n.rows, n.content_hash, n.files) for n in manifest.nights}
    found = {(a.table, a.run_date): (a.rows, a.content_hash, a.files) for a in audits}
    for key in sorted(wrote.keys() | found.keys()):
        if wrote.get(key) != found.get(key):
            raise PublishError(
                f"{manifest.run_id}: {key[0]} of {key[1]} is not what the run's manifest says; nothing was published, "
                "run the night again"
            )
