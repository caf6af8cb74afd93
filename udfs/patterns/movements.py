"""Frames of series in, tests out: the functions that `mapInPandas` runs for anomalies and trends."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from udfs.patterns import baseline, changes
from udfs.patterns.calendar import Nights

Frames = Iterator[pd.DataFrame]
Floats = np.ndarray[Any, np.dtype[np.float64]]
_COUNTS = ("n_docs", "n_effective")
_FITTED = ("expected", "weight", "spread", "size", "dispersion", "dof")


@dataclass(frozen=True)
class MovementSpec:
    """Windows and settings of the tests; the settings are those of `MovementConfig`."""

    windows: tuple[Nights, ...]
    min_nights: int
    min_texts: int
    min_night_texts: int
    outlier_cut: float
    outlier_share: float


def dense(frame: pd.DataFrame, columns: tuple[str, ...], places: int) -> list[Floats]:
    """Return each array column of the frame as (rows, places), 0 where `at` does not name the place."""
    rows = np.repeat(np.arange(len(frame)), frame["at"].map(len).to_numpy(dtype=np.int64))
    at = np.concatenate([np.asarray(a, dtype=np.int64) for a in frame["at"]])
    matrices = []
    for column in columns:
        matrix = np.zeros((len(frame), places))
        matrix[rows, at] = np.concatenate([np.asarray(a, dtype=float) for a in frame[column]])
        matrices.append(matrix)
    return matrices


def _parts(frame: pd.DataFrame, spec: MovementSpec) -> Iterator[tuple[Nights, str, pd.DataFrame]]:
    """Yield the series of each metric that have the same nights; aspects that the same nights know are together."""
    first = {(w.run_date, w.days): i for i, w in reversed(list(enumerate(spec.windows)))}
    place = {(w.run_date, w.aspect): first[w.run_date, w.days] for w in spec.windows}
    aspects = (a if isinstance(a, str) else None for a in frame["aspect"])
    places = [place[key] for key in zip(frame["run_date"], aspects, strict=True)]
    groups: Any = frame.assign(window=places).groupby(["window", "metric"], sort=True)
    for (window, metric), part in groups:
        yield spec.windows[window], metric, part.drop(columns="window").reset_index(drop=True)


def make_fit(spec: MovementSpec) -> Callable[[Frames], Frames]:
    """Return the function that fits each series' history; a series not worth a test gives no row.

    In: what `with_windows(tonight=True)` returns. Out: without its arrays, and with value, n_texts (nan for counts), n_history,
    copies (1 where the series has the documents to show its dispersion itself), the fields of `Baseline`, family, and
    log_dispersion with its noise (nan where the series says nothing about its family).
    """

    def fit(frames: Frames) -> Frames:
        for frame in frames:
            for window, metric, part in _parts(frame, spec):
                levels, tonight = window.levels()
                if tonight is None or len(window.days) < spec.min_nights:
                    continue
                n, total, squares = dense(part, ("n", "total", "squares"), len(window.days) + 1)
                out = part.drop(columns=["at", "n", "total", "squares"])
                if metric in _COUNTS:
                    base = baseline.count_baseline(total[:, :-1], levels, tonight, spec.outlier_cut, spec.outlier_share)
                    value, texts = total[:, -1], np.full(len(part), np.nan)
                    is_tested = total.sum(axis=1) >= spec.min_texts
                    sizes, speaks = baseline.size_class(base), base.expected >= baseline.SPARSE
                else:
                    past = total[:, :-1]
                    square = None if metric == "negative_share" else squares[:, :-1]
                    base = baseline.mean_baseline(
                        past, square, n[:, :-1], levels, tonight, spec.outlier_cut, spec.outlier_share
                    )
                    value, texts = total[:, -1] / np.maximum(n[:, -1], 1), n[:, -1]
                    is_tested = (texts >= spec.min_night_texts) & (base.n >= spec.min_nights) & (base.weight > 0)
                    sizes, speaks = np.zeros(len(part), dtype=np.int64), np.ones(len(part), dtype=bool)
                logs, noise = baseline.log_dispersion(base)
                family = np.where(part["kind"] == "phrase", "phrase/", "segment/").astype(object) + sizes.astype(str)
                out = out.assign(value=value, n_texts=texts, n_history=base.n.astype(int), family=family)
                out = out.assign(**{name: getattr(base, name) for name in _FITTED})
                out = out.assign(log_dispersion=np.where(speaks, logs, np.nan), noise=np.where(speaks, noise, np.nan))
                out["copies"] = np.where(speaks, 1.0, out["copies"])
                yield out[is_tested]

    return fit


def make_priors(least: int) -> Callable[[Frames], Frames]:
    """Return the function that turns a family's moments (n, mean, variance, noise) into `prior` and `lent` of `family_prior`."""

    def priors(frames: Frames) -> Frames:
        for frame in frames:
            if len(frame) == 0:
                continue
            n, mean, variance, noise = (
                frame[c].fillna(0.0).to_numpy(dtype=float) for c in ("n", "mean", "variance", "noise")
            )
            prior, lent = baseline.family_prior(n, mean, variance, noise, least)
            yield frame[["run_date", "metric", "family"]].assign(prior=prior, lent=lent)

    return priors


