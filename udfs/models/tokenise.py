"""Tokenising a window of texts into flat arrays, and cutting long texts into chunks. Nothing is truncated silently."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from udfs.models.words import WordMemory, word_pattern

Ids = NDArray[np.int32]
Offsets = NDArray[np.int64]
_BLOCK = 4_096
"""Texts given to the tokenizer at once."""


@dataclass(frozen=True)
class Chunks:
    """The chunks of a window, flat. Chunk i holds the tokens `ids[offsets[i]:offsets[i + 1]]`, special tokens included.

    Attributes:
        ids: (total,) int32 token ids.
        offsets: (n_chunks + 1,) int64.
        text: (n_chunks,) int64, the text a chunk belongs to; ascending.
        n_tokens: (n_texts,) int32, tokens of each text without special tokens, also those no chunk holds.
        n_read: (n_texts,) int32, tokens of each text that some chunk holds.
    """

    ids: Ids
    offsets: Offsets
    text: NDArray[np.int64]
    n_tokens: NDArray[np.int32]
    n_read: NDArray[np.int32]

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """(n_chunks,) int64, tokens per chunk, special tokens included."""
        return np.diff(self.offsets)


class TextTokenizer:
    """A fast tokenizer without the padding and truncation that its file may switch on."""

    def __init__(self, tokenizer_json: bytes) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_str(tokenizer_json.decode("utf-8"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        pattern = word_pattern(tokenizer_json)
        self._memory = WordMemory(self._tokenizer, pattern) if pattern else None
        self._prefix, self._suffix = self._special_tokens()

    @property
    def n_special(self) -> int:
        """Special tokens added to each chunk."""
        return len(self._prefix) + len(self._suffix)

    @property
    def vocabulary_size(self) -> int:
        """Number of token ids, added tokens included."""
        return int(self._tokenizer.get_vocab_size(with_added_tokens=True))

    def chunks(self, texts: Sequence[str], max_tokens: int, max_chunks: int) -> Chunks:
        """Tokenise texts and cut those longer than `max_tokens` (special tokens included) into chunks of nearly equal length.

        A text gets at most `max_chunks` chunks; what lies beyond is counted in `n_tokens` but not read. An empty text gets one
        chunk of special tokens only.
        """
        ids, n_tokens = self._encode(texts)
        capacity = max_tokens - self.n_special
        n_read = np.minimum(n_tokens, capacity * max_chunks)
        n_chunks = np.maximum(1, -(-n_read // capacity))
        text = np.repeat(np.arange(len(n_tokens)), n_chunks)
        # place of each chunk among its text's chunks; the first ones take what does not divide evenly
        place = np.arange(len(text)) - np.repeat(np.cumsum(n_chunks) - n_chunks, n_chunks)
        size, rest = np.divmod(n_read, n_chunks)
        sizes = size[text] + (place < rest[text])
        starts = (np.cumsum(n_tokens) - n_tokens)[text] + place * size[text] + np.minimum(place, rest[text])
        flat, offsets = self._with_special_tokens(ids, starts, sizes)
        return Chunks(flat, offsets, text, n_tokens.astype(np.int32), n_read.astype(np.int32))

    def single_tokens(self) -> Chunks:
        """Return one chunk per token of the vocabulary, in the order of the ids: the token between the special tokens."""
        n = self.vocabulary_size
        ones = np.ones(n, np.int64)
        flat, offsets = self._with_special_tokens(np.arange(n, dtype=np.int32), np.arange(n), ones)
        return Chunks(flat, offsets, np.arange(n), ones.astype(np.int32), ones.astype(np.int32))

    def _encode(self, texts: Sequence[str]) -> tuple[Ids, Offsets]:
        """Return the ids of all texts, one after another, and (n,) tokens per text; special tokens are left out.

        In blocks, because an encoding of the tokenizer holds about 100 bytes per token.
        """
        ids, n_tokens = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
        for start in range(0, len(texts), _BLOCK):
            block = list(texts[start : start + _BLOCK])
            block_ids, block_tokens = self._memory.encode(block) if self._memory else self._encode_whole(block)
            ids.append(block_ids)
            n_tokens.append(block_tokens)
        return np.concatenate(ids), np.concatenate(n_tokens)

    def _encode_whole(self, texts: list[str]) -> tuple[Ids, Offsets]:
        encodings = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        n_tokens = np.fromiter(map(len, encodings), np.int64, len(texts))
        each = chain.from_iterable(encoding.ids for encoding in encodings)
        return np.fromiter(each, np.int32, int(n_tokens.sum())), n_tokens

    def _with_special_tokens(self, ids: Ids, starts: Offsets, sizes: Offsets) -> tuple[Ids, Offsets]:
        """Copy the pieces ids[start : start + size] one after another, each between the special tokens; also return offsets."""
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes + self.n_special)])
        before = np.cumsum(sizes) - sizes
        running = np.arange(sizes.sum())
        flat = np.empty(offsets[-1], np.int32)
        body = offsets[:-1] + len(self._prefix)
        flat[running + np.repeat(body - before, sizes)] = ids[running + np.repeat(starts - before, sizes)]
        for i, token in enumerate(self._prefix):
            flat[offsets[:-1] + i] = token
        for i, token in enumerate(self._suffix):
            flat[body + sizes + i] = token
        return flat, offsets

    def _special_tokens(self) -> tuple[Ids, Ids]:
        """Return the ids that the tokenizer puts before and after a text."""
        bare = self._tokenizer.encode("a", add_special_tokens=False).ids
        full = self._tokenizer.encode("a", add_special_tokens=True).ids
        for start in range(len(full) - len(bare) + 1):
            if full[start : start + len(bare)] == bare:
                return np.asarray(full[:start], np.int32), np.asarray(full[start + len(bare) :], np.int32)
        raise ValueError("the tokenizer changes a text when it adds special tokens; it cannot be used in chunks")
