"""The nightly job on a real standalone master with two workers, its code shipped as a built archive.

`make test-cluster`. Everything listens on loopback. The job runs from another working directory with an interpreter that has
the dependencies but not this project, so that it can only work if the archive holds all it needs.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from standalone import standalone

from pipeline.read_tables import open_duckdb
from pipeline.schemas import TABLES

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1500)]
ROOT = Path(__file__).parents[2]
NIGHTS = ["--from", "2026-10-14", "--to", "2026-10-15"]


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with every dependency on its path, but not with this project."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    venv.create(folder, with_pip=False)
    site = next((folder / "lib").glob("python*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    python = folder / "bin" / "python"
    found = subprocess.run(
        [python, "-c", "import pyspark, torch; import udfs"], capture_output=True, text=True, cwd=folder
    )
    assert "No module named 'udfs'" in found.stderr
    return python


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as a zip."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
        timeout=300,
    )
    return Path(shutil.copy(next(folder.glob("*.whl")), folder / "nightjar.zip"))


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory, bare_python: Path) -> Iterator[str]:
    """A standalone master and two workers of one core each."""
    with standalone(tmp_path_factory.mktemp("cluster"), bare_python) as url:
        yield url


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    subprocess.run([sys.executable, ROOT / "jobs/make_sample.py", "--out", folder], check=True, capture_output=True)
    return folder / "corpus"


def submit(
    master: str, python: Path, archive: Path, cwd: Path, corpus: Path, root: Path, *more: str
) -> subprocess.CompletedProcess[str]:
    import pyspark

    home = Path(pyspark.__file__).parent
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "SPARK_CONF_DIR")}
    environment |= {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": str(python)}
    command = [
        home / "bin" / "spark-submit", "--master", master, "--py-files", archive,
        "--conf", f"spark.pyspark.python={python}", "--conf", "spark.driver.host=127.0.0.1",
        "--conf", "spark.driver.bindAddress=127.0.0.1", "--executor-memory", "1g", "--executor-cores", "1",
        ROOT / "jobs/nightly.py", "--config", ROOT / "conf/jobs/cluster_test.yaml", *NIGHTS,
        "--set", f"input.path={corpus}", f"output.root={root}", *more,
    ]  # fmt: skip
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=600)


def hashes(root: Path) -> dict[tuple[str, str], tuple[int, str]]:
    results = json.loads((root / "run_results.json").read_text())
    return {(t["table"], str(t["run_date"])): (t["rows"], t["content_hash"]) for t in results["tables"]}


def test_cluster_and_laptop_publish_equal_tables(
    master: str, bare_python: Path, archive: Path, corpus: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    done = submit(master, bare_python, archive, tmp_path / "elsewhere", corpus, tmp_path / "cluster")
    assert done.returncode == 0, done.stderr[-4000:]
    local = subprocess.run(
        [sys.executable, ROOT / "jobs/nightly.py", "--config", ROOT / "conf/jobs/sample.yaml", *NIGHTS,
         "--set", f"input.path={corpus}", f"output.root={tmp_path / 'local'}"],
        capture_output=True, text=True, timeout=600, cwd=tmp_path,
    )  # fmt: skip
    assert local.returncode == 0, local.stderr[-4000:]
    on_cluster, on_laptop = hashes(tmp_path / "cluster"), hashes(tmp_path / "local")
    assert len(on_cluster) == 2 * len(TABLES)
    assert on_cluster == on_laptop
    results = json.loads((tmp_path / "cluster" / "run_results.json").read_text())
    with open_duckdb(tmp_path / "cluster") as db:
        (loads,) = db.execute("SELECT max(model_loads) FROM runs").fetchall()
    # a Python worker on each of the two loads them once; the sentences of aspects may meet another that Spark keeps beside it
    assert 2 <= loads[0] <= 4, "processes that load the models are as few as Python workers, not as many as tasks"
    assert all("nightjar.zip" in place for place in results["executors"]["code"])


def test_a_run_that_must_fail_exits_non_zero_and_publishes_nothing(
    master: str, bare_python: Path, archive: Path, corpus: Path, tmp_path: Path
) -> None:
    done = submit(master, bare_python, archive, tmp_path, corpus, tmp_path / "out", "quality.max_rejected_fraction=0")
    assert done.returncode == 1, done.stderr[-4000:]
    printed = done.stdout + done.stderr  # spark-submit sends what the script prints to its own standard output
    assert "max_rejected_fraction" in printed
    assert "Traceback" not in printed
    assert json.loads((tmp_path / "out" / "run_results.json").read_text())["status"] == "rejected"
    assert not list((tmp_path / "out").glob("_data/**/*.parquet"))
