"""Why a text was, or would be, scored again: what the stores hold of its key, and what of the model key has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pipeline.config import NightlyConfig
from pipeline.documents import CONTENT_KEY, DOC_ID, LANG_HINT, RUN_DATE
from pipeline.history import read_history
from pipeline.manifest import published_runs
from pipeline.operations.compaction import model_keys
from pipeline.operations.corpus_rows import rows_of
from pipeline.operations.forgotten import Subject
from pipeline.preflight import inspect_corpus
from pipeline.schemas import DOC_SCORES
from pipeline.store import SETTLED_ERRORS, ScoreStore
from pipeline.text import content_key, language_hint, normalised
from udfs.spec import ScoreSpec


@dataclass(frozen=True)
class Key:
    """What a text is known by in a score store; `origin` says where it was taken from."""

    content_key: str
    lang_hint: str
    origin: str


def key_of_text(spark: SparkSession, text: str, lang: str | None) -> Key:
    """Return the key of a text as the corpus would hold it."""
    row = spark.range(1).select(
        content_key(normalised(F.lit(text))).alias("key"), language_hint(F.lit(lang or "")).alias("hint")
    )
    found = row.first()
    assert found is not None
    return Key(found["key"], found["hint"], "the text given")


def keys_of_document(
    spark: SparkSession, root: Path, config: NightlyConfig, doc_id: str
) -> tuple[list[Key], list[str]]:
    """Return the keys of a document's text in the corpus as it is now, and what of it was published under another text."""
    rows = rows_of(spark, config.input, inspect_corpus(config.input), Subject(ids=(doc_id,)))
    now = rows.select(RUN_DATE, CONTENT_KEY, LANG_HINT).collect()  # bounded: the nights of one id
    keys = [Key(r[CONTENT_KEY], r[LANG_HINT], f"the corpus, night {r[RUN_DATE]}") for r in sorted(now)]
    current = {r[RUN_DATE]: r[CONTENT_KEY] for r in now}
    history = read_history(spark, root, DOC_SCORES, list(published_runs(root))).where(F.col(DOC_ID) == doc_id)
    notes = []
    for row in history.select(RUN_DATE, CONTENT_KEY, "model_key").collect():  # bounded: the nights of one id
        night, key = row[RUN_DATE], row[CONTENT_KEY]
        if current.get(night, key) != key:
            notes.append(f"text: night {night} was published with another text ({key[:12]}) than the corpus has now")
        elif night not in current:
            notes.append(f"corpus: night {night} was published with the document, the corpus lacks it now")
    return keys, notes


def explain(spark: SparkSession, root: Path, spec: ScoreSpec, key: Key) -> list[str]:
    """Say in lines whether the key is found under the present model key, and if not, why."""
    wanted = spark.createDataFrame([(key.content_key, key.lang_hint)], "content_key string, lang_hint string")
    model_key = spec.model_key()
    lines = [
        f"key: {key.content_key} {key.lang_hint or '(no language declared)'}, from {key.origin}",
        f"model key: {model_key}",
    ]
    row = ScoreStore(spark, root, model_key).lookup(wanted).select("error_code").first()
    if row is not None:
        code = row["error_code"]
        if code is None or code in SETTLED_ERRORS:
            return [*lines, f"hit: the store has its result{f', {code}, which would come again' if code else ''}"]
        return [*lines, f"scored again: error: the store has {code} for it, which is tried again"]
    misses = []
    for other in model_keys(root):
        store = ScoreStore(spark, root, other)
        if other != model_key and store.lookup(wanted).select("error_code").first() is not None:
            changed = changes(store.description(), spec.key_parts())
            misses.append(f"scored again: it is in the store of {other}; since then changed: {', '.join(changed)}")
    if misses:
        return lines + misses
    hints = [hint or "(none)" for hint in ScoreStore(spark, root, model_key).languages(key.content_key)]
    if hints:
        return [*lines, f"scored again: declared language: its text is stored under {', '.join(hints)}"]
    return [*lines, "scored again: text: no store under this root has this text"]


def changes(then: Mapping[str, Any] | None, now: Mapping[str, Any]) -> list[str]:
    """Name the parts of a model key that differ: `engine version`, `model (encoder)`, `settings (max_chars)` and so on."""
    if then is None:
        return ["not known: a version of Nightjar made that store which did not say what its key stands for"]
    before, after = _plain(then), _plain(now)
    differing = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    return [_NAMES.get(name, f"settings ({name})") for name in differing] or ["nothing that is recorded"]


_NAMES = {
    "engine": "engine version",
    "encoder": "model (encoder)",
    "sentiment": "model (sentiment head)",
    "language": "settings or model of language identification",
    "others": "models of other languages",
    "precision": "settings (mode, runtime and precision)",
}


def _plain(value: Any) -> Any:
    """Turn tuples into lists, as JSON does."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(v) for v in value]
    return value
