"""Publishing a run's nights: stage the tables, audit them, then let readers see them; see `docs/publishing.md`."""

import logging
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import SparkSession

from pipeline import schemas
from pipeline.audit import TableAudit, audit
from pipeline.errors import PublishError
from pipeline.failpoints import failpoint
from pipeline.iceberg.settings import IcebergConfig
from pipeline.manifest import Manifest, append_log, write_manifest
from pipeline.publishers import Publisher, publishers
from pipeline.staging import read_staged, stage_table

__all__ = ["TableAudit", "audit", "publish", "read_staged", "stage_table"]

logger = logging.getLogger(__name__)


def publish(
    spark: SparkSession,
    root: Path,
    catalog: str,
    run_id: str,
    audits: Sequence[TableAudit],
    action: str = "publish",
    iceberg: IcebergConfig | None = None,
) -> None:
    """Make audited nights the ones that readers see, `runs` last; then append the run to the publish log.

    In the Spark catalog every night of a table changes at once, table after table; then the same in Iceberg, where `iceberg` is
    given. For readers of the log (DuckDB, pandas) all tables and nights of the run change at once. A kill at any point leaves
    whole nights; running again repairs the rest.

    Raises:
        PublishError: a catalog refused, or shows something else afterwards.
    """
    failpoint("after_audit")
    manifest = _manifest(catalog, run_id, audits)
    write_manifest(root, manifest)
    failpoint("after_manifest")
    show(spark, root, manifest, action, iceberg)


def show(
    spark: SparkSession,
    root: Path,
    manifest: Manifest,
    action: str = "publish",
    iceberg: IcebergConfig | None = None,
) -> None:
    """Make the nights of a manifest, whose files are there, the ones that readers see; see `publish`.

    Of tables that the manifest does not know, made by a later version, the nights are taken out.

    Raises:
        PublishError: a catalog refused, or shows something else afterwards.
    """
    for place in publishers(spark, root, manifest.catalog, iceberg):
        _show_in(place, manifest, action)
    failpoint("before_log")
    try:
        append_log(root, manifest.run_id, manifest.dates, action)
    except OSError as error:
        raise PublishError(
            f"{root}/_log: cannot be written: {error}; readers of the catalogs see the run, others do not; run again"
        ) from error
    failpoint("after_log")


def _show_in(place: Publisher, manifest: Manifest, action: str) -> None:
    """Point one place at a manifest's nights, table after table, and read them back."""
    tables = [table for table in schemas.TABLES if table.name in manifest.columns]
    # of a run of an older version; a night that is published has all tables
    others = [t for t in schemas.TABLES if t.name not in manifest.columns] if action == "rollback" else []
    nights = {t.name: [n for n in manifest.nights if n.table == t.name] for t in tables}
    place.prepare(tables)
    for k, table in enumerate(tables, start=1):
        place.point(table, nights[table.name])
        failpoint(f"{place.failpoint}_{k}")
    place.drop(others, manifest.dates)
    for table in tables:
        place.verify(table, nights[table.name])


def _manifest(catalog: str, run_id: str, audits: Sequence[TableAudit]) -> Manifest:
    dates = tuple(sorted({a.run_date for a in audits}))
    names = {a.table for a in audits}
    columns = {t.name: tuple(c.name for c in t.all_columns) for t in schemas.TABLES if t.name in names}
    if len(audits) != len(dates) * len(columns) or len({(a.table, a.run_date) for a in audits}) != len(audits):
        raise PublishError(f"{run_id}: the audit does not cover every table of every night; nothing was published")
    return Manifest(run_id, catalog, dates, columns, tuple(audits))
