"""What every section of a configuration is made of: a frozen model, and types that refuse unsafe names and paths."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def _check_identifier(value: str) -> str:
    if not _IDENTIFIER.fullmatch(value):
        raise ValueError("must be a plain name: a letter or underscore, then letters, digits and underscores")
    return value


def _check_path(value: str) -> str:
    """Refuse what Spark, a shell or SQL would read as more than a path."""
    if not value.strip():
        raise ValueError("must not be empty")
    if re.search(r"[\x00-\x1f'\"`;\\*?\[\]{}]", value):
        raise ValueError(
            "must not hold quotes, backticks, semicolons, backslashes, control or glob characters (* ? [ ] { })"
        )
    if ".." in Path(value).parts:
        raise ValueError("must not hold '..'")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value):
        raise ValueError("must be a path that the driver and every executor see (a mounted file system), not a URI")
    return value


Identifier = Annotated[str, AfterValidator(_check_identifier)]
PathText = Annotated[str, AfterValidator(_check_path)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Frozen(BaseModel):
    """Base of every configuration section."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)
