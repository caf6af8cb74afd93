"""What travels to executors: small frozen descriptions of models, never the models themselves.

A spec pickles to a few kilobytes. The worker process builds the model from it once (see `udfs.worker`) and checks every
file against the sha256 the driver recorded.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

from udfs.language import LanguageSpec
from udfs.models.files import combined_digest
from udfs.models.spec import FLOAT32, EncoderSpec, FileDigest, HeadSpec, Runtime, covers

__all__ = ["EncoderSpec", "FileDigest", "HeadSpec", "LanguageSpec", "RouteSpec", "Runtime", "ScoreSpec", "TopicSpec"]

ENGINE_VERSION = 1
"""Raised when the code changes what a given text scores; part of every model key."""

Device = str
"""`auto`, `cpu`, `cuda`, or `cuda:<address>` for one of several."""


@dataclass(frozen=True)
class TopicSpec:
    """The fitted topic centroids: a safetensors file with `centroids` (k, d) float32 of unit rows and their `ids` (k,) int64."""

    path: str
    sha256: str
    key: str


@dataclass(frozen=True)
class RouteSpec:
    """An encoder and its sentiment head for the languages both cover."""

    encoder: EncoderSpec
    sentiment: HeadSpec | None

    def languages(self) -> tuple[str, ...]:
        """Return the languages encoder and head cover together."""
        first, second = self.encoder.languages, self.sentiment.languages if self.sentiment else ("*",)
        if "*" in first:
            return second
        return first if "*" in second else tuple(sorted(set(first) & set(second)))


@dataclass(frozen=True)
class ScoreSpec:
    """Everything the scoring stage needs. Device, budget and window change speed, not results, and stay out of the key.

    `encoder` and `sentiment` score the languages they cover; a text in another language goes to the first of `others` that
    covers it. All encoders give vectors of one space. The runtime is that of the first encoder; the others compute in float32.

    Without `sentiment` texts are embedded only. `mode` is the promise (`exact`: cosine to float32 at least 0.9999; `fast`: mean
    cosine at least 0.995), `runtime` what keeps it on this cluster.
    Budget and window are the encoder's own where they are None.
    """

    encoder: EncoderSpec
    sentiment: HeadSpec | None
    language: LanguageSpec
    topics: TopicSpec | None = None
    mode: Literal["exact", "fast"] = "exact"
    runtime: Runtime = FLOAT32
    max_chars: int = 20_000
    max_chunks: int = 32
    device: Device = "auto"
    token_budget: int | None = None
    window_rows: int | None = None
    window_bytes: int = 64 << 20
    others: tuple[RouteSpec, ...] = ()

    def routes(self) -> tuple[RouteSpec, ...]:
        """Return all routes, the first encoder's first."""
        return (RouteSpec(self.encoder, self.sentiment), *self.others)

    def route_of(self, lang: str) -> int | None:
        """Return the position in `routes` of the one that scores `lang`; None where none covers it."""
        return next((i for i, route in enumerate(self.routes()) if covers(route.languages(), lang)), None)

    def languages(self) -> tuple[str, ...]:
        """Return the languages some route covers; `("*",)` for all."""
        covered = {lang for route in self.routes() for lang in route.languages()}
        return ("*",) if "*" in covered else tuple(sorted(covered))

    def model_key(self) -> str:
        """Return the fingerprint (16 hex digits) of everything that decides a result, topics excepted.

        Topics are assigned from the embedding, so a new topic model costs no scoring and has a key of its own.
        """
        text = json.dumps(self.key_parts(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def key_parts(self) -> dict[str, object]:
        """Return what the model key is the fingerprint of, by part; all of it turns into JSON."""
        parts: dict[str, object] = {
            "engine": ENGINE_VERSION,
            "encoder": _identity(self.encoder),
            "sentiment": _identity(self.sentiment) if self.sentiment else None,
            "language": asdict(self.language),
            "precision": self.precision_class(),
            "max_chars": self.max_chars,
            "max_chunks": self.max_chunks,
        }
        if self.others:
            parts["others"] = [
                [_identity(route.encoder), _identity(route.sentiment) if route.sentiment else None]
                for route in self.others
            ]
        return parts

    def precision_class(self) -> str:
        """Return what of runtime and precision decides a result.

        In exact mode nothing: every runtime stays within cosine 0.9999 of float32, so their results stand for each other.
        """
        return "float32" if self.mode == "exact" else f"{self.runtime.name}/{self.runtime.precision}"

    def encoder_key(self) -> str:
        """Return the fingerprint (16 hex digits) of the first encoder as it computes here."""
        parts = {"engine": ENGINE_VERSION, "encoder": _identity(self.encoder), "precision": self.precision_class()}
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def space_key(self) -> str:
        """Return the fingerprint (16 hex digits) of the embedding space: what topic centroids and vectors belong to."""
        return hashlib.sha256(space_of(self.encoder).encode()).hexdigest()[:16]


def space_of(encoder: EncoderSpec) -> str:
    """Return what names an encoder's embedding space: the sha256 (hex) of the encoder it keeps the space of, or its own."""
    return encoder.space or combined_digest(encoder.files)


def _identity(spec: EncoderSpec | HeadSpec) -> dict[str, object]:
    """Return what decides the model's results: its bytes and parameters, not where they lie."""
    fields = asdict(spec)
    del fields["source"], fields["name"]
    fields["files"] = sorted((f["name"], f["sha256"]) for f in fields["files"])
    # not in the identity of models that have neither, so that what was scored before there were such fields still counts
    for name in ("n_features", "space"):
        if not fields.get(name, True):
            del fields[name]
    return fields
