"""Language models of our own: token embeddings, a stack (`recurrent`, `transformer`), a vocabulary head, label heads.

Notation: b texts, l tokens of a text, d hidden size, e token embedding size, V vocabulary size. `ids` (b, l) int64, `mask` (b, l)
bool, True at real tokens; padding follows a text's own tokens.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from udfs.models.files import ModelFileError
from udfs.models.language_model_config import LanguageModelConfig, read_config
from udfs.models.piece_characters import piece_characters
from udfs.models.recurrent import RecurrentStack
from udfs.models.text_features import NgramBag
from udfs.models.transformer import TransformerStack, embedding

WEIGHTS_FILE = "model.safetensors"
TOKENIZER_FILE = "tokenizer.json"
_SCALE = ".scale"


class LanguageModel(nn.Module, ABC):
    """What all architectures share. A subclass gives `hidden`."""

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__()
        self.config = config
        d, e, v = config.hidden_size, config.embedding_size, config.vocabulary_size
        self.tokens = embedding(v, e, e**-0.5)
        self.token_map = nn.Linear(e, d, bias=False) if e != d else nn.Identity()
        # what turns a hidden state into the space of the token embedding, where that is the output matrix
        self.output_map = nn.Linear(d, e, bias=False) if e != d and config.tied else nn.Identity()
        self.output = None if config.tied else nn.Linear(d, v, bias=False)
        self.output_bias = nn.Parameter(torch.zeros(v))
        self.heads = nn.ModuleDict(
            {name: nn.Linear(config.n_features, len(labels)) for name, labels in config.heads.items()}
        )
        self.projection = nn.Identity() if config.output_size is None else nn.Linear(d, config.output_size)

    @property
    def output_matrix(self) -> Tensor:
        """(V, e) or (V, d): the token embedding itself where the model is tied."""
        return self.tokens.weight if self.output is None else self.output.weight

    def embed(self, ids: Tensor) -> Tensor:
        """Return token embeddings (..., d) of ids (...)."""
        out: Tensor = self.token_map(self.tokens(ids))
        return out

    @abstractmethod
    def hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return hidden states (b, l, d); at padding they are finite and mean nothing."""

    def logits(self, hidden: Tensor) -> Tensor:
        """Return vocabulary logits (..., V) of hidden states (..., d). Costly: give it only the states that are asked for."""
        return F.linear(self.output_map(hidden), self.output_matrix, self.output_bias)

    def pooled(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Return the mean (b, d) of the hidden states (b, l, d) of real tokens; zero for a text without any."""
        weights = mask.unsqueeze(2).to(hidden.dtype)  # (b, l, 1)
        return (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)

    def project(self, pooled: Tensor) -> Tensor:
        """Return text vectors (b, output_size) of pooled states (b, d); the pooled states where no size is set."""
        out: Tensor = self.projection(pooled)
        return out

    def features(self, ids: Tensor, hidden: Tensor, mask: Tensor) -> Tensor:
        """Return what label heads read of texts (b, l) with hidden states (b, l, d): (b, n_features)."""
        return self.pooled(hidden, mask)

    def label_logits(self, features: Tensor, name: str) -> Tensor:
        """Return (b, n_labels) logits of the head `name` of `features` (b, n_features).

        Raises:
            KeyError: there is no such head.
        """
        out: Tensor = self.heads[name](features)
        return out


class RecurrentLanguageModel(LanguageModel):
    """Causal: the hidden state at token t has read tokens 0 .. t."""

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__(config)
        assert config.architecture in ("rnn", "gru", "lstm")
        self.stack = RecurrentStack(config.architecture, config.hidden_size, config.n_layers, config.dropout)
        self.norm = nn.LayerNorm(config.hidden_size) if config.final_norm else nn.Identity()
        self.dropout = nn.Dropout(config.dropout)

    def hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        """See `LanguageModel`; the mask is not needed, because padding comes after what it could change."""
        x = self.dropout(self.embed(ids))
        out, _ = self.stack(x, self.stack.initial_state(x))
        normed: Tensor = self.norm(self.dropout(out))
        return normed

    def initial_state(self, n_texts: int) -> Tensor:
        """Return the state (n, s, b, d) before the first token."""
        return self.stack.initial_state(self.tokens.weight.new_empty(n_texts))

    def step(self, ids: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return hidden states (b, d) and the state (n, s, b, d) after one more token (b,) of each text; not for training."""
        out, state = self.stack.step(self.embed(ids), state)
        return self.norm(out), state


class EncoderLanguageModel(LanguageModel):
    """A Transformer in which every token sees the whole text; its vocabulary head fills in masked tokens."""

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__(config)
        self.stack = TransformerStack(config)
        self.ngrams: NgramBag | None = None
        if config.ngram_buckets is not None:
            # a table of characters is no weight: `read_characters` makes it from the tokeniser
            empty = torch.zeros(config.vocabulary_size, 1, dtype=torch.int64) if config.spells else None
            self.ngrams = NgramBag(config.ngram_buckets, config.ngram_size, config.ngram_longest, empty)

    def read_characters(self, tokenizer: Path) -> None:
        """Let n-grams of characters know what the tokens of a tokenizer.json spell; nothing where they are made of tokens.

        Raises:
            ModelFileError: see `udfs.models.piece_characters`.
        """
        if self.ngrams is None or not self.config.spells:
            return
        table = piece_characters(tokenizer, self.config.vocabulary_size, frozenset(self.config.special_ids))
        self.ngrams.characters = torch.from_numpy(table).to(self.ngrams.vectors.weight.device)

    def hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        """See `LanguageModel`."""
        out: Tensor = self.stack(self.embed(ids), mask)
        return out

    def features(self, ids: Tensor, hidden: Tensor, mask: Tensor) -> Tensor:
        """See `LanguageModel`: the mean; with n-grams the mean, the maximum and the bag of n-grams."""
        mean = self.pooled(hidden, mask)
        if self.ngrams is None:
            return mean
        largest = hidden.masked_fill(~mask.unsqueeze(2), float("-inf")).amax(dim=1).nan_to_num(neginf=0.0)
        return torch.cat([mean, largest, self.ngrams(ids, mask)], dim=1)


class DecoderLanguageModel(LanguageModel):
    """A causal Transformer: token t sees tokens 0 .. t; its vocabulary head predicts the next one."""

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__(config)
        self.stack = TransformerStack(config, causal=True)

    def hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        """See `LanguageModel`."""
        out: Tensor = self.stack(self.embed(ids), mask)
        return out


class EncoderDecoderLanguageModel(LanguageModel):
    """Sequence to sequence: the encoder reads a source text, the causal decoder attends to it. Both share the token embedding."""

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__(config)
        self.encoder = TransformerStack(config)
        self.decoder = TransformerStack(config, causal=True, reads_memory=True)

    def hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        """See `LanguageModel`: the encoder's hidden states."""
        return self.encode(ids, mask)

    def encode(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the memory (b, m, d) of source ids (b, m)."""
        out: Tensor = self.encoder(self.embed(ids), mask)
        return out

    def decode(self, target_ids: Tensor, target_mask: Tensor, memory: Tensor, memory_mask: Tensor) -> Tensor:
        """Return the decoder's hidden states (b, l, d) of target ids (b, l), given memory (b, m, d) with its mask (b, m)."""
        out: Tensor = self.decoder(self.embed(target_ids), target_mask, memory, memory_mask)
        return out


def build(config: LanguageModelConfig) -> LanguageModel:
    """Return a new model with random weights, drawn from torch's global generator."""
    if config.is_recurrent:
        return RecurrentLanguageModel(config)
    if config.architecture == "encoder":
        return EncoderLanguageModel(config)
    if config.architecture == "decoder":
        return DecoderLanguageModel(config)
    return EncoderDecoderLanguageModel(config)


def save(
    model: LanguageModel, folder: Path, dtype: torch.dtype = torch.float32, eight_bits: Collection[str] = ()
) -> None:
    """Write config.json and model.safetensors, the weights as `dtype`.

    Matrices (n, m) named in `eight_bits` are stored as int8 beside `<name>.scale` (n, 1): row i is `scale[i]` times its
    numbers, the largest of which is 127.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    model.config.write(folder)
    tensors: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        weight = value.detach().to("cpu", torch.float32)
        if name in eight_bits:
            scale = weight.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
            tensors[name], tensors[name + _SCALE] = (weight / scale).round().to(torch.int8), scale
        else:
            tensors[name] = weight.to(dtype).contiguous()
    save_file(tensors, folder / WEIGHTS_FILE)


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Read the weights that `save` wrote, in float32.

    Raises:
        OSError, SafetensorError: the file is missing or damaged.
    """
    from safetensors.torch import load_file

    stored = load_file(folder / WEIGHTS_FILE)
    weights = {name: value.float() for name, value in stored.items() if not name.endswith(_SCALE)}
    for name, scale in stored.items():
        if name.endswith(_SCALE) and name.removesuffix(_SCALE) in weights:
            weights[name.removesuffix(_SCALE)] *= scale
    return weights


def load(folder: Path) -> LanguageModel:
    """Read a model that `save` wrote, in float32, on the CPU, ready to predict (`eval`).

    Raises:
        ModelFileError: config.json does not describe a model, or the weights do not fit it.
    """
    from safetensors import SafetensorError

    config = read_config(folder)
    with torch.device("meta"):
        model = build(config)
    try:
        model.load_state_dict(read_weights(folder), assign=True)
    except (RuntimeError, OSError, SafetensorError) as error:
        problem = " ".join(str(error).split())
        raise ModelFileError(f"{folder / WEIGHTS_FILE}: does not fit {folder / 'config.json'}: {problem}") from None
    if isinstance(model, EncoderLanguageModel):
        model.read_characters(folder / TOKENIZER_FILE)
    return model.eval()
