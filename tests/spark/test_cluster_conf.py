"""The properties files for clusters: names that Spark knows, nothing the job would refuse, a discovery script that answers."""

import json
import subprocess
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pipeline.config import ScoringConfig
from pipeline.errors import ConfigError
from pipeline.session import merge_properties
from pipeline.stage_profile import check_profile

FOLDER = Path(__file__).parents[2] / "conf" / "spark"
SECURE = FOLDER / "secure.conf"
FILES = sorted(path for path in FOLDER.glob("*.conf") if path != SECURE)
CONFIG_OBJECTS = (
    "org.apache.spark.internal.config.package$",
    "org.apache.spark.internal.config.Python$",
    "org.apache.spark.deploy.k8s.Config$",
    "org.apache.spark.deploy.yarn.config.package$",
    "org.apache.spark.sql.internal.SQLConf$",
)
"""Loading one registers its properties."""
READ_AS_TEXT = {"spark.master", "spark.hadoop.hive.metastore.uris", "spark.network.crypto.cipher"}
"""Properties that Spark or Hadoop reads without registering them."""
RESOURCE_PARTS = {"amount", "discoveryScript", "vendor"}
VOLUME_PARTS = {"options.claimName", "mount.path"}


def properties(path: Path) -> dict[str, str]:
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = [line.split(None, 1) for line in lines if line and not line.startswith("#")]
    assert all(len(pair) == 2 for pair in pairs), path
    assert len({key for key, _ in pairs}) == len(pairs), f"{path}: a property twice"
    return dict(pairs)


def is_known(spark: SparkSession, key: str) -> bool:
    jvm = spark.sparkContext._jvm
    assert jvm is not None
    if key.startswith("spark.executor.resource.gpu."):
        return key.rsplit(".", 1)[1] in RESOURCE_PARTS
    for place in ("driver", "executor"):
        prefix = f"spark.kubernetes.{place}.volumes.persistentVolumeClaim.data."
        if key.startswith(prefix):
            return key.removeprefix(prefix) in VOLUME_PARTS
    return key in READ_AS_TEXT or jvm.org.apache.spark.internal.config.ConfigEntry.findEntry(key) is not None


@pytest.fixture(scope="module")
def registered(spark: SparkSession) -> SparkSession:
    """A session in whose JVM the properties of every cluster manager are registered."""
    assert spark.sparkContext._jvm is not None
    for name in CONFIG_OBJECTS:
        spark.sparkContext._jvm.java.lang.Class.forName(name)
    return spark


def test_there_is_a_file_for_every_kind_of_cluster() -> None:
    kinds = [f"{name}{gpu}.conf" for name in ("kubernetes", "standalone", "yarn") for gpu in ("-gpu", "")]
    assert [path.name for path in FILES] == kinds


@pytest.mark.parametrize("path", [*FILES, SECURE], ids=lambda p: p.name)
def test_spark_knows_every_property(registered: SparkSession, path: Path) -> None:
    unknown = [key for key in properties(path) if not is_known(registered, key)]
    assert unknown == []


def test_the_secure_properties_go_with_every_other_file() -> None:
    for path in FILES:
        assert not properties(path).keys() & properties(SECURE).keys(), f"{path.name}: Spark takes the last of two"
        merge_properties({}, properties(path) | properties(SECURE))


def test_a_name_that_spark_does_not_know_is_noticed(registered: SparkSession) -> None:
    for key in ("spark.executor.memoryOverhed", "spark.yarn.que", "spark.executor.resource.gpu.script"):
        assert not is_known(registered, key)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_the_job_accepts_the_properties_and_gpu_files_fit_the_scoring_stage_they_name(path: Path) -> None:
    merged = merge_properties({}, properties(path))
    scoring = ScoringConfig(gpu_amount_per_task=0.25, task_cpus=2)
    if not path.stem.endswith("-gpu"):
        with pytest.raises(ConfigError, match="executors have no GPU"):
            check_profile(scoring, merged)
        return
    check_profile(scoring, merged)
    tasks_by_gpu, tasks_by_cores = 1 / 0.25, int(merged["spark.executor.cores"]) / 2
    assert tasks_by_gpu == tasks_by_cores, "no core idles and no share of the GPU does"
    assert "scoring.gpu_amount_per_task=0.25 scoring.task_cpus=2" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("wanted", [{"gpu_amount_per_task": 0.5}, {"task_cpus": 2}])
def test_a_stage_of_its_own_is_refused_in_local_mode(wanted: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=f"scoring.{next(iter(wanted))}: needs a cluster, the master is local"):
        check_profile(ScoringConfig(**wanted), {"spark.master": "local[2]"})


def test_a_task_cannot_have_more_cores_than_its_executor() -> None:
    cluster = {"spark.master": "spark://h:7077", "spark.executor.cores": "4"}
    check_profile(ScoringConfig(task_cpus=4), cluster)
    with pytest.raises(ConfigError, match=r"scoring\.task_cpus: 5 is more than spark\.executor\.cores, 4"):
        check_profile(ScoringConfig(task_cpus=5), cluster)


def test_discovery_script_prints_what_spark_reads(tmp_path: Path) -> None:
    fake = tmp_path / "nvidia-smi"
    fake.write_text("#!/bin/sh\n[ \"$*\" = '--query-gpu=index --format=csv,noheader' ] && printf '0\\n1\\n'\n")
    fake.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run([FOLDER / "gpu-discovery.sh"], capture_output=True, text=True, env=environment, check=True)
    assert json.loads(done.stdout) == {"name": "gpu", "addresses": ["0", "1"]}
    fake.write_text("#!/bin/sh\necho 'no driver' >&2\nexit 9\n")
    assert subprocess.run([FOLDER / "gpu-discovery.sh"], capture_output=True, env=environment).returncode != 0


def test_small_broadcast_tables_take_small_pages(spark: SparkSession) -> None:
    assert spark.sparkContext.getConf().get("spark.buffer.pageSize") == "2m"
