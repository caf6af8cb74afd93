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


def evaluation_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return one line per set, language and class; `*` stands for all of them together."""
    numbers = ("accuracy", "macro_f1", "calibration_error", "precision", "recall", "f1")
    body = [
        [
            r["set_name"],
            r["lang"],
            r["label"],
            f"{r['n']:,}",
            f"{r['n_unscored']:,}",
            *(_number(r.get(name)) for name in numbers),
        ]
        for r in rows
    ]
    return _aligned(
        ["set", "lang", "class", "n", "unscored", "accuracy", "macro-F1", "calib. error", "precision", "recall", "F1"],
        body,
    )


def _number(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.4f}"


def _aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    )
