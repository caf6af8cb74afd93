"""Recall and precision of masking on texts whose personal data is annotated, per category.

    python -m benchmarks.personal_data --data data/pii/presidio_pii/train.parquet

A span found counts where it overlaps an annotated one of the same category; `exact` counts those with the same start and end.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from udfs.personal_data.categories import CARD, EMAIL, IBAN, IP, NATIONAL_ID, PERSONAL, PHONE, URL, Span
from udfs.personal_data.spans import personal_data

ANNOTATED = {
    "EMAIL_ADDRESS": EMAIL, "CREDIT_CARD": CARD, "IBAN_CODE": IBAN, "IP_ADDRESS": IP, "URL": URL, "DOMAIN_NAME": URL,
    "PHONE_NUMBER": PHONE, "US_SSN": NATIONAL_ID,
}  # fmt: skip
"""Names of the data set; its other categories (names, addresses, dates) are not looked for."""


@dataclass
class Counts:
    """Annotated spans, those of them found, those found exactly, and what was found of a category, right or wrong."""

    annotated: Counter[str] = field(default_factory=Counter)
    recalled: Counter[str] = field(default_factory=Counter)
    exact: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    missed_in: list[tuple[str, int]] = field(default_factory=list)
    wrong_in: list[tuple[str, int]] = field(default_factory=list)


def overlap(a: Span, b: Span) -> bool:
    """Return whether two spans of one category share a character."""
    return a.category == b.category and a.start < b.end and b.start < a.end


def count(rows: Iterable[Mapping[str, Any]]) -> Counts:
    """Compare what is found in `text` with `spans` (start, end, type)."""
    counts = Counts()
    for row, one in enumerate(rows):
        wanted = [Span(s["start"], s["end"], ANNOTATED[s["type"]]) for s in one["spans"] if s["type"] in ANNOTATED]
        found = personal_data(one["text"], PERSONAL)
        for span in wanted:
            counts.annotated[span.category] += 1
            counts.exact[span.category] += span in found
            is_found = any(overlap(span, other) for other in found)
            counts.recalled[span.category] += is_found
            if not is_found:
                counts.missed_in.append((span.category, row))
        for span in found:
            is_right = any(overlap(span, other) for other in wanted)
            counts.found[span.category] += 1
            counts.right[span.category] += is_right
            if not is_right:
                counts.wrong_in.append((span.category, row))
    return counts


def table(counts: Counts) -> str:
    """Return a line per category in Markdown; a dash where nothing is annotated or found."""
    lines = ["| category | annotated | recall | exact | found | precision |", "|---|---|---|---|---|---|"]
    for name in sorted(PERSONAL):
        n, found = counts.annotated[name], counts.found[name]
        recall, exact = (f"{c[name] / n:.3f}" if n else "–" for c in (counts.recalled, counts.exact))
        lines.append(
            f"| {name} | {n} | {recall} | {exact} | {found} | {f'{counts.right[name] / found:.3f}' if found else '–'} |"
        )
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    """Print the table; with `--rows`, also the numbers of the rows where something is missed or wrong, never their text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help="Parquet with text and spans (start, end, type)")
    parser.add_argument("--rows", action="store_true", help="also say in which rows something is missed or wrong")
    args = parser.parse_args(argv)
    counts = count(pq.read_table(args.data, columns=["text", "spans"]).to_pylist())
    print(table(counts))
    if args.rows:
        print("missed:", counts.missed_in)
        print("wrong:", counts.wrong_in)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
