"""Results of texts, shared by the Python processes of a node: one SQLite file in WAL mode.

Key: 16 bytes of the sha256 over model key (which holds the engine's version), declared language and content key. A process
claims the texts it is about to score, so that no other scores them meanwhile; a claim ends with its owner, who holds a lock on a
file of its own as long as the process lives. A cache that fails (disk full, file damaged) costs time and no query: what it cannot
say is scored, what it cannot keep is forgotten.

The file must lie on a local disk: WAL needs memory that processes share.
"""

import fcntl
import hashlib
import logging
import os
import sqlite3
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from udfs.sql.spec import CacheSpec

logger = logging.getLogger(__name__)

Row = tuple[Any, ...]
COLUMNS = ("lang", "sentiment", "score", "confidence", "model", "coverage", "error", "vector")
"""`vector` is float32 little-endian, or None; `error` None or a code that would come again."""
FILE = "results-v1.sqlite"
_TABLES = f"""
CREATE TABLE IF NOT EXISTS results (id INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL, {", ".join(COLUMNS)});
CREATE TABLE IF NOT EXISTS derived (id INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS claims (key BLOB PRIMARY KEY, owner TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (model_key TEXT, function TEXT, n INTEGER, PRIMARY KEY (model_key, function));
"""
_SLICE = 500
_KEPT_ON_EVICTION = 0.8
F = TypeVar("F", bound=Callable[..., Any])


