"""Models of a package that is shipped as an archive."""

import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from udfs.models import archives
from udfs.models.files import locate

FILES = {"config.json": b"{}", "model.safetensors": bytes(range(256)) * 1000, "1_Pooling/config.json": b"[]"}
SOURCE = "package:{name}/weights/small"


def shipped(folder: Path, name: str) -> Path:
    """An archive of a package with a model, and another model beside it."""
    archive = folder / "code.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(f"{name}/__init__.py", "")
        for part, content in FILES.items():
            file.writestr(f"{name}/weights/small/{part}", content)
        file.writestr(f"{name}/weights/smaller/config.json", b"{}")
    return archive


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_model_in_an_archive_is_unpacked_once_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = shipped(tmp_path, "shipped_once")
    monkeypatch.syspath_prepend(archive)
    folder = locate(SOURCE.format(name="shipped_once"))
    assert isinstance(folder, Path)
    assert content(folder) == FILES
    assert folder.is_relative_to(tmp_path)
    (folder / "config.json").write_bytes(b"seen")
    assert locate(SOURCE.format(name="shipped_once")) == folder
    assert (folder / "config.json").read_bytes() == b"seen", "not unpacked again"
    assert [p.name for p in folder.parent.iterdir()] == ["small"], "nothing half done is left, and no other model"


def test_a_model_of_an_archive_that_was_replaced_is_unpacked_again(tmp_path: Path) -> None:
    """As an upgrade does it that copies a new archive over the old one."""
    archive = shipped(tmp_path, "upgraded")
    before = archives.unpacked(zipfile.Path(archive, "upgraded/weights/small/"))
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("upgraded/weights/small/config.json", b"new")
    os.utime(archive, ns=(10**18, 10**18))  # older than what was there: a copy may keep its time
    after = archives.unpacked(zipfile.Path(archive, "upgraded/weights/small/"))
    assert after == before
    assert content(after) == {"config.json": b"new"}
    assert [p.name for p in after.parent.iterdir()] == ["small"]


def test_processes_that_unpack_at_once_all_find_it_whole(tmp_path: Path) -> None:
    archive = shipped(tmp_path, "shipped_to_many")
    script = (
        "import sys, pathlib; sys.path[:0] = [sys.argv[1], sys.argv[2]]\n"
        "from udfs.models.files import locate\n"
        "print(len((locate(sys.argv[3]) / 'model.safetensors').read_bytes()))"
    )
    root = Path(__file__).parents[2]
    call = [sys.executable, "-c", script, str(archive), str(root), SOURCE.format(name="shipped_to_many")]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: subprocess.run(call, capture_output=True, text=True, check=False), range(4)))
    assert [(one.stdout, one.stderr) for one in done] == [("256000\n", "")] * 4
    assert [p.name for p in (tmp_path / "code.zip.models/shipped_to_many/weights").iterdir()] == ["small"]


def test_where_nothing_can_be_written_beside_it_a_process_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = shipped(tmp_path, "shipped_read_only")
    (tmp_path / "code.zip.models").write_text("a file where the folder would be")
    monkeypatch.syspath_prepend(archive)
    removed: list[Path] = []
    monkeypatch.setattr(archives.atexit, "register", lambda _, path, **__: removed.append(path))
    folder = locate(SOURCE.format(name="shipped_read_only"))
    assert isinstance(folder, Path)
    assert content(folder) == FILES
    assert not folder.is_relative_to(tmp_path / "code.zip.models")
    assert len(removed) == 1
    assert folder.is_relative_to(removed[0])
