"""A classifier on the unit embedding, computed in float64 so that its result does not depend on its batch.

One linear layer, or two with a rectifier between. `head.json` holds labels, temperature, languages and the encoder it was
trained on; `head.safetensors` holds `layers.<i>.weight` (out, in) and `layers.<i>.bias` (out,) float32.
"""

import json

import numpy as np
from numpy.typing import NDArray

from udfs.models.files import ModelFileError, locate, verify
from udfs.models.spec import HeadSpec

Array = NDArray[np.float64]


class Head:
    """A loaded classifier."""

    def __init__(self, labels: tuple[str, ...], layers: list[tuple[Array, Array]], temperature: float) -> None:
        self.labels = labels
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
        scaled = self.logits(embeddings) / self._temperature
        scaled -= scaled.max(axis=1, keepdims=True)
        odds = np.exp(scaled)
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def load_head(spec: HeadSpec) -> Head:
    """Verify and load a head.

    Raises:
        ModelFileError: files missing, changed or inconsistent.
    """
    from safetensors.numpy import load

    folder = locate(spec.source)
    verify(folder, spec.files, spec.source)
    facts = json.loads((folder / "head.json").read_text(encoding="utf-8"))
    tensors = load((folder / "head.safetensors").read_bytes())
    layers: list[tuple[Array, Array]] = []
    while f"layers.{len(layers)}.weight" in tensors:
        i = len(layers)
        layers.append(
            (tensors[f"layers.{i}.weight"].astype(np.float64), tensors[f"layers.{i}.bias"].astype(np.float64))
        )
    if not layers or layers[-1][0].shape[0] != len(spec.labels):
        raise ModelFileError(f"{spec.source}: weights do not fit the labels {', '.join(spec.labels)}")
    return Head(spec.labels, layers, float(facts["temperature"]))
