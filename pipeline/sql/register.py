"""One call that gives a session its AI functions."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql.pandas.functions import arrow_udf
from pyspark.sql.pandas.types import to_arrow_type
from pyspark.sql.types import DataType

from pipeline.errors import ConfigError
from pipeline.runtimes import resolve_runtime
from pipeline.sql.config import DEFAULT, SqlConfig
from pipeline.sql.specs import resolve_sql
from pipeline.sql.store_index import index_store
from udfs.sql.aggregates import aggregates
from udfs.sql.arrow import make_arrow, make_arrow_aggregate
from udfs.sql.cache import ResultCache
from udfs.sql.functions import model_functions
from udfs.sql.spec import SqlSpec
from udfs.sql_function import SqlFunction
from udfs.sql_text import FUNCTIONS

logger = logging.getLogger(__name__)

_COSINE = """CREATE OR REPLACE TEMPORARY FUNCTION vec_cosine(a ARRAY<FLOAT>, b ARRAY<FLOAT>) RETURNS DOUBLE
COMMENT 'cosine of two vectors, -1 to 1; null for null, for different lengths and for a vector of zeros'
RETURN CASE WHEN size(a) = size(b) THEN {cosine} END"""
_BUILT_IN = "CAST(vector_cosine_similarity(a, b) AS DOUBLE)"
_BY_HAND = """aggregate(zip_with(a, b, (x, y) -> CAST(x AS DOUBLE) * y), 0D, (s, x) -> s + x) / nullif(
    sqrt(aggregate(a, 0D, (s, x) -> s + CAST(x AS DOUBLE) * x) * aggregate(b, 0D, (s, x) -> s + CAST(x AS DOUBLE) * x)), 0)"""


@dataclass(frozen=True)
class Registered:
    """What a session got: names of its functions, and what they were made of."""

    names: tuple[str, ...]
    spec: SqlSpec

    def scored(self) -> dict[tuple[str, str], int]:
        """Return how many texts were really scored so far, by model (fingerprint) and function, on the node of the driver.

        Raises:
            ConfigError: the cache has no folder that driver and executors share.
        """
        if self.spec.cache.folder is None:
            raise ConfigError("cache.folder: name one; without it each executor counts in a folder of its own")
        cache = ResultCache(self.spec.cache)
        try:
            return cache.counted()
        finally:
            cache.close()


def register(spark: SparkSession, config: SqlConfig | None = None) -> Registered:
    """Register all AI functions in a session; a second call replaces them.

    Raises:
        ModelError: a model or head of the configuration is unknown, unsafe or changed.
    """
    config = config or SqlConfig()
    spec = _with_runtime(spark, resolve_sql(config), config)
    if config.store is not None:
        for model in spec.models:
            index_store(spark, Path(config.store.root).absolute(), Path(config.store.index).absolute(), model.scoring)
    names = [*register_functions(spark, (*model_functions(spec), *FUNCTIONS)), *_register_aggregates(spark, spec)]
    has_built_in = bool(spark.catalog.functionExists("vector_cosine_similarity"))
    spark.sql(_COSINE.format(cosine=_BUILT_IN if has_built_in else _BY_HAND))
    return Registered((*names, "vec_cosine"), spec)


def register_functions(spark: SparkSession, functions: Iterable[SqlFunction]) -> list[str]:
    """Register scalar functions; return their names."""
    names = []
    for function in functions:
        returned = DataType.fromDDL(function.return_type)
        _register(spark, function.name, make_arrow(function, to_arrow_type(returned)), returned)
        names.append(function.name)
    return names


def _register_aggregates(spark: SparkSession, spec: SqlSpec) -> list[str]:
    names = []
    for function in aggregates(spec):
        returned = DataType.fromDDL(function.return_type)
        _register(spark, function.name, make_arrow_aggregate(function), returned)
        names.append(function.name)
    return names


def _register(spark: SparkSession, name: str, call: Callable[..., Any], returned: DataType) -> None:
    """Register an Arrow function; its annotations tell Spark whether it is scalar or an aggregate."""
    spark.udf.register(name, arrow_udf(call, returned))  # type: ignore[call-overload] # Spark's stubs want functionType


def _with_runtime(spark: SparkSession, spec: SqlSpec, config: SqlConfig) -> SqlSpec:
    """Let each model compute in the runtime that the night would choose here; what a night has chosen is taken over."""
    root = Path(config.store.root).absolute() if config.store else None
    known = root if root is not None and (root / "_models" / "runtimes").is_dir() else None
    models = []
    for model in spec.models:
        asked = config.model if model.name == DEFAULT else config.models[model.name]
        scoring = resolve_runtime(spark, model.scoring, asked, known)
        models.append(replace(model, scoring=scoring, embedding=replace(model.embedding, runtime=scoring.runtime)))
    return replace(spec, models=tuple(models))
