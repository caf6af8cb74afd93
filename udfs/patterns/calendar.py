"""The nights a series is compared with, and their weekly pattern."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Nights:
    """The published nights of one window, in order, and the night they are about.

    Attributes:
        run_date: the night the rows are made for.
        days: published nights; before `run_date` for anomalies, up to and including it for trends.
        weekend: days of the week (Monday is 0) that form the weekend.
        full_week_nights: nights from which each day of the week has a level of its own.
        aspect: the given aspect whose series the window is for, `days` being nights that know it; null for all other series.
    """

    run_date: date
    days: tuple[date, ...]
    weekend: tuple[int, ...]
    full_week_nights: int
    aspect: str | None = None

    def levels(self) -> tuple[Ints, int | None]:
        """Return the level (0, 1, ...) of each night of `days` and of `run_date`.

        With `full_week_nights` nights and at least three of each day of the week that occurs there are seven levels at most; with
        at least two nights at the weekend and two others there are two levels; else one. The level of `run_date` is None where
        the history has no night of its kind.
        """
        week = np.array([d.weekday() for d in self.days], dtype=np.int64)
        tonight = self.run_date.weekday()
        kinds, counts = np.unique(week, return_counts=True)
        if len(week) >= self.full_week_nights and counts.min() >= 3:
            codes = np.searchsorted(kinds, week)
            found = np.flatnonzero(kinds == tonight)
            return codes, int(found[0]) if len(found) else None
        is_weekend = np.isin(week, self.weekend)
        n_weekend = int(is_weekend.sum())
        if n_weekend >= 2 and len(week) - n_weekend >= 2:
            return is_weekend.astype(np.int64), int(tonight in self.weekend)
        if (n_weekend == 0 and tonight in self.weekend) or (n_weekend == len(week) and tonight not in self.weekend):
            return np.zeros(len(week), dtype=np.int64), None
        return np.zeros(len(week), dtype=np.int64), 0
