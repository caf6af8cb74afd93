"""Masking for DataFrames: what a pandas UDF calls."""

import pandas as pd

from udfs.personal_data.spans import masked


def without_personal_data(texts: pd.Series) -> pd.Series:
    """Mask what a published quote must not show. Null in, null out."""
    return texts.map(masked, na_action="ignore")
