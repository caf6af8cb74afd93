"""Forgetting documents: out of every table, the score store and all older runs, with a receipt. The steps are in `forget`.

Killed on the way, the same call does the rest: it finds what is still there.
"""

import logging
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline import schemas
from pipeline.audit import audit
from pipeline.config import NightlyConfig
from pipeline.documents import CONTENT_KEY, DOC_ID, RUN_DATE
from pipeline.failpoints import failpoint
from pipeline.history import read_history
from pipeline.iceberg.settings import IcebergConfig
from pipeline.manifest import new_run_id, published_runs, read_manifest
from pipeline.operations.compaction import compact, model_keys
from pipeline.operations.corpus_rows import rows_of, texts_of
from pipeline.operations.forgotten import Subject, Traces, find_traces
from pipeline.operations.receipts import Receipt, open_receipt, write_receipt
from pipeline.operations.rederive import Rederived, stage_rederived
from pipeline.operations.superseded import purge_superseded
from pipeline.patterns.settled import settled
from pipeline.preflight import Corpus, inspect_corpus
from pipeline.publish import publish, show
from pipeline.publishers import publishers
from pipeline.schemas import DOC_SCORES
from pipeline.store_base import tree_bytes

logger = logging.getLogger(__name__)


def forget(
    spark: SparkSession, root: Path, config: NightlyConfig, subject: Subject, *, with_texts: bool = True
) -> tuple[Path, Receipt]:
    """Remove documents from everything under an output root; return the receipt and where it lies.

    1. Nights whose published tables hold one are made anew from what remains and published as new runs.
    2. Their texts' keys leave the score stores, unless another published document has the same text.
    3. Folders of older or unpublished runs that hold one are removed, at once, whoever reads them, after the Iceberg snapshots
       that list their files.

    Args:
        with_texts: False where the corpus is not to be had; see `pipeline.operations.rederive.Rederived.texts`.

    Raises:
        DataError: the corpus lacks texts of documents that remain.
        PublishError: publishing failed; run again.
    """
    corpus = inspect_corpus(config.input) if with_texts else None
    path, receipt = open_receipt(root, subject)
    traces = find_traces(spark, root, subject)
    receipt.documents = max(receipt.documents, traces.documents.select(RUN_DATE, DOC_ID).distinct().count())
    receipt.texts = with_texts
    write_receipt(path, receipt)
    for source, dates in _affected(root, traces):
        _make_anew(spark, root, config, subject, traces, corpus, source, dates, receipt)
        write_receipt(path, receipt)
    failpoint("after_forget_publish")
    _forget_scores(spark, root, config, subject, traces, corpus, receipt)
    write_receipt(path, receipt)
    failpoint("after_forget_store")
    _purge(spark, root, config, traces, receipt)
    failpoint("before_receipt")
    receipt.status, receipt.ended_at = "done", datetime.now(UTC).isoformat(timespec="seconds")
    write_receipt(path, receipt)
    return path, receipt


def _affected(root: Path, traces: Traces) -> Iterator[tuple[str, list[date]]]:
    """Yield the published runs that hold a document, with the nights that show them, the earliest first."""
    shown = published_runs(root)
    by_run: dict[str, list[date]] = {}
    for night, run_id in sorted(traces.nights):
        if shown.get(night) == run_id:
            by_run.setdefault(run_id, []).append(night)
    yield from sorted(by_run.items(), key=lambda item: item[1])


def _make_anew(
    spark: SparkSession,
    root: Path,
    config: NightlyConfig,
    subject: Subject,
    traces: Traces,
    corpus: Corpus | None,
    source: str,
    dates: list[date],
    receipt: Receipt,
) -> None:
    """Make one run's nights anew without the documents, and publish them."""
    started_at = datetime.now(UTC)
    run_id = new_run_id(started_at)
    of_run = traces.documents.where((F.col("run_id") == source) & F.col(RUN_DATE).isin(dates))
    forgotten = settled(of_run.where(F.col("table") == DOC_SCORES.name).select(RUN_DATE, DOC_ID).distinct())
    texts = None
    if corpus is not None:
        published = read_history(spark, root, DOC_SCORES, dates)
        remaining = published.join(forgotten, [RUN_DATE, DOC_ID], "left_anti")
        texts = texts_of(spark, config.input, corpus, dates, remaining)
    run = Rederived(root, run_id, source, dates, started_at, config, subject, forgotten, texts)
    stage_rederived(spark, run)
    audits = [entry for table in schemas.TABLES for entry in audit(spark, table, root, run_id, dates)]
    publish(spark, root, config.output.catalog, run_id, audits, "forget", config.output.iceberg)
    receipt.add_nights(read_manifest(root, source).cut(dates), read_manifest(root, run_id))
    logger.info(f"forget    {source}: {len(dates)} night(s) made anew as {run_id}")


