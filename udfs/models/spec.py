"""What a model is, before it is loaded: small frozen descriptions that travel to executors."""

from dataclasses import dataclass
from typing import Final, Literal

STATIC = "static"
"""`model_type` in the config.json of a table of token vectors; see `udfs.models.static`."""

NIGHTJAR: Final = "nightjar"
"""`model_type` in the config.json of a language model of our own; see `udfs.models.language_models`."""


@dataclass(frozen=True)
class FileDigest:
    """One file of a model: its name relative to the model's folder, sha256 in hex and size in bytes."""

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Runtime:
    """What computes the encoder, and in which number format. Heads and pooling are in float32 or better in any case."""

    name: Literal["torch", "openvino"] = "torch"
    precision: Literal["float32", "bfloat16", "float16", "int8"] = "float32"


FLOAT32 = Runtime()
"""The reference all others are measured against."""


@dataclass(frozen=True)
class EncoderSpec:
    """An embedding model.

    `source` is `package:<import name>[/<folder>]` for weights inside an installed Python package, or a folder that every
    executor sees. `languages` are ISO 639-1 codes the model covers; `("*",)` covers all. `max_tokens` counts the special
    tokens. Pooling is the mean over all tokens of a chunk, special tokens included, or its first token.
    """

    name: str
    source: str
    files: tuple[FileDigest, ...]
    revision: str
    dim: int
    max_tokens: int
    pooling: Literal["mean", "cls"] = "mean"
    languages: tuple[str, ...] = ("en",)


@dataclass(frozen=True)
class HeadSpec:
    """A classifier on the unit embedding. `labels` are in the order of its outputs.

    `source` is `package:<import name>[/<folder>]` or a folder that every executor sees.
    """

    name: str
    source: str
    files: tuple[FileDigest, ...]
    revision: str
    labels: tuple[str, ...]
    languages: tuple[str, ...] = ("en",)


def covers(languages: tuple[str, ...], lang: str) -> bool:
    """Return whether a model with these `languages` covers `lang`."""
    return "*" in languages or lang in languages
