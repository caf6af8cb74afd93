"""A Hive metastore service and a Thrift server on it, on loopback, both from the PySpark wheel."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyspark

HOME = Path(pyspark.__file__).parent
SITE = """<configuration>
<property><name>javax.jdo.option.ConnectionURL</name><value>jdbc:derby:;databaseName={folder}/metastore_db;create=true</value></property>
<property><name>datanucleus.schema.autoCreateAll</name><value>true</value></property>
<property><name>hive.metastore.schema.verification</name><value>false</value></property>
<property><name>hive.async.log.enabled</name><value>false</value></property>
<property><name>hive.metastore.warehouse.dir</name><value>{folder}/warehouse</value></property>
</configuration>
"""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def wait_for_port(process: "subprocess.Popen[bytes]", port: int, log: Path, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError(f"nothing listens on port {port}: {log.read_text()[-3000:]}")


@contextmanager
def _running(command: list[str], port: int, folder: Path, name: str) -> "Iterator[subprocess.Popen[bytes]]":
    environment = {
        **os.environ,
        "SPARK_HOME": str(HOME),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_CONF_DIR": str(folder / "conf"),
        "SPARK_SUBMIT_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    path = folder / f"{name}.log"
    with path.open("ab") as log:
        process = subprocess.Popen(
            [str(HOME / "bin" / command[0]), *command[1:]], env=environment, stdout=log, stderr=log, cwd=folder
        )
    try:
        wait_for_port(process, port, path)
        yield process
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def metastore(folder: Path, port: int) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a metastore whose database lies in `folder`; another one can be started there later."""
    (folder / "conf").mkdir(parents=True, exist_ok=True)
    (folder / "conf" / "hive-site.xml").write_text(SITE.format(folder=folder))
    command = ["spark-class", "org.apache.hadoop.hive.metastore.HiveMetaStore", "-p", str(port)]
    with _running(command, port, folder, "metastore") as process:
        yield process


@contextmanager
def thrift_server(folder: Path, port: int, metastore_port: int) -> Iterator[None]:
    """Run Spark's Thrift server on the metastore."""
    properties = {
        "spark.hadoop.hive.metastore.uris": f"thrift://127.0.0.1:{metastore_port}",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
    }
    conf = [part for key, value in properties.items() for part in ("--conf", f"{key}={value}")]
    hive = ["--hiveconf", f"hive.server2.thrift.port={port}", "--hiveconf", "hive.server2.thrift.bind.host=127.0.0.1"]
    server = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"
    command = ["spark-submit", "--master", "local[1]", *conf, "--class", server, "spark-internal", *hive]
    with _running(command, port, folder, "thrift"):
        yield
