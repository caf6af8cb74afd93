"""Topics over three weeks of nights, as users run them: refits keep the ids, reruns of old nights keep their models."""

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import QUICK

from pipeline.read_tables import open_duckdb

ROOT = Path(__file__).parents[2]
FIRST = dt.date(2026, 10, 5)
THEMES = {
    "parcel": ("The {} parcel came late with the courier", "Where is my {} parcel, the courier lost the delivery"),
    "battery": ("The {} battery is empty after an hour of charging", "Charging the {} battery takes all night"),
    "invoice": ("The {} invoice has the wrong tax amount", "Please correct the tax on my {} invoice"),
    "garden": ("The {} tomato plants in the garden need water", "Roses and {} tomato seeds for the garden"),
}
WORDS = "red blue green small large old new first second last cheap heavy light round square".split()
WEEKS = (("parcel", "battery", "invoice"), ("parcel", "battery", "invoice", "garden"), ("parcel", "battery", "garden"))
pytestmark = [pytest.mark.patterns, pytest.mark.timeout(1800)]


def corpus(folder: Path) -> None:
    """Three weeks of nights; the garden comes up in the second one, invoices fall silent in the third."""
    folder.mkdir()
    for n in range(18):
        day = FIRST + dt.timedelta(days=n)
        said = [
            (s.format(f"{w} {WORDS[(i + n) % 15]}"), t)
            for t in WEEKS[n // 7]
            for s in THEMES[t]
            for i, w in enumerate(WORDS)
        ]
        noon = dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC)
        times = pa.array([noon] * len(said))
        ids = [f"{theme}-{day}-{i}" for i, (_, theme) in enumerate(said)]
        columns = {"id": ids, "text": [text for text, _ in said], "time": times, "lang": ["en"] * len(said)}
        pq.write_table(pa.table(columns), folder / f"{day}.parquet")


IN_TURN = "import json, runpy, sys; job = runpy.run_path(sys.argv[1]); print([job['main'](a) for a in json.loads(sys.argv[2])])"


def nightly(root: Path, *runs: tuple[int, int]) -> None:
    """Run the job several times in one process, each from one night to another."""
    config = {
        "input": {"path": str(root.parent / "corpus"), "columns": {"lang": "lang"}},
        "model": {
            "embedding": "static-en",
            "sentiment": "sentiment-en-static",
            "device": "cpu",
            "runtime": "torch",
            "precision": "float32",
        },
        "topics": {"history_nights": 5, "min_topics": 2, "seed": 7},
        "output": {"root": str(root)},
        "patterns": {"enabled": False},
        "spark": {k: v for k, v in QUICK.items() if "Options" not in k} | {"spark.master": "local[1]"},
    }
    path = root.parent / "config.yaml"
    path.write_text(json.dumps(config))
    days = [[str(FIRST + dt.timedelta(days=n)) for n in run] for run in runs]
    arguments = [["--config", str(path), "--from", a, "--to", b] for a, b in days]
    command = [sys.executable, "-c", IN_TURN, str(ROOT / "jobs/nightly.py"), json.dumps(arguments)]
    environment = {**os.environ, "SPARK_SUBMIT_OPTS": QUICK["spark.driver.extraJavaOptions"]}
    done = subprocess.run(command, capture_output=True, text=True, timeout=1500, env=environment)
    assert done.stdout.strip().endswith(str([0] * len(runs))), done.stderr[-4000:]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nights 0 to 2; nights 9 to 11, the first of them a week after the first fit's last night; nights 16 and 17, a week on."""
    folder = tmp_path_factory.mktemp("topics")
    corpus(folder / "corpus")
    nightly(folder / "out", (0, 2), (9, 11), (16, 17))
    return folder / "out"