def make_predict() -> Callable[[Frames], Frames]:
    """Return the function that holds each fitted series against its prediction.

    In: what `make_fit` gives, with prior and lent of its family. Out: without the fit's inner columns, and with lower, upper,
    score, p_value, dispersion (`copies` at least), dof.
    """

    def predict(frames: Frames) -> Frames:
        for frame in frames:
            for metric, part in frame.groupby("metric", sort=True):
                history = part["n_history"].to_numpy(dtype=float)
                base = baseline.Baseline(**{c: part[c].to_numpy(dtype=float) for c in _FITTED}, n=history)
                shared = (part[c].to_numpy(dtype=float) for c in ("prior", "lent"))
                dispersion, dof = baseline.moderated(base, *shared)
                dispersion = np.maximum(dispersion, part["copies"].to_numpy(dtype=float))
                value, texts = part["value"].to_numpy(dtype=float), part["n_texts"].to_numpy(dtype=float)
                if metric in _COUNTS:
                    found = baseline.predict_counts(value, base, dispersion, dof)
                elif metric == "negative_share":
                    found = baseline.predict_shares(value, texts, base, dispersion, dof)
                else:
                    found = baseline.predict_means(value, texts, base, dispersion, dof)
                inner = ["weight", "spread", "size", "family", "log_dispersion", "noise", "prior", "lent", "copies"]
                yield part.drop(columns=inner).assign(
                    lower=found.lower,
                    upper=found.upper,
                    score=found.score,
                    p_value=found.p_value,
                    dispersion=dispersion,
                    dof=dof,
                )

    return predict


def make_trends(spec: MovementSpec) -> Callable[[Frames], Frames]:
    """Return the function that gives slope and change point of each series; a series not worth a test gives no row.

    In: what `with_windows(tonight=False)` returns. Out: without its arrays, and with n_nights, slope, slope_low, slope_high,
    p_value, start, changepoint (place of the night; -1 where there was no test), changepoint_step, changepoint_p (nan likewise).
    """

    def trends(frames: Frames) -> Frames:
        for frame in frames:
            for window, metric, part in _parts(frame, spec):
                if len(window.days) < spec.min_nights:
                    continue
                levels, _ = window.levels()
                n, total, squares = dense(part, ("n", "total", "squares"), len(window.days))
                day = np.array([(d - window.days[0]).days for d in window.days], dtype=float)
                if metric in _COUNTS:
                    is_sparse = total.mean(axis=1) < baseline.SPARSE
                    copies = np.where(is_sparse, part["copies"].to_numpy(dtype=float), 1.0)
                    values, variance = total, changes.count_variance(total, levels) * copies[:, None]
                    nights = np.full(len(part), len(window.days))
                    is_tested = total.sum(axis=1) >= spec.min_texts
                else:
                    # nights with too few texts would count as much as others for the level they belong to
                    n = np.where(n >= spec.min_night_texts, n, 0.0)
                    values = total / np.maximum(n, 1)
                    variance = changes.mean_variance(total * (n > 0), squares * (n > 0), n)
                    nights = (n > 0).sum(axis=1)
                    is_tested = nights >= spec.min_nights
                line = changes.slopes(values, variance, levels, day)
                change = changes.change_points(values, variance, levels)
                out = part.drop(columns=["at", "n", "total", "squares", "copies"]).assign(
                    n_nights=nights.astype(int),
                    slope=line.slope,
                    slope_low=line.low,
                    slope_high=line.high,
                    p_value=line.p_value,
                    start=line.start,
                    changepoint=change.index,
                    changepoint_step=change.step,
                    changepoint_p=change.p_value,
                )
                yield out[is_tested & ~np.isnan(line.slope)]

    return trends
