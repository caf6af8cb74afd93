"""Publishing a run's nights: stage the tables, audit them, then let readers see them; see `docs/publishing.md`."""

import logging
from collections.abc import Sequence
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from pipeline import schemas
from pipeline.audit import TableAudit, audit
from pipeline.catalog import create_tables, drop_partitions, point_partitions, verify_partitions
from pipeline.errors import PublishError
from pipeline.failpoints import failpoint
from pipeline.manifest import Manifest, append_log, write_manifest
from pipeline.staging import read_staged, stage_table
from pipeline.views import create_views

__all__ = ["TableAudit", "audit", "publish", "read_staged", "stage_table"]

logger = logging.getLogger(__name__)


def publish(
    spark: SparkSession, root: Path, catalog: str, run_id: str, audits: Sequence[TableAudit], action: str = "publish"
) -> None:
    """Make audited nights the ones that readers see, `runs` last; then append the run to the publish log.

    In the Spark catalog every night of a table changes at once, table after table. For readers of the log (DuckDB, pandas) all
    tables and nights of the run change at once. A kill at any point leaves whole nights; running again repairs the rest.

    Raises:
        PublishError: the catalog refused, or shows something else afterwards.
    """
    failpoint("after_audit")
    manifest = _manifest(catalog, run_id, audits)
    write_manifest(root, manifest)
    failpoint("after_manifest")
    show(spark, root, manifest, action)


def show(spark: SparkSession, root: Path, manifest: Manifest, action: str = "publish") -> None:
    """Make the nights of a manifest, whose files are there, the ones that readers see; see `publish`.

    Of tables that the manifest does not know, made by a later version, the nights are taken out.

    Raises:
        PublishError: the catalog refused, or shows something else afterwards.
    """
    catalog = manifest.catalog
    tables = [table for table in schemas.TABLES if table.name in manifest.columns]
    # of a run of an older version; a night that is published has all tables
    others = [t for t in schemas.TABLES if t.name not in manifest.columns] if action == "rollback" else []
    nights = {t.name: [n for n in manifest.nights if n.table == t.name] for t in tables}
    step = "creating the tables"
    try:
        create_tables(spark, root, catalog, tables)
        step = "creating the views"
        create_views(spark, catalog, tables)
        for k, table in enumerate(tables, start=1):
            step = f"{catalog}.{table.name} ({k} of {len(tables)})"
            point_partitions(spark, root, catalog, table, nights[table.name])
            failpoint(f"after_flip_{k}")
        step = "taking out tables the run does not have"
        drop_partitions(spark, catalog, others, manifest.dates)
        for table in tables:
            step = f"reading back {catalog}.{table.name}"
            verify_partitions(spark, root, catalog, table, nights[table.name])
    except (PySparkException, Py4JError) as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise PublishError(
            f"publishing stopped at {step}: {reason}. Every night of every table is whole; run again"
        ) from error
    failpoint("before_log")
    try:
        append_log(root, manifest.run_id, manifest.dates, action)
    except OSError as error:
        raise PublishError(
            f"{root}/_log: cannot be written: {error}; Spark's readers see the run, others do not; run again"
        ) from error
    failpoint("after_log")


def _manifest(catalog: str, run_id: str, audits: Sequence[TableAudit]) -> Manifest:
    dates = tuple(sorted({a.run_date for a in audits}))
    names = {a.table for a in audits}
    columns = {t.name: tuple(c.name for c in t.all_columns) for t in schemas.TABLES if t.name in names}
    if len(audits) != len(dates) * len(columns) or len({(a.table, a.run_date) for a in audits}) != len(audits):
        raise PublishError(f"{run_id}: the audit does not cover every table of every night; nothing was published")
    return Manifest(run_id, catalog, dates, columns, tuple(audits))
