"""Which Iceberg catalog a root publishes to: opened from its configuration, and remembered in `_iceberg/target.json`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ConfigError, PublishError
from pipeline.iceberg.settings import IcebergConfig
from pipeline.manifest import write_whole

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

FOLDER = "_iceberg"


def open_catalog(root: Path, config: IcebergConfig) -> "Catalog":
    """Open the configured catalog; without properties, one in SQLite under the output root.

    Raises:
        ConfigError: it cannot be opened, or the root's path cannot stand in Iceberg's metadata.
    """
    from pyiceberg.catalog import load_catalog

    if found := {"#", "%"} & set(str(root)):
        raise ConfigError(f"{root}: with output.iceberg the path of the output root must not hold {min(found)!r}")
    properties = config.resolved()
    if not properties:
        (root / FOLDER).mkdir(parents=True, exist_ok=True)
        properties = local_properties(root)
    try:
        return load_catalog(config.catalog, **properties)
    except Exception as error:
        # whatever the catalog's client raises; its text may quote a property that is a secret
        raise ConfigError(
            f"output.iceberg: the catalog {config.catalog!r} cannot be opened ({type(error).__name__}); compare its "
            "properties with https://py.iceberg.apache.org/configuration/"
        ) from None


def local_properties(root: Path) -> dict[str, str]:
    """Return the properties of the catalog that needs no server: SQLite, and metadata under the output root."""
    folder = root / FOLDER
    return {"type": "sql", "uri": f"sqlite:///{folder}/catalog.db", "warehouse": f"file://{folder}"}


def remember_target(root: Path, config: IcebergConfig) -> None:
    """Note where the root's tables are published to, before the first of them is.

    Raises:
        PublishError: they are published somewhere else.
    """
    path, target = _path(root), {"catalog": config.catalog, "namespace": config.namespace}
    if not path.exists():
        write_whole(path, json.dumps(target) + "\n")
    elif (known := json.loads(path.read_text(encoding="utf-8"))) != target:
        raise PublishError(
            f"{root}: its tables are in the Iceberg catalog {known['catalog']!r}, namespace {known['namespace']!r}, and "
            f"output.iceberg names {config.catalog!r}, {config.namespace!r}; name those, or drop the tables there and remove "
            f"{path}"
        )


def check_target(root: Path, config: IcebergConfig | None) -> None:
    """Refuse to leave Iceberg tables behind that show what is replaced, forgotten or removed here.

    Raises:
        ConfigError: the configuration has `output.iceberg`, and pyiceberg is not installed.
        PublishError: the root has published to Iceberg, and the configuration has no `output.iceberg`.
    """
    if config is not None:
        try:
            import pyiceberg  # noqa: F401
        except ImportError:
            raise ConfigError(
                "output.iceberg: pyiceberg is not installed; pip install 'nightjar-analytics[iceberg]'"
            ) from None
    if config is None and _path(root).exists():
        raise PublishError(
            f"{root}: its tables are also in Iceberg, but the configuration has no output.iceberg: set it as it was. To end it, "
            f"drop the tables there and remove {_path(root)}"
        )


def check_reachable(root: Path, config: IcebergConfig | None) -> None:
    """Find out before a run, not at its end, that the configured catalog does not answer; see `check_target` too.

    Raises:
        ConfigError: it cannot be opened or does not answer.
    """
    check_target(root, config)
    if config is not None:
        catalog = open_catalog(root, config)
        try:
            catalog.namespace_exists(config.namespace)
        except Exception as error:
            raise ConfigError(
                f"output.iceberg: the catalog {config.catalog!r} does not answer: {type(error).__name__}; nothing was started"
            ) from None


def _path(root: Path) -> Path:
    return root / FOLDER / "target.json"
