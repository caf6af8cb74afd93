"""A standalone Spark master and two workers of one core each, on loopback, from the PySpark wheel."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyspark

HOME = Path(pyspark.__file__).parent
_DEPLOY = "org.apache.spark.deploy"


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def wait_for_port(port: int, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError(f"nothing listens on port {port} after {seconds} s")


@contextmanager
def standalone(
    work: Path, python: Path, workers: tuple[Mapping[str, str], ...] = ({}, {}), spread: bool = False
) -> Iterator[str]:
    """Start a master and a worker for each of `workers`, which are additions to their environment; yield the master's URL.

    With `spread` each worker has an address of its own, 127.0.0.1 and on, and so is another host for Spark.
    """
    environment = {
        **os.environ,
        "SPARK_HOME": str(HOME),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": str(python),
    }
    port = free_port()
    url = f"spark://127.0.0.1:{port}"
    own = [f"{_DEPLOY}.master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(free_port())]
    commands: list[tuple[list[str], Mapping[str, str]]] = [(own, {})]
    for i, more in enumerate(workers):
        host = f"127.0.0.{i + 1 if spread else 1}"
        command = [f"{_DEPLOY}.worker.Worker", "--host", host, "--cores", "1", "--memory", "2g"]
        command += ["--work-dir", str(work / f"w{i}"), "--webui-port", str(free_port()), url]
        commands.append((command, {**more, "SPARK_LOCAL_IP": host}))
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for i, (command, more) in enumerate(commands):
            with (work / f"{i}.log").open("wb") as log:
                call = [HOME / "bin" / "spark-class", *command]
                processes.append(subprocess.Popen(call, env={**environment, **more}, stdout=log, stderr=log, cwd=work))
            if i == 0:
                wait_for_port(port)
        yield url
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def executors(work: Path) -> list[tuple[str, int]]:
    """Return worker folder (`w0`, `w1`) and process id of the executors' JVMs that are alive now, the youngest last."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdecimal() and b"CoarseGrainedExecutorBackend" in (process / "cmdline").read_bytes():
                cwd = Path(os.readlink(process / "cwd"))
                if cwd.is_relative_to(work):
                    found.append((cwd.relative_to(work).parts[0], int(process.name)))
        except OSError:  # it has just ended
            continue
    return sorted(found, key=lambda e: e[1])


def has_children(pid: int) -> bool:
    """Return whether a process has started others that are alive, as an executor has once Python is at work for it."""
    try:
        return any(path.read_text().strip() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    except OSError:  # it, or one of its threads, has just ended
        return False
