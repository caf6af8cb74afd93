"""Training a head on frozen embeddings: softmax regression, or one hidden layer, calibrated by temperature."""

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.metrics import Metrics, evaluate
from pipeline.model_lock import READS_EMBEDDING
from pipeline.softmax_regression import FORBIDDEN, ClassWeight, fit_softmax, fit_temperature, row_weights
from udfs.models.head import Head
from udfs.spec import EncoderSpec

logger = logging.getLogger(__name__)
_ITERATIONS = 300


@dataclass(frozen=True)
class Labelled:
    """Embedded labelled rows.

    Attributes:
        embeddings: (n, d) float32 unit rows.
        labels: (n,) positions in the list of classes.
        allowed: (n, n_classes) bool, the classes the row's set knows; a set without neutral says nothing about neutral.
        sets: (n,) names of the sets.
    """

    embeddings: NDArray[np.float32]
    labels: NDArray[np.int64]
    allowed: NDArray[np.bool_]
    sets: NDArray[np.object_]


def make_labelled(
    embeddings: NDArray[np.float32],
    labels: Sequence[str],
    sets: Sequence[str],
    classes: Sequence[str],
    *,
    knows_all: bool = False,
) -> Labelled:
    """Turn names into positions and find out which classes each set knows: those it holds, or all of them (`knows_all`)."""
    positions = np.array([classes.index(label) for label in labels], dtype=np.int64)
    names = np.asarray(sets, dtype=object)
    allowed = np.zeros((len(positions), len(classes)), dtype=bool)
    for name in set(sets):
        rows = np.flatnonzero(names == name)
        known = np.arange(len(classes)) if knows_all else np.unique(positions[rows])
        allowed[np.ix_(rows, known)] = True
    return Labelled(np.asarray(embeddings), positions, allowed, names)


@dataclass(frozen=True)
class TrainedHead:
    """A trained head and how good it is on each validation set."""

    head: Head
    tensors: dict[str, NDArray[np.float32]]
    temperature: float
    l2: float
    validation: dict[str, Metrics]


def train_head(
    train: Labelled,
    validation: Labelled,
    classes: Sequence[str],
    hidden: int,
    l2_grid: Sequence[float],
    seed: int,
    class_weight: ClassWeight = "balanced",
) -> TrainedHead:
    """Fit for each regularisation, keep the best mean macro-F1 over the validation sets, calibrate it on them.

    `balanced` classes weigh the same in sum. Calibration: one temperature that minimises the negative log-likelihood (Guo et al.,
    2017, arXiv:1706.04599).
    """
    best: TrainedHead | None = None
    for l2 in l2_grid:
        tensors = fit_tensors(train, len(classes), hidden, l2, seed, class_weight)
        logits = head_of(tensors, classes, 1.0).logits(validation.embeddings)
        temperature = fit_temperature(np.where(validation.allowed, logits, FORBIDDEN), validation.labels)
        head = head_of(tensors, classes, temperature)
        metrics = validate(head, validation)
        logger.info(f"train     l2 {l2:g}: macro-F1 {_mean_f1(metrics):.4f}, temperature {temperature:.3f}")
        if best is None or _mean_f1(metrics) > _mean_f1(best.validation):
            best = TrainedHead(head, tensors, temperature, l2, metrics)
    assert best is not None
    return best


def validate(head: Head, rows: Labelled) -> dict[str, Metrics]:
    """Return the metrics of each set; a set is judged among the classes it knows."""
    found = {}
    for name in sorted(set(rows.sets)):
        mine = rows.sets == name
        allowed = rows.allowed[mine][0]
        known = [label for label, ok in zip(head.labels, allowed, strict=True) if ok]
        probabilities = head.probabilities(rows.embeddings[mine])[:, allowed]
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        predicted = [known[i] for i in probabilities.argmax(axis=1)]
        gold = [head.labels[i] for i in rows.labels[mine]]
        found[name] = evaluate(gold, predicted, probabilities.max(axis=1).tolist(), known)
    return found


def _mean_f1(metrics: dict[str, Metrics]) -> float:
    return float(np.mean([m.macro_f1 for m in metrics.values()]))


