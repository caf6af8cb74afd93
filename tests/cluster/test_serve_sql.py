"""jobs/serve_sql.py over the wire: beeline, a DBAPI client and Spark Connect, what they may do, and how the server ends."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import QUICK, Warehouse
from directory_server import DirectoryServer
from sql_conformance import differences, statements

from benchmarks.memory import descendants
from benchmarks.sql_wire import JOB, Client, Served, free_port, running_jobs, served
from pipeline.read_tables import open_duckdb
from pipeline.schemas import TABLES
from pipeline.view_schemas import VIEWS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
QUICK_JVM = QUICK["spark.driver.extraJavaOptions"] + " -XX:ReservedCodeCacheSize=240m"
"""Java's default room for code; with one compiler it would be 48 MiB, which all these tests together fill: then calls fail."""
SMALL = "model: {embedding: static-en, sentiment: sentiment-en-static, device: cpu}\n"
LONG = "SELECT count(*) FROM range(1000000000000) WHERE id % 7 = 8"
"""Many minutes."""
MASTER = "spark: {spark.master: 'local[2]', spark.sql.shuffle.partitions: '2'"


@pytest.fixture(scope="module")
def server(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """With the default models, as the conformance file has them, on JDBC and Connect."""
    folder = tmp_path_factory.mktemp("served")
    config = folder / "server.yaml"
    connect, ui = str(free_port()), str(free_port())
    spark = f"{MASTER}, spark.ui.enabled: 'true', spark.ui.port: '{ui}'}}"
    config.write_text(f"model: {{device: cpu}}\ncache: {{folder: {folder / 'cache'}}}\n{spark}\n", encoding="utf-8")
    args = ("--functions-config", str(config), "--connect-port", connect)
    with served(warehouse.root, folder / "log", *args, java_options=QUICK_JVM) as running:
        (folder / "connect-port").write_text(connect)
        (folder / "ui-port").write_text(ui)
        yield running


def connect_port(server: Served) -> str:
    return server.log.with_name("connect-port").read_text()


def ui_port(server: Served) -> int:
    return int(server.log.with_name("ui-port").read_text())


def test_it_says_when_it_is_ready_and_listens_on_loopback_alone(server: Served) -> None:
    start = f"ready: jdbc:hive2://127.0.0.1:{server.port}/nightjar, "
    assert server.ready.startswith(start)
    assert f" {len(TABLES) + len(VIEWS)} tables, " in server.ready
    ports = {f"{int(port):04X}" for port in (server.port, connect_port(server))}
    listening = [
        line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]
    ]
    addresses = {f[1].rpartition(":")[0] for f in listening if f[3] == "0A" and f[1].rpartition(":")[2] in ports}
    assert addresses <= {"0100007F", "0000000000000000FFFF00000100007F"}, addresses
    assert addresses


def test_beeline_sees_functions_and_views(server: Served, warehouse: Warehouse) -> None:
    import pyspark

    beeline = Path(pyspark.__file__).parent / "bin" / "beeline"
    url = f"jdbc:hive2://127.0.0.1:{server.port}/nightjar"
    sql = "SELECT ai_analyze_sentiment('I hate it, the worst'), count(*), max(run_date) FROM doc_scores;"
    done = subprocess.run(
        [beeline, "-u", url, "-n", "analyst", "--outputformat=csv2", "--showHeader=false", "--silent=true", "-e", sql],
        capture_output=True, text=True, timeout=200, env={**os.environ, "SPARK_SUBMIT_OPTS": QUICK_JVM},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "negative,7,2026-10-07" in done.stdout, done.stdout


def test_conformance_over_jdbc(server: Served) -> None:
    connection = Client(server.port)
    assert len(statements()) >= 60
    assert differences(lambda sql: connection.ask(sql)) == []


def test_conformance_over_connect_by_a_client_that_registers_nothing(server: Served) -> None:
    program = (
        "import sys; from pyspark.sql.connect.session import SparkSession as Remote; from sql_conformance import differences\n"
        "spark = Remote.builder.remote(sys.argv[1]).getOrCreate()\n"
        "print(differences(lambda sql: [list(row) for row in spark.sql(sql).collect()]))\n"
        "print(spark.sql('SELECT count(*) FROM nightjar.doc_scores').collect()[0][0])\n"
    )
    tests = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program, f"sc://127.0.0.1:{connect_port(server)}"],
        capture_output=True, text=True, timeout=400, cwd=tests, env={**os.environ, "PYTHONPATH": str(tests)},
    )  # fmt: skip
    assert done.stdout == "[]\n7\n", (done.stdout, done.stderr[-2000:])


