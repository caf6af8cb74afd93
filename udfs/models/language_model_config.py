"""What a language model of our own is made of: the config.json beside its weights. Loads no torch: the driver reads it too."""

import json
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from udfs.models.files import ModelFileError
from udfs.models.spec import NIGHTJAR

CONFIG_FILE = "config.json"
RECURRENT = ("rnn", "gru", "lstm")
_TOKEN_IDS = ("pad_id", "bos_id", "eos_id", "mask_id")


class LanguageModelConfig(BaseModel):
    """Sizes and kind of a language model; `udfs.models.language_models.build` makes the module.

    Attributes:
        architecture: `rnn` (tanh), `gru`, `lstm`: recurrent, causal. `encoder`: Transformer, each token sees all. `decoder`:
            Transformer, causal. `encoder_decoder`: Transformer, sequence to sequence.
        vocabulary_size: V, token ids are 0 .. V - 1.
        hidden_size: d, width of the hidden states.
        token_size: e, width of the token embedding where it is not d; a linear map follows it. None: e = d.
        n_layers: layers of a stack; an encoder-decoder has as many in each of its two stacks.
        n_heads: attention heads, each of width d / n_heads. Transformers only, and they need it.
        inner_size: f, width inside a block's feed-forward. Transformers only; None: 4 d.
        max_tokens: the longest text, special tokens included. A Transformer has so many positions.
        dropout: share of values dropped in training from embeddings and from what a layer adds.
        tied: the output matrix is the token embedding.
        final_norm: layer norm after the last layer. Without it hidden states come straight from the residual stream.
        zero_init_residual: blocks add nothing and positions are zero at the start, so that an untrained encoder without final
            norm is a table of token vectors. Transformers only.
        output_size: length of an encoder's text vectors, a linear map of the pooled hidden states. None: the pooled states are
            the vectors.
        ngram_buckets: an encoder's label heads read, beside the pooled hidden states, their maximum and a bag of token n-grams
            (one to three tokens, or as said below) hashed into so many buckets. None: they read the pooled states alone.
        ngram_size: length of an n-gram's vector.
        ngram_unit: what n-grams are made of: tokens, or the characters that a Unigram tokeniser's tokens spell.
        ngram_longest: units of the longest n-grams.
        space: sha256 of the encoder whose embedding space the text vectors were trained into; "" where it is their own.
        heads: classifiers on a text's features: name -> labels in the order of its outputs.
        pad_id, bos_id, eos_id, mask_id: special tokens; mask_id only where the model is trained on masked tokens.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model_type: Literal["nightjar"] = NIGHTJAR
    architecture: Literal["rnn", "gru", "lstm", "encoder", "decoder", "encoder_decoder"]
    vocabulary_size: int = Field(ge=4)
    hidden_size: int = Field(ge=1)
    token_size: int | None = Field(default=None, ge=1)
    n_layers: int = Field(ge=1)
    n_heads: int | None = Field(default=None, ge=1)
    inner_size: int | None = Field(default=None, ge=1)
    max_tokens: int = Field(ge=2)
    dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    tied: bool = True
    final_norm: bool = True
    zero_init_residual: bool = False
    output_size: int | None = Field(default=None, ge=1)
    ngram_buckets: int | None = Field(default=None, ge=2)
    ngram_size: int = Field(default=16, ge=1)
    ngram_unit: Literal["token", "character"] = "token"
    ngram_longest: int = Field(default=3, ge=1, le=8)
    space: str = ""
    heads: dict[str, tuple[str, ...]] = {}
    pad_id: int = Field(ge=0)
    bos_id: int = Field(ge=0)
    eos_id: int = Field(ge=0)
    mask_id: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        problems = self._architecture_problems() + self._token_problems() + self._head_problems()
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def is_recurrent(self) -> bool:
        """Whether the model carries a state from token to token."""
        return self.architecture in RECURRENT

    @property
    def embedding_size(self) -> int:
        """e, width of the token embedding."""
        return self.token_size or self.hidden_size

    @property
    def vector_size(self) -> int:
        """Length of a text's vector."""
        return self.output_size or self.hidden_size

    @property
    def n_features(self) -> int:
        """Length of what label heads read."""
        d = self.hidden_size
        return d if self.ngram_buckets is None else 2 * d + self.ngram_size

    @property
    def special_ids(self) -> list[int]:
        """The ids of special tokens that there are."""
        return [i for i in (self.pad_id, self.bos_id, self.eos_id, self.mask_id) if i is not None]

    @property
    def spells(self) -> bool:
        """Whether n-grams are made of characters, which the tokeniser must name."""
        return self.ngram_buckets is not None and self.ngram_unit == "character"

    def write(self, folder: Path) -> None:
        """Write config.json."""
        (folder / CONFIG_FILE).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    def _architecture_problems(self) -> list[str]:
        problems = []
        if self.is_recurrent:
            unused = {"n_heads": self.n_heads, "inner_size": self.inner_size}
            problems += [
                f"{k} {v}: {self.architecture} has none; remove it" for k, v in unused.items() if v is not None
            ]
            if self.zero_init_residual:
                problems.append(f"zero_init_residual True: {self.architecture} has no residual stream; remove it")
        elif self.n_heads is None:
            problems.append(f"n_heads: missing; {self.architecture} needs it")
        elif self.hidden_size % self.n_heads:
            problems.append(f"n_heads {self.n_heads}: must divide hidden_size {self.hidden_size}")
        if self.output_size is not None and self.architecture != "encoder":
            problems.append(
                f"output_size {self.output_size}: only architecture encoder has it, not {self.architecture}"
            )
        if self.ngram_buckets is not None and self.architecture != "encoder":
            problems.append(
                f"ngram_buckets {self.ngram_buckets}: only architecture encoder has it, not {self.architecture}"
            )
        return problems

    def _token_problems(self) -> list[str]:
        ids = {key: getattr(self, key) for key in _TOKEN_IDS if getattr(self, key) is not None}
        problems = [
            f"{key} {i}: must be below vocabulary_size {self.vocabulary_size}"
            for key, i in ids.items()
            if i >= self.vocabulary_size
        ]
        for key, i in ids.items():
            same = [other for other in ids if other != key and ids[other] == i]
            if same:
                problems.append(f"{key} {i}: is also {same[0]}; each needs a token of its own")
                break
        return problems

    def _head_problems(self) -> list[str]:
        problems = [f"heads {name!r}: must be a plain name" for name in self.heads if not name.isidentifier()]
        problems += [
            f"heads {name}: needs two or more different labels, got {', '.join(labels) or 'none'}"
            for name, labels in self.heads.items()
            if len(set(labels)) != len(labels) or len(labels) < 2
        ]
        return problems


def read_config(folder: Traversable) -> LanguageModelConfig:
    """Read the config.json of a model's folder.

    Raises:
        ModelFileError: it is missing or does not describe a language model; every problem at once.
    """
    path = folder / CONFIG_FILE
    try:
        return LanguageModelConfig.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        problems = [_said(".".join(map(str, p["loc"])), p["msg"]) for p in error.errors()]
        raise ModelFileError(f"{path}: {'; '.join(problems)}") from None
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path}: is not readable JSON: {error}") from None


def read_encoder_config(folder: Traversable) -> LanguageModelConfig:
    """Read the config.json of an encoder's folder.

    Raises:
        ModelFileError: see `read_config`; or the model is of another architecture.
    """
    config = read_config(folder)
    if config.architecture != "encoder":
        raise ModelFileError(
            f"{folder / CONFIG_FILE}: architecture {config.architecture} does not embed texts; an encoder is needed"
        )
    return config


def _said(key: str, message: str) -> str:
    return f"{key}: {message}" if key else message.removeprefix("Value error, ")
