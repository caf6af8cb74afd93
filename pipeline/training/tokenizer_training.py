"""Training a tokenizer on a sample of the corpus, with the `tokenizers` library."""

import json
from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.errors import ConfigError
from pipeline.training.config import SPECIAL_TOKENS, TokenizerConfig

_PAD, _BEGIN, _END, _UNKNOWN, _MASK = SPECIAL_TOKENS
_SCRIPTS = {"han": ((0x4E00, 0x9FFF),), "kana": ((0x3041, 0x3096), (0x30A1, 0x30FA)), "hangul": ((0xAC00, 0xD7A3),)}
"""Ranges of code points (Unicode 16), both ends included: CJK unified ideographs, kana, Hangul syllables."""
_MAX_CHARS = 1_000


def sample_texts(rows: DataFrame, n_rows: int) -> list[str]:
    """Return the texts and targets of at most `n_rows` rows, those whose content keys come first, cut at 1,000 characters."""
    texts = F.array_compact(F.array(F.left("text", F.lit(_MAX_CHARS)), F.left("target", F.lit(_MAX_CHARS))))
    chosen = rows.orderBy("content_key", "head", "target").limit(n_rows).select(texts.alias("texts"))
    found = chosen.collect()  # bounded: sample_rows rows of 2,000 characters
    return [text for row in found for text in row.texts]


def train_tokenizer(texts: Sequence[str], config: TokenizerConfig) -> bytes:
    """Return tokenizer.json of a tokenizer that puts `<s>` before and `</s>` after a text.

    The same texts give the same `bpe`; the library's trainers of `unigram` and `wordpiece` differ a little from run to run, so
    models whose perplexities are to be compared share a tokenizer (`tokenizer.file`).

    Raises:
        ConfigError: `tokenizer.size` has no room for the characters that must be tokens.
    """
    from tokenizers import processors

    tokenizer = {"unigram": _unigram, "bpe": _bpe, "wordpiece": _wordpiece}[config.kind](texts, config)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{_BEGIN} $A {_END}", special_tokens=[(_BEGIN, 1), (_END, 2)]
    )
    return str(tokenizer.to_str()).encode()


def _unigram(texts: Sequence[str], config: TokenizerConfig) -> Any:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), *_case(config)])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    n_bytes = 256 if config.byte_fallback else 0
    trainer = trainers.UnigramTrainer(
        vocab_size=config.size - n_bytes, special_tokens=list(SPECIAL_TOKENS), unk_token=_UNKNOWN,
        initial_alphabet=_alphabet(texts, config, n_bytes), show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer, length=len(texts))
    if n_bytes:
        tokenizer = _with_byte_tokens(tokenizer)
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    return tokenizer


def _bpe(texts: Sequence[str], config: TokenizerConfig) -> Any:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), *_case(config)])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = trainers.BpeTrainer(
        vocab_size=config.size, special_tokens=list(SPECIAL_TOKENS), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer, length=len(texts))
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _wordpiece(texts: Sequence[str], config: TokenizerConfig) -> Any:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token=_UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=config.lowercase, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=config.size, special_tokens=list(SPECIAL_TOKENS), show_progress=False,
        initial_alphabet=_alphabet(texts, config, 0),
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer, length=len(texts))
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def _case(config: TokenizerConfig) -> list[Any]:
    from tokenizers import normalizers

    return [normalizers.Lowercase()] if config.lowercase else []


def _alphabet(texts: Sequence[str], config: TokenizerConfig, n_bytes: int) -> list[str]:
    """Return the characters of the scripts that are wanted whole."""
    ranges = [r for script in config.scripts for r in _SCRIPTS[script]]
    wanted = [chr(code) for first, last in ranges for code in range(first, last + 1)]
    needed = len(set(wanted).union(*texts)) + len(SPECIAL_TOKENS) + n_bytes
    if wanted and config.size < needed:
        raise ConfigError(
            f"tokenizer.size: {config.size} has no room for the {needed} single characters, bytes and special tokens that "
            f"scripts {', '.join(config.scripts)} and the texts need; raise it"
        )
    return wanted


def _with_byte_tokens(tokenizer: Any) -> Any:
    """Add the tokens <0x00> to <0xFF>, less likely than any other, and let them spell what has no token."""
    from tokenizers import Tokenizer

    content = json.loads(tokenizer.to_str())
    model = content["model"]
    least = min(score for _, score in model["vocab"]) - 10.0
    model["vocab"] += [[f"<0x{byte:02X}>", least] for byte in range(256)]
    model["byte_fallback"] = True
    return Tokenizer.from_str(json.dumps(content))
