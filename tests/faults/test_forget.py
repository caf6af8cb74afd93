"""Documents forgotten on real nights: nothing of them is left, and the rest is what a corpus without them would have given."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipeline.manifest import published_runs, read_manifest
from pipeline.read_tables import open_duckdb
from pipeline.sample import planted

pytestmark = [pytest.mark.faults, pytest.mark.timeout(2_400)]
ROOT = Path(__file__).parents[2]
NIGHTS = planted.DAYS[2:4]
STEPS = ("after_stage", "after_flip_3", "after_forget_publish", "after_store_purge", "after_purge", "before_receipt")
TAKEN_OVER = {"quality_checks", "run_stages", "models"}
"""They say how the night was scored at first."""


def job(name: str, corpus: Path, root: Path, *arguments: str, failpoint: str = "") -> subprocess.CompletedProcess[str]:
    script, *command = name.split()
    line = [
        sys.executable, ROOT / "jobs" / script, *command, "--config", ROOT / "conf/jobs/sample.yaml", *arguments,
        "--set", f"input.path={corpus}", f"output.root={root}",
    ]  # fmt: skip
    environment = os.environ | ({"NIGHTJAR_FAILPOINT": failpoint} if failpoint else {})
    return subprocess.run(line, capture_output=True, text=True, timeout=1_200, cwd=corpus.parent, env=environment)


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def nightly(corpus: Path, root: Path) -> None:
    succeeded(job("nightly.py", corpus, root, "--from", str(NIGHTS[0]), "--to", str(NIGHTS[-1])))


def content(root: Path) -> dict[str, str]:
    """The content hash of every published table-day."""
    shown = published_runs(root)
    nights = [n for run in set(shown.values()) for n in read_manifest(root, run).nights if shown[n.run_date] == run]
    return {f"{n.table} {n.run_date}": n.content_hash for n in nights if n.table not in TAKEN_OVER}


class Corpora:
    """The sample corpus of two nights, the same without some documents, and the output root of the first."""

    def __init__(self, folder: Path) -> None:
        succeeded(
            subprocess.run(
                [sys.executable, ROOT / "jobs/make_sample.py", "--out", folder], capture_output=True, text=True
            )
        )
        self.all, self.less, self.root = folder / "corpus", folder / "less", folder / "root"
        for path in self.all.iterdir():
            if not any(str(day) in path.name for day in NIGHTS):
                path.unlink()
        nightly(self.all, self.root)
        nightly(self.all, self.root)  # so that there is an older run, which holds them as well
        with open_duckdb(self.root) as db:
            query = (
                "SELECT min(doc_id), arg_min(content_key, doc_id) FROM doc_scores WHERE run_date = ? AND is_canonical "
                "AND error_code IS NULL AND content_key IN (SELECT content_key FROM doc_scores GROUP BY {})"
            )
            twice, once = "run_date, content_key HAVING count(*) > 1", "content_key HAVING count(*) = 1"
            shared, self.shared_key = db.execute(query.format(twice), [NIGHTS[0]]).fetchone() or ("", "")
            alone, self.lone_key = db.execute(query.format(once), [NIGHTS[1]]).fetchone() or ("", "")
        assert shared
        assert alone
        self.ids = (shared, alone)
        shutil.copytree(self.all, self.less)
        for path in self.less.glob("*.parquet"):
            table = pq.read_table(path)
            kept = pc.invert(pc.is_in(table.column("message_id"), value_set=pc.cast(list(self.ids), "string")))
            pq.write_table(table.filter(kept), path)

    def copy(self, name: str) -> Path:
        """A root of one's own. The catalog names paths, so it is made anew by publishing once more."""
        target = self.root.with_name(name)
        shutil.copytree(self.root, target, ignore=shutil.ignore_patterns("_catalog", "_tables"))
        return target


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Corpora:
    return Corpora(tmp_path_factory.mktemp("forget"))


@pytest.fixture(scope="module")
def expected(corpora: Corpora) -> dict[str, str]:
    """What a rerun over the corpus without the documents publishes, under the same topic model."""
    target = corpora.copy("rerun")
    nightly(corpora.less, target)
    return content(target)


def arguments(corpora: Corpora) -> list[str]:
    return [part for doc_id in corpora.ids for part in ("--id", doc_id)]


def strings(value: Any) -> set[str]:
    """Every string in a value, however deep."""
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        return {s for v in value.values() for s in strings(v)}
    return {s for v in value for s in strings(v)} if isinstance(value, list) else set()


def assert_forgotten(corpora: Corpora, root: Path) -> None:
    """Look through every file under a root, whichever run wrote it."""
    for path in root.glob("_data/**/*.parquet"):
        table = pq.ParquetFile(path).read()
        found = {s for name in table.column_names for s in strings(table.column(name).to_pylist())} & set(corpora.ids)
        assert not found, path
    stored = [
        pq.ParquetFile(p).read(columns=["content_key"]).column(0).to_pylist() for p in root.glob("_store/**/*.parquet")
    ]
    keys = {key for column in stored for key in column}
    assert corpora.lone_key not in keys
    assert corpora.shared_key in keys, "another document has the same text"
    texts = [p for p in root.rglob("*.json") if any(doc_id in p.read_text() for doc_id in corpora.ids)]
    assert not texts


def test_what_is_left_is_what_a_corpus_without_them_gives(corpora: Corpora, expected: dict[str, str]) -> None:
    root = corpora.copy("forgotten")
    out = succeeded(job("tables.py forget", corpora.all, root, *arguments(corpora)))
    assert "forgot 2 documents" in out
    assert "the corpus still holds 2 of them" in out
    assert_forgotten(corpora, root)
    now = content(root)
    assert {k: v for k, v in now.items() if expected[k] != v} == {}
    receipt = json.loads(next(iter(root.glob("_receipts/*.json"))).read_text())
    assert receipt["status"] == "done"
    assert sum(receipt["store"].values()) == 1
    rows = [(n["rows_before"] - n["rows_after"]) for n in receipt["nights"] if n["table"] == "doc_scores"]
    assert rows == [1, 1]


def test_without_the_corpus_nothing_of_them_is_left_either(corpora: Corpora, expected: dict[str, str]) -> None:
    root = corpora.copy("textless")
    succeeded(job("tables.py forget", corpora.all / "gone", root, *arguments(corpora), "--without-texts"))
    assert_forgotten(corpora, root)
    now = content(root)
    same = {k.split()[0] for k, v in now.items() if expected[k] == v}
    assert {"doc_embeddings", "rejects", "sentiment_daily", "topics_daily", "runs"} <= same


def test_killed_at_any_step_a_repetition_forgets_the_rest(corpora: Corpora, expected: dict[str, str]) -> None:
    root = corpora.copy("killed")
    for failpoint in STEPS:
        done = job("tables.py forget", corpora.all, root, *arguments(corpora), failpoint=failpoint)
        assert done.returncode == -signal.SIGKILL, (failpoint, done.stderr[-2000:])
        with open_duckdb(root) as db:
            runs = db.execute(
                "SELECT run_date, count(DISTINCT run_id) FROM doc_scores GROUP BY 1 ORDER BY 1"
            ).fetchall()
        assert runs == [(day, 1) for day in NIGHTS]
    succeeded(job("tables.py forget", corpora.all, root, *arguments(corpora)))
    assert_forgotten(corpora, root)
    assert {k: v for k, v in content(root).items() if expected[k] != v} == {}
