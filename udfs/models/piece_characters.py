"""What the tokens of a tokeniser spell: a table for n-grams of characters, made from tokenizer.json alone."""

import json
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from udfs.models.files import ModelFileError

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_BYTE_BASE = 0x11_0000
"""Bytes of characters outside the vocabulary get codes of their own, above Unicode's."""
_SPACE = "\u2581"


def piece_characters(path: Path, n_rows: int, special: frozenset[int]) -> NDArray[np.int64]:
    """Return (n_rows, m) the code points of each token, m the longest token's; 0 fills up, and special tokens spell nothing.

    The Metaspace sign is a blank. `path` is a tokenizer.json with a Unigram model.

    Raises:
        ModelFileError: it is not readable, is of another model, or has a token of a number beyond `n_rows`.
    """
    try:
        model = json.loads(path.read_text(encoding="utf-8"))["model"]
        if model["type"] != "Unigram":
            raise ModelFileError(f"{path}: model {model['type']}; n-grams of characters need a Unigram tokeniser")
        pieces = [str(piece) for piece, _ in model["vocab"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path}: is not a readable tokenizer.json: {error}") from None
    if len(pieces) > n_rows:
        raise ModelFileError(f"{path}: has {len(pieces)} tokens, the model vocabulary_size {n_rows}")
    codes = [[] if i in special else _codes(piece) for i, piece in enumerate(pieces)]
    table = np.zeros((n_rows, max(map(len, codes), default=1) or 1), dtype=np.int64)
    for row, found in zip(table, codes, strict=False):
        row[: len(found)] = found
    return table


def _codes(piece: str) -> list[int]:
    byte = _BYTE.fullmatch(piece)
    if byte:
        return [_BYTE_BASE + int(byte.group(1), 16)]
    return [ord(c) for c in piece.replace(_SPACE, " ")]
