"""The functions of one session in all sessions that a server opens later.

A client over the wire gets a session of its own, so that its `USE`, `SET` and temporary views are its own. Functions registered
in Python belong to one session and cannot be made permanent; given to the session's extensions they are part of each new one.
"""

from collections.abc import Collection
from typing import Any

from pyspark.sql import SparkSession

from pipeline.errors import NightjarError


def share_functions(spark: SparkSession, names: Collection[str]) -> None:
    """Give functions that are registered in `spark` to every session made from it afterwards.

    Raises:
        NightjarError: one of them is not registered.
    """
    jvm: Any = spark.sparkContext._jvm
    registry = spark._jsparkSession.sessionState().functionRegistry()
    identifiers, found = registry.listFunction().iterator(), {}
    while identifiers.hasNext():
        identifier = identifiers.next()  # its form differs between versions of Spark; its last part does not
        found[identifier.funcName()] = identifier
    if missing := sorted(set(names) - found.keys()):
        raise NightjarError(f"{', '.join(missing)}: not registered in the session; call pipeline.sql.register before")
    for name in names:
        info = registry.lookupFunction(found[name]).get()
        builder = registry.lookupFunctionBuilder(found[name]).get()
        own = jvm.org.apache.spark.sql.catalyst.FunctionIdentifier(name)
        spark._jsparkSession.extensions().injectFunction(jvm.scala.Tuple3(own, info, builder))
