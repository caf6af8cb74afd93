"""Views over the published tables, made and brought up to date with each publish."""

from collections.abc import Sequence

from pyspark.sql import SparkSession

from pipeline.catalog import quoted
from pipeline.table import Table
from pipeline.view_schemas import VIEWS


def create_views(spark: SparkSession, catalog: str, tables: Sequence[Table]) -> None:
    """Create the views whose tables are all among `tables`, or bring them to this version, in one step each."""
    names = {table.name for table in tables}
    for view in VIEWS:
        if names.issuperset(table.name for table in view.reads):
            name, select = quoted(catalog, view.name), view.sql(quoted(catalog))
            comment = view.comment.replace("'", "\\'")
            spark.sql(f"CREATE VIEW IF NOT EXISTS {name} COMMENT '{comment}' AS {select}")
            spark.sql(f"ALTER VIEW {name} AS {select}")
