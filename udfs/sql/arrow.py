"""From functions over pandas Series to the Arrow functions that Spark calls.

Spark hands a pandas UDF its strings decoded, and one string of invalid UTF-8 fails the whole query; an Arrow UDF gets the bytes
as they are, and may return a null struct.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from udfs.sql_function import SqlFunction


def make_arrow(function: SqlFunction, return_type: pa.DataType) -> Callable[..., pa.Array]:
    """Return the function for a scalar Arrow UDF; it takes the arguments of `function`, by place or by name."""
    signature = inspect.signature(function.function)

    def call(*args: pa.Array, **named: pa.Array) -> pa.Array:
        try:
            signature.bind(*args, **named)
        except TypeError as error:
            shown = ", ".join(str(p).split(":")[0] for p in signature.parameters.values())
            raise TypeError(f"{function.name}: {error}; its arguments are {shown}") from None
        result = function.function(*map(to_series, args), **{name: to_series(a) for name, a in named.items()})
        return from_pandas(result, return_type)

    return call


def make_arrow_aggregate(function: SqlFunction) -> Callable[..., Any]:
    """Return the function for a grouped-aggregate Arrow UDF: the group's arguments in, one value out."""

    def call(*args: pa.Array, **named: pa.Array) -> Any:
        return function.function(*map(to_series, args), **{name: to_series(a) for name, a in named.items()})

    return call


def to_series(values: Any) -> "pd.Series[Any]":
    """Turn an Arrow array into a Series of Python objects or None; broken UTF-8 is repaired."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return pd.Series(_objects(values), dtype=object)


def _objects(values: pa.Array) -> Any:
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        raw = values.cast(pa.large_binary() if pa.types.is_large_string(values.type) else pa.binary()).to_pylist()
        return [None if one is None else one.decode("utf-8", "replace") for one in raw]
    if pa.types.is_list(values.type) and pa.types.is_string(values.type.value_type):
        items, out = _objects(values.flatten()), []
        lengths = values.value_lengths().to_pylist()
        start = 0
        for n in lengths:
            out.append(None if n is None else items[start : start + n])
            start += n or 0
        return out
    return values.to_pylist()


def from_pandas(result: Any, dtype: pa.DataType) -> pa.Array:
    """Turn what a function returned into an Arrow array; a row of a frame that holds nothing but nulls becomes a null struct."""
    if isinstance(result, pd.DataFrame):
        columns = [from_pandas(result[field.name], field.type) for field in dtype]
        mask = np.ones(len(result), bool)
        for column in columns:
            mask &= column.is_null().to_numpy(zero_copy_only=False)
        return pa.StructArray.from_arrays(columns, fields=list(dtype), mask=pa.array(mask))
    if pa.types.is_list(dtype) and pa.types.is_floating(dtype.value_type):
        return _vectors(result, dtype)
    return pa.array([_plain(v) for v in result], dtype)


def _vectors(result: Any, dtype: pa.DataType) -> pa.Array:
    """Turn arrays of numbers into a list column without touching single numbers."""
    there = np.array([v is not None for v in result], bool)
    lengths = [0 if v is None else len(v) for v in result]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    kind = dtype.value_type.to_pandas_dtype()
    flat = np.concatenate([np.zeros(0, kind), *(np.asarray(v, kind) for v in result if v is not None)])
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat), type=dtype, mask=pa.array(~there))


def _plain(value: Any) -> Any:
    """Return None for what pandas says is missing."""
    return None if (isinstance(value, float) and np.isnan(value)) or value is pd.NA or value is pd.NaT else value
