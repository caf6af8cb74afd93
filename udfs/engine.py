"""The inference engine: Arrow batches of texts in, Arrow batches of results out. Knows no Spark; usable on plain files.

A window of many Arrow batches is tokenised at once, its chunks are sorted by length and go through the encoder in micro-batches
of a token budget; the results are flat arrays, one row per text in the order of the input. Memory is bounded by one window, or
two on a GPU, where the next window is tokenised while this one is computed.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from udfs.embedding import Embedder
from udfs.language import Language, LanguageIdentifier
from udfs.models.centroids import Centroids, load_centroids
from udfs.models.encoder import load_encoder
from udfs.models.head import Head, load_head
from udfs.models.tokenise import Chunks
from udfs.results import RESULTS
from udfs.spec import ScoreSpec
from udfs.windows import windows

_OUTPUT_ROWS = 4_096
_POSITIVE, _NEGATIVE = "positive", "negative"
Batch = NDArray[np.int64]
T = TypeVar("T")
P = TypeVar("P")


@dataclass
class _Window:
    """What is known of the texts of one window; all arrays have one entry per text."""

    table: pa.Table
    texts: list[str]
    languages: list[Language]
    n_chars: NDArray[np.int32]
    errors: list[str | None]


class Engine:
    """Loaded models on one device. One engine per worker process; not safe for threads."""

    def __init__(self, spec: ScoreSpec) -> None:
        """Load and verify every model of `spec`.

        Raises:
            ModelFileError: a model is missing, unsafe or not the locked one.
        """
        self._spec = spec
        encoder = load_encoder(spec.encoder, spec.device, spec.runtime)
        on_cpu = None if encoder.device.type == "cpu" else lambda: load_encoder(spec.encoder, "cpu")
        self._embedder = Embedder(encoder, spec.token_budget, on_cpu)
        # a CPU has nothing to gain: its cores are busy with the model
        self._overlaps = encoder.device.type != "cpu"
        self._head: Head | None = load_head(spec.sentiment) if spec.sentiment else None
        self._topics: Centroids | None = load_centroids(spec.topics.path, spec.topics.sha256) if spec.topics else None
        covered = _both(spec.encoder.languages, spec.sentiment.languages if spec.sentiment else ("*",))
        self._identifier = LanguageIdentifier(spec.language, covered)

    def score(
        self, batches: Iterable[pa.RecordBatch], on_window: Callable[[int, int], None] = lambda rows, tokens: None
    ) -> Iterator[pa.RecordBatch]:
        """Score batches of `udfs.results.TEXTS`; yield batches of `udfs.results.RESULTS`, same rows in the same order.

        Args:
            on_window: told the rows and tokens of each finished window.
        """
        tables = windows(batches, self._spec.window_rows or self._embedder.encoder.window_rows, self._spec.window_bytes)
        for prepared in _one_ahead(self._prepare, tables) if self._overlaps else map(self._prepare, tables):
            result, tokens = self._score_window(*prepared)
            yield from result.to_batches(max_chunksize=_OUTPUT_ROWS)
            on_window(result.num_rows, tokens)

    def _prepare(self, table: pa.Table) -> tuple[_Window, Chunks, list[int]]:
        """Do what needs no model: languages and tokens. Returns the window, its chunks and the rows that were tokenised."""
        window = self._read(table)
        wanted = np.flatnonzero([error is None for error in window.errors])
        return window, *self._tokenise(window, wanted)

    def _score_window(self, window: _Window, chunks: Chunks, tokenised: list[int]) -> tuple[pa.Table, int]:
        vectors, failed = self._embedder.embed(chunks, len(tokenised))
        for position in failed:
            window.errors[tokenised[position]] = "MODEL"
        finite = np.isfinite(vectors).all(axis=1)
        for position in np.flatnonzero(~finite).tolist():
            window.errors[tokenised[position]] = window.errors[tokenised[position]] or "NON_FINITE"
        scored = np.array([window.errors[i] is None for i in tokenised], dtype=bool)
        result = self._results(window, chunks, tokenised, vectors, scored)
        return result, int(chunks.n_read.sum())

    def _read(self, table: pa.Table) -> _Window:
        """Identify languages; cut texts at `max_chars`."""
        texts = table.column("text").to_pylist()
        hints = table.column("lang_hint").to_pylist()
        languages = [
            self._identifier.declared(hint) if hint else self._identifier.identify(text)
            for hint, text in zip(hints, texts, strict=True)
        ]
        errors = [None if language.is_covered else "LANG_UNSUPPORTED" for language in languages]
        n_chars = np.fromiter((len(text) for text in texts), np.int32, len(texts))
        return _Window(table, [text[: self._spec.max_chars] for text in texts], languages, n_chars, errors)

    def _tokenise(self, window: _Window, wanted: Batch) -> tuple[Chunks, list[int]]:
        """Tokenise the wanted texts; a text the tokenizer fails on gets an error of its own."""
        spec = self._spec.encoder

        def chunks(rows: list[int]) -> Chunks:
            return self._embedder.encoder.tokenizer.chunks(
                [window.texts[i] for i in rows], spec.max_tokens, self._spec.max_chunks
            )

        rows = wanted.tolist()
        try:
            return chunks(rows), rows
        except Exception:
            good = []
            for i in rows:
                try:
                    chunks([i])
                    good.append(i)
                except Exception:
                    window.errors[i] = "TOKENISE"
        return chunks(good), good

    def _results(
        self, window: _Window, chunks: Chunks, rows: list[int], vectors: NDArray[np.float32], scored: NDArray[np.bool_]
    ) -> pa.Table:
        n = len(window.texts)
        place = np.full(n, -1)
        place[np.asarray(rows, np.int64)[scored]] = np.flatnonzero(scored)
        has = place >= 0
        embeddings = vectors[place[has]]
        columns = {
            "content_key": window.table.column("content_key"),
            "lang_hint": window.table.column("lang_hint"),
            "lang": pa.array([language.code for language in window.languages], pa.string()),
            "lang_confidence": pa.array([language.confidence for language in window.languages], pa.float64()),
            "n_chars": pa.array(window.n_chars),
            **self._reading(window, chunks, rows),
            "embedding": _vector_column(embeddings, has),
            **self._sentiment(embeddings, has),
            **self._topic(embeddings, has),
            "error_code": pa.array(window.errors, pa.string()),
        }
        return pa.table([columns[name] for name in RESULTS.names], schema=RESULTS)

    def _reading(self, window: _Window, chunks: Chunks, rows: list[int]) -> dict[str, pa.Array]:
        """Say how much of each text the model read: the share of its tokens times the share of its characters not cut off."""
        n = len(window.texts)
        n_tokens, n_chunks, share, known = np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(n), np.zeros(n, bool)
        known[rows] = True
        n_tokens[rows] = chunks.n_tokens
        n_chunks[rows] = np.bincount(chunks.text, minlength=len(rows))
        share[rows] = np.where(chunks.n_tokens > 0, chunks.n_read / np.maximum(chunks.n_tokens, 1), 1.0)
        kept = np.minimum(window.n_chars, self._spec.max_chars) / np.maximum(window.n_chars, 1)
        scored = np.array([error is None for error in window.errors], dtype=bool)
        return {
            "n_tokens": pa.array(n_tokens, mask=~known),
            "n_chunks": pa.array(n_chunks, mask=~known),
            "coverage": pa.array(np.where(scored, np.round(share * kept, 6), 0.0)),
        }

    def _sentiment(self, embeddings: NDArray[np.float32], has: NDArray[np.bool_]) -> dict[str, pa.Array]:
        if self._head is None:
            nothing = {"sentiment": pa.string(), "sentiment_score": pa.float64(), "sentiment_confidence": pa.float64()}
            return {name: pa.nulls(len(has), dtype) for name, dtype in nothing.items()}
        probabilities = self._head.probabilities(embeddings)
        labels = np.array(self._head.labels, dtype=object)[probabilities.argmax(axis=1)] if len(embeddings) else []
        positive = probabilities[:, self._head.labels.index(_POSITIVE)]
        negative = probabilities[:, self._head.labels.index(_NEGATIVE)]
        return {
            "sentiment": _spread(pa.array(labels, pa.string()), has),
            "sentiment_score": _spread(pa.array(np.round(positive - negative, 6)), has),
            "sentiment_confidence": _spread(pa.array(np.round(probabilities.max(axis=1, initial=0.0), 6)), has),
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


def _both(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """Return the languages two models cover together."""
    if "*" in first:
        return second
    return first if "*" in second else tuple(sorted(set(first) & set(second)))
