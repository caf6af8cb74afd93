"""The contract of a row: which rows of the corpus are documents of a night, and why the others are rejected."""

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from pipeline import corpus as c
from pipeline.config import InputConfig
from pipeline.text import content_key, is_blank, language_hint, normalised

RUN_DATE, DOC_ID, TEXT, CONTENT_KEY, LANG_HINT = "run_date", "doc_id", "text", "content_key", "lang_hint"
TEXT_CHARS = "text_chars"
DUP_GROUP_ID = "dup_group_id"
EVENT_TS, SOURCE, GROUP_KEY = "event_ts", "source", "group_key"
REASON, REJECTED_COLUMN = "reason", "rejected_column"
MARGIN_CHARS = 1_000
"""Characters that are kept of a long text beyond `max_chars`: a quote never reaches the cut, which may go through an address."""


def counting_unit() -> Column:
    """Return what counts once in `n_effective`: a document's group of near-duplicates, or its text where it has none."""
    return F.coalesce(DUP_GROUP_ID, CONTENT_KEY)


def with_run_date(raw: DataFrame, first: date, last: date, may_lack_times: bool = True) -> DataFrame:
    """Keep the rows of the nights `first` to `last` (both included) and add `run_date`.

    A row without a time belongs to the night of the earliest time in its file; where the file has none, to `first`.

    Args:
        may_lack_times: whether there may be such rows (`Corpus.may_lack_times`); without, nothing is read to find them.
    """
    in_interval = (F.col(c.RAW_TIME) >= F.lit(first).cast("timestamp")) & (
        F.col(c.RAW_TIME) < F.lit(last + timedelta(days=1)).cast("timestamp")
    )
    rows = raw.where(in_interval | F.col(c.RAW_TIME).isNull())
    if not may_lack_times:
        dated = rows.withColumn(RUN_DATE, F.to_date(F.coalesce(c.RAW_TIME, F.lit(first).cast("timestamp"))))
        return dated.where(F.col(RUN_DATE).between(F.lit(first), F.lit(last)))
    timeless_files = (
        raw.groupBy(c.FILE)
        .agg(F.min(c.RAW_TIME).alias("first_time"), F.count_if(F.col(c.RAW_TIME).isNull()).alias("timeless"))
        .where("timeless > 0")
        .select(c.FILE, "first_time")
    )
    night = F.to_date(F.coalesce(c.RAW_TIME, "first_time", F.lit(first).cast("timestamp")))
    # one row per file, and only files with such rows: small
    dated = rows.join(F.broadcast(timeless_files), c.FILE, "left").withColumn(RUN_DATE, night)
    return dated.where(F.col(RUN_DATE).between(F.lit(first), F.lit(last))).drop("first_time")


def to_documents(rows: DataFrame, config: InputConfig) -> DataFrame:
    """Apply the contract to rows with a `run_date`.

    Returns:
        Every row: run_date, doc_id, event_ts, source, group_key, text (normalised; of a long one the first `max_chars` characters
        and `MARGIN_CHARS` more), text_chars and content_key (of the whole text), lang_hint ('' where none is declared), file,
        `reason` (null where accepted) and `rejected_column`; raw_text and raw_bytes only where rejected.
        Of several rows of a night with the same id the first by (time, content key, source, group, file) is accepted.
    """
    judged = _judged(rows, config)
    # of a text of megabytes one copy goes through the exchange of the window: what was read, not what is made of it
    final = judged.withColumn("fault", F.coalesce("fault", _repeated_id()))
    rejected = F.col("fault").isNotNull()
    names = config.columns.named()
    role = F.coalesce(
        *[F.when(F.col("fault") == r, lit_role) for r, lit_role in _fault_roles().items()], "invalid_role"
    )
    column_names = F.create_map(*[F.lit(x) for pair in names.items() for x in pair])
    return final.select(
        RUN_DATE, DOC_ID, EVENT_TS, SOURCE, GROUP_KEY, TEXT, TEXT_CHARS, CONTENT_KEY, LANG_HINT, c.FILE,
        F.col("fault").alias(REASON),
        F.when(rejected, column_names[role]).alias(REJECTED_COLUMN),
        F.when(rejected, F.make_valid_utf8("as_read")).alias("raw_text"),
        F.when(F.col("fault") == "invalid_utf8", _invalid_bytes()).alias("raw_bytes"),
    )  # fmt: skip


def _judged(rows: DataFrame, config: InputConfig) -> DataFrame:
    """Return the rows with their columns made ready and the fault each has by itself; `as_read` is the text as it was."""
    repaired = rows.select(
        RUN_DATE,
        c.FILE,
        F.col(c.RAW_TIME).alias(EVENT_TS),
        *[_valid(role).alias(target) for role, target in _TARGETS.items()],
        F.col(c.RAW_TEXT).alias("as_read"),
        _invalid_role().alias("invalid_role"),
        _other_bytes().alias("other_bytes"),
    )
    # of a text that is rejected for its length only as much is normalised as the others keep
    is_long = F.char_length("valid_text") > config.too_long_chars
    kept = config.max_chars + MARGIN_CHARS
    normal = repaired.withColumn("is_long", is_long).withColumns(
        {
            "whole": normalised(
                F.when(F.col("is_long"), F.left("valid_text", F.lit(kept))).otherwise(F.col("valid_text"))
            ),
            DOC_ID: _blank_to_null("valid_id"),
            LANG_HINT: language_hint(F.col("valid_lang")),
        }
    )
    return normal.select(
        RUN_DATE, c.FILE, EVENT_TS, DOC_ID, SOURCE, GROUP_KEY, LANG_HINT, "as_read", "invalid_role", "other_bytes",
        F.left("whole", F.lit(kept)).alias(TEXT),
        F.char_length("whole").alias(TEXT_CHARS),
        content_key(F.col("whole")).alias(CONTENT_KEY),
        _fault(config).alias("fault"),
    )  # fmt: skip


