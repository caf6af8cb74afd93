"""Random corpora and configurations: every row is accounted for, or one line says what is wrong; never a traceback."""

import contextlib
import io
import random
import runpy
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from fuzzed_corpora import DAYS, make
from pydantic import BaseModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.config import InputConfig, LanguageConfig, ModelConfig, NightlyConfig
from pipeline.corpus import read_corpus
from pipeline.documents import REASON, RUN_DATE, to_documents, with_run_date
from pipeline.errors import ConfigError, DataError
from pipeline.failures import explain
from pipeline.models import sentiment_spec
from pipeline.placement import measured
from pipeline.preflight import inspect_corpus
from pipeline.scoring import scored
from udfs.worker import Counters

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]
CORPORA, CONFIGURATIONS = 200, 1_000
REASONS = {None, "invalid_utf8", "null_id", "null_time", "empty_text", "too_long", "duplicate_id"}
JOB = Path(__file__).parents[2] / "jobs" / "nightly.py"


def documents_of(spark: SparkSession, folder: Path, seed: int) -> tuple[DataFrame | None, int | None, list[str], str]:
    """Return the documents of a fuzzed corpus, how many rows there must be, notes, and the error that refused it."""
    corpus = make(folder, seed)
    config = InputConfig.model_validate({"path": str(folder), "columns": corpus.columns, "too_long_chars": 20_000})
    try:
        found = inspect_corpus(config)
    except DataError as error:
        return None, None, corpus.notes, str(error)
    raw = read_corpus(spark, config, found, DAYS[0], DAYS[-1])
    rows = with_run_date(raw, DAYS[0], DAYS[-1], found.may_lack_times)
    return to_documents(rows, config), corpus.expected, corpus.notes, ""


def summary(documents: DataFrame) -> tuple[dict[str | None, int], int, list[Any]]:
    """Return rows by reason, distinct ids of accepted rows, and two accepted texts (key, hint, text), in one job."""
    is_kept, text = F.col(REASON).isNull(), F.struct("content_key", "lang_hint", "text")
    names = F.coalesce(REASON, F.lit(""))
    found = documents.agg(
        F.collect_list(names).alias("reasons"),
        F.count_distinct(F.when(is_kept, F.struct(RUN_DATE, "doc_id"))).alias("ids"),
        F.array(F.min(F.when(is_kept, text)), F.max(F.when(is_kept, text))).alias("texts"),
    ).collect()[0]
    return dict(Counter(r or None for r in found.reasons)), found.ids, [t for t in found.texts if t is not None]


def test_every_row_of_a_random_corpus_is_accounted_for(spark: SparkSession, tmp_path: Path) -> None:
    problems, outcomes = [], Counter[str]()
    texts: list[Any] = []
    for seed in range(CORPORA):
        folder = tmp_path / str(seed)
        try:
            documents, expected, notes, refusal = documents_of(spark, folder, seed)
            if documents is None:
                outcomes["refused"] += 1
                if str(folder) not in refusal or "\n" in refusal:
                    problems.append(f"{seed}: {refusal}")
                continue
            counts, ids, some = summary(documents)
            texts += some
        except Exception as error:
            known = explain(error)
            outcomes["failed" if isinstance(known, DataError) else "traceback"] += 1
            if not isinstance(known, DataError) or str(folder) not in str(known):
                problems.append(f"{seed} {notes}: {type(error).__name__} {str(error)[:300]} -> {known}")
            continue
        outcomes["read"] += 1
        total = sum(counts.values())
        if not set(counts) <= REASONS or (expected is not None and total != expected) or ids != counts.get(None, 0):
            problems.append(f"{seed} {notes}: {total} rows for {expected}: {counts}, ids {ids}")
    print(dict(outcomes))
    assert not problems, "\n".join(problems)
    assert outcomes["read"] > CORPORA / 3
    assert outcomes["refused"] > 0
    spec = sentiment_spec(
        ModelConfig(embedding="static-en", sentiment="sentiment-en-static", device="cpu"), LanguageConfig()
    )
    distinct = {(row.content_key, row.lang_hint): row.text for row in texts}
    rows = spark.createDataFrame(
        [(*key, text) for key, text in distinct.items()], "content_key string, lang_hint string, text string"
    )
    context = spark.sparkContext
    counters = Counters(context.accumulator(0), context.accumulator(0), context.accumulator(0))
    results = scored(rows, measured(rows, spec), replace(spec, topics=None), counters)
    found = results.select(
        "content_key", "lang_hint", "error_code", F.col("embedding").isNull().alias("none")
    ).collect()
    assert Counter((r.content_key, r.lang_hint) for r in found) == Counter(distinct.keys())
    assert all((r.error_code is not None) == r.none for r in found)
    assert {r.error_code for r in found} <= {None, "LANG_UNSUPPORTED"}


