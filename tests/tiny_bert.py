"""A tiny BERT with random weights, and shards of labelled rows it can learn: the tests of fine-tuning."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel

from pipeline.model_lock import encoder_entry, encoder_spec
from udfs.models.spec import EncoderSpec

GOOD, BAD, PLAIN = "good fine great", "bad poor awful", "table chair lamp road"
WORDS = f"[PAD] [CLS] [SEP] [UNK] {GOOD} {BAD} {PLAIN} @user the a is was not today".split()
HIDDEN = 32


def write_base(folder: Path) -> EncoderSpec:
    """Write model and tokenizer; return the encoder's spec."""
    torch.manual_seed(5)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=HIDDEN, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=32, pad_token_id=0, initializer_range=0.3,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    tokenizer.save(str(folder / "tokenizer.json"))
    return encoder_spec(encoder_entry("tiny-bert", str(folder), folder, "r", ("en",)))


def sentences(n: int) -> list[tuple[str, str, str]]:
    """Return n different texts with their sentiment and their thing, both told by one word each."""
    rows = []
    for i in range(n):
        label, words = [("negative", BAD), ("positive", GOOD), ("neutral", "is the a")][i % 3]
        word, thing = words.split()[i % 7 % 3], PLAIN.split()[i % 5 % 4]
        filler = " ".join(["the", "today", "was", "a"][(i >> k) % 4] for k in range(0, 8, 2))
        rows.append((f"{thing} {filler} {word}", label, thing))
    return rows


def write_shards(folder: Path, rows: list[tuple[str, int, str]]) -> str:
    """Write shards of (text, label position, name of the source)."""
    folder.mkdir(parents=True)
    ids = [[1, *(WORDS.index(word) for word in text.split()), 2] for text, _, _ in rows]
    columns = {
        "ids": pa.array(ids, pa.list_(pa.int32())),
        "label": pa.array([label for _, label, _ in rows], pa.int32()),
        "head": [source for _, _, source in rows],
    }
    pq.write_table(pa.table(columns), folder / "part-0.parquet")
    return str(folder)
