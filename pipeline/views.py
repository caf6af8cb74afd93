"""Views over the published tables: SQL that Spark and DuckDB both run, from `pipeline/sql/<name>.sql`.

In the SQL `$catalog` stands for the quoted name of the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template

from pyspark.sql import SparkSession

from pipeline import schemas
from pipeline.catalog import quoted
from pipeline.table import BOOLEAN, DATE, DOUBLE, LONG, STRING, Column, Table


@dataclass(frozen=True)
class View:
    """A view: the tables it reads and the columns it has, in order."""

    name: str
    comment: str
    reads: tuple[Table, ...]
    columns: tuple[Column, ...]

    def sql(self, catalog: str) -> str:
        """Return its SELECT, given the name of the database as SQL quotes it."""
        text = (files("pipeline") / "sql" / f"{self.name}.sql").read_text(encoding="utf-8")
        return Template(text).substitute(catalog=catalog)


SENTIMENT_TREND = View(
    "v_sentiment_trend",
    "Sentiment per day, source, group, language and label over all topics, and where the model behind the series changed.",
    (schemas.SENTIMENT_DAILY, schemas.MODEL_BRIDGE),
    (
        Column("event_date", DATE, "UTC day of the documents", False),
        Column("source", STRING, "where the document came from; null where the corpus has none"),
        Column("group_key", STRING, "the corpus' group; null where the corpus has none"),
        Column("lang", STRING, "language, ISO 639-1 or `und`", False),
        Column("sentiment", STRING, "`negative`, `neutral` or `positive`", False),
        Column("n_docs", LONG, "scored documents with this label", False),
        Column("n_scored", LONG, "scored documents, all labels", False),
        Column("share", DOUBLE, "n_docs / n_scored; null where nothing was scored"),
        Column("ci_low", DOUBLE, "lower end of the Wilson 95 % interval of share"),
        Column("ci_high", DOUBLE, "upper end of the Wilson 95 % interval of share"),
        Column("mean_score", DOUBLE, "mean sentiment_score, all labels"),
        Column("model_key", STRING, "the model of the day; see `models`", False),
        Column("cascade_key", STRING, "the cascade of the day; null without one"),
        Column(
            "model_changed_on",
            DATE,
            "first day with the models of this day after a change; null before the first change",
        ),
        Column("is_break", BOOLEAN, "the models of this day are not those of the day before it in the table", False),
        Column(
            "bridge_shift",
            DOUBLE,
            "what the change of model_changed_on did to the share of this label in this language, measured on the same texts; "
            "null where it was not: see `model_bridge`",
        ),
        Column("bridge_shift_low", DOUBLE, "lower end of its interval"),
        Column("bridge_shift_high", DOUBLE, "upper end of its interval"),
    ),
)

VIEWS = (SENTIMENT_TREND,)


def create_views(spark: SparkSession, catalog: str, tables: Sequence[Table]) -> None:
    """Create the views whose tables are all among `tables`, or bring them to this version, in one step each."""
    names = {table.name for table in tables}
    for view in VIEWS:
        if names.issuperset(table.name for table in view.reads):
            name, select = quoted(catalog, view.name), view.sql(quoted(catalog))
            spark.sql(f"CREATE VIEW IF NOT EXISTS {name} COMMENT '{view.comment}' AS {select}")
            spark.sql(f"ALTER VIEW {name} AS {select}")