WRONG = (
    None, True, -1, 0, 1e308, float("nan"), float("inf"), 10**30, "", " ", "x" * 5_000, "'; DROP TABLE runs; --",
    "../../etc",
    "/proc/no",     "a\x00b", "file:///etc", "`x`", "${HOME}", "-", "é", "\u202e", [], [1, "a"], {}, {"a": {"b": 1}},
    ["en"], "*", "auto", "yes", 1, 0.5, 7, 300, False,
)  # fmt: skip
BROKEN = (
    "", "- a\n- b\n", "a: [", "a: b: c", "\t", "x", "!!python/object/apply:os.system ['true']", "&a [*a]",
    "input: &a {path: *a}",     "a: 1\na: 2\n", "? [1, 2]\n: 3", "1: 2", "null", "input: !!binary x", "---\n---\n",
    "input: 2026-02-30", "\x00", "input:\n  path: [",
)  # fmt: skip
SETS = (
    "=1", "a", "input", "input=3", "input.path", "input.path.x=1", "..=1", "quality.=1", ".=", "spark=3", "spark.x",
    "quality.min_rows=[",     "quality.min_rows=!!python/name:os.system", "model.others.0.embedding=x",
    "input.columns={id: id, id2: x}", "\x00=1",
    "a.b.c.d.e.f=1",     "output.root=", "quality=", "topics.n_topics=1.5", "scoring.tokens_per_task=1e400",
    "language.candidates=[xx]",
)  # fmt: skip


def sections(model: type[BaseModel], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every key of a configuration, as a path."""
    found: list[tuple[str, ...]] = []
    for name, info in model.model_fields.items():
        found.append((*path, name))
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            found += sections(info.annotation, (*path, name))
    return found


def mutated(seed: int, corpus: Path, root: Path) -> tuple[str, list[str], str | None]:
    """Return a configuration's text, overrides, and the key an error must name (None where it may be fine)."""
    r = random.Random(seed)
    data: dict[str, Any] = {"input": {"path": str(corpus)}, "output": {"root": str(root)}}
    kind = r.random()
    if kind < 0.15:
        return r.choice(BROKEN), [], None
    if kind < 0.3:
        return yaml.safe_dump(data), [r.choice(SETS)], None
    path = r.choice(sections(NightlyConfig))
    if kind < 0.5:
        path = (*path[:-1], path[-1] + r.choice(("s", "_", "x", "X", " ", "é")))
    value = r.choice(WRONG)
    node = data
    for part in path[:-1]:
        node = node.setdefault(part, {}) if isinstance(node.get(part, {}), dict) else node
    node[path[-1]] = value
    return yaml.safe_dump(data, allow_unicode=True), [], path[-1]


def test_a_random_configuration_is_accepted_or_refused_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main, problems, outcomes = runpy.run_path(str(JOB))["main"], [], Counter[int]()
    for seed in range(CONFIGURATIONS):
        text, sets, key = mutated(seed, tmp_path / "no-corpus", tmp_path / "out")
        path = tmp_path / f"{seed}.yaml"
        path.write_text(text, encoding="utf-8")
        says = io.StringIO()
        with contextlib.redirect_stderr(says), contextlib.redirect_stdout(says):
            try:
                code = main(["--config", str(path), "--run-date", "2026-10-05", *(["--set", *sets] if sets else [])])
            except SystemExit as error:
                code = int(error.code or 0)
            except BaseException as error:
                problems.append(f"{seed}: {type(error).__name__}: {error}\n{text}{sets}")
                continue
        outcomes[code] += 1
        message = says.getvalue()
        if code not in (DataError.exit_code, ConfigError.exit_code) or "Traceback" in message:
            problems.append(f"{seed}: exit code {code}\n{text}{sets}\n{message}")
        elif code == ConfigError.exit_code and key is not None and key.strip() not in message:
            problems.append(f"{seed}: does not name {key}\n{text}\n{message}")
        elif "RecursionError" in message or "Error:" in message:
            problems.append(f"{seed}: not in plain words\n{text}{sets}\n{message}")
    print(dict(outcomes))
    assert not problems, "\n".join(problems)
    assert min(outcomes[1], outcomes[2]) > 20
