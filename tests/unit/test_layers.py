"""The structure that keeps the project readable, held by tests."""

import ast
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from udfs.spec import EncoderSpec, FileDigest, HeadSpec, LanguageSpec, ScoreSpec, TopicSpec

ROOT = Path(__file__).parents[2]
LAYERS = {"jobs": 3, "pipeline": 2, "udfs": 1, "udfs.models": 0}
WORKER_ONLY = ("engine.py", "embedding.py", "routes.py", "selftest.py")
"""Loaded by the worker process alone, from within functions of `udfs.worker`."""
WORKER_FOLDERS = (ROOT / "udfs" / "models", ROOT / "udfs" / "training")
HEAVY = ("torch", "transformers", "tokenizers", "lingua", "sklearn", "safetensors", "duckdb")


def modules(*folders: str) -> list[Path]:
    return sorted(p for folder in folders for p in (ROOT / folder).rglob("*.py"))


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def layer(name: str) -> int | None:
    found = [level for prefix, level in LAYERS.items() if name == prefix or name.startswith(prefix + ".")]
    return min(found) if found else None


@pytest.mark.parametrize("path", modules("jobs", "pipeline", "udfs"), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    own = layer(".".join(path.relative_to(ROOT).with_suffix("").parts))
    assert own is not None
    for name in imports(path):
        other = layer(name)
        assert other is None or other <= own, f"{path} imports {name}"
        assert not name.startswith("jobs"), f"{path} imports a job"


@pytest.mark.parametrize("path", modules("udfs/models"), ids=lambda p: p.name)
def test_models_know_no_pyspark(path: Path) -> None:
    assert not {n for n in imports(path) if n.split(".")[0] == "pyspark"}


@pytest.mark.parametrize("path", modules("udfs"), ids=lambda p: str(p.relative_to(ROOT)))
def test_executor_code_knows_no_session(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert "SparkSession" not in source
    assert "pyspark.sql.DataFrame" not in source


def test_sessions_are_built_in_one_module() -> None:
    builders = [
        p.relative_to(ROOT).as_posix()
        for p in modules("jobs", "pipeline", "udfs", "benchmarks", "tests")
        if "SparkSession.builder" in p.read_text(encoding="utf-8") and p.name != "test_layers.py"
    ]
    assert builders == ["pipeline/session.py"]


def test_no_vague_module_names() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not [p for p in modules("jobs", "pipeline", "udfs", "tests", "benchmarks") if p.stem in vague]


def test_job_names_shadow_nothing() -> None:
    for path in modules("jobs"):
        assert path.stem not in sys.stdlib_module_names | {"pipeline", "udfs"}


def test_driver_library_and_executor_wrappers_load_no_model_library() -> None:
    """The engine itself is loaded by the worker process, from within a function of `udfs.worker`."""
    names = [
        ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for p in modules("pipeline", "udfs")
        if p.name not in WORKER_ONLY and (p.parent not in WORKER_FOLDERS or p.stem in ("__init__", "spec"))
    ]
    loads = f"for n in {names!r}: importlib.import_module(n)"
    code = f"import importlib, sys\n{loads}\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_a_spec_pickles_under_10_kb() -> None:
    files = tuple(FileDigest(f"some/folder/file-{i}.safetensors", "f" * 64, 1 << 30) for i in range(12))
    encoder = EncoderSpec("name", "/a/long/path" * 5, files, "r" * 40, 384, 512, languages=tuple("abcdefghij" * 8))
    head = HeadSpec("head", "/a/long/path" * 5, files, "r" * 40, ("negative", "neutral", "positive"))
    language = LanguageSpec(tuple(f"l{i}" for i in range(75)), "2.1.1")
    spec = ScoreSpec(encoder, head, language, TopicSpec("/a/long/path" * 5, "f" * 64, "k" * 16))
    assert len(pickle.dumps(spec)) < 10_000


def test_result_schemas_of_both_sides_agree() -> None:
    from pipeline.store import STORED
    from udfs.results import RESULTS

    spark_names = {"string": "string", "double": "double", "int32": "int", "int64": "bigint"}
    arrow = [(f.name, spark_names.get(str(f.type), "array<float>")) for f in RESULTS]
    assert arrow == [(f.name, f.dataType.simpleString()) for f in STORED]


def test_versions_agree() -> None:
    import tomllib

    import pipeline
    import udfs

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert pipeline.__version__ == udfs.__version__ == project
