"""Files of a score store that its present state does not need."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from pipeline.failpoints import failpoint
from pipeline.store_base import FOLDER, current, records
from udfs.store_files import files_of


def superseded(store: Path) -> Iterator[tuple[Path, datetime]]:
    """Yield files and folders that only readers who began earlier can be at, each with the time since when.

    Raises:
        PublishError: a record of the store is unreadable.
    """
    states = records(store)
    folded = current(store).folded
    for name, at in folded.items():
        if (store / name).exists():
            yield store / name, datetime.fromisoformat(at)
    for path in sorted(store.glob("*/_temporary")):
        if path.parent.name not in folded:
            # of a job that was killed, or is going on: then it is young
            folder = path if any(path.parent.glob("part-*.parquet")) else path.parent
            yield folder, _written(path)
    for state, later in pairwise(states):
        yield store / FOLDER / f"{state.seq:08}.json", datetime.fromisoformat(later.at)
    needed = [{f"{entry.folder}/{_stem(prefix)}" for prefix, entry in state.files.items()} for state in states]
    for path in sorted((store / FOLDER).glob("*/*")):
        name = f"{FOLDER}/{path.parent.name}/{path.name.split('.')[0]}"
        users = [i for i, names in enumerate(needed) if name in names]
        if not users or users[-1] < len(states) - 1:
            yield path, datetime.fromisoformat(states[users[-1] + 1].at) if users else _written(path)


def purge_superseded(store: Path) -> list[str]:
    """Remove all of it at once, whoever reads; return the paths within the store. For what must not stay."""
    gone = []
    for path, _ in list(superseded(store)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        gone.append(str(path.relative_to(store)))
        if len(gone) == 1:
            failpoint("after_store_purge")
    return gone


def _stem(prefix: str) -> str:
    return Path(files_of("", prefix).stem).name


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
