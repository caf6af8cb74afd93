"""Distilling a static model (see `udfs.models.static`) from an encoder.

First as model2vec does it (MinishLab, MIT): every token of the vocabulary goes through the encoder alone, its vector is projected
to the wanted dimension and weighted down by its frequency (SIF: Arora et al., 2017). Then, as in tokenlearn (MinishLab, MIT), the
vectors are trained so that their mean over a text points where the encoder's vector of that text points.
"""

import hashlib
import json
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from udfs.models.spec import STATIC
from udfs.spec import EncoderSpec

if TYPE_CHECKING:
    from torch import Tensor

logger = logging.getLogger(__name__)
Vectors = NDArray[np.float32]
_SIF = 1e-3
"""Frequency at which a token's weight is a half."""
_SLOWER, _FASTER = 0.1, 3.0
"""Learning rates of the projection and of the weights, over that of the tokens' own parts."""
_UNLIMITED = 1_000_000
"""Tokens of a chunk: a mean has no longest sequence."""


@dataclass(frozen=True)
class TrainingTexts:
    """Tokenised texts and where their vectors should point.

    Attributes:
        ids: (t,) token ids of all texts, one after another; every text has some.
        lengths: (n,) tokens per text.
        targets: (n, d) unit rows.
    """

    ids: NDArray[np.int32]
    lengths: NDArray[np.int64]
    targets: Vectors


def distil(
    spec: EncoderSpec,
    texts: list[str],
    vectors: Vectors,
    dim: int,
    epochs: int,
    batch: int,
    learning_rate: float,
    seed: int,
) -> Vectors:
    """Return the (V, dim) table of a static model that agrees with the encoder on texts.

    Args:
        spec: the encoder.
        vectors: (n, h) the encoder's unit vectors of the n texts.
    """
    from udfs.models.files import locate
    from udfs.models.static import bare_tokenizer
    from udfs.models.tokenise import TextTokenizer

    tokenizer = TextTokenizer(bare_tokenizer((locate(spec.source) / "tokenizer.json").read_bytes()))
    chunks = tokenizer.chunks(texts, _UNLIMITED, 1)
    full = chunks.lengths > 0
    axes = principal_axes(vectors, dim)
    training = TrainingTexts(chunks.ids, chunks.lengths[full], unit(vectors[full] @ axes))
    features = token_features(spec)
    logger.info(f"distil    {len(features):,} tokens, {full.sum():,} texts of {len(chunks.ids):,} tokens")
    return train_table(features, axes, training, epochs, batch, learning_rate, seed)


def token_features(spec: EncoderSpec) -> Vectors:
    """Return (V, h) float32 vectors, not normalised: the encoder's, of each token alone between special tokens."""
    from udfs.models.encoder import load_encoder

    encoder = load_encoder(spec, "cpu")
    chunks = encoder.tokenizer.single_tokens()
    rows = np.arange(len(chunks.text))
    parts = [encoder.pooled(chunks, rows[start : start + 1_024]) for start in range(0, len(rows), 1_024)]
    return np.concatenate(parts)


def principal_axes(vectors: Vectors, dim: int) -> Vectors:
    """Return (h, dim) orthonormal columns that keep most of the (n, h) vectors' squared length; not centred, so that
    cosines are kept.
    """
    x = vectors.astype(np.float64)
    # eigenvalues ascend eigenvalues
    _, axes = np.linalg.eigh(x.T @ x)
    return np.ascontiguousarray(axes[:, ::-1][:, :dim], np.float32)


