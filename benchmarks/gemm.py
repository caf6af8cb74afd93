"""The machine's matrix products at the encoder's shapes: the most the encoder could get out of the device.

On a CPU each product is measured through MKL (`torch.mm`) and through oneDNN (a fused linear); the faster counts. With one thread
the clock is CPU time, so that a machine shared with others gives the same figure; otherwise it is the wall's.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.bounds import Shape

_ROUNDS, _ROUND_SEC = 4, 0.1
Timed = Callable[[], Tensor]


@dataclass(frozen=True)
class Gemm:
    """One product [rows, inner] x [inner, columns]: the best rate of each library in FLOP/s."""

    rows: int
    inner: int
    columns: int
    flop_per_s: dict[str, float]

    @property
    def best(self) -> float:
        """FLOP/s of the faster library."""
        return max(self.flop_per_s.values())


def measure_gemm(rows: int, inner: int, columns: int, dtype: torch.dtype, device: torch.device) -> Gemm:
    """Measure one product with the threads torch has now; each figure is the best of several rounds."""
    x = torch.randn(rows, inner, device=device, dtype=dtype)
    weight = torch.randn(columns, inner, device=device, dtype=dtype)
    transposed = weight.t().contiguous()
    contenders: dict[str, Timed] = {"cublas" if device.type == "cuda" else "mm": lambda: torch.mm(x, transposed)}
    if device.type == "cpu" and has_onednn(dtype):
        contenders["onednn"] = lambda: torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")
    flop = 2 * rows * inner * columns
    with torch.inference_mode():
        return Gemm(rows, inner, columns, {name: flop / best_seconds(f, device) for name, f in contenders.items()})


def has_onednn(dtype: torch.dtype) -> bool:
    """Return whether oneDNN multiplies in this precision here; where it does not, half precision on a CPU is hopeless."""
    if not torch.backends.mkldnn.is_available():
        return False
    needed = {torch.bfloat16: "_is_mkldnn_bf16_supported", torch.float16: "_is_mkldnn_fp16_supported"}
    return dtype not in needed or bool(getattr(torch.ops.mkldnn, needed[dtype])())


def measure_layer(shape: Shape, rows: int, dtype: torch.dtype, device: torch.device) -> dict[str, Gemm]:
    """Measure the four products of an encoder layer over `rows` tokens."""
    h, f = shape.hidden, shape.inner
    sizes = {"up": (h, f), "down": (f, h), "qkv": (h, 3 * h), "attended": (h, h)}
    return {name: measure_gemm(rows, inner, columns, dtype, device) for name, (inner, columns) in sizes.items()}


def layer_rate(products: dict[str, Gemm]) -> float:
    """Return the FLOP/s of all products after each other, each by its faster library."""
    flop = {name: g.rows * g.inner * g.columns for name, g in products.items()}
    return sum(flop.values()) / sum(flop[name] / g.best for name, g in products.items())


def copy_rate(device: torch.device, size_bytes: int = 1 << 28) -> float:
    """Return the bytes per second the device's memory reads and writes in a large copy."""
    source = torch.empty(size_bytes, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * size_bytes / best_seconds(lambda: target.copy_(source), device)


def best_seconds(work: Timed, device: torch.device) -> float:
    """Return the seconds of one call in the best of several rounds of calls."""
    work()
    calls = 1
    while (seconds := _round(work, calls, device)) < _ROUND_SEC / 2:
        calls *= 2
    best = seconds / calls
    for _ in range(_ROUNDS - 1):
        best = min(best, _round(work, calls, device) / calls)
    return best


def _round(work: Timed, calls: int, device: torch.device) -> float:
    clock = work_clock(device)
    _wait(device)
    started = clock()
    for _ in range(calls):
        work()
    _wait(device)
    return clock() - started


def work_clock(device: torch.device) -> Callable[[], float]:
    """Return the clock that tells work from waiting for others, where there is one: CPU time of a single thread."""
    return time.process_time if device.type == "cpu" and torch.get_num_threads() == 1 else time.perf_counter


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
