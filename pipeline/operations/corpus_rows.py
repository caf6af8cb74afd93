"""What the corpus holds now of published documents: the texts of those that stay, and the rows of those that are to go."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline import corpus as c
from pipeline.config import InputConfig
from pipeline.corpus import read_corpus
from pipeline.documents import (
    CONTENT_KEY,
    DOC_ID,
    GROUP_KEY,
    LANG_HINT,
    RUN_DATE,
    accepted,
    to_documents,
    with_run_date,
)
from pipeline.errors import DataError
from pipeline.operations.forgotten import Subject
from pipeline.patterns.settled import settled
from pipeline.preflight import Corpus

_FIRST, _LAST = date(1, 1, 1), date(9999, 12, 30)


def rows_of(spark: SparkSession, config: InputConfig, corpus: Corpus, subject: Subject) -> DataFrame:
    """Return the accepted documents of ids or groups in the corpus: run_date, doc_id, group_key, content_key, lang_hint."""
    raw = read_corpus(spark, config, corpus, _FIRST, _LAST)
    # before anything is computed of a text
    is_meant = F.make_valid_utf8(c.RAW_ID).isin(*subject.ids) | F.make_valid_utf8(c.RAW_GROUP).isin(*subject.groups)
    days = raw.where(is_meant).where(F.col(c.RAW_TIME).isNotNull()).withColumn(RUN_DATE, F.to_date(c.RAW_TIME))
    documents = to_documents(days, config)
    return accepted(documents).select(RUN_DATE, DOC_ID, GROUP_KEY, CONTENT_KEY, LANG_HINT)


def texts_of(
    spark: SparkSession, config: InputConfig, corpus: Corpus, dates: Sequence[date], published: DataFrame
) -> DataFrame:
    """Return published documents with the text the corpus has for them, computed once.

    Args:
        published: run_date, doc_id, content_key, each once.

    Raises:
        DataError: the corpus lacks some, or has another text for them.
    """
    first, last = min(dates), max(dates)
    raw = read_corpus(spark, config, corpus, first, last)
    documents = accepted(to_documents(with_run_date(raw, first, last, corpus.may_lack_times), config))
    keys = published.select(RUN_DATE, DOC_ID, CONTENT_KEY)
    texts = settled(documents.join(keys, [RUN_DATE, DOC_ID, CONTENT_KEY], "left_semi"))
    wanted, found = keys.count(), texts.count()
    if found != wanted:
        raise DataError(
            f"the corpus has the text of {found:,} of the {wanted:,} documents that remain in the nights {first} to {last}; "
            "their phrases cannot be counted again. Give the corpus of those nights (input.path), or --without-texts"
        )
    return texts
