"""A classifier on the unit embedding, computed in float64 so that its result does not depend on its batch.

One linear layer, or two with a rectifier between. `head.json` holds labels, temperature, languages and the encoder it was
trained on; `head.safetensors` holds `layers.<i>.weight` (out, in) and `layers.<i>.bias` (out,) float32. Two further keys of
`head.json` let a head answer "none of these": `thresholds`, the least probability of each label, and `none_below`, its least
logit.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.models.files import ModelFileError, locate, verify
from udfs.models.spec import HeadSpec

Array = NDArray[np.float64]


@dataclass(frozen=True)
class HeadFiles:
    """What a head's folder holds: `facts` is head.json, `layers` the weight (out, in) and bias (out,) of each layer, float64."""

    facts: Mapping[str, Any]
    layers: list[tuple[Array, Array]]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the last layer's rows."""
        return tuple(self.facts["labels"])


class Head:
    """A loaded classifier."""

    def __init__(
        self,
        labels: tuple[str, ...],
        layers: list[tuple[Array, Array]],
        temperature: float,
        thresholds: Array | None = None,
        none_below: Array | None = None,
    ) -> None:
        self.labels = labels
        self._thresholds = np.zeros(len(labels)) if thresholds is None else thresholds
        self._none_below = np.full(len(labels), -np.inf) if none_below is None else none_below
        self._layers = layers
        self._temperature = temperature

    def logits(self, embeddings: NDArray[np.float32]) -> Array:
        """Return (n, n_labels) float64 logits, not yet divided by the temperature, of (n, d) unit embeddings."""
        x = embeddings.astype(np.float64)
        for i, (weight, bias) in enumerate(self._layers):
            x = x @ weight.T + bias
            if i + 1 < len(self._layers):
                x = np.maximum(x, 0.0)
        return x

    def probabilities(self, embeddings: NDArray[np.float32]) -> Array:
        """Return (n, n_labels) float64 calibrated probabilities of (n, d) unit embeddings."""
        return self._softmax(self.logits(embeddings))

    def decide(self, embeddings: NDArray[np.float32]) -> tuple[NDArray[np.int64], Array]:
        """Return (n,) positions in `labels`, -1 for none of them, and the (n,) probabilities of the most probable labels.

        None: the logit of the most probable label is below its `none_below`, or the probability below its threshold.
        """
        logits = self.logits(embeddings)
        chances = self._softmax(logits)
        best = chances.argmax(axis=1)
        chance = chances[np.arange(len(best)), best]
        fits = (logits.max(axis=1) >= self._none_below[best]) & (chance >= self._thresholds[best])
        return np.where(fits, best, -1), chance

    def _softmax(self, logits: Array) -> Array:
        scaled = logits / self._temperature
        scaled -= scaled.max(axis=1, keepdims=True)
        odds = np.exp(scaled)
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def load_head(spec: HeadSpec) -> Head:
    """Verify and load a head.

    Raises:
        ModelFileError: files missing, changed or inconsistent.
    """
    folder = locate(spec.source)
    verify(folder, spec.files, spec.source)
    files = read_head(folder)
    facts, layers = files.facts, files.layers
    if not layers or layers[-1][0].shape[0] != len(spec.labels):
        raise ModelFileError(f"{spec.source}: weights do not fit the labels {', '.join(spec.labels)}")
    limits = [_per_label(spec, facts, "thresholds"), _per_label(spec, facts, "none_below")]
    return Head(spec.labels, layers, float(facts["temperature"]), *limits)


def read_head(folder: Path | Traversable) -> HeadFiles:
    """Read a head's folder, as it is.

    Raises:
        ModelFileError: a file is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        facts = json.loads((folder / "head.json").read_text(encoding="utf-8"))
        tensors = load((folder / "head.safetensors").read_bytes())
    except (OSError, ValueError, SafetensorError) as error:
        raise ModelFileError(f"{folder}: is no head that can be read ({type(error).__name__})") from None
    layers: list[tuple[Array, Array]] = []
    while f"layers.{len(layers)}.weight" in tensors:
        i = len(layers)
        layers.append(
            (tensors[f"layers.{i}.weight"].astype(np.float64), tensors[f"layers.{i}.bias"].astype(np.float64))
        )
    return HeadFiles(facts, layers)


def _per_label(spec: HeadSpec, facts: Mapping[str, Any], key: str) -> Array | None:
    if facts.get(key) is None:
        return None
    values = np.asarray(facts[key], np.float64)
    if values.shape != (len(spec.labels),):
        raise ModelFileError(
            f"{spec.source}/head.json: {key} does not hold one number for each of {len(spec.labels)} labels"
        )
    return values
