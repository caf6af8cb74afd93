"""Choosing what computes an encoder here: each candidate is tried against float32 on 64 texts, then timed on them."""

import json
import platform
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from udfs.models.batches import plan_batches
from udfs.models.encoder import TextEncoder, choose_device, is_static, load_encoder
from udfs.models.files import ModelFileError
from udfs.models.openvino_trunk import is_installed
from udfs.models.probe_texts import probe_texts
from udfs.models.spec import FLOAT32, EncoderSpec, Runtime
from udfs.spec import Device, ScoreSpec

MIN_COSINE_EXACT = 0.9999
"""Of every text to float32."""
MEAN_COSINE_FAST = 0.995
"""Of the mean over texts."""
_BUDGET = 2_048
_SECONDS = 1.0
_HALF_PRECISION_FLAGS = ("avx512_bf16", "amx_bf16")


@dataclass(frozen=True)
class Trial:
    """How one runtime did. `problem` says why it was not timed; cosines are to float32 torch on the same device."""

    runtime: Runtime
    cosine_min: float | None = None
    cosine_mean: float | None = None
    tokens_per_s: float | None = None
    problem: str | None = None

    def keeps(self, mode: str) -> bool:
        """Return whether the runtime keeps the promise of `mode`."""
        if self.cosine_min is None or self.cosine_mean is None:
            return False
        return self.cosine_min >= MIN_COSINE_EXACT if mode == "exact" else self.cosine_mean >= MEAN_COSINE_FAST


def candidates(device: Device, mode: str, cpu_flags: frozenset[str]) -> list[Runtime]:
    """Return the runtimes worth trying on a device, the reference first.

    bfloat16 on a CPU without units for it is many times slower than float32, so it is not even tried there.
    """
    if choose_device(device).type == "cuda":
        return [FLOAT32, Runtime("torch", "float16"), Runtime("torch", "bfloat16")]
    has_half = any(flag in cpu_flags for flag in _HALF_PRECISION_FLAGS)
    found = [FLOAT32]
    if mode == "fast" and has_half:
        found.append(Runtime("torch", "bfloat16"))
    if is_installed():
        found.append(Runtime("openvino", "float32"))
        if has_half:
            found.append(Runtime("openvino", "bfloat16"))
        if mode == "fast":
            found.append(Runtime("openvino", "int8"))
    return found


def cpu_flags() -> frozenset[str]:
    """Return what the CPU can do, as Linux names it; nothing where that cannot be read."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return frozenset(next((line.split(":")[1] for line in lines if line.startswith("flags")), "").split())
    except OSError:
        return frozenset()


def try_runtimes(spec: ScoreSpec, wanted: list[Runtime]) -> list[Trial]:
    """Try each runtime with `spec`'s encoder on its device. The reference is loaded whether wanted or not.

    Raises:
        ModelFileError: the reference itself does not load.
    """
    reference = load_encoder(spec.encoder, spec.device)
    expected = _vectors(reference, spec.encoder)
    trials = []
    for runtime in wanted:
        try:
            encoder = reference if runtime == FLOAT32 else load_encoder(spec.encoder, spec.device, runtime)
            cosines = (_vectors(encoder, spec.encoder) * expected).sum(axis=1)
            low, mean, speed = float(cosines.min()), float(cosines.mean()), _tokens_per_s(encoder, spec.encoder)
            trials.append(Trial(runtime, round(low, 6), round(mean, 6), round(speed, 1)))
        except (ModelFileError, RuntimeError) as error:
            trials.append(Trial(runtime, problem=str(error).splitlines()[0]))
    return trials


def choose(trials: list[Trial], mode: str) -> Runtime:
    """Return the fastest runtime that keeps the promise of `mode`; the reference if there is none."""
    good = [t for t in trials if t.keeps(mode)]
    return max(good, key=lambda t: t.tokens_per_s or 0.0).runtime if good else FLOAT32


def choose_runtime(spec: ScoreSpec, name: str, precision: str, known: str | None) -> str:
    """Choose among what fits `name` and `precision` (each may be `auto`) here; see `udfs.worker.make_choose_runtime`."""
    try:
        available = [FLOAT32] if is_static(spec.encoder) else candidates(spec.device, spec.mode, cpu_flags())
    except ModelFileError as error:
        return json.dumps({"problem": str(error)})
    fitting = [r for r in available if name in ("auto", r.name) and precision in ("auto", r.precision)]
    outcome: dict[str, Any] = {
        "device": _device_name(spec.device),
        "available": [f"{r.name} {r.precision}" for r in available],
        "asked": [name, precision],
    }
    before = json.loads(known) if known else {}
    if before and all(before.get(key) == value for key, value in outcome.items()):
        return str(known)
    trials = try_runtimes(spec, fitting) if len(fitting) > 1 else []
    chosen: Runtime | None = choose(trials, spec.mode) if trials else next(iter(fitting), None)
    outcome |= {"trials": [asdict(t) for t in trials], "chosen": asdict(chosen) if chosen else None}
    return json.dumps(outcome, sort_keys=True)


def _device_name(device: Device) -> str:
    """Return the model of the GPU or CPU."""
    place = choose_device(device)
    if place.type == "cuda":
        return torch.cuda.get_device_name(place)
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{platform.machine()} CPU with {capability}"


def _vectors(encoder: TextEncoder, spec: EncoderSpec) -> NDArray[np.float32]:
    """Return (64, d) unit vectors of the probe texts."""
    chunks = encoder.tokenizer.chunks(probe_texts(), spec.max_tokens, 1)
    vectors = np.zeros((len(chunks.text), spec.width), np.float32)
    for batch in plan_batches(chunks.lengths, _BUDGET):
        vectors[batch] = encoder.pooled(chunks, batch)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(norms == 0, 1.0, norms)).astype(np.float32)


def _tokens_per_s(encoder: TextEncoder, spec: EncoderSpec) -> float:
    """Return the best rate of about a second's runs; the best, because other processes only ever slow a run down."""
    copies = 64 if encoder.device.type == "cuda" else 1
    chunks = encoder.tokenizer.chunks(probe_texts() * copies, spec.max_tokens, 1)
    batches = plan_batches(chunks.lengths, _BUDGET if encoder.device.type == "cpu" else 32_768)
    best, begun = float("inf"), time.perf_counter()
    while best == float("inf") or time.perf_counter() - begun < _SECONDS:
        started = time.perf_counter()
        for batch in batches:
            encoder.pooled(chunks, batch)
        best = min(best, time.perf_counter() - started)
    return float(chunks.lengths.sum()) / best
