"""The Arrow schema of the scoring stage: what goes in and what comes out, one row per distinct text."""

import pyarrow as pa

TEXTS = pa.schema([("content_key", pa.string()), ("lang_hint", pa.string()), ("text", pa.string())])
"""Input. `text` is normalised and not null; `lang_hint` is the declared language (ISO 639-1) or the empty string. Where `text` is
only the beginning of one, at least the spec's `max_chars`, a fourth column `text_chars` (int) has the length of the whole."""


def chars_of(texts: pa.Table) -> list[int]:
    """Return the characters of each text, the whole of it where `text` is its beginning."""
    if "text_chars" in texts.column_names:
        return [int(n) for n in texts.column("text_chars").to_pylist()]
    return [len(text) for text in texts.column("text").to_pylist()]


RESULTS = pa.schema(
    [
        ("content_key", pa.string()),
        ("lang_hint", pa.string()),
        ("lang", pa.string()),
        ("lang_confidence", pa.float64()),
        ("n_chars", pa.int32()),
        ("n_tokens", pa.int32()),
        ("n_chunks", pa.int32()),
        ("coverage", pa.float64()),
        ("embedding", pa.list_(pa.float32())),
        ("sentiment", pa.string()),
        ("sentiment_score", pa.float64()),
        ("sentiment_confidence", pa.float64()),
        ("sentiment_model", pa.string()),
        ("topic_model_key", pa.string()),
        ("topic_id", pa.int64()),
        ("topic_distance", pa.float64()),
        ("error_code", pa.string()),
    ]
)
"""Output. Where `error_code` is set (`LANG_UNSUPPORTED`, `NON_FINITE`, `MODEL`, `TOKENISE`, `WORKER_CRASH`, `WORKER_HANG`),
the embedding and everything computed from it are null; never null without a code. `sentiment_score` is P(positive) - P(negative),
rounded to 6 decimals; `sentiment_confidence` is the probability of the label; `sentiment_model` names the head that gave it;
`topic_distance` is 1 - cosine to the centroid. Topic columns are null when the spec holds no topics."""