_TARGETS = {
    c.RAW_ID: "valid_id", c.RAW_TEXT: "valid_text", c.RAW_SOURCE: SOURCE, c.RAW_GROUP: GROUP_KEY, c.RAW_LANG: "valid_lang",
}  # fmt: skip
_ROLES = {c.RAW_ID: "id", c.RAW_TEXT: "text", c.RAW_SOURCE: "source", c.RAW_GROUP: "group", c.RAW_LANG: "lang"}


def _valid(raw: str) -> Column:
    """Replace invalid bytes by U+FFFD, so that nothing downstream meets them; the fault is judged on the raw column."""
    return F.make_valid_utf8(F.col(raw))


def _blank_to_null(name: str) -> Column:
    return F.when(normalised(F.col(name)) != "", F.col(name))


def _invalid_role() -> Column:
    """Return the role of the first column whose bytes are not valid UTF-8, or null."""
    return F.coalesce(*[F.when(~F.is_valid_utf8(F.col(raw)), F.lit(role)) for raw, role in _ROLES.items()])


def _other_bytes() -> Column:
    """Return the bytes of the first column that is not valid UTF-8, or null where that is the text."""
    others = [raw for raw in _ROLES if raw != c.RAW_TEXT]
    return F.coalesce(*[F.when(~F.is_valid_utf8(F.col(raw)), F.col(raw).cast("binary")) for raw in others])


def _invalid_bytes() -> Column:
    return F.when(F.col("invalid_role") == "text", F.col("as_read").cast("binary")).otherwise(F.col("other_bytes"))


def _fault(config: InputConfig) -> Column:
    """Return the first fault of a row in documented order, or null."""
    invalid = F.col("invalid_role").isNotNull() if config.invalid_utf8 == "reject" else F.lit(False)
    return (
        F.when(invalid, "invalid_utf8")
        .when(F.col(DOC_ID).isNull(), "null_id")
        .when(F.col(EVENT_TS).isNull(), "null_time")
        .when(F.col("is_long"), F.when(is_blank(F.col("valid_text")), "empty_text").otherwise("too_long"))
        .when(F.col("whole").isNull() | (F.col("whole") == ""), "empty_text")
    )


def _fault_roles() -> dict[str, Column]:
    roles = {"null_id": "id", "null_time": "time", "empty_text": "text", "too_long": "text", "duplicate_id": "id"}
    return {fault: F.lit(role) for fault, role in roles.items()}


def _repeated_id() -> Column:
    """Return `duplicate_id` for all but the first row of an id; rows with another fault do not take part."""
    spread = F.xxhash64(c.FILE, "as_read", EVENT_TS).cast("string")
    same_id = Window.partitionBy(
        RUN_DATE, F.col("fault").isNull(), F.when(F.col("fault").isNull(), F.col(DOC_ID)).otherwise(spread)
    ).orderBy(EVENT_TS, CONTENT_KEY, SOURCE, GROUP_KEY, LANG_HINT, c.FILE, "as_read")
    return F.when(F.col("fault").isNull() & (F.row_number().over(same_id) > 1), F.lit("duplicate_id"))


def accepted(documents: DataFrame) -> DataFrame:
    """Keep the accepted documents: run_date, doc_id, event_ts, source, group_key, text, text_chars, content_key, lang_hint."""
    kept = documents.where(F.col(REASON).isNull())
    return kept.select(RUN_DATE, DOC_ID, EVENT_TS, SOURCE, GROUP_KEY, TEXT, TEXT_CHARS, CONTENT_KEY, LANG_HINT)


def to_rejects(documents: DataFrame) -> DataFrame:
    """Return the rejected rows with the columns of the `rejects` table but those common to all tables."""
    bad = documents.where(F.col(REASON).isNotNull())
    return bad.select(
        RUN_DATE, DOC_ID, REASON, REJECTED_COLUMN, "raw_text", "raw_bytes", EVENT_TS, SOURCE, GROUP_KEY, c.FILE
    )


def to_texts(documents: DataFrame) -> DataFrame:
    """Return the distinct texts of accepted documents: content_key, lang_hint, text, and text_chars where they have it.

    `max_by`-free: rows of one content key hold the same normalised text, so any of them will do.
    """
    kept = [name for name in (TEXT, TEXT_CHARS) if name in documents.columns]
    return documents.groupBy(CONTENT_KEY, LANG_HINT).agg(*[F.first(name).alias(name) for name in kept])
