"""jobs/sql.py, and other readers of the published tables: equal answers, clear refusals."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import QUICK, Warehouse
from pyspark.sql import SparkSession
from tiny_nights import DAYS

from pipeline.errors import ConfigError
from pipeline.query import Answer, ask_duckdb, ask_spark, check_query
from pipeline.read_tables import duckdb_type, open_duckdb, published_files
from pipeline.render import FORMATS, cell_width, render_csv, render_json, render_table
from pipeline.schemas import TABLES

QUICK_JVM = {"SPARK_SUBMIT_OPTS": QUICK["spark.driver.extraJavaOptions"]}
JOB = Path(__file__).parents[2] / "jobs" / "sql.py"
QUERY = (
    "SELECT run_date, source, count(*) AS n, sum(n_docs) AS docs, max(mean_score) AS score, min(created_at) AS at, "
    "hour(min(created_at)) AS h FROM sentiment_daily GROUP BY run_date, source ORDER BY run_date, source NULLS LAST"
)
ANSWER = """\
run_date    source  n  docs  score  at                    h
----------  ------  -  ----  -----  --------------------  -
2026-10-05  数据 0  1     0    0.0  2026-10-08T03:15:00Z  3
2026-10-05  数据 1  1  1000    1.0  2026-10-08T03:15:00Z  3
2026-10-05  数据 2  1  2000   NULL  2026-10-08T03:15:00Z  3
2026-10-07  数据 0  1     0    0.0  2026-10-08T03:15:00Z  3
2026-10-07  数据 1  1  1000    1.0  2026-10-08T03:15:00Z  3
2026-10-07  数据 2  1  2000   NULL  2026-10-08T03:15:00Z  3
2026-10-07  数据 3  1  3000    3.0  2026-10-08T03:15:00Z  3
(7 rows)
"""


def sql(root: Path, *args: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TZ": "Asia/Tokyo", **QUICK_JVM}
    command = [sys.executable, str(JOB), "--root", str(root), *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment)


def test_duckdb_spark_and_spark_sql_give_equal_answers(warehouse: Warehouse, tmp_path: Path) -> None:
    by_duckdb, by_spark = (sql(warehouse.root, "--engine", engine, QUERY) for engine in ("duckdb", "spark"))
    assert (by_duckdb.returncode, by_duckdb.stderr, by_duckdb.stdout) == (0, "", ANSWER)
    assert (by_spark.returncode, by_spark.stderr, by_spark.stdout) == (0, "", ANSWER)
    url = f"javax.jdo.option.ConnectionURL=jdbc:derby:{warehouse.root}/_catalog/metastore_db"
    program = Path(sys.executable).with_name("spark-sql")
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1", **QUICK_JVM}
    query = QUERY.replace("FROM ", "FROM nightjar.")
    proper = subprocess.run(
        [program, "--conf", "spark.ui.enabled=false", "--conf", "spark.sql.session.timeZone=UTC", "--hiveconf", url, "-e", query],
        capture_output=True, text=True, timeout=200, env=environment, cwd=tmp_path,
    )  # fmt: skip
    cells = [line.split("\t") for line in proper.stdout.splitlines() if "\t" in line]
    assert len(cells) == 7, proper.stderr[-2000:]
    expected = [[c.replace("T", " ").removesuffix("Z") for c in r] for r in csv.reader(io.StringIO(csv_of(warehouse)))][
        1:
    ]
    assert [[c if c != "NULL" else "" for c in r] for r in cells] == expected


def test_functions_answer_with_the_models_of_a_file(warehouse: Warehouse, tmp_path: Path) -> None:
    config = tmp_path / "functions.yaml"
    config.write_text(
        "model: {embedding: static-en, sentiment: sentiment-en-static, device: cpu}\n"
        f"cache: {{folder: {tmp_path / 'cache'}}}\n"
        f"store: {{root: '{warehouse.root}', index: {tmp_path / 'index'}}}\n"
        "label_sets: {desk: {labels: {money: [a bill], road: [a parcel on its way]}}}\n",
        encoding="utf-8",
    )
    query = (
        "SELECT DISTINCT ai_analyze_sentiment('I love it') AS s, ai_classify('My parcel is on its way.', 'desk') AS c, run_date "
        "FROM runs ORDER BY run_date LIMIT 1"
    )
    done = sql(warehouse.root, "--functions-config", str(config), "--format", "csv", query)
    assert (done.returncode, done.stdout) == (0, "s,c,run_date\npositive,road,2026-10-05\n"), done.stderr[-2000:]


def csv_of(warehouse: Warehouse) -> str:
    return sql(warehouse.root, "--format", "csv", QUERY).stdout


def test_both_names_of_a_table_work_and_formats_hold_the_same(warehouse: Warehouse) -> None:
    query = QUERY.replace("FROM ", "FROM nightjar.")
    records = json.loads(sql(warehouse.root, "--format", "json", query).stdout)
    assert records[2] == {
        "run_date": "2026-10-05", "source": "数据 2", "n": 1, "docs": 2000, "score": None, "at": "2026-10-08T03:15:00Z",
        "h": 3,
    }  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(csv_of(warehouse))))
    assert [{k: "" if v is None else str(v) for k, v in r.items()} for r in records] == rows


def test_a_cut_answer_says_so(warehouse: Warehouse) -> None:
    query = "SELECT doc_id FROM doc_scores ORDER BY run_date, doc_id"
    assert sql(warehouse.root, "--limit", "2", query).stdout.endswith("(2 rows; there are more, --limit shows them)\n")
    assert sql(warehouse.root, "--limit", "7", query).stdout.endswith("(7 rows)\n")
    done = sql(warehouse.root, "--limit", "2", "--format", "csv", query)
    assert done.stdout == "doc_id\n数据 0\n数据 1\n"
    assert done.stderr == "sql.py: only the first 2 rows; there are more, --limit shows them\n"


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["SELECT nope FROM runs"], 2, 'sql.py: Binder Error: Referenced column "nope" not found'),
        (["SELECT * FROM nope"], 2, "sql.py: Catalog Error: Table with name nope does not exist!"),
        (["SELEC 1"], 2, "sql.py: SELEC is refused: ask one SELECT, WITH, SHOW, DESCRIBE or EXPLAIN statement"),
        (["SELECT CAST('x' AS INT)"], 2, "sql.py: Conversion Error"),
        (["  -- nothing"], 2, "sql.py: the query is empty"),
        (["DELETE FROM runs"], 2, "sql.py: DELETE is refused"),
        (["SELECT 1; SELECT 2"], 2, "sql.py: several statements in one query"),
        (["--limit", "0", "SELECT 1"], 2, "'0' is not a number of rows"),
        (["SELECT * FROM read_parquet('/nowhere/x.parquet')"], 3, "sql.py: IO Error"),
    ],
)
def test_a_wrong_question_is_one_line_and_an_exit_code(
    warehouse: Warehouse, args: list[str], code: int, message: str
) -> None:
    done = sql(warehouse.root, *args)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr.splitlines()[-1]
    if not args[0].startswith("--limit"):
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_a_root_without_published_nights_is_named(tmp_path: Path, engine: str) -> None:
    (tmp_path / "_runs").mkdir()
    done = sql(tmp_path, "--engine", engine, "SELECT 1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"{tmp_path}: no night was published there" in done.stderr
    done = sql(tmp_path / "gone", "--engine", engine, "SELECT 1")
    assert (done.returncode, done.stderr) == (
        2,
        f"sql.py: {tmp_path}/gone: no such folder; give the output.root of a nightly run\n",
    )
    assert [p.name for p in tmp_path.iterdir()] == ["_runs"], "asking leaves nothing behind"


@pytest.mark.parametrize(
    "query",
    [
        "select 1", "SELECT 1;", "SELECT 1 ; -- done", "/* why */ (SELECT 1) UNION ALL (SELECT 2)",
        "with a as (select 1) select * from a",
        "SHOW TABLES", "DESCRIBE runs", "EXPLAIN SELECT 1", "SELECT ';' AS x", "EXPLAIN ANALYZE SELECT 1", 'SELECT 1 AS "a;b"',
    ],
)  # fmt: skip
def test_reading_statements_pass(query: str) -> None:
    assert check_query(query).rstrip("; ") in query


@pytest.mark.parametrize(
    "query",
    [
        "", ";", "-- c", "INSERT INTO runs SELECT 1", "with a as (select 1) insert into t select * from a", "DROP TABLE runs",
        "SELECT 1; DROP TABLE runs", "EXPLAIN ANALYZE COPY (SELECT 1) TO 'x'", "EXPLAIN ANALYZE DELETE FROM t", "SET x = 1",
        "COPY runs TO 'x'", "ATTACH 'x'", "FROM t INSERT INTO u SELECT 1", "MSCK REPAIR TABLE runs", "CALL x()", "'SELECT 1'",
    ],
)  # fmt: skip
def test_anything_else_is_refused(query: str) -> None:
    with pytest.raises(ConfigError):
        check_query(query)


LITERALS = {
    "null": "NULL",
    "yes": "true",
    "text": "'a, \"b\" c'",
    "empty": "''",
    "wide": "'你好 ' || repeat('字', 40)",
    "whole": "CAST(9223372036854775807 AS BIGINT)",
    "small": "CAST(0.1 AS DOUBLE) * 3",
    "huge": "CAST(1e300 AS DOUBLE)",
    "nan": "CAST('NaN' AS DOUBLE)",
    "minus_infinity": "CAST('-Infinity' AS DOUBLE)",
    "single": "CAST(0.1 AS FLOAT)",
    "price": "CAST(1.50 AS DECIMAL(10, 2))",
    "tiny": "CAST(0 AS DECIMAL(20, 10))",
    "day": "DATE '2026-10-05'",
    "night": "CAST('2026-10-05 03:15:00.5+00' AS {timestamp})",
    "local": "CAST('2026-10-05 03:15:00' AS {local})",
    "words": "{array}('x', NULL, 'y')",
    "none": "CAST({array}() AS {texts})",
    "pair": "{struct}",
    "raw": "{hex}('00ff')",
}
DIALECT = {
    "spark": {
        "timestamp": "TIMESTAMP", "local": "TIMESTAMP_NTZ", "array": "array", "texts": "ARRAY<STRING>", "hex": "unhex",
        "struct": "named_struct('phrase', 'x', 'score', CAST(0.5 AS DOUBLE))",
    },
    "duckdb": {
        "timestamp": "TIMESTAMPTZ", "local": "TIMESTAMP", "array": "list_value", "texts": "VARCHAR[]", "hex": "from_hex",
        "struct": "{'phrase': 'x', 'score': CAST(0.5 AS DOUBLE)}",
    },
}  # fmt: skip


def select(engine: str) -> str:
    values = [f"{value.format(**DIALECT[engine])} AS {name}" for name, value in LITERALS.items()]
    return f"SELECT {', '.join(values)}, 1 AS twice, 2 AS twice"


@pytest.fixture(scope="module")
def answers(spark: SparkSession, warehouse: Warehouse) -> tuple[Answer, Answer]:
    with open_duckdb(warehouse.root) as connection:
        return ask_duckdb(connection, select("duckdb"), 10), ask_spark(spark, select("spark"), 10)


@pytest.mark.parametrize("form", FORMATS)
def test_every_type_is_printed_alike_by_both_engines(answers: tuple[Answer, Answer], form: str) -> None:
    by_duckdb, by_spark = (FORMATS[form](answer) for answer in answers)
    assert by_duckdb == by_spark


def test_values_are_printed_as_documented(answers: tuple[Answer, Answer]) -> None:
    assert json.loads(render_json(answers[0])) == [{
        "null": None, "yes": True, "text": 'a, "b" c', "empty": "", "wide": "你好 " + "字" * 40, "whole": 9223372036854775807,
        "small": 0.1 * 3, "huge": 1e300, "nan": "NaN", "minus_infinity": "-Infinity", "single": 0.10000000149011612,
        "price": 1.5, "tiny": 0, "day": "2026-10-05", "night": "2026-10-05T03:15:00.500000Z", "local": "2026-10-05T03:15:00",
        "words": ["x", None, "y"], "none": [], "pair": {"phrase": "x", "score": 0.5}, "raw": "00ff",
        "twice": 1, "twice_1": 2,
    }]  # fmt: skip
    fields = render_csv(answers[0]).splitlines()[1]
    assert fields.startswith(',true,"a, ""b"" c","",')
    assert ",1.50,0.0000000000,2026-10-05," in fields


def test_a_table_is_aligned_in_cells_and_long_cells_are_cut() -> None:
    rows: tuple[tuple[Any, ...], ...] = (
        ("字" * 40, 1, "x"), ("e\u0301 ok", 1000, None), ("line\nbreak \u202e", None, "y"), ("z" * 61, 2.5, "z" * 60),
    )  # fmt: skip
    lines = render_table(Answer(("名", "n", "t"), rows, False)).splitlines()
    assert lines[-1] == "(4 rows)"
    assert lines[2].startswith("字" * 29 + "…")
    assert lines[4].startswith("line\\nbreak \\u202e ")
    assert lines[5].split()[0] == "z" * 59 + "…"
    assert lines[5].split()[2] == "z" * 60
    numbers = zip(lines[2:], ["1", "1000", "NULL", "2.5"], strict=False)
    assert {cell_width(line[: line.index(f" {n} ")]) + len(n) for line, n in numbers} == {60 + 1 + 4}, "one right edge"
    assert render_table(Answer(("wide_name",), ((True,), (None,)), False)).splitlines()[2:4] == ["true", "NULL"]
    assert render_table(Answer(("a",), (), False)) == "a\n-\n(0 rows)\n"
    assert render_json(Answer(("a",), (), False)) == "[\n]\n"


def test_every_table_has_the_schemas_columns_and_types_in_duckdb(warehouse: Warehouse) -> None:
    with open_duckdb(warehouse.root) as connection:
        for table in TABLES:
            found = connection.execute(f"DESCRIBE nightjar.{table.name}").fetchall()
            types = connection.execute(
                "SELECT " + ", ".join(f"typeof(CAST(NULL AS {duckdb_type(c.dtype)}))" for c in table.all_columns)
            ).fetchone()
            assert [(r[0], r[1]) for r in found] == list(
                zip([c.name for c in table.all_columns], types or (), strict=True)
            )
            assert {r[0] for r in connection.execute(f"SELECT run_date FROM {table.name}").fetchall()} <= set(DAYS)


def test_a_table_without_rows_is_empty_and_typed(warehouse: Warehouse, tmp_path: Path) -> None:
    """A root whose only published run has no files at all, made from the real one's manifest."""
    body = json.loads((warehouse.root / "_runs" / warehouse.run_id / "manifest.json").read_text())
    body["tables"] = [{**entry, "files": [], "rows": 0} for entry in body["tables"]]
    (tmp_path / "_runs" / warehouse.run_id).mkdir(parents=True)
    (tmp_path / "_runs" / warehouse.run_id / "manifest.json").write_text(json.dumps(body))
    (tmp_path / "_log").mkdir()
    (tmp_path / "_log" / "00000001.json").write_bytes((warehouse.root / "_log" / "00000001.json").read_bytes())
    with open_duckdb(tmp_path) as empty, open_duckdb(warehouse.root) as full:
        for table in TABLES:
            assert empty.execute(f"SELECT * FROM {table.name}").fetchall() == []
            described = f"DESCRIBE nightjar.{table.name}"
            assert empty.execute(described).fetchall() == full.execute(described).fetchall()
    assert published_files(tmp_path, "runs") == []
