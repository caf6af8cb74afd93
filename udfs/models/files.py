"""Model files: which are safe, where they lie, and whether they are the ones the driver recorded.

A model is data: JSON and safetensors. Anything that could run code when loaded (pickles, Python files, `auto_map`) is refused
before a byte of it is read. No function here touches the network.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Sequence
from importlib.resources import files as package_files
from importlib.resources.abc import Traversable
from pathlib import Path

from udfs.models.archives import unpacked
from udfs.models.spec import FileDigest

_READ = (
    "config.json",
    "head.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "modules.json",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
)
_UNSAFE = (
    ".py",
    ".pyc",
    ".so",
    ".pkl",
    ".pickle",
    ".pt",
    ".pth",
    ".bin",
    ".ckpt",
    ".joblib",
    ".h5",
    ".msgpack",
    ".npy",
    ".npz",
)
_CODE_KEYS = (
    "auto_map",
    "custom_pipelines",
    "trust_remote_code",
    # these can name a kernel of the hub
    "attn_implementation",
    "_attn_implementation",
    "experts_implementation",
)
_VOCABULARIES = ("tokenizer.json", "vocab.json")
_BLOCK = 1 << 20


class ModelFileError(Exception):
    """A model's files are missing, unsafe, changed or incomplete; the message names the file."""


def locate(source: str) -> Traversable:
    """Return the folder of `package:<import name>[/<folder>]` or of a plain path; one in an archive is unpacked.

    Raises:
        ModelFileError: if it does not exist.
    """
    if source.startswith("package:"):
        package, _, inside = source.removeprefix("package:").partition("/")
        try:
            folder: Traversable = package_files(package)
        except ModuleNotFoundError:
            raise ModelFileError(
                f"the Python package {package} is not installed; install it on driver and executors"
            ) from None
        for part in inside.split("/") if inside else ():
            folder = folder / part
    else:
        folder = Path(source)
    if not folder.is_dir():
        raise ModelFileError(f"{source}: no such model folder on this machine")
    return unpacked(folder) if isinstance(folder, zipfile.Path) else folder


def inspect(folder: Path) -> tuple[FileDigest, ...]:
    """Return name, sha256 and size of every file a loader may read.

    Raises:
        ModelFileError: for a file that could run code when loaded, a key that asks for code, a link out of the folder, or when
            there are no safetensors.
    """
    root = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix.lower() in _UNSAFE and not path.relative_to(folder).parts[0].startswith("."):
            raise ModelFileError(
                f"{path}: unsafe model format; models are safetensors and JSON only, remove or convert the file"
            )
        if not path.resolve().is_relative_to(root) and not _in_hub_cache(path, root):
            raise ModelFileError(f"{path}: is a link that leads out of the model's folder; copy the file")
    for path in sorted(folder.rglob("*.json")):
        if path.name not in _VOCABULARIES:
            _refuse_code_keys(path)
    if (folder / "adapter_config.json").exists():
        raise ModelFileError(f"{folder}/adapter_config.json: is an adapter; merge it into the model first")
    weights = sorted(p.name for p in folder.glob("*.safetensors")) + sorted(
        p.name for p in folder.glob("*.safetensors.index.json")
    )
    if not any(name.endswith(".safetensors") for name in weights):
        raise ModelFileError(f"{folder}: holds no .safetensors file; unsafe or unknown model format")
    names = [*(name for name in _READ if (folder / name).is_file()), *weights]
    return tuple(_digest(folder, name) for name in names)


def verify_folder(folder: Traversable, expected: Sequence[FileDigest], source: str) -> None:
    """Compare a folder with its lock entry: every recorded file as recorded, and nothing beside them that a loader might read.

    Raises:
        ModelFileError: naming the first file that is unsafe, missing, changed or not recorded.
    """
    verify(folder, expected, source)
    if isinstance(folder, Path):
        extra = sorted({f.name for f in inspect(folder)} - {f.name for f in expected})
        if extra:
            raise ModelFileError(f"{source}/{extra[0]}: is not in the lock file; remove it or lock the model again")


def verify(folder: Traversable, expected: Sequence[FileDigest], source: str) -> None:
    """Compare every file with its recorded size and sha256.

    Raises:
        ModelFileError: naming the first file that is missing or differs.
    """
    for digest in expected:
        file = folder
        for part in digest.name.split("/"):
            file = file / part
        if not file.is_file():
            raise ModelFileError(f"{source}/{digest.name}: missing model file")
        sha256, size = _hash(file)
        if (sha256, size) != (digest.sha256, digest.size_bytes):
            raise ModelFileError(
                f"{source}/{digest.name}: is not the locked file: {size} bytes, sha256 {sha256[:12]}…, "
                f"expected {digest.size_bytes} bytes, sha256 {digest.sha256[:12]}…; install the model again"
            )


def _in_hub_cache(path: Path, root: Path) -> bool:
    """Return whether a link is the hub cache's own: snapshots/<revision>/x -> ../../blobs/<digest>."""
    if root.parent.name != "snapshots":
        return False
    return path.resolve().is_relative_to(root.parent.parent / "blobs")


def _refuse_code_keys(path: Path) -> None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path}: is not readable JSON: {error}") from None
    for key in _keys(data):
        if key in _CODE_KEYS:
            raise ModelFileError(f"{path}: asks for code to be run ({key}); models with code of their own are refused")


def _keys(data: object) -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from _keys(value)
    elif isinstance(data, list):
        for value in data:
            yield from _keys(value)


def _digest(folder: Path, name: str) -> FileDigest:
    sha256, size = _hash(folder / name)
    return FileDigest(name, sha256, size)


def _hash(file: Traversable) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size


def combined_digest(files: Sequence[FileDigest]) -> str:
    """Return one sha256 (hex) over the digests of several files."""
    text = "\n".join(f"{f.sha256}  {f.name}" for f in sorted(files, key=lambda f: f.name))
    return hashlib.sha256(text.encode()).hexdigest()
