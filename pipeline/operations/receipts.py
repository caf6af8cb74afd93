"""Receipts of what was forgotten: `_receipts/<time>-<id>.json`. They name ids and groups by sha256 only, and hold no text."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import PublishError
from pipeline.manifest import Manifest, write_whole
from pipeline.operations.forgotten import Subject

FORMAT = 1


@dataclass
class Receipt:
    """What one erasure did, filled as it goes; `status` is `started` until all is done.

    Attributes:
        subject: sha256 (hex) of the ids and of the groups.
        nights: what became of each published night that held a document: runs, rows and content hashes before and after.
        store: rows that left each score store.
        purged: folders of `_data` that were removed, and their bytes.
        in_corpus: documents of the subject that the corpus still holds; None where it was not looked at.
        texts: whether the tables of phrases were made anew from the corpus' texts.
    """

    subject: dict[str, list[str]]
    at: str
    status: str = "started"
    ended_at: str | None = None
    texts: bool = True
    documents: int = 0
    in_corpus: int | None = None
    nights: list[dict[str, Any]] = field(default_factory=list)
    store: dict[str, int] = field(default_factory=dict)
    purged: dict[str, int] = field(default_factory=dict)

    def add_nights(self, before: Manifest, after: Manifest) -> None:
        """Note the tables of nights that were made anew."""
        was = {(n.table, n.run_date): n for n in before.nights}
        for new in after.nights:
            old = was.get((new.table, new.run_date))
            self.nights.append(
                {
                    "run_date": new.run_date.isoformat(),
                    "table": new.table,
                    "from_run": before.run_id,
                    "to_run": after.run_id,
                    "rows_before": old.rows if old else 0,
                    "rows_after": new.rows,
                    "hash_before": old.content_hash if old else None,
                    "hash_after": new.content_hash,
                }
            )


def hashed(values: Sequence[str]) -> list[str]:
    """Return the sha256 (hex) of each value."""
    return sorted(hashlib.sha256(value.encode()).hexdigest() for value in values)


def open_receipt(root: Path, subject: Subject) -> tuple[Path, Receipt]:
    """Return the receipt of an erasure that was begun and not ended, or a new one, with where it lies."""
    meant = {"ids": hashed(subject.ids), "groups": hashed(subject.groups)}
    for path in sorted((root / "_receipts").glob("*.json")):
        receipt = _read(path)
        if receipt.status == "started" and receipt.subject == meant:
            return path, receipt
    now = datetime.now(UTC)
    path = root / "_receipts" / f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}.json"
    return path, Receipt(meant, now.isoformat(timespec="seconds"))


def write_receipt(path: Path, receipt: Receipt) -> None:
    """Write a receipt as it stands, whole or not at all."""
    write_whole(path, json.dumps({"format": FORMAT, **asdict(receipt)}, indent=1) + "\n")


def _read(path: Path) -> Receipt:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body.pop("format") != FORMAT:
            raise ValueError("another version of Nightjar wrote it")
        return Receipt(**body)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PublishError(f"{path}: cannot be read: {error}") from None
