"""Java and Spark properties, without starting Spark."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.java import java_problem
from pipeline.session import merge_properties, retrying

ROOT = Path(__file__).parents[2]


def fake_java(folder: Path, says: str, code: int = 0) -> Path:
    """A `java` that prints `says` as real ones do, on standard error."""
    path = folder / "bin" / "java"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{says}\nEND\nexit {code}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("says", "problem"),
    [
        ('openjdk version "17.0.15" 2025-04-15', None),
        ('openjdk version "21" 2023-09-19', None),
        ('java version "1.8.0_401"', "is Java 8, Spark needs 17"),
        ('openjdk version "11.0.22" 2024-01-16', "is Java 11, Spark needs 17"),
        ("Unable to locate a Java Runtime", "says nothing Spark could go by"),
    ],
)
def test_java_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, problem: str | None) -> None:
    fake_java(tmp_path, says)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    found = java_problem()
    if problem is None:
        assert found is None
    else:
        assert found is not None
        assert problem in found
        assert "install a JDK or JRE 17 or newer" in found
        assert "\n" not in found


def test_missing_java_is_one_line_before_anything_is_installed(tmp_path: Path) -> None:
    """`make run` calls the script with a bare Python."""
    done = subprocess.run(
        [sys.executable, "-I", ROOT / "pipeline/java.py"], env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Java was not found (no java on PATH); install" in done.stderr


def test_properties_that_results_depend_on_cannot_be_changed() -> None:
    with pytest.raises(ConfigError, match=r"spark\.sql\.session\.timeZone: must be UTC, got 'Asia/Tokyo'"):
        merge_properties({"spark.sql.session.timeZone": "Asia/Tokyo"}, {})
    with pytest.raises(ConfigError, match="ignoreCorruptFiles"):
        merge_properties({}, {"spark.sql.files.ignoreCorruptFiles": "true"})


def test_configuration_wins_over_submit_wins_over_defaults() -> None:
    submitted = {"spark.master": "spark://h:7077", "spark.speculation": "true", "spark.executor.memory": "1g"}
    merged = merge_properties({"spark.executor.memory": "3g"}, submitted)
    assert merged["spark.master"] == "spark://h:7077"
    assert merged["spark.speculation"] == "true"
    assert merged["spark.executor.memory"] == "3g"
    assert "spark.driver.bindAddress" not in merged, "loopback only in local mode"


@pytest.mark.parametrize(
    ("master", "tries_twice"),
    [
        ("local", "local[1, 2]"),
        ("local[3]", "local[3, 2]"),
        ("local[*]", "local[*, 2]"),
        ("local[2, 4]", "local[2, 4]"),
        ("local-cluster[2,1,1024]", "local-cluster[2,1,1024]"),
        ("spark://h:7077", "spark://h:7077"),
    ],
)
def test_a_task_of_the_server_is_tried_twice(master: str, tries_twice: str) -> None:
    assert retrying(master) == tries_twice


def test_gpu_resources_in_local_mode_are_refused() -> None:
    with pytest.raises(ConfigError, match="Spark hangs on GPU resources in local mode"):
        merge_properties({"spark.master": "local[2]", "spark.task.resource.gpu.amount": "1"}, {})
    merge_properties({"spark.task.resource.gpu.amount": "1"}, {"spark.master": "spark://h:7077"})


def test_threads_of_a_worker_follow_the_cores_of_a_task() -> None:
    merged = merge_properties({"spark.task.cpus": "4"}, {})
    assert merged["spark.executorEnv.RAYON_NUM_THREADS"] == "4"
    assert merged["spark.executorEnv.HF_HUB_OFFLINE"] == "1"
