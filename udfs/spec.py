"""What travels to executors: small frozen descriptions of models, never the models themselves.

A spec pickles to a few kilobytes. The worker process builds the model from it once (see `udfs.worker`) and checks every
file against the sha256 the driver recorded.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Literal

ENGINE_VERSION = 1
"""Raised when the code changes what a given text scores; part of every model key."""

Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class FileDigest:
    """One file of a model: its name relative to the model's folder, sha256 in hex and size in bytes."""

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class EncoderSpec:
    """An embedding model.

    `source` is `package:<import name>` for weights inside an installed Python package, `weights:<name>` for weights inside
    `udfs.models`, or a folder that every executor sees. `languages` are ISO 639-1 codes the model covers; `("*",)` covers all.
    """

    name: str
    source: str
    files: tuple[FileDigest, ...]
    revision: str
    max_tokens: int
    pooling: Literal["mean", "cls"] = "mean"
    normalise: bool = True
    languages: tuple[str, ...] = ("en",)


@dataclass(frozen=True)
class HeadSpec:
    """A classifier on the pooled embedding. `labels` are in the order of its outputs."""

    name: str
    source: str
    files: tuple[FileDigest, ...]
    revision: str
    labels: tuple[str, ...]
    languages: tuple[str, ...] = ("en",)


@dataclass(frozen=True)
class TopicSpec:
    """The fitted topic centroids: a safetensors file with one tensor `centroids` (k, d) float32 of unit rows."""

    path: str
    sha256: str
    key: str


@dataclass(frozen=True)
class LanguageSpec:
    """Language identification: ISO 639-1 candidates and the confidence (0..1) below which the language is `und`."""

    candidates: tuple[str, ...]
    min_confidence: float = 0.5


@dataclass(frozen=True)
class ScoreSpec:
    """Everything the scoring stage needs. Device, budget and window change speed, not results, and stay out of the key."""

    encoder: EncoderSpec
    sentiment: HeadSpec
    language: LanguageSpec
    topics: TopicSpec | None = None
    precision: Literal["float32"] = "float32"
    max_chars: int = 20_000
    device: Device = "auto"
    token_budget: int = 2_048
    window_rows: int = 65_536
    window_bytes: int = field(default=64 << 20)

    def model_key(self) -> str:
        """Return the fingerprint (16 hex digits) of everything that decides a result, topics excepted.

        Topics are assigned from the embedding, so a new topic model costs no scoring and has a key of its own.
        """
        parts = {
            "engine": ENGINE_VERSION,
            "encoder": _identity(self.encoder),
            "sentiment": _identity(self.sentiment),
            "language": asdict(self.language),
            "precision": self.precision,
            "max_chars": self.max_chars,
        }
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def encoder_key(self) -> str:
        """Return the fingerprint (16 hex digits) of the embedding space: what topic centroids and vectors belong to."""
        parts = {"engine": ENGINE_VERSION, "encoder": _identity(self.encoder), "precision": self.precision}
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _identity(spec: EncoderSpec | HeadSpec) -> dict[str, object]:
    """Return what decides the model's results: its bytes and parameters, not where they lie."""
    fields = asdict(spec)
    del fields["source"], fields["name"]
    fields["files"] = sorted((f["name"], f["sha256"]) for f in fields["files"])
    return fields
