"""Settings of anomalies, trends and their drivers."""

from pydantic import Field

from pipeline.settings import Fraction, Frozen


class MovementConfig(Frozen):
    """How tonight is held against the nights before.

    Attributes:
        history_days: nights further back than this are not looked at.
        min_history: fewest published nights before tonight; with fewer nothing is tested.
        min_texts: fewest documents (tonight and in the history together) that make a cell worth a test.
        min_night_texts: fewest scored texts tonight for a test of sentiment.
        alert_q: a cell with a q value up to this is an alert.
        kept_q: cells of phrases with a q value above this have no row; all other tested cells have one.
        weekend: days of the week that form the weekend, Monday is 0.
        full_week_nights: nights of history from which each day of the week has a level of its own.
        outlier_cut: robust standard deviations beyond which a night of the history is left out.
        outlier_share: largest share of the history that can be left out.
        family_series: fewest series that make a family whose dispersion supports each of them.
        trend_days: length of the window of trends, in days.
        min_trend_nights: fewest published nights in it.
        max_segments: segments of a dimension with rows of their own in `trend_drivers`; the others are added up.
    """

    history_days: int = Field(default=56, ge=7, le=400)
    min_history: int = Field(default=7, ge=5, le=100)
    min_texts: int = Field(default=5, ge=1, le=1000)
    min_night_texts: int = Field(default=5, ge=1, le=1000)
    alert_q: Fraction = 0.05
    kept_q: Fraction = 0.2
    weekend: tuple[int, ...] = (5, 6)
    full_week_nights: int = Field(default=35, ge=21, le=400)
    outlier_cut: float = Field(default=4.0, ge=2.0, le=20.0)
    outlier_share: float = Field(default=0.3, ge=0.0, le=0.5)
    family_series: int = Field(default=10, ge=3, le=1000)
    trend_days: int = Field(default=28, ge=10, le=400)
    min_trend_nights: int = Field(default=10, ge=8, le=400)
    max_segments: int = Field(default=20, ge=1, le=1000)
