"""Secrets and personal data, planted: in properties, environment, connection strings and texts; looked for in all a run leaves.

Looked through: standard output and error of the jobs, Spark's event log, everything under `_runs`, `_log`, `_plans`,
`run_results.json`, the page of `jobs/report.py`, and in `rejects` all but the columns that keep the rejected row.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from small_nights import DAYS, ROOT, command, environment, results, rows, write

from pipeline.read_tables import open_duckdb

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_200)]
NIGHT = ["--run-date", str(DAYS[0])]
SECRET = {
    "spark.hadoop.fs.s3a.access.key": "CANARYaccess",
    "spark.hadoop.fs.s3a.secret.key": "CANARYsecret",
    "spark.hadoop.javax.jdo.option.ConnectionPassword": "CANARYpassword",
    "spark.my.apikey": "CANARYapikey",
    "spark.my.dsn": "postgresql://ana:CANARYdsn@db.example/x",
    "spark.my.url": "jdbc:postgresql://db.example/x?user=ana&password=CANARYquery",
    "spark.my.address": "postgresql://ana:CANARYuserinfo@db.example:5432/x",
    "spark.executorEnv.HF_TOKEN": "CANARYhub",
    "spark.my.header": "Authorization: Bearer CANARYbearer",
}
ENVIRONMENT = {
    "DATABASE_URL": "postgresql://ana:CANARYenvironment@db.example/x",
    "AWS_SECRET_ACCESS_KEY": "CANARYaws",
    "AWS_ACCESS_KEY_ID": "CANARYawsid",
    "HF_TOKEN": "CANARYtoken",
}
PERSONAL = ("canary.person@mail.example", "4111 1111 1111 1111", "GB82 WEST 1234 5698 7654 32", "+44 20 7946 0958")
MASKS = ("[EMAIL]", "[CARD]", "[IBAN]", "[PHONE]")
"""What stands in a quote for each of `PERSONAL`."""
WORD = "zyxcanaryword"
QUOTED = [
    "topics.min_texts=20", "patterns.enabled=true",
    "patterns.aspects.given=["
    + ", ".join(f"{{name: {thing}, terms: {{en: [{thing}]}}}}" for thing in ("order", "router", "kettle", "lamp", "camera"))
    + "]",
]  # fmt: skip
"""Topics and aspects, whose quotes the report shows; small nights have neither by default. The four things have a kind each."""
KEEPS_THE_ROW = {"doc_id", "raw_text", "raw_bytes"}


def planted(folder: Path, *, poison: bool) -> None:
    """Texts with personal data and a word: good, rejected, and perhaps such as make the engine crash."""
    said = [f"{WORD} {PERSONAL[k % len(PERSONAL)]} {text}" for k, (_, text, _) in enumerate(rows(DAYS[0], 60))]
    said[7] += " plantednan"
    said[11] += " plantedexit" if poison else ""
    said[13] += " and so on" * 40  # the model raises on this one
    documents = [(name, text, time) for text, (name, _, time) in zip(said, rows(DAYS[0], 60), strict=True)]
    documents += [
        documents[0],
        (documents[1][0], f"another {WORD} {PERSONAL[0]}", documents[1][2]),
    ]  # ids that are there twice
    documents += [("long", f"{WORD} {PERSONAL[1]} " * 3_000, documents[0][2])]
    write(folder / "corpus" / "1.parquet", documents)


def run(folder: Path, *arguments: str, more: dict[str, str]) -> tuple[str, str]:
    """Run the nightly job; return what it printed to both streams, and the code it ended with."""
    events = folder / "events"
    events.mkdir(exist_ok=True)
    log = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": f"file://{events}",
        "spark.eventLog.compress": "false",
    }
    properties = SECRET | log
    settings = [f'{key}="{value}"' for key, value in properties.items()]
    settings += ["quality.max_error_fraction=0.2", "quality.max_rejected_fraction=0.2", "input.too_long_chars=20000"]
    settings += QUOTED
    line = command(folder, [[*NIGHT, *arguments]], settings)
    done = subprocess.run(line, capture_output=True, text=True, timeout=600, env=environment(**ENVIRONMENT, **more))
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout + done.stderr, done.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a plan, a night, a night that fails and a report leave, by name."""
    folder = tmp_path_factory.mktemp("canaries")
    planted(folder, poison=False)
    out: dict[str, str] = {}
    out["output of the plan"], code = run(folder, "--plan", more={})
    assert code == "[0]", out["output of the plan"][-4000:]
    planted(folder, poison=True)  # a plan scores a sample, and nothing isolates what kills its worker
    out["output of the night"], code = run(folder, more={})
    assert code == "[0]", out["output of the night"][-4000:]
    (name, _, time), *_ = rows(DAYS[0], 1, "new")
    write(folder / "corpus" / "2.parquet", [(name, f"{WORD} {PERSONAL[2]} is new", time)])
    out["output of a night that fails"], code = run(folder, more={"NIGHTJAR_PLANT_RAISE": "1"})
    assert code == "[3]", out["output of a night that fails"][-4000:]
    page = folder / "page.html"
    report = [sys.executable, str(ROOT / "jobs/report.py"), "--root", str(folder / "out"), "--run-date", NIGHT[1]]
    done = subprocess.run([*report, "--out", str(page)], capture_output=True, text=True, env=environment(**ENVIRONMENT))
    assert done.returncode == 0, done.stderr
    out["output of the report"], out["report"] = done.stdout + done.stderr, page.read_text()
    files = [p for top in ("_runs", "_log", "_plans") for p in (folder / "out" / top).rglob("*") if p.is_file()]
    for path in [
        *files,
        folder / "out" / "run_results.json",
        *(p for p in (folder / "events").rglob("*") if p.is_file()),
    ]:
        out[str(path.relative_to(folder))] = path.read_text(errors="replace")
    with open_duckdb(folder / "out") as db:
        answer = db.execute(f"SELECT * EXCLUDE ({', '.join(sorted(KEEPS_THE_ROW))}) FROM rejects")
        out["rejects"] = "\n".join(map(str, answer.fetchall()))
        codes = db.execute("SELECT error_code FROM doc_scores WHERE error_code IS NOT NULL").fetchall()
        out["error codes"] = str(codes)
    assert len(results(folder)) == 2
    return out


