"""The Arrow schema of the scoring stage: what goes in and what comes out, one row per distinct text."""

import pyarrow as pa

TEXTS = pa.schema([("content_key", pa.string()), ("lang_hint", pa.string()), ("text", pa.string())])
"""Input. `text` is normalised and not null; `lang_hint` is the declared language (ISO 639-1) or the empty string."""

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
