"""The encoder in OpenVINO (Apache-2.0), an optional extra for CPU executors: `pip install nightjar-analytics[openvino]`.

The torch module is converted in memory when a worker loads it; no file of the model's folder is added or trusted. int8 is NNCF's
post-training quantisation of weights and activations, calibrated on `udfs.models.probe_texts`, so that every worker gets
the same model.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from udfs.models.bert import PackedBert, Run
from udfs.models.files import ModelFileError
from udfs.models.packed_language_model import PackedLanguageModel
from udfs.models.tokenise import Chunks

_HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16", "int8": "f32"}


class OpenVinoTrunk:
    """A compiled model; see `udfs.models.encoder.Trunk`."""

    def __init__(self, compiled: Any) -> None:
        self._request = compiled.create_infer_request()

    def __call__(self, ids: Tensor, positions: Tensor, runs: Sequence[Run]) -> Tensor:
        """Compute each run of equally long chunks as one block (n, l); the model makes its own positions."""
        parts, start = [], 0
        for first, last, length in runs:
            stop = start + (last - first) * length
            self._request.infer([ids[start:stop].view(last - first, length).numpy()])
            hidden = self._request.get_output_tensor().data
            parts.append(torch.from_numpy(np.array(hidden, dtype=np.float32).reshape(stop - start, -1)))
            start = stop
        return torch.cat(parts)


class _Block(nn.Module):
    """What is converted: (n, l) token ids to (n, l, h) hidden states, without padding."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor) -> Tensor:
        if isinstance(self.model, PackedBert | PackedLanguageModel):
            return self.model.block(ids)
        hidden: Tensor = self.model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        return hidden


def is_installed() -> bool:
    """Return whether the optional extra is there."""
    from importlib.util import find_spec

    return find_spec("openvino") is not None


def convert(model: Any, precision: str, calibration: Chunks) -> OpenVinoTrunk:
    """Convert and compile a torch encoder for the CPU with as many threads as torch has.

    Args:
        calibration: the chunks int8's value ranges are taken from.

    Raises:
        ModelFileError: the extra is not installed, or the precision needs a package that is not.
        RuntimeError: OpenVINO cannot convert the model.
    """
    if not is_installed():
        raise ModelFileError("model.runtime: openvino is not installed; pip install 'nightjar-analytics[openvino]'")
    import openvino as ov

    example = torch.ones(2, 8, dtype=torch.int64)
    with torch.no_grad():
        converted = ov.convert_model(
            _Block(model.eval()), example_input=example, input=[(ov.PartialShape([-1, -1]), ov.Type.i64)]
        )
    if precision == "int8":
        converted = _quantise(converted, calibration)
    settings = {
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        # several workers share the machine; pinned, all of them would sit on the first cores
        "ENABLE_CPU_PINNING": False,
    }
    return OpenVinoTrunk(ov.Core().compile_model(converted, "CPU", settings))


def _quantise(model: Any, chunks: Chunks) -> Any:
    """Quantise weights and activations to int8, calibrated on blocks of token ids."""
    try:
        import nncf
    except ImportError:
        raise ModelFileError(
            "model.precision: int8 needs nncf; pip install 'nightjar-analytics[openvino-int8]'"
        ) from None
    pieces = np.split(chunks.ids.astype(np.int64), chunks.offsets[1:-1])
    blocks = [piece[None, :] for piece in pieces]
    return nncf.quantize(model, nncf.Dataset(blocks), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(blocks))