def head_of(tensors: dict[str, NDArray[np.float32]], classes: Sequence[str], temperature: float) -> Head:
    """Return the head that `load_head` makes of the same tensors."""
    n_layers = len(tensors) // 2
    layers = [
        (tensors[f"layers.{i}.weight"].astype(np.float64), tensors[f"layers.{i}.bias"].astype(np.float64))
        for i in range(n_layers)
    ]
    return Head(tuple(classes), layers, temperature)


def fit_tensors(
    rows: Labelled, n_classes: int, hidden: int, l2: float, seed: int, class_weight: ClassWeight
) -> dict[str, NDArray[np.float32]]:
    """Minimise the weighted cross-entropy plus l2 times the squared weights, with L-BFGS; return what `save_head` writes."""
    weights = row_weights(rows.labels, n_classes, class_weight)
    if not hidden:
        matrix, bias = fit_softmax(rows.embeddings, rows.labels, n_classes, l2, weights, rows.allowed)
        return {"layers.0.weight": matrix.astype(np.float32), "layers.0.bias": bias.astype(np.float32)}
    return _fit_hidden(rows, n_classes, hidden, l2, seed, weights)


def _fit_hidden(
    rows: Labelled, n_classes: int, hidden: int, l2: float, seed: int, row_weight: NDArray[np.float64]
) -> dict[str, NDArray[np.float32]]:
    import torch
    from torch.nn import functional

    torch.manual_seed(seed)
    x = torch.from_numpy(rows.embeddings).double()
    y = torch.from_numpy(rows.labels)
    forbidden = torch.from_numpy(~rows.allowed)
    weights = torch.from_numpy(row_weight)
    sizes = [x.shape[1], hidden, n_classes]
    layers = [torch.nn.Linear(a, b).double() for a, b in pairwise(sizes)]
    parameters = [p for layer in layers for p in layer.parameters()]
    optimiser = torch.optim.LBFGS(parameters, max_iter=_ITERATIONS, history_size=20, line_search_fn="strong_wolfe")

    def loss() -> Any:
        optimiser.zero_grad()
        z = x
        for i, layer in enumerate(layers):
            z = layer(z).relu() if i + 1 < len(layers) else layer(z)
        each = functional.cross_entropy(z.masked_fill(forbidden, -1e9), y, reduction="none")
        total = (weights * each).sum() + l2 * sum((layer.weight**2).sum() for layer in layers)
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    named = {
        f"layers.{i}.{kind}": getattr(layer, kind) for i, layer in enumerate(layers) for kind in ("weight", "bias")
    }
    return {name: value.detach().float().numpy() for name, value in named.items()}


def _read_of(encoder: EncoderSpec, task: str) -> dict[str, Any]:
    """Return what head.json says a head reads of an encoder that has features for heads; nothing where there are none."""
    if not encoder.n_features:
        return {}
    return {"n_features": encoder.n_features} if task == "sentiment" else {"reads": READS_EMBEDDING}


def save_head(
    trained: TrainedHead, folder: Path, name: str, languages: Sequence[str], encoder: EncoderSpec, encoder_sha256: str,
    training: dict[str, Any], task: str = "sentiment", facts: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Write head.json and head.safetensors to a new folder.

    Args:
        facts: further keys of head.json: thresholds (see `udfs.models.head`), results of cross-validation.

    Raises:
        ConfigError: the folder exists.
    """
    from safetensors.numpy import save

    data = save({k: np.ascontiguousarray(v) for k, v in trained.tensors.items()})
    written = {
        "task": task,
        "name": name,
        "revision": hashlib.sha256(data).hexdigest()[:12],
        "labels": list(trained.head.labels),
        "languages": list(languages),
        "temperature": round(trained.temperature, 6),
        "encoder": {"name": encoder.name, "revision": encoder.revision, "sha256": encoder_sha256}
        | _read_of(encoder, task),
        "training": training,
        "validation": {name: asdict(metrics) for name, metrics in trained.validation.items()},
        **(facts or {}),
    }
    temporary = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    (temporary / "head.safetensors").write_bytes(data)
    (temporary / "head.json").write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if folder.exists():
        raise ConfigError(f"output: {folder} exists; a head is never overwritten, give a new output")
    temporary.rename(folder)
