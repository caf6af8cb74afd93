"""Documents forgotten on real nights: nothing of them is left, and the rest is what a corpus without them would have given."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from example_head import save_example_head
from forget_kills import SAMPLE, STEPS
from small_nights import IN_TURN

from pipeline.config import load_config
from pipeline.manifest import published_runs, read_manifest
from pipeline.read_tables import open_duckdb
from pipeline.sample import planted

pytestmark = [pytest.mark.faults, pytest.mark.timeout(2_400)]
ROOT = Path(__file__).parents[2]
NIGHTS = planted.DAYS[2:4]
TAKEN_OVER = {"quality_checks", "run_stages", "models"}
"""They say how the night was scored at first."""


def succeeded(line: list[Any]) -> str:
    done = subprocess.run(line, capture_output=True, text=True, timeout=1_800, env=os.environ)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def nightly(corpus: Path, root: Path, times: int = 1) -> None:
    """Run the night's job, several times in one process."""
    line = ["--config", str(SAMPLE), "--from", str(NIGHTS[0]), "--to", str(NIGHTS[-1])]
    heads = f"model.heads={{subject: {corpus.parent / 'head'}}}"
    line += ["--set", f"input.path={corpus}", f"output.root={root}", heads]
    out = succeeded([sys.executable, "-c", IN_TURN, ROOT / "jobs/nightly.py", json.dumps([line] * times)])
    assert out.splitlines()[-1] == str([0] * times)


def content(root: Path) -> dict[str, str]:
    """The content hash of every published table-day."""
    shown = published_runs(root)
    nights = [n for run in set(shown.values()) for n in read_manifest(root, run).nights if shown[n.run_date] == run]
    return {f"{n.table} {n.run_date}": n.content_hash for n in nights if n.table not in TAKEN_OVER}


class Corpora:
    """The sample corpus of two nights, its output root with two runs of each, and the documents to be forgotten.

    `expected` is the content that a rerun over the corpus without those documents publishes, under the same topic model.
    """

    def __init__(self, folder: Path) -> None:
        succeeded([sys.executable, ROOT / "jobs/make_sample.py", "--out", folder])
        self.corpus, self.root = folder / "corpus", folder / "root"
        save_example_head(folder / "head", encoder=load_config(SAMPLE).model.embedding)
        for path in self.corpus.iterdir():
            if not any(str(day) in path.name for day in NIGHTS):
                path.unlink()
        nightly(self.corpus, self.root, times=2)  # so that there is an older run, which holds the documents as well
        with open_duckdb(self.root) as db:
            query = (
                "SELECT min(doc_id), arg_min(content_key, doc_id) FROM doc_scores WHERE run_date = ? AND is_canonical "
                "AND error_code IS NULL AND lang = 'en' AND content_key IN (SELECT content_key FROM doc_scores GROUP BY {})"
            )
            twice, once = "run_date, content_key HAVING count(*) > 1", "content_key HAVING count(*) = 1"
            shared, self.shared_key = db.execute(query.format(twice), [NIGHTS[0]]).fetchone() or ("", "")
            alone, self.lone_key = db.execute(query.format(once), [NIGHTS[1]]).fetchone() or ("", "")
            labelled = db.execute("SELECT doc_id FROM doc_labels WHERE doc_id IN (?, ?)", [shared, alone]).fetchall()
        assert shared
        assert alone
        assert len(labelled) == 2
        self.ids = (shared, alone)
        rerun = self.copy("rerun")
        with self.without_them():
            nightly(self.corpus, rerun)
        self.expected = content(rerun)

    @contextmanager
    def without_them(self) -> Iterator[None]:
        """While the block runs the corpus lacks the documents; it has the same path, which `rejects` names."""
        whole = self.corpus.rename(self.corpus.with_name("whole"))
        shutil.copytree(whole, self.corpus)
        for path in self.corpus.glob("*.parquet"):
            table = pq.read_table(path)
            kept = pc.invert(pc.is_in(table.column("message_id"), value_set=pc.cast(list(self.ids), "string")))
            pq.write_table(table.filter(kept), path)
        yield
        shutil.rmtree(self.corpus)
        whole.rename(self.corpus)

    def copy(self, name: str) -> Path:
        """A root of one's own. The catalog names paths, so it is made anew by publishing once more."""
        target = self.root.with_name(name)
        shutil.copytree(self.root, target, ignore=shutil.ignore_patterns("_catalog", "_tables"))
        return target

    def forget(self, root: Path, corpus: Path, *more: str) -> str:
        ids = [part for doc_id in self.ids for part in ("--id", doc_id)]
        settings = ["--set", f"input.path={corpus}", f"output.root={root}"]
        return succeeded(
            [sys.executable, ROOT / "jobs/tables.py", "forget", "--config", SAMPLE, *ids, *more, *settings]
        )


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Corpora:
    return Corpora(tmp_path_factory.mktemp("forget"))


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


def test_what_is_left_is_what_a_corpus_without_them_gives(corpora: Corpora) -> None:
    root = corpora.copy("forgotten")
    out = corpora.forget(root, corpora.corpus)
    assert "forgot 2 documents" in out
    assert "the corpus still holds 2 of them" in out
    assert_forgotten(corpora, root)
    assert {k: v for k, v in content(root).items() if corpora.expected[k] != v} == {}
    (path,) = root.glob("_receipts/*.json")
    receipt = json.loads(path.read_text())
    assert receipt["status"] == "done"
    assert sum(receipt["store"].values()) == 1
    rows = [(n["rows_before"] - n["rows_after"]) for n in receipt["nights"] if n["table"] == "doc_scores"]
    assert rows == [1, 1]


def test_without_the_corpus_nothing_of_them_is_left_either(corpora: Corpora) -> None:
    root = corpora.copy("textless")
    corpora.forget(root, corpora.corpus / "gone", "--without-texts")
    assert_forgotten(corpora, root)
    same = {k.split()[0] for k, v in content(root).items() if corpora.expected[k] == v}
    assert {"doc_embeddings", "rejects", "sentiment_daily", "topics_daily", "runs"} <= same


def test_killed_at_any_step_a_repetition_forgets_the_rest(corpora: Corpora) -> None:
    root = corpora.copy("killed")
    script = Path(__file__).with_name("forget_kills.py")
    out = succeeded([sys.executable, script, root, corpora.corpus, *corpora.ids])
    found = json.loads(out.splitlines()[-1])
    assert found == {step: {"signal": signal.SIGKILL, "runs": [1, 1]} for step in STEPS}
    assert_forgotten(corpora, root)
    assert {k: v for k, v in content(root).items() if corpora.expected[k] != v} == {}
