"""From seconds to figures: ratios pair by pair, growth exponents, cosines, tables, and what a reader must know of the machine."""

import json
import math
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

PACKAGES = ("pyspark", "torch", "transformers", "sentence-transformers", "tokenizers", "pyarrow", "daft")


def pair_ratios(slower: Sequence[float], faster: Sequence[float]) -> list[float]:
    """Return how many times as long each turn of `slower` took as the same turn of `faster`."""
    return [a / b for a, b in zip(slower, faster, strict=True)]


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return e of seconds ~ size^e: the slope of a least-squares line through the logarithms.

    Raises:
        ValueError: fewer than two different sizes.
    """
    x, y = [math.log(n) for n in sizes], [math.log(s) for s in seconds]
    if len(set(x)) < 2:
        raise ValueError(f"an exponent needs two different sizes, got {list(sizes)}")
    return statistics.linear_regression(x, y).slope


def vectors(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Read (content_key, embedding) of a Parquet file or folder; return n keys in order and (n, d) float32.

    An embedding is a list of floats or their little-endian bytes.
    """
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    parts = [pq.read_table(f, columns=["content_key", "embedding"]) for f in files]
    table = pa.concat_tables([p for p in parts if p.num_rows]).sort_by("content_key").combine_chunks()
    column = table.column("embedding").combine_chunks()
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        flat = np.frombuffer(b"".join(column.to_pylist()), np.float32)
    else:
        flat = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    return table.column("content_key").to_pylist(), flat.reshape(table.num_rows, -1)


def cosines(first: Path, second: Path) -> tuple[float, float] | None:
    """Return minimum and mean cosine of the vectors both wrote for the same text; None where the spaces differ in size.

    Raises:
        ValueError: they did not embed the same texts.
    """
    (keys, a), (other_keys, b) = vectors(first), vectors(second)
    if keys != other_keys:
        raise ValueError(f"{first} and {second} do not hold the same texts")
    if a.shape != b.shape:
        return None
    x, y = a.astype(np.float64), b.astype(np.float64)
    values = (x * y).sum(axis=1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)
    return float(values.min()), float(values.mean())


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter, those installed here."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Describe the machine: architecture, processor, cores, vector instructions, GPU."""
    import torch

    facts: dict[str, Any] = {
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "load": round(os.getloadavg()[0], 2),
    }
    if torch.cuda.is_available():
        facts["gpu"] = torch.cuda.get_device_name()
    return facts


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a markdown table."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def write_json(path: Path, result: Mapping[str, Any]) -> None:
    """Write a result, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
