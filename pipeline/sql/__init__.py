"""AI functions for a session's SQL: `pipeline.sql.register(spark)`. The folder also holds the SQL of the published views."""

from pipeline.sql.config import SqlConfig
from pipeline.sql.register import Registered, register

__all__ = ["Registered", "SqlConfig", "register"]
