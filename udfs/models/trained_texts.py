"""A trained language model of our own on plain texts: classes by a label head, and perplexity.

Notation: n texts, b chunks of a micro-batch, l tokens of the longest, t predicted tokens.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from udfs.models.batches import plan_batches
from udfs.models.files import ModelFileError, inspect
from udfs.models.generation import CausalModel, perplexity
from udfs.models.language_models import DecoderLanguageModel, LanguageModel, RecurrentLanguageModel, load
from udfs.models.tokenise import Chunks, TextTokenizer

_TOKEN_BUDGET = 8_192
_MANY = 1_000_000


@dataclass(frozen=True)
class Perplexity:
    """How well a causal model predicts texts.

    Attributes:
        value: exp of the mean negative log-likelihood in nats of a token given those before it.
        n_tokens: predicted tokens: all but the first (begin) token of each chunk.
        bits_per_byte: the summed negative log-likelihood in bits over the UTF-8 bytes of the texts; it compares models with
            different tokenizers.
    """

    value: float
    n_tokens: int
    bits_per_byte: float


class TrainedTexts:
    """A model folder (config.json, model.safetensors, tokenizer.json) in float32 on one device; not safe for threads."""

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        """Load the folder.

        Raises:
            ModelFileError: it lacks a file, holds an unsafe one, or its files do not fit each other.
        """
        inspect(folder)
        tokenizer = folder / "tokenizer.json"
        if not tokenizer.is_file():
            raise ModelFileError(f"{tokenizer}: missing model file")
        self.model: LanguageModel = load(folder).to(device)
        self._tokenizer = TextTokenizer(tokenizer.read_bytes())
        if self._tokenizer.vocabulary_size > self.model.config.vocabulary_size:
            raise ModelFileError(
                f"{tokenizer}: has {self._tokenizer.vocabulary_size} tokens, the model beside it "
                f"{self.model.config.vocabulary_size}; they do not belong together"
            )

    @property
    def is_causal(self) -> bool:
        """Whether the model predicts each token from those before it."""
        return isinstance(self.model, RecurrentLanguageModel | DecoderLanguageModel)

    def parameters(self) -> int:
        """Return the number of learnt numbers; tied ones count once."""
        return sum(p.numel() for p in self.model.parameters())

    def label_probabilities(self, texts: Sequence[str], head: str) -> NDArray[np.float64]:
        """Return (n, n_labels) probabilities of a label head, labels as in its config; of a long text the beginning is read.

        Raises:
            KeyError: there is no such head.
        """
        n_labels = len(self.model.config.heads[head])
        chunks = self._tokenizer.chunks(texts, self.model.config.max_tokens, 1)
        found = np.zeros((len(texts), n_labels))
        with torch.inference_mode():
            for places, ids, mask in self._batches(chunks):
                features = self.model.features(ids, self.model.hidden(ids, mask), mask)  # (b, n_features)
                found[places] = self.model.label_logits(features, head).double().softmax(dim=1).cpu().numpy()
        return found

    def perplexity(self, texts: Sequence[str]) -> Perplexity:
        """Return the perplexity over texts; one longer than the model reads is read in pieces, each anew.

        Raises:
            ValueError: the model is not causal, or no text has a token.
        """
        if not self.is_causal:
            raise ValueError(
                f"architecture {self.model.config.architecture} has no perplexity; rnn, gru, lstm, decoder have"
            )
        causal: CausalModel = self.model  # type: ignore[assignment]
        chunks = self._tokenizer.chunks(texts, self.model.config.max_tokens, _MANY)
        value = perplexity(causal, ((ids, mask) for _, ids, mask in self._batches(chunks)))
        n_tokens = int(chunks.lengths.sum()) - len(chunks.lengths)
        bits = math.log2(value) * n_tokens
        return Perplexity(value, n_tokens, bits / sum(len(text.encode()) for text in texts))

    def _batches(self, chunks: Chunks) -> Iterator[tuple[NDArray[np.int64], Tensor, Tensor]]:
        """Yield the places (b,) of chunks, their ids (b, l), padded, and the mask (b, l)."""
        device = self.model.tokens.weight.device
        for places in plan_batches(chunks.lengths, _TOKEN_BUDGET):
            lengths = torch.from_numpy(chunks.lengths[places])
            mask = torch.arange(int(lengths.max())) < lengths[:, None]
            ids = torch.full(mask.shape, self.model.config.pad_id)
            pieces = [chunks.ids[chunks.offsets[i] : chunks.offsets[i + 1]] for i in places]
            ids[mask] = torch.from_numpy(np.concatenate(pieces).astype(np.int64))
            yield places, ids.to(device), mask.to(device)