def test_enough_was_left_to_look_through(left: dict[str, str]) -> None:
    """Otherwise the tests below would pass on nothing."""
    assert sum(name.startswith("events/") for name in left) >= 3
    assert sum(name.endswith(("manifest.json", "run_results.json", "log.jsonl")) for name in left) >= 5
    assert any(
        '"Event":"SparkListenerEnvironmentUpdate"' in text and "spark.my.apikey" in text for text in left.values()
    )
    assert left["rejects"].count("duplicate_id") == 2
    assert left["rejects"].count("too_long") == 1
    for code in ("NON_FINITE", "WORKER_CRASH", "MODEL"):
        assert code in left["error codes"]


def test_the_report_quotes_texts_with_a_mask_for_each_kind_of_personal_data(left: dict[str, str]) -> None:
    """Otherwise the test below would not be about quotes."""
    quotes = re.findall(r"<blockquote>(.*?)</blockquote>", left["report"], re.DOTALL)
    with_word = [quote for quote in quotes if WORD in quote]
    assert len(with_word) >= 10
    assert [mask for mask in MASKS if not any(mask in quote for quote in with_word)] == []


def test_no_secret_is_in_anything_a_run_leaves(left: dict[str, str]) -> None:
    found = {name: sorted(set(re.findall(r"CANARY\w+", text))) for name, text in left.items() if "CANARY" in text}
    assert found == {}


def test_no_personal_data_is_in_anything_but_the_rejected_rows(left: dict[str, str]) -> None:
    found = {
        name: [p for p in PERSONAL if p in text] for name, text in left.items() if any(p in text for p in PERSONAL)
    }
    assert found == {}


def test_no_word_of_a_text_is_in_a_log_a_manifest_or_a_reason(left: dict[str, str]) -> None:
    """The report quotes texts, masked; nothing else does."""
    assert [name for name, text in left.items() if WORD in text and name != "report"] == []
