"""Scores of texts, each computed once: from the night's store, the node's cache, another process, or the model.

One scorer per worker process. The engine is loaded when a text is met that nothing else knows.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from udfs.results import RESULTS, TEXTS
from udfs.spec import ScoreSpec
from udfs.sql.cache import ResultCache, Row, result_key
from udfs.sql.spec import SqlSpec
from udfs.sql.store_index import StoreIndex
from udfs.sql.texts import content_key
from udfs.worker import configure_threads, device_of_task

SETTLED = ("LANG_UNSUPPORTED",)
"""Codes that a repetition would not change; only results and these are kept."""
_CLAIMED_AT_ONCE = 4_096
"""Texts: enough for the engine to sort by length, few enough for processes to share the work."""
_POLL_SEC, _MAX_POLL_SEC = 0.05, 0.5
_MAX_ENGINES = 4


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model says of one text.

    Attributes:
        score: P(positive) - P(negative).
        coverage: share of the text that the model read.
        vector: (d,) float32 unit embedding; None where there is an error, or where it was not asked for.
        error: None, or a code of `udfs.results`.
    """

    lang: str | None
    sentiment: str | None
    score: float | None
    confidence: float | None
    model: str | None
    coverage: float | None
    error: str | None
    vector: NDArray[np.float32] | None


_engines: dict[ScoreSpec, Any] = {}


def engine_of(spec: ScoreSpec) -> Any:
    """Return this process' engine of a spec; a few are kept, the one used longest ago goes first."""
    engine = _engines.pop(spec, None)
    if engine is None:
        configure_threads()
        from udfs.engine import Engine

        engine = Engine(replace(spec, device=device_of_task(spec.device)))
    _engines[spec] = engine
    while len(_engines) > _MAX_ENGINES:
        del _engines[next(iter(_engines))]
    return engine


def run_engine(spec: ScoreSpec, texts: Sequence[str], hints: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Score texts, whatever is known of them; yield columns of `RESULTS` by name, a batch at a time, in order."""
    keys = [""] * len(texts)
    batch = pa.RecordBatch.from_arrays([pa.array(c, pa.string()) for c in (keys, hints, texts)], schema=TEXTS)
    for result in engine_of(spec).score([batch]):
        yield {name: result.column(name) for name in RESULTS.names}


class Scorer:
    """Answers for the functions of one process."""

    def __init__(self, spec: SqlSpec) -> None:
        self.spec = spec
        self.cache = ResultCache(spec.cache)
        self._index = {
            key: StoreIndex(Path(spec.index), key) for key in {m.scoring.model_key() for m in spec.models} if spec.index
        }
        self._keys: dict[ScoreSpec, str] = {}

    def scores(
        self, spec: ScoreSpec, texts: Sequence[str], function: str, vectors: bool = True, hint: str = ""
    ) -> list[Scored]:
        """Return the scores of distinct normalised texts, not empty, in order.

        Args:
            function: what the texts that are really scored count for.
            hint: the language of all of them, where it is known.
        """
        key = self.model_key(spec)
        digests = [content_key(text) for text in texts]
        known: dict[int, Row] = {}
        if not hint and key in self._index and digests:
            known = self._index[key].get(digests)
        left = [i for i in range(len(texts)) if i not in known]
        keys = {result_key(key, hint, digests[i]): i for i in left}
        rows = self.once(
            list(keys),
            lambda some: self.cache.get(some, vectors),
            lambda some: self._score(spec, some, [texts[keys[k]] for k in some], function, hint),
        )
        known |= {i: rows[k] for k, i in keys.items()}
        return [_scored(known[i]) for i in range(len(texts))]

    def once(
        self,
        keys: Sequence[bytes],
        read: Callable[[Sequence[bytes]], dict[bytes, Any]],
        compute: Callable[[Sequence[bytes]], dict[bytes, Any]],
        derived: bool = False,
        at_once: int = _CLAIMED_AT_ONCE,
    ) -> dict[bytes, Any]:
        """Return a value for each key: read it, compute it under a claim, or wait for the process that computes it.

        A process computes what it has claimed before it waits, so two that wait for each other cannot be.
        """
        found = read(keys)
        left = [k for k in keys if k not in found]
        deadline, pause = time.monotonic() + self.spec.cache.wait_sec, _POLL_SEC
        while left:
            is_late = time.monotonic() > deadline
            progress = False
            for start in range(0, len(left), at_once):
                some = left[start : start + at_once]
                mine = some if is_late else self.cache.claim(some, derived)
                if mine:
                    progress, pause = True, _POLL_SEC
                    try:
                        found |= compute(mine)
                    finally:
                        self.cache.release(mine)
            left = [k for k in left if k not in found]
            if left:
                found |= read(left)
                left = [k for k in left if k not in found]
            if left and not progress:
                time.sleep(pause)
                pause = min(2 * pause, _MAX_POLL_SEC)
        return found

    def model_key(self, spec: ScoreSpec) -> str:
        """Return the fingerprint of a spec; computed once."""
        if spec not in self._keys:
            self._keys[spec] = spec.model_key()
        return self._keys[spec]

    def _score(
        self, spec: ScoreSpec, keys: Sequence[bytes], texts: Sequence[str], function: str, hint: str
    ) -> dict[bytes, Row]:
        rows: list[Row] = []
        for columns in run_engine(spec, texts, [hint] * len(texts)):
            rows += _cache_rows(columns)
        self.cache.count(self.model_key(spec), function, len(texts))
        self.cache.put([(k, *row) for k, row in zip(keys, rows, strict=True) if row[6] is None or row[6] in SETTLED])
        return dict(zip(keys, rows, strict=True))


def _cache_rows(columns: dict[str, Any]) -> list[Row]:
    """Turn columns of `RESULTS` into rows of `udfs.sql.cache.COLUMNS`."""
    names = (
        "lang", "sentiment", "sentiment_score", "sentiment_confidence", "sentiment_model", "coverage", "error_code",
    )  # fmt: skip
    embeddings = columns["embedding"]
    flat = embeddings.flatten().to_numpy(zero_copy_only=False)
    valid = embeddings.is_valid().to_pylist()
    dim = len(flat) // max(sum(valid), 1)
    vectors = iter(flat.reshape(sum(valid), dim) if any(valid) else ())
    blobs = [next(vectors).tobytes() if there else None for there in valid]
    return list(zip(*(columns[name].to_pylist() for name in names), blobs, strict=True))


def _scored(row: Row) -> Scored:
    lang, sentiment, score, confidence, model, coverage, error, vector = row
    unit = None if vector is None else np.frombuffer(vector, "<f4")
    return Scored(lang, sentiment, score, confidence, model, coverage, error, unit)


@cache
def scorer_of(spec: SqlSpec) -> Scorer:
    """Return this process' scorer."""
    return Scorer(spec)
