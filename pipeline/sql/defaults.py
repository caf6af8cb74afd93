"""The functions' configuration for a command line: of a file, or the defaults with the store under an output root."""

import hashlib
import os
from pathlib import Path

from pydantic import ValidationError

from pipeline.config import load_job_config
from pipeline.errors import ConfigError
from pipeline.sql.config import CacheConfig, SqlConfig, StoreConfig


def config_for(root: Path, path: Path | None) -> SqlConfig:
    """Return the configuration of a file, or the default one; what the file does not say of store and cache is filled in.

    Store: that of `root`, where there is one. Index and cache: `~/.cache/nightjar`, so that a second call finds what the
    first has scored; executors on other machines need folders that they see, named in a file.

    Raises:
        ConfigError: the file is wrong.
    """
    config = SqlConfig() if path is None else load_job_config(SqlConfig, path)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nightjar"
    root = root.absolute()
    name = hashlib.sha256(str(root).encode()).hexdigest()[:16]
    try:
        if config.store is None and (root / "_store").is_dir():
            store = StoreConfig(root=str(root), index=str(home / "sql-index" / name))
            config = config.model_copy(update={"store": store})
        if config.cache.folder is None:
            cache = CacheConfig(**(config.cache.model_dump() | {"folder": str(home / "sql-cache")}))
            config = config.model_copy(update={"cache": cache})
    except ValidationError as error:
        raise ConfigError(f"{root}: {error.errors()[0]['msg']}; name store and cache in --functions-config") from None
    return config
