"""Micro-batches through an encoder: failures isolated, memory limits met and remembered."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from pipeline.config import ModelConfig
from pipeline.models import embedding_spec
from udfs.embedding import Embedder
from udfs.models.encoder import Encoder, load_encoder
from udfs.models.tokenise import Chunks

TEXTS = [
    "short",
    "the battery lasts about six hours",
    "a b c d e f g h i j " * 6,
    "ok",
    "never had to wait this long " * 9,
]


@pytest.fixture(scope="module")
def loaded() -> Encoder:
    return load_encoder(embedding_spec(ModelConfig()).encoder, "cpu")


@pytest.fixture
def encoder(loaded: Encoder) -> Iterator[Encoder]:
    """The encoder; what a test puts in the place of `forward` goes with it."""
    yield loaded
    vars(loaded).pop("forward", None)


def chunks_of(encoder: Encoder, texts: list[str]) -> Chunks:
    return encoder.tokenizer.chunks(texts, 64, 8)


def too_big(encoder: Encoder, most: int, tried: list[int]) -> Callable[..., torch.Tensor]:
    """A device that holds `most` tokens."""
    real = encoder.forward

    def forward(chunks: Chunks, batch: np.ndarray) -> torch.Tensor:
        tried.append(int(chunks.lengths[batch].sum()))
        if tried[-1] > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return real(chunks, batch)

    return forward


def test_a_budget_that_did_not_fit_is_not_tried_again(encoder: Encoder) -> None:
    texts = TEXTS * 20
    chunks = chunks_of(encoder, texts)
    expected, _ = Embedder(encoder, 2_048).embed(chunks, len(texts))
    tried: list[int] = []
    encoder.forward = too_big(encoder, 600, tried)  # type: ignore[method-assign]
    embedder = Embedder(encoder, 2_048)
    vectors, failed = embedder.embed(chunks, len(texts))
    assert failed == []
    assert np.abs(vectors.embeddings - expected.embeddings).max() < 1e-5
    assert embedder.token_budget <= 600
    tried.clear()
    embedder.embed(chunks, len(texts))
    assert max(tried) <= 600


def test_a_chunk_that_fits_no_device_goes_to_the_cpu(encoder: Encoder, loaded: Encoder) -> None:
    chunks = chunks_of(encoder, TEXTS)
    expected, _ = Embedder(encoder, 2_048).embed(chunks, len(TEXTS))
    cpu = Encoder(encoder.spec, encoder.tokenizer, encoder._trunk, encoder.device)
    encoder.forward = too_big(encoder, 50, [])  # type: ignore[method-assign]
    calls: list[int] = []
    real = cpu.forward

    def counted(chunks: Chunks, batch: np.ndarray) -> torch.Tensor:
        calls.append(len(batch))
        return real(chunks, batch)

    cpu.forward = counted  # type: ignore[method-assign]
    vectors, failed = Embedder(encoder, 2_048, lambda: cpu).embed(chunks, len(TEXTS))
    assert failed == []
    assert len(calls) == int((chunks.lengths > 50).sum()) > 0
    assert np.abs(vectors.embeddings - expected.embeddings).max() < 1e-5


def test_without_a_cpu_to_go_to_only_the_text_that_does_not_fit_fails(encoder: Encoder) -> None:
    chunks = chunks_of(encoder, TEXTS)
    encoder.forward = too_big(encoder, 50, [])  # type: ignore[method-assign]
    _, failed = Embedder(encoder, 2_048).embed(chunks, len(TEXTS))
    assert failed == sorted(set(chunks.text[chunks.lengths > 50].tolist()))


def test_memory_the_failed_batch_held_is_free_before_the_next_is_tried(encoder: Encoder) -> None:
    """The exception's traceback keeps the frame's tensors alive; no frame of a failed call may outlive it."""
    import weakref

    chunks = chunks_of(encoder, TEXTS)
    real, held = encoder.forward, []

    def forward(chunks: Chunks, batch: np.ndarray) -> torch.Tensor:
        assert all(reference() is None for reference in held)
        if len(batch) > 1:
            big = torch.zeros(1_000)
            held.append(weakref.ref(big))
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(chunks, batch)

    encoder.forward = forward  # type: ignore[method-assign]
    _, failed = Embedder(encoder, 2_048).embed(chunks, len(TEXTS))
    assert failed == []
    assert held
