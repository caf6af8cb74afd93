"""Labelled corpora: rows with a text and its true class, for training and evaluation."""

from collections.abc import Sequence
from functools import reduce

from pydantic import Field, model_validator
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.config import JobConfig, ModelConfig
from pipeline.errors import DataError
from pipeline.schemas import SENTIMENTS
from pipeline.settings import Frozen, PathText
from pipeline.text import content_key, language_hint, normalised

SET_NAME, TEXT, LABEL, LANG_HINT, CONTENT_KEY = "set_name", "text", "label", "lang_hint", "content_key"
GROUP = "group"


class Part(Frozen):
    """A share of a set's texts, for sets without an official validation part: those with `from_pct` <= p < `to_pct`.

    p is the first 8 hexadecimal digits of the text's content key (sha256 of the normalised text) as a number, modulo 100: in
    Python `int(content_key[:8], 16) % 100`. Equal texts, in whatever set, are on the same side.
    """

    from_pct: int = Field(ge=0, le=99)
    to_pct: int = Field(ge=1, le=100)

    @model_validator(mode="after")
    def _not_empty(self) -> "Part":
        if self.from_pct >= self.to_pct:
            raise ValueError(f"from_pct {self.from_pct} must be below to_pct {self.to_pct}")
        return self

    def holds(self, key: Column) -> Column:
        """Return whether the part holds the text with this content key."""
        percent = F.conv(F.substring(key, 1, 8), 16, 10).cast("bigint") % 100
        return (percent >= self.from_pct) & (percent < self.to_pct)


class LabelledSet(Frozen):
    """A labelled Parquet file or folder.

    `rename` turns the set's labels into classes; rows whose label is no class afterwards are left out and counted. `languages`
    keeps only rows of these languages; a row without a language counts as `default_lang`. `part` keeps only a share of the
    texts. `group` names a column to evaluate by (brand, product). `binary` evaluates among negative and positive alone: for
    sets without a neutral class.
    """

    name: str
    path: PathText
    text: str = "text"
    label: str = "label"
    lang: str | None = None
    rename: dict[str, str] = Field(default_factory=dict)
    languages: tuple[str, ...] = ()
    default_lang: str = ""
    group: str | None = None
    part: Part | None = None
    binary: bool = False


class TrainHeadConfig(JobConfig):
    """The configuration of jobs/train_head.py. `hidden` 0 trains a linear head; the best of `l2` on validation is kept."""

    name: str
    languages: tuple[str, ...] = ("en",)
    train: tuple[LabelledSet, ...] = Field(min_length=1)
    validation: tuple[LabelledSet, ...] = Field(min_length=1)
    model: ModelConfig = ModelConfig()
    output: PathText
    hidden: int = Field(default=0, ge=0, le=4_096)
    l2: tuple[float, ...] = (1e-5, 1e-4, 1e-3)
    seed: int = 20_260_101
    max_rows: int = Field(default=500_000, ge=100, le=2_000_000)

    @model_validator(mode="after")
    def _named_once(self) -> "TrainHeadConfig":
        require_distinct_names((*self.train, *self.validation))
        return self


def require_distinct_names(sets: Sequence[LabelledSet]) -> None:
    """Raise ValueError where two sets have the same name."""
    names = [s.name for s in sets]
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        raise ValueError(f"two sets have the same name: {', '.join(repeated)}")


def read_labelled(spark: SparkSession, sets: Sequence[LabelledSet], labels: Sequence[str] = SENTIMENTS) -> DataFrame:
    """Read labelled sets.

    Returns:
        set_name, content_key, lang_hint, text (normalised, not empty), label (one of `labels`), group (null where the set names
        none).

    Raises:
        DataError: a set cannot be read, lacks a column or has no usable row.
    """
    return reduce(DataFrame.unionByName, [_read_set(spark, one, labels) for one in sets])


def _read_set(spark: SparkSession, one: LabelledSet, labels: Sequence[str]) -> DataFrame:
    try:
        frame = spark.read.parquet(one.path)
    except Exception as error:
        raise DataError(f"{one.path}: cannot be read as Parquet ({type(error).__name__}); set {one.name}") from None
    missing = [c for c in (one.text, one.label, one.lang, one.group) if c is not None and c not in frame.columns]
    if missing:
        raise DataError(f"{one.path}: has no column {missing[0]} (set {one.name}); it has {', '.join(frame.columns)}")
    written = F.col(_quoted(one.label)).cast("string")
    label = written
    for old, new in one.rename.items():
        label = F.when(written == old, new).otherwise(label)
    declared = F.col(_quoted(one.lang)) if one.lang else F.lit(None).cast("string")
    group = F.col(_quoted(one.group)) if one.group else F.lit(None)
    rows = frame.select(
        F.lit(one.name).alias(SET_NAME),
        normalised(F.make_valid_utf8(F.col(_quoted(one.text)))).alias(TEXT),
        label.alias(LABEL),
        language_hint(F.coalesce(declared, F.lit(one.default_lang))).alias(LANG_HINT),
        group.cast("string").alias(GROUP),
    ).where(F.col(LABEL).isin(*labels) & (F.col(TEXT) != ""))
    if one.languages:
        rows = rows.where(F.col(LANG_HINT).isin(*one.languages))
    rows = rows.select(SET_NAME, content_key(F.col(TEXT)).alias(CONTENT_KEY), LANG_HINT, TEXT, LABEL, GROUP)
    if one.part:
        rows = rows.where(one.part.holds(F.col(CONTENT_KEY)))
    if rows.isEmpty():
        raise DataError(f"{one.path}: no row of set {one.name} has one of the labels {', '.join(labels)}; see `rename`")
    return rows


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
