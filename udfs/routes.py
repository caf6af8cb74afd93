"""Models by language: each route tokenises, embeds and judges the texts of a window that fall to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from udfs.embedding import Embedder, Vectors
from udfs.models.encoder import load_encoder
from udfs.models.head import Head, load_head
from udfs.models.spec import FLOAT32, covers
from udfs.models.tokenise import Chunks
from udfs.spec import RouteSpec, ScoreSpec


@dataclass
class Share:
    """The part of a window that falls to one route: its chunks, and the window's rows they belong to, in order."""

    chunks: Chunks
    rows: list[int]


class Route:
    """One encoder and its sentiment head, loaded."""

    def __init__(self, spec: RouteSpec, whole: ScoreSpec, *, is_first: bool) -> None:
        """Load and verify; the first route computes in the runtime of `whole`, the others in float32."""
        self.spec = spec
        runtime = whole.runtime if is_first else FLOAT32
        encoder = load_encoder(spec.encoder, whole.device, runtime)
        on_cpu = None if encoder.device.type == "cpu" else lambda: load_encoder(spec.encoder, "cpu")
        self.embedder = Embedder(encoder, whole.token_budget, on_cpu)
        self.head: Head | None = load_head(spec.sentiment) if spec.sentiment else None
        self._languages = spec.languages()

    def covers(self, lang: str) -> bool:
        """Return whether this route's models cover a language."""
        return covers(self._languages, lang)

    def tokenise(self, texts: Sequence[str], rows: list[int], max_chunks: int) -> tuple[Share, list[int]]:
        """Tokenise the rows of a window; also return the rows the tokenizer fails on, each tried alone in the end."""

        def chunks(some: Sequence[int]) -> Chunks:
            tokenizer = self.embedder.encoder.tokenizer
            return tokenizer.chunks([texts[i] for i in some], self.spec.encoder.max_tokens, max_chunks)

        try:
            return Share(chunks(rows), rows), []
        except Exception:
            good, bad = [], []
            for row in rows:
                try:
                    chunks([row])
                    good.append(row)
                except Exception:
                    bad.append(row)
        return Share(chunks(good), good), bad

    def embed(self, share: Share) -> tuple[Vectors, list[int], list[int]]:
        """Return the vectors of a share's rows, the rows the model failed on, and those whose vectors are not finite."""
        vectors, failed = self.embedder.embed(share.chunks, len(share.rows))
        finite = np.isfinite(vectors.embeddings).all(axis=1) & np.isfinite(vectors.head_inputs).all(axis=1)
        return vectors, [share.rows[i] for i in failed], [share.rows[i] for i in np.flatnonzero(~finite)]


def load_routes(spec: ScoreSpec) -> list[Route]:
    """Load every route of a spec.

    Raises:
        ModelFileError: a model is missing, unsafe or not the locked one.
    """
    return [Route(route, spec, is_first=i == 0) for i, route in enumerate(spec.routes())]


def sentiment_of(
    head: Head, probabilities: NDArray[np.float64]
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Return labels, scores P(positive) - P(negative) and confidences of (n, 3) probabilities, rounded to 6 decimals."""
    labels = [head.labels[i] for i in probabilities.argmax(axis=1)]
    positive, negative = (probabilities[:, head.labels.index(name)] for name in ("positive", "negative"))
    return labels, np.round(positive - negative, 6), np.round(probabilities.max(axis=1, initial=0.0), 6)