def rows(db: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return db.execute(query).fetchall()


def counts(db: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """Documents by topic and the theme they were made of."""
    return rows(
        db,
        "SELECT topic_id, split_part(doc_id, '-', 1), count(*) FROM doc_scores WHERE topic_id IS NOT NULL GROUP BY ALL",
    )


def themes_of(db: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """The theme that most of a topic's documents have."""
    found: dict[int, tuple[int, str]] = {}
    for topic, theme, n in counts(db):
        found[topic] = max(found.get(topic, (0, "")), (n, theme))
    return {topic: theme for topic, (_, theme) in found.items()}


def test_refits_keep_ids_and_tell_what_became_of_them(root: Path) -> None:
    with open_duckdb(root) as db:
        keys = rows(db, "SELECT run_date, topic_model_key FROM runs ORDER BY 1")
        assert len({k for _, k in keys[:3]}) == len({k for _, k in keys[3:6]}) == len({k for _, k in keys[6:]}) == 1
        assert len({k for _, k in keys}) == 3
        assert rows(db, "SELECT run_date, revision FROM models WHERE task = 'topics' ORDER BY 1") == keys
        themes = themes_of(db)
        assert set(themes.values()) == set(THEMES)
        pure = rows(db, "SELECT count(*) FROM doc_scores WHERE topic_id IS NOT NULL")[0][0]
        same = sum(n for topic, theme, n in counts(db) if themes[topic] == theme)
        assert same >= 0.97 * pure, "an id means the same on all nights"
        events = rows(db, "SELECT run_date, event, from_topic_ids, to_topic_ids FROM topic_lineage ORDER BY ALL")
        nights = [FIRST + dt.timedelta(days=n) for n in (0, 9, 16)]
        assert {d for d, *_ in events} == set(nights)
        born = {topic for d, e, _, to in events for topic in to if e == "born" and d == nights[1]}
        assert "garden" in {themes[topic] for topic in born}
        silent = {topic for d, e, ended, _ in events for topic in ended if e == "dormant" and d == nights[2]}
        assert {topic for topic in silent if themes[topic] == "invoice"}
        first = rows(db, "SELECT topic_id, min(first_seen), max(first_seen) FROM topics GROUP BY 1")
        assert all(a == b and (a >= nights[1] if themes[t] == "garden" else a in nights) for t, a, b in first)
        last = rows(
            db,
            f"SELECT topic_id, status, last_seen, n_docs FROM topics WHERE run_date = '{FIRST + dt.timedelta(days=17)}'",
        )
        invoices = [(status, n) for topic, status, _, n in last if themes[topic] == "invoice"]
        assert set(invoices) == {("dormant", 0)}
        assert max(seen for topic, _, seen, _ in last if themes[topic] == "invoice") == FIRST + dt.timedelta(days=11)
        share = rows(db, "SELECT avg(CAST(is_other AS DOUBLE)) FROM doc_scores")
        assert 0 < share[0][0] < 0.2


def test_an_old_night_run_again_has_the_topics_it_had(root: Path) -> None:
    # between published nights new ones appear, so only the last night a topic was seen may change
    compared = {
        "doc_scores": "run_date, doc_id, topic_id, topic_distance, is_other",
        "topics": "* EXCLUDE (run_id, created_at, last_seen)",
        "topic_lineage": "* EXCLUDE (run_id, created_at)",
    }

    def kept(db: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
        nights = ", ".join(f"DATE '{day}'" for day in published)
        where = f"WHERE run_date IN ({nights}) ORDER BY ALL"
        return {table: rows(db, f"SELECT {columns} FROM {table} {where}") for table, columns in compared.items()}

    with open_duckdb(root) as db:
        published = [day for (day,) in rows(db, "SELECT run_date FROM runs ORDER BY 1")]
        before = kept(db)
    models = {p: p.read_bytes() for p in root.glob("_models/topics/*/*/*")}
    nightly(root, (2, 2), (10, 16), (1, 1))
    with open_duckdb(root) as db:
        assert len(rows(db, "SELECT run_date FROM runs")) == len(published) + 4
        after = kept(db)
    assert {p: p.read_bytes() for p in root.glob("_models/topics/*/*/*")} == models
    for table, found in after.items():
        assert found == before[table], table
