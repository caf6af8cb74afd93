"""The page's pictures as SVG text, drawn by matplotlib; words stay words, so that they can be searched and read aloud."""

import io
import math
import re
import warnings
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ConfigError
from pipeline.night_report.queries import Rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {"negative": "#b5403a", "neutral": "#8a8a8a", "positive": "#2f7d5b"}
_XML_HEAD = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>", re.DOTALL)


def sentiment_lines(rows: Rows) -> str:
    """Draw the share of each label per night with its Wilson 95 % interval."""
    figure = _figure(7, 2.8)
    axes = figure.add_subplot(ylabel="share of documents")
    for label, colour in _COLOURS.items():
        mine = [r for r in rows if r["sentiment"] == label and r["n_scored"]]
        days = [r["event_date"] for r in mine]
        bounds = [wilson(int(r["n_docs"]), int(r["n_scored"])) for r in mine]
        axes.plot(days, [r["n_docs"] / r["n_scored"] for r in mine], "o-", ms=3, color=colour, label=label)
        axes.fill_between(days, [b[0] for b in bounds], [b[1] for b in bounds], color=colour, alpha=0.15, lw=0)
    axes.set_ylim(0, 1)
    axes.legend(frameon=False, ncols=3, fontsize=8, loc="upper left")
    return _svg(figure, "Share of negative, neutral and positive documents per night")


def topic_map(topics: Rows, sentiment: dict[int, float]) -> str:
    """Draw the topics by the first two principal components of their centroids: size is documents, colour mean sentiment."""
    figure = _figure(7, 4.2)
    axes = figure.add_subplot(xticks=[], yticks=[])
    rows = np.array([t["centroid"] for t in topics], dtype=np.float64)
    centred = rows - rows.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    places = (
        centred @ directions[:2].T if len(topics) > 2 else np.column_stack([np.arange(len(topics)), [0] * len(topics)])
    )
    sizes = np.array([t["n_docs"] for t in topics], dtype=np.float64)
    mood = [sentiment.get(t["topic_id"], 0.0) for t in topics]
    dots = axes.scatter(
        places[:, 0], places[:, 1], s=1_200 * sizes / sizes.max(), c=mood, cmap="RdYlGn", vmin=-1, vmax=1, alpha=0.6
    )
    for topic, (x, y) in zip(topics, places, strict=True):
        axes.annotate(str(topic["topic_id"]), (x, y), ha="center", va="center", fontsize=8)
    axes.margins(0.2)
    figure.colorbar(dots, label="mean sentiment", shrink=0.8)
    return _svg(figure, "Topics: near ones are alike; the numbers are topic ids")


def topic_trends(topics: Rows, days: Rows) -> str:
    """Draw documents per night of each topic, small pictures side by side."""
    columns, n = 3, len(topics)
    figure = _figure(7, 1.5 * math.ceil(n / columns))
    for place, topic in enumerate(topics, start=1):
        axes = figure.add_subplot(math.ceil(n / columns), columns, place)
        mine = [d for d in days if d["topic_id"] == topic["topic_id"]]
        axes.bar([d["event_date"] for d in mine], [d["n_docs"] for d in mine], color="#4a6fa5", width=0.8)
        label = str(topic["label"])
        axes.set_title(f"{topic['topic_id']}: {label[:28]}", fontsize=7, loc="left", parse_math=False)
        axes.tick_params(labelsize=6)
        axes.xaxis.set_major_locator(_dates().AutoDateLocator(maxticks=4))
        axes.xaxis.set_major_formatter(_dates().DateFormatter("%d.%m."))
    return _svg(figure, "Documents per night of each topic")


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return the Wilson 95 % interval of a share; see `pipeline.intervals`."""
    if trials == 0:
        return 0.0, 1.0
    z2, p = 1.959963984540054**2, successes / trials
    centre = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    half = math.sqrt(z2) / (1 + z2 / trials) * math.sqrt(p * (1 - p) / trials + z2 / (4 * trials * trials))
    return max(0.0, centre - half), min(1.0, centre + half)


def _dates() -> Any:
    from matplotlib import dates

    return dates


def _figure(width: float, height: float) -> "Figure":
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError("the report needs matplotlib; install it: pip install 'nightjar-analytics[report]'") from None
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = "nightjar"
    return Figure(figsize=(width, height), layout="constrained")


def _svg(figure: "Figure", title: str) -> str:
    for axes in figure.axes:
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.tick_params(labelsize=7)
    out = io.StringIO()
    with warnings.catch_warnings():  # of letters its own font lacks: the reader's fonts draw them
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(out, format="svg", metadata={"Date": None})
    svg = _XML_HEAD.sub("", out.getvalue()).strip()
    # the page's width decides, the height follows
    return re.sub(
        r'<svg ([^>]*?)height="[^"]*"([^>]*?)width="[^"]*"', rf'<svg role="img" aria-label="{title}" \1\2', svg, count=1
    )


def iso(day: date) -> str:
    """Return a date as the page writes it."""
    return day.isoformat()
