"""An encoder behind one interface: a micro-batch of chunks in, one pooled vector per chunk out."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from udfs.models import bert, openvino_trunk, packed_language_model, static
from udfs.models.batches import equal_runs
from udfs.models.files import ModelFileError, locate, verify
from udfs.models.packed_language_model import PackedLanguageModel
from udfs.models.probe_texts import probe_texts
from udfs.models.spec import FLOAT32, EncoderSpec, Runtime
from udfs.models.tokenise import Chunks, TextTokenizer


class Trunk(Protocol):
    """The Transformer itself."""

    def __call__(self, ids: Tensor, positions: Tensor, runs: Sequence[bert.Run]) -> Tensor:
        """Return (T, h) hidden states of (T,) ids at (T,) positions; runs of equally long chunks follow each other."""
        ...


class TextEncoder(Protocol):
    """A loaded encoder on one device."""

    spec: EncoderSpec
    tokenizer: TextTokenizer
    device: torch.device

    @property
    def token_budget(self) -> int:
        """Tokens of a micro-batch where nobody says otherwise."""
        ...

    @property
    def window_rows(self) -> int:
        """Texts to sort by length together: enough for full micro-batches, and no more, because they are all in memory."""
        ...

    def forward(self, chunks: Chunks, batch: NDArray[np.int64]) -> Tensor:
        """Return (b, d) float32 pooled vectors of the chunks `batch` (b,), which are sorted by length; not normalised.

        On a CUDA device the call returns before the work is done.
        """
        ...

    def pooled(self, chunks: Chunks, batch: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return `forward`'s vectors as an array on the host."""
        ...

    def free_memory(self) -> None:
        """Give memory that the device's allocator holds back to the device."""
        ...


