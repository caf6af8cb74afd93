"""Tokenising a window of texts into flat arrays, and cutting long texts into chunks. Nothing is truncated silently."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Offsets = NDArray[np.int64]


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

    @property
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
        self._prefix, self._suffix = self._special_tokens()

    @property
    def n_special(self) -> int:
        """Special tokens added to each chunk."""
        return len(self._prefix) + len(self._suffix)

    def chunks(self, texts: Sequence[str], max_tokens: int, max_chunks: int) -> Chunks:
        """Tokenise texts and cut those longer than `max_tokens` (special tokens included) into chunks of nearly equal length.

        A text gets at most `max_chunks` chunks; what lies beyond is counted in `n_tokens` but not read. An empty text gets one
        chunk of special tokens only.
        """
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        capacity = max_tokens - self.n_special
        pieces: list[Ids] = []
        owners: list[int] = []
        n_tokens = np.zeros(len(texts), np.int32)
        n_read = np.zeros(len(texts), np.int32)
        for i, encoding in enumerate(encodings):
            ids = np.asarray(encoding.ids, dtype=np.int32)
            n_tokens[i] = len(ids)
            n_read[i] = min(len(ids), capacity * max_chunks)
            n_chunks = max(1, -(-int(n_read[i]) // capacity))
            for part in np.array_split(ids[: n_read[i]], n_chunks):
                pieces += [self._prefix, part, self._suffix]
                owners.append(i)
        sizes = np.fromiter((len(p) for p in pieces), np.int64, len(pieces)).reshape(-1, 3).sum(axis=1)
        flat = np.concatenate(pieces) if pieces else np.zeros(0, np.int32)
        return Chunks(flat, np.concatenate([[0], np.cumsum(sizes)]), np.asarray(owners, np.int64), n_tokens, n_read)

    def _special_tokens(self) -> tuple[Ids, Ids]:
        """Return the ids that the tokenizer puts before and after a text."""
        bare = self._tokenizer.encode("a", add_special_tokens=False).ids
        full = self._tokenizer.encode("a", add_special_tokens=True).ids
        for start in range(len(full) - len(bare) + 1):
            if full[start : start + len(bare)] == bare:
                return np.asarray(full[:start], np.int32), np.asarray(full[start + len(bare) :], np.int32)
        raise ValueError("the tokenizer changes a text when it adds special tokens; it cannot be used in chunks")