def sif_weights(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (V,) weights a / (a + p) of tokens with the frequencies p: rare ones near one, frequent ones near zero."""
    return np.asarray(_SIF / (_SIF + counts / max(1, counts.sum())))


def train_table(
    features: Vectors, axes: Vectors, texts: TrainingTexts, epochs: int, batch: int, learning_rate: float, seed: int
) -> Vectors:
    """Return the (V, d) table of token vectors whose mean over a text comes nearest to the text's target (cosine).

    A token's vector is its weight times its projected features, plus a part of its own; weights start as SIF weights, the
    projection as `axes`, the own parts at zero. A token that no text holds so gains from the projection that the others teach.

    Args:
        features: (V, h).
        axes: (h, d).
    """
    import torch
    from torch.nn import functional

    # small matrices: more threads cost more than they gain, and could change the last digits
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    order = np.random.default_rng(seed)
    fixed = torch.from_numpy(features)
    projection = torch.nn.Parameter(torch.from_numpy(axes).clone())
    own = torch.nn.Parameter(torch.zeros(len(features), axes.shape[1]))
    weights = sif_weights(np.bincount(texts.ids, minlength=len(features)))
    log_weight = torch.nn.Parameter(torch.from_numpy(np.log(weights)).float()[:, None])

    def table(tokens: "Tensor") -> "Tensor":
        # sparse gradients: a step touches the tokens of its batch only
        scale = functional.embedding(tokens, log_weight, sparse=True).exp()
        return scale * (fixed[tokens] @ projection) + functional.embedding(tokens, own, sparse=True)

    dense = torch.optim.Adam([projection], lr=_SLOWER * learning_rate)
    sparse = torch.optim.SparseAdam([own], lr=learning_rate)
    sparse.add_param_group({"params": [log_weight], "lr": _FASTER * learning_rate})
    n_steps = max(1, epochs * -(-len(texts.lengths) // batch))
    schedules = [torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.0, n_steps) for o in (dense, sparse)]
    for epoch in range(epochs):
        total = 0.0
        for rows in _batches(order.permutation(len(texts.lengths)), batch):
            tokens, places, starts = _tokens_of(texts, rows)
            sums = functional.embedding_bag(
                torch.from_numpy(places), table(torch.from_numpy(tokens)), torch.from_numpy(starts), mode="sum"
            )
            loss = 1 - functional.cosine_similarity(sums, torch.from_numpy(texts.targets[rows])).mean()
            for step in (
                dense.zero_grad,
                sparse.zero_grad,
                loss.backward,
                dense.step,
                sparse.step,
                *(s.step for s in schedules),
            ):
                step()
            total += loss.item() * len(rows)
        logger.info(f"distil    epoch {epoch + 1}: mean cosine {1 - total / len(texts.lengths):.4f}")
    with torch.no_grad():
        return np.asarray(table(torch.arange(len(features))).numpy())


def save_static(table: Vectors, source: str, folder: Path, facts: dict[str, Any]) -> None:
    """Write config.json and model.safetensors (float16) to a new folder.

    The tokenizer of an encoder inside a package is named in config.json, not copied; that of a folder, which may go, is copied.

    Args:
        source: of the encoder whose vocabulary the table has.
        facts: what config.json says of the making.

    Raises:
        ConfigError: the folder exists.
    """
    from safetensors.numpy import save

    from udfs.models.files import locate
    from udfs.models.static import bare_tokenizer

    tokenizer_json = (locate(source) / "tokenizer.json").read_bytes()
    is_shared = source.startswith("package:")
    shared = {"tokenizer": {"source": source, "sha256": hashlib.sha256(tokenizer_json).hexdigest()}}
    config = {
        "model_type": STATIC,
        "hidden_size": table.shape[1],
        "max_position_embeddings": _UNLIMITED,
        **(shared if is_shared else {}),
        "distillation": facts,
    }
    # a common factor changes no direction; the longest vector at one keeps float16 in its range
    scaled = (table / np.linalg.norm(table, axis=1).max()).astype(np.float16)
    temporary = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    (temporary / "model.safetensors").write_bytes(save({"vectors": scaled}))
    if not is_shared:
        (temporary / "tokenizer.json").write_bytes(bare_tokenizer(tokenizer_json))
    (temporary / "config.json").write_text(json.dumps(config, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if folder.exists():
        raise ConfigError(f"output: {folder} exists; a model is never overwritten, give a new output")
    temporary.rename(folder)


def unit(vectors: Vectors) -> Vectors:
    """Return rows scaled to length one; zero rows stay."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(norms == 0, 1.0, norms), np.float32)


def _batches(rows: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _tokens_of(texts: TrainingTexts, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Return the distinct tokens (u,) of some texts, the place (t,) of each token among those, and the texts' starts."""
    lengths = texts.lengths[rows]
    starts = np.cumsum(lengths) - lengths
    first = np.cumsum(texts.lengths) - texts.lengths
    ids = texts.ids[np.arange(lengths.sum()) + np.repeat(first[rows] - starts, lengths)]
    tokens, places = np.unique(ids, return_inverse=True)
    return tokens.astype(np.int64), places, starts