class HuggingFaceTrunk:
    """Any Hugging Face encoder: each run of equally long chunks is one padding-free call."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __call__(self, ids: Tensor, positions: Tensor, runs: Sequence[bert.Run]) -> Tensor:
        """See `Trunk`; the model makes its own positions."""
        parts, start = [], 0
        for first, last, length in runs:
            stop = start + (last - first) * length
            block = ids[start:stop].view(last - first, length)
            output = self._model(input_ids=block, attention_mask=torch.ones_like(block))
            parts.append(output.last_hidden_state.reshape(stop - start, -1))
            start = stop
        return torch.cat(parts)


class Encoder:
    """A Transformer; see `TextEncoder`. Whatever the trunk computes in, pooling and what follows it are in float32."""

    def __init__(
        self,
        spec: EncoderSpec,
        tokenizer: TextTokenizer,
        trunk: Trunk,
        device: torch.device,
        project: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        """Take a trunk, and what maps its pooled hidden states (b, h) to vectors (b, d); None where they are the vectors."""
        self.spec, self.tokenizer, self.device = spec, tokenizer, device
        self._trunk, self._project = trunk, project

    @property
    def token_budget(self) -> int:
        """See `TextEncoder`; on a CPU as much as leaves the activations near the cache."""
        return 1_024 if self.device.type == "cpu" else 32_768

    @property
    def window_rows(self) -> int:
        """See `TextEncoder`."""
        return 8_192 if self.device.type == "cpu" else 65_536

    def pooled(self, chunks: Chunks, batch: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return `forward`'s vectors as an array on the host."""
        return self.forward(chunks, batch).cpu().numpy()

    def free_memory(self) -> None:
        """Give memory that the device's allocator holds back to the device."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    @torch.inference_mode()
    def forward(self, chunks: Chunks, batch: NDArray[np.int64]) -> Tensor:
        """See `TextEncoder`."""
        lengths = chunks.lengths[batch]
        ends = np.cumsum(lengths)
        # position of every token in its chunk, then its place in the window's flat ids
        positions = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
        ids = chunks.ids[np.repeat(chunks.offsets[batch], lengths) + positions]
        runs = equal_runs(lengths)
        hidden = self._trunk(self._to_device(ids), self._to_device(positions), runs)
        pooled, start = [], 0
        for first, last, length in runs:
            stop = start + (last - first) * length
            block = hidden[start:stop].view(last - first, length, -1)
            is_mean = self.spec.pooling == "mean"
            pooled.append(block.mean(dim=1, dtype=torch.float32) if is_mean else block[:, 0].float())
            start = stop
        vectors = torch.cat(pooled)
        return vectors if self._project is None else self._project(vectors)

    def _to_device(self, values: NDArray[Any]) -> Tensor:
        host = torch.from_numpy(values.astype(np.int64, copy=False))
        if self.device.type == "cpu":
            return host
        return host.pin_memory().to(self.device, non_blocking=True)


def load_encoder(spec: EncoderSpec, device: str, runtime: Runtime = FLOAT32) -> TextEncoder:
    """Verify and load an encoder; `device` is `auto`, `cpu`, `cuda` or `cuda:<address>`.

    Raises:
        ModelFileError: files missing, changed or not loadable; CUDA asked for where there is none; a runtime that is not
            installed or cannot compute in the precision asked for.
    """
    place = torch.device("cpu") if runtime.name == "openvino" else choose_device(device)
    folder = locate(spec.source)
    verify(folder, spec.files, spec.source)
    if not isinstance(folder, Path):
        raise ModelFileError(
            f"{spec.source}: lies inside an archive; an encoder needs a real folder, install its package"
        )
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if static.fits(config):
        return static.load(spec, folder, TextTokenizer(static.tokenizer_file(folder, config)), place)
    tokenizer = TextTokenizer((folder / "tokenizer.json").read_bytes())
    try:
        model, project = _load_model(folder, config, spec, tokenizer)
        trunk = _trunk(model, spec, runtime, place, tokenizer)
    except (KeyError, RuntimeError, ValueError, OSError) as error:
        raise ModelFileError(
            f"{spec.source}: cannot be loaded as {config.get('model_type')}: {_first_line(error)}"
        ) from None
    encoder = Encoder(spec, tokenizer, trunk, place, project.to(place) if project is not None else None)
    _probe(encoder, config.get("model_type"))
    return encoder


def is_static(spec: EncoderSpec) -> bool:
    """Return whether an encoder is a table of token vectors, which has no runtimes to choose from."""
    return static.fits(json.loads((locate(spec.source) / "config.json").read_text(encoding="utf-8")))


def _load_model(
    folder: Path, config: dict[str, Any], spec: EncoderSpec, tokenizer: TextTokenizer
) -> tuple[Any, nn.Module | None]:
    """Return a model, and what maps its pooled hidden states to vectors, if anything does."""
    if packed_language_model.fits(config):
        return packed_language_model.load_packed(folder, tokenizer.vocabulary_size)
    if bert.fits(config):
        return bert.load(folder, [f.name for f in spec.files if f.name.endswith(".safetensors")]), None
    return _load_any(folder), None


def _trunk(model: Any, spec: EncoderSpec, runtime: Runtime, device: torch.device, tokenizer: TextTokenizer) -> Trunk:
    if runtime.name == "openvino":
        calibration = tokenizer.chunks(probe_texts(), spec.max_tokens, 1)
        return openvino_trunk.convert(model, runtime.precision, calibration)
    if runtime.precision == "int8":
        raise ModelFileError("int8: only the openvino runtime computes in it; set model.runtime: openvino")
    model = model.to(device, getattr(torch, runtime.precision))
    return model if isinstance(model, bert.PackedBert | PackedLanguageModel) else HuggingFaceTrunk(model)


def _probe(encoder: Encoder, model_type: object) -> None:
    """Embed one short text: a model of the wrong kind fails here, once, and not on every text."""
    spec = encoder.spec
    try:
        vector = encoder.pooled(encoder.tokenizer.chunks(["a short text"], spec.max_tokens, 1), np.zeros(1, np.int64))
    except (RuntimeError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"{spec.source}: does not work as an encoder of text ({model_type}): {_first_line(error)}"
        ) from None
    if vector.shape != (1, spec.dim) or not np.isfinite(vector).all():
        raise ModelFileError(
            f"{spec.source}: gives vectors of shape {vector.shape[1:]}, not ({spec.dim},), or not finite ones"
        )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def choose_device(device: str) -> torch.device:
    """Return the device to compute on: `auto` takes CUDA where it is."""
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise ModelFileError(
            "model.device is cuda, but no CUDA device is visible in this worker; set model.device: auto"
        )
    if device.startswith("cuda:"):
        # Spark's address of a device counts all of the host's; where only some are visible they are numbered anew
        index = int(device.removeprefix("cuda:"))
        return (
            torch.device("cuda", index if index < torch.cuda.device_count() else 0)
            if available
            else torch.device("cpu")
        )
    return torch.device("cuda" if available and device != "cpu" else "cpu")


def _load_any(folder: Path) -> Any:
    from transformers import AutoModel

    model = AutoModel.from_pretrained(
        str(folder), local_files_only=True, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
    )
    return model.eval().requires_grad_(False)
