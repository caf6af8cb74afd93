"""Metrics as plain text tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.metrics import Metrics


def metrics_table(metrics: Mapping[str, Metrics]) -> str:
    """Return one line per validation set."""
    rows = [
        [name, f"{m.n:,}", _number(m.accuracy), _number(m.macro_f1), _number(m.calibration_error)]
        for name, m in metrics.items()
    ]
    return _aligned(["set", "n", "accuracy", "macro-F1", "calibration error"], rows)


def evaluation_table(cells: Sequence[Mapping[str, Any]]) -> str:
    """Return one line per model, set, language and group; `*` stands for all of them together."""
    names = ("accuracy", "macro_f1", "macro_recall", "calibration_error")
    body = [
        [
            *(str(c[key]) for key in ("model", "set", "lang", "group")),
            f"{c['n']:,}",
            f"{c['n_unscored']:,}",
            *(_number(c[name][0]) if name in c else "" for name in names),
        ]
        for c in cells
    ]
    head = ["model", "set", "lang", "group", "n", "unscored", "accuracy", "macro-F1", "macro-recall", "calib. error"]
    return _aligned(head, body)


def _number(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.4f}"


def _aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    )