def result_key(*parts: str | bytes) -> bytes:
    """Return the 16-byte key of what decides a result."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.digest()[:16]


def cache_folder(spec: CacheSpec) -> Path:
    """Return the folder of the cache: the one configured, else one of Spark's local folders, else one of this user's."""
    if spec.folder is not None:
        return Path(spec.folder)
    local = os.environ.get("SPARK_LOCAL_DIRS", "").split(",")[0]
    return Path(local) / "nightjar-sql" if local else Path(tempfile.gettempdir()) / f"nightjar-sql-{os.getuid()}"


def _or_else(make: Callable[[], Any]) -> Callable[[F], F]:
    """Turn a method that meets a failing cache into one that returns what an empty cache would."""

    def decorate(method: F) -> F:
        @wraps(method)
        def guarded(self: "ResultCache", *args: Any) -> Any:
            if self._db is None:
                return make()
            try:
                return method(self, *args)
            except (sqlite3.Error, OSError) as error:
                logger.warning("result cache %s fails, going on without: %s", self.folder, error)
                self._db = None
                return make()

        return guarded  # type: ignore[return-value]

    return decorate


class ResultCache:
    """The cache of one node, as one process sees it. Not safe for threads, nor across a fork."""

    def __init__(self, spec: CacheSpec) -> None:
        self.folder = cache_folder(spec)
        self._max_bytes = spec.max_bytes
        self._name = uuid.uuid4().hex
        self._db: sqlite3.Connection | None = None
        try:
            self._open()
        except (sqlite3.Error, OSError) as error:
            logger.warning("no result cache in %s: %s", self.folder, error)

    def _open(self) -> None:
        owners = self.folder / "owners"
        owners.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in owners.glob("[!.]*"):
            self._lives(path.name)  # the dead leave their files
        unlocked = owners / f".{self._name}"
        self._lock = unlocked.open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        unlocked.rename(owners / self._name)  # a file under its name is locked as long as its owner lives
        db = sqlite3.connect(self.folder / FILE, timeout=120, isolation_level=None)
        # SQLite does not wait for a lock where it changes a new file to WAL: one process at a time
        with (self.folder / "opening").open("w") as opening:
            fcntl.flock(opening, fcntl.LOCK_EX)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.executescript(_TABLES)
        self._db = db

    def close(self) -> None:
        """Give up the claims of this process and close the file."""
        if self._db is not None:
            self._db.close()
            self._db = None
            self._lock.close()
            (self.folder / "owners" / self._name).unlink(missing_ok=True)

    @_or_else(dict)
    def get(self, keys: Sequence[bytes], with_vectors: bool = True) -> dict[bytes, Row]:
        """Return what is known of keys, as `COLUMNS`; the vector is None where it is not asked for."""
        columns = ", ".join(COLUMNS if with_vectors else (*COLUMNS[:-1], "NULL"))
        return {row[0]: row[1:] for row in self._select(f"SELECT key, {columns} FROM results WHERE key IN", keys)}

    @_or_else(dict)
    def get_derived(self, keys: Sequence[bytes]) -> dict[bytes, str]:
        """Return the derived values (JSON) that are known of keys."""
        return dict(self._select("SELECT key, value FROM derived WHERE key IN", keys))

    def claim(self, keys: Sequence[bytes], derived: bool = False) -> list[bytes]:
        """Claim keys that have no result and no living owner; return those that are now this process'."""
        claimed = self._claim(keys, derived)
        return list(keys) if claimed is None else claimed

    @_or_else(lambda: None)
    def _claim(self, keys: Sequence[bytes], derived: bool) -> list[bytes] | None:
        table = "derived" if derived else "results"
        with self._transaction() as db:
            known = {row[0] for row in self._select(f"SELECT key FROM {table} WHERE key IN", keys)}
            owners: dict[bytes, str] = dict(self._select("SELECT key, owner FROM claims WHERE key IN", keys))
            dead = {owner for owner in set(owners.values()) if not self._lives(owner)}
            mine = [k for k in keys if k not in known and (k not in owners or owners[k] in dead)]
            db.executemany("INSERT OR REPLACE INTO claims VALUES (?, ?)", ((k, self._name) for k in mine))
        return mine

    @_or_else(lambda: None)
    def put(self, rows: Iterable[Row], derived: Iterable[Row] = ()) -> None:
        """Keep rows of key and `COLUMNS`, and derived rows of key and value."""
        with self._transaction() as db:
            marks = ", ".join("?" * (1 + len(COLUMNS)))
            db.executemany(f"INSERT OR REPLACE INTO results (key, {', '.join(COLUMNS)}) VALUES ({marks})", rows)
            db.executemany("INSERT OR REPLACE INTO derived (key, value) VALUES (?, ?)", derived)
            self._evict(db)

    @_or_else(lambda: None)
    def release(self, keys: Sequence[bytes]) -> None:
        """Give up claims."""
        with self._transaction() as db:
            db.executemany("DELETE FROM claims WHERE key = ? AND owner = ?", ((k, self._name) for k in keys))

    @_or_else(lambda: None)
    def count(self, model_key: str, function: str, n: int) -> None:
        """Add to the texts a model has really scored for a function."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO counters VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
                (model_key, function, n),
            )

    @_or_else(dict)
    def counted(self) -> dict[tuple[str, str], int]:
        """Return the texts scored so far by (model key, function)."""
        assert self._db is not None
        return {(key, name): n for key, name, n in self._db.execute("SELECT * FROM counters")}

    def _select(self, sql: str, keys: Sequence[bytes]) -> Iterator[Row]:
        assert self._db is not None
        waiting = iter(keys)
        while some := list(islice(waiting, _SLICE)):
            yield from self._db.execute(f"{sql} ({', '.join('?' * len(some))})", some)

    def _transaction(self) -> "_Transaction":
        assert self._db is not None
        return _Transaction(self._db)

    def _lives(self, owner: str) -> bool:
        if owner == self._name:  # left over: this process is not scoring now
            return False
        try:
            with (self.folder / "owners" / owner).open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        (self.folder / "owners" / owner).unlink(missing_ok=True)
        return False

    def _evict(self, db: sqlite3.Connection) -> None:
        """Drop the oldest results once the pages in use are more than the cap, so many that four fifths of it remain."""
        (pages,), (free,) = db.execute("PRAGMA page_count").fetchone(), db.execute("PRAGMA freelist_count").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
        used = (pages - free) * size
        if used <= self._max_bytes:
            return
        share = 1 - _KEPT_ON_EVICTION * self._max_bytes / used
        for table in ("results", "derived"):
            first, last = db.execute(f"SELECT min(id), max(id) FROM {table}").fetchone()
            if first is not None:
                db.execute(f"DELETE FROM {table} WHERE id < ?", (first + int((last - first + 1) * share),))


class _Transaction:
    """A transaction that may write, begun at once: two that begin by reading could not both go on."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> sqlite3.Connection:
        self._db.execute("BEGIN IMMEDIATE")
        return self._db

    def __exit__(self, kind: Any, *rest: Any) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
