"""The whole job on the sample corpus, as its users run it: what was planted must be found, and a rerun must change nothing."""

import datetime as dt
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import cookbook
from pipeline.read_tables import open_duckdb
from pipeline.run_schemas import CASCADE_REPORT, MODEL_BRIDGE
from pipeline.sample import planted
from pipeline.schemas import LABEL_TABLES, TABLES
from udfs.sql.cache import ResultCache
from udfs.sql.spec import CacheSpec

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(900)


def nightly(corpus: Path, root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable, ROOT / "jobs/nightly.py", "--config", ROOT / "conf/jobs/sample.yaml", *arguments,
        "--set", f"input.path={corpus}", f"output.root={root}",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=800, cwd=root.parent)


def results(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "run_results.json").read_text())
    return found


def files(root: Path) -> dict[str, str]:
    """Every published data file with its sha256."""
    return {
        str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(root.glob("_data/**/*.parquet"))
    }


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    subprocess.run([sys.executable, ROOT / "jobs/make_sample.py", "--out", folder], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def published(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All 21 nights, published by one run."""
    root = tmp_path_factory.mktemp("published") / "warehouse"
    done = nightly(sample / "corpus", root, "--from", str(planted.FIRST_DAY), "--to", str(planted.LAST_DAY))
    assert done.returncode == 0, done.stderr[-4000:]
    assert "published 21 night(s)" in done.stderr
    return root


@pytest.fixture
def db(published: Path, sample: Path) -> duckdb.DuckDBPyConnection:
    connection = open_duckdb(published)
    connection.execute(f"CREATE TEMP VIEW truth AS SELECT * FROM read_parquet('{sample}/truth.parquet')")
    return connection


def one(db: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = db.execute(query).fetchone()
    assert row is not None
    return row


def test_every_row_is_accounted_for(db: duckdb.DuckDBPyConnection, sample: Path) -> None:
    rows = db.execute(
        "SELECT run_date, rows_in, rows_scored + rows_from_cache + rows_dup + rows_unsupported + rows_error + rows_rejected, "
        "rows_dup, rows_rejected, rows_error FROM runs ORDER BY 1"
    ).fetchall()
    assert [r[0] for r in rows] == list(planted.DAYS)
    in_files = sum(pq.ParquetFile(p).metadata.num_rows for p in (sample / "corpus").glob("*.parquet"))
    assert sum(r[1] for r in rows) == in_files == planted.N_MESSAGES
    for day, rows_in, accounted, rows_dup, rows_rejected, rows_error in rows:
        assert rows_in == accounted, day
        assert (rows_dup, rows_rejected, rows_error) == (planted.duplicates(day), planted.rejected(day), 0), day


def test_rejects_hold_what_was_planted(db: duckdb.DuckDBPyConnection) -> None:
    found = db.execute("SELECT reason, run_date, count(*) FROM rejects GROUP BY ALL").fetchall()
    expected = {(reason, day, n) for reason, nights in planted.REJECTED.items() for day, n in nights.items()}
    assert set(found) == expected
    assert one(db, "SELECT count(*) FROM rejects WHERE reason = 'invalid_utf8' AND raw_bytes IS NULL") == (0,)
    assert one(db, "SELECT count(*) FROM rejects WHERE file NOT LIKE '%messages-____-__-__.parquet'") == (0,)


def test_the_incident_is_found(db: duckdb.DuckDBPyConnection) -> None:
    shares = dict(
        db.execute(
            "SELECT event_date, SUM(n_docs) FILTER (sentiment = 'negative') / SUM(n_docs) FROM sentiment_daily "
            f"WHERE group_key = '{planted.INCIDENT_PRODUCT}' AND lang = 'en' GROUP BY 1"
        ).fetchall()
    )
    ordinary = [share for day, share in shares.items() if day not in planted.INCIDENT_DAYS]
    least = min(shares[day] for day in planted.INCIDENT_DAYS)
    assert least >= 0.85
    # by the truth 0.92 against 0.30: the model calls some questions of ordinary days negative
    assert least - sum(ordinary) / len(ordinary) >= 0.45
    assert max(ordinary) < least


def test_the_incident_is_a_complaint_about_the_firmware(db: duckdb.DuckDBPyConnection) -> None:
    """An aspect given in the configuration: negative on the days of the incident, shown by sentences that name it."""
    days = dict(
        db.execute(
            "SELECT event_date, SUM(n_negative) / SUM(n_effective) FROM aspect_daily WHERE aspect = 'firmware' AND "
            f"group_key = '{planted.INCIDENT_PRODUCT}' GROUP BY 1 HAVING SUM(n_effective) >= 30"
        ).fetchall()
    )
    assert set(days) == set(planted.INCIDENT_DAYS)
    assert min(days.values()) >= 0.75
    complaints = db.execute(
        "SELECT a.lang, quote, a.sentiment FROM doc_aspects a JOIN truth ON doc_id = message_id "
        "WHERE aspect = 'firmware' AND planted = 'incident' AND truth.sentiment = 'negative' AND a.lang IN ('en', 'zh')"
    ).fetchall()
    assert len(complaints) >= 100
    assert sum(sentiment == "negative" for *_, sentiment in complaints) / len(complaints) >= 0.8
    words = {"en": ("firmware", "7.2.0", "update"), "zh": ("firmware", "7.2.0", "固件", "升级", "更新")}
    assert all(any(word in quote.lower() for word in words[lang]) for lang, quote, _ in complaints)


def test_the_incident_is_an_alert_about_the_firmware_on_its_days_alone(db: duckdb.DuckDBPyConnection) -> None:
    tested = db.execute("SELECT event_date, aspect, metric, is_alert FROM anomalies WHERE kind = 'aspect'").fetchall()
    assert {day for day, aspect, *_ in tested if aspect == "firmware"} == set(planted.DAYS[7:])
    incident = set(planted.INCIDENT_DAYS)
    assert {day for day, *_, alert in tested if alert} == incident
    days = {m: {day for day, a, of, alert in tested if alert and (a, of) == ("firmware", m)} for _, _, m, _ in tested}
    assert days["n_docs"] == incident
    # the third night is held against a history of ten that holds the first two
    assert days["n_effective"] & days["negative_share"] >= set(planted.INCIDENT_DAYS[:2])
    assert one(db, "SELECT count(DISTINCT event_date) FROM v_top_movers WHERE aspect = 'firmware'") == (3,)


def test_aspects_agree_with_their_documents(db: duckdb.DuckDBPyConnection) -> None:
    scored = one(db, "SELECT max(rows) FROM run_stages WHERE stage = 'sentences'")[0]
    assert 500 < scored < one(db, "SELECT SUM(rows_scored) FROM runs")[0], "sentences are no documents"
    same, n = one(
        db,
        "SELECT count(*) FILTER (a.sentiment = d.sentiment AND a.sentiment_score = d.sentiment_score), count(*) "
        'FROM doc_aspects a JOIN doc_scores d USING (run_date, doc_id) WHERE a."end" - a.start = d.n_chars',
    )
    assert n > 100
    assert same == n, "a document of one sentence has its own score"
    assert one(db, "SELECT sum(n_docs) FROM aspect_daily") == one(db, "SELECT count(*) FROM doc_aspects")


def test_the_emerging_topic_has_a_topic_of_its_own(db: duckdb.DuckDBPyConnection) -> None:
    topic, hits, size = one(
        db,
        "SELECT topic_id, count(*) FILTER (planted = 'emerging'), count(*) FROM doc_scores JOIN truth ON doc_id = message_id "
        "WHERE topic_id IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
    )
    total = sum(planted.EMERGING_MESSAGES.values())
    assert hits / total > 0.8
    assert hits / size > 0.6
    label, quotes = one(
        db, f"SELECT label, evidence FROM topics WHERE topic_id = {topic} AND run_date = '{planted.LAST_DAY}'"
    )
    assert any(word in label for word in planted.EMERGING_WORDS)
    assert quotes
    before, after = one(
        db,
        f"SELECT avg(n_docs) FILTER (event_date < '{planted.EMERGING_FIRST_DAY}'), "
        f"avg(n_docs) FILTER (event_date >= '{planted.EMERGING_FIRST_DAY}') FROM topics_daily WHERE topic_id = {topic}",
    )
    assert after > 5 * before


def test_the_campaign_is_counted_and_its_copies_are_scored_once(db: duckdb.DuckDBPyConnection) -> None:
    n, texts, scored_once = one(
        db,
        "SELECT count(*), count(DISTINCT content_key), count(*) FILTER (NOT from_cache AND is_canonical) "
        "FROM doc_scores JOIN truth ON doc_id = message_id WHERE planted = 'campaign'",
    )
    copies = sum(planted.CAMPAIGN_COPIES.values())
    assert n == copies + sum(planted.CAMPAIGN_VARIANTS.values())
    assert scored_once == texts <= n - copies + len(planted.CAMPAIGN_COPIES)


def test_planted_events_are_alerts_on_their_days_and_quiet_nights_have_none(db: duckdb.DuckDBPyConnection) -> None:
    alerts = db.execute(
        "SELECT event_date, kind, group_key, metric, likely_cause FROM anomalies WHERE is_alert AND kind <> 'phrase'"
    ).fetchall()
    for metric in ("n_docs", "negative_share"):
        days = {
            day for day, kind, group, m, _ in alerts if (kind, group, m) == ("group", planted.INCIDENT_PRODUCT, metric)
        }
        assert days == set(planted.INCIDENT_DAYS)
    campaign = {
        (day, cause)
        for day, kind, group, metric, cause in alerts
        if (kind, group, metric) == ("group", planted.CAMPAIGN_PRODUCT, "n_docs")
    }
    assert campaign == {(day, "campaign") for day in planted.CAMPAIGN_COPIES}
    emerging = {day for day, _, group, metric, _ in alerts if group == planted.EMERGING_PRODUCT and metric == "n_docs"}
    assert planted.EMERGING_FIRST_DAY + dt.timedelta(days=2) in emerging
    assert min(emerging) >= planted.EMERGING_FIRST_DAY
    told = {day for day, *_ in alerts}
    quiet = {d for d in planted.DAYS if d < min(planted.INCIDENT_DAYS)}
    assert told & quiet == set()


def test_the_campaign_is_one_group_on_both_nights(db: duckdb.DuckDBPyConnection) -> None:
    groups = db.execute(
        "SELECT run_date, dup_group_id, n_docs FROM dup_groups WHERE is_campaign ORDER BY run_date"
    ).fetchall()
    expected = {d: n + planted.CAMPAIGN_VARIANTS[d] for d, n in planted.CAMPAIGN_COPIES.items()}
    assert {day: n for day, _, n in groups} == expected
    assert len({group for _, group, _ in groups}) == 1


def test_drivers_add_up_to_the_change(db: duckdb.DuckDBPyConnection) -> None:
    worst = one(
        db,
        "SELECT max(abs(s - change)) FROM (SELECT sum(contribution) AS s, any_value(change) AS change FROM trend_drivers "
        "GROUP BY run_date, metric, key, dimension)",
    )
    assert worst[0] < 1e-9


def test_search_and_report_work_on_what_was_published(published: Path, sample: Path, tmp_path: Path) -> None:
    found = subprocess.run(
        [
            sys.executable, ROOT / "jobs/search.py", "--config", ROOT / "conf/jobs/sample.yaml", "--format", "json",
            "--group", planted.INCIDENT_PRODUCT, "--from", str(planted.INCIDENT_DAYS[0]), "-k", "5",
            "--set", f"input.path={sample}/corpus", f"output.root={published}", "--", "the router is dead after the update",
        ],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr[-4000:]
    rows = (
        [json.loads(line) for line in found.stdout.splitlines()] if found.stdout[0] == "{" else json.loads(found.stdout)
    )
    assert len(rows) == 5
    assert all(row["group_key"] == planted.INCIDENT_PRODUCT and row["quote"] for row in rows)
    scores = [row["similarity"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.5
    page = tmp_path / "night.html"
    night = str(planted.INCIDENT_DAYS[1])
    command = [sys.executable, ROOT / "jobs/report.py", "--root", published, "--run-date", night, "--out", page]
    assert subprocess.run(command, capture_output=True, timeout=300).returncode == 0
    text = page.read_text(encoding="utf-8")
    assert f"documents: {planted.INCIDENT_PRODUCT}" in text
    assert "<script" not in text


def test_the_search_of_the_page_in_sql_is_that_of_the_job_and_embeds_its_text_once(
    published: Path, sample: Path, tmp_path: Path
) -> None:
    page = (ROOT / "docs/patterns/search_and_report.md").read_text(encoding="utf-8")
    query = page.split("```sql\n")[1].split("```")[0]
    text = "the router does not start after the update"
    days = planted.INCIDENT_DAYS[0], planted.LAST_DAY
    assert all(piece in query for piece in (f"'{text}'", f"'{planted.INCIDENT_PRODUCT}'", *(f"'{d}'" for d in days)))
    inlined = (
        query.replace("query.vector", f"ai_embed('{text}')").replace(" CROSS JOIN query\n", "\n").split("vector)\n")[1]
    )
    by_sql = [sql_rows(published, tmp_path / name, sql) for name, sql in (("joined", query), ("inlined", inlined))]
    found = subprocess.run(
        [
            sys.executable, ROOT / "jobs/search.py", "--config", ROOT / "conf/jobs/sample.yaml", "--format", "json",
            "--group", planted.INCIDENT_PRODUCT, "--from", str(days[0]), "--to", str(days[1]), "-k", "5", "--no-quotes",
            "--set", f"input.path={sample}/corpus", f"output.root={published}", "--", text,
        ],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr[-4000:]
    by_job = json.loads(found.stdout)
    assert len(by_job) == 5
    for rows, scored in by_sql:
        assert scored == 1, "the text, and no document"
        assert [(r["first"]["run_date"], r["first"]["doc_id"], r["n_docs"]) for r in rows] == [
            (r["run_date"], r["doc_id"], r["n_docs"]) for r in by_job
        ]
        assert [r["similarity"] for r in rows] == pytest.approx([r["similarity"] for r in by_job], abs=1.5e-6)


def sql_rows(root: Path, folder: Path, query: str) -> tuple[list[dict[str, Any]], int]:
    """Ask with the AI functions and an empty cache; return the rows and how many texts a model has scored."""
    folder.mkdir()
    config = folder / "functions.yaml"
    store = f"store: {{root: '{root}', index: {folder / 'index'}}}"
    config.write_text(f"cache: {{folder: {folder / 'cache'}}}\n{store}\n", encoding="utf-8")
    command = [
        sys.executable,
        ROOT / "jobs/sql.py",
        "--root",
        root,
        "--functions-config",
        config,
        "--format",
        "json",
        query,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]
    cache = ResultCache(CacheSpec(str(folder / "cache"), 1 << 30, 60.0))
    counted = sum(cache.counted().values())
    cache.close()
    return json.loads(done.stdout), counted


def test_every_language_is_scored_by_its_own_model(db: duckdb.DuckDBPyConnection) -> None:
    rows = {(lang, head): n for lang, head, n in db.execute(
        "SELECT truth.lang, sentiment_model, count(*) FROM doc_scores JOIN truth ON doc_id = message_id GROUP BY ALL"
    ).fetchall()}  # fmt: skip
    heads = {"en": "sentiment-en-tuned", "zh": "sentiment-multilingual", "es": "sentiment-multilingual"}
    for lang, head in heads.items():
        n = sum(count for (of, _), count in rows.items() if of == lang)
        assert rows[lang, head] / n > 0.97, lang
    assert one(db, "SELECT count(*) FROM doc_scores WHERE error_code IS NOT NULL AND sentiment IS NOT NULL") == (0,)
    assert one(
        db, "SELECT count(*) FROM doc_scores WHERE error_code IS NULL AND (sentiment IS NULL OR topic_id IS NULL)"
    ) == (0,)


@pytest.mark.parametrize(("lang", "least", "share"), [("en", 3000, 0.8), ("zh", 700, 0.7), ("es", 300, 0.7)])
def test_sentiment_agrees_with_the_planted_truth(
    db: duckdb.DuckDBPyConnection, lang: str, least: int, share: float
) -> None:
    """Of the messages written as clearly good or bad the sign of the score must be right in most."""
    hits, n = one(
        db,
        "SELECT count(*) FILTER ((sentiment_score > 0) = (truth.sentiment = 'positive')), count(*) FROM doc_scores JOIN truth "
        f"ON doc_id = message_id WHERE truth.lang = '{lang}' AND truth.sentiment IN ('negative', 'positive') "
        "AND error_code IS NULL",
    )
    assert n > least
    assert hits / n > share


def test_tables_agree_with_each_other(db: duckdb.DuckDBPyConnection) -> None:
    assert one(db, "SELECT count(*) FROM doc_scores") == one(db, "SELECT sum(rows_in - rows_rejected) FROM runs")
    assert one(db, "SELECT sum(n_docs) FROM sentiment_daily") == one(db, "SELECT count(sentiment) FROM doc_scores")
    assert one(db, "SELECT sum(n_docs) FROM topics_daily") == one(db, "SELECT count(topic_id) FROM doc_scores")
    assert one(db, "SELECT count(*) FROM doc_embeddings") == one(
        db, "SELECT count(*) FROM doc_scores WHERE error_code IS NULL"
    )
    assert one(
        db,
        "SELECT count(*) FROM sentiment_daily WHERE n_docs > 0 AND NOT (ci_low <= share_raw AND share_raw <= ci_high)",
    ) == (0,)
    for table in TABLES:
        # the sample's nights have one model, and keep it, and no heads for labels of one's own
        runs = 0 if table in (CASCADE_REPORT, MODEL_BRIDGE, *LABEL_TABLES) else 1
        assert one(db, f"SELECT count(DISTINCT run_id) FROM {table.name}") == (runs,), table.name


def test_every_stage_is_in_the_table(db: duckdb.DuckDBPyConnection, published: Path) -> None:
    done = [stage["name"] for stage in results(published)["stages"]]
    before = set(done[: done.index("runs")])
    assert {"groups", "patterns", "movements"} < before
    assert before <= {name for (name,) in db.execute("SELECT DISTINCT stage FROM run_stages").fetchall()}


def test_evidence_shows_no_personal_data(db: duckdb.DuckDBPyConnection) -> None:
    quotes = db.execute("SELECT e.quote FROM (SELECT unnest(evidence) AS e FROM topics)").fetchall()
    assert len(quotes) > 500
    quotes += db.execute("SELECT quote FROM doc_aspects").fetchall()
    assert not [q for (q,) in quotes if "@example" in q or "555-01" in q]


def test_a_long_message_is_read_to_its_end(db: duckdb.DuckDBPyConnection) -> None:
    n_chars, n_chunks, coverage = one(
        db, "SELECT n_chars, n_chunks, coverage FROM doc_scores WHERE lang = 'en' ORDER BY n_chars DESC LIMIT 1"
    )
    assert n_chars > 4000
    assert n_chunks >= 4
    assert coverage == 1.0


def test_logs_hold_no_text_of_a_document(published: Path, sample: Path) -> None:
    (log,) = published.glob("_runs/*/log.jsonl")
    text = log.read_text(encoding="utf-8") + (published / "run_results.json").read_text(encoding="utf-8")
    assert {json.loads(line)["stage"] for line in log.read_text().splitlines() if '"event": "done"' in line} >= {
        "read",
        "score",
        "publish",
    }
    bodies = [
        b
        for p in sorted((sample / "corpus").glob("*.parquet"))
        for b in pq.read_table(p).column("body").cast("binary").to_pylist()
    ]
    long_ones = [b.decode("utf-8", "ignore") for b in bodies if b and len(b) > 40]
    assert len(long_ones) > 5000
    assert not [b for b in long_ones if b[:40] in text]


def test_a_rerun_scores_nothing_and_changes_no_other_night(published: Path, sample: Path) -> None:
    before, first = files(published), results(published)
    day = str(planted.INCIDENT_DAYS[0])
    done = nightly(sample / "corpus", published, "--run-date", day)
    assert done.returncode == 0, done.stderr[-4000:]
    second = results(published)
    assert second["counts"][0]["rows_scored"] == 0
    assert not [s for s in second["stages"] if s["name"] in ("score", "sentences")], (
        "the store has documents and sentences"
    )
    hashes = {t["table"]: t["content_hash"] for t in first["tables"] if t["run_date"] == day}
    assert {t["table"]: t["content_hash"] for t in second["tables"]} == hashes
    assert len(hashes) == len(TABLES)
    after = files(published)
    assert {path: digest for path, digest in after.items() if path in before} == before
    with open_duckdb(published) as db:
        runs = dict(db.execute("SELECT run_date, run_id FROM runs").fetchall())
    assert sorted(runs.values()).count(second["run_id"]) == 1
    assert runs[planted.INCIDENT_DAYS[0]] == second["run_id"]


def test_a_night_of_one_row_and_an_empty_night(tmp_path: Path) -> None:
    """FAULTS cases 33 and 34. An empty night is published only where the limits allow it; there is no topic model yet."""
    noon = dt.datetime(2026, 10, 5, 12, tzinfo=dt.UTC)
    one_row = {
        "message_id": ["a"],
        "body": ["I like the new router."],
        "created_at": pa.array([noon], pa.timestamp("us", "UTC")),
    }
    (tmp_path / "corpus").mkdir()
    pq.write_table(pa.table({**one_row, "channel": ["chat"], "product": ["Router"]}), tmp_path / "corpus" / "1.parquet")
    root, nights = tmp_path / "out", ["--from", "2026-10-05", "--to", "2026-10-06"]
    refused = nightly(tmp_path / "corpus", root, *nights)
    assert refused.returncode == 1
    assert "2026-10-06 min_rows: found 0, limit 1" in refused.stderr
    done = nightly(tmp_path / "corpus", root, *nights, "--set", "quality.min_rows=0")
    assert done.returncode == 0, done.stderr[-4000:]
    with open_duckdb(root) as db:
        assert db.execute("SELECT run_date, rows_in, rows_scored FROM runs ORDER BY 1").fetchall() == [
            (dt.date(2026, 10, 5), 1, 1),
            (dt.date(2026, 10, 6), 0, 0),
        ]
        assert db.execute("SELECT doc_id, topic_id, sentiment IS NULL FROM doc_scores").fetchall() == [
            ("a", None, False)
        ]
        assert one(db, "SELECT count(*) FROM topics") == (0,)


def test_a_night_over_the_limit_is_not_published(sample: Path, tmp_path: Path) -> None:
    root = tmp_path / "strict"
    done = nightly(sample / "corpus", root, "--run-date", "2026-10-07", "--set", "quality.max_rejected_fraction=0.0001")
    assert done.returncode == 1
    assert "max_rejected_fraction" in done.stderr
    assert "Traceback" not in done.stderr
    assert results(root)["status"] == "rejected"
    assert not list(root.glob("_data/**/*.parquet"))


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "give the nights to publish"),
        (["--run-date", "2026-02-30"], 2, "is not a date"),
        (["--run-date", "26-1-2"], 2, "is not a date"),
        (["--run-date", "today'; drop"], 2, "is not a date"),
        (["--from", "2026-10-06", "--to", "2026-10-05"], 2, "is before --from"),
        (["--run-date", "2026-10-05", "--wait", "soon"], 2, "is not a number of minutes"),
        (["--run-date", "2026-10-05", "--set", "quality.min_row=3"], 2, "did you mean min_rows?"),
        (["--run-date", "2026-10-05", "--set", "model.embedding=/no/such/model"], 2, "model.embedding"),
        (["--run-date", "2026-10-05", "--set", "input.columns.text=txt"], 1, "has no column txt"),
    ],
)
def test_usage_errors_are_one_clear_message(
    sample: Path, tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    done = nightly(sample / "corpus", tmp_path / "out", *arguments)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_the_cookbook_says_what_a_night_answers(published: Path) -> None:
    """Every question has an answer, with the columns of the page; figures may differ where another processor rounds otherwise."""
    written, found = cookbook.PAGE.read_text(encoding="utf-8").splitlines(), cookbook.page(published).splitlines()
    assert len(cookbook.questions()) >= 20
    assert [line for line in found if line.startswith("## ")] == [line for line in written if line.startswith("## ")]
    headers = [found[i - 1] for i, line in enumerate(found) if line.startswith("--") and line.strip("- ") == ""]
    assert [" ".join(h.split()) for h in headers] == [
        " ".join(written[i - 1].split())
        for i, line in enumerate(written)
        if line.startswith("--") and line.strip("- ") == ""
    ]
    assert "(0 rows)" not in found
    alike = len(set(found) & set(written)) / len(set(written))
    assert alike >= 0.75, (
        f"{alike:.0%} of the lines of docs/cookbook.md are true: python -m pipeline.cookbook out/warehouse"
    )
