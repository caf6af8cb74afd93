"""Iceberg tables without Spark: one snapshot per publication, none in vain, nothing of a text in it; old ones and their end."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from parquet_runs import write_run
from pydantic import ValidationError
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table as IcebergTable
from pyiceberg.table.snapshots import Operation
from pyspark.sql import types as T
from tiny_nights import DAYS

from pipeline import schemas
from pipeline.config import load_config
from pipeline.errors import ConfigError, PublishError
from pipeline.iceberg import tables as module
from pipeline.iceberg.files import types_by_name
from pipeline.iceberg.settings import IcebergConfig
from pipeline.iceberg.snapshots import expire_readers, old_snapshots
from pipeline.iceberg.tables import IcebergTables
from pipeline.iceberg.target import check_reachable, check_target, local_properties
from pipeline.manifest import Manifest, append_log
from pipeline.operations.runs import publish_to_iceberg
from pipeline.run_schemas import RUNS
from pipeline.schemas import TOPICS
from pipeline.table import Table

CONFIG = IcebergConfig()
TABLES = (TOPICS, RUNS)
EARLIER = datetime.now(UTC) - timedelta(days=1)
LATER = datetime.now(UTC) + timedelta(days=1)


def published(root: Path, run_id: str, counts: dict, tables: Sequence[Table] = TABLES) -> Manifest:  # type: ignore[type-arg]
    manifest = write_run(root, run_id, counts, tables)
    place = IcebergTables(root, CONFIG)
    place.prepare(tables)
    for table in tables:
        place.point(table, [n for n in manifest.nights if n.table == table.name])
    return manifest


def loaded(root: Path, table: Table = TOPICS) -> IcebergTable:
    return IcebergTables(root, CONFIG).load(table.name)


def test_a_publication_is_one_snapshot_and_a_second_one_none(tmp_path: Path) -> None:
    published(tmp_path, "r1", {DAYS[0]: 4, DAYS[1]: 3})
    manifest = published(tmp_path, "r2", {DAYS[0]: 5, DAYS[2]: 0})
    place = IcebergTables(tmp_path, CONFIG)
    place.prepare(TABLES)
    place.point(TOPICS, [n for n in manifest.nights if n.table == "topics"])
    snapshots = loaded(tmp_path).snapshots()
    assert len(snapshots) == 2
    summary = snapshots[-1].summary
    assert summary is not None
    assert summary.operation is Operation.OVERWRITE
    assert summary["nightjar.run_id"] == "r2"
    hashes = {str(n.run_date): n.content_hash for n in manifest.nights if n.table == "topics"}
    assert json.loads(str(summary["nightjar.content_hash"])) == hashes
    assert (summary["added-data-files"], summary["deleted-data-files"], summary["total-records"]) == ("2", "2", "8")
    old = loaded(tmp_path).scan(snapshot_id=snapshots[0].snapshot_id).to_arrow()
    assert set(old["run_id"].to_pylist()) == {"r1"}, "time travel"


def test_manifests_hold_no_values_of_rows(tmp_path: Path) -> None:
    published(tmp_path, "r1", {DAYS[0]: 4})
    metadata = tmp_path / "_iceberg" / "nightjar" / "topics" / "metadata"
    files = loaded(tmp_path).inspect.files()
    assert files["record_count"].to_pylist() == [2, 2]
    assert not any(files["lower_bounds"].to_pylist() + files["upper_bounds"].to_pylist())
    found = [p for p in metadata.iterdir() if "数据".encode() in p.read_bytes()]
    assert found == []


def test_a_conflict_is_met_with_a_new_look_and_a_bounded_number_of_attempts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(tmp_path, "r1", {DAYS[0]: 4})
    other = write_run(tmp_path, "r2", {DAYS[1]: 3}, TABLES)
    mine = write_run(tmp_path, "r3", {DAYS[0]: 6, DAYS[1]: 2}, TABLES)
    theirs = IcebergTables(tmp_path, CONFIG)
    seen: list[str] = []

    def overtake(name: str) -> None:
        """Another writer commits between our look at the table and our commit; catalog and commits are real."""
        seen.append(name)
        if len(seen) == 1:
            theirs.point(TOPICS, [n for n in other.nights if n.table == "topics"])

    monkeypatch.setattr(module, "failpoint", overtake)
    IcebergTables(tmp_path, CONFIG).point(TOPICS, [n for n in mine.nights if n.table == "topics"])
    assert seen == ["before_iceberg_commit"] * 3, "ours, theirs, ours again"
    rows = loaded(tmp_path).scan().to_arrow()
    assert rows["run_id"].to_pylist() == ["r3"] * 8

    def always(name: str) -> None:
        raise CommitFailedException("somebody else")

    monkeypatch.setattr(module, "failpoint", always)
    monkeypatch.setattr(module, "ATTEMPTS", 3)
    with pytest.raises(
        PublishError, match=r"stopped at Iceberg catalog nightjar: topics: CommitFailed.*whole; run again"
    ):
        theirs.point(TOPICS, [n for n in other.nights if n.table == "topics"])
    assert loaded(tmp_path).scan().to_arrow()["run_id"].to_pylist() == ["r3"] * 8


def test_old_snapshots_go_with_their_metadata_and_the_others_keep_their_folders(tmp_path: Path) -> None:
    first = published(tmp_path, "r1", {DAYS[0]: 4}, (TOPICS,))
    second = published(tmp_path, "r2", {DAYS[0]: 5, DAYS[1]: 2}, (TOPICS,))
    published(tmp_path, "r3", {DAYS[0]: 6}, (TOPICS,))
    place = IcebergTables(tmp_path, CONFIG)
    folders = {n.location for m in (first, second) for n in m.nights}
    everything = old_snapshots(place, TABLES, EARLIER)
    assert folders < everything.kept_folders
    assert (everything.expiring, everything.metadata) == ([], [])

    old = old_snapshots(place, TABLES, LATER)
    assert [table for table, _, _ in old.expiring] == ["topics", "topics"]
    assert old.kept_folders == {
        f"_data/topics/run_date={DAYS[0]}/run_id=r3",
        f"_data/topics/run_date={DAYS[1]}/run_id=r2",
    }
    assert expire_readers(place, TABLES, [f"/run_date={DAYS[0]}/run_id=r1"]) == 1, "the one that lists it"
    with pytest.raises(PublishError, match=r"topics: main .*still reads rows that are to be removed"):
        expire_readers(place, TABLES, [f"/run_date={DAYS[0]}/run_id=r3"])
    left = old_snapshots(place, TABLES, EARLIER).metadata
    assert [p.name.split("-")[0] for p, _ in left if p.name.startswith("snap-")] == ["snap"], (
        "the list of the one that went"
    )
    for path, _ in left:
        path.unlink()
    table = loaded(tmp_path)
    assert sorted(set(table.scan().to_arrow()["run_id"].to_pylist())) == ["r2", "r3"]
    (second_snapshot,) = [i for _, i, _ in old_snapshots(place, TABLES, LATER).expiring]
    assert table.scan(snapshot_id=second_snapshot).to_arrow().num_rows == 7
    table.manage_snapshots().create_tag(second_snapshot, "audit").commit()
    assert old_snapshots(place, TABLES, LATER).expiring == [], "a tag keeps its snapshot"


def test_every_published_night_gets_into_iceberg_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "TABLES", TABLES)
    for run_id, counts in (("r1", {DAYS[0]: 4, DAYS[1]: 3}), ("r2", {DAYS[1]: 0})):
        append_log(tmp_path, run_id, write_run(tmp_path, run_id, counts, TABLES).dates)
    published(tmp_path, "killed-before-the-log", {DAYS[2]: 5})
    assert publish_to_iceberg(tmp_path, CONFIG) == list(DAYS[:2])
    assert loaded(tmp_path).scan().to_arrow()["run_id"].to_pylist() == ["r1"] * 4
    assert sorted(loaded(tmp_path, RUNS).scan().to_arrow()["run_id"].to_pylist()) == ["r1", "r2"]


def test_tables_of_others_and_a_target_that_moved_are_refused(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    published(one, "r1", {DAYS[0]: 2})
    shared = IcebergConfig(properties=local_properties(one))
    with pytest.raises(PublishError, match=rf"nightjar\.topics belongs to {one}, not to {two}: give this root"):
        IcebergTables(two, shared).prepare(TABLES)
    with pytest.raises(PublishError, match=r"namespace 'nightjar', and output.iceberg names 'nightjar', 'other'"):
        IcebergTables(one, IcebergConfig(namespace="other")).prepare(TABLES)
    with pytest.raises(PublishError, match=r"also in Iceberg, but the configuration has no output\.iceberg"):
        check_target(one, None)
    check_target(tmp_path, None)


def test_a_catalog_that_does_not_answer_is_noticed_before_the_run(tmp_path: Path) -> None:
    away = IcebergConfig(properties={"type": "rest", "uri": "http://127.0.0.1:9"})
    with pytest.raises(
        ConfigError, match=r"output\.iceberg: the catalog 'nightjar' (cannot be opened|does not answer)"
    ):
        check_reachable(tmp_path, away)
    with pytest.raises(ConfigError, match="must not hold '#'"):
        check_reachable(tmp_path / "a#b", CONFIG)
    check_reachable(tmp_path, CONFIG)


def test_without_pyiceberg_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyiceberg", None)
    with pytest.raises(ConfigError, match=r"pip install 'nightjar-analytics\[iceberg\]'"):
        check_target(tmp_path, CONFIG)
    check_target(tmp_path, None)


def test_the_section_is_read_from_a_configuration_and_wrong_keys_are_named(tmp_path: Path) -> None:
    path = tmp_path / "night.yaml"
    path.write_text("input: {path: /in}\noutput: {root: /out, iceberg: {}}\n")
    assert load_config(path).output.iceberg == IcebergConfig()
    assert load_config(
        path, ["output.iceberg.properties={type: rest, uri: 'http://c'}"]
    ).output.iceberg == IcebergConfig(properties={"type": "rest", "uri": "http://c"})
    with pytest.raises(ConfigError) as caught:
        load_config(path, ["output.iceberg.namspace=x", "output.iceberg.properties={token: s3cr3t}"])
    assert "output.iceberg.namspace: unknown key; did you mean namespace?" in str(caught.value)
    assert "output.iceberg.properties: token holds a secret" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


def test_secrets_are_given_by_the_name_of_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for properties in ({"token": "s3cr3t"}, {"s3.secret-access-key": "x"}, {"uri": "postgresql://u:s3cr3t@db/x"}):
        with pytest.raises(ValidationError, match=r"holds a secret; name an environment variable instead"):
            IcebergConfig(properties=properties)
    config = IcebergConfig(properties={"type": "rest"}, properties_from_env={"token": "NIGHTJAR_ICEBERG_TOKEN"})
    with pytest.raises(
        ConfigError, match=r"properties_from_env\.token: the environment variable NIGHTJAR_ICEBERG_TOKEN is not"
    ):
        config.resolved({})
    assert config.resolved({"NIGHTJAR_ICEBERG_TOKEN": "t"}) == {"type": "rest", "token": "t"}
    assert "'t'" not in repr(config)


def test_every_published_table_has_a_schema_and_no_column_that_pyiceberg_misreads() -> None:
    """pyiceberg 0.12 reads a null list of structs as an empty list: no such column may be null."""
    for table in schemas.TABLES:
        found = types_by_name(module.iceberg_schema(table))
        assert list(found) == [c.name for c in table.all_columns]
        structs = [c for c in table.all_columns if isinstance(getattr(c.dtype, "elementType", None), T.StructType)]
        assert [c.name for c in structs if c.nullable] == []
