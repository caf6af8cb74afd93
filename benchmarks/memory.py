"""The most memory a Spark job and its Python workers held, read from outside while it runs. Linux only."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_EVERY_SEC = 0.5
_WORKER = b"pyspark.daemon"


@dataclass(frozen=True)
class Peaks:
    """Peak resident bytes: of each Python worker by process id, its daemon included, and of all processes at one moment."""

    workers: dict[int, int]
    total: int


def job_peaks(job: "subprocess.Popen[bytes]") -> Peaks:
    """Wait for a job; return the most memory it held, looked at every half second."""
    peaks: dict[int, int] = {}
    total = 0
    while job.poll() is None:
        for pid in descendants(job.pid):
            if _WORKER in _read(pid, "cmdline"):
                peaks[pid] = max(peaks.get(pid, 0), _peak_bytes(pid))
        total = max(total, resident_bytes(job.pid))
        time.sleep(_EVERY_SEC)
    return Peaks(peaks, total)


def resident_bytes(pid: int) -> int:
    """Return what a process and all below it hold now, pages that they share counted once; mapped files count."""
    total = 0
    for each in (pid, *descendants(pid)):
        for line in _read(each, "smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def descendants(pid: int) -> list[int]:
    """Return the processes below `pid`."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        # "pid (name) state parent ..."; the name may hold blanks and brackets
        fields = _read(int(entry.name), "stat").rpartition(b")")[2].split()
        if len(fields) > 1:
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def _peak_bytes(pid: int) -> int:
    for line in _read(pid, "status").splitlines():
        if line.startswith(b"VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _read(pid: int, name: str) -> bytes:
    """Return a file of /proc, empty where the process has ended."""
    try:
        return (Path("/proc") / str(pid) / name).read_bytes()
    except OSError:
        return b""
