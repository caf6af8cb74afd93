"""FAULTS cases 52 to 54: no link leads out of the output root, and what cannot be read or written is named."""

import os
import runpy
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config import InputConfig
from pipeline.errors import ConfigError, DataError
from pipeline.output_root import refuse_links
from pipeline.preflight import check_writable, inspect_corpus

JOBS = Path(__file__).parents[2] / "jobs"
FOLDERS = (
    "_data",
    "_data/doc_scores",
    "_data/doc_scores/run_date=2026-10-05",
    "_runs",
    "_log",
    "_store",
    "_lock",
    "_catalog",
)


@contextmanager
def as_nobody() -> Iterator[Path]:
    """While the block runs, be a user who may not do everything, root or not; yield a folder that this user can enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    is_root = os.geteuid() == 0
    try:
        if is_root:
            os.seteuid(65534)
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o700)
        shutil.rmtree(folder)


def corpus(folder: Path) -> Path:
    folder.mkdir(parents=True)
    time = pa.array([0], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"id": ["a"], "text": ["b"], "time": time}), folder / "1.parquet")
    return folder


@pytest.mark.parametrize("name", FOLDERS)
def test_a_link_under_the_output_root_is_refused_before_anything_is_written(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    root, outside = tmp_path / "out", tmp_path / "outside"
    outside.mkdir()
    (outside / "run_id=x").mkdir()
    (outside / "run_id=x" / "part.parquet").write_text("somebody's")
    link = root / name
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    with pytest.raises(ConfigError, match=rf"output\.root: {link} is a symbolic link to {outside}"):
        refuse_links(root)
    config = tmp_path / "c.yaml"
    config.write_text(f"input: {{path: {corpus(tmp_path / 'corpus')}}}\noutput: {{root: {root}}}\n")
    commands = {
        "nightly.py": ["--config", str(config), "--run-date", "2026-10-05"],
        "tables.py": ["gc", "--config", str(config), "--keep", "0", "--older-than", "0", "--delete"],
    }
    for job, arguments in commands.items():
        assert runpy.run_path(str(JOBS / job))["main"](arguments) == ConfigError.exit_code
        assert f"{link} is a symbolic link" in capfd.readouterr().err
    assert (outside / "run_id=x" / "part.parquet").read_text() == "somebody's"
    assert sorted(p.name for p in outside.rglob("*")) == ["part.parquet", "run_id=x"]


def test_a_root_without_links_passes_and_may_be_a_link_itself(tmp_path: Path) -> None:
    (tmp_path / "out" / "_data" / "x").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "out")
    for root in (tmp_path / "out", tmp_path / "link", tmp_path / "none"):
        refuse_links(root)


def test_what_may_not_be_read_or_written_is_named() -> None:
    with as_nobody() as folder:
        path = corpus(folder / "corpus") / "1.parquet"
        assert len(inspect_corpus(InputConfig(path=str(folder / "corpus"))).files) == 1
        path.chmod(0)
        with pytest.raises(DataError, match=rf"{path}: cannot be read: permission denied"):
            inspect_corpus(InputConfig(path=str(folder / "corpus")))
        (folder / "corpus").chmod(0)
        with pytest.raises(DataError, match=rf"{folder}/corpus: cannot be listed: Permission denied"):
            inspect_corpus(InputConfig(path=str(folder / "corpus")))
        (folder / "out").mkdir()
        (folder / "out").chmod(0o555)
        with pytest.raises(ConfigError, match=rf"output\.root: {folder}/out cannot be written to: Permission denied"):
            check_writable(folder / "out")
