"""Plants faults in the worker processes of a test: on PYTHONPATH, Python imports this before anything else.

A text that holds one of the words below makes the process that scores it misbehave. `NIGHTJAR_COUNT_FILE` names a file that gets
one line per window scored: its number of texts. `NIGHTJAR_PLANT_SLOW` are seconds that every window takes longer;
with `NIGHTJAR_PLANT_RAISE` every window raises an error that quotes a text. The static encoder raises for a chunk of more than
`NIGHTJAR_PLANT_TOKENS` tokens (60).
"""

import contextlib
import ctypes
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
import time
from types import ModuleType
from typing import Any

FAULTS = {
    "plantedexit": lambda: os._exit(137),
    "plantedsegfault": lambda: ctypes.string_at(0),
    "plantedhang": lambda: time.sleep(100_000),
    "plantedmemory": lambda: os.kill(
        os.getpid(), signal.SIGKILL
    ),  # what the kernel does to a process that takes too much
}


def _plant_routes(module: ModuleType) -> None:
    tokenise, embed = module.Route.tokenise, module.Route.embed

    def tokenise_or_die(self: Any, texts: Any, rows: Any, max_chunks: int) -> Any:
        for i in rows:
            for word, fault in FAULTS.items():
                if word in texts[i]:
                    fault()
        self.planted = {k: texts[i] for k, i in enumerate(rows)}
        return tokenise(self, texts, rows, max_chunks)

    def embed_with_faults(self: Any, share: Any) -> Any:
        vectors, failed, not_finite = embed(self, share)
        for k, i in enumerate(share.rows):
            if "plantednan" in self.planted.get(k, ""):
                vectors.embeddings[k] = float("nan")
                not_finite.append(i)
        return vectors, failed, not_finite

    module.Route.tokenise, module.Route.embed = tokenise_or_die, embed_with_faults


def _plant_encoder(module: ModuleType) -> None:
    """An encoder that runs out of memory on a batch of more than a few texts, and raises for a text of many tokens."""
    forward, most = module.StaticEncoder.forward, int(os.environ.get("NIGHTJAR_PLANT_TOKENS", "60"))

    def forward_or_raise(self: Any, chunks: Any, batch: Any) -> Any:
        if os.environ.get("NIGHTJAR_PLANT_OOM") and len(batch) > 4:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")
        if chunks.lengths[batch].max(initial=0) > most:
            raise RuntimeError("this text does not go through the model")
        return forward(self, chunks, batch)

    module.StaticEncoder.forward = forward_or_raise


def _plant_engine(module: ModuleType) -> None:
    results = module.Engine._results

    def counted(self: Any, window: Any, judged: Any) -> Any:
        if os.environ.get("NIGHTJAR_PLANT_RAISE"):
            raise RuntimeError(f"cannot handle {window.texts[0]!r}")
        time.sleep(float(os.environ.get("NIGHTJAR_PLANT_SLOW", "0")))
        if path := os.environ.get("NIGHTJAR_COUNT_FILE"):
            with open(path, "a") as file:
                file.write(f"{len(window.texts)}\n")
        return results(self, window, judged)

    module.Engine._results = counted


def _plant_failpoints(module: ModuleType) -> None:
    """`NIGHTJAR_PLANT_STOP` is a failpoint and a process, which is killed when the driver comes there."""
    name_and_process = os.environ.get("NIGHTJAR_PLANT_STOP", "").split()
    failpoint = module.failpoint

    def failpoint_or_stop(name: str) -> None:
        if name_and_process and name == name_and_process[0]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(name_and_process[1]), signal.SIGKILL)
        failpoint(name)

    module.failpoint = failpoint_or_stop


PLANTS = {
    "udfs.routes": _plant_routes,
    "udfs.models.static": _plant_encoder,
    "udfs.engine": _plant_engine,
    "pipeline.failpoints": _plant_failpoints,
}


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: Any, plant: Any) -> None:
        self._loader, self._plant = loader, plant

    def create_module(self, spec: Any) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._plant(module)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name not in PLANTS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, PLANTS[name])
        return spec


with contextlib.suppress(Exception):
    sys.meta_path.insert(0, _Finder())
