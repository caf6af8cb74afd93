"""The curve of a training as a picture."""

import json
import logging
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)
_SMOOTHED = 50
"""Points that the line of the training loss is averaged to."""


def read_log(path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the lines of a metrics log: those of steps, those of validations."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if "loss" in line], [line for line in lines if "validation" in line]


def plot_losses(log: Path, picture: Path, title: str) -> bool:
    """Draw training and validation loss over steps to a PNG; return False, and say so, without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        logger.info("plot      none: matplotlib is not installed (pip install 'nightjar-analytics[train]')")
        return False
    steps, validations = read_log(log)
    width = max(1, len(steps) // _SMOOTHED)
    pieces = [steps[i : i + width] for i in range(0, len(steps), width)]
    means = [sum(s["loss"] for s in piece) / len(piece) for piece in pieces]
    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlabel="step", ylabel="loss", title=title)
    axes.plot([piece[-1]["step"] for piece in pieces], means, label="training")
    places = [v["step"] for v in validations]
    axes.plot(places, [v["validation"]["loss"] for v in validations], "o-", label="validation")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(picture, dpi=120)
    return True
