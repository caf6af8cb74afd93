"""Evaluating the models of a run on labelled rows: metrics per set and language, and per class."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.errors import DataError
from pipeline.labelled import CONTENT_KEY, LABEL, LANG_HINT, SET_NAME, TEXT, LabelledSet
from pipeline.metrics import evaluate
from pipeline.placement import measured
from pipeline.schemas import SENTIMENTS
from pipeline.scoring import scored
from udfs.spec import ScoreSpec
from udfs.worker import Counters

_BINARY = ("negative", "positive")
Row = dict[str, Any]
MAX_ROWS = 2_000_000
"""Labelled rows of an evaluation; they are judged on the driver."""


def with_scores(labelled: DataFrame, spec: ScoreSpec) -> DataFrame:
    """Score each distinct text of labelled rows once and give every row its result's columns."""
    context = labelled.sparkSession.sparkContext
    counters = Counters(context.accumulator(0), context.accumulator(0), context.accumulator(0))
    texts = (
        labelled.groupBy(CONTENT_KEY, LANG_HINT).agg(F.first(TEXT).alias(TEXT)).persist(StorageLevel.MEMORY_AND_DISK)
    )
    results = scored(texts, measured(texts, spec), spec, counters)
    # one result per (content_key, lang_hint)
    return labelled.drop(TEXT).join(results, on=[CONTENT_KEY, LANG_HINT], how="inner")


def evaluate_sets(results: DataFrame, sets: Sequence[LabelledSet]) -> list[Row]:
    """Return one row per set and language, languages and classes together first, with the metrics' fields.

    Rows without a score (a language the model does not cover, an error) are counted in `n_unscored` and are not judged.

    Raises:
        DataError: there are more than `MAX_ROWS` rows.
    """
    columns = [SET_NAME, LABEL, "lang", "sentiment", "sentiment_score", "sentiment_confidence"]
    frame = results.select(*columns).limit(MAX_ROWS + 1).toPandas()  # bounded: MAX_ROWS rows of six short columns
    if len(frame) > MAX_ROWS:
        raise DataError(
            f"sets: hold more than {MAX_ROWS:,} labelled rows together; evaluate fewer sets at once, or a sample"
        )
    binary = {s.name for s in sets if s.binary}
    rows: list[Row] = []
    for name, of_set in frame.groupby(SET_NAME, sort=True):
        groups = [("*", of_set), *((str(lang), part) for lang, part in of_set.groupby("lang", sort=True))]
        for lang, part in groups:
            rows += _evaluate_group(str(name), lang, part, is_binary=name in binary)
    return rows


def _evaluate_group(name: str, lang: str, part: Any, *, is_binary: bool) -> list[Row]:
    judged = part[part["sentiment"].notna()]
    base = {"set_name": name, "lang": lang, "n": len(judged), "n_unscored": len(part) - len(judged)}
    if judged.empty:
        return [{**base, "label": "*"}]
    gold = judged[LABEL].tolist()
    if is_binary:
        predicted = [_BINARY[int(score >= 0)] for score in judged["sentiment_score"]]
        metrics = evaluate(gold, predicted, None, _BINARY)
    else:
        metrics = evaluate(gold, judged["sentiment"].tolist(), judged["sentiment_confidence"].tolist(), SENTIMENTS)
    overall = {
        "label": "*",
        "accuracy": metrics.accuracy,
        "macro_f1": metrics.macro_f1,
        "calibration_error": None if is_binary else metrics.calibration_error,
    }
    classes = [
        {**base, "label": c.label, "n": c.n, "precision": c.precision, "recall": c.recall, "f1": c.f1}
        for c in metrics.classes
    ]
    return [{**base, **overall}, *classes]


def write_evaluation(rows: Sequence[Row], spec: ScoreSpec, folder: Path) -> tuple[Path, Path]:
    """Write `evaluation.parquet` (one row per set, language and class) and `evaluation.json` to a folder; return both paths."""
    import json

    import pyarrow as pa
    import pyarrow.parquet as pq

    number, text = pa.float64(), pa.string()
    schema = pa.schema(
        [
            ("set_name", text),
            ("lang", text),
            ("label", text),
            ("n", pa.int64()),
            ("n_unscored", pa.int64()),
            ("accuracy", number),
        ]
        + [(c, number) for c in ("macro_f1", "calibration_error", "precision", "recall", "f1")]
        + [("model_key", text)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    table_path, json_path = folder / "evaluation.parquet", folder / "evaluation.json"
    full = [{**dict.fromkeys(schema.names), **row, "model_key": spec.model_key()} for row in rows]
    pq.write_table(pa.Table.from_pylist(full, schema=schema), table_path)
    json_path.write_text(json.dumps({"model_key": spec.model_key(), "rows": full}, indent=1) + "\n", encoding="utf-8")
    return table_path, json_path
