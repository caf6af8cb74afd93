"""What a run may spend on scoring: until when, and how many GPU hours."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pyspark.sql import SparkSession

from pipeline.errors import ConfigError
from pipeline.session import is_local_mode
from udfs.worker import DEVICE_SCHEMA, make_device

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def parse_deadline(text: str, now: datetime) -> datetime:
    """Return a moment in UTC: `HH:MM` is the next such minute (UTC), else an ISO 8601 date and time.

    Raises:
        ValueError: it is neither, has no zone, or is past.
    """
    if found := _CLOCK.fullmatch(text):
        at = now.astimezone(UTC).replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
        return at if at > now else at + timedelta(days=1)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; write HH:MM (UTC) or 2026-10-06T05:30:00Z") from None
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; add Z or an offset such as +02:00")
    if at <= now:
        raise ValueError(f"{text!r} is past; it is {now.astimezone(UTC).isoformat(timespec='seconds')} now")
    return at.astimezone(UTC)


def held_gpus(spark: SparkSession, device: str, executors: int) -> float:
    """Return how many GPUs a session holds: what its executors ask for, or one in local mode that computes on CUDA."""
    conf = spark.sparkContext.getConf()
    if not is_local_mode(conf.get("spark.master") or "local"):
        return executors * float(conf.get("spark.executor.resource.gpu.amount") or 0)
    if device == "cpu":
        return 0.0
    answer = spark.range(1, numPartitions=1).mapInArrow(make_device(device), DEVICE_SCHEMA)
    return float(answer.collect()[0].device == "cuda")  # bounded: one row


@dataclass
class Limits:
    """The limits of one run's scoring, and what was spent of them.

    A GPU hour is an hour in which scoring ran while the session held a GPU, whether it was busy or not: that is what it costs.
    """

    deadline: datetime | None = None
    max_gpu_hours: float | None = None
    gpus: float = 0.0
    spent_seconds: float = 0.0
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _since: float | None = None

    def seconds(self) -> float:
        """Return the seconds spent on scoring until now."""
        return self.spent_seconds + (time.monotonic() - self._since if self._since is not None else 0.0)

    @property
    def gpu_hours(self) -> float:
        """GPU hours spent on scoring until now."""
        return self.seconds() * self.gpus / 3600

    def require_gpus(self) -> None:
        """Fail where a limit on GPU hours could never be reached.

        Raises:
            ConfigError: the session holds no GPU.
        """
        if self.max_gpu_hours is not None and not self.gpus:
            raise ConfigError(
                f"--max-gpu-hours {self.max_gpu_hours:g}: this session holds no GPU, the limit would never be reached; "
                "leave it out, or give --deadline"
            )

    def start(self) -> None:
        """Begin to count."""
        self._since = time.monotonic()

    def stop(self) -> None:
        """Stop counting."""
        if self._since is not None:
            self.spent_seconds += time.monotonic() - self._since
            self._since = None

    def seconds_left(self) -> float | None:
        """Return the seconds of scoring that are left, at least 0; None without a limit."""
        left = []
        if self.deadline is not None:
            left.append((self.deadline - self.clock()).total_seconds())
        if self.max_gpu_hours is not None and self.gpus:
            left.append((self.max_gpu_hours - self.gpu_hours) * 3600 / self.gpus)
        return max(0.0, min(left)) if left else None

    def __str__(self) -> str:
        """Say which limits there are."""
        parts = []
        if self.deadline is not None:
            parts.append(f"--deadline {self.deadline.isoformat(timespec='minutes')}")
        if self.max_gpu_hours is not None:
            parts.append(f"--max-gpu-hours {self.max_gpu_hours:g} ({self.gpu_hours:.2f} spent)")
        return ", ".join(parts) or "no limit"
