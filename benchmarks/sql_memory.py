"""Memory of a running jobs/serve_sql.py over time, and whether it grows. Linux, and a JDK (for `jcmd`).

Two series, `jvm` and `workers`: what the JVM and the Python processes hold (proportional set size: pages that forked processes
share count once). And `live_heap`: what a full collection leaves of the JVM's heap; while statements run it holds what they
compute with, so it is asked when none does.
"""

import shutil
import statistics
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.memory import descendants

SERIES = ("jvm", "workers")
_MIB = 1 << 20
_SESSION = "org.apache.spark.sql.classic.SparkSession"


@dataclass(frozen=True)
class Trend:
    """A least-squares line through the second half of a series.

    Attributes:
        mean_mib: mean of that half.
        mib_per_min: the slope.
        drift_mib: what the line climbs over that half.
        noise_mib: two standard deviations of the samples around the line.
    """

    mean_mib: float
    mib_per_min: float
    drift_mib: float
    noise_mib: float

    @property
    def is_flat(self) -> bool:
        """Whether the line climbs no more than the noise, or no more than a hundredth of the mean."""
        return self.drift_mib <= max(self.noise_mib, self.mean_mib / 100)


def trend(at_sec: Sequence[float], mib: Sequence[float]) -> Trend:
    """Fit the second half, in time, of a series.

    Raises:
        ValueError: fewer than three samples there.
    """
    middle = (at_sec[0] + at_sec[-1]) / 2 if at_sec else 0.0
    half = [(t, m) for t, m in zip(at_sec, mib, strict=True) if t >= middle]
    if len(half) < 3:
        raise ValueError(f"{len(half)} samples in the second half; a trend needs three: measure for longer")
    times, values = [t for t, _ in half], [m for _, m in half]
    line = statistics.linear_regression(times, values)
    around = [m - line.intercept - line.slope * t for t, m in half]
    noise = 2 * statistics.pstdev(around)
    return Trend(statistics.fmean(values), line.slope * 60, line.slope * (times[-1] - times[0]), noise)


class MemoryLog(threading.Thread):
    """Samples the processes below the job every `every_sec`."""

    def __init__(self, job: int, every_sec: float = 10.0) -> None:
        super().__init__(daemon=True)
        self.samples: list[dict[str, float]] = []
        self._job, self._every_sec, self._ended = job, every_sec, threading.Event()

    def run(self) -> None:
        """Sample until `end`."""
        started = time.monotonic()
        while True:
            self.samples.append({"at": round(time.monotonic() - started), **self._sample()})
            if self._ended.wait(self._every_sec):
                return

    def end(self) -> dict[str, Trend]:
        """Stop sampling; return the trend of each series."""
        self._ended.set()
        self.join()
        at = [one["at"] for one in self.samples]
        return {name: trend(at, [one[name] for one in self.samples]) for name in SERIES}

    def _sample(self) -> dict[str, float]:
        below = descendants(self._job)
        java = [p for p in below if _name(p) == "java"]
        workers = [p for p in below if _name(p).startswith("python")]
        return {"jvm": _mib(java), "workers": _mib(workers), "n_workers": len(workers)}


@dataclass(frozen=True)
class LiveHeap:
    """What a collection left of a JVM's heap: MiB, and how many objects `SparkSession`."""

    mib: float
    sessions: int


def live_heap(job: int) -> LiveHeap:
    """Return what is left of the heap of the JVM below the job after two collections: Spark frees what the first finds unused.

    Raises:
        RuntimeError: there is no `jcmd`, or it failed.
    """
    jcmd = shutil.which("jcmd")
    if jcmd is None:
        raise RuntimeError("jcmd: not found; it comes with a JDK, not with a Java runtime alone")
    (jvm,) = [p for p in descendants(job) if _name(p) == "java"]
    for _ in range(2):
        done = subprocess.run([jcmd, str(jvm), "GC.class_histogram"], capture_output=True, text=True, timeout=60)
        time.sleep(2)
    if done.returncode:
        raise RuntimeError(f"jcmd: {(done.stderr or done.stdout)[:300]}")
    return read_histogram(done.stdout)


def read_histogram(text: str) -> LiveHeap:
    """Read what `jcmd … GC.class_histogram` prints.

    Raises:
        RuntimeError: the last line is no total.
    """
    rows = [line.split() for line in text.strip().splitlines()]
    if not rows or rows[-1][:1] != ["Total"]:
        raise RuntimeError(f"jcmd: {text[:300]}")
    sessions = sum(int(row[1]) for row in rows if row[3:] == [_SESSION])
    return LiveHeap(round(int(rows[-1][2]) / _MIB, 1), sessions)


def _mib(pids: Sequence[int]) -> float:
    total = 0
    for pid in pids:
        lines = _lines(pid, "smaps_rollup")
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return round(total / 1024, 1)


def _name(pid: int) -> str:
    return "".join(_lines(pid, "comm"))


def _lines(pid: int, name: str) -> list[str]:
    try:
        return Path(f"/proc/{pid}/{name}").read_text().splitlines()
    except OSError:
        return []


def shown(trends: dict[str, Trend]) -> dict[str, Any]:
    """Return trends as figures for a report."""
    return {
        name: {
            "mean_mib": round(t.mean_mib),
            "mib_per_min": round(t.mib_per_min, 2),
            "drift_mib": round(t.drift_mib, 1),
            "noise_mib": round(t.noise_mib, 1),
            "flat": t.is_flat,
        }
        for name, t in trends.items()
    }
