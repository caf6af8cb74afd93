"""The checks a night must pass before it is published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.config import QualityConfig
from pipeline.errors import DataError


@dataclass(frozen=True)
class Counts:
    """Where the rows of one night went. `rows_in` was counted on its own, not summed."""

    run_date: date
    rows_in: int = 0
    rows_rejected: int = 0
    rows_scored: int = 0
    rows_from_cache: int = 0
    rows_dup: int = 0
    rows_unsupported: int = 0
    rows_error: int = 0
    tokens: int = 0

    @property
    def accounted(self) -> int:
        """Rows that ended somewhere."""
        return (
            self.rows_rejected
            + self.rows_scored
            + self.rows_from_cache
            + self.rows_dup
            + self.rows_unsupported
            + self.rows_error
        )


@dataclass(frozen=True)
class Check:
    """One check of one night: what was found against its limit."""

    run_date: date
    check_name: str
    table_name: str
    observed: float
    threshold: float
    passed: bool
    advice: str

    def failure(self) -> str:
        """Return what failed, in one line."""
        return f"{self.run_date} {self.check_name}: found {_plain(self.observed)}, limit {_plain(self.threshold)}; {self.advice}"


def _plain(value: float) -> str:
    """Return a count in full, a fraction with six decimals at most."""
    return f"{value:,.0f}" if value == int(value) else f"{value:.6f}".rstrip("0")


def check_contract(counts: Counts, limits: QualityConfig) -> list[Check]:
    """Check a night's input before anything is scored: enough rows, not too many rejected."""
    fraction = counts.rows_rejected / counts.rows_in if counts.rows_in else 0.0
    night = counts.run_date
    return [
        Check(
            night, "min_rows", "doc_scores", counts.rows_in, limits.min_rows, counts.rows_in >= limits.min_rows,
            "look whether the night's files have arrived; quality.min_rows: 0 allows an empty night",
        ),
        Check(
            night, "max_rejected_fraction", "rejects", round(fraction, 6), limits.max_rejected_fraction,
            fraction <= limits.max_rejected_fraction,
            "run_results.json counts the reasons; mend the corpus or raise quality.max_rejected_fraction",
        ),
    ]  # fmt: skip


def check_results(counts: Counts, limits: QualityConfig) -> list[Check]:
    """Check a night after scoring: every row accounted for, not too many errors."""
    documents = counts.rows_in - counts.rows_rejected
    fraction = counts.rows_error / documents if documents else 0.0
    night = counts.run_date
    return [
        Check(
            night, "rows_accounted", "doc_scores", counts.accounted, counts.rows_in, counts.accounted == counts.rows_in,
            "rows were lost or doubled: this is a defect of the program, please report it",
        ),
        Check(
            night, "max_error_fraction", "doc_scores", round(fraction, 6), limits.max_error_fraction,
            fraction <= limits.max_error_fraction,
            "doc_scores.error_code has the reasons; raise quality.max_error_fraction to publish all the same",
        ),
    ]  # fmt: skip


def require(checks: Sequence[Check]) -> None:
    """Fail the run if a check failed.

    Raises:
        DataError: with one line per failed check.
    """
    failed = [c.failure() for c in checks if not c.passed]
    if failed:
        raise DataError("\n".join(["nothing was published: " + str(len(failed)) + " check(s) failed", *failed]))
