"""The compacted part of a score store: which files hold it now.

`_base/<sequence>.json` are records, each the whole list of the files of one state; the one with the highest sequence counts.
Adding one is a single step that fails where another process was faster, and none is ever changed.
"""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import PublishError
from pipeline.manifest import write_whole_new

FORMAT = 1
FOLDER = "_base"
_PREFIX_ROWS = 200_000


@dataclass(frozen=True)
class PrefixEntry:
    """The files of one key prefix: their folder within the store, rows and bytes."""

    folder: str
    rows: int
    bytes: int


@dataclass(frozen=True)
class BaseRecord:
    """A state of the compacted part.

    Attributes:
        digits: characters of a key prefix.
        files: by prefix.
        folded: folders of single runs whose rows it holds and that still lie there, with the time they were folded in.
    """

    seq: int = 0
    digits: int = 2
    files: dict[str, PrefixEntry] = field(default_factory=dict)
    folded: dict[str, str] = field(default_factory=dict)
    at: str = ""

    @property
    def rows(self) -> int:
        """Rows of all prefixes."""
        return sum(entry.rows for entry in self.files.values())

    @property
    def bytes(self) -> int:
        """Bytes of all prefixes' files."""
        return sum(entry.bytes for entry in self.files.values())


def current(store: Path) -> BaseRecord:
    """Return the state that counts; an empty one where nothing was compacted.

    Raises:
        PublishError: the record is unreadable.
    """
    found = records(store)
    return found[-1] if found else BaseRecord()


def records(store: Path) -> list[BaseRecord]:
    """Return all records that lie there, oldest first.

    Raises:
        PublishError: one is unreadable.
    """
    return [_read(path) for path in sorted((store / FOLDER).glob("[0-9]*.json"))]


def new_folder(seq: int) -> str:
    """Return the name of a folder for the files of the state `seq`; no other attempt uses it."""
    return f"{FOLDER}/{seq:08}-{secrets.token_hex(4)}"


def commit(store: Path, record: BaseRecord) -> None:
    """Make `record` the state that counts.

    Raises:
        PublishError: another process compacted the store meanwhile; nothing has changed.
    """
    body = {"format": FORMAT, **asdict(record), "at": datetime.now(UTC).isoformat(timespec="milliseconds")}
    path = store / FOLDER / f"{record.seq:08}.json"
    try:
        write_whole_new(path, json.dumps(body, indent=1) + "\n")
    except FileExistsError:
        raise PublishError(f"{store}: another process compacted this score store meanwhile; run again") from None


def digits_for(rows: int) -> int:
    """Return the characters of a prefix that keep its files moderate: 16 files each up to 200,000 rows in all, then 256."""
    return 1 if rows <= _PREFIX_ROWS else 2


def _read(path: Path) -> BaseRecord:
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if body.pop("format") != FORMAT:
            raise ValueError("another version of Nightjar wrote it")
        files = {prefix: PrefixEntry(**entry) for prefix, entry in body.pop("files").items()}
        return BaseRecord(files=files, **body)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PublishError(f"{path}: cannot be read: {error}") from None


def tree_bytes(folder: Path) -> int:
    """Return the bytes of all files below a folder; what disappears meanwhile counts nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue
    return total
