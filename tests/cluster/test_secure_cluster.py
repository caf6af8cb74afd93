"""Authentication and encryption as `conf/spark/secure.conf` has them, on a real master and worker (`make test-cluster`)."""

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from standalone import free_port, wait_for_port

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]

JOB = """
from pyspark import SparkContext
context = SparkContext()
assert context.getConf().get("spark.io.encryption.enabled") == "true"
print("ROWS", context.parallelize(range(1000), 4).map(lambda n: (n % 7, n * 2)).groupByKey(3).map(lambda g: sum(g[1])).sum())
context.stop()
"""


def secured(folder: Path, secret: str | None) -> Path:
    """Write the shipped properties with a secret of one's own; without one, authentication is off."""
    text = (ROOT / "conf/spark/secure.conf").read_text(encoding="utf-8")
    if secret is None:
        text = re.sub(r"^spark\.(authenticate|network|io).*$", "", text, flags=re.MULTILINE)
    else:
        text += f"spark.authenticate.secret {secret}\n"
    properties = folder / "secure.conf"
    properties.touch(mode=0o600)
    properties.write_text(text)
    return properties


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A master and a worker that authenticate; yield the address and the properties with the right secret."""
    import pyspark

    home, work = Path(pyspark.__file__).parent, tmp_path_factory.mktemp("secure")
    properties = secured(work, secrets.token_hex(32))
    environment = {
        **os.environ,
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
    }
    port = free_port()
    url = f"spark://127.0.0.1:{port}"
    deploy = "org.apache.spark.deploy"
    commands = [
        [f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(free_port())],
        [f"{deploy}.worker.Worker", "--host", "127.0.0.1", "--cores", "1", "--memory", "1g", "--work-dir", str(work / "w"),
         "--webui-port", str(free_port()), url],
    ]  # fmt: skip
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for i, command in enumerate(commands):
            log = (work / f"{i}.log").open("wb")
            call = [home / "bin" / "spark-class", command[0], "--properties-file", properties, *command[1:]]
            processes.append(subprocess.Popen(call, env=environment, stdout=log, stderr=log, cwd=work))
            wait_for_port(port)
        yield url, properties
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def submit(url: str, properties: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    import pyspark

    job = folder / "job.py"
    job.write_text(JOB)
    command = [
        Path(pyspark.__file__).parent / "bin" / "spark-submit", "--master", url, "--properties-file", properties,
        "--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.driver.bindAddress=127.0.0.1", "--conf", "spark.cores.max=1",
        "--conf", "spark.executor.memory=600m", "--conf", f"spark.pyspark.python={sys.executable}", job,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=folder)


def test_the_right_secret_runs_a_job(cluster: tuple[str, Path], tmp_path: Path) -> None:
    url, properties = cluster
    done = submit(url, properties, tmp_path)
    assert "ROWS 999000" in done.stdout, done.stderr[-6000:]
    secret = properties.read_text().split()[-1]
    assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize("secret", ["0123456789abcdef0123456789abcdef", None], ids=["wrong", "none"])
def test_without_the_right_secret_nobody_connects(
    cluster: tuple[str, Path], tmp_path: Path, secret: str | None
) -> None:
    url, _ = cluster
    done = submit(url, secured(tmp_path, secret), tmp_path)
    assert done.returncode != 0
    assert not re.search("^ROWS", done.stdout, re.MULTILINE)
    assert "All masters are unresponsive" in done.stderr, done.stderr[-6000:]
