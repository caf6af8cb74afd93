"""Vectors of a window: micro-batches through the encoder, failures isolated, chunks of a text joined."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from udfs.models.batches import plan_batches
from udfs.models.encoder import TextEncoder
from udfs.models.files import ModelFileError
from udfs.models.tokenise import Chunks

logger = logging.getLogger(__name__)

Batch = NDArray[np.int64]
_MIN_BUDGET = 256


@dataclass(frozen=True)
class Vectors:
    """What an encoder says of n texts: (n, d) unit embeddings, and the (n, h) float32 inputs of its heads.

    Heads without features of their own read the embeddings.
    """

    embeddings: NDArray[np.float32]
    head_inputs: NDArray[np.float32]


@dataclass(frozen=True)
class _Failure:
    """Why a micro-batch gave no vectors. Holds no exception: its traceback would keep the batch's tensors alive."""

    kind: str
    is_memory: bool


class Embedder:
    """Runs one encoder. Remembers the batch size its device could not hold; not safe for threads."""

    def __init__(
        self, encoder: TextEncoder, token_budget: int | None, on_cpu: Callable[[], TextEncoder] | None = None
    ) -> None:
        """Take an encoder.

        Args:
            on_cpu: makes the same encoder on the CPU, for a chunk that alone does not fit the device; None where the encoder
                is on the CPU already.
        """
        self.encoder = encoder
        self.token_budget = token_budget or encoder.token_budget
        self._on_cpu, self._rescuer = on_cpu, None if on_cpu else encoder

    def embed(self, chunks: Chunks, n_texts: int) -> tuple[Vectors, list[int]]:
        """Return the vectors of n texts and the texts the model failed on, whose vectors are meaningless.

        A text's embedding is the mean of its chunks' pooled vectors, weighted by their tokens, scaled to length one; its head
        input is the same mean of its chunks' features, not scaled.

        Raises:
            RuntimeError: the CUDA context is lost; the worker process must end, Spark tries again in a new one.
            ModelFileError: the encoder's output has another shape than its spec says.
        """
        pooled, failed = self._pooled(chunks)
        sums = _sum_of_chunks(pooled, chunks, n_texts)
        dim = self.encoder.spec.dim
        norms = np.linalg.norm(sums[:, :dim], axis=1, keepdims=True)
        embeddings = (sums[:, :dim] / np.where(norms == 0, 1.0, norms)).astype(np.float32)
        head_inputs = embeddings
        if self.encoder.spec.n_features:
            tokens = np.bincount(chunks.text, weights=chunks.lengths, minlength=n_texts)[:, None]
            head_inputs = (sums[:, dim:] / np.maximum(tokens, 1.0)).astype(np.float32)
        return Vectors(embeddings, head_inputs), sorted({int(chunks.text[chunk]) for chunk in failed})

    def _pooled(self, chunks: Chunks) -> tuple[NDArray[np.float32], list[int]]:
        """Return one (w,) vector per chunk and the chunks that failed, each tried alone in the end.

        A batch's vectors are fetched from the device when the next batch is on its way.
        """
        pooled = np.zeros((len(chunks.text), self.encoder.spec.width), np.float32)
        failed: list[int] = []
        todo = plan_batches(chunks.lengths, self.token_budget)[::-1]
        flying: tuple[Batch, Tensor] | None = None
        while todo:
            batch = todo.pop()
            result = self._try(chunks, batch)
            if flying is not None:
                pooled[flying[0]] = flying[1].cpu().numpy()
                flying = None
            if isinstance(result, Tensor):
                if result.shape != (len(batch), pooled.shape[1]):
                    # no text is to blame; one row for a batch would even be taken for the vector of all of them
                    raise ModelFileError(
                        f"{self.encoder.spec.source}: gave {tuple(result.shape)}, not {(len(batch), pooled.shape[1])}"
                    )
                flying = batch, result
                continue
            # here the exception, and with it the memory it kept, is gone
            if result.is_memory:
                todo = self._shrink(chunks, batch, todo)
            if len(batch) > 1:
                half = len(batch) // 2
                todo += [batch[half:], batch[:half]]
            elif not self._rescue(chunks, batch, pooled, result):
                failed.append(int(batch[0]))
        if flying is not None:
            pooled[flying[0]] = flying[1].cpu().numpy()
        return pooled, failed

    def _try(self, chunks: Chunks, batch: Batch) -> Tensor | _Failure:
        """Return the batch's vectors, perhaps still being computed, or why a smaller batch may do better."""
        try:
            return self.encoder.forward(chunks, batch)
        except (RuntimeError, MemoryError, ValueError, IndexError) as error:
            text = str(error)
            is_memory = isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text
            if "CUDA error" in text and not is_memory:
                raise
            return _Failure(type(error).__name__, is_memory)

    def _shrink(self, chunks: Chunks, batch: Batch, todo: list[Batch]) -> list[Batch]:
        """Lower the budget to three quarters of what did not fit, for good, and cut what is left by it."""
        self.encoder.free_memory()
        tried = int(chunks.lengths[batch].sum())
        smaller = max(_MIN_BUDGET, tried * 3 // 4)
        if smaller >= self.token_budget:
            return todo
        logger.warning("out of memory at %d tokens in a batch; from now on at most %d", tried, smaller)
        self.token_budget = smaller
        left = np.concatenate(todo) if todo else np.zeros(0, np.int64)
        left.sort()
        return [left[piece] for piece in plan_batches(chunks.lengths[left], smaller)][::-1]

    def _rescue(self, chunks: Chunks, batch: Batch, pooled: NDArray[np.float32], failure: _Failure) -> bool:
        """Compute one chunk that does not fit the device on the CPU; return whether that went well."""
        if not failure.is_memory or self._on_cpu is None:
            return False
        if self._rescuer is None:
            self._rescuer = self._on_cpu()
        logger.warning("a chunk of %d tokens does not fit the device; computed on the CPU", chunks.lengths[batch[0]])
        try:
            pooled[batch] = self._rescuer.pooled(chunks, batch)
        except (RuntimeError, MemoryError):
            return False
        return True


def _sum_of_chunks(pooled: NDArray[np.float32], chunks: Chunks, n_texts: int) -> NDArray[np.float64]:
    """Return (n_texts, w) sums of the texts' pooled chunk vectors, weighted by tokens."""
    weighted = pooled * chunks.lengths.astype(np.float64)[:, None]
    if len(chunks.text) == n_texts:
        return weighted
    # every text has a chunk, and a text's chunks follow each other
    firsts = np.searchsorted(chunks.text, np.arange(n_texts))
    return np.add.reduceat(weighted, firsts, axis=0)