def test_every_table_reads_as_duckdb_reads_it(server: Served, warehouse: Warehouse) -> None:
    connection = Client(server.port)
    with open_duckdb(warehouse.root) as db:
        names = [*(table.name for table in TABLES), *(view.name for view in VIEWS)]
        expected = {name: db.sql(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in names}
    assert {name: connection.ask(f"SELECT count(*) FROM {name}")[0][0] for name in names} == expected
    assert {row[1] for row in connection.ask("SHOW TABLES")} == set(names)


def test_a_session_is_its_own(server: Served) -> None:
    one, other = Client(server.port), Client(server.port)
    one.run("SET spark.sql.session.timeZone=Asia/Tokyo")
    one.run("USE default")
    assert other.ask("SELECT current_database(), current_timezone()") == [["nightjar", "UTC"]]
    assert one.ask("SELECT current_database(), current_timezone()") == [["default", "Asia/Tokyo"]]


def test_published_tables_take_no_insert(server: Served) -> None:
    with pytest.raises(Exception, match=r"EXPECT_TABLE_NOT_VIEW|VIEW"):
        Client(server.port).run("INSERT INTO nightjar.runs SELECT * FROM nightjar.runs")


def test_a_killed_client_leaves_the_server_well(server: Served) -> None:
    program = (
        "import sys; from benchmarks.sql_wire import Client\n"
        "connection = Client(int(sys.argv[1])); print(connection.ask('SELECT 1'), flush=True)\n"
        "connection.ask(sys.argv[2])\n"
    )
    killed = subprocess.Popen(
        [sys.executable, "-c", program, str(server.port), LONG], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert killed.stdout is not None
    assert killed.stdout.readline() == "[[1]]\n"
    time.sleep(3)
    killed.kill()
    killed.wait(10)
    killed.stdout.close()
    assert Client(server.port).ask("SELECT ai_analyze_sentiment('I love it')") == [["positive"]]
    assert server.process.poll() is None


def test_connections_cut_in_the_moment_of_start_leave_nothing_running(server: Served) -> None:
    for number in range(20):
        Client(server.port).drop_while_asking(LONG, after_sec=0.01 * number)
    assert wait_until(lambda: not running_jobs(ui_port(server)), 30), "their clients have gone"
    time.sleep(5)
    assert running_jobs(ui_port(server)) == [], "none starts after that"
    asked = time.monotonic()
    assert Client(server.port).ask("SELECT count(*) FROM doc_scores") == [[7]]
    assert time.monotonic() - asked < 20, "the cores are free"
    assert wait_until(lambda: "queries forgotten" in server.log.read_text(), 30), "jobs that started after the end"


def test_statements_that_were_cut_are_not_counted_and_do_not_delay_the_end(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    config = tmp_path / "server.yaml"
    config.write_text(f"{SMALL}cache: {{folder: {tmp_path / 'cache'}}}\n{MASTER}}}\n", encoding="utf-8")
    with served(warehouse.root, tmp_path / "log", "--functions-config", str(config), java_options=QUICK_JVM) as running:
        for _ in range(3):
            Client(running.port).drop_while_asking(LONG)
        assert wait_until(lambda: "abandoned" in running.log.read_text())
        time.sleep(3)
        asked = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(90) == 0
        assert time.monotonic() - asked < 25, "it waits 30 s where it believes that statements run"
    assert "stopping  no statement is running" in running.log.read_text()


def test_ended_connections_leave_no_thread_that_would_keep_their_session(server: Served) -> None:
    sql = (
        "SELECT a.id % 7 AS k, count(*) FROM range(100) a JOIN range(10) b ON a.id = b.id "
        "WHERE a.id > (SELECT count(*) FROM range(3)) GROUP BY 1 ORDER BY 1"
    )
    kinds = {"broadcast-excha", "HiveServer2-Bac", "QueryStageCreat", "ResultQueryStag", "shuffle-exchang", "subquery"}
    connection, seen = Client(server.port), set[str]()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(connection.ask, sql)
        while not answer.done():
            seen.update(thread_names(server))
    assert answer.result() == [[0, 1], [1, 1], [2, 1], [4, 1], [5, 1], [6, 1]]
    assert kinds <= seen, "what is looked for below is there at first"
    connection.close()
    stays = ["HiveServer2-Bac"]  # it looks for idle sessions as long as the server runs
    ended = wait_until(lambda: [name for name in thread_names(server) if name in kinds] == stays, 6)
    assert ended, "Hive's and Spark's defaults are 10 and 60 s"


def test_a_statement_has_the_time_that_its_session_gives_it(server: Served) -> None:
    program = (  # in a process of its own: impyla does not know the state TIMEDOUT and fails badly
        "import sys; from benchmarks.sql_wire import Client\n"
        "connection = Client(int(sys.argv[1])); connection.run('SET spark.sql.thriftServer.queryTimeout=3')\n"
        "print('asked', flush=True); connection.ask(sys.argv[2])\n"
    )
    command = [sys.executable, "-c", program, str(server.port), LONG]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=ROOT)
    assert (done.stdout, done.returncode != 0) == ("asked\n", True)
    assert wait_until(lambda: not running_jobs(ui_port(server)), 30)


def test_a_failed_statement_is_not_logged(server: Served) -> None:
    with pytest.raises(Exception, match="no_such_column"):
        Client(server.port).ask("SELECT no_such_column, 'a secret of a customer'")
    assert "a secret of a customer" not in server.log.read_text()


def test_nights_published_meanwhile_are_shown_and_sigterm_ends_well(tmp_path: Path) -> None:
    tiny = Path(__file__).parents[1] / "tiny_nights.py"
    root = tmp_path / "out"
    first = subprocess.run([sys.executable, str(tiny), str(root)], capture_output=True, text=True, timeout=200)
    assert first.returncode == 0, first.stderr[-2000:]
    config = tmp_path / "server.yaml"
    config.write_text(f"{SMALL}cache: {{folder: {tmp_path / 'cache'}}}\n{MASTER}}}\n", encoding="utf-8")
    args = ("--functions-config", str(config))
    with served(root, tmp_path / "log", *args, java_options=QUICK_JVM) as running:
        connection = Client(running.port)
        before = connection.ask("SELECT DISTINCT run_id FROM doc_scores")
        connection.run("DROP VIEW nightjar.runs")
        again = subprocess.run([sys.executable, str(tiny), str(root)], capture_output=True, text=True, timeout=200)
        assert again.returncode == 0, "the server must leave the catalog to the nightly run: " + again.stderr[-2000:]
        assert wait_until(lambda: connection.ask("SELECT DISTINCT run_id FROM doc_scores") != before)
        assert connection.ask("SELECT count(*) FROM doc_scores") == [[7]]
        assert wait_until(lambda: "runs" in [row[1] for row in connection.ask("SHOW TABLES")])
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(90) == 0, running.log.read_text()[-2000:]
        with socket.socket() as s:
            assert s.connect_ex(("127.0.0.1", running.port)) != 0
    assert "stopping" in running.log.read_text()


def thread_names(server: Served) -> list[str]:
    """Of the server's JVM, without their numbers; Linux keeps 15 characters of a name."""
    found = []
    for pid in descendants(server.process.pid):
        for comm in Path(f"/proc/{pid}/task").glob("*/comm"):
            with contextlib.suppress(OSError):  # the thread has ended
                found.append(comm.read_text().strip().rstrip("-0123456789"))
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.5)
    return False


def test_ldap_lets_in_who_knows_the_password_alone(warehouse: Warehouse, tmp_path: Path) -> None:
    with DirectoryServer({"uid=ana,ou=people,dc=example": "right"}) as directory:
        config = tmp_path / "server.yaml"
        config.write_text(
            f"{SMALL}cache: {{folder: {tmp_path / 'cache'}}}\n{MASTER},\n"
            "  spark.hadoop.hive.server2.authentication: LDAP,\n"
            f"  spark.hadoop.hive.server2.authentication.ldap.url: 'ldap://127.0.0.1:{directory.port}',\n"
            "  spark.hadoop.hive.server2.authentication.ldap.baseDN: 'ou=people,dc=example'}\n",
            encoding="utf-8",
        )
        args = ("--functions-config", str(config), "--host", "0.0.0.0")
        with served(warehouse.root, tmp_path / "log", *args, java_options=QUICK_JVM) as running:
            assert Client(running.port, "ana", "right").ask("SELECT 1") == [[1]]
            for user, password in (("ana", "wrong"), ("eve", "right"), ("ana", "")):
                with pytest.raises(Exception):  # noqa: B017, PT011 (the client closes the connection: several types)
                    Client(running.port, user, password).ask("SELECT 1")
            assert "unencrypted" in running.log.read_text()


@pytest.mark.parametrize(
    ("args", "properties", "message"),
    [
        (["--host", "0.0.0.0"], "{}", "spark.hadoop.hive.server2.authentication is NONE"),
        (["--host", "0.0.0.0"], "{spark.hadoop.hive.server2.authentication: NOSASL}", "is NOSASL"),
        (["--host", "0.0.0.0"], "{spark.hadoop.hive.server2.authentication: LDAP}", "ldap.url: "),
        ([], "{spark.hadoop.hive.server2.authentication: GUESS}", "GUESS is not known; give one of LDAP"),
        (["--port", "0"], "{}", "'0' is not a port"),
    ],
)
def test_it_refuses_before_it_starts_java(
    warehouse: Warehouse, tmp_path: Path, args: list[str], properties: str, message: str
) -> None:
    config = tmp_path / "server.yaml"
    config.write_text(f"spark: {properties}\n", encoding="utf-8")
    command = [sys.executable, str(JOB), "--root", str(warehouse.root), "--functions-config", str(config), *args]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=100, env={**os.environ, "JAVA_HOME": "/none"}
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
