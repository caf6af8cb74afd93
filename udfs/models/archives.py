"""Models of a package that was shipped as an archive (`--py-files`), as real folders, because libraries read weights by path."""

import atexit
import contextlib
import os
import shutil
import tempfile
import zipfile
from pathlib import Path


def unpacked(folder: zipfile.Path) -> Path:
    """Return a real folder with the files of a folder in an archive; the processes of a machine unpack it once.

    It lies beside the archive, which Spark keeps in a folder of the application and removes with it; one unpacked from an archive
    that was replaced since is replaced too. Where nothing can be written there, each process has its own, removed when it ends.
    The files are as trustworthy as the archive: callers verify them.
    """
    archive, inside = Path(str(folder.root.filename)), folder.at.strip("/")
    target, changed_at = archive.with_name(f"{archive.name}.models") / inside, archive.stat().st_mtime_ns
    if _is_of(target, changed_at):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".partial-", dir=target.parent))
    except OSError:
        scratch = Path(tempfile.mkdtemp(prefix="nightjar-models-"))
        atexit.register(shutil.rmtree, scratch, ignore_errors=True)
        return _extracted(folder, scratch)
    try:
        whole = _extracted(folder, scratch)
        os.utime(whole, ns=(changed_at, changed_at))
        with contextlib.suppress(OSError):  # another process was first
            if target.is_dir() and not _is_of(target, changed_at):
                os.rename(target, scratch / "replaced")
            os.rename(whole, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _is_of(target: Path, changed_at: int) -> bool:
    """Return whether a folder was unpacked from the archive that was last changed at this time (ns): its own time says so."""
    return target.is_dir() and target.stat().st_mtime_ns == changed_at


def _extracted(folder: zipfile.Path, scratch: Path) -> Path:
    """Write the folder's files below `scratch`; return the folder there."""
    with zipfile.ZipFile(str(folder.root.filename)) as archive:
        archive.extractall(scratch, [name for name in archive.namelist() if name.startswith(folder.at)])
    return scratch / folder.at
