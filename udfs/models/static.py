"""A static encoder: every token has one vector, and a text's vector is the mean of its tokens' vectors.

Distilled from a Transformer by `pipeline/distill_static.py`; the weight of a token is the length of its vector. The folder holds
config.json (`model_type` is `static`) and model.safetensors with one tensor `vectors` (V, d) float16. The tokenizer is a
tokenizer.json of the folder, or, where the vocabulary is another model's, that model's own file: config.json then names its
`source` and `sha256` under `tokenizer`. Method: model2vec (MinishLab, MIT).
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from udfs.models.files import ModelFileError, locate
from udfs.models.spec import STATIC, EncoderSpec
from udfs.models.tokenise import Chunks, TextTokenizer

_WEIGHTS = "model.safetensors"
_TOKENIZER = "tokenizer.json"


class StaticEncoder:
    """A loaded table of token vectors on one device. Same interface as `udfs.models.encoder.Encoder`."""

    def __init__(self, spec: EncoderSpec, tokenizer: TextTokenizer, vectors: Tensor, device: torch.device) -> None:
        self.spec, self.tokenizer, self.device = spec, tokenizer, device
        self._vectors = vectors.float().to(device)

    @property
    def token_budget(self) -> int:
        """Return how many tokens to look up at once; their ids, not their vectors, take memory."""
        return 1 << 20

    @property
    def window_rows(self) -> int:
        """Return few rows: nothing is sorted, and lookups cost the same in any window."""
        return 4_096

    def pooled(self, chunks: Chunks, batch: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return `forward`'s vectors as an array on the host."""
        return self.forward(chunks, batch).cpu().numpy()

    def free_memory(self) -> None:
        """Give memory that the device's allocator holds back to the device."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    @torch.inference_mode()
    def forward(self, chunks: Chunks, batch: NDArray[np.int64]) -> Tensor:
        """Return (b, d) float32 mean vectors of the chunks `batch` (b,); not normalised, zero for a chunk without tokens."""
        lengths = chunks.lengths[batch]
        starts = np.cumsum(lengths) - lengths
        # (t,) place of every token of the batch in the window's flat ids
        places = np.arange(lengths.sum()) + np.repeat(chunks.offsets[batch] - starts, lengths)
        ids = torch.from_numpy(chunks.ids[places].astype(np.int64)).to(self.device)
        return functional.embedding_bag(ids, self._vectors, torch.from_numpy(starts).to(self.device), mode="mean")


def fits(config: Mapping[str, Any]) -> bool:
    """Return whether a config.json describes a static encoder."""
    return config.get("model_type") == STATIC


def bare_tokenizer(tokenizer_json: bytes) -> bytes:
    """Return a tokenizer.json that neither pads nor truncates nor adds special tokens."""
    facts = json.loads(tokenizer_json)
    return json.dumps(
        {**facts, "truncation": None, "padding": None, "post_processor": None}, ensure_ascii=False
    ).encode()


def tokenizer_file(folder: Path, config: Mapping[str, Any]) -> bytes:
    """Return the tokenizer.json of a static model, its own or the one config.json names.

    Raises:
        ModelFileError: the file named is missing, or is not the one the model was made with.
    """
    shared = config.get("tokenizer")
    if shared is None:
        return (folder / _TOKENIZER).read_bytes()
    if not isinstance(shared, dict) or not {"source", "sha256"} <= shared.keys():
        raise ModelFileError(f"{folder}/config.json: `tokenizer` must name source and sha256")
    path = locate(shared["source"]) / _TOKENIZER
    if not path.is_file():
        raise ModelFileError(f"{shared['source']}/{_TOKENIZER}: missing; {folder.name} shares it, install its model")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != shared["sha256"]:
        raise ModelFileError(
            f"{shared['source']}/{_TOKENIZER}: is not the one {folder.name} was made with; install the locked version"
        )
    return bare_tokenizer(data)


def load(spec: EncoderSpec, folder: Path, tokenizer: TextTokenizer, device: torch.device) -> StaticEncoder:
    """Load a folder whose files are verified.

    Raises:
        ModelFileError: the weights hold no table, or not one of `spec.dim` columns and a row for every token.
    """
    from safetensors.torch import load_file

    tensors = load_file(folder / _WEIGHTS)
    if "vectors" not in tensors:
        raise ModelFileError(f"{spec.source}/{_WEIGHTS}: holds no tensor `vectors`")
    shape, wanted = tuple(tensors["vectors"].shape), (tokenizer.vocabulary_size, spec.dim)
    if shape != wanted:
        raise ModelFileError(f"{spec.source}/{_WEIGHTS}: `vectors` has the shape {shape}, not {wanted}")
    return StaticEncoder(spec, tokenizer, tensors["vectors"], device)
