"""All functions of SQL that a model answers."""

from udfs.sql.classify import classify_functions
from udfs.sql.embed import embed_functions
from udfs.sql.explain import explain_functions
from udfs.sql.sentiment import sentiment_functions
from udfs.sql.spec import SqlSpec
from udfs.sql_function import SqlFunction


def model_functions(spec: SqlSpec) -> tuple[SqlFunction, ...]:
    """Return the scalar functions over the models of a spec."""
    return (
        *embed_functions(spec),
        *sentiment_functions(spec),
        *classify_functions(spec),
        *explain_functions(spec),
    )
