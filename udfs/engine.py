"""The inference engine: Arrow batches of texts in, Arrow batches of results out. Knows no Spark; usable on plain files.

A window of many Arrow batches is tokenised at once, its chunks are sorted by length and go through the encoder in micro-batches
of a token budget; the results are flat arrays, one row per text in the order of the input. A text goes to the first route
(encoder and head) that covers its language. Memory is bounded by one window, or two on a GPU, where the next window is tokenised
while this one is computed.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from udfs.language import Language, LanguageIdentifier
from udfs.models.centroids import Centroids, load_centroids
from udfs.results import RESULTS, chars_of
from udfs.routes import Share, load_routes, sentiment_of
from udfs.spec import ScoreSpec
from udfs.windows import windows

_OUTPUT_ROWS = 4_096
T = TypeVar("T")
P = TypeVar("P")


@dataclass
class _Window:
    """What is known of the texts of one window; all arrays have one entry per text, `shares` one per route."""

    table: pa.Table
    texts: list[str]
    languages: list[Language]
    n_chars: NDArray[np.int32]
    errors: list[str | None]
    shares: list[Share]


@dataclass
class _Judged:
    """What the models say of the texts of one window; all arrays have one entry per text, meaningless where it has an error."""

    embeddings: NDArray[np.float32]
    labels: NDArray[np.object_]
    scores: NDArray[np.float64]
    confidences: NDArray[np.float64]
    models: NDArray[np.object_]


class Engine:
    """Loaded models on one device. One engine per worker process; not safe for threads."""

    def __init__(self, spec: ScoreSpec) -> None:
        """Load and verify every model of `spec`.

        Raises:
            ModelFileError: a model is missing, unsafe or not the locked one.
        """
        self._spec = spec
        self._routes = load_routes(spec)
        self._embedder = self._routes[0].embedder
        # a CPU has nothing to gain: its cores are busy with the model
        self._overlaps = self._embedder.encoder.device.type != "cpu"
        self._topics: Centroids | None = load_centroids(spec.topics.path, spec.topics.sha256) if spec.topics else None
        self._identifier = LanguageIdentifier(spec.language, spec.languages())

    def score(
        self, batches: Iterable[pa.RecordBatch], on_window: Callable[[int, int], None] = lambda rows, tokens: None
    ) -> Iterator[pa.RecordBatch]:
        """Score batches of `udfs.results.TEXTS`; yield batches of `udfs.results.RESULTS`, same rows in the same order.

        Args:
            on_window: told the rows and tokens of each finished window.
        """
        tables = windows(batches, self._spec.window_rows or self._embedder.encoder.window_rows, self._spec.window_bytes)
        for window in _one_ahead(self._prepare, tables) if self._overlaps else map(self._prepare, tables):
            result = self._results(window, self._judge(window))
            yield from result.to_batches(max_chunksize=_OUTPUT_ROWS)
            on_window(result.num_rows, sum(int(share.chunks.n_read.sum()) for share in window.shares))

    def _prepare(self, table: pa.Table) -> _Window:
        """Do what needs no model: languages, routes and tokens."""
        window = self._read(table)
        waiting = [i for i, error in enumerate(window.errors) if error is None]
        for route in self._routes:
            rows = [i for i in waiting if route.covers(window.languages[i].scored_as or "")]
            share, failed = route.tokenise(window.texts, rows, self._spec.max_chunks)
            for i in failed:
                window.errors[i] = "TOKENISE"
            window.shares.append(share)
            waiting = sorted(set(waiting) - set(rows))
        return window

    def _judge(self, window: _Window) -> _Judged:
        """Embed and judge every share; a text that fails gets an error of its own."""
        n = len(window.texts)
        judged = _Judged(
            np.zeros((n, self._spec.encoder.dim), np.float32),
            np.full(n, None, object),
            np.zeros(n),
            np.zeros(n),
            np.full(n, None, object),
        )
        for route, share in zip(self._routes, window.shares, strict=True):
            vectors, failed, not_finite = route.embed(share)
            for code, rows in (("MODEL", failed), ("NON_FINITE", not_finite)):
                for i in rows:
                    window.errors[i] = window.errors[i] or code
            place = np.asarray(share.rows, np.int64)
            judged.embeddings[place] = vectors.embeddings
            if route.head is None or route.spec.sentiment is None:
                continue
            # a text that failed takes zeros to the head, and what comes of it is dropped
            inputs = np.nan_to_num(vectors.head_inputs, nan=0.0, posinf=0.0, neginf=0.0)
            probabilities = route.head.probabilities(inputs)
            for k in np.flatnonzero(~np.isfinite(probabilities).all(axis=1)):
                window.errors[share.rows[k]] = window.errors[share.rows[k]] or "NON_FINITE"
            labels, scores, confidences = sentiment_of(route.head, probabilities)
            judged.labels[place], judged.scores[place], judged.confidences[place] = labels, scores, confidences
            judged.models[place] = route.spec.sentiment.name
        return judged

    def _read(self, table: pa.Table) -> _Window:
        """Identify languages; cut texts at `max_chars`."""
        texts = table.column("text").to_pylist()
        hints = table.column("lang_hint").to_pylist()
        languages = [
            self._identifier.declared(hint) if hint else self._identifier.identify(text)
            for hint, text in zip(hints, texts, strict=True)
        ]
        errors = [None if language.scored_as is not None else "LANG_UNSUPPORTED" for language in languages]
        n_chars = np.array(chars_of(table), np.int32)
        return _Window(table, [text[: self._spec.max_chars] for text in texts], languages, n_chars, errors, [])

    def _results(self, window: _Window, judged: _Judged) -> pa.Table:
        has = np.array([error is None for error in window.errors], dtype=bool)
        judges = has & np.array([label is not None for label in judged.labels], dtype=bool)
        columns = {
            "content_key": window.table.column("content_key"),
            "lang_hint": window.table.column("lang_hint"),
            "lang": pa.array([language.code for language in window.languages], pa.string()),
            "lang_confidence": pa.array([language.confidence for language in window.languages], pa.float64()),
            "n_chars": pa.array(window.n_chars),
            **self._reading(window, has),
            "embedding": _vector_column(judged.embeddings[has], has),
            "sentiment": pa.array(judged.labels, pa.string(), mask=~judges),
            "sentiment_score": pa.array(judged.scores, mask=~judges),
            "sentiment_confidence": pa.array(judged.confidences, mask=~judges),
            "sentiment_model": pa.array(judged.models, pa.string(), mask=~judges),
            **self._topic(judged.embeddings[has], has),
            "error_code": pa.array(window.errors, pa.string()),
        }
        return pa.table([columns[name] for name in RESULTS.names], schema=RESULTS)

    def _reading(self, window: _Window, has: NDArray[np.bool_]) -> dict[str, pa.Array]:
        """Say how much of each text the model read: the share of its tokens times the share of its characters not cut off."""
        n = len(window.texts)
        n_tokens, n_chunks, share, known = np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(n), np.zeros(n, bool)
        for part in window.shares:
            chunks, rows = part.chunks, part.rows
            known[rows] = True
            n_tokens[rows] = chunks.n_tokens
            n_chunks[rows] = np.bincount(chunks.text, minlength=len(rows))
            share[rows] = np.where(chunks.n_tokens > 0, chunks.n_read / np.maximum(chunks.n_tokens, 1), 1.0)
        kept = np.minimum(window.n_chars, self._spec.max_chars) / np.maximum(window.n_chars, 1)
        return {
            "n_tokens": pa.array(n_tokens, mask=~known),
            "n_chunks": pa.array(n_chunks, mask=~known),
            "coverage": pa.array(np.where(has, np.round(share * kept, 6), 0.0)),
        }

    def _topic(self, embeddings: NDArray[np.float32], has: NDArray[np.bool_]) -> dict[str, pa.Array]:
        if self._topics is None or self._spec.topics is None:
            nothing = {"topic_model_key": pa.string(), "topic_id": pa.int64(), "topic_distance": pa.float64()}
            return {name: pa.nulls(len(has), dtype) for name, dtype in nothing.items()}
        ids, distances = self._topics.nearest(embeddings)
        return {
            "topic_model_key": _spread(pa.array([self._spec.topics.key] * len(ids), pa.string()), has),
            "topic_id": _spread(pa.array(ids), has),
            "topic_distance": _spread(pa.array(distances), has),
        }


def _one_ahead(prepare: Callable[[T], P], items: Iterable[T]) -> Iterator[P]:
    """Apply `prepare` to items in order, in a thread, one item ahead of the caller; items are read in the caller's thread.

    An error of the thread is raised where its result is due. Closing the generator ends the thread.
    """
    with ThreadPoolExecutor(1, "prepare") as pool:
        coming: deque[Future[P]] = deque()
        for item in items:
            coming.append(pool.submit(prepare, item))
            if len(coming) == 2:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def _spread(values: pa.Array, has: NDArray[np.bool_]) -> pa.Array:
    """Place (m,) values at the m true places of (n,) `has`; null elsewhere."""
    return values.take(pa.array(np.cumsum(has) - 1, mask=~has))


def _vector_column(vectors: NDArray[np.float32], has: NDArray[np.bool_]) -> pa.Array:
    """Make a list<float> column out of (m, d) rows without touching single floats; null where `has` is false."""
    dim = vectors.shape[1]
    offsets = np.concatenate([[0], np.cumsum(has) * dim]).astype(np.int32)
    mask = pa.array(~has)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(vectors.reshape(-1)), mask=mask)
