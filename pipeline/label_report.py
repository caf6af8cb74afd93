"""What a trained head for custom labels is like, as plain text."""

from pipeline.cross_validation import MEASURES, Estimate
from pipeline.label_heads import LabelHead

_NAMES = {"macro_f1": "macro-F1", "macro_recall": "macro-recall", "calibration_error": "calibration error"}


def label_report(head: LabelHead) -> str:
    """Return figures with their intervals, one line per class, few-shot figures and warnings."""
    lines: list[str] = []
    if (cv := head.cross_validation) is not None:
        lines.append(f"cross-validation, {cv.repeats} x {cv.folds} folds, l2 {cv.l2:g}; mean and 95 % interval")
        lines += [f"  {_NAMES.get(name, name):<18}{_interval(cv.measures[name])}" for name in MEASURES]
        width = max(len("class"), *(len(c.label) for c in cv.classes))
        lines.append(f"  {'class':<{width}}  {'n':>7}  precision  recall      F1")
        lines += [
            f"  {c.label:<{width}}  {c.n:>7,}  {c.precision:>9.4f}  {c.recall:>6.4f}  {c.f1:>6.4f}" for c in cv.classes
        ]
    for one in head.few_shot:
        lines.append(
            f"{one.per_class} examples of each of {one.classes} classes, {one.draws} draws: "
            f"accuracy {_interval(one.accuracy)}, macro-F1 {_interval(one.macro_f1)}"
        )
    if head.coverage is not None:
        lines.append(f"thresholds: {head.coverage:.1%} of the judged rows get a label")
    return "\n".join([*lines, *(f"warning: {text}" for text in head.warnings)])


def _interval(value: Estimate) -> str:
    return f"{value.mean:.4f} ({value.low:.4f} to {value.high:.4f})"
