"""What a function in SQL is: a name, a function over pandas Series, and the type it gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SqlFunction:
    """A scalar function for SQL; `pipeline.sql` registers it.

    Attributes:
        name: as it is called in SQL.
        function: takes a `pandas.Series` for each argument, all of one length, and returns a `pandas.Series` of that length, or
            a `pandas.DataFrame` with a column for each field where `return_type` is a struct; a row of nothing but nulls is a
            null struct. An argument with a default may be left out of a call; it then arrives as the default itself, not as a
            Series. Names of arguments are those of SQL. It lives in a module under `udfs/`, so that executors import it; what
            it loads, it loads once per process. Null only for null input; a bad row has an error code and never raises. A
            batch may be empty. Strings hold valid text: broken UTF-8 has become U+FFFD before.
        return_type: a DDL string, such as `STRING` or `ARRAY<STRUCT<phrase: STRING, score: DOUBLE>>`.
    """

    name: str
    function: Callable[..., Any]
    return_type: str
