"""How an Iceberg catalog is named and reached. Secrets are given by the name of an environment variable, never in the file."""

import os
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from pipeline.errors import ConfigError
from pipeline.settings import Frozen, Identifier

_SECRET = re.compile(
    r"secret|password|passwd|token|credential|access[-_.]?key|api[-_.]?key|authorization", re.IGNORECASE
)
_PASSWORD_IN_URI = re.compile(r"://[^/@\s]*:[^/@\s]*@")


def _without_secrets(properties: dict[str, str]) -> dict[str, str]:
    for key, value in properties.items():
        if _SECRET.search(key) or _PASSWORD_IN_URI.search(value):
            raise ValueError(
                f"{key} holds a secret; name an environment variable instead: properties_from_env: {{{key}: VARIABLE}}"
            )
    return properties


class IcebergConfig(Frozen):
    """Tables are published to Apache Iceberg as well where this section is there, even empty.

    `catalog` is the name by which pyiceberg opens the catalog; rows of a SQL catalog are keyed by it, so it must not change.
    `properties` are pyiceberg's (`type`, `uri`, `warehouse`, ...); without any, a SQLite catalog under the output root.
    `properties_from_env` maps a property to the environment variable that holds its value.
    """

    catalog: Identifier = "nightjar"
    namespace: Identifier = "nightjar"
    properties: Annotated[dict[str, str], AfterValidator(_without_secrets)] = Field(default_factory=dict)
    properties_from_env: dict[str, Identifier] = Field(default_factory=dict)

    def resolved(self, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Return all properties, those from the environment included; not to be logged.

        Raises:
            ConfigError: a variable is not set.
        """
        for key, name in self.properties_from_env.items():
            if name not in environment:
                raise ConfigError(
                    f"output.iceberg.properties_from_env.{key}: the environment variable {name} is not set; export it"
                )
        return {**self.properties, **{key: environment[name] for key, name in self.properties_from_env.items()}}