def _forget_scores(
    spark: SparkSession,
    root: Path,
    config: NightlyConfig,
    subject: Subject,
    traces: Traces,
    corpus: Corpus | None,
    receipt: Receipt,
) -> None:
    """Take the keys of texts that no published document has any more out of every score store, files and all."""
    keys = traces.documents.select(CONTENT_KEY)
    if corpus is not None:
        in_corpus = settled(rows_of(spark, config.input, corpus, subject))
        receipt.in_corpus = in_corpus.count()
        keys = keys.unionByName(in_corpus.select(CONTENT_KEY))
    gone = settled(_unused(spark, root, keys.where(F.col(CONTENT_KEY).isNotNull()).distinct()))
    if gone.isEmpty():
        return
    for model_key in model_keys(root):
        done = compact(spark, root, model_key, without=gone)
        receipt.store[model_key] = receipt.store.get(model_key, 0) + done.rows_before - done.rows
        purge_superseded(root / "_store" / model_key)


def _unused(spark: SparkSession, root: Path, keys: DataFrame) -> DataFrame:
    """Return the keys that no published document has."""
    published = read_history(spark, root, DOC_SCORES, list(published_runs(root)))
    return keys.join(published.select(CONTENT_KEY), CONTENT_KEY, "left_anti")


def _purge(spark: SparkSession, root: Path, config: NightlyConfig, traces: Traces, receipt: Receipt) -> None:
    """Remove the folders of runs that are not shown and hold a document, and what killed runs have left of those nights."""
    shown = published_runs(root)
    nights = {night for night, _ in traces.nights}
    going = sorted(
        (night, run_id)
        for night, run_id in _run_folders(root, nights)
        if shown.get(night) != run_id and ((night, run_id) in traces.nights or not _has_documents(root, night, run_id))
    )
    _let_go(spark, root, config, going)
    if config.output.iceberg is not None and going:
        n_expired = _expire(root, config.output.iceberg, going)
        receipt.purged["snapshots"] = receipt.purged.get("snapshots", 0) + n_expired
    folders = sorted((root / "_data").glob("*/_staging/*")) if traces.nights else []
    for night, run in going:
        # the documents last: a repetition finds the rest by them
        of_run = (root / "_data").glob(f"*/run_date={night}/run_id={run}")
        folders += sorted(of_run, key=lambda p: (p.parts[-3] in (DOC_SCORES.name, schemas.REJECTS.name), p))
    for position, folder in enumerate(folders):
        receipt.purged["folders"] = receipt.purged.get("folders", 0) + 1
        receipt.purged["bytes"] = receipt.purged.get("bytes", 0) + tree_bytes(folder)
        shutil.rmtree(folder)
        if position == 0:
            failpoint("after_purge")


def _let_go(spark: SparkSession, root: Path, config: NightlyConfig, going: Sequence[tuple[date, str]]) -> None:
    """Point the catalogs away from folders that go, where a run was killed while it was publishing."""
    output, shown = config.output, published_runs(root)
    places = publishers(spark, root, output.catalog, output.iceberg)
    pointed = {path for place in places for path in place.shown(schemas.TABLES)}
    for night, run_id in going:
        if any(path.endswith(f"/run_date={night}/run_id={run_id}") for path in pointed):
            if night in shown:
                show(spark, root, read_manifest(root, shown[night]).cut([night]), iceberg=output.iceberg)
            else:
                for place in places:
                    place.drop(schemas.TABLES, [night])


def _expire(root: Path, iceberg: IcebergConfig, going: Sequence[tuple[date, str]]) -> int:
    """Take out the Iceberg snapshots that read folders that go."""
    from pipeline.iceberg.snapshots import expire_readers
    from pipeline.iceberg.tables import IcebergTables

    folders = [f"/run_date={night}/run_id={run_id}" for night, run_id in going]
    return expire_readers(IcebergTables(root, iceberg), schemas.TABLES, folders)


def _run_folders(root: Path, nights: set[date]) -> set[tuple[date, str]]:
    return {
        (night, path.name.removeprefix("run_id="))
        for night in nights
        for path in (root / "_data").glob(f"*/run_date={night}/run_id=*")
    }


def _has_documents(root: Path, night: date, run_id: str) -> bool:
    return (root / "_data" / DOC_SCORES.name / f"run_date={night}" / f"run_id={run_id}").is_dir()
